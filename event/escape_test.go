package event

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestEscapeTable(t *testing.T) {
	for _, c := range []struct{ in, out string }{
		{"plain ASCII ~ text", "plain ASCII ~ text"},
		{"\x1b[31mred\x1b[0m", "␛[31mred␛[0m"},
		{"\x00\a\b\t\n\r\x7f", "␀␇␈␉⏎␍␡"},
		{"a\u009b31m", "a‹U+009B›31m"},
		{"a\u202Egpj.exe", "a‹U+202E›gpj.exe"},
		{"ro\u200Bot", "ro‹U+200B›ot"},
		{"x\ufe0f\u00ad\ufeff\u2060\u180e\u034f", "x‹U+FE0F›‹U+00AD›‹U+FEFF›‹U+2060›‹U+180E›‹U+034F›"},
		{"\U000E0041", "‹U+E0041›"},
		{"\u2028\u2029\u3164\u115f\u2800", "‹U+2028›‹U+2029›‹U+3164›‹U+115F›‹U+2800›"},
		{"\ue000\U0010ffff\ufff9", "‹U+E000›‹U+10FFFF›‹U+FFF9›"},
		{"\xff\xc3(", `\xFF\xC3(`},
		{"\xed\xa0\x80", `\xED\xA0\x80`},
		{`\x41 \n \`, `\x41 \n \`},
		{`\xFF \xfe \x8`, `‹U+005C›xFF ‹U+005C›xfe \x8`},
		{"‹quoted›", "‹quoted›"},
		{"‹U+202E›", "‹U+2039›U+202E›"},
		{"␛⏎␡", "‹U+241B›‹U+23CE›‹U+2421›"},
		{"Grüße 漢字 🙂 e\u0301", "Grüße 漢字 🙂 e\u0301"},
		{"\u0301a", "‹U+0301›a"},
		{"\x1b\u0301", "␛‹U+0301›"},
		{"a" + strings.Repeat("\u0301", 10), "a" + strings.Repeat("\u0301", 8) + "‹U+0301›‹U+0301›"},
		{"a\u00a0b\u3000c", "a\u00a0b\u3000c"},
		{"\uFFFD", "\uFFFD"},
		{"a\ufe0f\u0301", "a‹U+FE0F›‹U+0301›"},
	} {
		if got := EscapeString(c.in); got != c.out {
			t.Errorf("%q is shown as %s, want %s", c.in, got, c.out)
		}
		if got := string(Unescape(nil, []byte(c.out))); got != c.in {
			t.Errorf("%s comes back as %q, want %q", c.out, got, c.in)
		}
	}
}

// TestEveryCharacter goes through all of Unicode: nothing that is hidden is let
// through, everything comes back.
func TestEveryCharacter(t *testing.T) {
	buf, back := make([]byte, 0, 64), make([]byte, 0, 64)
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		in := string(r)
		buf = Escape(buf[:0], []byte(in))
		for _, c := range string(buf) {
			if !unicode.IsGraphic(c) || unicode.In(c, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point) {
				t.Fatalf("%U is let through in %q", c, buf)
			}
		}
		if back = Unescape(back[:0], buf); string(back) != in {
			t.Fatalf("%U comes back as %q", r, back)
		}
	}
}

func TestEscapeDoesNotAllocate(t *testing.T) {
	in := []byte("Nov 21 sshd[1]: bad \x1b[2J \u202e \xff grüße")
	dst := make([]byte, 0, 256)
	if n := testing.AllocsPerRun(100, func() { dst = Escape(dst[:0], in) }); n != 0 {
		t.Errorf("%v allocations with room in dst", n)
	}
	if n := testing.AllocsPerRun(100, func() { _ = EscapeString("nothing to escape here") }); n != 0 {
		t.Errorf("%v allocations for plain text", n)
	}
}

func TestEscapeSpans(t *testing.T) {
	in := []byte("ab\x1bcd\u202eé\xff!")
	for _, c := range []struct {
		span Span
		want string
	}{
		{Span{0, 2}, "ab"},
		{Span{1, 4}, "b␛c"},
		{Span{2, 3}, "␛"},
		{Span{3, 3}, ""},
		{Span{6, 7}, "‹U+202E›"},
		{Span{8, 10}, "é"},
		{Span{9, 11}, `é\xFF`},
		{Span{-5, 1}, "a"},
		{Span{11, 99}, "!"},
		{Span{9, 3}, ""},
	} {
		out, spans := EscapeSpans([]byte("> "), in, []Span{{3, 4}, c.span, {0, len(in)}})
		if got := string(out[spans[1].Start:spans[1].End]); got != c.want {
			t.Errorf("%v marks %q, want %q", c.span, got, c.want)
		}
		if got := string(out[spans[0].Start:spans[0].End]); got != "c" {
			t.Errorf("first span marks %q", got)
		}
		if got := string(out[spans[2].Start:spans[2].End]); got != string(Escape(nil, in)) {
			t.Errorf("whole span marks %q", got)
		}
	}
}

func TestEscapeJSON(t *testing.T) {
	for _, c := range []struct{ in, out string }{
		{`say "hi" \`, `"say \"hi\" \\"`},
		{"\x00\n\t\r\x1b\x7f", `"\u0000\n\t\r\u001B\u007F"`},
		{"\u0085\u202e\u200b\U000E0041", `"\u0085\u202E\u200B\uDB40\uDC41"`},
		{"ü漢\xff", "\"ü漢\uFFFD\""},
		{"", `""`},
	} {
		if got := string(EscapeJSON(nil, []byte(c.in))); got != c.out {
			t.Errorf("%q is written as %s, want %s", c.in, got, c.out)
		}
	}
}

// validText is s with each byte that is not UTF-8 replaced by U+FFFD.
func validText(s []byte) string { return string([]rune(string(s))) }

func FuzzEscape(f *testing.F) {
	for _, s := range []string{"", "\x1b]52;c;AAAA\a", "‹U+202E›", `\xFF`, "‹U+", "\xe2\x80", "a\u0301\u0301", "‹\u0301U+0041›", "␀", `\\xFF`, "‹masked:ab12cd›", "\\\xff", "‹U+0041\xff›"} {
		f.Add([]byte(s), 0, 3)
	}
	f.Fuzz(func(t *testing.T, s []byte, from, to int) {
		out := Escape(nil, s)
		if !utf8.Valid(out) {
			t.Fatalf("%q is shown as bad UTF-8 %q", s, out)
		}
		for _, c := range string(out) {
			if Hidden(c) {
				t.Fatalf("%U is let through in %q", c, out)
			}
		}
		if back := Unescape(nil, out); !bytes.Equal(back, s) {
			t.Fatalf("%q is shown as %q and comes back as %q", s, out, back)
		}
		again, spans := EscapeSpans(nil, s, []Span{{from, to}})
		if !bytes.Equal(again, out) || spans[0].Start < 0 || spans[0].End < spans[0].Start || spans[0].End > len(out) || !utf8.Valid(out[spans[0].Start:spans[0].End]) {
			t.Fatalf("%q: span %d-%d becomes %v of %q", s, from, to, spans, again)
		}
		var text string
		if err := json.Unmarshal(EscapeJSON(nil, s), &text); err != nil || text != validText(s) {
			t.Fatalf("%q is JSON %s, read as %q, %v", s, EscapeJSON(nil, s), text, err)
		}
		_ = Unescape(nil, s) // any text may be given
	})
}

func BenchmarkEscape(b *testing.B) {
	for name, in := range map[string][]byte{
		"ascii":   []byte(strings.Repeat("Nov 21 10:00:00 web sshd[1]: Failed password for root from 203.0.113.9 port 22 ssh2 ", 3)),
		"hostile": []byte(strings.Repeat("\x1b[2J\u202e\xff漢", 20)),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(in)))
			dst := make([]byte, 0, 8*len(in))
			for b.Loop() {
				dst = Escape(dst[:0], in)
			}
		})
	}
}
