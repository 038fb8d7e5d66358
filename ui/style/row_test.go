package style

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/themes"
)

func sheet(t testing.TB, name string, plain bool) *Sheet {
	t.Helper()
	p, err := themes.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return New(p, plain)
}

// Whatever is put, a row never grows wider than it may and a row with a ground
// is exactly as wide.
func TestRowWidth(t *testing.T) {
	s := sheet(t, "dark", false)
	rapid.Check(t, func(t *rapid.T) {
		r := Row{Width: rapid.IntRange(0, 40).Draw(t, "width"), Skip: rapid.IntRange(0, 10).Draw(t, "skip")}
		ground := rapid.Bool().Draw(t, "ground")
		if ground {
			r.Base = s.Cursor
		}
		for range rapid.IntRange(0, 6).Draw(t, "parts") {
			text := rapid.StringOfN(rapid.SampledFrom([]rune("abc xyz_é漢字─▲")), 0, 20, -1).Draw(t, "text")
			r.Put(rapid.SampledFrom([]Style{s.Text, s.Dim, s.Match}).Draw(t, "style"), text)
		}
		w := ansi.StringWidthWc(ansi.Strip(r.String()))
		if w > r.Width || ground && w != r.Width {
			t.Fatalf("%q is %d wide, may be %d", r.String(), w, r.Width)
		}
	})
}

func TestFitAndPad(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int
		fit  string
		padn string
	}{
		{"hello", 5, "hello", "hello"},
		{"hello", 4, "hel…", "hell"},
		{"hello", 1, "h", "h"},
		{"hi", 4, "hi", "hi  "},
		{"漢字漢", 4, "漢…", "漢字"},
		{"漢字漢", 3, "漢…", "漢 "},
		{"", 0, "", ""},
	} {
		if got := Fit(c.in, c.n, "…"); got != c.fit {
			t.Errorf("Fit(%q, %d) = %q, want %q", c.in, c.n, got, c.fit)
		}
		if got := Pad(c.in, c.n); got != c.padn {
			t.Errorf("Pad(%q, %d) = %q, want %q", c.in, c.n, got, c.padn)
		}
	}
}

// Severity and level must be told apart without any colour.
func TestBadgesWithoutColour(t *testing.T) {
	for _, plain := range []bool{false, true} {
		s, seen := sheet(t, "mono", plain), map[string]bool{}
		for v := detect.Informational; v <= detect.Critical; v++ {
			b := s.Badge(v)
			if seen[b] || Width(b) != 2 {
				t.Errorf("badge %q of %v is not its own two columns", b, v)
			}
			seen[b] = true
			if plain && !isASCII(b) {
				t.Errorf("badge %q is not ASCII", b)
			}
		}
	}
	seen := map[string]bool{}
	for l := event.LevelUnknown; l <= event.LevelEmergency; l++ {
		if seen[LevelLetter(l)] {
			t.Errorf("level letter %q twice", LevelLetter(l))
		}
		seen[LevelLetter(l)] = true
	}
}

// On the cursor's row the match must stay visible and the ground must stay.
func TestOver(t *testing.T) {
	s := sheet(t, "16", false)
	if got := s.Match.Over(s.Cursor).Text("x"); got == s.Cursor.Text("x") {
		t.Error("a match vanishes under the cursor")
	}
	if got := s.Dim.Over(s.Cursor).Text("x"); !strings.Contains(got, "7") {
		t.Errorf("the cursor's ground is lost: %q", got)
	}
}
