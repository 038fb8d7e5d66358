package sources

import (
	"context"
	"io/fs"
	"os"
	"time"

	"bartizan/event"
)

// stepper is a follower that is moved by hand: nothing happens between two
// calls, so a run is the same each time. Every batch sent is kept with the
// position behind it.
type stepper struct {
	w      *follow
	out    chan Batch
	cancel context.CancelFunc
	sent   []shipment
	conds  []Condition
}

// shipment is what one batch carried.
type shipment struct {
	lines []string
	lost  []Record
	pos   Position
}

// jumpClock is the machine's clock plus what it was told to skip.
type jumpClock struct {
	ahead time.Duration
	rest  bool // directories look as if they had been left alone for a while
}

func (c *jumpClock) Now() time.Time                       { return time.Now().Add(c.ahead) }
func (c *jumpClock) After(time.Duration) <-chan time.Time { return nil }

// stat looks at a file as of now: a directory's time moves along with the clock,
// so that skipping time does not make it look as if nothing were going on there.
func (c *jumpClock) stat(path string) (fs.FileInfo, error) {
	fi, err := os.Stat(path)
	if err != nil || !fi.IsDir() {
		return fi, err
	}
	if c.rest {
		return shifted{fi, c.ahead - 2*dirSettled}, nil
	}
	return shifted{fi, c.ahead}, nil
}

type shifted struct {
	fs.FileInfo
	by time.Duration
}

func (s shifted) ModTime() time.Time { return s.FileInfo.ModTime().Add(s.by) }

// newStepper starts a follower at a position and makes its first look.
func newStepper(t tester, path string, o FileOptions, from Position) *stepper {
	t.Helper()
	marks, err := parseFilePosition(from)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &stepper{out: make(chan Batch, 1<<14), cancel: cancel}
	f := NewFile(path, o)
	f.Report(func(c Condition) { s.conds = append(s.conds, c) })
	s.w = f.follow(ctx, s.out, &wakeup{c: make(chan struct{}, 1), quiet: true})
	s.w.restore(marks)
	s.w.look()
	return s
}

func (s *stepper) look() { s.w.look() }

// read reads all generations and takes in what was sent.
func (s *stepper) read(t tester) {
	t.Helper()
	for again := true; again; again = s.w.more {
		if _, err := s.w.readAll(); err != nil {
			t.Fatal(err)
		}
	}
	s.w.say()
	if err := s.w.out.offer(); err != nil {
		t.Fatal(err)
	}
	for len(s.out) > 0 {
		b := <-s.out
		sh := shipment{pos: b.Pos}
		for _, r := range b.Records {
			if r.Lost > 0 {
				r.Raw = append([]byte(nil), r.Raw...)
				sh.lost = append(sh.lost, r)
				continue
			}
			sh.lines = append(sh.lines, string(r.Raw))
		}
		b.Done(nil)
		s.sent = append(s.sent, sh)
	}
}

func (s *stepper) step(t tester) { t.Helper(); s.look(); s.read(t) }

func (s *stepper) close() {
	s.cancel()
	s.w.close()
	if c := s.w.out.cargo; c != nil { // what was not sent gives its memory back
		s.w.out.done(c)(nil)
	}
}

// flags returns all flags of losses sent so far.
func (s *stepper) flags() (f event.Flags) {
	for _, sh := range s.sent {
		for _, r := range sh.lost {
			f |= r.Flags
		}
	}
	return f
}
