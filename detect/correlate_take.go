package detect

import (
	"container/heap"
	"container/list"
	"hash/maphash"
	"math"
	"slices"
	"sync"
	"time"
	"unsafe"

	"bartizan/event"
)

// DefaultLateness is how much older than the newest event one may be and still
// count, and how long a window that waits stays open for such.
const DefaultLateness = 15 * time.Minute

// The bounds of a Correlator, besides MaxStates and MaxRefs.
const (
	MaxStateBytes = 16 << 20 // what all windows take together, with the matches and the copies of events in them
	sweepWidth    = 2
)

// Correlator keeps the windows of rules that need several matches: correlations
// and rules with Count. Windows slide and go by event time; a rule hits once per
// group when its window becomes what it asks for, and is quiet until an event
// arrives whose own window is not, or a whole span passes without one. Late events
// count where they belong, up to Lateness. Windows that wait (see
// Correlation.Waits) are judged when the newest event is Lateness past their end,
// or earlier by Advance and Flush. An event more than five minutes ahead of its
// arrival counts as of its arrival. SetLateness makes both a matter of each source.
//
// Take, Advance, Flush and Swap are for one goroutine; the other methods may be
// called from any. What is lost for the caps is counted, see Evicted and Skipped.
type Correlator struct {
	Lateness time.Duration // set before the first event

	now     func() time.Time
	seed    [2]maphash.Seed
	mu      sync.Mutex
	plan    *plan
	states  map[stateKey]*list.Element
	recent  *list.List // of *group, most recently used first
	closing closing
	bytes   int // of all groups
	limits  limits
	newest  int64

	latenessOf func(event.SourceID, string) time.Duration // nil: Lateness for all
	sources    map[event.SourceID]*progress
	latest     int64 // the greatest lateness of any source known

	evicted uint64
	skipped uint64

	event    *event.Event // the event at hand, its number and the rules taken of it
	bare     event.Ref    // as it came
	raw      *byte        // where its bytes lie
	ref      event.Ref    // sealed
	known    []event.Entity
	nth      uint64
	matched  []*Rule
	out      []Completed
	key      []byte
	room     [16]event.Entity
	joined   []byte
	values   map[uint64]struct{}
	ranks    []float64
	measured []measure
	there    []bool
	near     []bool
	used     []uint64
}

// NewCorrelator returns a correlator for rules, which may be nil until Swap; now
// is the arrival time of events that carry none (Event.Seen).
func NewCorrelator(now func() time.Time, rules []*Rule) *Correlator {
	return &Correlator{
		Lateness: DefaultLateness, now: now, seed: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}, plan: newPlan(rules),
		states: map[stateKey]*list.Element{}, recent: list.New(), newest: beginning,
		limits: limits{MaxStates, MaxStateBytes}, values: map[uint64]struct{}{},
	}
}

// Take counts a match of r on e and returns what hits for it: windows whose time
// came meanwhile, then r itself unless it is Silent (with Count: only when its
// window became full), then the correlations completed by that, one on the other.
// The result is only valid until the next call.
func (c *Correlator) Take(r *Rule, e *event.Event) []Completed {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begin()
	at := c.timeOf(e)
	c.newest = max(c.newest, at)
	c.close(c.watermark(e, at))
	c.number(r, e)
	one := Completed{Rule: r, Event: e, Refs: []event.Ref{c.ref}, Count: 1, Value: 1, at: at}
	if w := c.plan.ownWindow(r); w != nil {
		c.feed(w, 0, &one, 0)
	} else {
		c.deliver(&one, 0)
	}
	return c.out
}

// Advance says that no event older than through will come, and returns what hits
// because windows that waited are closed by that.
func (c *Correlator) Advance(through time.Time) []Completed {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begin()
	c.close(through.UnixNano())
	return c.out
}

// Flush closes all windows that wait, at the end of what there is to read.
func (c *Correlator) Flush() []Completed {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begin()
	c.close(math.MaxInt64)
	return c.out
}

