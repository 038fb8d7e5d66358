package triage

import (
	"cmp"
	"slices"
	"sort"
)

// view is the sorted list of alerts, rebuilt only when somebody asks and only
// where something changed.
type view struct {
	sorted []*Alert
	stale  []*node
	gen    uint64
}

// byRisk is the queue's order: risk, then who waits longest, then the id.
func byRisk(a, b *Alert) int {
	return cmp.Or(cmp.Compare(b.Risk, a.Risk), a.Raised.Compare(b.Raised), cmp.Compare(a.ID, b.ID))
}

// touch notes that the node's alert is about to change.
func (v *view) touch(n *node) {
	if !n.stale {
		n.stale = true
		v.stale = append(v.stale, n)
	}
}

// Alerts returns all alerts in queue order (risk, then age) as one immutable
// list; gen changes when anything in it does. It costs nothing when nothing
// changed, and one copy of the list of pointers otherwise.
func (b *Board) Alerts() (list []*Alert, gen uint64) {
	v := &b.view
	if len(v.stale) == 0 {
		return v.sorted, v.gen
	}
	if len(v.stale) > len(v.sorted)/8 {
		b.sortAll()
	} else {
		v.merge()
	}
	for _, n := range v.stale {
		n.shown, n.shared, n.stale = n.alert, true, false
	}
	v.stale = v.stale[:0]
	v.gen++
	return v.sorted, v.gen
}

func (b *Board) sortAll() {
	all := make([]*Alert, 0, len(b.nodes))
	for _, n := range b.nodes {
		all = append(all, n.alert)
	}
	slices.SortFunc(all, byRisk)
	b.view.sorted = all
}

// merge makes a new list from the old one, leaving out the old places of what
// changed and putting them where they belong now.
func (v *view) merge() {
	gone := make([]int, 0, len(v.stale))
	add := make([]*Alert, 0, len(v.stale))
	for _, n := range v.stale {
		if n.shown != nil {
			gone = append(gone, v.find(n.shown))
		}
		add = append(add, n.alert)
	}
	slices.Sort(gone)
	slices.SortFunc(add, byRisk)
	out := make([]*Alert, 0, len(v.sorted)+len(add)-len(gone))
	from := 0
	for _, a := range add {
		to := from + sort.Search(len(v.sorted)-from, func(i int) bool { return byRisk(v.sorted[from+i], a) > 0 })
		out, gone = v.keep(out, gone, from, to)
		out, from = append(out, a), to
	}
	v.sorted, _ = v.keep(out, gone, from, len(v.sorted))
}

// keep appends sorted[from:to] to out without the places in gone, which it uses up.
func (v *view) keep(out []*Alert, gone []int, from, to int) ([]*Alert, []int) {
	for len(gone) > 0 && gone[0] < to {
		out = append(out, v.sorted[from:gone[0]]...)
		from, gone = gone[0]+1, gone[1:]
	}
	return append(out, v.sorted[from:to]...), gone
}

// find is the place of a shown alert in the list.
func (v *view) find(a *Alert) int {
	i, _ := slices.BinarySearchFunc(v.sorted, a, byRisk)
	return i
}
