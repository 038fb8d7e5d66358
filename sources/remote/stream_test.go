package remote_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"bartizan/event"
)

const authLog = event.SourceID("agent:web-1/logs/auth.log")

func TestLinesAppear(t *testing.T) {
	w := newWorld(t)
	w.write("auth.log", numbered(0, 3)...)
	w.start()
	c := newConsole(t, w.config(w.addr))
	c.run()
	c.wait(authLog, "the lines that were there", atLeast(3))
	w.write("auth.log", numbered(3, 5)...)
	w.write("new.log", "a file that came later")
	exactly(t, c.wait(authLog, "the lines appended", atLeast(5)), numbered(0, 5))
	c.wait("agent:web-1/logs/new.log", "the new file", atLeast(1))

	c.mu.Lock()
	last := c.recs[authLog][4]
	c.mu.Unlock()
	if last.Line != 5 || last.Ref.Offset != 4*int64(len("line 0 of the story\n")) || last.Ref.Len != 19 || last.Ref.File.Ino == 0 {
		t.Errorf("the last record is %+v", last)
	}
	st := c.status("a live stream", func(st []event.SourceStatus) bool { return len(st) == 3 && st[1].Records == 5 && st[1].Behind == 0 })
	p := st[0]
	if p.State != event.SourceLive || p.Peer.Identity != "spiffe://bartizan/agent/web-1" || p.Peer.Version != "test" ||
		p.Peer.Protocol != 1 || p.Peer.Skew.Abs() > time.Second || time.Until(p.Peer.CertEnds) < 300*24*time.Hour {
		t.Errorf("the peer is %+v %+v", p, p.Peer)
	}
}

func TestResumeAfterRestarts(t *testing.T) {
	w := newWorld(t)
	w.write("auth.log", numbered(0, 100)...)
	w.start()
	c := newConsole(t, w.config(w.addr))
	c.run()
	c.wait(authLog, "the first lines", atLeast(100))
	w.stop()
	c.status("a reason", func(st []event.SourceStatus) bool {
		return st[0].State == event.SourceRetrying && strings.Contains(st[0].Reason, "cannot reach the agent")
	})
	w.write("auth.log", numbered(100, 200)...)
	w.start()
	c.wait(authLog, "the lines after the agent's restart", atLeast(200))
	c.stop()
	w.write("auth.log", numbered(200, 300)...)
	again := newConsole(t, w.config(w.addr))
	again.pos, again.lines = c.pos, c.lines
	again.run()
	exactly(t, again.wait(authLog, "the lines after the console's restart", atLeast(300)), numbered(0, 300))
}

// TestNothingLostOrDoubled cuts the connection and kills the agent at random
// moments while lines are written and the file is rotated.
func TestNothingLostOrDoubled(t *testing.T) {
	const total = 10_000
	w := newWorld(t)
	w.start()
	p := newProxy(t, func() string { return w.addr })
	c := newConsole(t, w.config(p.addr))
	c.run()
	rnd := rand.New(rand.NewPCG(7, uint64(time.Now().UnixNano())))
	var writer sync.WaitGroup
	writer.Add(1)
	go func() {
		defer writer.Done()
		dice := rand.New(rand.NewPCG(11, 13))
		pace := time.NewTicker(time.Millisecond)
		defer pace.Stop()
		path := filepath.Join(w.logs, "auth.log")
		for n := 0; n < total; {
			k := min(1+dice.IntN(60), total-n)
			w.write("auth.log", numbered(n, n+k)...)
			if n += k; n > total/2 && n-k <= total/2 {
				if err := os.Rename(path, path+".1"); err != nil {
					t.Error(err)
				}
			}
			<-pace.C
		}
	}()
	for i := range 12 {
		goal := total * (i + 1) / 14
		c.wait(authLog, "progress", atLeast(goal))
		if rnd.IntN(3) == 0 {
			w.stop()
			w.start()
		} else {
			p.cut()
		}
	}
	writer.Wait()
	exactly(t, c.wait(authLog, "all lines", atLeast(total)), numbered(0, total))
}