// Swap goes on with other rules: windows of rules whose id and Hash are unchanged
// stay, all others are forgotten.
func (c *Correlator) Swap(rules []*Rule) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.plan = newPlan(rules)
	c.matched = nil
	for k, el := range c.states {
		if w := c.plan.byKey[k.rule]; w != nil {
			el.Value.(*group).of = w
		} else {
			c.drop(el)
		}
	}
}

// Evicted is how many groups were forgotten because of the caps while their
// window could still have become full.
func (c *Correlator) Evicted() uint64 { c.mu.Lock(); defer c.mu.Unlock(); return c.evicted }

// Skipped is how many matches were not counted to the end: they came later than
// Lateness allows, or their window held more than is kept.
func (c *Correlator) Skipped() uint64 { c.mu.Lock(); defer c.mu.Unlock(); return c.skipped }

// States is how many groups are remembered.
func (c *Correlator) States() int { c.mu.Lock(); defer c.mu.Unlock(); return len(c.states) }

// Windows returns the windows of one rule, the most recently used first.
func (c *Correlator) Windows(ruleID string) []Window {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []Window
	for el := c.recent.Front(); el != nil; el = el.Next() {
		if g := el.Value.(*group); g.of.rule.ID == ruleID && len(g.marks) > 0 {
			out = append(out, g.window())
		}
	}
	return out
}

func (c *Correlator) begin() {
	clear(c.out)
	c.out = c.out[:0]
}

// number gives e a number, the same for several rules that match it: they are taken
// one after the other, so what is found out about e is found out once.
func (c *Correlator) number(r *Rule, e *event.Event) {
	if c.event != e || c.bare != e.Ref || c.raw != unsafe.SliceData(e.Raw) || slices.Contains(c.matched, r) {
		c.nth++
		c.event, c.bare, c.raw = e, e.Ref, unsafe.SliceData(e.Raw)
		c.ref, c.known, c.matched = e.Ref.Sealed(e.Raw), nil, c.matched[:0]
	}
	c.matched = append(c.matched, r)
}

// entities are those of e, valid as long as e is.
func (c *Correlator) entities(e *event.Event) []event.Entity {
	if e != c.event {
		return e.Entities(nil)
	}
	if c.known == nil {
		c.known = e.Entities(c.room[:0])
	}
	return c.known
}

// deliver gives out what a rule found and counts it for the correlations over it.
func (c *Correlator) deliver(d *Completed, depth int) {
	if !d.Rule.Silent {
		out := *d
		if out.Group == nil && d.Rule.Correlation == nil {
			out.Group = groupAmong(d.Rule, d.Event, c.entities(d.Event), nil)
		}
		c.out = append(c.out, out)
	}
	if depth == MaxChain {
		return
	}
	for _, l := range c.plan.listen[d.Rule.ID] {
		c.feed(l.to, l.member, d, depth+1)
	}
}

// feed counts a match for a window, and delivers the window when it became full.
func (c *Correlator) feed(w *windowed, m int32, d *Completed, depth int) {
	var carried []event.Entity
	if w.plain && len(w.cor.GroupBy) == 0 {
		carried = groupAmong(w.rule, d.Event, c.entities(d.Event), nil)
	}
	key, ok := w.groupOf(m, d.Event, carried, c.key[:0])
	c.key = key
	if !ok || !c.measure(w, m, d.Event) {
		return
	}
	g := c.group(w, m, d.Event)
	if w.cor.Type == EventCount && len(w.members) > 1 && c.counted(g, d.at) {
		return
	}
	if w.waits {
		c.wait(g, m, d)
		return
	}
	if d.at < g.newest()-w.span-c.late() {
		c.skipped++
		return
	}
	before := g.newest()
	at, newest := c.add(g, m, d)
	if before != beginning && d.at-before > w.span {
		g.firing = false
	}
	if done := c.fire(g, at, newest, d); done != nil {
		c.deliver(done, depth)
	}
	c.trim(g)
}

// settle counts anew what a group takes, after a change.
func (c *Correlator) settle(g *group) {
	n := g.bytes()
	c.bytes += n - g.size
	g.size = n
}

