package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"bartizan/attach"
	"bartizan/event"
	"bartizan/store"
	"bartizan/triage"
)

// TestFaultsLoseNothing kills engine and agent at random moments under load, and
// holds back, delays, refuses and cuts what goes between them: afterwards every
// hit is counted once, every line was printed, in order, under one id.
func TestFaultsLoseNothing(t *testing.T) {
	g := newRig(t, everyFailure)
	g.put("near.log", "")
	g.args = append(g.args, g.path("near.log"))
	g.startAgent()
	g.startEngine()
	s := g.scribble(g.r.Uint64(), "near.log", "far.log")
	kinds := g.r.Perm(2) // a kill of each is always among them
	for len(kinds) < faults(t, 5) {
		kinds = append(kinds, g.r.IntN(7))
	}
	for _, kind := range kinds {
		g.pause(s)
		g.fault(s, kind)
	}
	g.cable.release()
	s.stop()
	if s.err != nil {
		t.Fatal(s.err)
	}
	sources := map[string]string{"near.log": "near.log", "far.log": "web-1/far"}
	g.await(s, sources)
	kill(g.engine, syscall.SIGTERM)
	g.compare(s, sources, true)
	g.startEngine() // what it knows by itself
	g.answers()
	s.compare(t, g.alerts())
	g.compare(s, sources, true)
	kill(g.engine, syscall.SIGTERM)
	g.must(g.onBoard("audit", "verify")...)
}

// answers waits until the engine stands.
func (g *rig) answers() {
	g.Helper()
	g.until("the engine answers", func() bool { return attach.Ping(filepath.Join(g.state, "engine.sock")) == nil })
}

// pause waits until some more lines were written.
func (g *rig) pause(s *scribe) {
	g.Helper()
	until := s.count.Load() + g.r.Int64N(1200)
	g.until("more lines", func() bool { return s.count.Load() >= until })
}

// fault does one harm; what was killed is started again.
func (g *rig) fault(s *scribe, kind int) {
	g.Helper()
	g.Logf("after %d lines: %s", s.count.Load(), [...]string{"kill the engine", "kill the agent", "kill both", "cut", "hold", "delay", "refuse"}[kind])
	if kind == 0 || kind == 2 {
		kill(g.engine, syscall.SIGKILL)
	}
	if kind == 1 || kind == 2 {
		kill(g.agent, syscall.SIGKILL)
	}
	switch kind {
	case 3:
		g.cable.cut()
	case 4:
		g.cable.hold()
		g.pause(s)
		if g.r.IntN(2) == 0 {
			g.cable.cut()
		}
	case 5:
		g.cable.slow(time.Duration(1+g.r.IntN(30)) * time.Millisecond)
		return // for a while: the next fault comes on top
	case 6:
		g.cable.refuse()
		g.cable.cut()
	}
	g.pause(s)
	g.cable.release()
	if kind == 1 || kind == 2 {
		g.startAgent()
	}
	if kind == 0 || kind == 2 {
		g.startEngine()
	}
}

// compare holds the board against what was written.
func (s *scribe) compare(t *testing.T, list []triage.Alert) {
	t.Helper()
	got := map[string]uint64{}
	for i := range list {
		from := list[i].Group[0].Value
		if got[from] > 0 {
			t.Errorf("there are several alerts about %s", from)
		}
		got[from] += list[i].Count
	}
	for from, n := range s.from {
		if got[from] != n {
			t.Errorf("%s failed %d times, its alert counts %d", from, n, got[from])
		}
	}
	if len(got) != len(s.from) {
		t.Errorf("%d addresses failed, %d have alerts", len(s.from), len(got))
	}
}

// TestKilledWhileCatchingUp kills the engine while rules go back over what lay there
// before it first started: the next one goes on with it, and in the end every
// line is counted and printed.
func TestKilledWhileCatchingUp(t *testing.T) {
	g := newRig(t, everyFailure+"[board]\nring = \"1MiB\"\n") // little is shown, so most is caught up with
	g.args = append(g.onBoard("watch", "--records"), g.path("big.log"))
	s := g.lies("big.log", 40_000)
	for range faults(t, 2) {
		before := g.printed()
		little, end := g.startSlowly()
		g.until("the first lines are printed", func() bool { little(); return g.printed() > before })
		g.add("big.log", s.line("big.log")) // it follows by now, so this has a position
		g.until("the new line is printed", func() bool {
			little()
			g.out.more(t)
			return slices.Contains(g.out.of("big.log").numbers, s.last["big.log"])
		})
		for range g.r.IntN(20) {
			little()
		}
		g.until("its position is on disk", func() bool { return g.position(t, event.SourceID("file:"+g.path("big.log"))) != "" })
		end()
	}
	g.startEngine()
	sources := map[string]string{"big.log": "big.log"}
	g.await(s, sources)
	s.compare(t, g.alerts())
	kill(g.engine, syscall.SIGTERM)
	g.compare(s, sources, false)
}

// lies makes a file of n numbered lines.
func (b *bench) lies(name string, n int) *scribe {
	b.Helper()
	s := &scribe{last: map[string]int{}, from: map[string]uint64{}}
	var text strings.Builder
	for range n {
		text.WriteString(s.line(name) + "\n")
	}
	b.put(name, text.String())
	return s
}

// line is the next numbered line of a file.
func (s *scribe) line(name string) string {
	s.last[name]++
	s.count.Add(1)
	line, from := numberedLine(s.last[name])
	if from != "" {
		s.from[from]++
	}
	return line
}

// printed is how many bytes were printed.
func (g *rig) printed() int64 {
	g.Helper()
	st, err := os.Stat(g.out.path)
	if err != nil {
		g.Fatal(err)
	}
	return st.Size()
}

// startSlowly starts an engine that can print only a little at a time; end kills it.
func (g *rig) startSlowly() (little, end func()) {
	g.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		g.Fatal(err)
	}
	out, err := os.OpenFile(g.out.path, os.O_APPEND|os.O_RDWR, 0)
	if err != nil {
		g.Fatal(err)
	}
	c := g.program(g.args...)
	c.Stdout = w
	if err := errors.Join(newLine(out), c.Start(), w.Close()); err != nil {
		g.Fatal(err)
	}
	g.engine = c
	buf := make([]byte, 64<<10)
	little = func() {
		g.Helper()
		n, err := 0, r.SetReadDeadline(time.Now().Add(20*time.Millisecond))
		if err == nil {
			n, err = r.Read(buf)
		}
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			g.Fatal(err)
		}
		if _, err := out.Write(buf[:n]); err != nil {
			g.Fatal(err)
		}
	}
	return little, func() {
		g.Helper()
		kill(c, syscall.SIGKILL)
		err := r.SetReadDeadline(time.Time{})
		_, copied := io.Copy(out, r)
		if err := errors.Join(err, copied, r.Close(), out.Close()); err != nil {
			g.Error(err)
		}
	}
}

// position is how far the board on disk has a source.
func (g *rig) position(t *testing.T, id event.SourceID) string {
	t.Helper()
	db, err := store.OpenReadOnly(g.state)
	if err != nil {
		return "" // there is none yet
	}
	defer func() { _ = db.Close() }()
	all, err := db.Positions()
	if err != nil {
		t.Fatal(err)
	}
	return all[id]
}
