package remote_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"bartizan/sources"
)

// cpu is what this process has used of all processors so far.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u unix.Rusage
	check(b, unix.Getrusage(unix.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkAgentToConsole reads a file of 200-byte lines through a real agent:
// follower, mutual TLS 1.3 on loopback, decoding, acknowledgement. Both ends are
// in this process, so lines/cpu-s is for both together.
func BenchmarkAgentToConsole(b *testing.B) {
	const lines = 1_000_000
	w := newWorld(b)
	line := strings.Repeat("x", 199) + "\n"
	check(b, os.WriteFile(filepath.Join(w.logs, "auth.log"), bytes.Repeat([]byte(line), lines), 0o644))
	w.start()
	conf := w.config(w.addr)
	conf.Tail = -1 // all of it, every time
	c := newConsole(b, conf)
	opened := make(chan sources.Opened, 1)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.peer.Run(ctx, func(o sources.Opened) { opened <- o }) }()
	o := <-opened
	var batches, records int
	before := cpu(b)
	for b.Loop() {
		n, k := drain(b, o.Source, lines)
		records, batches = records+n, batches+k
	}
	used := cpu(b) - before
	b.ReportMetric(float64(records)/used.Seconds(), "lines/cpu-s")
	b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "lines/s")
	b.ReportMetric(float64(records)/float64(batches), "lines/batch")
	cancel()
	check(b, <-done)
}

// drain reads the source from its beginning until n records have arrived.
func drain(b *testing.B, s sources.Source, n int) (records, batches int) {
	b.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, ended := make(chan sources.Batch), make(chan error, 1)
	go func() { ended <- s.Run(ctx, "", out) }()
	for records < n {
		batch := <-out
		records += len(batch.Records)
		batches++
		batch.Done(nil)
	}
	cancel()
	check(b, <-ended)
	return records, batches
}

// BenchmarkAppendToReceived is the time from the write of a line at the agent to
// its arrival at an idle console.
func BenchmarkAppendToReceived(b *testing.B) {
	w := newWorld(b)
	w.write("auth.log", "first")
	w.start()
	c := newConsole(b, w.config(w.addr))
	c.run()
	c.wait(authLog, "the first line", atLeast(1))
	f, err := os.OpenFile(filepath.Join(w.logs, "auth.log"), os.O_APPEND|os.O_WRONLY, 0)
	check(b, err)
	n := 1
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		_, err := f.WriteString("a line\n")
		check(b, err)
		n++
		c.until("the line", func() bool { return len(c.lines[authLog]) >= n })
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
	check(b, f.Close())
}
