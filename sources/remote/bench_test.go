package remote_test

import (
	"context"
	"os"
	"path/filepath"
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
	b.Run("letters", func(b *testing.B) { agentToConsole(b, strings.Repeat("x", 199)) })
	b.Run("sshd", func(b *testing.B) {
		line := "Nov 21 08:03:12 web-1 sshd[4242]: Accepted publickey for deploy from 203.0.113.9 port 50122 ssh2: ED25519 SHA256:"
		agentToConsole(b, line+strings.Repeat("k", 199-len(line)))
	})
}

func agentToConsole(b *testing.B, line string) {
	const lines = 1_000_000
	w := newWorld(b)
	f, err := os.Create(filepath.Join(w.logs, "auth.log"))
	check(b, err)
	some := strings.Repeat(line+"\n", 1000)
	for range lines / 1000 {
		_, err = f.WriteString(some)
		check(b, err)
	}
	check(b, f.Close())
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
