package ssh

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bartizan/event"
)

func TestKilledConnections(t *testing.T) {
	f := newFar(t, "a.log")
	f.write("a.log", 0, 1000)
	f.run()
	for i := 1; i <= 5; i++ {
		f.exactly("a.log", 1000*i)
		f.killAll()
		f.write("a.log", 1000*i, 1000*i+500)
		f.write("a.log", 1000*i+500, 1000*i+1000)
	}
	f.exactly("a.log", 6000)
	if l := f.lost[f.id("a.log")]; len(l) > 0 {
		t.Errorf("said to be lost: %q", l)
	}
}

func TestPartialLineIsNotSplitByACut(t *testing.T) {
	f := newFar(t, "a.log")
	f.write("a.log", 0, 3)
	file, err := os.OpenFile(filepath.Join(f.dir, "a.log"), os.O_APPEND|os.O_WRONLY, 0)
	check(t, err)
	defer func() { _ = file.Close() }()
	_, err = file.WriteString("line 3 of")
	check(t, err)
	f.run()
	f.exactly("a.log", 3)
	f.killAll()
	_, err = file.WriteString(" the story\n")
	check(t, err)
	f.exactly("a.log", 4)
}

func TestRotatedWhileRead(t *testing.T) {
	f := newFar(t, "a.log")
	f.write("a.log", 0, 100)
	f.run()
	f.exactly("a.log", 100)
	late, err := os.OpenFile(filepath.Join(f.dir, "a.log"), os.O_APPEND|os.O_WRONLY, 0)
	check(t, err)
	f.rename("a.log", "a.log.1")
	writeTo(t, late, 100, 200) // a writer that has not noticed yet
	check(t, late.Close())
	f.exactly("a.log", 200)
	f.write("a.log", 200, 300)
	f.exactly("a.log", 300)
	if l := f.lost[f.id("a.log")]; len(l) > 0 {
		t.Errorf("said to be lost: %q", l)
	}
}

func TestRotatedWhileAway(t *testing.T) {
	f := newFar(t, "a.log")
	f.write("a.log", 0, 100)
	f.run()
	f.exactly("a.log", 100)
	f.stop()
	f.write("a.log", 100, 150)
	f.rename("a.log", "a.log.1")
	f.write("a.log", 150, 220)
	f.rename("a.log.1", "a.log.2")
	f.rename("a.log", "a.log.1")
	f.write("a.log", 220, 300)
	f.again()
	f.exactly("a.log", 300) // all three generations
	if l := f.lost[f.id("a.log")]; len(l) > 0 {
		t.Errorf("said to be lost: %q", l)
	}
}

// TestLossIsSaid: what cannot be had is a row in the place where it would be.
func TestLossIsSaid(t *testing.T) {
	for _, c := range []struct {
		name, want string
		away       bool
		happen     func(f *far)
	}{
		{"replaced while away", "was replaced while nobody was connected", true, func(f *far) {
			check(f.t, os.Rename(filepath.Join(f.dir, "a.log"), filepath.Join(f.t.TempDir(), "elsewhere")))
			f.write("a.log", 100, 110)
		}},
		{"truncated while away", "was truncated while nobody was connected", true, func(f *far) {
			check(f.t, os.Truncate(filepath.Join(f.dir, "a.log"), 0))
			f.write("a.log", 100, 110)
		}},
		{"truncated and grown while away", "was truncated while nobody was connected", true, func(f *far) {
			check(f.t, os.Truncate(filepath.Join(f.dir, "a.log"), 0))
			f.write("a.log", 100, 110)
			check(f.t, os.Truncate(filepath.Join(f.dir, "a.log"), 1<<20))
		}},
		{"truncated while read", "was truncated while it was read", false, func(f *far) {
			check(f.t, os.Truncate(filepath.Join(f.dir, "a.log"), 0))
			f.write("a.log", 100, 110)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFar(t, "a.log")
			f.write("a.log", 0, 100)
			f.run()
			f.exactly("a.log", 100)
			if c.away {
				f.stop()
			}
			c.happen(f)
			if c.away {
				f.again()
			}
			id := f.id("a.log")
			f.until("a row for the loss", func() bool { return len(f.lost[id]) > 0 && strings.Contains(f.lost[id][0], c.want) })
			f.until("what was written after it", func() bool { return len(f.lines[id]) >= 110 && f.lines[id][109] == "line 109 of the story" })
		})
	}
}

func TestGlobsFindFilesLater(t *testing.T) {
	f := newFar(t, "*.log")
	f.write("a.log", 0, 10)
	f.write("old.log.1", 0, 10)
	f.write("b.txt", 0, 10)
	f.run()
	f.exactly("a.log", 10)
	f.write("it's $(touch pwned) `x` #.log", 0, 5)
	f.exactly("it's $(touch pwned) `x` #.log", 5)
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.lines) != 2 {
		t.Errorf("%d files were read", len(f.lines))
	}
	for _, p := range []string{"pwned", filepath.Join(f.dir, "pwned")} {
		if _, err := os.Stat(p); err == nil {
			t.Errorf("%s: a file's name was executed", p)
		}
	}
	st := f.host.Status()[0]
	if st.State != event.SourceLive || !strings.Contains(st.Reason, "read with tail: there is no bartizan on it") {
		t.Errorf("the host's status is %+v", st)
	}
}

// TestTailBeginsAtALine: without a position only the end is read, whole lines.
func TestTailBeginsAtALine(t *testing.T) {
	f := newFar(t, "a.log")
	f.host.cfg.Tail = 50
	f.write("a.log", 0, 100)
	f.run()
	id := f.id("a.log")
	f.until("the last line", func() bool { n := len(f.lines[id]); return n > 0 && f.lines[id][n-1] == "line 99 of the story" })
	f.mu.Lock()
	defer f.mu.Unlock()
	if got := strings.Join(f.lines[id], "|"); got != "line 98 of the story|line 99 of the story" {
		t.Errorf("what came is %q", got)
	}
}
