package ui

import (
	"context"
	"sort"

	tea "charm.land/bubbletea/v2"

	"bartizan/query"
)

// The bounds of a sweep.
const (
	firstChunk = 4 << 10   // events looked at before the first rows are shown
	sweepChunk = 64 << 10  // events looked at between two looks at the keys
	maxMatches = 500 << 10 // matches kept; older ones stay in the ring but out of the list
)

// sweep finds the events of the ring that match, beginning at an anchor and
// growing in both directions, chunk by chunk in tasks. Matches keep their
// positions: those at or after the anchor count up from 0, those before down
// from -1, so nothing moves under the cursor while it grows.
type sweep struct {
	c     *Console
	match *query.Matcher
	pick  func(seq uint64) bool // instead of match, for what no query can say

	lo, hi   uint64 // looked at: [lo, hi)
	up, down []uint64
	gone     int // of up, overwritten
	size     uint64
	busy     *task
	err      error
	grown    func(seqs []uint64) tea.Cmd // told of every chunk's matches; may be nil
}

func newSweep(c *Console, m *query.Matcher, anchor uint64) *sweep {
	return &sweep{c: c, match: m, lo: anchor, hi: anchor, size: firstChunk}
}

// rows is a sequence of events on the screen.
type rows interface {
	bounds() (lo, hi int64)
	seq(pos int64) uint64
	pos(seq uint64) int64 // of the event, or of the one after it
}

// ringRows is everything the ring holds.
type ringRows struct{ first, next uint64 }

func (r ringRows) bounds() (int64, int64) { return int64(r.first), int64(r.next) }
func (r ringRows) seq(pos int64) uint64   { return uint64(pos) }
func (r ringRows) pos(seq uint64) int64   { return int64(seq) }

func (s *sweep) bounds() (int64, int64) {
	if len(s.down) > 0 {
		return -int64(len(s.down)), int64(len(s.up))
	}
	return int64(s.gone), int64(len(s.up))
}

func (s *sweep) seq(pos int64) uint64 {
	if pos >= 0 {
		return s.up[pos]
	}
	return s.down[-1-pos]
}

func (s *sweep) pos(seq uint64) int64 {
	lo, hi := s.bounds()
	return lo + int64(sort.Search(int(hi-lo), func(i int) bool { return s.seq(lo+int64(i)) >= seq }))
}

// trim forgets what the ring has overwritten.
func (s *sweep) trim(first uint64) {
	for len(s.down) > 0 && s.down[len(s.down)-1] < first {
		s.down = s.down[:len(s.down)-1]
	}
	for s.gone < len(s.up) && s.up[s.gone] < first {
		s.gone++
	}
}

// looked is the share of the ring that was looked at, 0..1.
func (s *sweep) looked() float64 {
	first, next := s.c.snap.first, s.c.snap.next
	if next <= first {
		return 1
	}
	lo, hi := max(s.lo, first), min(s.hi, next)
	return float64(max(hi, lo)-lo) / float64(next-first)
}

func (s *sweep) stop() {
	s.c.drop(s.busy)
	s.busy = nil
}

// more looks at the next chunk, newest first, when there is one and no other
// look is under way.
func (s *sweep) more() tea.Cmd {
	first, next := s.c.snap.first, s.c.snap.next
	s.trim(first)
	if s.busy != nil || s.err != nil {
		return nil
	}
	switch {
	case s.hi < first: // the ring has moved past: go on where it begins
		s.lo, s.hi = first, first
		return s.more()
	case s.hi < next:
		return s.look(s.hi, min(s.hi+s.size, next))
	case s.lo > first && len(s.up)+len(s.down) < maxMatches:
		return s.look(s.lo, max(s.lo-min(s.size, s.lo), first))
	}
	return nil
}

// look scans [from, to) upwards or [to, from) downwards.
func (s *sweep) look(from, to uint64) tea.Cmd {
	s.size = sweepChunk
	live, m, pick := s.c.opt.Live, s.match, s.pick
	t, cmd := s.c.spawn(func(ctx context.Context) func() tea.Cmd {
		var found []uint64
		var err error
		add := func(seq uint64) bool { found = append(found, seq); return true }
		if pick != nil {
			err = pickFrom(ctx, from, to, pick, add)
		} else {
			err = live.Scan(ctx, from, to, m, add)
		}
		return func() tea.Cmd { return s.merge(from, to, found, err) }
	})
	s.busy = t
	return cmd
}

// pickFrom is Scan with a function in place of a query.
func pickFrom(ctx context.Context, from, to uint64, pick func(uint64) bool, add func(uint64) bool) error {
	for n := uint64(0); from+n < to || from > to+n; n++ {
		seq := from + n
		if from > to {
			seq = from - 1 - n
		}
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if pick(seq) && !add(seq) {
			return nil
		}
	}
	return nil
}

func (s *sweep) merge(from, to uint64, found []uint64, err error) tea.Cmd {
	s.busy = nil
	if err != nil {
		s.err = err
		s.c.complain("the filter stopped: %s", clean(err.Error()))
		return nil
	}
	if from <= to {
		s.up, s.hi = append(s.up, found...), to
	} else {
		s.down, s.lo = append(s.down, found...), to
	}
	if s.grown == nil {
		return s.more()
	}
	return tea.Batch(s.grown(found), s.more())
}
