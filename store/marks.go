package store

import (
	"slices"

	"bartizan/query"
	"bartizan/triage"
)

// Mark is one rule's hit on one record. It is dropped with the record.
type Mark struct {
	Rule  string // rule id
	Alert triage.AlertID
	Why   []query.Match
}

// The bounds of marks: per record, and in bytes per segment as a part of it.
const (
	MaxMarks  = 16
	markShare = 16 // a sixteenth of a segment, on top of the budget
)

// size is roughly what the mark takes in memory; its rule and alert names are
// shared with the board.
func (m Mark) size() int {
	n := 112
	for _, w := range m.Why {
		n += 64 + len(w.Field) + len(w.Predicate) + len(w.Value)
	}
	return n
}

// Mark notes a hit on the record. Once half of the segment's share of marks is
// used up only rule and alert are kept, without the reasons (matching again
// finds them). It reports false when the record is gone or the whole share is
// used up; the alert itself lives on the board either way.
// The mark is kept as it is: the caller gives it away.
func (r *Ring) Mark(seq uint64, m Mark) bool {
	if seq >= r.next.Load() {
		return false
	}
	s := r.pin(seq)
	if s == nil {
		return false
	}
	defer r.unpin(s)
	return s.marks.add(uint32(seq-s.base), m, r.segSize/markShare)
}

func (t *markTable) add(row uint32, m Mark, limit int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	have := t.byRow[row]
	if slices.ContainsFunc(have, func(o Mark) bool { return o.Rule == m.Rule && o.Alert == m.Alert }) {
		return true
	}
	if t.bytes+m.size() > limit/2 {
		m.Why = nil
	}
	if len(have) >= MaxMarks || t.bytes+m.size() > limit {
		return false
	}
	if t.byRow == nil {
		t.byRow = map[uint32][]Mark{}
	}
	t.byRow[row] = append(have[:len(have):len(have)], m)
	t.bytes += m.size()
	if len(have) == 0 {
		t.insert(row)
	}
	return true
}

// insert keeps the marked rows sorted; they nearly always come in order.
func (t *markTable) insert(row uint32) {
	i, _ := slices.BinarySearch(t.order, row)
	t.order = slices.Insert(t.order, i, row)
}

// Marks returns what rules found on that record; nil when nothing or gone. The
// slice must not be changed.
func (r *Ring) Marks(seq uint64) []Mark {
	s := r.pin(seq)
	if s == nil {
		return nil
	}
	defer r.unpin(s)
	if seq-s.base >= uint64(s.count.Load()) {
		return nil
	}
	s.marks.mu.RLock()
	defer s.marks.mu.RUnlock()
	return s.marks.byRow[uint32(seq-s.base)]
}

// NextMarked finds the nearest marked record after seq, or before it when back
// is set; false when there is none.
func (r *Ring) NextMarked(seq uint64, back bool) (uint64, bool) {
	list := *r.list.Load()
	for i := range list {
		s := list[i]
		if back {
			s = list[len(list)-1-i]
		}
		if found, ok := s.nearest(seq, back); ok {
			return found, true
		}
	}
	return 0, false
}

// nearest finds the segment's marked row next to seq. A segment that was dropped
// meanwhile still has its marks: they lie in the Go heap.
func (s *segment) nearest(seq uint64, back bool) (uint64, bool) {
	s.marks.mu.RLock()
	defer s.marks.mu.RUnlock()
	order := s.marks.order
	if back {
		for _, row := range slices.Backward(order) {
			if at := s.base + uint64(row); at < seq {
				return at, true
			}
		}
		return 0, false
	}
	i, _ := slices.BinarySearchFunc(order, seq, func(row uint32, seq uint64) int {
		if s.base+uint64(row) <= seq {
			return -1
		}
		return 1
	})
	if i == len(order) {
		return 0, false
	}
	return s.base + uint64(order[i]), true
}
