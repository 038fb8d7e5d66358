package detect

import (
	"cmp"
	"encoding/binary"
	"slices"
	"time"
	"unsafe"

	"bartizan/event"
)

// mark is one match in a window.
type mark struct {
	at     int64 // event time, Unix nanoseconds
	key    uint64
	num    float64
	member int32
	nth    uint64    // number of the event; one event may leave several marks
	refs   *evidence // nil: too many came after it
}

// evidence is what proves a mark; event only where windows wait.
type evidence struct {
	refs   []event.Ref
	event  *event.Event
	weight int // bytes of all this; counted once, for the first mark that has it
}

// group is the window of one group of one windowed rule.
type group struct {
	key    stateKey
	of     *windowed
	about  []event.Entity
	marks  []mark // by time, equal times by arrival
	room   int    // marks that the array under marks has room for
	weight int    // bytes of the evidence
	size   int    // bytes of all, as counted last
	firing bool
	fired  int64 // the last window that hit ended here, 0 for none
	trail  trail
	// of windows that wait:
	anchor int64 // the window begins here
	closed int64 // all before was judged
	place  int   // in the queue of closing windows, -1: not in it
}

// insert puts m where its time belongs and returns its place.
func (g *group) insert(m mark) int {
	i := len(g.marks)
	if i > 0 && m.at < g.marks[i-1].at {
		i, _ = slices.BinarySearchFunc(g.marks, m.at+1, func(x mark, at int64) int { return cmp.Compare(x.at, at) })
	}
	if i < g.trail.top {
		g.trail.reset()
	}
	had := cap(g.marks)
	if g.marks = slices.Insert(g.marks, i, m); cap(g.marks) > had {
		g.room = cap(g.marks)
	}
	for k := len(g.marks) - MaxRefs - 1; k >= 0 && g.marks[k].refs != nil && !g.of.waits && !g.of.cor.Type.Temporal(); k-- {
		g.lighten(k)
		g.marks[k].refs = nil
	}
	return i
}

// from is the place of the first mark at or after a time.
func (g *group) from(at int64) int {
	i, _ := slices.BinarySearchFunc(g.marks, at, func(x mark, at int64) int { return cmp.Compare(x.at, at) })
	return i
}

// forget drops marks from before a time and returns how many.
func (g *group) forget(before int64) (n int) {
	for n < len(g.marks) && g.marks[n].at < before {
		n++
	}
	g.dropFront(n)
	return n
}

// dropFront drops the first n marks.
func (g *group) dropFront(n int) {
	for i := range n {
		g.lighten(i)
	}
	g.trail.dropFront(g.marks[:n])
	clear(g.marks[:n])
	g.marks = g.marks[n:]
	g.shrink()
}

// shrink gives back the array when most of it is unused.
func (g *group) shrink() {
	if g.room > 32 && 4*len(g.marks) < g.room {
		g.marks = slices.Clone(g.marks)
		g.room = cap(g.marks)
	}
}

// What things take in memory, in bytes: a group with its place in the map, the list
// and the heap, a mark, an entity, and what proves a mark besides its references.
const (
	bytesOfGroup  = 448
	bytesOfMark   = int(unsafe.Sizeof(mark{}))
	bytesOfEntity = int(unsafe.Sizeof(event.Entity{}))
	bytesOfProof  = 64
	bytesOfRef    = int(unsafe.Sizeof(event.Ref{})) + 8
	bytesOfField  = int(unsafe.Sizeof(event.Field{}))
	bytesOfEvent  = int(unsafe.Sizeof(event.Event{})) + 64
	bytesOfValue  = 40 // a distinct value in a trail
)

// bytes is what the group takes, about.
func (g *group) bytes() int {
	n := bytesOfGroup + g.room*bytesOfMark + g.weight + len(g.trail.values)*bytesOfValue + cap(g.trail.ranks)*8
	for i := range g.about {
		n += bytesOfEntity + len(g.about[i].Value)
	}
	return n
}

// eventBytes is what a copy of e takes.
func eventBytes(e *event.Event) int {
	n := bytesOfEvent + cap(e.Raw) + len(e.Message) + len(e.Fields)*bytesOfField
	for i := range e.Fields {
		n += len(e.Fields[i].Name) + len(e.Fields[i].Value.Str)
	}
	return n
}

// maxCopied is how many bytes of copied events one group keeps; over that only
// those of the newest match and of the last in the window that closes next.
const maxCopied = 256 << 10

