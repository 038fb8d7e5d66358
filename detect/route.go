package detect

import (
	"math/bits"
)

// route is the index over the rules that one log source can meet.
type route struct {
	rules   []int32 // all of them, ascending
	always  []int32 // those without an anchor
	entries []entry
	fields  []*fieldIndex // by place in Set.fields; nil: nothing looks at it
	raw     *texts        // nil: nothing looks at the record as a whole
	decided []uint64      // bit per predicate: it holds only when an entry says so
}

// entry is one thing to find in events, with the rules it makes candidates and
// the predicates it makes true.
type entry struct{ rules, preds []int32 }

// fieldIndex is what rules look for in the values of one field.
type fieldIndex struct {
	exact    map[string]int32 // folded text to entry
	longest  int              // of the exact texts, in bytes
	numbers  map[float64]int32
	texts    *texts
	present  int32 // entry found by the field's presence, -1 for none
	building []text
}

// text is something to find inside values: at the start, at the end or anywhere.
type text struct {
	text  string
	kind  anchorKind
	entry int32
}

func newRoute(s *Set, rules []int32) *route {
	b := routeBuilder{set: s, known: map[anchorKey]int32{}, route: &route{
		rules:   rules,
		fields:  make([]*fieldIndex, len(s.fields)),
		decided: make([]uint64, (len(s.preds)+63)/64),
	}}
	for _, r := range rules {
		if s.anchors[r] == nil {
			b.always = append(b.always, r)
			continue
		}
		for i := range s.anchors[r] {
			b.add(r, &s.anchors[r][i])
		}
	}
	b.finish()
	return b.route
}

type anchorKey struct {
	field int32
	kind  anchorKind
	text  string
	num   float64
}

type routeBuilder struct {
	*route
	set   *Set
	known map[anchorKey]int32
	raws  []text
}

func (b *routeBuilder) add(rule int32, a *anchor) {
	kind := a.kind
	if kind == anchorPattern {
		kind = anchorPresent
	}
	key := anchorKey{a.field, kind, a.text, a.num}
	at, ok := b.known[key]
	if !ok {
		at = int32(len(b.entries))
		b.known[key] = at
		b.entries = append(b.entries, entry{})
		b.place(key, at)
	}
	e := &b.entries[at]
	e.rules = appendOnce(e.rules, rule)
	if a.decides {
		e.preds = appendOnce(e.preds, a.pred)
		b.decided[a.pred/64] |= 1 << (a.pred % 64)
	}
}

// appendOnce appends n unless it is already the last.
func appendOnce(list []int32, n int32) []int32 {
	if len(list) > 0 && list[len(list)-1] == n {
		return list
	}
	return append(list, n)
}

func (b *routeBuilder) place(key anchorKey, at int32) {
	t := text{key.text, key.kind, at}
	if key.field == rawField {
		b.raws = append(b.raws, t)
		return
	}
	f := b.fields[key.field]
	if f == nil {
		f = &fieldIndex{present: -1}
		b.fields[key.field] = f
	}
	switch key.kind {
	case anchorExact:
		if f.exact == nil {
			f.exact = map[string]int32{}
		}
		f.exact[key.text] = at
		f.longest = max(f.longest, len(key.text))
	case anchorNumber:
		if f.numbers == nil {
			f.numbers = map[float64]int32{}
		}
		f.numbers[key.num] = at
	case anchorPresent:
		f.present = at
	default:
		f.building = append(f.building, t)
	}
}

func (b *routeBuilder) finish() {
	for _, f := range b.fields {
		if f != nil {
			f.texts, f.building = newTexts(f.building), nil
		}
	}
	b.raw = newTexts(b.raws)
}

// gram is how many bytes of a text are looked up at once.
const gram = 4

// texts finds which of many literals stand in a value: every four bytes of the
// value are looked up in a table that holds, for each literal, those four of its
// bytes that the fewest other literals share; what is found there is compared.
// Literals under four bytes are compared with every value.
type texts struct {
	short  []text
	filter []uint64 // bit per hashed gram: a quick no
	shift  uint     // of the hash, for the table
	fshift uint     // for the filter
	keys   []uint32
	first  []int32 // per key: its first item, -1: the slot is empty
	items  []item
}

type item struct {
	text
	at   int32 // where in the text the gram is
	next int32 // the next item with this gram, -1 for none
}

// newTexts returns the table, nil for no literals.
func newTexts(list []text) *texts {
	if len(list) == 0 {
		return nil
	}
	t := &texts{}
	common := map[uint32]int{}
	long := 0
	for _, x := range list {
		if len(x.text) < gram {
			t.short = append(t.short, x)
			continue
		}
		long++
		for i := 0; i+gram <= len(x.text); i++ {
			common[gramAt(x.text, i)]++
		}
	}
	if long == 0 {
		return t
	}
	slots := bits.Len(uint(long*2 - 1))
	t.shift, t.fshift = uint(32-slots), uint(32-min(slots+4, 24))
	t.keys, t.first = make([]uint32, 1<<slots), make([]int32, 1<<slots)
	for i := range t.first {
		t.first[i] = -1
	}
	t.filter = make([]uint64, max(1, 1<<(32-t.fshift)/64))
	for _, x := range list {
		if len(x.text) >= gram {
			t.insert(x, rarest(x.text, common))
		}
	}
	return t
}

// rarest is where in s those four bytes start that the fewest literals hold.
func rarest(s string, common map[uint32]int) int {
	best := 0
	for i := 1; i+gram <= len(s); i++ {
		if common[gramAt(s, i)] <= common[gramAt(s, best)] {
			best = i
		}
	}
	return best
}

func gramAt(s string, i int) uint32 {
	return uint32(s[i]) | uint32(s[i+1])<<8 | uint32(s[i+2])<<16 | uint32(s[i+3])<<24
}

func hashGram(g uint32) uint32 { return g * 0x9E3779B1 }

func (t *texts) insert(x text, at int) {
	g := gramAt(x.text, at)
	h := hashGram(g)
	t.filter[h>>t.fshift/64] |= 1 << (h >> t.fshift % 64)
	slot := h >> t.shift
	for t.first[slot] >= 0 && t.keys[slot] != g {
		slot = (slot + 1) % uint32(len(t.keys))
	}
	t.items = append(t.items, item{x, int32(at), t.first[slot]})
	t.keys[slot], t.first[slot] = g, int32(len(t.items)-1)
}

// lookup returns the first item whose gram is g, -1 for none.
func (t *texts) lookup(g, h uint32) int32 {
	for slot := h >> t.shift; t.first[slot] >= 0; slot = (slot + 1) % uint32(len(t.keys)) {
		if t.keys[slot] == g {
			return t.first[slot]
		}
	}
	return -1
}

// fits reports whether the item's text stands in value where its gram is at i.
func (x *item) fits(value []byte, i int) bool {
	from := i - int(x.at)
	to := from + len(x.text.text)
	if from < 0 || to > len(value) || string(value[from:to]) != x.text.text {
		return false
	}
	return x.kind.allows(from, to, len(value))
}

// allows reports whether a text from byte from to byte to of a value of n bytes
// is where the kind wants it.
func (k anchorKind) allows(from, to, n int) bool {
	switch k {
	case anchorStart:
		return from == 0
	case anchorEnd:
		return to == n
	}
	return true
}
