package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"bartizan/event"
)

// ours are all sequences the program may send to a terminal while nobody copies:
// styles, moving, erasing, scrolling; the modes it sets at the beginning and
// takes back at the end, and its questions about them. No OSC, DCS, APC, PM.
var ours = regexp.MustCompile(`^\x1b(M|\[([0-9;:]*[A-HJ-MPSTXbdfmr@` + "`" + `]|\?(25|1049|2004|2026|2027)[hl]|\?(2026|2027)\$p|\?u|>1u|<1u|<u|>4;?[0-9]?m|[0-9]? q))`)

// foreign returns the first thing in a terminal's input that is neither one of
// our sequences nor a character that shows itself; "" when all is ours.
func foreign(out []byte) string {
	for len(out) > 0 {
		r, n := utf8.DecodeRune(out)
		switch {
		case r == 0x1b:
			if n = len(ours.Find(out)); n == 0 {
				return fmt.Sprintf("a sequence that is not ours: %q", out[:min(len(out), 24)])
			}
		case r == utf8.RuneError && n == 1:
			return fmt.Sprintf("a byte that is not UTF-8: %q", out[:1])
		case r == '\r' || r == '\n':
		case event.Hidden(r):
			return fmt.Sprintf("the character %U", r)
		}
		out = out[n:]
	}
	return ""
}

func TestForeignRefusesWhatIsNotOurs(t *testing.T) {
	for _, bad := range []string{
		"\x1b]0;title\x07", "\x1b]52;c;eA==\x1b\\", "\x1b]8;;http://x\x1b\\", "\x1bP+q\x1b\\", "\x1b_x\x1b\\", "\x1b^x\x1b\\", "\x9b31m", "\u009b31m",
		"\x1b[?1000h", "\x1b[5n", "\x1b[>c", "\x1b[6;1$w", "\u202e", "\u200b", "\x07", "\b", "\t", "\x00", "\xff", "\x1bc", "\x1b[", "\x1b[20t",
	} {
		if foreign([]byte("text "+bad)) == "" {
			t.Errorf("%q passed", bad)
		}
	}
}

// attacks are what a log line may carry to steer a terminal or a reader; shows
// is a part of how it must look.
var attacks = []struct{ raw, shows string }{
	{"copy \x1b]52;c;cm0gLXJmIC8=\x07", "copy ␛]52;c;cm0gLXJmIC8=␇"},
	{"link \x1b]8;;https://evil.example\x1b\\here\x1b]8;;\x1b\\", "link ␛]8;;https://evil.example␛"},
	{"title \x1b]0;owned\x07", "title ␛]0;owned␇"},
	{"clear \x1b[2J\x1b[H\x1b[31mred", "clear ␛[2J␛[H␛[31mred"},
	{"eightbit \x9b31m\x9d0;x\x9c", `eightbit \x9B31m\x9D0;x\x9C`},
	{"cone \u009b31m", "cone ‹U+009B›31m"},
	{"bidi a\u202eb\u2066c", "bidi a‹U+202E›b‹U+2066›c"},
	{"zerowidth r\u200bo\u200do\ufefft", "zerowidth r‹U+200B›o"},
	{"tagged \U000e0041\U000e0042", "tagged ‹U+E0041›"},
	{"dcs \x1bP1$r\x1b\\\x1b_apc\x1b\\\x1b^pm\x1b\\", "dcs ␛P1$r␛"},
	{"overwrite good\rEVIL", "overwrite good␍EVIL"},
	{"back good\b\b\b\bEVIL", "back good␈␈␈␈EVIL"},
	{"bell \a nul \x00 del \x7f", "bell ␇ nul ␀ del ␡"},
	{"reset \x1bc\x1b[!p\x1b#8", "reset ␛c␛[!p␛#8"},
	{"report \x1b[6n\x1b[c\x1b]10;?\x07", "report ␛[6n␛[c"},
	{"line \u2028 para \u2029", "line ‹U+2028› para ‹U+2029›"},
}

