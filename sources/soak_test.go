package sources

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

var (
	soakLines     = flag.Int("soak.lines", 0, "write so many lines through the follower; 0: only as a short test")
	soakRotations = flag.Int("soak.rotations", 1000, "rotate so often meanwhile")
)

// TestSoak writes numbered lines through the follower as fast as it takes them,
// rotating by renaming, copying and truncating, and compressing, and checks that
// each came once, in order, and that memory and descriptors stay where they were.
func TestSoak(t *testing.T) {
	lines, rotations := *soakLines, *soakRotations
	if lines == 0 {
		lines, rotations = 60_000, 12
	}
	d := newFolder(t)
	k := &soak{t: t, d: d, next: make(chan int, 1), began: time.Now()}
	d.add("log", "")
	stop := runSource(NewFile(d.path("log"), FileOptions{Grace: testGrace}), k.take)
	defer func() { d.do(stop()) }()
	per := max(1, lines/rotations)
	for r := range rotations {
		k.write(per)
		if r%max(1, rotations/20) == 0 {
			k.measure(r)
		}
		k.rotate(r)
	}
	k.measure(rotations)
	if k.high > 4*k.low+(32<<20) || k.files > k.first+maxGens {
		t.Errorf("memory went from %d to %d KiB, descriptors from %d to %d", k.low>>10, k.high>>10, k.first, k.files)
	}
}

// soak is one run: what was written, what came, and the most that was used.
type soak struct {
	t     *testing.T
	d     folder
	n     int // written
	came  int // lines that came, each the next one
	next  chan int
	began time.Time

	low, high    uint64
	first, files int
}

// take checks a batch: every line must be the one after the last.
func (k *soak) take(b Batch) {
	for i := range b.Records {
		r := &b.Records[i]
		if r.Lost > 0 || numberOf(r.Raw) != k.came {
			k.t.Errorf("line %d came as %.120q (lost %d)", k.came, r.Raw, r.Lost)
		}
		k.came++
	}
	b.Done(nil)
	select {
	case <-k.next:
	default:
	}
	k.next <- k.came
}

// write appends n lines, a piece at a time, and waits until they came.
func (k *soak) write(n int) {
	w := k.d.open("log")
	for n > 0 {
		var b strings.Builder
		some := min(n, 2000)
		for range some {
			b.WriteString(numbered(k.n))
			b.WriteByte('\n')
			k.n++
		}
		n -= some
		k.d.put(w, b.String())
	}
	k.d.do(w.Close())
	end := time.After(10 * deadline)
	for {
		select {
		case came := <-k.next:
			if came >= k.n {
				return
			}
		case <-end:
			k.t.Fatalf("%d of %d lines came", k.came, k.n)
		}
	}
}

// rotate rotates by turns in three ways.
func (k *soak) rotate(r int) {
	if _, err := os.Stat(k.d.path("log.5")); err == nil {
		k.d.remove("log.5")
	}
	for i := 4; i > 0; i-- {
		_ = os.Rename(k.d.path(fmt.Sprintf("log.%d", i)), k.d.path(fmt.Sprintf("log.%d", i+1))) // most are not there at first
	}
	if r%3 == 1 {
		k.d.copy("log", "log.1")
		k.d.truncate("log")
		return
	}
	k.d.rename("log", "log.1")
	k.d.add("log", "")
	if r%3 == 2 {
		k.d.pack("gzip", "log.1", "log.1.gz")
		k.d.remove("log.1.gz")
	}
}

// measure notes memory and descriptors in use.
func (k *soak) measure(r int) {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		fds, _ = os.ReadDir("/dev/fd") // nothing is counted where there is none
	}
	if k.low == 0 {
		k.low, k.first = m.HeapAlloc, len(fds)
	}
	k.high, k.files = max(k.high, m.HeapAlloc), max(k.files, len(fds))
	k.t.Logf("%s lines, %d rotations, %v: heap %d KiB, of the system %d KiB, %d descriptors",
		thousands(k.n), r, time.Since(k.began).Round(time.Second), m.HeapAlloc>>10, m.Sys>>10, len(fds))
}