// TestCutsAreNoFailures: a stream goes on by itself when the connection was lost,
// so the supervisor's growing pauses are kept for what does not mend itself.
func TestCutsAreNoFailures(t *testing.T) {
	w := newWorld(t)
	w.start()
	p := newProxy(t, func() string { return w.addr })
	c := newConsole(t, w.config(p.addr))
	c.run()
	for i := range 10 {
		w.write("auth.log", numbered(i, i+1)...)
		c.wait(authLog, "the next line", atLeast(i+1))
		p.cut()
	}
	c.stop()
	exactly(t, c.lines[authLog], numbered(0, 10))
	if c.failures != 0 {
		t.Errorf("the source failed %d times", c.failures)
	}
}

func TestSlowConsoleStallsNobody(t *testing.T) {
	const total = 60_000 // more than all windows hold
	w := newWorld(t)
	w.write("auth.log", numbered(0, total)...)
	w.start()
	slow, quick := newConsole(t, w.config(w.addr)), newConsole(t, w.config(w.addr))
	blocked, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	slow.pace = func() {
		once.Do(func() { close(blocked) })
		<-release
	}
	slow.run()
	<-blocked
	quick.run()
	exactly(t, quick.wait(authLog, "all lines at the quick console", atLeast(total)), numbered(0, total))
	w.write("other.log", "one more")
	quick.wait("agent:web-1/logs/other.log", "another stream", atLeast(1))
	close(release)
	exactly(t, slow.wait(authLog, "all lines at the slow console", atLeast(total)), numbered(0, total))
}

func TestFilterAtTheAgent(t *testing.T) {
	w := newWorld(t)
	w.write("auth.log", "nothing here", "Failed password for root", "nothing there")
	w.start()
	conf := w.config(w.addr)
	conf.Filter = `"failed password"`
	c := newConsole(t, conf)
	c.run()
	exactly(t, c.wait(authLog, "the match", atLeast(1)), []string{"Failed password for root"})
	w.write("auth.log", "left out", "Failed password for admin")
	c.wait(authLog, "the second match", atLeast(2))
	check(t, c.peer.SetFilter(""))
	w.write("auth.log", "everything again")
	want := []string{"Failed password for root", "Failed password for admin", "everything again"}
	exactly(t, c.wait(authLog, "what the filter kept away before", atLeast(3)), want)
	check(t, c.peer.SetFilter("((("))
	c.status("the agent's complaint", func(st []event.SourceStatus) bool {
		return st[1].State == event.SourceRetrying && strings.Contains(st[1].Reason, "filter")
	})
	check(t, c.peer.SetFilter("again"))
	w.write("auth.log", "once again", "not this")
	w.write("auth.log", "and again")
	c.wait(authLog, "matches of the new filter", atLeast(5))
}

// TestFilterAsksForFields: the agent parses before it matches.
func TestFilterAsksForFields(t *testing.T) {
	w := newWorld(t)
	const line = "2026-03-04T05:06:07Z web-1 sshd[99]: Failed password for root from 203.0.113.9 port 4711 ssh2"
	w.write("auth.log",
		"2026-03-04T05:06:06Z web-1 sshd[98]: Accepted password for ann from 10.1.2.3 port 4242 ssh2",
		line, "2026-03-04T05:06:08Z web-1 cron[7]: mentions 203.0.113.9 in passing")
	w.start()
	conf := w.config(w.addr)
	conf.Filter = "source.ip: 203.0.113.0/24 and user.name: root"
	c := newConsole(t, conf)
	c.run()
	exactly(t, c.wait(authLog, "the match", atLeast(1)), []string{line})
	c.status("what was left out", func(st []event.SourceStatus) bool { return strings.Contains(st[1].Reason, "2 left out") })
}

