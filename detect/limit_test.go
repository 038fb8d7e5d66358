package detect

import (
	"fmt"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"bartizan/event"
)

// steps is a clock that goes on by the next of some steps whenever it is read, and
// by nothing when there is none.
type steps struct {
	at   time.Duration
	next []time.Duration
}

func (c *steps) now() time.Duration {
	if len(c.next) > 0 {
		c.at += c.next[0]
		c.next = c.next[1:]
	}
	return c.at
}

// limited is a set of two rules that events with a and b make candidates, in that order.
func limited(t testing.TB, c *steps, off func(OffRule)) (*Set, *Matcher) {
	s := NewSet([]*Rule{{ID: "slow", Cond: must(t, "a: x")}, {ID: "quick", Cond: must(t, "b: x")}})
	l := DefaultLimit(c.now)
	l.Off = off
	s.SetLimit(l)
	return s, s.NewMatcher()
}

func xEvent(names ...string) *event.Event {
	e := &event.Event{Native: len(names)}
	for _, n := range names {
		e.Fields = append(e.Fields, field(n, "x"))
	}
	return e
}

func TestSlowRuleIsSwitchedOff(t *testing.T) {
	var told []OffRule
	c := &steps{}
	s, m := limited(t, c, func(o OffRule) { told = append(told, o) })
	e := xEvent("a", "b")
	other := s.NewMatcher()
	for i := range 31 {
		c.next = []time.Duration{0, 2 * time.Millisecond, time.Microsecond}
		if got := names(m.Match(e, nil)); !slices.Equal(got, []string{"slow", "quick"}) || s.Off() != nil {
			t.Fatalf("event %d: %v, off %v", i, got, s.Off())
		}
	}
	c.next = []time.Duration{0, 2 * time.Millisecond, time.Microsecond}
	m.Match(e, nil)
	want := []OffRule{{s.Rule("slow"), 2 * time.Millisecond, 32}}
	if !slices.Equal(s.Off(), want) || !slices.Equal(told, want) {
		t.Fatalf("off %v, told %v", s.Off(), told)
	}
	for _, m := range []*Matcher{m, other} {
		if got := names(m.Match(e, nil)); !slices.Equal(got, []string{"quick"}) {
			t.Errorf("with a rule off: %v", got)
		}
	}
	next := NewSet([]*Rule{s.Rule("quick"), {ID: "slow", Cond: must(t, "a: x")}})
	next.KeepOff(s)
	changed := NewSet([]*Rule{{ID: "slow", Cond: must(t, "a: x"), Hash: [16]byte{1}}})
	changed.KeepOff(s)
	if len(next.Off()) != 1 || len(next.NewMatcher().Match(e, nil)) != 1 || changed.Off() != nil {
		t.Error("a reload does not keep just the rules off that are the same")
	}
	if s.SwitchOn("quick") || !s.SwitchOn("slow") || s.SwitchOn("slow") || len(s.Off()) != 0 {
		t.Error("switching on does not say what was off")
	}
	if got := names(other.Match(e, nil)); len(got) != 2 || len(told) != 1 {
		t.Errorf("switched on again: %v, told %v", got, told)
	}
}

// TestPausesDoNotSwitchOff: a machine that stands still hits rules at random.
func TestPausesDoNotSwitchOff(t *testing.T) {
	c := &steps{}
	s, m := limited(t, c, nil)
	e := xEvent("a")
	for i := range 10_000 {
		c.next = []time.Duration{0, time.Microsecond}
		if i%16 == 0 {
			c.next[1] = time.Minute
		}
		m.Match(e, nil)
	}
	if s.Off() != nil {
		t.Errorf("switched off by pauses: %v", s.Off())
	}
}

func TestVerySlowRuleIsSwitchedOffSooner(t *testing.T) {
	c := &steps{}
	s, m := limited(t, c, nil)
	for n := 1; n <= 8; n++ {
		if len(s.Off()) != 0 {
			t.Fatalf("switched off after %d evaluations", n-1)
		}
		c.next = []time.Duration{0, 2 * time.Second}
		m.Match(xEvent("a"), nil)
	}
	if len(s.Off()) != 1 {
		t.Error("a rule that takes seconds is not switched off after eight of them")
	}
}

