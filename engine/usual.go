package engine

import (
	"math/bits"
	"slices"
	"sync"
	"time"
)

// What a source's usual pauses are is learnt from the times of its records. A
// pause counts as long as it lasts, so that a quiet night is usual though it is
// one pause among a million; a week later it counts half.
const (
	usualShare  = 0.01 // part of the time that may lie in pauses longer than usual
	usualTimes  = 3    // longer than the usual by this factor is unusual
	usualFloor  = 10 * time.Minute
	usualCap    = 24 * time.Hour
	usualAfter  = 6 * time.Hour // learnt over at least this long …
	usualPauses = 50            // … and from this many pauses
	usualHalf   = 7 * 24 * time.Hour
	gapFloor    = time.Hour // shorter pauses in the past are never said to be gaps
	maxPauses   = 64        // remembered of one source
	longPause   = 5 * time.Minute
)

// usual is what is known of one source's pauses. Its own lock: past and present
// are read at the same time.
type usual struct {
	mu      sync.Mutex
	weight  [40]float64 // seconds in pauses of [2^(i-1), 2^i) ms
	total   float64
	pauses  int
	first   time.Time // what was seen of the source, from …
	last    time.Time // … to
	lately  []lull    // pauses of at least longPause in between, newest last
	kept    int       // pauses that the board knows of
	decayed float64   // seconds learnt since weights were last halved in proportion
}

// lull is a time without records.
type lull struct{ from, to time.Time }

// learn takes the step from one record's time to the next one's.
func (u *usual) learn(from, to time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.first.IsZero() || from.Before(u.first) {
		u.first = from
	}
	if to.After(u.last) {
		u.last = to
	}
	d := to.Sub(from)
	if d <= 0 {
		return
	}
	s := min(d, usualCap).Seconds()
	u.weight[min(bits.Len64(uint64(d.Milliseconds())), len(u.weight)-1)] += s
	u.total += s
	u.pauses++
	if d >= longPause {
		u.lately = append(u.lately, lull{from, to})
		u.lately = u.lately[max(0, len(u.lately)-maxPauses):]
	}
	if u.decayed += s; u.decayed >= usualHalf.Seconds() {
		for i := range u.weight {
			u.weight[i] /= 2
		}
		u.total, u.decayed = u.total/2, 0
	}
}

// longest returns how long the source may be quiet before that is unusual; ok is
// false while too little is known.
func (u *usual) longest() (d time.Duration, ok bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.pauses < usualPauses || u.total < usualAfter.Seconds() {
		return 0, false
	}
	rest := u.total * usualShare
	for i := len(u.weight) - 1; i >= 0; i-- {
		if rest -= u.weight[i]; rest < 0 {
			d = time.Duration(1) << i * time.Millisecond // the pauses of weight[i] are shorter than that
			break
		}
	}
	return min(max(usualTimes*d, usualFloor), usualCap), true
}

// spoke says whether the source had records well inside (from, to); known is
// false while it has not been read so far.
func (u *usual) spoke(from, to time.Time) (yes, known bool) {
	margin := to.Sub(from) / 10
	from, to = from.Add(margin), to.Add(-margin)
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case u.first.IsZero() || u.last.Before(from):
		return false, false
	case u.first.After(to):
		return false, true
	}
	return !slices.ContainsFunc(u.lately, func(p lull) bool { return p.from.Before(from) && p.to.After(to) }), true
}
