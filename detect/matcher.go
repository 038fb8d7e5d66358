package detect

import (
	"slices"
	"time"
	"unsafe"

	"bartizan/event"
	"bartizan/query"
)

// Matcher is one goroutine's scratch for matching events against a Set.
type Matcher struct {
	set    *Set
	route  *routed
	e      *event.Event
	gen    uint32 // of the event at hand; marks of other generations are void
	memo   []uint32
	cand   []uint32 // per rule: generation in which it became a candidate
	lists  []uint32 // per list: generation in which it became possible
	found  []uint32 // per entry of the route: generation in which it was found
	places []place  // per field of the set
	next   []int32  // per field of the event: the next with the same name, -1
	todo   []int32
	hits   []int32
	folded []byte
	why    map[*Rule]*query.Matcher

	until         int // the events before the next that is measured, see Limit and Profile
	stride, quiet int
	took          []time.Duration // per candidate of the event measured
	profile       *profile
}

// place says where in the event the values of a field of the set are.
type place struct {
	gen         uint32
	first, last int32
	native      bool
}

// maxCompiled bounds how many rules' explaining forms a Matcher remembers.
const maxCompiled = 512

// NewMatcher returns the scratch for one goroutine.
func (s *Set) NewMatcher() *Matcher {
	return &Matcher{
		set:    s,
		memo:   make([]uint32, len(s.preds)),
		cand:   make([]uint32, len(s.rules)),
		lists:  make([]uint32, s.lists+1),
		places: make([]place, len(s.fields)),
		why:    map[*Rule]*query.Matcher{},
		stride: 1,
	}
}

// Match appends the rules whose log source applies to e and whose condition
// holds, in the order of the set. It does not look at Count: see Correlator. It does
// not allocate when no rule matches, once the route of e's log source is built
// and the scratch has grown to the size of the events.
func (m *Matcher) Match(e *event.Event, dst []*Rule) []*Rule {
	if m.route == nil || m.route.source != e.LogSource {
		m.enter(e.LogSource)
	}
	if len(m.route.rules) == 0 {
		return dst
	}
	m.until--
	began, measured := time.Duration(0), false
	if m.until < 0 {
		began, measured = m.measured()
	}
	m.begin(e)
	m.lookAtFields(true)
	m.lookAtRaw()
	if len(m.todo) > 0 && m.route.split {
		m.lookAtFields(false)
	}
	for _, r := range m.route.always {
		m.candidate(r)
	}
	m.hits = m.hits[:0]
	if off := m.set.limiter.off.Load(); measured {
		m.watch(began, off)
	} else {
		for _, r := range m.todo {
			if (off == nil || !off.has(r)) && m.eval(m.set.code[r], 0) {
				m.hits = append(m.hits, r)
			}
		}
	}
	if len(m.hits) > 1 {
		slices.Sort(m.hits)
	}
	for _, r := range m.hits {
		dst = append(dst, m.set.rules[r])
	}
	m.e = nil
	return dst
}

// Candidates is how many conditions the last Match evaluated.
func (m *Matcher) Candidates() int { return len(m.todo) }

// Explain says why r's condition holds for e: the predicates that made it true,
// with their byte ranges; nil when it does not hold.
func (m *Matcher) Explain(r *Rule, e *event.Event) []query.Match {
	if r.Cond == nil {
		return nil
	}
	q := m.why[r]
	if q == nil {
		var err error
		if q, err = query.Compile(r.Cond); err != nil {
			return nil
		}
		if len(m.why) >= maxCompiled {
			clear(m.why)
		}
		m.why[r] = q
	}
	return q.Explain(e, nil)
}

func (m *Matcher) enter(source event.LogSource) {
	m.route = m.set.route(source)
	if n := len(m.route.entries) - len(m.found); n > 0 {
		m.found = append(m.found, make([]uint32, n)...)
	}
	clear(m.found) // its numbers now mean other entries
}

