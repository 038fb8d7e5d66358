// Package themes holds the palettes of the console as TOML and reads them, the
// embedded ones and a person's own. A palette gives colours to roles ("match",
// "critical", "cursor"); what a role looks like on a screen is decided in
// ui/style. Nothing here blocks and nothing is lost.
package themes

import (
	"embed"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

//go:embed *.toml
var files embed.FS

// Palette is a named set of roles. Background is the colour it was chosen
// against ("dark", "light" or "any"); it is never painted, because a terminal's
// own background stays.
type Palette struct {
	Name       string          `toml:"name"`
	About      string          `toml:"about"`
	Background string          `toml:"background"`
	Roles      map[string]Role `toml:"roles"`
}

// Role is how one kind of text looks. Fg and Bg are "#rrggbb", "0".."255" (the
// terminal's own colours) or "" for the default.
type Role struct {
	Fg        string `toml:"fg"`
	Bg        string `toml:"bg"`
	Bold      bool   `toml:"bold"`
	Dim       bool   `toml:"dim"`
	Italic    bool   `toml:"italic"`
	Underline bool   `toml:"underline"`
	Reverse   bool   `toml:"reverse"`
}

// RoleNames are the roles every palette must give, in the order of the docs.
var RoleNames = []string{
	"text", "dim", "title", "header", "footer", "key", "accent", "border",
	"cursor", "marked", "match", "search", "loss", "good", "warn", "bad",
	"critical", "high", "medium", "low", "informational",
	"error", "warning", "notice", "info", "debug",
}

// MaxFile is the largest palette read, in bytes.
const MaxFile = 64 << 10

var colour = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

// Names lists the embedded palettes, the default first, mono last.
func Names() []string {
	return []string{"dark", "light", "high-contrast", "colour-blind", "16", "mono"}
}

// Load returns the embedded palette called name.
func Load(name string) (Palette, error) {
	if !slices.Contains(Names(), name) {
		return Palette{}, fmt.Errorf("there is no theme %q; choose one of %s", name, strings.Join(Names(), ", "))
	}
	data, err := files.ReadFile(name + ".toml")
	if err != nil {
		return Palette{}, fmt.Errorf("theme %q cannot be read: %w", name, err)
	}
	return Parse(name+".toml", data)
}

// Parse reads a palette; file is what complaints call it. Unknown keys, unknown
// roles, missing roles and colours that are none are errors.
func Parse(file string, data []byte) (Palette, error) {
	var p Palette
	if len(data) > MaxFile {
		return p, fmt.Errorf("%s: a theme may have %d bytes and this has %d", file, MaxFile, len(data))
	}
	meta, err := toml.Decode(string(data), &p)
	if err != nil {
		return p, fmt.Errorf("%s: %w", file, err)
	}
	if extra := meta.Undecoded(); len(extra) > 0 {
		return p, fmt.Errorf("%s: the key %q means nothing in a theme; remove it", file, extra[0])
	}
	return p, p.check(file)
}

func (p Palette) check(file string) error {
	for _, n := range RoleNames {
		r, ok := p.Roles[n]
		if !ok {
			return fmt.Errorf("%s: the role %q is missing; add roles.%s", file, n, n)
		}
		for _, c := range []string{r.Fg, r.Bg} {
			if !valid(c) {
				return fmt.Errorf("%s: roles.%s has the colour %q; write \"#rrggbb\", \"0\" to \"255\" or \"\"", file, n, c)
			}
		}
	}
	for n := range p.Roles {
		if !slices.Contains(RoleNames, n) {
			return fmt.Errorf("%s: there is no role %q; the roles are %s", file, n, strings.Join(RoleNames, ", "))
		}
	}
	if !slices.Contains([]string{"dark", "light", "any"}, p.Background) {
		return fmt.Errorf("%s: background is %q; write \"dark\", \"light\" or \"any\"", file, p.Background)
	}
	return nil
}

func valid(c string) bool {
	if c == "" || colour.MatchString(c) {
		return true
	}
	n, err := strconv.Atoi(c)
	return err == nil && n >= 0 && n <= 255 && strconv.Itoa(n) == c
}
