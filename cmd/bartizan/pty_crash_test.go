package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"bartizan/attach"
	"bartizan/triage"
)

// everyFailure hits every failed password, so an alert's count is its lines.
const everyFailure = `rules = ["none"]
[[rule]]
name = "a password failed"
filter = "event.action: failed_password"
level = "medium"
group_by = ["source.ip"]
`

// addresses is how many addresses guess at once.
const addresses = 23

func failedLine(n uint64) (line, from string) {
	from = fmt.Sprintf("203.0.113.%d", 1+n%addresses)
	return logLine("sshd[%d]: Failed password for root from %s port %d ssh2", 1000+n%30000, from, 1024+n%60000), from
}

// guesser writes failed logins to files until told to stop, and knows how many
// there were from each address.
type guesser struct {
	count atomic.Uint64
	stop  chan struct{}
	wg    sync.WaitGroup
	err   error

	mu   sync.Mutex
	from map[string]uint64
}

// guess writes some lines every two milliseconds, to the files in turn. Some
// writes end in the middle of a line.
func (b *bench) guess(files ...string) *guesser {
	g := &guesser{stop: make(chan struct{}), from: map[string]uint64{}}
	g.wg.Go(func() { g.err = g.write(b, files) })
	return g
}

func (g *guesser) write(b *bench, files []string) error {
	var open []*os.File
	for _, name := range files {
		f, err := os.OpenFile(b.path(name), os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		open = append(open, f)
	}
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	r := rand.New(rand.NewPCG(3, 5))
	for i := 0; ; i++ {
		var text strings.Builder
		for range 1 + r.IntN(8) {
			line, from := failedLine(g.count.Load())
			text.WriteString(line + "\n")
			g.mu.Lock()
			g.from[from]++
			g.mu.Unlock()
			g.count.Add(1)
		}
		f, cut := open[i%len(open)], r.IntN(text.Len())
		_, err := f.WriteString(text.String()[:cut])
		_, again := f.WriteString(text.String()[cut:])
		if err := errors.Join(err, again); err != nil {
			return err
		}
		select {
		case <-g.stop:
			return nil
		case <-tick.C:
		}
	}
}

// TestKilledEngineCountsExactly kills the engine under load at random moments:
// afterwards every group of hits is on the board once, with every line counted
// once, from local files and from an agent.
func TestKilledEngineCountsExactly(t *testing.T) {
	b := newBench(t, everyFailure)
	b.put("near.log", "")
	b.put("other.log", "")
	b.put("far.log", "")
	args := b.onBoard("watch", "--agent", b.startAgent("far.log"), "--certs", b.path("certs"), b.path("near.log"), b.path("other.log"))
	g := b.guess("near.log", "other.log", "far.log")
	var stopped sync.Once
	stop := func() { stopped.Do(func() { close(g.stop); g.wg.Wait() }) }
	defer stop()
	r := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	kills := 6
	if testing.Short() {
		kills = 3
	}
	for range kills {
		watch := b.program(args...)
		if err := watch.Start(); err != nil {
			t.Fatal(err)
		}
		b.until("the engine reads", func() bool { return b.engine() == watch.Process.Pid })
		from, more := g.count.Load(), uint64(r.IntN(2500))
		b.until("more lines", func() bool { return g.count.Load() >= from+more })
		if err := watch.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		_ = watch.Wait() // it was killed
	}
	last := b.program(args...)
	if err := last.Start(); err != nil {
		t.Fatal(err)
	}
	stop()
	if g.err != nil {
		t.Fatal(g.err)
	}
	b.until("the engine answers", func() bool { return attach.Ping(filepath.Join(b.state, "engine.sock")) == nil })
	var list []triage.Alert
	b.until("every line is counted", func() bool {
		list = b.alerts()
		return total(list) >= g.count.Load() || state(last.Process.Pid) == 0
	})
	g.compare(t, list)
	b.stopEngine()
	_ = last.Wait() // it was told to end
	g.compare(t, b.alerts())
	b.must(b.onBoard("audit", "verify")...)
}

func total(list []triage.Alert) (n uint64) {
	for i := range list {
		n += list[i].Count
	}
	return n
}

// compare holds the board against what was written.
func (g *guesser) compare(t *testing.T, list []triage.Alert) {
	t.Helper()
	got := map[string]uint64{}
	for _, a := range list {
		from := a.Group[0].Value
		if _, twice := got[from]; twice {
			t.Errorf("there are several alerts about %s", from)
		}
		got[from] += a.Count
	}
	for from, n := range g.from {
		if got[from] != n {
			t.Errorf("%s failed %d times, its alert counts %d", from, n, got[from])
		}
	}
	if len(got) != len(g.from) {
		t.Errorf("%d addresses guessed, %d have alerts", len(g.from), len(got))
	}
	t.Logf("%d lines, %d counted", g.count.Load(), total(list))
}