// What memo says of a predicate, below the generation.
const (
	isFalse uint32 = iota
	isTrue
	isPossible // what must be there for it to hold was found: ask
)

// begin voids all marks. memo holds the generation shifted by two, so it turns
// over at a quarter of the range.
func (m *Matcher) begin(e *event.Event) {
	m.e = e
	m.gen++
	if m.gen >= 1<<30 {
		m.gen = 1
		clear(m.memo)
		clear(m.cand)
		clear(m.lists)
		clear(m.found)
		clear(m.places)
	}
	m.todo = m.todo[:0]
	if n := len(e.Fields) - len(m.next); n > 0 {
		m.next = append(m.next, make([]int32, n)...)
	}
}

// lookAtFields notes where the event's fields are and finds what rules look for
// in them. A native name wins over an alias, as in query. Where the route is split,
// it looks either at the fields that make rules possible or at the others.
func (m *Matcher) lookAtFields(first bool) {
	e, native, split, bySym := m.e, m.e.Native, m.route.split, m.route.bySym
	for i := range e.Fields {
		f := &e.Fields[i]
		x := (*fieldIndex)(nil)
		if f.Sym == 0 {
			x = m.unnamed(f.Name)
		} else if int(f.Sym) < len(bySym) {
			x = bySym[f.Sym]
		}
		if x == nil || split && x.first != first {
			continue
		}
		p := &m.places[x.at]
		m.next[i] = -1
		switch {
		case p.gen != m.gen:
			*p = place{m.gen, int32(i), int32(i), i < native}
			if x.present >= 0 {
				m.find(x.present)
			}
		case p.native && i >= native:
			continue
		default:
			m.next[p.last] = int32(i)
			p.last = int32(i)
		}
		if f.Value.Kind != event.KindNull {
			m.lookAtValue(x, &f.Value)
		}
	}
}

// unnamed returns what is looked for in fields of a name without a symbol.
func (m *Matcher) unnamed(name string) *fieldIndex {
	if at, ok := m.set.fieldOf[name]; ok {
		return m.route.fields[at]
	}
	return nil
}

func (m *Matcher) lookAtValue(x *fieldIndex, v *event.Value) {
	if x.numbers != nil && v.Kind == event.KindNumber {
		if at, ok := x.numbers[v.Num]; ok {
			m.find(at)
		}
	}
	if x.from != nil || x.upTo != nil {
		m.lookForBounds(x, v)
	}
	if x.nets != nil {
		m.lookForNets(x, v.Str)
	}
	// Folding makes a text shorter at most by a factor of three, and never longer.
	maybeExact := x.exact != nil && len(v.Str) <= 3*x.longest && x.mayEnd(v.Str)
	maybeInside := x.texts != nil && len(v.Str) >= x.texts.least
	if !maybeExact && !maybeInside {
		return
	}
	m.folded = fold(m.folded, v.Str)
	if mark := markOf(m.folded); maybeExact && x.marks[mark/64]>>(mark%64)&1 != 0 {
		if at, ok := x.exact[string(m.folded)]; ok {
			m.find(at)
		}
	}
	if maybeInside {
		m.lookInside(x.texts, m.folded)
	}
}

// lookForBounds finds the bounds that a number keeps.
func (m *Matcher) lookForBounds(x *fieldIndex, v *event.Value) {
	n, ok := query.NumberOf(v)
	if !ok {
		return
	}
	for i := 0; i < len(x.from) && x.from[i].num <= n; i++ {
		m.find(x.from[i].entry)
	}
	for i := 0; i < len(x.upTo) && x.upTo[i].num >= n; i++ {
		m.find(x.upTo[i].entry)
	}
}

