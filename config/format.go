package config

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"bartizan/event"
	"bartizan/query"
	"bartizan/sources/parse"
)

// Format is a format of a person's own: a regular expression or a grok pattern.
type Format struct {
	Name      string              `toml:"name"`
	Doc       string              `toml:"doc"`
	Regex     string              `toml:"regex"`    // its named groups are fields
	Grok      string              `toml:"grok"`     // %{PATTERN:field}
	Patterns  map[string]string   `toml:"patterns"` // more grok patterns
	Time      string              `toml:"time"`     // the field with the stamp
	Layouts   []string            `toml:"layouts"`  // of the stamp
	Zone      string              `toml:"zone"`     // of stamps without one
	Aliases   map[string][]string `toml:"aliases"`  // second name -> fields, the first with a value counts
	LogSource LogSource           `toml:"logsource"`
	Detect    bool                `toml:"detect"`  // try it on every source
	Samples   []string            `toml:"samples"` // lines it must match
}

// LogSource routes rules, in Sigma's words.
type LogSource struct {
	Product  string `toml:"product"`
	Category string `toml:"category"`
	Service  string `toml:"service"`
}

var formatName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,39}$`)

// compile returns the format as it is run; the error says what is wrong and key is
// where, "" for the whole table.
func (f *Format) compile() (out parse.UserFormat, key string, err error) {
	out = parse.UserFormat{Name: f.Name, Doc: f.Doc, Time: f.Time, Layouts: f.Layouts, LogSource: event.LogSource(f.LogSource), Detect: f.Detect}
	switch {
	case !formatName.MatchString(f.Name):
		return out, "name", fmt.Errorf("name = %q is no name of a format; use up to 40 small letters, digits, - and _", f.Name)
	case (f.Regex == "") == (f.Grok == ""):
		return out, "", fmt.Errorf("format %q needs either regex or grok", f.Name)
	case f.Grok != "":
		if out.Regex, out.Fields, err = compileGrok(f.Grok, f.Patterns); err != nil {
			return out, "grok", err
		}
	default:
		if out.Regex, err = query.CompileRegex(f.Regex); err != nil {
			return out, "regex", err
		}
		out.Fields = out.Regex.SubexpNames()[1:]
	}
	if !slices.ContainsFunc(out.Fields, func(s string) bool { return s != "" }) {
		return out, "", fmt.Errorf("format %q has no field; name a group (?P<user>\\S+) or %%{WORD:user}", f.Name)
	}
	if key, err = f.stamps(&out); err != nil {
		return out, key, err
	}
	if out.Aliases, err = aliasList(f.Aliases); err != nil {
		return out, "aliases", err
	}
	return out, "samples", f.matches(&out)
}

// stamps checks how the format's time is read.
func (f *Format) stamps(out *parse.UserFormat) (key string, err error) {
	if f.Zone != "" {
		if out.Zone, err = Zone(f.Zone); err != nil {
			return "zone", err
		}
	}
	switch {
	case f.Time == "" && len(f.Layouts) > 0:
		return "layouts", errors.New("layouts need time = \"the field with the stamp\"")
	case f.Time != "" && !slices.Contains(out.Fields, f.Time):
		return "time", fmt.Errorf("time = %q is no field of the expression", f.Time)
	case f.Time != "" && len(f.Layouts) == 0:
		return "time", fmt.Errorf("time needs layouts = [\"…\"]: Go's, strftime's with %%, or %s", strings.Join(parse.TimeNames(), ", "))
	}
	return "", nil
}

// matches holds the format to its samples.
func (f *Format) matches(out *parse.UserFormat) error {
	for _, line := range f.Samples {
		at := out.Regex.FindStringSubmatchIndex(line)
		if at == nil {
			return fmt.Errorf("the sample %.80q does not match", line)
		}
		i := slices.Index(out.Fields, f.Time)
		if f.Time == "" || at[2*i+2] < 0 {
			continue
		}
		if text := line[at[2*i+2]:at[2*i+3]]; !fitsLayout(text, f.Layouts) {
			return fmt.Errorf("the stamp %.60q of the sample fits none of the layouts", text)
		}
	}
	return nil
}

func fitsLayout(text string, layouts []string) bool {
	_, ok := parse.StampOf(text, layouts, time.UTC)
	return ok
}

// aliasList is a table of second names, in their order.
func aliasList(table map[string][]string) ([]parse.Alias, error) {
	if len(table) > parse.MaxAliases {
		return nil, fmt.Errorf("%d aliases are more than %d", len(table), parse.MaxAliases)
	}
	var out []parse.Alias
	for _, name := range slices.Sorted(maps.Keys(table)) {
		if name == "" || len(table[name]) == 0 || slices.Contains(table[name], "") {
			return nil, fmt.Errorf("the alias %q names no field; write %q = [\"field\"]", name, name)
		}
		out = append(out, parse.Alias{Name: name, From: table[name]})
	}
	return out, nil
}

// ParseOptions are the formats and aliases of the config, for parse.NewRegistry.
func (c *Config) ParseOptions() parse.Options {
	o := parse.Options{Aliases: map[string][]parse.Alias{}}
	for i := range c.Format {
		if f, _, err := c.Format[i].compile(); err == nil { // said when the file was read
			o.User = append(o.User, f)
		}
	}
	for format, table := range c.Aliases {
		if list, err := aliasList(table); err == nil && len(list) > 0 {
			o.Aliases[format] = list
		}
	}
	return o
}

// checkFormats says what is wrong with formats and aliases.
func (c *Config) checkFormats(add complain) {
	if len(c.Format) > parse.MaxUserFormats {
		add(fmt.Sprintf("format.%d", parse.MaxUserFormats), "there are more than %d formats", parse.MaxUserFormats)
	}
	builtin := parse.NewRegistry(parse.Options{})
	seen := map[string]bool{}
	for i := range c.Format {
		f, at := &c.Format[i], fmt.Sprintf("format.%d", i)
		if _, key, err := f.compile(); err != nil {
			add(strings.TrimSuffix(at+"."+key, "."), "%v", err)
		} else if seen[f.Name] || builtin.Known(f.Name) {
			add(at+".name", "there is a format %q already; give it another name", f.Name)
		}
		seen[f.Name] = true
	}
	for _, format := range slices.Sorted(maps.Keys(c.Aliases)) {
		key := "aliases." + format
		if !seen[format] && !builtin.Known(format) {
			add(key, "there is no format %q; bartizan parse --help lists them", format)
		}
		if _, err := aliasList(c.Aliases[format]); err != nil {
			add(key, "%v", err)
		}
	}
}

// checkFormat complains about a format nobody knows.
func (c *Config) checkFormat(key, name string, add complain) {
	if !slices.ContainsFunc(c.Format, func(f Format) bool { return f.Name == name }) {
		checkFormat(key, name, add)
	}
}
