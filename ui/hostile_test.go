package ui

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/triage"
)

// foreign returns the first thing in a program's output that is not one of our
// own sequences or a character that shows itself; "" when all is ours.
func foreign(out []byte) string {
	for len(out) > 0 {
		r, n := utf8.DecodeRune(out)
		switch {
		case r == utf8.RuneError && n == 1:
			return fmt.Sprintf("a byte that is not UTF-8: %q", out[:1])
		case r == 0x1b:
			n = ours(out)
			if n == 0 {
				return fmt.Sprintf("a sequence that is not ours: %q", out[:min(len(out), 24)])
			}
		case r == '\r' || r == '\n':
		case event.Hidden(r):
			return fmt.Sprintf("the character %U", r)
		}
		out = out[n:]
	}
	return ""
}

// ours returns the length of a sequence that the renderer writes while it draws:
// styles, moving, erasing, scrolling, showing and hiding the cursor. 0: another.
func ours(s []byte) int {
	if len(s) < 3 || s[1] != '[' {
		if len(s) >= 2 && s[1] == 'M' { // reverse index
			return 2
		}
		return 0
	}
	i := 2
	private := s[i] == '?'
	if private {
		i++
	}
	start := i
	for i < len(s) && (s[i] >= '0' && s[i] <= '9' || s[i] == ';' || s[i] == ':') {
		i++
	}
	if i == len(s) {
		return 0
	}
	if private {
		if mode := string(s[start:i]); mode == "25" && (s[i] == 'h' || s[i] == 'l') {
			return i + 1
		}
		return 0
	}
	if strings.IndexByte("ABCDEFGHJKLMPSTXbdfmr@`", s[i]) < 0 {
		return 0
	}
	return i + 1
}

func TestForeignFindsWhatIsNotOurs(t *testing.T) {
	for _, bad := range []string{"\x1b]0;title\x07", "\x1b]52;c;eA==\x07", "\x1bP+q\x1b\\", "\x9b31m", "\u009b31m", "\x1b[?1049l", "\x1b[5n", "\x1b[>c", "\u202e", "\u200b", "\x07", "\x00", "\xff", "\x1bc", "\x1b[", "\t"} {
		if foreign([]byte("text "+bad)) == "" {
			t.Errorf("%q passed", bad)
		}
	}
	if got := foreign([]byte("\x1b[1;38;2;1;2;3mé漢\x1b[m\r\n\x1b[9;59r\x1b[3S\x1b[?25l\x1b[K")); got != "" {
		t.Errorf("our own was refused: %s", got)
	}
}

// emulator is a terminal that drains what it answers and notes what no log line
// may do to it.
func emulator(tb testing.TB, w, h int) (*vt.Emulator, *[]string) {
	e := vt.NewEmulator(w, h)
	done := make(chan struct{})
	go func() { defer close(done); _, _ = io.Copy(io.Discard, e) }() // it ends with the emulator
	tb.Cleanup(func() {
		if in, ok := e.InputPipe().(io.Closer); ok { // what Close does, without its race with Read
			_ = in.Close()
		}
		<-done
	})
	var acts []string
	e.SetCallbacks(vt.Callbacks{
		Bell:  func() { acts = append(acts, "bell") },
		Title: func(s string) { acts = append(acts, "title "+s) },
		IconName: func(s string) {
			acts = append(acts, "icon name "+s)
		},
		WorkingDirectory: func(s string) { acts = append(acts, "directory "+s) },
	})
	return e, &acts
}

// What a terminal shows after all the scrolling is exactly what was drawn.
func TestWhatTheTerminalShows(t *testing.T) {
	h := newHost(t, story(), 120, 40)
	e, acts := emulator(t, 120, 40)
	feed := func() {
		// The other end of the pipe turns line feeds into new lines, as a terminal's
		// ONLCR does; the renderer counts on it.
		if _, err := e.Write(bytes.ReplaceAll(h.out.take(), []byte("\n"), []byte("\r\n"))); err != nil {
			t.Fatal(err)
		}
	}
	feed()
	for i := range 30 {
		h.time.After(frameGap)
		h.w.add(envoy, busyLine(i), event.LevelInfo)
		h.w.poke()
		h.write()
		feed()
	}
	h.typed("2kkk")
	feed()
	got := strings.Split(strings.TrimRight(e.String(), "\n"), "\n")
	want := strings.Split(ansi.Strip(h.c.frame.Content), "\n")
	for i := range want {
		g := ""
		if i < len(got) {
			g = strings.TrimRight(got[i], " \r")
		}
		if g != strings.TrimRight(want[i], " ") {
			t.Errorf("line %d shows\n%q, drawn was\n%q", i, g, want[i])
		}
	}
	if len(*acts) > 0 {
		t.Errorf("the terminal was told to %v", *acts)
	}
}

