package main

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

func TestWrap(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{"one two", "one two"},
		{"one two three four five", "one two|three four|five"},
		{"2026-11-03T09:14:02Z x", "2026-11-03|T09:14:02Z|x"},
		{"  two three four", "  two|  three|  four"},
		{"日本語日本語日本語", "日本語日本|語日本語"},
	} {
		got := wrap(c.text, 10)
		if strings.Join(got, "|") != c.want {
			t.Errorf("%q wraps to %q, not %q", c.text, got, c.want)
		}
		for _, l := range got {
			if ansi.StringWidth(l) > 10 {
				t.Errorf("%q has a line that is too wide: %q", c.text, l)
			}
		}
	}
}

func FuzzWrap(f *testing.F) {
	f.Add("  a bc\u0301 日本", 4)
	f.Add("\u200d\U0001f468\u200d\U0001f469", 3)
	f.Fuzz(func(t *testing.T, s string, width int) {
		width = 2 + max(width, -width)%100
		s = printable(s)
		joined := strings.Join(wrap(s, width), "")
		if strings.ReplaceAll(joined, " ", "") != strings.Join(strings.Fields(s), "") {
			t.Fatalf("%q lost something: %q", s, joined)
		}
	})
}

func TestTableAligns(t *testing.T) {
	var b strings.Builder
	w := newTable(&b, 4, -5, 0)
	_ = w.row("ab", "12", "x\x1b[31my")
	_ = w.row("longer", "1", "日")
	if err := w.flush(); err != nil {
		t.Fatal(err)
	}
	if want := "ab      12 x␛[31my\nlonger     1 日\n"; b.String() != want {
		t.Errorf("%q", b.String())
	}
}

func TestMany(t *testing.T) {
	if got := many(1, "event") + many(0, "event") + many(2, "match"); got != "1 event0 events2 matches" {
		t.Error(got)
	}
}