// TestHostileBytesStayText drives attacks through file, engine, console and
// terminal: they are shown, never obeyed.
func TestHostileBytesStayText(t *testing.T) {
	b := newBench(t, "")
	name := "a\x1b]0;named\x07\u202eb.log"
	b.put(name, acceptedLine("early")+"\n")
	s := b.console(160, 50, b.path(name))
	s.waitFor("for early from")
	for _, a := range attacks {
		b.add(name, a.raw)
	}
	for _, a := range attacks {
		s.waitFor(a.shows)
	}
	for i, a := range attacks {
		b.add(name, rootShellLine(fmt.Sprintf("u%d%s", i, a.raw)), fmt.Sprintf(`{"msg":%q,"\u001b[2J":"x%s"}`, a.raw, a.raw))
	}
	s.waitFor(fmt.Sprintf("%d open", len(attacks)))
	b.add(name, noise(400)...)
	b.add(name, acceptedLine("thelast"))
	s.waitFor("for thelast from")
	tour(s)
	s.press("q")
	s.waitEnd()
	if bad := foreign(s.raw.Bytes()); bad != "" {
		at := bytes.LastIndex(s.raw.Bytes(), []byte("early"))
		t.Errorf("the terminal was sent %s (%d bytes in all, text from %d on)", bad, s.raw.Len(), at)
	}
}

// tour opens what shows records and alerts in other ways.
func tour(s *screen) {
	s.Helper()
	s.press("\r")
	s.waitFor("alerts › ")
	s.press("q")
	s.waitFor("open · by risk")
	s.press("\tgg")
	s.waitFor("stream · paused")
	s.press("jj\r")
	s.waitFor("alerts › ")
	s.press("q6")
	s.waitFor("alerts › sources")
	s.press("2w")
	s.waitFor("stream · paused")
	for range 6 {
		s.press("\x04") // half a page down
	}
	s.press("G")
	s.waitFor("thelast")
}

// noise is lines of random bytes, printable ones and sequences mixed.
func noise(n int) []string {
	r := rand.New(rand.NewPCG(7, 11))
	bits := []string{"\x1b", "\x1b[", "\x1b]", "\x1bP", "\x9b", "\u009b", "\x07", "\b", "\r", ";", "52", "?1049l", "m", "\u202e", "\xff", "é", "漢", "👩‍👩‍👧", "\t", "=", "\"", "{", "}"}
	out := make([]string, n)
	for i := range out {
		var l strings.Builder
		for range 20 + r.IntN(60) {
			if r.IntN(2) == 0 {
				l.WriteString(bits[r.IntN(len(bits))])
			} else {
				l.WriteByte(byte(r.IntN(256)))
			}
		}
		out[i] = strings.ReplaceAll(l.String(), "\n", "")
	}
	return out
}

// TestTerminalIsGivenBack: whatever ends a console, modes are as they were.
func TestTerminalIsGivenBack(t *testing.T) {
	for _, way := range []string{"q", "engine killed", "console told to end"} {
		t.Run(way, func(t *testing.T) {
			b := newBench(t, "")
			b.put("auth.log", acceptedLine("early")+"\n")
			s := b.console(80, 24, b.path("auth.log"))
			s.waitFor("for early from")
			switch way {
			case "q":
				s.press("q")
			case "engine killed":
				pid := b.engine()
				p, err := os.FindProcess(pid)
				if err == nil {
					err = p.Kill()
				}
				if err != nil {
					t.Fatal(err)
				}
			default:
				if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
					t.Fatal(err)
				}
			}
			s.waitEnd()
			raw := s.raw.String()
			for _, pair := range [][2]string{{"\x1b[?1049h", "\x1b[?1049l"}, {"\x1b[?25l", "\x1b[?25h"}, {"\x1b[?2004h", "\x1b[?2004l"}} {
				if strings.LastIndex(raw, pair[0]) > strings.LastIndex(raw, pair[1]) {
					t.Errorf("%q was not taken back: %q", pair[0], raw[max(len(raw)-200, 0):])
				}
			}
		})
	}
}
