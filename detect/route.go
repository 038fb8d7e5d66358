package detect

import (
	"cmp"
	"net/netip"
	"slices"
	"unicode/utf8"
)

// route is the index over the rules that one log source can meet.
type route struct {
	rules   []int32 // all of them, ascending
	always  []int32 // those without an anchor
	entries []entry
	fields  []*fieldIndex // by place in Set.fields; nil: no rule of the route asks for it
	bySym   []*fieldIndex // the same by event.Sym
	split   bool          // fields that no anchor is in are looked at when a rule is possible
	raw     *texts        // nil: nothing looks at the record as a whole
	gated   bitset        // predicates that do not hold unless an entry says that they do or may
	lists   bitset        // lists that do not hold unless an entry says that they may
}

// bitset holds small numbers.
type bitset []uint64

func newBitset(n int) bitset { return make(bitset, (n+63)/64) }

func (b bitset) has(i int32) bool { return b[i/64]>>(i%64)&1 != 0 }
func (b bitset) add(i int32)      { b[i/64] |= 1 << (i % 64) }

// entry is one thing to find in events, with the rules it makes candidates, the
// predicates it makes true, and the predicates and lists it makes possible.
type entry struct{ rules, holds, may, lists []int32 }

// fieldIndex is what rules look for in the values of one field.
type fieldIndex struct {
	at       int32            // place in Set.fields
	exact    map[string]int32 // folded text to entry
	marks    [256 / 64]uint64 // bit per markOf of the exact texts: a quick no
	ends     [256 / 64]uint64 // bit per endsOf of the exact texts: a quick no before folding
	longest  int              // of the exact texts, in bytes
	nets     map[netip.Prefix]int32
	from     []bound  // sorted, least first
	upTo     []bound  // sorted, greatest first
	bits     [2][]int // lengths among nets, of IPv4 and of IPv6
	near4    []net4   // those of IPv4, while they are few: comparing beats hashing
	numbers  map[float64]int32
	texts    *texts
	present  int32 // entry found by the field's presence, -1 for none
	first    bool  // an anchor of a rule is in it; else only asked when a rule is possible
	building []text
}

// bound is an entry found by numbers on one side of num.
type bound struct {
	num   float64
	entry int32
}

// text is something to find inside values: at the start, at the end or anywhere.
type text struct {
	text  string
	kind  anchorKind
	entry int32
}

