package themes

import (
	"math"
	"strconv"
	"strings"
	"testing"
)

// luminance is WCAG 2's relative luminance of "#rrggbb".
func luminance(t *testing.T, c string) float64 {
	t.Helper()
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(c[1+2*i:3+2*i], 16, 8)
		if err != nil {
			t.Fatalf("%q: %v", c, err)
		}
		v := float64(n) / 255
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		sum += weight * v
	}
	return sum
}

func contrast(t *testing.T, a, b string) float64 {
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// Every text of every palette with own colours must reach WCAG AA (4.5:1).
func TestContrast(t *testing.T) {
	grounds := map[string]string{"dark": "#0d1117", "light": "#ffffff"}
	texts := map[string]string{"dark": "#e6edf3", "light": "#1f2328"}
	for _, name := range Names() {
		p, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		ground, ok := grounds[p.Background]
		if !ok {
			continue // the terminal's own colours
		}
		for role, r := range p.Roles {
			fg, bg := r.Fg, r.Bg
			if fg == "" {
				fg = texts[p.Background]
			}
			if bg == "" {
				bg = ground
			}
			want := 4.5
			if role == "border" {
				want = 3 // not text
			}
			if c := contrast(t, fg, bg); c < want {
				t.Errorf("%s: %s has contrast %.1f, want %.1f", name, role, c, want)
			}
		}
	}
}

func TestMonoHasNoColour(t *testing.T) {
	p, err := Load("mono")
	if err != nil {
		t.Fatal(err)
	}
	for role, r := range p.Roles {
		if r.Fg != "" || r.Bg != "" {
			t.Errorf("%s has a colour", role)
		}
	}
}

func TestLoadUnknown(t *testing.T) {
	_, err := Load("solarised")
	if err == nil || !strings.Contains(err.Error(), "choose one of dark") {
		t.Fatalf("got %v", err)
	}
}

func TestParseComplains(t *testing.T) {
	good, err := files.ReadFile("dark.toml")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, old, new, want string }{
		{"unknown key", `name = "dark"`, `nam = "dark"`, `the key "nam"`},
		{"missing role", "debug = ", "dbug = ", `role "debug" is missing`},
		{"extra role", "[roles]\n", "[roles]\nfoo = {}\n", `no role "foo"`},
		{"colour", `fg = "#8b949e"`, `fg = "grey"`, `the colour "grey"`},
		{"colour number", `fg = "#8b949e"`, `fg = "256"`, `the colour "256"`},
		{"background", `background = "dark"`, `background = "black"`, `background is "black"`},
		{"syntax", "[roles]", "[roles", "x.toml"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse("x.toml", []byte(strings.Replace(string(good), c.old, c.new, 1)))
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "x.toml") {
				t.Fatalf("got %v, want %q", err, c.want)
			}
		})
	}
	if _, err := Parse("x.toml", make([]byte, MaxFile+1)); err == nil {
		t.Fatal("a file over the cap was read")
	}
}

func FuzzParse(f *testing.F) {
	for _, n := range Names() {
		data, err := files.ReadFile(n + ".toml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Parse("f.toml", data)
		if err == nil && len(p.Roles) != len(RoleNames) {
			t.Fatalf("%d roles", len(p.Roles))
		}
	})
}
