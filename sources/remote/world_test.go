package remote_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"bartizan/agent"
	"bartizan/agent/certs"
	"bartizan/event"
	"bartizan/sources"
	"bartizan/sources/remote"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second

// world is a CA, a directory of logs and one agent that serves it.
type world struct {
	t     testing.TB
	certs string // the CA's and console's directory
	host  string // the agent's directory
	logs  string
	addr  string // stays the same over restarts
	conf  func(*agent.Config)
	stop  func()
}

func newWorld(t testing.TB) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{t: t, certs: filepath.Join(dir, "ca"), logs: filepath.Join(dir, "logs")}
	check(t, certs.Init(w.certs, time.Now()))
	host, err := certs.Issue(w.certs, "web-1", []string{"127.0.0.1"}, time.Now())
	check(t, err)
	w.host = host
	check(t, os.Mkdir(w.logs, 0o755))
	return w
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// start starts the agent; stop, or the test's end, stops it.
func (w *world) start() {
	w.t.Helper()
	c := agent.Config{
		Streams: []agent.StreamConfig{{ID: "logs", Path: filepath.Join(w.logs, "*.log")}},
		Certs:   w.host, Version: "test", Rescan: 20 * time.Millisecond, Log: slog.New(slog.DiscardHandler),
	}
	if w.conf != nil {
		w.conf(&c)
	}
	s, err := agent.New(c)
	check(w.t, err)
	at := w.addr
	if at == "" {
		at = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", at)
	check(w.t, err)
	if w.addr == "" {
		w.addr = l.Addr().String()
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	w.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Errorf("the agent ended with %v", err)
		}
	})
	w.t.Cleanup(w.stop)
}

// write appends lines to a file of the agent.
func (w *world) write(name string, lines ...string) {
	w.t.Helper()
	f, err := os.OpenFile(filepath.Join(w.logs, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	check(w.t, err)
	_, err = f.WriteString(strings.Join(lines, "\n") + "\n")
	check(w.t, err)
	check(w.t, f.Close())
}

// config is how a console of this world dials addr.
func (w *world) config(addr string) remote.Config {
	w.t.Helper()
	tls, err := certs.ClientTLS(w.certs, time.Now)
	check(w.t, err)
	return remote.Config{
		Address: addr, TLS: tls, Version: "test", Every: 20 * time.Millisecond,
		Backoff: func(int) time.Duration { return 5 * time.Millisecond },
	}
}

// console is a peer, its streams kept running, and what they delivered.
type console struct {
	t    testing.TB
	peer *remote.Peer
	stop func()
	pace func() // called before each batch is acknowledged

	mu    sync.Mutex
	grown *sync.Cond
	lines map[event.SourceID][]string
	recs  map[event.SourceID][]sources.Record
	pos   map[event.SourceID]sources.Position

	failures int // how often a source returned an error
}

func newConsole(t testing.TB, c remote.Config) *console {
	t.Helper()
	p, err := remote.Dial(c)
	check(t, err)
	con := &console{
		t: t, peer: p, lines: map[event.SourceID][]string{}, recs: map[event.SourceID][]sources.Record{},
		pos: map[event.SourceID]sources.Position{},
	}
	con.grown = sync.NewCond(&con.mu)
	return con
}

// run connects; stop disconnects and waits for everything to end. It can be run
// again: positions stay.
func (c *console) run() {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Add(1)
	go func() {
		defer all.Done()
		err := c.peer.Run(ctx, func(o sources.Opened) {
			all.Add(1)
			go func() { defer all.Done(); c.supervise(ctx, o) }()
		})
		if err != nil {
			c.t.Errorf("the peer ended with %v", err)
		}
	}()
	c.stop = sync.OnceFunc(func() { cancel(); all.Wait() })
	c.t.Cleanup(c.stop)
}

// supervise restarts the source from where it was, as the engine does.
func (c *console) supervise(ctx context.Context, o sources.Opened) {
	for ctx.Err() == nil {
		out := make(chan sources.Batch)
		ended := make(chan error, 1)
		c.mu.Lock()
		from := c.pos[o.Info.ID]
		c.mu.Unlock()
		go func() { ended <- o.Source.Run(ctx, from, out) }()
		for running := true; running; {
			select {
			case b := <-out:
				c.take(b)
			case err := <-ended:
				running = false
				if err == nil {
					return
				}
				c.mu.Lock()
				c.failures++
				c.mu.Unlock()
			}
		}
		select { // a breath before the next attempt
		case <-ctx.Done():
		case <-time.After(2 * time.Millisecond):
		}
	}
}

func (c *console) take(b sources.Batch) {
	if c.pace != nil {
		c.pace()
	}
	c.mu.Lock()
	for _, r := range b.Records {
		c.lines[b.Source] = append(c.lines[b.Source], string(r.Raw))
		r.Raw = nil
		c.recs[b.Source] = append(c.recs[b.Source], r)
	}
	c.pos[b.Source] = b.Pos
	c.grown.Broadcast()
	c.mu.Unlock()
	b.Done(nil)
}

// wait waits until the stream has delivered what ok wants.
func (c *console) wait(id event.SourceID, what string, ok func(lines []string) bool) []string {
	c.t.Helper()
	c.until(what, func() bool { return ok(c.lines[id]) })
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.lines[id]...)
}

// until waits for a condition about what was delivered.
func (c *console) until(what string, ok func() bool) {
	c.t.Helper()
	late := false
	timer := time.AfterFunc(patience, func() {
		c.mu.Lock()
		late = true
		c.grown.Broadcast()
		c.mu.Unlock()
	})
	defer timer.Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	for !ok() {
		if late {
			c.t.Fatalf("not within %s: %s; status %+v", patience, what, c.peer.Status())
		}
		c.grown.Wait()
	}
}

// status waits until the peer's status is as wanted.
func (c *console) status(what string, ok func([]event.SourceStatus) bool) []event.SourceStatus {
	c.t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		st := c.peer.Status()
		if ok(st) {
			return st
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("not within %s: %s; status %+v", patience, what, st)
		}
		<-tick.C
	}
}

func numbered(from, to int) []string {
	out := make([]string, 0, to-from)
	for i := from; i < to; i++ {
		out = append(out, fmt.Sprintf("line %d of the story", i))
	}
	return out
}

func atLeast(n int) func([]string) bool {
	return func(l []string) bool { return len(l) >= n }
}

// exactly complains unless the lines are exactly those wanted, in order.
func exactly(t testing.TB, got, want []string) {
	t.Helper()
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("line %d is %q, want %q", i, got[i], want[i])
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%d lines arrived, want %d", len(got), len(want))
	}
}