// lookForNets finds the networks that the address a value is lies in.
func (m *Matcher) lookForNets(x *fieldIndex, text string) {
	a, ok := query.ParseAddr(text)
	if !ok {
		return
	}
	if a.Is4() && len(x.near4) <= maxNear4 {
		m.findNet4(x.near4, a)
		return
	}
	for _, bits := range x.bits[family(a)] {
		if net, err := a.Prefix(bits); err == nil {
			if at, ok := x.nets[net]; ok {
				m.find(at)
			}
		}
	}
}

// lookAtRaw finds keywords in the record as a whole.
func (m *Matcher) lookAtRaw() {
	if m.route.raw == nil {
		return
	}
	m.folded = fold(m.folded, unsafe.String(unsafe.SliceData(m.e.Raw), len(m.e.Raw)))
	m.lookInside(m.route.raw, m.folded)
}

func (m *Matcher) lookInside(t *texts, value []byte) {
	for i := range t.alone {
		x := &t.alone[i]
		if m.found[x.entry] != m.gen && hasAlone(x, value) {
			m.find(x.entry)
		}
	}
	if len(t.items) == 0 || len(value) < gram {
		return
	}
	g := uint32(value[0])<<8 | uint32(value[1])<<16 | uint32(value[2])<<24
	filter, shift := t.filter, t.fshift&31
	for i, c := range value[gram-1:] {
		g = g>>8 | uint32(c)<<24
		h := hashGram(g)
		bit := h >> shift
		if filter[bit/64]>>(bit%64)&1 == 0 {
			continue
		}
		for at := t.lookup(g, h); at >= 0; at = t.items[at].next {
			x := &t.items[at]
			if m.found[x.entry] != m.gen && x.fits(value, i) {
				m.find(x.entry)
			}
		}
	}
}

// find marks an entry: its predicates hold, its rules are candidates.
func (m *Matcher) find(at int32) {
	if m.found[at] == m.gen {
		return
	}
	m.found[at] = m.gen
	e := &m.route.entries[at]
	for _, p := range e.holds {
		m.memo[p] = m.gen<<2 | isTrue
	}
	for _, p := range e.may {
		m.memo[p] = m.gen<<2 | isPossible
	}
	for _, l := range e.lists {
		m.lists[l] = m.gen
	}
	for _, r := range e.rules {
		m.candidate(r)
	}
}

func (m *Matcher) candidate(r int32) {
	if m.cand[r] != m.gen {
		m.cand[r] = m.gen
		m.todo = append(m.todo, r)
	}
}

// eval evaluates the node at place i of a rule's code.
func (m *Matcher) eval(code []step, i int32) bool {
	n := &code[i]
	switch n.kind {
	case stepPred:
		return m.holds(n.pred)
	case stepNot:
		return !m.eval(code, i+1)
	}
	if n.kind == stepOr && n.pred != 0 && m.lists[n.pred] != m.gen && m.route.lists.has(n.pred) {
		return false
	}
	stop := n.kind == stepOr // an Or ends at the first true part, an And at the first false
	for k := i + 1; k < n.next; k = code[k].next {
		if m.eval(code, k) == stop {
			return stop
		}
	}
	return !stop
}

// holds answers a predicate, asking the event at most once.
func (m *Matcher) holds(p int32) bool {
	have := m.memo[p]
	switch {
	case have>>2 != m.gen:
		if m.route.gated.has(p) {
			return false
		}
	case have&3 != isPossible:
		return have&3 == isTrue
	}
	m.memo[p] = m.gen << 2 // isFalse, so that a question about itself ends
	yes := m.ask(p)
	if yes {
		m.memo[p] = m.gen<<2 | isTrue
	}
	return yes
}

func (m *Matcher) ask(p int32) bool {
	q, at := m.set.preds[p], m.set.predAt[p]
	if at < 0 {
		return q.Match(m.e)
	}
	if m.places[at].gen != m.gen {
		return false
	}
	for i := m.places[at].first; i >= 0; i = m.next[i] {
		if q.MatchValue(&m.e.Fields[i].Value) {
			return true
		}
	}
	return false
}
