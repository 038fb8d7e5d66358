package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bartizan/detect"
	"bartizan/event"
)

// numbered is n lines of a log that are told apart by their text.
func numbered(what string, from, to int) string {
	var text strings.Builder
	for i := from; i < to; i++ {
		text.WriteString(stamped(time.Now(), fmt.Sprintf("%s %04d", what, i)))
	}
	return text.String()
}

// losses are the rows of the ring that stand for missing records.
func (r *running) losses() []event.Event {
	r.t.Helper()
	var out []event.Event
	first, next := r.Bounds()
	for seq := first; seq < next; seq++ {
		var e event.Event
		if err := r.Read(seq, &e); err != nil {
			r.t.Fatal(err)
		}
		if e.Lost > 0 {
			out = append(out, e)
		}
	}
	return out
}

// alertsOf are the alerts of one rule.
func (r *running) alertsOf(id string) (n int, count uint64) {
	list, _ := r.Desk().Alerts()
	for _, a := range list {
		if a.RuleID == id {
			n, count = n+1, count+a.Count
		}
	}
	return n, count
}

// TestTamperedWhileAway changes a file while no engine runs, so that its inode and
// size look as if it had only grown: rules see every line that is there now, each
// once, and the loss is a row and an alert.
func TestTamperedWhileAway(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, path, text string){
		"truncated and regrown": func(t *testing.T, path, text string) {
			if err := os.Truncate(path, 0); err != nil {
				t.Fatal(err)
			}
			f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.WriteString(text); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		},
		"overwritten in place": func(t *testing.T, path, text string) {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"deleted and made again": func(t *testing.T, path, text string) {
			if err := os.Remove(path); err != nil { // the inode may be used again
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, "a.log")
			b.rules = []*detect.Rule{rule(t, "all", "app")}
			r := b.start()
			b.write("a.log", numbered("before", 0, 100))
			r.until("the lines hit", func() bool { return r.count("quick:all") == 100 })
			r.end()
			change(t, filepath.Join(b.dir, "a.log"), numbered("after", 0, 300)) // longer than before
			r = b.start()
			r.until("what is there now hits, and the loss does", func() bool {
				n, _ := r.alertsOf("self:log-removed")
				return r.count("quick:all") >= 400 && n == 1 && len(r.losses()) == 1
			})
			b.write("a.log", numbered("live", 0, 10))
			r.until("it goes on", func() bool { return r.count("quick:all") >= 410 })
			loss := r.losses()[0]
			if loss.Flags&event.FlagVanished == 0 || !strings.Contains(string(loss.Raw), "a.log") {
				t.Errorf("the loss is %q with flags %b", loss.Raw, loss.Flags)
			}
			r.end()
			r = b.start()
			r.until("the last line is shown", func() bool { l := r.lines(); return len(l) > 0 && strings.HasSuffix(l[len(l)-1], "live 0009") })
			if n, _ := r.alertsOf("self:log-removed"); n != 1 || r.count("quick:all") != 410 || r.count("self:log-removed") != 1 {
				t.Errorf("%d hits and %d losses, want 410 and 1", r.count("quick:all"), r.count("self:log-removed"))
			}
		})
	}
}

// TestEpochStaysOverRestarts truncates once and restarts: references to what was read
// before stay what they were, and so do line numbers.
func TestEpochStaysOverRestarts(t *testing.T) {
	b := newBench(t, "a.log")
	r := b.start()
	r.following()
	b.write("a.log", numbered("old", 0, 5))
	r.until("the lines are shown", func() bool { return len(r.lines()) == 5 })
	if err := os.Truncate(filepath.Join(b.dir, "a.log"), 0); err != nil {
		t.Fatal(err)
	}
	r.until("the loss is said", func() bool { return len(r.losses()) == 1 })
	b.write("a.log", numbered("new", 0, 5))
	r.until("the new lines are shown", func() bool { return len(r.lines()) == 11 })
	last := func() event.Event {
		var e event.Event
		_, next := r.Bounds()
		if err := r.Read(next-1, &e); err != nil {
			t.Fatal(err)
		}
		return e
	}
	was := last()
	if was.Ref.Epoch < 2 {
		t.Fatalf("the truncated file has epoch %d", was.Ref.Epoch)
	}
	r.end()
	b.write("a.log", numbered("away", 0, 1))
	r = b.start()
	r.until("the line that came meanwhile is shown", func() bool { l := r.lines(); return len(l) > 0 && strings.HasSuffix(l[len(l)-1], "away 0000") })
	if e := last(); e.Ref.Epoch != was.Ref.Epoch || e.Line != 6 {
		t.Errorf("epoch %d, line %d; want %d, 6", e.Ref.Epoch, e.Line, was.Ref.Epoch)
	}
	b.write("a.log", numbered("live", 0, 1))
	r.until("a live line is shown", func() bool { l := r.lines(); return len(l) > 0 && strings.HasSuffix(l[len(l)-1], "live 0000") })
	if e := last(); e.Ref.Epoch != was.Ref.Epoch || e.Line != 7 {
		t.Errorf("live: epoch %d, line %d; want %d, 7", e.Ref.Epoch, e.Line, was.Ref.Epoch)
	}
}

// TestColumnsAreKnownAfterRestart goes on in the middle of files whose first lines
// name their columns, and after a start that shows only their end.
func TestColumnsAreKnownAfterRestart(t *testing.T) {
	for name, c := range map[string]struct{ head, line, field, value string }{
		"w3c":     {"#Version: 1.0\n#Fields: date time c-ip cs-method\n", "2026-11-03 09:14:%02d 203.0.113.9 GET", "source.ip", "203.0.113.9"},
		"vpcflow": {"version vpc-id srcaddr dstaddr end action\n", "5 vpc-1 10.20.1.7 203.0.113.9 17936972%02d ACCEPT", "source.ip", "10.20.1.7"},
		"zeek": {
			"#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#fields\tts\tuid\tid.orig_h\n#types\ttime\tstring\taddr\n",
			"17936972%02d.25\tCq1\t203.0.113.9", "source.ip", "203.0.113.9",
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, "a.log")
			b.write("a.log", c.head)
			for i := range 90_000 {
				if i < 2 || i > 89_997 {
					b.write("a.log", fmt.Sprintf(c.line, i%60)+"\n")
				} else if i == 2 {
					b.write("a.log", strings.Repeat(fmt.Sprintf(c.line, 30)+"\n", 90_000))
				}
			}
			known := func(r *running) bool {
				var e event.Event
				_, next := r.Bounds()
				if next < 2 || r.Read(next-1, &e) != nil {
					return false
				}
				if e.Text(c.field) != c.value || e.FormatName != name {
					t.Fatalf("the last row is %s, %q of %q", e.FormatName, e.Text(c.field), e.Raw)
				}
				return true
			}
			for range 3 {
				r := b.start()
				r.until("the end is shown", func() bool { return known(r) })
				r.following()
				_, before := r.Bounds()
				b.write("a.log", fmt.Sprintf(c.line, 59)+"\n")
				r.until("a live line is shown", func() bool { _, next := r.Bounds(); return next > before && known(r) })
				r.end()
			}
		})
	}
}