func newRoute(s *Set, rules []int32) *route {
	b := routeBuilder{set: s, known: map[anchorKey]int32{}, route: &route{
		rules:  rules,
		fields: make([]*fieldIndex, len(s.fields)),
		gated:  newBitset(len(s.preds)),
		lists:  newBitset(int(s.lists) + 1),
	}}
	for _, r := range rules {
		if s.anchors[r] == nil {
			b.always = append(b.always, r)
			continue
		}
		for i := range s.anchors[r] {
			a := &s.anchors[r][i]
			e := &b.entries[b.entryOf(a)]
			e.rules = appendOnce(e.rules, r)
		}
	}
	for _, f := range b.fields {
		if f != nil {
			f.first = true
		}
	}
	for _, r := range rules {
		if b.common(r) {
			b.gate(s.code[r], b.set.gateable)
		}
	}
	for _, r := range rules {
		b.gate(s.code[r], b.searched)
	}
	for _, r := range rules {
		b.look(s.code[r])
		if b.common(r) {
			b.gateLists(s.code[r])
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
	net   netip.Prefix
}

func (a *anchor) key() anchorKey {
	kind := a.kind
	if kind == anchorPattern {
		kind = anchorPresent
	}
	return anchorKey{a.field, kind, a.text, a.num, a.net}
}

type routeBuilder struct {
	*route
	set   *Set
	known map[anchorKey]int32
	raws  []text
}

// commonShare: an anchor that one in so many rules of a log source share is likely
// in most of its events, such as the one word that all lines of a program have.
const commonShare = 8

// common reports whether a rule is likely a candidate on many events.
func (b *routeBuilder) common(rule int32) bool {
	anchors := b.set.anchors[rule]
	for i := range anchors {
		a := &anchors[i]
		if a.kind == anchorPresent || a.kind == anchorPattern || commonShare*len(b.entries[b.known[a.key()]].rules) >= len(b.rules) {
			return true
		}
	}
	return anchors == nil
}

// gate lets the index answer those predicates of a rule that are worth it.
func (b *routeBuilder) gate(code []step, worth func(pred int32) bool) {
	for i := range code {
		p := code[i].pred
		if code[i].kind != stepPred || b.gated.has(p) || !worth(p) {
			continue
		}
		b.gated.add(p)
		for j := range b.set.gates[p] {
			a := &b.set.gates[p][j]
			e := &b.entries[b.entryOf(a)]
			if a.decides {
				e.holds = appendOnce(e.holds, p)
			} else {
				e.may = appendOnce(e.may, p)
			}
		}
	}
}

// gateLists lets the index answer lists all of whose predicates it answers.
func (b *routeBuilder) gateLists(code []step) {
	for i := range code {
		list := code[i].pred
		if code[i].kind != stepOr || list == 0 {
			continue
		}
		parts := code[i+1 : code[i].next]
		if slices.ContainsFunc(parts, func(s step) bool { return !b.gated.has(s.pred) }) {
			continue
		}
		b.lists.add(list)
		for _, s := range parts {
			for j := range b.set.gates[s.pred] {
				e := &b.entries[b.entryOf(&b.set.gates[s.pred][j])]
				e.lists = appendOnce(e.lists, list)
			}
		}
	}
}

// gateable reports whether the index finds what a predicate needs more cheaply
// than the predicate is evaluated; short texts are compared one by one.
func (s *Set) gateable(p int32) bool {
	short := 0
	for i := range s.gates[p] {
		if a := &s.gates[p][i]; a.kind.inside() && len(a.text) < gram {
			short++
		}
	}
	return s.gates[p] != nil && 20*short <= max(20, predCost(s.preds[p])/4)
}

// searched reports whether the anchors of a predicate are looked for without
// further cost to every event: in fields that are searched for other anchors.
func (b *routeBuilder) searched(p int32) bool {
	if b.set.gates[p] == nil {
		return false
	}
	for i := range b.set.gates[p] {
		a := &b.set.gates[p][i]
		if _, there := b.known[a.key()]; there {
			continue
		}
		inside := len(b.raws) > 0
		if a.field != rawField {
			f := b.fields[a.field]
			inside = f != nil && len(f.building) > 0
			if f.looksUp(a.kind) {
				continue
			}
			inside = inside && a.kind != anchorNet && a.kind != anchorFrom && a.kind != anchorUpTo
		}
		if !inside || a.kind.inside() && len(a.text) < gram {
			return false
		}
	}
	return true
}

// look notes the fields that a rule's predicates look at themselves.
func (b *routeBuilder) look(code []step) {
	for i := range code {
		if code[i].kind != stepPred {
			continue
		}
		if at := b.set.predAt[code[i].pred]; at >= 0 {
			b.field(at)
		}
	}
}

// entryOf returns the entry for an anchor, making it when it is new.
func (b *routeBuilder) entryOf(a *anchor) int32 {
	key := a.key()
	at, ok := b.known[key]
	if !ok {
		at = int32(len(b.entries))
		b.known[key] = at
		b.entries = append(b.entries, entry{})
		b.place(key, at)
	}
	return at
}

// field returns the index of a field, making it when it is new.
func (b *routeBuilder) field(at int32) *fieldIndex {
	if b.fields[at] == nil {
		b.fields[at] = &fieldIndex{at: at, present: -1}
	}
	return b.fields[at]
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
	f := b.field(key.field)
	switch key.kind {
	case anchorExact:
		if f.exact == nil {
			f.exact = map[string]int32{}
		}
		f.exact[key.text] = at
		mark := markOf([]byte(key.text))
		f.marks[mark/64] |= 1 << (mark % 64)
		end := endsOf(key.text)
		f.ends[end/64] |= 1 << (end % 64)
		f.longest = max(f.longest, len(key.text))
	case anchorNumber:
		if f.numbers == nil {
			f.numbers = map[float64]int32{}
		}
		f.numbers[key.num] = at
	case anchorNet:
		f.addNet(key.net, at)
	case anchorFrom:
		f.from = append(f.from, bound{key.num, at})
	case anchorUpTo:
		f.upTo = append(f.upTo, bound{key.num, at})
	case anchorPresent:
		f.present = at
	default:
		f.building = append(f.building, t)
	}
}

// looksUp reports whether the values of the field are looked up for anchors of a kind anyway.
func (f *fieldIndex) looksUp(kind anchorKind) bool {
	switch {
	case f == nil:
		return false
	case kind == anchorExact:
		return f.exact != nil
	case kind == anchorNumber:
		return f.numbers != nil
	case kind == anchorNet:
		return f.nets != nil
	case kind == anchorFrom, kind == anchorUpTo:
		return f.from != nil || f.upTo != nil
	}
	return false
}

func (f *fieldIndex) addNet(net netip.Prefix, at int32) {
	if f.nets == nil {
		f.nets = map[netip.Prefix]int32{}
	}
	f.nets[net] = at
	f.near4 = appendNet4(f.near4, net, at)
	bits := &f.bits[family(net.Addr())]
	if !slices.Contains(*bits, net.Bits()) {
		*bits = append(*bits, net.Bits())
	}
}

func family(a netip.Addr) int {
	if a.Is4() {
		return 0
	}
	return 1
}

func (b *routeBuilder) finish() {
	for _, f := range b.fields {
		if f != nil {
			f.texts, f.building = newTexts(f.building), nil
			slices.SortFunc(f.from, func(a, b bound) int { return cmp.Compare(a.num, b.num) })
			slices.SortFunc(f.upTo, func(a, b bound) int { return cmp.Compare(b.num, a.num) })
			b.split = b.split || !f.first && len(b.always) == 0
		}
	}
	b.raw = newTexts(b.raws)
	b.bySym = make([]*fieldIndex, len(b.set.symbols))
	for sym, at := range b.set.symbols {
		if at > 0 {
			b.bySym[sym] = b.fields[at-1]
		}
	}
}

// endsOf is a hash of a text's first and last byte, whose case does not matter where
// they are ASCII.
func endsOf(text string) uint8 {
	if text == "" {
		return 0
	}
	return lower[text[0]]*31 + lower[text[len(text)-1]]
}

// mayEnd reports whether the folded text may be one of the exact texts, by its ends: a
// byte that is not ASCII may stand for any.
func (f *fieldIndex) mayEnd(text string) bool {
	if text != "" && (text[0]|text[len(text)-1]) >= utf8.RuneSelf {
		return true
	}
	end := endsOf(text)
	return f.ends[end/64]>>(end%64)&1 != 0
}

// markOf is a hash of a text that looks at three things only.
func markOf(text []byte) uint8 {
	n := len(text)
	if n == 0 {
		return 0
	}
	return uint8(n*89) + text[n-1]*31 + text[n/2]*17
}
