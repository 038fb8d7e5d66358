package engine

import (
	"time"

	"bartizan/event"
)

// A clock was set back when this many records in a row are older than the newest
// before them by backBy, or by twice what the source may be late.
const (
	backBy  = 3 * time.Minute
	backRun = 5
)

// clockwork follows the times of one source's records, in the order they come. It
// belongs to the goroutine that parses them.
type clockwork struct {
	newest time.Time
	back   int
	low    time.Time // newest of the run of older records
	begin  event.Ref // where that run begins
	mark   time.Time // up to where pauses were learnt
	learnt time.Time // up to where an engine before this one did
	usual  *usual
}

// newClockwork begins with what an engine before this one has learnt of the source.
func newClockwork(learnt string) *clockwork {
	c := &clockwork{usual: readUsual(learnt)}
	c.learnt = c.usual.through()
	return c
}

// learn passes a step on, unless it was learnt from before.
func (c *clockwork) learn(from, to time.Time) {
	if to.After(c.learnt) {
		c.usual.learn(from, to)
	}
}

// oddity is what is odd about the time of a record.
type oddity struct {
	back     bool // else a gap
	from, to time.Time
	ref      event.Ref
}

// see takes the next record's time and says what is odd about it. late is how
// late records of the source may be.
func (c *clockwork) see(t time.Time, ref event.Ref, late time.Duration) (o oddity, odd bool) {
	switch {
	case c.newest.IsZero():
		c.newest = t
		return o, false
	case !t.Before(c.newest.Add(-max(backBy, 2*late))):
		c.back = 0
	case c.back > 0 && t.Before(c.low.Add(-backBy)):
		c.back = 0 // records from all over the past: out of order, not another clock
		return o, false
	default:
		return c.older(t, ref)
	}
	d := t.Sub(c.newest)
	if d <= 0 {
		return o, false
	}
	if d >= gapFloor {
		if longest, ok := c.usual.longest(); ok && d >= longest {
			o, odd = oddity{from: c.newest, to: t, ref: ref}, true
		}
	}
	switch {
	case d >= time.Second || c.mark.IsZero():
		c.learn(c.newest, t)
		c.mark = t
	case t.Sub(c.mark) >= time.Second: // pauses within a second are one: they are many, and tell nothing
		c.learn(c.mark, t)
		c.mark = t
	}
	c.newest = t
	return o, odd
}

// older takes a record that is far behind the newest.
func (c *clockwork) older(t time.Time, ref event.Ref) (o oddity, odd bool) {
	if c.back == 0 {
		c.low, c.begin = t, ref
	}
	c.back++
	if t.After(c.low) {
		c.low = t
	}
	if c.back < backRun {
		return o, false
	}
	o = oddity{back: true, from: c.newest, to: c.low, ref: c.begin}
	c.back, c.newest, c.mark = 0, c.low, time.Time{} // this is the time now
	return o, true
}