// hostile are texts that want to do something to a terminal or a reader.
var hostile = []string{
	"\x1b]0;owned\x07", "\x1b]52;c;cm0gLXJmIC8=\x07", "\x1b[2J\x1b[H", "\u009b31mred", "\x9b5n", "a\u202eb\u2066c", "\xff\xfe\x80", "\x00\x01\x7f",
	"line\nline\r\n\ttab", "e\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301", "👨‍👩‍👧‍👦 漢字 ﷽", "‹U+202E› \\x1B ␛", strings.Repeat("漢", 300),
	"\x1bP1$r\x1b\\", "\x1b_apc\x1b\\", "password=\x1b[31msecret", "\U000e0041\U000e0042", "\u2028\u2029\ufeff", "%s%d%n", "\x1b", "\x1b[",
}

// threaten puts a text wherever the console takes text from outside.
func (w *world) threaten(text, name string, n int) {
	ev := w.add("file:"+text, text, event.LevelInfo, name+"="+text, "user.name="+text)
	ev.Message, ev.FormatName = text, text
	a := w.raise(fmt.Sprintf("%s%d", text, n), text, detect.High, 93+n, name, text, event.Entity{Kind: event.EntityUser, Value: text})
	a.Owner, a.Reraised, a.Runbook, a.Tags = text, text, text, []string{text}
	a.Why[0].Predicate = text
	w.mu.Lock()
	w.status.Problem = text
	w.sources[1].Reason, w.sources[1].Name, w.sources[1].Peer.Identity = text, text, text
	w.journal = []triage.Entry{{ID: 1, Do: triage.DoNote, Note: text, By: triage.Actor{Name: text, Claimed: text}, On: []triage.AlertVersion{{ID: a.ID}}}}
	w.mu.Unlock()
}

// Hostile text on every screen: what is drawn holds styles, line ends and
// characters that show themselves, and no line is wider than the terminal.
func FuzzHostileView(f *testing.F) {
	for _, s := range hostile {
		f.Add([]byte(s), "user.name", uint8(80))
	}
	f.Fuzz(func(t *testing.T, raw []byte, name string, width uint8) {
		w := newWorld()
		w.threaten(string(raw), name, 0)
		w.rules["rule-"+string(raw)+"0"].FalsePositives = []string{string(raw)}
		d := newDriver(t, w, func(o *Options) { o.Title = string(raw) })
		d.attach(int(width)+1, 24)
		for _, keys := range []string{"", "enter", "G", "p 1", "1 2 w", "enter", "6", "7", "9", "3", "?", "1 f"} {
			d.press(keys)
			content := d.c.View().Content
			if bad := foreign([]byte(content)); bad != "" {
				t.Fatalf("%q after keys %q draws %s", raw, keys, bad)
			}
			for _, l := range strings.Split(content, "\n") {
				if n := ansi.StringWidthWc(l); n > int(width)+1 {
					t.Fatalf("%q after keys %q draws %d columns of %d: %q", raw, keys, n, int(width)+1, l)
				}
			}
		}
	})
}

// Hostile text goes through the real program into a terminal; only our own
// sequences may arrive there.
func FuzzHostileScreen(f *testing.F) {
	for _, s := range hostile {
		f.Add([]byte(s), "user.name")
	}
	h := newHost(f, story(), 80, 24)
	e, acts := emulator(f, 80, 24)
	if _, err := e.Write(h.out.take()); err != nil {
		f.Fatal(err)
	}
	n := 0
	f.Fuzz(func(t *testing.T, raw []byte, name string) {
		n++
		text := string(raw)
		look := func(what string) {
			out := h.out.take()
			if bad := foreign(out); bad != "" {
				t.Fatalf("%s: %q brought %s to the terminal", what, text, bad)
			}
			if _, err := e.Write(out); err != nil {
				t.Fatal(err)
			}
			if len(*acts) > 0 {
				t.Fatalf("%s: %q made the terminal do %v", what, text, *acts)
			}
		}
		h.w.threaten(text, name, n)
		h.time.After(frameGap)
		h.w.poke()
		h.quiet(12e6)
		look("home")
		for _, keys := range []string{"1gn", "gg\r", "[2i", "p1", "6", "7", "9", "1"} {
			if _, err := h.keys.Write([]byte(keys)); err != nil {
				t.Fatal(err)
			}
			h.quiet(12e6)
			look("keys " + keys)
		}
	})
}
