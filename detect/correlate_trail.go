package detect

import "slices"

// trail keeps up what the marks from place low up to place top come to, so that a
// window that slides by one mark costs one mark. The zero trail is empty.
type trail struct {
	low, top int
	values   map[uint64]int32
	ranks    []float64
}

func (t *trail) reset() {
	t.low, t.top, t.ranks = 0, 0, t.ranks[:0]
	clear(t.values)
}

// distinct is how many different keys the marks from place from on have.
func (t *trail) distinct(marks []mark, from int) int {
	if t.values == nil {
		t.values = map[uint64]int32{}
	}
	t.slide(marks, from)
	return len(t.values)
}

// sorted are the numbers of the marks from place from on; valid until the next call.
func (t *trail) sorted(marks []mark, from int) []float64 {
	t.slide(marks, from)
	return t.ranks
}

func (t *trail) slide(marks []mark, from int) {
	if from < t.low || from >= t.top {
		t.reset()
		t.low, t.top = from, from
	}
	for ; t.top < len(marks); t.top++ {
		t.put(&marks[t.top])
	}
	for ; t.low < from; t.low++ {
		t.take(&marks[t.low])
	}
}

func (t *trail) put(m *mark) {
	if t.values != nil {
		t.values[m.key]++
		return
	}
	i, _ := slices.BinarySearch(t.ranks, m.num)
	t.ranks = slices.Insert(t.ranks, i, m.num)
}

func (t *trail) take(m *mark) {
	if t.values == nil {
		if i, ok := slices.BinarySearch(t.ranks, m.num); ok {
			t.ranks = slices.Delete(t.ranks, i, i+1)
		}
		return
	}
	if t.values[m.key]--; t.values[m.key] == 0 {
		delete(t.values, m.key)
	}
}

// dropFront follows when the first marks go.
func (t *trail) dropFront(gone []mark) {
	for i := t.low; i < min(len(gone), t.top); i++ {
		t.take(&gone[i])
	}
	t.low, t.top = max(0, t.low-len(gone)), max(0, t.top-len(gone))
}
