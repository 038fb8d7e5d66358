package remote_test

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"bartizan/agent"
	"bartizan/agent/certs"
	"bartizan/event"
	"bartizan/sources"
	"bartizan/sources/remote"
)

// listening is a console that agents call.
type listening struct {
	*world
	l    *remote.Listener
	at   string
	con  *console // takes what the agents deliver
	stop func()
}

func newListening(t *testing.T) *listening {
	t.Helper()
	w := newWorld(t)
	trust, err := certs.Open(certs.ConsoleFiles(w.certs), time.Now)
	check(t, err)
	bound := make(chan string, 1)
	l, err := remote.Listen(remote.ListenConfig{
		Address: "127.0.0.1:0", TLS: trust.Server(), Listening: func(at string) { bound <- at },
		Peers: remote.Config{Version: "test", Every: 20 * time.Millisecond, Backoff: func(int) time.Duration { return time.Millisecond }},
	})
	check(t, err)
	con := &console{t: t, lines: map[event.SourceID][]string{}, recs: map[event.SourceID][]sources.Record{}, pos: map[event.SourceID]sources.Position{}}
	con.grown = sync.NewCond(&con.mu)
	con.peer, err = remote.Dial(w.config("127.0.0.1:1")) // only for its status in messages
	check(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() {
		if err := l.Run(ctx, func(o sources.Opened) { all.Go(func() { con.supervise(ctx, o) }) }); err != nil {
			t.Errorf("the listener ended with %v", err)
		}
	})
	x := &listening{world: w, l: l, con: con, stop: sync.OnceFunc(func() { cancel(); all.Wait() })}
	t.Cleanup(x.stop)
	select {
	case x.at = <-bound:
	case <-time.After(patience):
		t.Fatal("it does not listen")
	}
	return x
}

// call starts an agent that calls at, with the certificates in dir.
func (x *listening) call(dir, at string) (stop func()) {
	x.t.Helper()
	s, err := agent.New(agent.Config{
		Streams: []agent.StreamConfig{{ID: "logs", Path: filepath.Join(x.logs, "*.log")}},
		Certs:   dir, Version: "test", Rescan: 20 * time.Millisecond, Log: slog.New(slog.DiscardHandler),
	})
	check(x.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Dial(ctx, at, func() float64 { return 1 }) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			x.t.Errorf("the agent ended with %v", err)
		}
	})
	x.t.Cleanup(stop)
	return stop
}

// says waits until a row of the listener's status is as wanted.
func (x *listening) says(what string, ok func([]event.SourceStatus) bool) {
	x.t.Helper()
	deadline, tick := time.After(patience), time.NewTicker(2*time.Millisecond)
	defer tick.Stop()
	for !ok(x.l.Status()) {
		select {
		case <-tick.C:
		case <-deadline:
			x.t.Fatalf("not within %s: %s; status %+v", patience, what, x.l.Status())
		}
	}
}

// TestAgentCalls: an agent that calls is read as one that is dialled, over lost
// connections and restarts of it, without a line lost or doubled.
func TestAgentCalls(t *testing.T) {
	x := newListening(t)
	x.write("a.log", numbered(0, 500)...)
	id := event.SourceID("agent:web-1/logs/a.log")
	link := newProxy(t, func() string { return x.at })
	stop := x.call(x.host, link.addr)
	x.con.wait(id, "500 lines", atLeast(500))
	link.cut()
	x.write("a.log", numbered(500, 1000)...)
	x.con.wait(id, "1000 lines", atLeast(1000))
	stop()
	x.write("a.log", numbered(1000, 1500)...)
	x.call(x.host, x.at)
	exactly(t, x.con.wait(id, "1500 lines", atLeast(1500)), numbered(0, 1500))
	st := x.l.Status()
	if st[0].State != event.SourceLive || len(st) != 3 || st[1].Peer.Identity != "spiffe://bartizan/agent/web-1" || st[1].Peer.CertEnds.IsZero() {
		t.Errorf("the status is %+v", st)
	}
}

// TestNewestCallCounts: an agent that calls again, as after a connection only it
// knows to be dead, replaces its former call.
func TestNewestCallCounts(t *testing.T) {
	x := newListening(t)
	x.write("a.log", numbered(0, 10)...)
	id := event.SourceID("agent:web-1/logs/a.log")
	first := x.call(x.host, x.at)
	x.con.wait(id, "10 lines", atLeast(10))
	x.call(x.host, x.at)
	x.write("a.log", numbered(10, 20)...)
	exactly(t, x.con.wait(id, "20 lines", atLeast(20)), numbered(0, 20))
	first()
	x.write("a.log", numbered(20, 30)...)
	exactly(t, x.con.wait(id, "30 lines", atLeast(30)), numbered(0, 30))
	if n := len(x.l.Agents()); n != 1 {
		t.Errorf("%d agents are known", n)
	}
}

// TestCallsRefused: who is not an agent of this CA gets no further than the
// handshake, and the listener says why.
func TestCallsRefused(t *testing.T) {
	for _, c := range []struct {
		name, want string
		dir        func(t *testing.T, x *listening) string
	}{
		{"another CA", "issued by another CA", func(t *testing.T, _ *listening) string {
			other := filepath.Join(t.TempDir(), "ca")
			check(t, certs.Init(other, time.Now()))
			dir, err := certs.Issue(other, "web-1", []string{"127.0.0.1"}, time.Now())
			check(t, err)
			return dir
		}},
		{"revoked", "is revoked in", func(t *testing.T, x *listening) string {
			_, _, err := certs.Revoke(x.certs, "web-1", "", time.Now())
			check(t, err)
			return x.host
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := newListening(t)
			pair := pairOf(t, c.dir(t, x))
			conn, err := tls.Dial("tcp", x.at, &tls.Config{Certificates: []tls.Certificate{pair}, InsecureSkipVerify: true, NextProtos: []string{"h2"}}) //nolint:gosec // who calls does not care
			if err == nil {
				_, err = conn.Read(make([]byte, 1)) // the verdict comes with the first byte
				_ = conn.Close()
			}
			if err == nil {
				t.Error("the call was taken")
			}
			x.says("why", func(st []event.SourceStatus) bool { return strings.Contains(st[0].Reason, c.want) })
			if len(x.l.Agents()) != 0 {
				t.Error("who is not trusted became an agent")
			}
		})
	}
}

func pairOf(t *testing.T, dir string) tls.Certificate {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "agent.crt"), filepath.Join(dir, "agent.key"))
	check(t, err)
	return pair
}

// TestHandshakesAreBounded: connections that say nothing cannot take all room:
// those over the bound are closed at once.
func TestHandshakesAreBounded(t *testing.T) {
	x := newListening(t)
	var open []net.Conn
	defer func() {
		for _, c := range open {
			_ = c.Close()
		}
	}()
	for range 33 {
		c, err := net.Dial("tcp", x.at)
		check(t, err)
		open = append(open, c)
	}
	x.says("that there are too many", func(st []event.SourceStatus) bool {
		return strings.Contains(st[0].Reason, "too many handshakes at once")
	})
	for _, c := range open {
		_ = c.Close()
	}
	x.write("a.log", numbered(0, 10)...)
	x.call(x.host, x.at)
	x.con.wait("agent:web-1/logs/a.log", "10 lines", atLeast(10))
}
