package remote_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"bartizan/agent"
	"bartizan/sources"
	"bartizan/sources/remote"
)

// BenchmarkAppendToReceived is the time from before the write of a line to its
// arrival, at several rates: over an agent with mutual TLS 1.3 on loopback and, of
// the same lines of the same file, by a follower in this process (local). One
// operation is one line. What is late because the writer could not write in time
// does not count, as every line's time begins when it is written.
func BenchmarkAppendToReceived(b *testing.B) {
	for _, rate := range []int{200, 2_000, 20_000} {
		b.Run(fmt.Sprintf("%d_per_s", rate), func(b *testing.B) { appendToReceived(b, rate) })
	}
}

func appendToReceived(b *testing.B, rate int) {
	w := newWorld(b)
	w.conf = func(c *agent.Config) { c.Rescan = 0 } // as it is in earnest
	path := filepath.Join(w.logs, "auth.log")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	check(b, err)
	_, err = f.WriteString(stamped(0))
	check(b, err)
	w.start()
	conf := w.config(w.addr)
	conf.Every, conf.Tail = 3*time.Second, -1
	far, near := newArrivals(b.N), newArrivals(b.N)
	defer far.agent(b, conf)()
	defer near.follow(b, sources.NewFile(path, sources.FileOptions{}))()
	<-far.first
	<-near.first
	sent := make([]time.Time, b.N+1)
	b.ResetTimer()
	for i := 1; i <= b.N; i++ {
		line := stamped(i)
		time.Sleep(time.Duration(i)*time.Second/time.Duration(rate) - b.Elapsed())
		sent[i] = time.Now()
		_, err := f.WriteString(line)
		check(b, err)
	}
	<-far.all
	<-near.all
	b.StopTimer()
	far.report(b, "", sent)
	near.report(b, "local-", sent)
	check(b, f.Close())
}

// stamped is a line with its number at the end.
func stamped(n int) string {
	return fmt.Sprintf("Nov 21 08:03:12 web-1 sshd[4242]: Accepted publickey for deploy from 203.0.113.9 port 50122 ssh2: %d\n", n)
}

// arrivals is when each line arrived.
type arrivals struct {
	at         []time.Time
	first, all chan struct{} // closed when the line 0 and the last one were there
}

func newArrivals(n int) *arrivals {
	return &arrivals{at: make([]time.Time, n+1), first: make(chan struct{}), all: make(chan struct{})}
}

// agent follows the one stream of an agent, until the returned function is called.
func (a *arrivals) agent(b *testing.B, conf remote.Config) func() {
	p, err := remote.Dial(conf)
	check(b, err)
	ctx, cancel := context.WithCancel(context.Background())
	opened, done := make(chan sources.Opened, 1), make(chan error, 1)
	go func() { done <- p.Run(ctx, func(o sources.Opened) { opened <- o }) }()
	stop := a.follow(b, (<-opened).Source)
	return func() {
		stop()
		cancel()
		check(b, <-done)
	}
}

// follow notes when the lines of s arrive, until the returned function is called.
func (a *arrivals) follow(b *testing.B, s sources.Source) func() {
	ctx, cancel := context.WithCancel(context.Background())
	out, ended := make(chan sources.Batch), make(chan error, 1)
	go func() { ended <- s.Run(ctx, "", out) }()
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.take(ctx, b, out)
	}()
	return func() {
		cancel()
		<-done
		check(b, <-ended)
	}
}

func (a *arrivals) take(ctx context.Context, b *testing.B, out <-chan sources.Batch) {
	for {
		select {
		case <-ctx.Done():
			return
		case batch := <-out:
			now := time.Now()
			for i := range batch.Records {
				line := string(batch.Records[i].Raw)
				n, err := strconv.Atoi(line[strings.LastIndexByte(line, ' ')+1:])
				if err != nil || n >= len(a.at) {
					b.Errorf("%q arrived", line)
					return
				}
				a.at[n] = now
				switch {
				case n == 0:
					close(a.first)
				case n == len(a.at)-1:
					close(a.all)
				}
			}
			batch.Done(nil)
		}
	}
}

func (a *arrivals) report(b *testing.B, prefix string, sent []time.Time) {
	took := make([]time.Duration, 0, len(sent))
	for i := 1; i < len(sent); i++ {
		took = append(took, a.at[i].Sub(sent[i]))
	}
	slices.Sort(took)
	for _, q := range []struct {
		name string
		of   float64
	}{{"p50", 0.5}, {"p99", 0.99}, {"worst", 1}} {
		at := min(int(float64(len(took))*q.of), len(took)-1)
		b.ReportMetric(float64(took[at].Nanoseconds())/1e3, prefix+q.name+"-µs")
	}
}