// TestFewEventsAreMeasured: of ordinary events one in 256, of slow ones every one.
func TestFewEventsAreMeasured(t *testing.T) {
	reads := 0
	var step time.Duration
	s := NewSet([]*Rule{{ID: "r", Cond: must(t, "a: x")}})
	s.SetLimit(DefaultLimit(func() time.Duration { reads++; return time.Duration(reads) * step }))
	m := s.NewMatcher()
	run := func(n int) int {
		reads = 0
		for range n {
			m.Match(xEvent("a"), nil)
		}
		return reads / 2
	}
	run(10_000)
	if n := run(2560); n != 10 {
		t.Errorf("%d of 2560 events were measured, want 10", n)
	}
	step = 2 * time.Millisecond
	for run(1) == 0 {
	}
	if n := run(10); n != 10 {
		t.Errorf("%d of 10 events with a slow rule were measured", n)
	}
}

func TestLimitDoesNotAllocate(t *testing.T) {
	var now time.Duration
	s := NewSet(synthetic(t, 100))
	l := DefaultLimit(func() time.Duration { now += 100; return now })
	l.Every = 1
	s.SetLimit(l)
	m, e := s.NewMatcher(), quietEvent()
	m.Match(e, nil)
	if n := testing.AllocsPerRun(200, func() { m.Match(e, nil) }); n != 0 {
		t.Errorf("%v allocations per measured event", n)
	}
}

// TestSwitchingOffWhileMatching: many workers, one state, one telling.
func TestSwitchingOffWhileMatching(t *testing.T) {
	var mu sync.Mutex
	told := 0
	var at time.Duration
	s := NewSet([]*Rule{{ID: "slow", Cond: must(t, "a: x")}})
	s.SetLimit(Limit{
		Mean: time.Millisecond, Samples: 32, Every: 256,
		Now: func() time.Duration { mu.Lock(); defer mu.Unlock(); at += 5 * time.Millisecond; return at },
		Off: func(OffRule) { mu.Lock(); told++; mu.Unlock() },
	})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			m := s.NewMatcher()
			for range 500 {
				m.Match(xEvent("a"), nil)
				s.Off()
			}
		})
	}
	wg.Wait()
	if told != 1 || len(s.Off()) != 1 || len(s.NewMatcher().Match(xEvent("a"), nil)) != 0 {
		t.Errorf("told %d times, off %v", told, s.Off())
	}
}

func TestProfile(t *testing.T) {
	linux := event.LogSource{Product: "linux"}
	s := NewSet([]*Rule{{ID: "a", Cond: must(t, "a: x")}, {ID: "b", LogSource: linux, Cond: must(t, "b: x and not a: x")}, {ID: "none"}})
	one, two := s.NewMatcher(), s.NewMatcher()
	c := &steps{}
	one.Profile(c.now)
	two.Profile(c.now)
	c.next = []time.Duration{0, 5, 10}
	one.Match(xEvent("a"), nil)
	e := xEvent("a", "b")
	e.LogSource = linux
	c.next = []time.Duration{0, 5, 20, 100}
	two.Match(e, nil)
	s.NewMatcher().Match(e, nil)
	p := ProfileOf(one, nil, two, s.NewMatcher(), NewSet(nil).NewMatcher())
	got := fmt.Sprint(p.Events, p.Index, len(p.Rules))
	for _, r := range p.Rules {
		got += fmt.Sprint(" ", r.Rule.ID, " ", r.Events, r.Evaluations, r.Hits, r.Time)
	}
	if want := "2 10ns 2 b 1 1 0 100ns a 2 2 2 30ns"; got != want {
		t.Errorf("profile %s, want %s", got, want)
	}
	one.Profile(nil)
	two.Profile(nil)
	c.next = []time.Duration{1}
	if one.Match(e, nil); len(c.next) != 1 || ProfileOf(one, two).Rules != nil {
		t.Error("it is still measured")
	}
}

func BenchmarkLimit(b *testing.B) {
	for _, on := range []bool{false, true} {
		b.Run(fmt.Sprintf("on=%v", on), func(b *testing.B) {
			s := NewSet(synthetic(b, 1000))
			if began := time.Now(); on {
				s.SetLimit(DefaultLimit(func() time.Duration { return time.Since(began) }))
			}
			m, e := s.NewMatcher(), quietEvent()
			for range 10_000 {
				m.Match(e, nil)
			}
			b.ReportAllocs()
			start := cpuTime(b)
			for b.Loop() {
				m.Match(e, nil)
			}
			b.ReportMetric(float64(cpuTime(b)-start)/float64(b.N), "cpu-ns/op")
		})
	}
}

// cpuTime is how long this process has had a core, so that a busy machine does not
// change the figures as much.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
