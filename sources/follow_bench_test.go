package sources

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// cpu returns the CPU time this process has used, user and system.
func cpu() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkLadder reads 100 MB of lines of one length with each follower and
// reports lines per second of CPU time. nxadm/tail comes last of each length.
func BenchmarkLadder(b *testing.B) {
	const total = 100 << 20
	for _, length := range []int{40, 100, 200, 500, 2000, 16000} {
		path := filepath.Join(b.TempDir(), "log")
		line := append(bytes.Repeat([]byte("x"), length-1), '\n')
		n := total / length
		if err := os.WriteFile(path, bytes.Repeat(line, n), 0o644); err != nil {
			b.Fatal(err)
		}
		for _, r := range []struct {
			name string
			read func()
		}{
			{"ours", func() { drainBench(b, NewFile(path, FileOptions{}), n) }},
			{"wrapped", func() { drainBench(b, NewFile(path, FileOptions{Follower: FollowerNxadm}), n) }},
			{"bare", func() { tailBench(b, path, n) }},
		} {
			b.Run(fmt.Sprintf("%d/%s", length, r.name), func(b *testing.B) {
				b.SetBytes(int64(n * length))
				used, runs := cpu(), 0
				for b.Loop() {
					r.read()
					runs++
				}
				spent := (cpu() - used).Seconds()
				b.ReportMetric(float64(n*runs)/spent/1e6, "Mlines/cpu-s")
				b.ReportMetric(float64(n*length*runs)/spent/1e6, "MB/cpu-s")
			})
		}
	}
}

// BenchmarkTimesBare reads the same file by turns with our follower and with bare
// nxadm/tail, and reports how many times as many lines a second of CPU time gives.
func BenchmarkTimesBare(b *testing.B) {
	const total = 50 << 20
	for _, length := range []int{40, 100, 200, 500} {
		b.Run(fmt.Sprint(length), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "log")
			n := total / length
			if err := os.WriteFile(path, bytes.Repeat(append(bytes.Repeat([]byte("x"), length-1), '\n'), n), 0o644); err != nil {
				b.Fatal(err)
			}
			var ours, bare time.Duration
			runs := 0
			for b.Loop() {
				at := cpu()
				drainBench(b, NewFile(path, FileOptions{}), n)
				between := cpu()
				tailBench(b, path, n)
				ours, bare = ours+between-at, bare+cpu()-between
				runs++
			}
			rate := func(d time.Duration) float64 { return float64(n*runs) / d.Seconds() / 1e6 }
			b.ReportMetric(rate(ours), "ours-Mlines/cpu-s")
			b.ReportMetric(rate(bare), "bare-Mlines/cpu-s")
			b.ReportMetric(bare.Seconds()/ours.Seconds(), "times-bare")
		})
	}
}

// BenchmarkAppendToReceived appends a line now and then and measures how long it
// takes until the batch with it is there.
func BenchmarkAppendToReceived(b *testing.B) {
	for _, r := range []struct {
		name string
		open func(string) Source
	}{
		{"ours", func(p string) Source { return NewFile(p, FileOptions{}) }},
		{"ours, polling", func(p string) Source { return NewFile(p, FileOptions{NoWake: true}) }},
		{"nxadm, wrapped", func(p string) Source { return NewFile(p, FileOptions{Follower: FollowerNxadm}) }},
		{"nxadm, bare", func(p string) Source { return bareNxadm(p, StartBeginning) }},
		{"tail -F", func(p string) Source { return tailF(p, StartBeginning) }},
	} {
		b.Run(r.name, func(b *testing.B) { latencyBench(b, r.open) })
	}
}

func latencyBench(b *testing.B, open func(string) Source) {
	d := newFolder(b)
	w := d.open("log")
	defer func() { _ = w.Close() }()
	ctx, cancel := context.WithCancel(context.Background())
	out, ended := make(chan Batch), make(chan error, 1)
	src := open(d.path("log"))
	go func() { ended <- src.Run(ctx, "", out) }()
	take := func() time.Time {
		batch := <-out
		now := time.Now()
		batch.Done(nil)
		return now
	}
	d.put(w, "first\n")
	take()
	var all []time.Duration
	tick := time.NewTicker(7 * time.Millisecond)
	defer tick.Stop()
	for b.Loop() {
		<-tick.C
		began := time.Now()
		d.put(w, "a line that is waited for\n")
		all = append(all, take().Sub(began))
	}
	cancel()
	<-ended
	slices.Sort(all)
	ms := func(q float64) float64 { return float64(all[int(q*float64(len(all)-1))].Microseconds()) / 1000 }
	b.ReportMetric(ms(0.5), "p50-ms")
	b.ReportMetric(ms(0.99), "p99-ms")
	b.ReportMetric(ms(1), "max-ms")
}
