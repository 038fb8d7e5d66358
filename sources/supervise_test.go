package sources

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"time"

	"bartizan/event"
)

// handClock is a clock that moves when it is told to.
type handClock struct {
	mu     sync.Mutex
	now    time.Time
	timers []handTimer
	asked  chan struct{} // renewed and closed at each After
}

type handTimer struct {
	at time.Time
	c  chan time.Time
}

func newHandClock() *handClock {
	return &handClock{now: time.Date(2026, 3, 1, 3, 4, 5, 0, time.UTC), asked: make(chan struct{})}
}

func (c *handClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *handClock) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := handTimer{c.now.Add(d), make(chan time.Time, 1)}
	c.timers = append(c.timers, t)
	close(c.asked)
	c.asked = make(chan struct{})
	return t.c
}

// advance waits until somebody waits for exactly d from now, and lets d pass.
func (c *handClock) advance(t *testing.T, d time.Duration) {
	t.Helper()
	end := time.After(deadline)
	for {
		c.mu.Lock()
		asked := c.asked
		if c.fire(d) {
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
		select {
		case <-asked:
		case <-end:
			t.Fatalf("nobody waits for %v", d)
		}
	}
}

// fire lets d pass if a timer ends then.
func (c *handClock) fire(d time.Duration) bool {
	then, found := c.now.Add(d), false
	for _, x := range c.timers {
		found = found || x.at.Equal(then)
	}
	if !found {
		return false
	}
	c.now = then
	var left []handTimer
	for _, x := range c.timers {
		if x.at.After(then) {
			left = append(left, x)
			continue
		}
		x.c <- then
	}
	c.timers = left
	return true
}

// scripted is a source whose runs are given one by one.
type scripted struct {
	runs []func(ctx context.Context, from Position, out chan<- Batch) error
	n    int
}

func (s *scripted) Run(ctx context.Context, from Position, out chan<- Batch) error {
	run := s.runs[min(s.n, len(s.runs)-1)]
	s.n++
	return run(ctx, from, out)
}

// supervised is a running supervisor with its reports and batches.
type supervised struct {
	t       *testing.T
	clock   *handClock
	out     chan Batch
	reports chan event.SourceStatus
	cancel  context.CancelFunc
	ended   chan struct{}
}

func supervise(t *testing.T, info Info, from Position, runs ...func(context.Context, Position, chan<- Batch) error) *supervised {
	info.Live = true
	ctx, cancel := context.WithCancel(context.Background())
	s := &supervised{t, newHandClock(), make(chan Batch), make(chan event.SourceStatus, 1000), cancel, make(chan struct{})}
	go func() {
		defer close(s.ended)
		SuperviseWith(ctx, s.clock, Opened{info, &scripted{runs: runs}}, from, s.out, func(x event.SourceStatus) { s.reports <- x })
	}()
	t.Cleanup(func() { cancel(); <-s.ended })
	return s
}

// state waits for a report of that state.
func (s *supervised) state(want event.SourceState) event.SourceStatus {
	s.t.Helper()
	for end := time.After(deadline); ; {
		select {
		case x := <-s.reports:
			if x.State == want {
				return x
			}
		case <-end:
			s.t.Fatalf("no report of state %v", want)
		}
	}
}

func sends(pos Position, lines ...string) func(context.Context, Position, chan<- Batch) error {
	return func(_ context.Context, from Position, out chan<- Batch) error {
		b := Batch{Pos: pos, Done: func(error) {}}
		for _, l := range lines {
			b.Records = append(b.Records, Record{Raw: []byte(string(from) + l)})
		}
		out <- b
		return errors.New("torn")
	}
}

func waits(ctx context.Context, _ Position, _ chan<- Batch) error {
	<-ctx.Done()
	return nil
}

func TestSuperviseRestartsFromTheLastPosition(t *testing.T) {
	s := supervise(t, Info{ID: "x", Kind: "file"}, "p0 ", sends("p1 ", "a", "b"), sends("p2 ", "c"), waits)
	if b := <-s.out; string(b.Records[0].Raw) != "p0 a" {
		t.Errorf("first %q", b.Records[0].Raw)
	}
	x := s.state(event.SourceRetrying)
	if x.Reason != "torn" || x.Records != 2 || x.Bytes != 8 || x.NextTry.Sub(s.clock.Now()) != time.Second {
		t.Errorf("%+v", x)
	}
	s.clock.advance(t, time.Second)
	if b := <-s.out; string(b.Records[0].Raw) != "p1 c" {
		t.Errorf("second %q", b.Records[0].Raw)
	}
	if x := s.state(event.SourceRetrying); x.NextTry.Sub(s.clock.Now()) != 2*time.Second || x.Records != 3 {
		t.Errorf("%+v", x)
	}
}

func TestSuperviseBackOffGrowsAndIsReset(t *testing.T) {
	fails := func(context.Context, Position, chan<- Batch) error { return errors.New("no") }
	s := supervise(t, Info{ID: "x"}, "", fails)
	for _, want := range []int{1, 2, 4, 8, 16, 32, 60, 60} {
		x := s.state(event.SourceRetrying)
		if got := x.NextTry.Sub(s.clock.Now()); got != time.Duration(want)*time.Second {
			t.Fatalf("waits %v, want %d s", got, want)
		}
		s.clock.advance(t, time.Duration(want)*time.Second)
	}
}

func TestSuperviseTurnsPanicsIntoErrors(t *testing.T) {
	s := supervise(t, Info{ID: "x"}, "", func(context.Context, Position, chan<- Batch) error { panic("nil map") })
	if x := s.state(event.SourceRetrying); !strings.Contains(x.Reason, "it panicked: nil map") {
		t.Errorf("%q", x.Reason)
	}
}

func TestSuperviseStates(t *testing.T) {
	for want, err := range map[event.SourceState]error{
		event.SourceDone:   nil,
		event.SourceDenied: fmt.Errorf("x: %w", fs.ErrPermission),
		event.SourceGone:   fmt.Errorf("x: %w", fs.ErrNotExist),
	} {
		s := supervise(t, Info{ID: "x", Path: "/none"}, "", func(context.Context, Position, chan<- Batch) error { return err })
		s.state(event.SourceStarting)
		s.state(want)
	}
}

func TestSuperviseCountsLoss(t *testing.T) {
	s := supervise(t, Info{ID: "x"}, "", func(_ context.Context, _ Position, out chan<- Batch) error {
		out <- Batch{Records: []Record{{Raw: []byte("5 gone"), Lost: 5}, {Raw: []byte("abc")}}}
		return nil
	})
	<-s.out
	if x := s.state(event.SourceDone); x.Lost != 5 || x.Records != 1 || x.Bytes != 3 {
		t.Errorf("%+v", x)
	}
}

func TestSuperviseSaysWhenItIsSilent(t *testing.T) {
	more := make(chan struct{})
	s := supervise(t, Info{ID: "x", Silence: 3 * time.Second}, "", func(ctx context.Context, _ Position, out chan<- Batch) error {
		<-more
		out <- Batch{Records: []Record{{Raw: []byte("x")}}}
		<-ctx.Done()
		return nil
	})
	s.state(event.SourceStarting)
	for range 3 {
		s.clock.advance(t, time.Second)
	}
	if x := s.state(event.SourceSilent); !strings.Contains(x.Reason, "nothing came for 3s") {
		t.Errorf("%q", x.Reason)
	}
	close(more)
	<-s.out
	s.state(event.SourceLive)
}

func TestSupervisePassesOnWhatTheSourceSays(t *testing.T) {
	d := newFolder(t)
	reports := make(chan event.SourceStatus, 100)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		Supervise(ctx, Opened{Info{ID: "f", Path: d.path("log")}, NewFile(d.path("log"), FileOptions{})}, "", make(chan Batch), func(x event.SourceStatus) { reports <- x })
	}()
	defer func() { cancel(); <-ended }()
	s := &supervised{t: t, reports: reports}
	s.state(event.SourceGone)
	d.add("log", "")
	s.state(event.SourceLive)
}

// TestSuperviseGivesUpWhatIsReadOnce returns without a second attempt.
func TestSuperviseGivesUpWhatIsReadOnce(t *testing.T) {
	path := newFolder(t).path("missing")
	var last event.SourceStatus
	for want, src := range map[event.SourceState]Source{
		event.SourceGone:    NewStatic(path, "", nil),
		event.SourceSkipped: &scripted{runs: []func(context.Context, Position, chan<- Batch) error{func(context.Context, Position, chan<- Batch) error { return errors.New("no") }}},
	} {
		Supervise(context.Background(), Opened{Info{ID: "x", Path: path}, src}, "", make(chan Batch), func(x event.SourceStatus) { last = x })
		if last.State != want || !last.NextTry.IsZero() || last.Reason == "" {
			t.Errorf("ended as %v (%q), next try %v", last.State, last.Reason, last.NextTry)
		}
	}
}
