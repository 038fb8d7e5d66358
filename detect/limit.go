package detect

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Limit is how long evaluating one rule may take. Only a sample of the events is
// measured: every event at first, then fewer and fewer down to one in Every, and
// every event again for as long as a measured evaluation was over Mean.
//
// A rule is switched off when the mean of its last evaluations measured (at least
// Samples, at most eight times as many, older ones fading out) is over Mean, where
// each counts for at most eight times Mean: so that a machine that paused, or one
// value that was exceptionally long, does not decide. Evaluations over a
// thousand times Mean are not waited for that often: a quarter of Samples of those is enough.
type Limit struct {
	Mean    time.Duration
	Samples int
	Every   int
	Now     func() time.Duration // monotonic; called twice or more per measured event
	Off     func(OffRule)        // called once for a rule that is switched off, by the goroutine that matches; nil: see Set.Off
}

// DefaultLimit is a millisecond, over 32 evaluations measured in 1 of 256 events. The
// budget of all rules together is 16 µs per event (60,000 events a second on one
// core), and those of 3,755 public rules that are often evaluated take 30 µs at most,
// on a busy machine: a rule over a millisecond costs more than sixty times what all
// should. What measuring costs is in docs/benchmarks.md.
func DefaultLimit(now func() time.Duration) Limit {
	return Limit{Mean: time.Millisecond, Samples: 32, Every: 256, Now: now}
}

// OffRule is a rule that was switched off because it took too long.
type OffRule struct {
	Rule        *Rule
	Mean        time.Duration // of the evaluations measured, none counted for more than eight times the limit
	Evaluations int           // that were measured, lately
}

const (
	sampleCap    = 8    // times Mean: what one evaluation counts at most
	sampleWindow = 8    // times Samples: then older ones fade out
	severeCap    = 1000 // times Mean: what need not happen often
	quietSamples = 16   // measured events without a slow rule, before fewer are measured
)

// limiter holds what was measured of a set's rules, for all its matchers.
type limiter struct {
	Limit
	off atomic.Pointer[bitset] // by place in Set.rules; nil: none is off

	mu     sync.Mutex
	meters []meter
	list   []OffRule
}

// meter is what was measured of one rule.
type meter struct {
	n, severe int
	sum       time.Duration
}

// SetLimit begins to measure rules and to switch off those over the limit. Without
// it no rule is ever switched off. Call it before the set is in use.
func (s *Set) SetLimit(l Limit) {
	l.Samples, l.Every = max(l.Samples, 1), max(l.Every, 1)
	s.limiter.Limit = l
	s.limiter.meters = make([]meter, len(s.rules))
}

// Off returns the rules that are switched off, in the order it happened. Any
// goroutine may call it.
func (s *Set) Off() []OffRule {
	s.limiter.mu.Lock()
	defer s.limiter.mu.Unlock()
	return slices.Clone(s.limiter.list)
}

// SwitchOn switches the rule with that id on again, for all matchers from their next
// event on; what was measured of it is forgotten. False: it is not off.
func (s *Set) SwitchOn(id string) bool {
	l := &s.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	at := slices.IndexFunc(l.list, func(o OffRule) bool { return o.Rule.ID == id })
	if at < 0 {
		return false
	}
	if place := slices.Index(s.rules, l.list[at].Rule); place >= 0 && l.meters != nil {
		l.meters[place] = meter{}
	}
	l.list = slices.Delete(l.list, at, at+1)
	s.publishOff()
	return true
}

// KeepOff switches off what is off in old and is the same rule here (id and Hash),
// for a reload.
func (s *Set) KeepOff(old *Set) {
	gone := old.Off()
	l := &s.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range gone {
		if r := s.byID[o.Rule.ID]; r != nil && r.Hash == o.Rule.Hash && !l.isOff(r) {
			l.list = append(l.list, OffRule{r, o.Mean, o.Evaluations})
		}
	}
	s.publishOff()
}

// publishOff tells the matchers which rules are off; the caller holds the lock.
func (s *Set) publishOff() {
	l := &s.limiter
	if len(l.list) == 0 {
		l.off.Store(nil)
		return
	}
	off := newBitset(len(s.rules))
	for i, r := range s.rules {
		if slices.ContainsFunc(l.list, func(o OffRule) bool { return o.Rule == r }) {
			off.add(int32(i))
		}
	}
	l.off.Store(&off)
}

// take notes what evaluating some rules took and switches off those over the limit;
// hot is whether any evaluation was over it.
func (s *Set) take(rules []int32, took []time.Duration) (hot bool) {
	l := &s.limiter
	var told []OffRule
	l.mu.Lock()
	for i, r := range rules {
		hot = hot || took[i] > l.Mean
		m := &l.meters[r]
		if !m.over(&l.Limit, took[i]) || l.isOff(s.rules[r]) {
			continue
		}
		told = append(told, OffRule{s.rules[r], m.sum / time.Duration(m.n), m.n})
		*m = meter{}
	}
	if told != nil {
		l.list = append(l.list, told...)
		s.publishOff()
	}
	l.mu.Unlock()
	for _, o := range told {
		if l.Off != nil {
			l.Off(o)
		}
	}
	return hot
}

func (l *limiter) isOff(r *Rule) bool {
	return slices.ContainsFunc(l.list, func(o OffRule) bool { return o.Rule == r })
}

// over adds an evaluation and reports whether the rule takes too long.
func (m *meter) over(l *Limit, took time.Duration) bool {
	m.n++
	m.sum += min(took, sampleCap*l.Mean)
	if took > severeCap*l.Mean {
		m.severe++
	}
	yes := m.sum > time.Duration(m.n)*l.Mean && (m.n >= l.Samples || m.severe >= max(l.Samples/4, 1))
	if m.n >= sampleWindow*l.Samples && !yes {
		m.n, m.sum, m.severe = m.n/2, m.sum/2, m.severe/2
	}
	return yes
}