// thin drops copies of events that are likely not asked for.
func (g *group) thin() {
	if !g.of.waits || g.weight <= maxCopied {
		return
	}
	last := g.from(g.anchor+g.of.span+1) - 1
	for i := 0; i < len(g.marks)-1; i++ {
		if x := g.marks[i].refs; i != last && x != nil && x.event != nil && x != g.marks[len(g.marks)-1].refs && (last < 0 || x != g.marks[last].refs) {
			freed := min(eventBytes(x.event), x.weight)
			x.weight -= freed
			g.weight -= freed
			x.event = nil
		}
	}
}

// proofAt is the evidence of the mark at place i with a copy of an event: its own,
// else of the nearest mark before or behind that has one.
func (g *group) proofAt(i int) *evidence {
	own := g.marks[i].refs
	for d := range len(g.marks) {
		for _, k := range [2]int{i - d, i + d} {
			if k >= 0 && k < len(g.marks) && g.marks[k].refs != nil && g.marks[k].refs.event != nil {
				return &evidence{refs: own.refs, event: g.marks[k].refs.event}
			}
		}
	}
	return own
}

// lighten takes the weight of a mark that goes.
func (g *group) lighten(i int) {
	if e := g.marks[i].refs; e != nil {
		g.weight -= e.weight
		e.weight = 0
	}
}

// overflow makes room when the window holds too many marks: those go that tell
// nothing since their like came again (of temporal types the same rule, of
// value_count the same value), then the oldest. It returns how many went that may
// have told something.
func (g *group) overflow() (lost int) {
	switch t := g.of.cor.Type; t {
	case EventCount: // more than are asked for are there
		g.dropFront(len(g.marks) - g.of.keep)
		return 0
	case ValueCount, Temporal, TemporalOrdered:
		if !g.of.absence { // there each match begins a window
			g.compact(t)
		}
	}
	values := g.of.cor.Type == ValueCount
	most := g.of.keep
	if values {
		most -= most / 4 // compacting is not for every mark
	}
	n := max(0, len(g.marks)-most)
	g.dropFront(n)
	if values && !g.of.waits { // more than are asked for are there
		return 0
	}
	return n
}

// compact drops the marks, the newest (for MaxRefs) aside, whose like comes again: of
// temporal_ordered right after, of others at any later time. Of a window that waits
// only its own marks are like each other.
func (g *group) compact(t CorrelationType) {
	g.trail.reset()
	seen := map[uint64]struct{}{}
	to := len(g.marks)
	for i := len(g.marks) - 1; i >= 0; i-- {
		if g.of.waits && g.marks[i].at > g.anchor+g.of.span {
			to--
			continue // nothing was dropped behind it, so it stays where it is
		}
		like := uint64(g.marks[i].member)
		if t == ValueCount {
			like = g.marks[i].key
		}
		_, again := seen[like]
		if t == TemporalOrdered {
			clear(seen)
		}
		seen[like] = struct{}{}
		if again && i < len(g.marks)-min(MaxRefs, g.of.keep/2) {
			g.lighten(i)
			continue
		}
		to--
		g.marks[to] = g.marks[i]
	}
	clear(g.marks[:to])
	g.marks = g.marks[to:]
	g.shrink()
}

// newest is the time of the last mark, the beginning of time for none.
func (g *group) newest() int64 {
	if len(g.marks) == 0 {
		return beginning
	}
	return g.marks[len(g.marks)-1].at
}

const beginning = -1 << 62

func putText(dst []byte, s string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}

// closing is the queue of windows that wait, the one that closes first on top. It
// is a heap in which groups know their place.
type closing []*group

func (q closing) Len() int           { return len(q) }
func (q closing) Less(i, j int) bool { return q[i].anchor+q[i].of.span < q[j].anchor+q[j].of.span }
func (q closing) Swap(i, j int)      { q[i], q[j] = q[j], q[i]; q[i].place, q[j].place = i, j }
func (q *closing) Push(x any)        { g := x.(*group); g.place = len(*q); *q = append(*q, g) }
func (q *closing) Pop() any {
	old := *q
	g := old[len(old)-1]
	old[len(old)-1] = nil
	*q, g.place = old[:len(old)-1], -1
	return g
}

func (g *group) window() Window {
	end := g.newest()
	w := g.marks[g.from(end-g.of.span):]
	return Window{Group: g.about, Count: events(w), First: time.Unix(0, w[0].at).UTC(), Last: time.Unix(0, end).UTC(), Firing: g.firing}
}

// events is how many events left these marks.
func events(w []mark) int {
	n := 0
	for i := range w {
		if i == 0 || w[i].nth != w[i-1].nth {
			n++
		}
	}
	return n
}
