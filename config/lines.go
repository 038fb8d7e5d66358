package config

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// document is a decoded file with the lines its keys stand on.
type document struct {
	path  string
	meta  toml.MetaData
	lines map[string]int
}

// linesOf maps every key and table header of a TOML text to its line; tables of
// arrays are numbered from 0: "source.1.path".
func linesOf(text string) map[string]int {
	out := map[string]int{}
	count := map[string]int{}
	table := ""
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "[["):
			name := strings.TrimSpace(strings.Trim(strings.SplitN(line, "]]", 2)[0], "[ "))
			table = fmt.Sprintf("%s.%d", name, count[name])
			count[name]++
			out[table] = i + 1
		case strings.HasPrefix(line, "["):
			table = strings.TrimSpace(strings.Trim(strings.SplitN(line, "]", 2)[0], "[ "))
			out[table] = i + 1
		default:
			if key, _, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
				out[join(table, strings.Trim(strings.TrimSpace(key), `"'`))] = i + 1
			}
		}
	}
	return out
}

func join(table, key string) string {
	if table == "" {
		return key
	}
	return table + "." + key
}

// line returns the key's line, or that of the table it would stand in, or 0.
func (d *document) line(key string) int {
	for key != "" {
		if n := d.lines[key]; n > 0 {
			return n
		}
		key = key[:max(strings.LastIndexByte(key, '.'), 0)]
	}
	return 0
}

// complaint is one sentence about one line of a file; line 0 is the whole file.
type complaint struct {
	path string
	line int
	what string
}

func (c complaint) Error() string {
	if c.line > 0 {
		return fmt.Sprintf("%s:%d: %s", c.path, c.line, c.what)
	}
	return c.path + ": " + c.what
}

func (d *document) complain(key, format string, args ...any) error {
	return complaint{d.path, d.line(key), fmt.Sprintf(format, args...)}
}

// all joins complaints in the order of their lines.
func (d *document) all(bad []error) error {
	line := func(err error) int {
		var c complaint
		_ = errors.As(err, &c) // what has no line comes first
		return c.line
	}
	slices.SortStableFunc(bad, func(a, b error) int { return line(a) - line(b) })
	return errors.Join(bad...)
}

// unknown complains about keys that nothing reads.
func (d *document) unknown() (bad []error) {
	seen := map[int]bool{}
	for _, k := range d.meta.Undecoded() {
		line := d.find(k)
		if line > 0 && seen[line] {
			continue
		}
		seen[line] = true
		bad = append(bad, complaint{d.path, line, fmt.Sprintf("there is no setting %q; see config.example.toml", k.String())})
	}
	return bad
}

// find returns the line of an undecoded key, whose path has no array numbers.
func (d *document) find(k toml.Key) int {
	best := 0
	for key, n := range d.lines {
		if withoutNumbers(key) == k.String() && (best == 0 || n < best) {
			best = n
		}
	}
	if best == 0 && len(k) > 1 {
		return d.find(k[:len(k)-1])
	}
	return best
}

func withoutNumbers(key string) string {
	var keep []string
	for _, p := range strings.Split(key, ".") {
		if p != "" && strings.Trim(p, "0123456789") != "" {
			keep = append(keep, p)
		}
	}
	return strings.Join(keep, ".")
}

// syntax turns the decoder's error into one sentence with file and line.
func (d *document) syntax(err error) error {
	var p toml.ParseError
	if errors.As(err, &p) {
		return complaint{d.path, p.Position.Line, p.Message}
	}
	if m := atKey.FindStringSubmatch(err.Error()); m != nil {
		line, _ := strconv.Atoi(m[1]) // digits
		if want := wanted.FindStringSubmatch(m[3]); want != nil {
			return complaint{d.path, line, m[2] + " must be " + kinds[want[1]]}
		}
		return complaint{d.path, line, m[2] + ": " + m[3]}
	}
	return complaint{d.path, 0, strings.TrimPrefix(err.Error(), "toml: ")}
}

// How the decoder says where a value's type does not fit, and what would.
var (
	atKey  = regexp.MustCompile(`^toml: line (\d+) \(last key "(.*)"\): (.*)$`)
	wanted = regexp.MustCompile(`(?:destination has type|expected) (boolean|integer|primitive|slice|string|table)\b`)
)

// kinds are the decoder's words for types in words for people.
var kinds = map[string]string{
	"boolean": "true or false", "integer": "a whole number", "primitive": "a text or a number",
	"slice": "a list", "string": "a text in quotes", "table": "a table",
}

func hashOf(s string) (h [16]byte) {
	sum := sha256.Sum256([]byte(s))
	copy(h[:], sum[:])
	return h
}
