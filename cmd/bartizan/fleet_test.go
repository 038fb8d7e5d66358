package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"bartizan/agent"
	"bartizan/agent/certs"
	"bartizan/config"
	"bartizan/engine"
	"bartizan/event"
	"bartizan/sources/parse"
	"bartizan/store"
)

// measured says how many agents BARTIZAN_FLEET asks for; without it there are
// few, and nothing is measured.
func measured() (n int, yes bool) {
	n, err := strconv.Atoi(os.Getenv("BARTIZAN_FLEET"))
	if err != nil || n < 1 {
		return 20, false
	}
	return n, true
}

// startAgents starts agents of one CA in this process, each with its certificate,
// its socket and a log of one line; it returns the CA and how to dial them.
func startAgents(t *testing.T, n int) (ca string, dial []config.Agent) {
	t.Helper()
	ok := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	ca = filepath.Join(dir, "ca")
	ok(certs.Init(ca, time.Now()))
	for i := range n {
		name := fmt.Sprintf("host-%03d", i)
		host, err := certs.Issue(ca, name, []string{"127.0.0.1"}, time.Now())
		ok(err)
		ok(os.Mkdir(filepath.Join(dir, name), 0o700))
		log := filepath.Join(dir, name, "auth.log")
		line := time.Now().UTC().Format(time.RFC3339) + " " + name + " sshd[1]: Accepted password for ann from 198.51.100.7 port 4 ssh2\n"
		ok(os.WriteFile(log, []byte(line), 0o600))
		s, err := agent.New(agent.Config{Certs: host, Version: "v9", Streams: []agent.StreamConfig{{ID: "auth", Path: log}}})
		ok(err)
		l, err := net.Listen("tcp", "127.0.0.1:0")
		ok(err)
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- s.Serve(ctx, l) }()
		t.Cleanup(func() { cancel(); ok(<-done) })
		dial = append(dial, config.Agent{Address: l.Addr().String(), Certs: ca})
	}
	return ca, dial
}

// TestFleetOnOneEngine: one engine with a fleet behind it, real sockets and real
// TLS. The sources it lists say of every agent what the screen needs. With
// BARTIZAN_FLEET=200 it also measures.
func TestFleetOnOneEngine(t *testing.T) {
	n, measure := measured()
	_, dial := startAgents(t, n)
	db, err := store.Open(t.TempDir(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	board, _, err := db.Load()
	if err != nil {
		t.Fatal(err)
	}
	rules, err := (&app{}).readRules(config.Default(), false)
	if err != nil {
		t.Fatal(err)
	}
	var peers []engine.Peer
	for _, c := range dial {
		p, err := dialAgent(c)
		if err != nil {
			t.Fatal(err)
		}
		peers = append(peers, p)
	}
	stagger(peers)
	e, err := engine.New(engine.Options{
		Desk: store.NewDesk(db, board, time.Now), Registry: parse.NewRegistry(parse.Options{}), Rules: rules.Loaded,
		Ring: 16 << 20, Peers: peers, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	heap, stacks, goroutines := holds()
	began := time.Now()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		_ = db.Close()
	})
	all := awaitFleet(t, e, n)
	t.Logf("%d agents live, each with a line on the board's engine, after %s", n, time.Since(began).Round(time.Millisecond))
	heap2, stacks2, goroutines2 := holds()
	t.Logf("per agent, both ends: %d KiB of heap, %d KiB of stacks, %.1f goroutines", (heap2-heap)/n>>10, (stacks2-stacks)/n>>10, float64(goroutines2-goroutines)/float64(n))
	for _, s := range all {
		if s.Peer == nil || s.Peer.Version != "v9" || s.Peer.CertEnds.Before(time.Now()) || s.Lost != 0 || s.Lag < 0 || !strings.HasPrefix(s.Peer.Identity, "spiffe://bartizan/agent/host-") {
			t.Errorf("%+v %+v", s, s.Peer)
		}
	}
	if measure {
		before := cpuTime(t)
		<-time.After(10 * time.Second) // only where somebody measures
		t.Logf("idle: %.1f %% of a core, both ends", float64(cpuTime(t)-before)/float64(10*time.Second)*100)
	}
}

// awaitFleet waits until every agent and its stream is live and has its line.
func awaitFleet(t *testing.T, e *engine.Engine, n int) []event.SourceStatus {
	t.Helper()
	changed, stop := e.Changed()
	defer stop()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for {
		all, live := e.Sources(), 0
		for _, s := range all {
			if s.State == event.SourceLive && s.Records == 1 {
				live++
			}
		}
		if live == 2*n { // the agent and its stream
			return all
		}
		select {
		case <-changed:
		case <-look.C:
		case <-deadline.C:
			t.Fatalf("only %d of %d are live; the first is %+v", live, 2*n, all[:1])
		}
	}
}

func holds() (heap, stacks, goroutines int) {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc), int(m.StackInuse), runtime.NumGoroutine()
}

func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
