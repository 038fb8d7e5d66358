package sigma

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"bartizan/detect"
	"bartizan/query"

	"go.yaml.in/yaml/v3"
)

// The bounds of one YAML document.
const (
	MaxDepth   = 32      // levels of nesting, aliases followed
	MaxAliases = 100     // uses of an anchor
	MaxValues  = 200_000 // scalars, lists and maps together, aliases counted each time
)

// fault is why a rule is refused, with the line it is about (1-based, in the file; 0
// is the document as a whole).
type fault struct {
	line   int
	reason string
}

func (f *fault) Error() string { return f.reason }

func fail(n *yaml.Node, format string, args ...any) error {
	f := &fault{reason: fmt.Sprintf(format, args...)}
	if n != nil {
		f.line = n.Line
	}
	return f
}

// document is one YAML document of a file.
type document struct {
	src   []byte
	above int // lines of the file before it
}

// Parse is Options.Parse without lists.
func Parse(file string, src []byte) detect.Loaded { return Options{}.Parse(file, src) }

// Parse reads the rules of one file's content; file is its name in the outcome.
// It does no I/O and its memory is bounded by the size of src and the constants
// of this package. What refers to other rules is not resolved: see Link.
func (o Options) Parse(file string, src []byte) detect.Loaded {
	if len(src) > MaxFile {
		return detect.Loaded{Refused: []detect.Refusal{{
			File:   file,
			Reason: fmt.Sprintf("the file is longer than %d bytes; split it", MaxFile),
		}}}
	}
	var out detect.Loaded
	c := collection{left: bounds{values: MaxValues, aliases: MaxAliases}}
	var regexes query.RegexRoom
	found := false
	for _, d := range split(src) {
		root, err := d.parse()
		if err == nil && root == nil {
			continue // only comments
		}
		found = true
		if err == nil {
			if root, err = c.take(&d, root); root == nil {
				c.unused(&out, file)
				continue
			}
		}
		rd := reader{opt: o, regexes: &regexes}
		d.add(&out, file, root, &rd, err, c.source)
	}
	c.end()
	c.unused(&out, file)
	if !found {
		out.Warnings = append(out.Warnings, detect.Refusal{File: file, Reason: "the file holds no rule"})
	}
	return out
}

// add puts the rule of a document, or why it is none, into out; shared is the
// template it is based on.
func (d *document) add(out *detect.Loaded, file string, root *yaml.Node, rd *reader, err error, shared []byte) {
	if err == nil {
		if err = rd.read(root); err == nil {
			err = rd.bounded(root)
		}
	} else if root != nil {
		rd.rule.ID = idOf(root)
	}
	lines := bytes.Count(d.src, []byte("\n")) + 1 // YAML also counts bare carriage returns
	remark := func(line int, reason string) detect.Refusal {
		return detect.Refusal{File: file, Line: min(max(line, 1), d.above+lines), ID: rd.rule.ID, Reason: reason}
	}
	for _, w := range rd.warnings {
		out.Warnings = append(out.Warnings, remark(w.line, w.reason))
	}
	if err != nil {
		line := 0
		var f *fault
		if errors.As(err, &f) {
			line = f.line
		}
		if line == 0 {
			line = d.above + 1
		}
		out.Refused = append(out.Refused, remark(line, err.Error()))
		return
	}
	rd.rule.Line = root.Line
	sum := sha256.Sum256(append(shared[:len(shared):len(shared)], d.src...))
	copy(rd.rule.Hash[:], sum[:16])
	for _, r := range append([]*detect.Rule{&rd.rule}, rd.parts...) {
		r.File, r.Line, r.Hash = file, rd.rule.Line, rd.rule.Hash
		out.Rules = append(out.Rules, r)
	}
}

// bounded refuses what is too large to be matched.
func (r *reader) bounded(root *yaml.Node) error {
	for _, x := range append([]*detect.Rule{&r.rule}, r.parts...) {
		if err := x.Check(); err != nil {
			return fail(or(get(root, "detection"), root), "%v", err)
		}
	}
	return nil
}

