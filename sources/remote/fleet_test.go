package remote_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"bartizan/agent"
	"bartizan/agent/certs"
	"bartizan/event"
	"bartizan/sources"
	"bartizan/sources/remote"
)

// fleetSize is how many agents the tests of a fleet have: BARTIZAN_FLEET, or so
// few that they take no time.
func fleetSize(t testing.TB) int {
	t.Helper()
	n, err := strconv.Atoi(os.Getenv("BARTIZAN_FLEET"))
	if err != nil || n < 1 {
		return 20
	}
	return n
}

// fleet is agents of one CA, each with its certificate, its socket and one log.
type fleet struct {
	w     *world
	logs  []string // folders
	addrs []string
	stops []func()
}

func newFleet(t *testing.T, n int) *fleet {
	t.Helper()
	f := &fleet{w: newWorld(t)}
	dir := t.TempDir()
	for i := range n {
		name := fmt.Sprintf("host-%03d", i)
		host, err := certs.Issue(f.w.certs, name, []string{"127.0.0.1"}, time.Now())
		check(t, err)
		logs := filepath.Join(dir, name)
		check(t, os.Mkdir(logs, 0o755))
		f.logs = append(f.logs, logs)
		f.append(t, i, "a first line")
		s, err := agent.New(agent.Config{Certs: host, Version: "v" + strconv.Itoa(i%3), Streams: []agent.StreamConfig{{ID: "logs", Path: filepath.Join(logs, "*.log")}}})
		check(t, err)
		l, err := net.Listen("tcp", "127.0.0.1:0")
		check(t, err)
		f.addrs = append(f.addrs, l.Addr().String())
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- s.Serve(ctx, l) }()
		stop := sync.OnceFunc(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("agent %s ended with %v", name, err)
			}
		})
		f.stops = append(f.stops, stop)
		t.Cleanup(stop)
	}
	return f
}