// TestFilterAsksForTheHost: records that name no host are about the agent's, on
// both sides.
func TestFilterAsksForTheHost(t *testing.T) {
	w := newWorld(t)
	w.write("auth.log", "no host is named here", "2026-03-04T05:06:08Z db-7 cron[7]: here one is")
	w.start()
	conf := w.config(w.addr)
	conf.Filter = "host.name: web-1"
	c := newConsole(t, conf)
	c.run()
	exactly(t, c.wait(authLog, "the match", atLeast(1)), []string{"no host is named here"})
}

// TestFilterMovesTheCursor: what a filter left out is not read again later.
func TestFilterMovesTheCursor(t *testing.T) {
	w := newWorld(t)
	w.write("auth.log", numbered(0, 5_000)...)
	w.start()
	conf := w.config(w.addr)
	conf.Filter = "nowhere"
	c := newConsole(t, conf)
	c.run()
	c.until("a cursor at the end", func() bool { return c.pos[authLog] != "" })
	c.status("nothing behind", func(st []event.SourceStatus) bool { return strings.Contains(st[1].Reason, "5000 left out") })
	check(t, c.peer.SetFilter(""))
	w.write("auth.log", "the next line")
	exactly(t, c.wait(authLog, "the next line only", atLeast(1)), []string{"the next line"})
}

// TestFirstStartReadsTheTail: of 10 MB that were never read only the end comes
// over the wire; a restart with the position goes on exactly, whatever the tail.
func TestFirstStartReadsTheTail(t *testing.T) {
	const lines, tail = 500_000, 1 << 20
	w := newWorld(t)
	all := numbered(0, lines)
	w.write("auth.log", all...)
	if st, err := os.Stat(filepath.Join(w.logs, "auth.log")); err != nil || st.Size() < 10<<20 {
		t.Fatalf("the file is too small: %v, %v", st, err)
	}
	w.start()
	conf := w.config(w.addr)
	conf.Tail = tail
	c := newConsole(t, conf)
	c.run()
	last := all[lines-1]
	got := c.wait(authLog, "the last line", func(l []string) bool { return len(l) > 0 && l[len(l)-1] == last })
	bytes := len(strings.Join(got, "\n")) + 1
	if bytes > tail || bytes < tail-len(last) {
		t.Errorf("%d bytes came where %d were asked for", bytes, tail)
	}
	exactly(t, got, all[lines-len(got):])
	c.stop()
	more := numbered(lines, lines+100_000) // more than the tail
	w.write("auth.log", more...)
	again := newConsole(t, conf)
	again.pos = c.pos
	again.run()
	exactly(t, again.wait(authLog, "what was written meanwhile", atLeast(len(more))), more)
}

// TestTailCountsFromTheFirstLook: what is written after a stream was opened for
// the first time is delivered, however often the connection is cut before then.
func TestTailCountsFromTheFirstLook(t *testing.T) {
	w := newWorld(t)
	w.write("auth.log", numbered(0, 1000)...)
	w.start()
	p := newProxy(t, func() string { return w.addr })
	conf := w.config(p.addr)
	conf.Tail, conf.Filter = 10, "nowhere"
	c := newConsole(t, conf)
	c.run()
	c.until("the first cursor", func() bool { return c.pos[authLog] != "" })
	p.cut()
	w.write("auth.log", numbered(1000, 1100)...)
	check(t, c.peer.SetFilter("line"))
	got := c.wait(authLog, "all lines written since", atLeast(100))
	exactly(t, got[len(got)-100:], numbered(1000, 1100))
}

// TestWholeFilesOnRequest: a negative tail is the beginning.
func TestWholeFilesOnRequest(t *testing.T) {
	w := newWorld(t)
	w.write("auth.log", numbered(0, 1000)...)
	w.start()
	conf := w.config(w.addr)
	conf.Tail = -1
	c := newConsole(t, conf)
	c.run()
	exactly(t, c.wait(authLog, "all lines", atLeast(1000)), numbered(0, 1000))
}