// idOf is the id of a document that is refused before it is read.
func idOf(root *yaml.Node) string {
	if n := get(root, "id"); n != nil && n.Kind == yaml.ScalarNode {
		return n.Value
	}
	return ""
}

// split cuts a file at its document markers. They stand at the start of a line
// and nothing else can (YAML 1.2.2 section 9.1.2), so a document that cannot be
// read does not take the others with it.
func split(src []byte) []document {
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	var out []document
	start, above, lines := 0, 0, 0
	for at := 0; at < len(src); {
		end := len(src)
		if i := bytes.IndexByte(src[at:], '\n'); i >= 0 {
			end = at + i + 1
		}
		if isMarker(src[at:end]) {
			out = append(out, document{src[start:at], above})
			start, above = at, lines
			if src[at] == '.' || len(bytes.TrimSpace(src[at:end])) == 3 {
				start, above = end, lines+1
			}
		}
		at, lines = end, lines+1
	}
	return append(out, document{src[start:], above})
}

func isMarker(line []byte) bool {
	if !bytes.HasPrefix(line, []byte("---")) && !bytes.HasPrefix(line, []byte("...")) {
		return false
	}
	return len(line) == 3 || strings.IndexByte(" \t\r\n", line[3]) >= 0
}

// parse returns the document's root, with the lines of the file, nil when there is
// nothing but comments. With
// an error it may return the root as well, unchecked.
func (d *document) parse() (root *yaml.Node, err error) {
	if n := countTokens(d.src); n > MaxValues {
		return nil, fail(nil, "the document has more than %d values; split the rule", MaxValues)
	}
	defer func() {
		if r := recover(); r != nil { // a fault of the YAML library must not end the program
			root, err = nil, fail(nil, "the YAML cannot be read: %v", r)
		}
	}()
	var doc yaml.Node
	if err := yaml.Unmarshal(d.src, &doc); err != nil {
		return nil, yamlFault(err, d.above)
	}
	if len(doc.Content) == 0 || doc.Content[0].Kind == yaml.ScalarNode && doc.Content[0].ShortTag() == "!!null" {
		return nil, nil
	}
	root = doc.Content[0]
	shift(root, d.above)
	left := bounds{values: MaxValues, aliases: MaxAliases}
	return root, left.check(root, 0)
}

// countTokens estimates from above how many nodes the parser would make, so that
// a document of millions of tiny values is refused before they cost memory.
func countTokens(src []byte) int {
	n := 1
	for _, c := range src {
		switch c {
		case '\n', ',', '[', '{', ':', '?':
			n++
		}
	}
	return n
}

var yamlLine = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?`)

// yamlFault makes one sentence of the parser's error and takes the line out of it.
func yamlFault(err error, above int) error {
	text := err.Error()
	m := yamlLine.FindStringSubmatch(text)
	line, _ := strconv.Atoi(m[1]) // empty: the parser gave none, 0
	if line > 0 {
		line += above
	}
	return &fault{line, "the YAML cannot be read: " + strings.TrimPrefix(text, m[0])}
}

// bounds counts down what a document may still hold.
type bounds struct{ values, aliases int }

// check walks the tree as every later reader does, aliases followed, so that
// their work is bounded too; it also refuses keys that are there twice.
func (b *bounds) check(n *yaml.Node, depth int) error {
	if b.values--; b.values < 0 {
		return fail(n, "the document has more than %d values; split the rule", MaxValues)
	}
	if depth > MaxDepth {
		return fail(n, "the document is nested deeper than %d levels; write it flatter", MaxDepth)
	}
	if n.Kind == yaml.AliasNode {
		if b.aliases--; b.aliases < 0 {
			return fail(n, "the document uses more than %d aliases; write the values out", MaxAliases)
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
			return fail(key, "a key must be one word or text, not a list, a map or an alias")
		case key.Tag == "!!merge":
			return fail(key, "the merge key << is not part of Sigma; write the keys out")
		case seen[key.Value]:
			return fail(key, "the key %q is there twice; remove one", key.Value)
		}
		seen[key.Value] = true
	}
	return nil
}

// plain follows an alias to what it stands for.
func plain(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}
