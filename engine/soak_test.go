package engine

import (
	"bytes"
	"context"
	"flag"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"bartizan/agent"
	"bartizan/agent/certs"
	"bartizan/detect"
	"bartizan/event"
	"bartizan/sources/remote"
)

var (
	soakLines     = flag.Int("soak.lines", 0, "send so many lines through agent and engine; 0: only as a short test")
	soakRotations = flag.Int("soak.rotations", 100, "rotate the agent's log so often meanwhile")
)

// soakMark is how often a line comes that the soak's rule is about.
const soakMark = 10_000

// TestAgentSoak sends numbered lines through an agent, mutual TLS 1.3 and an engine
// as fast as they take them, rotating the agent's log meanwhile, and checks that
// each came once, in order, that the hits of a rule on some of them were counted
// exactly, and that memory and descriptors stay where they were.
func TestAgentSoak(t *testing.T) {
	k := &soak{t: t, lines: *soakLines, rotations: *soakRotations, grown: make(chan struct{}, 1), began: time.Now()}
	if k.lines == 0 {
		k.lines, k.rotations = 40_000, 4
	}
	k.path = filepath.Join(t.TempDir(), "auth.log")
	k.do(os.WriteFile(k.path, nil, 0o600))
	b := newBench(t)
	b.rules = []*detect.Rule{rule(t, "marked", `"marked"`)}
	peer := k.agent()
	b.opt = func(o *Options) {
		o.Peers, o.Records, o.Ring = []Peer{peer}, k.take, 16<<20
	}
	r := b.start()
	per := max(1, k.lines/k.rotations)
	for i := range k.rotations {
		k.write(per)
		k.await(max(1, k.wrote-per)) // all of the file before; what goes before it was ever seen is nobody's
		if i%max(1, k.rotations/20) == 0 {
			k.measure(i)
		}
		k.do(os.Rename(k.path, k.path+".1"))
	}
	k.write(k.lines - k.wrote)
	k.await(k.lines)
	k.measure(k.rotations)
	marks := uint64(k.lines+soakMark-1) / soakMark
	r.until("the hits are counted", func() bool { return r.count("quick:marked") >= marks })
	k.check(r.count("quick:marked") - marks)
}

// soak is one run: what was written, what came, and the most that was used.
type soak struct {
	t                *testing.T
	lines, rotations int
	path             string
	wrote            int
	came, wrong      atomic.Int64
	grown            chan struct{} // poked when more came
	began            time.Time

	low, high   uint64
	files, most int
}

func (k *soak) do(err error) {
	if err != nil {
		k.t.Helper()
		k.t.Fatal(err)
	}
}

// agent starts an agent that serves the soak's log and returns how it is reached.
func (k *soak) agent() *remote.Peer {
	ca := filepath.Join(k.t.TempDir(), "ca")
	k.do(certs.Init(ca, time.Now()))
	host, err := certs.Issue(ca, "web-1", []string{"127.0.0.1"}, time.Now())
	k.do(err)
	s, err := agent.New(agent.Config{Certs: host, Version: "test", Streams: []agent.StreamConfig{{ID: "auth", Path: k.path}}})
	k.do(err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	k.do(err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	k.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			k.t.Error(err)
		}
	})
	tls, err := certs.ClientTLS(ca, time.Now)
	k.do(err)
	p, err := remote.Dial(remote.Config{Address: l.Addr().String(), TLS: tls, Version: "test", Tail: -1})
	k.do(err)
	return p
}

// line appends line n, without its date, to to.
func (k *soak) line(to []byte, n int) []byte {
	to = append(to, " web-1 soak[1]: "...)
	if n%soakMark == 0 {
		to = append(to, "marked "...)
	}
	return append(strconv.AppendInt(to, int64(n), 10), '\n')
}

// take checks records: each must be the line after the last.
func (k *soak) take(list []event.Event) error {
	came := k.came.Load()
	for i := range list {
		raw := list[i].Raw
		n, err := strconv.ParseInt(string(raw[bytes.LastIndexByte(raw, ' ')+1:]), 10, 64)
		if err != nil || n != came || list[i].Lost > 0 {
			if k.wrong.Add(1) <= 20 {
				k.t.Logf("line %d came as %.300q (lost %d)", came, raw, list[i].Lost)
			}
			if err != nil || list[i].Lost > 0 {
				continue
			}
		}
		came = n + 1
	}
	k.came.Store(came)
	select {
	case k.grown <- struct{}{}:
	default:
	}
	return nil
}

// write appends n lines, a piece at a time.
func (k *soak) write(n int) {
	f, err := os.OpenFile(k.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	k.do(err)
	var b []byte
	for n > 0 {
		b = b[:0]
		date := time.Now().UTC().Format(time.Stamp)
		for range min(n, 2000) {
			b = k.line(append(b, date...), k.wrote)
			k.wrote++
			n--
		}
		_, err := f.Write(b)
		k.do(err)
	}
	k.do(f.Close())
}

// await waits until n lines came; that they stop coming is an error.
func (k *soak) await(n int) {
	for last := int64(-1); k.came.Load() < int64(n); {
		select {
		case <-k.grown:
		case <-time.After(time.Minute):
			if k.came.Load() == last {
				k.t.Fatalf("%d of %d lines came, %d of them wrong", last, n, k.wrong.Load())
			}
			last = k.came.Load()
		}
	}
}

// measure notes memory and descriptors in use.
func (k *soak) measure(rotation int) {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		fds, _ = os.ReadDir("/dev/fd") // nothing is counted where there is none
	}
	if k.low == 0 {
		k.low, k.files = m.HeapAlloc, len(fds)
	}
	k.high, k.most = max(k.high, m.HeapAlloc), max(k.most, len(fds))
	k.t.Logf("%d lines, %d rotations, %v: heap %d KiB, of the system %d KiB, %d descriptors, %d goroutines",
		k.came.Load(), rotation, time.Since(k.began).Round(time.Second), m.HeapAlloc>>10, m.Sys>>10, len(fds), runtime.NumGoroutine())
}

// check is what must hold in the end; more is how many hits there are too many.
func (k *soak) check(more uint64) {
	if k.wrong.Load() > 0 || k.came.Load() != int64(k.lines) || more > 0 {
		k.t.Errorf("%d lines were written, %d came, %d of them not the line after the last, %d hits too many", k.lines, k.came.Load(), k.wrong.Load(), more)
	}
	if k.high > 4*k.low+(64<<20) || k.most > k.files+32 {
		k.t.Errorf("memory went from %d to %d KiB, descriptors from %d to %d", k.low>>10, k.high>>10, k.files, k.most)
	}
}
