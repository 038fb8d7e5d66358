package query

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestFoldTable(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"Root", "rOOT", true},
		{"\u212aelvin", "kelvin", true},
		{"me\u017fage", "MESAGE", true},
		{"ΣΊΣΥΦΟΣ", "σίσυφος", true},
		{"ÄÖÜ", "äöü", true},
		{"straße", "STRASSE", false}, // simple folding keeps the length in characters
		{"\xff", "\xfe", false},
		{"\xff", "\uFFFD", false},
		{"漢字", "漢字", true},
		{"a", "ab", false},
		{"", "", true},
	} {
		if got := EqualFold(c.a, c.b); got != c.same {
			t.Errorf("EqualFold(%q, %q) = %v", c.a, c.b, got)
		}
		if got := Fold(c.a) == Fold(c.b); got != c.same {
			t.Errorf("Fold(%q) == Fold(%q) is %v", c.a, c.b, got)
		}
	}
}

func TestFoldRuneStandsForItsOrbit(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if f := unicode.SimpleFold(r); foldRune(r) != foldRune(f) {
			t.Fatalf("%U and %U are equal folded, but stand for %U and %U", r, f, foldRune(r), foldRune(f))
		}
		if f := foldRune(r); f != r && !strings.EqualFold(string(f), string(r)) {
			t.Fatalf("%U does not fold to %U", r, f)
		}
		if len(string(foldRune(r))) > len(string(r)) {
			t.Fatalf("%U grows when folded", r)
		}
	}
}

// texts draws strings that collide often: few letters, exotic ones, bad bytes.
func texts() *rapid.Generator[string] {
	piece := rapid.SampledFrom([]string{"a", "A", "b", "k", "K", "\u212a", "s", "ſ", "é", "É", "\xff", "\xe2", "漢", " ", "1"})
	return rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(piece, 0, 9).Draw(t, "pieces"), "")
	})
}

func TestSearchFoldAgreesWithModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, sub := texts().Draw(t, "s"), texts().Draw(t, "sub")
		if got, want := EqualFold(s, sub), runesEqual(s, sub); got != want {
			t.Fatalf("EqualFold(%q, %q) = %v", s, sub, got)
		}
		var contains, prefix, suffix bool
		for i := 0; i <= len(s); i++ {
			for j := i; j <= len(s); j++ {
				if !boundary(s, i) || !boundary(s, j) || !runesEqual(s[i:j], sub) {
					continue
				}
				contains = true
				prefix = prefix || i == 0
				suffix = suffix || j == len(s)
			}
		}
		start, end := IndexFold(s, sub)
		if (start >= 0) != contains || contains && !runesEqual(s[start:end], sub) {
			t.Fatalf("IndexFold(%q, %q) = %d, %d, model says %v", s, sub, start, end, contains)
		}
		if got := HasPrefixFold(s, sub); got != prefix {
			t.Fatalf("HasPrefixFold(%q, %q) = %v", s, sub, got)
		}
		if got := HasSuffixFold(s, sub); got != suffix {
			t.Fatalf("HasSuffixFold(%q, %q) = %v", s, sub, got)
		}
	})
}

// boundary reports whether a rune or a bad byte ends at i.
func boundary(s string, i int) bool {
	for at := 0; at <= len(s); {
		if at == i {
			return true
		}
		if at == len(s) {
			return false
		}
		_, size := utf8.DecodeRuneInString(s[at:])
		at += size
	}
	return false
}

func runesEqual(a, b string) bool {
	for a != "" && b != "" {
		x, n := utf8.DecodeRuneInString(a)
		y, m := utf8.DecodeRuneInString(b)
		badX, badY := x == utf8.RuneError && n == 1, y == utf8.RuneError && m == 1
		if badX != badY || badX && a[0] != b[0] || !badX && !strings.EqualFold(string(x), string(y)) {
			return false
		}
		a, b = a[n:], b[m:]
	}
	return a == b
}

func TestGlobAgreesWithModel(t *testing.T) {
	piece := rapid.SampledFrom([]string{"a", "B", "*", "?", `\*`, `\\`, "é", "k", `\x`})
	rapid.Check(t, func(t *rapid.T) {
		pattern := strings.Join(rapid.SliceOfN(piece, 0, 6).Draw(t, "pattern"), "")
		s := strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "*", `\`, "É", "K", "\u212a", "x", "\xff"}), 0, 7).Draw(t, "s"), "")
		cased := rapid.Bool().Draw(t, "cased")
		if got, want := globMatch(pattern, s, cased), modelGlob(pattern, s, cased); got != want {
			t.Fatalf("globMatch(%q, %q, %v) = %v", pattern, s, cased, got)
		}
		start, end := globFind(pattern, s, cased)
		if got, want := start >= 0, modelGlob("*"+pattern+"*", s, cased); got != want {
			t.Fatalf("globFind(%q, %q, %v) = %d, %d", pattern, s, cased, start, end)
		}
		if start >= 0 && !modelGlob(pattern, s[start:end], cased) {
			t.Fatalf("globFind(%q, %q, %v) found %q", pattern, s, cased, s[start:end])
		}
		if lit := globLiteral(pattern); modelGlob(pattern, s, cased) && !ContainsFold(s, lit) {
			t.Fatalf("%q matches %q without %q", pattern, s, lit)
		}
	})
}

// modelGlob is the definition, without any care for time.
func modelGlob(pattern, s string, cased bool) bool {
	if pattern == "" {
		return s == ""
	}
	size := 0
	if s != "" {
		_, size = utf8.DecodeRuneInString(s)
	}
	switch {
	case pattern[0] == '*':
		return modelGlob(pattern[1:], s, cased) || s != "" && modelGlob(pattern, s[size:], cased)
	case s == "":
		return false
	case pattern[0] == '?':
		return modelGlob(pattern[1:], s[size:], cased)
	case pattern[0] == '\\' && len(pattern) > 1 && strings.ContainsAny(pattern[1:2], `*?\`):
		pattern = pattern[1:]
	}
	_, n := utf8.DecodeRuneInString(pattern)
	if pattern[:n] != s[:size] && (cased || !runesEqual(pattern[:n], s[:size])) {
		return false
	}
	return modelGlob(pattern[n:], s[size:], cased)
}
