package falco

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The bounds of one file's YAML.
const (
	MaxNesting = 24      // levels, aliases followed
	MaxAliases = 200     // uses of an anchor
	MaxValues  = 100_000 // scalars, lists and maps together, aliases counted each time
)

// place is where something stands; line is 1-based.
type place struct {
	file string
	line int
}

// problem is why something is refused, with its line in the document (0: as a
// whole).
type problem struct {
	line   int
	reason string
}

func (p *problem) Error() string { return p.reason }

func at(n *yaml.Node, format string, args ...any) error {
	p := &problem{reason: fmt.Sprintf(format, args...)}
	if n != nil {
		p.line = n.Line
	}
	return p
}

// document is one YAML document of a file.
type document struct {
	src   []byte
	above int // lines of the file before it
}

// documents cuts a file at its markers, so that one that cannot be read does not
// take the others with it (YAML 1.2.2 section 9.1.2).
func documents(src []byte) []document {
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	var out []document
	start, above, line := 0, 0, 0
	for i := 0; i < len(src); line++ {
		end := len(src)
		if n := bytes.IndexByte(src[i:], '\n'); n >= 0 {
			end = i + n + 1
		}
		if marker := marks(src[i:end]); marker != 0 {
			out = append(out, document{src[start:i], above})
			start, above = i, line // what follows --- on its line belongs to the new document
			if marker == '.' {
				start, above = end, line+1
			}
		}
		i = end
	}
	return append(out, document{src[start:], above})
}

// marks returns - or . for a line that begins or ends a document, else 0.
func marks(line []byte) byte {
	if len(line) < 3 || string(line[:3]) != "---" && string(line[:3]) != "..." {
		return 0
	}
	if len(line) > 3 && !blank(line[3]) {
		return 0
	}
	return line[0]
}

// parse returns the document's root, nil when there is nothing but comments.
func (d *document) parse(left *bounds) (root *yaml.Node, err error) {
	defer func() {
		if r := recover(); r != nil { // a fault of the YAML library must not end the program
			root, err = nil, at(nil, "the YAML cannot be read: %v", r)
		}
	}()
	var doc yaml.Node
	if err := yaml.Unmarshal(d.src, &doc); err != nil {
		return nil, yamlProblem(err)
	}
	if len(doc.Content) == 0 || isNull(doc.Content[0]) {
		return nil, nil
	}
	return doc.Content[0], left.check(doc.Content[0], 0)
}

// tokens estimates from above how many nodes the parser would make, so that
// millions of tiny values are refused before they cost memory.
func tokens(src []byte) int {
	n := 1
	for _, c := range src {
		switch c {
		case '\n', ',', '[', '{':
			n++
		}
	}
	return n
}

var yamlLine = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?`)

// yamlProblem makes one sentence of the parser's error and takes the line out.
func yamlProblem(err error) error {
	text := err.Error()
	m := yamlLine.FindStringSubmatch(text)
	line, _ := strconv.Atoi(m[1]) // empty: the parser gave none, 0
	return &problem{line, "the YAML cannot be read: " + strings.TrimPrefix(text, m[0])}
}

// bounds counts down what a file may still hold.
type bounds struct{ values, aliases int }

// check walks the tree as every later reader does, aliases followed, so that
// their work is bounded too; it also refuses keys that are there twice.
func (b *bounds) check(n *yaml.Node, depth int) error {
	if b.values--; b.values < 0 {
		return at(n, "the file has more than %d values; split it", MaxValues)
	}
	if depth > MaxNesting {
		return at(n, "the document is nested deeper than %d levels; write it flatter", MaxNesting)
	}
	if n.Kind == yaml.AliasNode {
		if b.aliases--; b.aliases < 0 {
			return at(n, "the file uses more than %d aliases; write the values out", MaxAliases)
		}
		return b.check(n.Alias, depth+1)
	}
	if n.Kind == yaml.MappingNode {
		if err := checkKeys(n); err != nil {
			return err
		}
	}
	for _, c := range n.Content {
		if err := b.check(c, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func checkKeys(n *yaml.Node) error {
	seen := make(map[string]bool, len(n.Content)/2)
	for i := 0; i < len(n.Content); i += 2 {
		key := n.Content[i]
		switch {
		case key.Kind != yaml.ScalarNode:
			return at(key, "a key must be one word or text, not a list, a map or an alias")
		case key.Tag == "!!merge":
			return at(key, "the merge key << is not part of Falco's rules; write the keys out")
		case seen[key.Value]:
			return at(key, "the key %s is there twice; remove one", quote(key.Value))
		}
		seen[key.Value] = true
	}
	return nil
}

// plain follows an alias to what it stands for.
func plain(n *yaml.Node) *yaml.Node {
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// get returns the value under key in a map, nil when it is not there.
func get(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return plain(n.Content[i+1])
		}
	}
	return nil
}

// text reads one word or text; a list, a map and null are none.
func text(n *yaml.Node, what string) (string, error) {
	if n.Kind != yaml.ScalarNode || isNull(n) {
		return "", at(n, "%s must be one text", what)
	}
	return n.Value, nil
}

// texts reads a list of texts.
func texts(n *yaml.Node, what string) ([]string, error) {
	if isNull(n) {
		return nil, nil
	}
	if n.Kind != yaml.SequenceNode {
		return nil, at(n, "%s must be a list", what)
	}
	out := make([]string, 0, len(n.Content))
	for _, c := range n.Content {
		s, err := text(plain(c), "each of "+what)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// flag reads true or false.
func flag(n *yaml.Node, what string) (bool, error) {
	var b bool
	if n.Kind != yaml.ScalarNode || n.Decode(&b) != nil {
		return false, at(n, "%s must be true or false", what)
	}
	return b, nil
}
