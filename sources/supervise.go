package sources

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime/debug"
	"sync"
	"time"

	"bartizan/event"
)

// The back-off between restarts doubles from the first to the last; a source
// that ran for resetAfter begins again with the first.
const (
	firstRetry = time.Second
	lastRetry  = time.Minute
	resetAfter = 2 * time.Minute
	tellEvery  = time.Second
)

// Supervise runs a source until it is finished or ctx ends. A live source that
// fails is started again from its last position, after 1 s, 2 s, … 1 min; one that
// is not live (a file read once) is given up. A panic in it is a failure. It tells report how the source is doing: when its
// state changes, and at most every second while its counts do. report is called
// from one goroutine at a time and must not block.
func Supervise(ctx context.Context, src Opened, from Position, out chan<- Batch, report func(event.SourceStatus)) {
	SuperviseWith(ctx, SystemClock{}, src, from, out, report)
}

// SuperviseWith is Supervise with a clock.
func SuperviseWith(ctx context.Context, clock Clock, src Opened, from Position, out chan<- Batch, report func(event.SourceStatus)) {
	s := &supervisor{clock: clock, src: src, out: out, report: report, pos: from}
	s.status = event.SourceStatus{ID: src.Info.ID, Kind: src.Info.Kind, Name: src.Info.Name, Format: src.Info.Format, Behind: -1}
	if r, ok := src.Source.(Reporting); ok {
		r.Report(s.condition)
	}
	done := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.watch(done)
	}()
	s.run(ctx)
	close(done)
	<-ended
}

// supervisor is one run of Supervise.
type supervisor struct {
	clock  Clock
	src    Opened
	out    chan<- Batch
	report func(event.SourceStatus)

	mu     sync.Mutex
	status event.SourceStatus
	dirty  bool      // counts changed since report was called
	quiet  time.Time // since when no record came
	pos    Position
}

// set changes the status and reports it.
func (s *supervisor) set(change func(*event.SourceStatus)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.status)
	s.dirty = false
	s.report(s.status)
}

func (s *supervisor) state(st event.SourceState, reason string) {
	s.set(func(x *event.SourceStatus) { x.State, x.Reason, x.Flags, x.NextTry = st, reason, 0, time.Time{} })
}

// condition takes what the source says of itself.
func (s *supervisor) condition(c Condition) {
	s.set(func(x *event.SourceStatus) {
		x.State, x.Reason, x.Flags, x.Behind = c.State, c.Reason, c.Flags, c.Behind
	})
}

func (s *supervisor) run(ctx context.Context) {
	wait := firstRetry
	for {
		s.state(event.SourceStarting, "")
		began := s.clock.Now()
		err := s.once(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			s.state(event.SourceDone, "")
			return
		}
		if !s.src.Info.Live { // it would fail the same way again
			s.failed(err, 0)
			return
		}
		if s.clock.Now().Sub(began) >= resetAfter {
			wait = firstRetry
		}
		again := s.clock.After(wait) // before it is told, so that who hears of it can rely on it
		s.failed(err, wait)
		select {
		case <-ctx.Done():
			return
		case <-again:
		}
		wait = min(2*wait, lastRetry)
	}
}

// failed says why the source does not run and when it will be tried again; with
// no wait it will not be.
func (s *supervisor) failed(err error, wait time.Duration) {
	st, reason := event.SourceRetrying, err.Error()
	switch {
	case errors.Is(err, fs.ErrPermission):
		st = event.SourceDenied
		if s.src.Info.Path != "" {
			reason += ": " + mend(s.src.Info.Path)
		}
	case errors.Is(err, fs.ErrNotExist) && s.src.Info.Path != "":
		st = event.SourceGone
	case wait == 0:
		st = event.SourceSkipped
	}
	var next time.Time
	if wait > 0 {
		next = s.clock.Now().Add(wait)
	}
	s.set(func(x *event.SourceStatus) { x.State, x.Reason, x.NextTry = st, reason, next })
}

// once runs the source one time, from the last position.
func (s *supervisor) once(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	in := make(chan Batch)
	result := make(chan error, 1)
	go func() { result <- protect(ctx, s.src.Source, s.pos, in) }()
	for {
		select {
		case b := <-in:
			if !s.forward(ctx, b) {
				return <-result
			}
		case err := <-result:
			return err
		}
	}
}

// protect runs the source and turns a panic into an error.
func protect(ctx context.Context, src Source, from Position, out chan<- Batch) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("it panicked: %v; report this with what follows: %s", p, debug.Stack())
		}
	}()
	return src.Run(ctx, from, out)
}

// forward counts a batch and hands it on; false when ctx ended first.
func (s *supervisor) forward(ctx context.Context, b Batch) bool {
	var bytes, records, lost uint64
	var last time.Time
	for i := range b.Records {
		r := &b.Records[i]
		lost += r.Lost
		last = r.Seen
		if r.Lost == 0 {
			records++
			bytes += uint64(len(r.Raw))
		}
	}
	select {
	case s.out <- b:
	case <-ctx.Done():
		return false
	}
	s.count(records, bytes, lost, last)
	if b.Pos != "" {
		s.pos = b.Pos
	}
	return true
}

func (s *supervisor) count(records, bytes, lost uint64, last time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := &s.status
	x.Records, x.Bytes, x.Lost = x.Records+records, x.Bytes+bytes, x.Lost+lost
	x.LastSeen = last
	s.quiet = s.clock.Now()
	s.dirty = true
	if x.State == event.SourceStarting || x.State == event.SourceSilent {
		x.State, x.Reason = event.SourceLive, ""
		s.dirty = false
		s.report(*x)
	}
}

// watch reports changed counts, and silence that lasts too long.
func (s *supervisor) watch(done <-chan struct{}) {
	s.mu.Lock()
	s.quiet = s.clock.Now()
	s.mu.Unlock()
	for {
		select {
		case <-done:
			return
		case <-s.clock.After(tellEvery):
			s.tell()
		}
	}
}

func (s *supervisor) tell() {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := &s.status
	most := s.src.Info.Silence
	running := x.State == event.SourceLive || x.State == event.SourceStarting
	if quiet := s.clock.Now().Sub(s.quiet); most > 0 && running && quiet >= most {
		x.State, x.Reason = event.SourceSilent, fmt.Sprintf("nothing came for %v, and %v is the most this kind may be quiet: check the sender", quiet.Round(time.Second), most)
		s.dirty = true
	}
	if s.dirty {
		s.dirty = false
		s.report(*x)
	}
}