func (f *fleet) append(t *testing.T, i int, line string) {
	t.Helper()
	file, err := os.OpenFile(filepath.Join(f.logs[i], "auth.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	check(t, err)
	_, err = file.WriteString(line + "\n")
	check(t, errors.Join(err, file.Close()))
}

// taking is a console of the fleet: it counts lines by source.
type taking struct {
	mu    sync.Mutex
	grown *sync.Cond
	lines map[event.SourceID]int
}

func (k *taking) run(ctx context.Context, all *sync.WaitGroup, op sources.Opened) {
	out, ended := make(chan sources.Batch), make(chan error, 1)
	all.Go(func() { ended <- op.Source.Run(ctx, "", out) })
	all.Go(func() {
		for {
			select {
			case b := <-out:
				k.mu.Lock()
				k.lines[b.Source] += len(b.Records)
				k.grown.Broadcast()
				k.mu.Unlock()
				b.Done(nil)
			case <-ended:
				return
			}
		}
	})
}

// total waits until n lines have arrived of every agent.
func (k *taking) total(t *testing.T, sources, n int) {
	t.Helper()
	late := false
	timer := time.AfterFunc(3*patience, func() {
		k.mu.Lock()
		late = true
		k.grown.Broadcast()
		k.mu.Unlock()
	})
	defer timer.Stop()
	k.mu.Lock()
	defer k.mu.Unlock()
	for {
		have := 0
		for _, got := range k.lines {
			if got >= n {
				have++
			}
		}
		if have >= sources {
			return
		}
		if late {
			t.Fatalf("only %d of %d agents have sent %d lines", have, sources, n)
		}
		k.grown.Wait()
	}
}

// used is what the process holds, after everything else was given back.
func used() (heap, stacks uint64, goroutines int) {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc, m.StackInuse, runtime.NumGoroutine()
}

// TestFleet connects one console to a fleet, with real sockets and real TLS, and
// looks at every agent's status; some agents go away and come back. With
// BARTIZAN_FLEET=200 it is the fleet of the docs.
func TestFleet(t *testing.T) {
	n := fleetSize(t)
	f := newFleet(t, n)
	k := &taking{lines: map[event.SourceID]int{}}
	k.grown = sync.NewCond(&k.mu)
	var peers []*remote.Peer
	for _, addr := range f.addrs {
		conf := f.w.config(addr)
		conf.Every = time.Second
		p, err := remote.Dial(conf)
		check(t, err)
		peers = append(peers, p)
	}
	heap, stacks, goroutines := used()
	began := time.Now()
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for _, p := range peers {
		all.Go(func() { check(t, p.Run(ctx, func(op sources.Opened) { k.run(ctx, &all, op) })) })
	}
	t.Cleanup(func() { cancel(); all.Wait() })
	k.total(t, n, 1)
	t.Logf("%d agents connected and read after %s", n, time.Since(began).Round(time.Millisecond))
	heap2, stacks2, goroutines2 := used()
	t.Logf("per agent, both ends: %d KiB of heap, %d KiB of stacks, %.1f goroutines",
		(int64(heap2)-int64(heap))/int64(n)>>10, (int64(stacks2)-int64(stacks))/int64(n)>>10, float64(goroutines2-goroutines)/float64(n))
	f.eachStatus(t, peers)
	gone := n / 4
	for _, stop := range f.stops[:gone] {
		stop()
	}
	for i, p := range peers {
		awaitState(t, p, map[bool]event.SourceState{true: event.SourceRetrying, false: event.SourceLive}[i < gone])
	}
	for i := range peers[gone:] {
		f.append(t, gone+i, "a line while others are away")
	}
	k.total(t, n-gone, 2)
}

// eachStatus checks that everything the sources screen shows of an agent is there.
func (f *fleet) eachStatus(t *testing.T, peers []*remote.Peer) {
	t.Helper()
	for i, p := range peers {
		awaitState(t, p, event.SourceLive)
		st := p.Status()
		own := st[0]
		if want := fmt.Sprintf("host-%03d", i); own.Name != want || own.Peer.Identity != "spiffe://bartizan/agent/"+want {
			t.Errorf("agent %d is called %q, %q", i, own.Name, own.Peer.Identity)
		}
		if own.Peer.Version != "v"+strconv.Itoa(i%3) || own.Peer.CertEnds.Before(time.Now()) || own.Peer.Address != f.addrs[i] || own.Peer.Skew > time.Minute || own.Peer.Skew < -time.Minute {
			t.Errorf("agent %d: %+v", i, own.Peer)
		}
		if len(st) != 2 || own.Records < 1 || own.Lost != 0 || st[1].Lag < 0 || st[1].Lag > patience {
			t.Errorf("agent %d: %+v", i, st)
		}
	}
}

func awaitState(t *testing.T, p *remote.Peer, want event.SourceState) {
	t.Helper()
	deadline := time.Now().Add(3 * patience)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for p.Status()[0].State != want {
		if time.Now().After(deadline) {
			t.Fatalf("%+v does not get to %s", p.Status()[0], want)
		}
		<-tick.C
	}
}

// TestFleetComesBackStaggered: agents that went away together are not dialled
// together: pauses grow and are spread by chance.
func TestFleetComesBackStaggered(t *testing.T) {
	const n = 200
	for attempt := range 8 {
		seen := map[time.Duration]int{}
		for i := range n {
			pause := remote.Backoff(func() float64 { return float64(i) / n })
			d := pause(attempt)
			seen[d/(10*time.Millisecond)]++
			if d <= 0 || d > 30*time.Second {
				t.Errorf("pause %d is %s", attempt, d)
			}
		}
		most := 0
		for _, k := range seen {
			most = max(most, k)
		}
		if most > n/10 {
			t.Errorf("at attempt %d, %d of %d come within 10 ms", attempt, most, n)
		}
	}
}
