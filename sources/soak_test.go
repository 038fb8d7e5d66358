package sources

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

var (
	soakLines     = flag.Int("soak.lines", 0, "write so many lines through the follower; 0: only as a short test")
	soakRotations = flag.Int("soak.rotations", 1000, "rotate so often meanwhile")
	soakAhead     = flag.Int("soak.ahead", 0, "let the writer be so many rotations ahead of the reader")
)

// TestSoak writes numbered lines through the follower as fast as it takes them,
// rotating by renaming, copying and truncating, and compressing, and checks that each
// came once, in order, that only truncations are told, and that memory and
// descriptors stay where they were.
func TestSoak(t *testing.T) {
	lines, rotations := *soakLines, *soakRotations
	if lines == 0 {
		lines, rotations = 60_000, 12
	}
	d := newFolder(t)
	k := &soak{t: t, d: d, came: newCounter(), wrote: newCounter(), next: make(chan struct{}, 1), began: time.Now()}
	d.add("log", "")
	stop := runSource(NewFile(d.path("log"), FileOptions{Grace: testGrace}), k.take)
	defer func() { d.do(stop()) }()
	per := max(1, lines/rotations)
	for r := range rotations {
		k.write(per)
		k.await(k.n - per*(*soakAhead))
		if r%max(1, rotations/20) == 0 {
			k.measure(r)
		}
		k.rotate(r)
	}
	k.write(lines - per*rotations)
	k.await(k.n)
	k.measure(rotations)
	if k.wrong.Load() > 0 {
		t.Errorf("%d records are not the line after the last", k.wrong.Load())
	}
	if cut := int64(rotations+1) / 3; k.told.Load() > cut {
		t.Errorf("%d losses were told with %d truncations", k.told.Load(), cut)
	}
	if k.high > 4*k.low+(32<<20) || k.files > k.first+maxGens {
		t.Errorf("memory went from %d to %d KiB, descriptors from %d to %d", k.low>>10, k.high>>10, k.first, k.files)
	}
}

// counter is a number in ten digits and a line end: making and checking a line
// must cost less than following it.
type counter []byte

func newCounter() counter { return counter("0000000000\n") }

func (c counter) step() {
	for i := len(c) - 2; i >= 0; i-- {
		if c[i]++; c[i] <= '9' {
			return
		}
		c[i] = '0'
	}
}

// soak is one run: what was written, what came, and the most that was used.
type soak struct {
	t           *testing.T
	d           folder
	n           int     // written
	wrote, came counter // the next line to write, and the one to come
	lines       atomic.Int64
	wrong, told atomic.Int64 // records that are another line; losses
	strays      int          // records that were shown because they are another line
	next        chan struct{}
	began       time.Time

	low, high    uint64
	first, files int
}

// take checks a batch: every line must be the one after the last.
func (k *soak) take(b Batch) {
	n, wrong := int64(0), int64(0)
	for i := range b.Records {
		r := &b.Records[i]
		if r.Lost > 0 {
			k.told.Add(1)
			if !bytes.Contains(r.Raw, []byte("copied and truncated")) {
				k.t.Errorf("at line %s: %s", k.came, r.Raw)
			}
			continue
		}
		if !bytes.Equal(r.Raw, k.came[:len(k.came)-1]) {
			wrong++
			if k.strays++; k.strays <= 10 {
				k.t.Logf("line %.10s came where %s belongs (epoch %d, file %v, offset %d)", r.Raw, k.came[:len(k.came)-1], r.Ref.Epoch, r.Ref.File, r.Ref.Offset)
			}
			if len(r.Raw) == len(k.came)-1 {
				copy(k.came, r.Raw) // the lines behind it may be right
			}
		}
		k.came.step()
		n++
	}
	b.Done(nil)
	k.lines.Add(n)
	k.wrong.Add(wrong)
	select {
	case k.next <- struct{}{}:
	default:
	}
}

// write appends n lines, in large pieces.
func (k *soak) write(n int) {
	w := k.d.open("log")
	piece := make([]byte, 0, 1<<20)
	for ; n > 0; n-- {
		piece = append(piece, k.wrote...)
		k.wrote.step()
		k.n++
		if len(piece)+len(k.wrote) > cap(piece) || n == 1 {
			_, err := w.Write(piece)
			k.d.do(err)
			piece = piece[:0]
		}
	}
	k.d.do(w.Close())
}

// await waits until so many lines came.
func (k *soak) await(n int) {
	end := time.After(10 * deadline)
	for k.lines.Load() < int64(n) {
		select {
		case <-k.next:
		case <-end:
			k.t.Fatalf("%d of %d lines came", k.lines.Load(), n)
		}
	}
}

// rotate rotates by turns in three ways.
func (k *soak) rotate(r int) {
	const keep = 5
	for _, ext := range []string{"", ".gz"} {
		_ = os.Remove(k.d.path(fmt.Sprintf("log.%d%s", keep, ext))) // only one of them is there
	}
	for i := keep - 1; i > 0; i-- {
		for _, ext := range []string{"", ".gz"} {
			_ = os.Rename(k.d.path(fmt.Sprintf("log.%d%s", i, ext)), k.d.path(fmt.Sprintf("log.%d%s", i+1, ext))) // most are not there
		}
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
	k.t.Logf("%s lines, %d rotations, %v (CPU %v): heap %d KiB, resident %s, %d descriptors; %d wrong, %d losses told",
		thousands(k.n), r, time.Since(k.began).Round(time.Second), cpu().Round(time.Second), m.HeapAlloc>>10, resident(), len(fds), k.wrong.Load(), k.told.Load())
}

// resident returns the memory of this process that is in RAM, as Linux says it.
func resident() string {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return "unknown"
	}
	_, rest, _ := strings.Cut(string(b), "VmRSS:")
	line, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(line)
}
