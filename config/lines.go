package config

import (
	"crypto/sha256"
	"errors"
	"fmt"
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

func (d *document) complain(key, format string, args ...any) error {
	what := fmt.Sprintf(format, args...)
	if n := d.line(key); n > 0 {
		return fmt.Errorf("%s:%d: %s", d.path, n, what)
	}
	return fmt.Errorf("%s: %s", d.path, what)
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
		bad = append(bad, fmt.Errorf("%s:%d: there is no setting %q; see config.example.toml", d.path, line, k.String()))
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
		return fmt.Errorf("%s:%d: %s", d.path, p.Position.Line, p.Message)
	}
	return fmt.Errorf("%s: %s", d.path, strings.TrimPrefix(err.Error(), "toml: "))
}

func hashOf(s string) (h [16]byte) {
	sum := sha256.Sum256([]byte(s))
	copy(h[:], sum[:])
	return h
}