// fire judges the windows that the mark at place at belongs to.
func (c *Correlator) fire(g *group, at int, newest bool, d *Completed) *Completed {
	w := g.of
	for end := at; end < len(g.marks) && g.marks[end].at-d.at <= w.span; end++ {
		if end+1 < len(g.marks) && g.marks[end+1].at == g.marks[end].at {
			continue
		}
		from := g.from(g.marks[end].at - w.span)
		value, ok := c.judgeEnd(g, from, end)
		if !ok {
			continue
		}
		sameCrossing := g.firing || !newest && g.fired != 0 && abs(d.at-g.fired) <= w.span
		g.firing = g.firing || newest || end+1 == len(g.marks)
		if sameCrossing {
			return nil
		}
		g.fired = g.marks[end].at
		return g.completed(from, end+1, at, value, d)
	}
	if newest {
		g.firing = false
	}
	return nil
}

func abs(n int64) int64 { return max(n, -n) }

// completed is the hit of the marks from place from to place to; last completed it.
func (g *group) completed(from, to, last int, value float64, d *Completed) *Completed {
	marks := g.marks[from:to]
	return &Completed{
		Rule: g.of.rule, Event: d.Event, Refs: g.of.refs(marks, last-from, d.Refs), Group: slices.Clone(g.about),
		Count: events(marks), Value: value, Why: g.of.reason(value), at: g.marks[last].at,
	}
}

// group finds or begins the window of the group whose key is in c.key.
func (c *Correlator) group(w *windowed, m int32, e *event.Event) *group {
	key := stateKey{rule: w.key, group: [2]uint64{maphash.Bytes(c.seed[0], c.key), maphash.Bytes(c.seed[1], c.key)}}
	if el, ok := c.states[key]; ok {
		c.recent.MoveToFront(el)
		return el.Value.(*group)
	}
	c.sweep()
	g := &group{key: key, of: w, about: w.entitiesOf(m, e, c.entities(e)), closed: beginning, place: -1}
	c.states[key] = c.recent.PushFront(g)
	c.settle(g)
	return g
}

// add puts what was measured into the window; newest is whether it is at its end.
func (c *Correlator) add(g *group, m int32, d *Completed) (at int, newest bool) {
	w := g.of
	newest = d.at >= g.newest()
	proof := &evidence{refs: d.Refs, weight: bytesOfProof + len(d.Refs)*bytesOfRef}
	if w.waits {
		proof.event = d.Event.Clone()
		proof.weight += eventBytes(proof.event)
	}
	g.weight += proof.weight
	for _, x := range c.measured {
		at = g.insert(mark{d.at, x.key, x.num, m, c.nth, proof})
	}
	if !w.waits {
		at -= g.forget(g.newest() - w.span - c.late())
	}
	return at, newest
}

// counted reports whether another rule brought the event at hand already.
func (c *Correlator) counted(g *group, at int64) bool {
	for i := g.from(at); i < len(g.marks) && g.marks[i].at == at; i++ {
		if g.marks[i].nth == c.nth {
			return true
		}
	}
	return false
}

// trim holds the caps: of the window, then of all by forgetting the least recently
// used groups, never the one in use.
func (c *Correlator) trim(using *group) {
	if len(using.marks) > using.of.keep {
		c.skipped += uint64(using.overflow())
	}
	using.thin()
	c.settle(using)
	for len(c.states) > c.limits.states || c.bytes > c.limits.bytes {
		el := c.recent.Back()
		if el.Value.(*group) == using {
			return
		}
		if !c.spent(el.Value.(*group)) {
			c.evicted++
		}
		c.drop(el)
	}
}

// spent reports whether nothing of the group can count any more.
func (c *Correlator) spent(g *group) bool {
	return g.place < 0 && g.newest() < c.newest-g.of.span-2*c.late()
}

// sweep forgets a few spent groups, so that the caps are left to the living.
func (c *Correlator) sweep() {
	for range sweepWidth {
		el := c.recent.Back()
		if el == nil || !c.spent(el.Value.(*group)) {
			return
		}
		c.drop(el)
	}
}

func (c *Correlator) drop(el *list.Element) {
	g := c.recent.Remove(el).(*group)
	c.bytes -= g.size
	if g.place >= 0 {
		heap.Remove(&c.closing, g.place)
	}
	delete(c.states, g.key)
}
