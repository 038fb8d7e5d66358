package config

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"bartizan/detect/sigma"
)

// Detection is how rules are read and run.
type Detection struct {
	Own            string          `toml:"own"`             // folder exceptions are written to; its rules run as well
	FiltersExclude bool            `toml:"filters_exclude"` // the condition of a Sigma filter says what is excluded
	Lists          map[string]List `toml:"lists"`           // values of Sigma's placeholders (expand), by name
}

// List is values, or a file with one on each line.
type List struct {
	Values []string
	File   string
}

// UnmarshalTOML reads a list of texts, or a text that names a file.
func (l *List) UnmarshalTOML(v any) error {
	switch v := v.(type) {
	case string:
		if v == "" {
			return errors.New("a list is values in brackets or the name of a file")
		}
		l.File = v
		return nil
	case []any:
		for _, x := range v {
			s, ok := x.(string)
			if !ok {
				return errors.New("the values of a list must be texts in quotes")
			}
			l.Values = append(l.Values, s)
		}
		return nil
	}
	return errors.New("a list is values in brackets or the name of a file")
}

// MarshalTOML writes it as it is read.
func (l List) MarshalTOML() ([]byte, error) {
	if l.File != "" {
		return []byte(quoteTOML(l.File)), nil
	}
	var quoted []string
	for _, v := range l.Values {
		quoted = append(quoted, quoteTOML(v))
	}
	return []byte("[" + strings.Join(quoted, ", ") + "]"), nil
}

// quoteTOML writes a text as a basic string (TOML 1.0, section String): control
// characters as \uXXXX, because TOML has no \x and \a.
func quoteTOML(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, "\\u%04X", r)
		default:
			b.WriteRune(r) // what is no UTF-8 becomes U+FFFD: TOML cannot hold it
		}
	}
	b.WriteByte('"')
	return b.String()
}

// maxList bounds the file of one list, in bytes.
const maxList = 16 << 20

// path is the list's file: beside the config where it is not absolute.
func (c *Config) listFile(l List) string {
	if filepath.IsAbs(l.File) || c.File == "" {
		return l.File
	}
	return filepath.Join(filepath.Dir(c.File), l.File)
}

// SigmaOptions are how Sigma rules are read, and the files of the lists among
// them. It reads these files.
func (c *Config) SigmaOptions() (o sigma.Options, files []string, err error) {
	o.FiltersExclude = c.Detection.FiltersExclude
	o.Lists = map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(c.Detection.Lists)) {
		l := c.Detection.Lists[name]
		if l.File == "" {
			o.Lists[name] = l.Values
			continue
		}
		file := c.listFile(l)
		files = append(files, file)
		if o.Lists[name], err = readList(file); err != nil {
			return o, files, fmt.Errorf("detection.lists.%s: %w", name, err)
		}
	}
	return o, files, nil
}

// readList reads one value a line; empty lines and those that begin with # are none.
func readList(file string) ([]string, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("the list cannot be read: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxList+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("%s: the list cannot be read: %w", file, err)
	}
	if len(text) > maxList {
		return nil, fmt.Errorf("%s: the list is over 16 MiB; split it", file)
	}
	out := []string{}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			out = append(out, line)
		}
	}
	return out, nil
}

// OwnRules is the folder exceptions are written to: the config's, else
// bartizan/rules in the person's config folder; "" when there is neither.
func (c *Config) OwnRules() string {
	if c.Detection.Own != "" {
		return c.Detection.Own
	}
	if dir, err := os.UserConfigDir(); err == nil {
		return filepath.Join(dir, "bartizan", "rules")
	}
	return ""
}

func (d Detection) check(c *Config, add complain) {
	for name, l := range d.Lists {
		if l.File == "" {
			continue
		}
		if _, err := readList(c.listFile(l)); err != nil {
			add("detection.lists."+name, "%v", err)
		}
	}
}
