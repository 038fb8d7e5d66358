package detect

import (
	"bytes"
	"container/list"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"sync/atomic"
	"time"

	"bartizan/event"
)

// The bounds of a Counter and of the rules it counts for.
const (
	MaxStates   = 100_000 // groups remembered, over all rules
	MaxRefs     = 100     // references kept of one group's window
	MaxCount    = 10_000  // Rule.Count above this is treated as this
	maxKept     = 500_000 // events remembered, over all groups
	maxAhead    = 5 * time.Minute
	windowSlack = 2      // times Count: how many events of a group are remembered
	maxKeys     = 10_000 // rules whose key is remembered
)

// Counter keeps the sliding windows of rules with Count > 1: a rule hits when
// Count of its events fall within Within of each other, by event time, in one
// group (see Group). It hits once when that becomes true and is quiet until an
// event arrives whose own window holds fewer. Late events count where they
// belong. An event more than five minutes ahead of its arrival counts as of its
// arrival, so that one wrong clock cannot hold a window for ever.
//
// A Counter is for one goroutine; Evicted may be called from any.
type Counter struct {
	now     func() time.Time
	states  map[stateKey]*list.Element
	recent  *list.List // of *state, most recently used first
	kept    int        // events remembered over all states
	limits  limits
	evicted atomic.Uint64
	group   []event.Entity
	key     []byte
	keys    map[*Rule][16]byte // see ruleKey
	raw     []byte             // of the event before
	hash    [16]byte           // of raw
}

type limits struct{ states, kept int }

// stateKey is the rule (its hash and id) and the group, 128 bits each, so that a
// state survives a reload that leaves its rule alone.
type stateKey struct{ rule, group [16]byte }

type state struct {
	key    stateKey
	times  []int64     // event times in nanoseconds, ascending, at most windowSlack×Count
	refs   []event.Ref // of the last events by arrival, as many as times but at most MaxRefs; a ring
	oldest int         // where in refs the ring begins
	firing bool
}

// NewCounter returns an empty counter; now is the arrival time of events that
// carry none (Event.Seen).
func NewCounter(now func() time.Time) *Counter {
	return &Counter{
		now: now, states: map[stateKey]*list.Element{}, recent: list.New(),
		keys: map[*Rule][16]byte{}, limits: limits{MaxStates, maxKept},
	}
}

// Take counts e, whose fields satisfied r.Cond. When that completes a window hit
// is true, refs are the sealed references of its last events (at most MaxRefs,
// e's last; the caller's to keep) and n how many events fall in it. A rule with
// Count below 2 hits every time.
func (c *Counter) Take(r *Rule, e *event.Event) (hit bool, refs []event.Ref, n int) {
	ref := c.seal(e)
	if r.Count < 2 {
		return true, []event.Ref{ref}, 1
	}
	need := min(r.Count, MaxCount)
	st := c.state(r, e)
	at := c.timeOf(e)
	newest := len(st.times) == 0 || at >= st.times[len(st.times)-1]
	c.add(st, at, ref, need)
	n = st.within(at, r.Within, need)
	switch {
	case n >= need && !st.firing:
		st.firing, hit = true, true
		refs = st.last(n)
	case n < need && newest:
		st.firing = false
	}
	c.shrink(st)
	return hit, refs, n
}

// Evicted is how many groups were forgotten because the caps were reached.
func (c *Counter) Evicted() uint64 { return c.evicted.Load() }

// States is how many groups are remembered.
func (c *Counter) States() int { return len(c.states) }

// Swap forgets the windows of rules that are not in rules; those of rules whose
// id and Hash are unchanged go on. Call it with the rules of a new Set.
func (c *Counter) Swap(rules []*Rule) {
	stay := make(map[[16]byte]bool, len(rules))
	clear(c.keys)
	for _, r := range rules {
		stay[c.ruleKey(r)] = true
	}
	for k, el := range c.states {
		if !stay[k.rule] {
			c.drop(el)
		}
	}
}

func (c *Counter) state(r *Rule, e *event.Event) *state {
	key := stateKey{c.ruleKey(r), c.groupKey(r, e)}
	if el, ok := c.states[key]; ok {
		c.recent.MoveToFront(el)
		return el.Value.(*state)
	}
	st := &state{key: key}
	c.states[key] = c.recent.PushFront(st)
	return st
}

