package sources

import (
	"os"
	"slices"
	"testing"
	"time"
)

// floodMost is how often a writer goes on at most while one call reads, so that a
// call which never returned fails.
const floodMost = 4000

// flood is a clock that a busy writer goes by: whenever anybody looks at it, 10 ms
// have passed and a line more was written, and after every so many the log is
// rotated and the rotated file deleted.
type flood struct {
	jumpClock
	d       folder
	every   int // lines between rotations; 0: it is not rotated
	on      bool
	looks   int // of this call
	lines   int
	rotated int
}

func (f *flood) Now() time.Time {
	if f.on && f.looks < floodMost {
		f.looks++
		f.lines++
		f.ahead += 10 * time.Millisecond
		w, err := os.OpenFile(f.d.path("log"), os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
		f.d.do(err)
		_, err = w.WriteString("more\n")
		f.d.do(err)
		f.d.do(w.Close())
		if f.every > 0 && f.lines%f.every == 0 {
			f.rotate()
		}
	}
	return f.jumpClock.Now()
}

func (f *flood) rotate() {
	f.rotated++
	f.d.rename("log", "log.1")
	f.d.remove("log.1")
	f.d.add("log", "")
}

// readOnce reads while the writer goes on, and returns how often it was rotated.
func (f *flood) readOnce(t *testing.T, s *stepper) int {
	t.Helper()
	was := f.rotated
	f.looks, f.on = 0, true
	_, err := s.w.readAll()
	f.on = false
	if err != nil {
		t.Fatal(err)
	}
	if f.looks == floodMost {
		t.Fatalf("reading did not return while %d lines were written", floodMost)
	}
	for len(s.out) > 0 {
		(<-s.out).Done(nil)
	}
	return f.rotated - was
}

// TestFloodLetsRotatedFilesGo: while more is always written than was read, reading
// returns and files that were rotated and deleted are let go of.
func TestFloodLetsRotatedFilesGo(t *testing.T) {
	d := newFolder(t)
	d.add("log", "one\n")
	f := &flood{d: d, every: 40}
	s := newStepper(t, d.path("log"), FileOptions{Clock: f, stat: f.stat, Grace: time.Second}, "")
	defer s.close()
	most := 0
	for range 100 {
		held := len(s.w.gens)
		if n := f.readOnce(t, s); n > held+1 {
			t.Fatalf("one call went on for %d rotations; %d files were open before", n, held)
		}
		s.look()
		most = max(most, len(s.w.gens))
	}
	if f.rotated < 50 || most > 12 {
		t.Errorf("%d files were held at once, after %d rotations", most, f.rotated)
	}
}

// TestFloodOfOneFile: a file that is always written to does not keep the one before
// it, which was deleted, for ever.
func TestFloodOfOneFile(t *testing.T) {
	d := newFolder(t)
	d.add("log", "one\n")
	f := &flood{d: d}
	s := newStepper(t, d.path("log"), FileOptions{Clock: f, stat: f.stat, Grace: time.Second}, "")
	defer s.close()
	s.step(t)
	f.rotate()
	s.step(t)
	if len(s.w.gens) != 2 {
		t.Fatalf("%d files are held", len(s.w.gens))
	}
	before := s.w.gens[0]
	for range 20 {
		f.readOnce(t, s)
		if !slices.Contains(s.w.gens, before) {
			return
		}
	}
	t.Error("the deleted file is still held")
}