// shrink forgets the least recently used groups until the caps hold, never the
// one in use.
func (c *Counter) shrink(using *state) {
	for len(c.states) > c.limits.states || c.kept > c.limits.kept {
		el := c.recent.Back()
		if el.Value.(*state) == using {
			return
		}
		c.drop(el)
		c.evicted.Add(1)
	}
}

func (c *Counter) drop(el *list.Element) {
	st := c.recent.Remove(el).(*state)
	c.kept -= len(st.times)
	delete(c.states, st.key)
}

func (c *Counter) timeOf(e *event.Event) int64 {
	seen := e.Seen
	if seen.IsZero() {
		seen = c.now()
	}
	if e.Time.IsZero() || e.Time.Sub(seen) > maxAhead {
		return seen.UnixNano()
	}
	return e.Time.UnixNano()
}

func (c *Counter) add(st *state, at int64, ref event.Ref, need int) {
	i, _ := slices.BinarySearch(st.times, at+1)
	st.times = slices.Insert(st.times, i, at)
	c.kept++
	if len(st.times) > need*windowSlack {
		st.times = slices.Delete(st.times, 0, 1)
		c.kept--
	}
	if len(st.refs) < min(MaxRefs, need*windowSlack) {
		st.refs = append(st.refs, ref)
		return
	}
	st.refs[st.oldest] = ref
	st.oldest = (st.oldest + 1) % len(st.refs)
}

// last returns the references of the last n events, oldest first.
func (st *state) last(n int) []event.Ref {
	n = min(n, len(st.refs))
	out := make([]event.Ref, n)
	for i := range out {
		out[i] = st.refs[(st.oldest+len(st.refs)-n+i)%len(st.refs)]
	}
	return out
}

// seal returns the event's sealed reference; several rules count the same event.
func (c *Counter) seal(e *event.Event) event.Ref {
	ref := e.Ref
	if c.raw == nil || !bytes.Equal(c.raw, e.Raw) {
		c.hash = ref.Sealed(e.Raw).Hash
		c.raw = append(c.raw[:0], e.Raw...)
	}
	ref.Hash = c.hash
	return ref
}

// within returns how many events the fullest window of length d holds that has
// the event at time at in it, counting no further than need beyond it.
func (st *state) within(at int64, d time.Duration, need int) int {
	most := 0
	from, _ := slices.BinarySearch(st.times, at-int64(d))
	to := from
	for ; from < len(st.times) && st.times[from] <= at; from++ {
		for to < len(st.times) && st.times[to]-st.times[from] <= int64(d) {
			to++
		}
		most = max(most, to-from)
		if most >= need {
			break
		}
	}
	return most
}

// groupKey hashes the group's values, length-prefixed; a missing one is marked as
// such, so that it differs from an empty one.
func (c *Counter) groupKey(r *Rule, e *event.Event) (k [16]byte) {
	c.key = c.key[:0]
	put := func(s string) {
		c.key = binary.AppendUvarint(c.key, uint64(len(s)))
		c.key = append(c.key, s...)
	}
	if len(r.GroupBy) == 0 {
		c.group = defaultGroup(e, c.group[:0])
		for _, n := range c.group {
			c.key = append(c.key, byte(n.Kind))
			put(n.Value)
		}
	}
	for _, name := range r.GroupBy {
		v, ok := groupValue(e, name)
		if !ok {
			c.key = append(c.key, 0)
			continue
		}
		c.key = append(c.key, 1)
		put(v.Str)
	}
	sum := sha256.Sum256(c.key)
	copy(k[:], sum[:16])
	return k
}

// ruleKey is the rule's half of a state's key.
func (c *Counter) ruleKey(r *Rule) [16]byte {
	if k, ok := c.keys[r]; ok {
		return k
	}
	if len(c.keys) >= maxKeys {
		clear(c.keys)
	}
	k := ruleKey(r)
	c.keys[r] = k
	return k
}

func ruleKey(r *Rule) (k [16]byte) {
	b := append(make([]byte, 0, 64), r.Hash[:]...)
	b = append(b, r.ID...)
	sum := sha256.Sum256(b)
	copy(k[:], sum[:16])
	return k
}
