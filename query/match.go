package query

import (
	"regexp"
	"strings"

	"bartizan/event"
)

// ready is what can be worked out once for a predicate.
type ready struct {
	names []name
	nd    needle   // of OpContains, and the longest literal of OpGlob
	any   []needle // OpRegex: one of these is in every text that matches
}

// name is a field name with its symbol.
type name struct {
	text string
	sym  event.Sym
}

// Prepare returns a copy of p that matches quicker: names are symbols, the text
// to look for is analysed. The answers are the same.
func (p *Pred) Prepare() *Pred {
	c := *p
	c.ready = &ready{}
	if p.Field != "" {
		c.ready.add(p.Field)
	}
	if p.Short {
		for _, n := range shortFields(p.Field) {
			c.ready.add(n)
		}
	}
	switch p.Op {
	case OpContains:
		c.ready.nd = newNeedle(p.Value)
	case OpGlob:
		c.ready.nd = newNeedle(globLiteral(p.Value))
	case OpRegex:
		c.ready.expect(p.Re)
	}
	return &c
}

func (r *ready) add(n string) {
	r.names = append(r.names, name{n, event.Intern(n)})
}

// expect notes what must stand in a text before an expression is tried on it,
// when looking for that is cheaper.
func (r *ready) expect(re *regexp.Regexp) {
	lits, sound := regexLiterals(re)
	if !sound || len(lits) > 8 || shortest(lits) < 2 {
		return
	}
	for _, l := range lits {
		r.any = append(r.any, newNeedle(l))
	}
}

// Names returns the fields p may ask: Field, and what it is short for.
func (p *Pred) Names() []string {
	if p.Field == "" {
		return nil
	}
	out := []string{p.Field}
	if p.Short {
		out = append(out, shortFields(p.Field)...)
	}
	return out
}

// Match reports whether the event answers the predicate. It does not allocate.
func (p *Pred) Match(e *event.Event) bool {
	if p.Field == "" {
		_, _, ok := p.findRaw(rawText(e))
		return ok
	}
	if p.ready != nil {
		for i := range p.ready.names {
			if ok := p.matchName(e, p.ready.names[i].text, p.ready.names[i].sym); ok != (p.Op == OpNull) {
				return ok
			}
		}
		return p.Op == OpNull
	}
	ok := p.matchName(e, p.Field, 0)
	if !p.Short || ok != (p.Op == OpNull) {
		return ok
	}
	for _, n := range shortFields(p.Field) {
		if ok := p.matchName(e, n, 0); ok != (p.Op == OpNull) {
			return ok
		}
	}
	return p.Op == OpNull
}

// matchName asks one name: any value that answers is enough. Only OpNull wants
// all of several names to agree, so there the caller goes on after true.
func (p *Pred) matchName(e *event.Event, name string, sym event.Sym) bool {
	if ok, own := p.matchOwn(e, name); own {
		return ok
	}
	c := newCursor(e, name, sym)
	v := c.next()
	if v == nil {
		return p.Op == OpNull
	}
	for ; v != nil; v = c.next() {
		if p.Op == OpFieldEqual {
			if _, _, ok := p.equalsField(e, v); ok {
				return true
			}
		} else if p.MatchValue(v) {
			return true
		}
	}
	return false
}

// matchOwn answers for level and @timestamp from the event itself where its words
// say more than any text: "warn" is "warning", a day is all of its moments.
func (p *Pred) matchOwn(e *event.Event, name string) (ok, own bool) {
	switch {
	case name == "level" && (p.Op == OpEqual && !p.Cased || p.ordering() && scaleLike(p.Value) == scaleLevel && p.Value != ""):
		l := parseLevel(p.Value)
		if l == event.LevelUnknown {
			return false, false
		}
		if p.Op == OpEqual {
			return true, e.Level == l
		}
		return e.Level != event.LevelUnknown && p.compare(float64(e.Level)), true
	case name == "@timestamp" && p.Op == OpEqual:
		from, unit, ok := parseTime(p.Value)
		if !ok {
			return false, false
		}
		return !e.Time.Before(from) && e.Time.Before(from.Add(unit)), true
	case name == "@timestamp" && p.ordering() && scaleLike(p.Value) == scaleTime:
		return !e.Time.IsZero() && p.compare(float64(e.Time.UnixMicro())), true
	}
	return false, false
}

func (p *Pred) ordering() bool { return OpLess <= p.Op && p.Op <= OpGreaterEq }

// MatchValue reports whether one value answers the predicate, whatever it is
// called. A null is only seen by OpExists and OpNull; OpFieldEqual needs the
// event, so it never holds here. It does not allocate.
func (p *Pred) MatchValue(v *event.Value) bool {
	switch {
	case p.Op == OpExists:
		return true
	case p.Op == OpNull:
		return v.Kind == event.KindNull
	case v.Kind == event.KindNull:
		return false
	case p.Op == OpEqual:
		return p.equal(v)
	case p.ordering():
		return p.ordered(v)
	}
	_, _, ok := p.find(v.Str)
	return ok
}

// find returns the part of a field's text that answers a text predicate.
func (p *Pred) find(s string) (start, end int, ok bool) {
	switch p.Op {
	case OpContains:
		return p.contains(s)
	case OpPrefix:
		return p.prefix(s)
	case OpSuffix:
		return p.suffix(s)
	case OpGlob:
		return 0, len(s), p.mayHold(s) && globMatch(p.Value, s, p.Cased)
	case OpRegex:
		s := cutRegexInput(s)
		return 0, len(s), p.Re != nil && p.mayMatch(s) && p.Re.MatchString(s)
	case OpCIDR:
		a, ok := ParseAddr(s)
		return 0, len(s), ok && (p.Net.Contains(a) || p.Net.Addr().Is4In6() && PlainNet(p.Net).Contains(a))
	case OpEmpty:
		return 0, 0, s == ""
	case OpIn:
		return 0, len(s), p.Set != nil && p.Set.has(s, p.Cased)
	}
	return 0, 0, false
}

// findRaw is find over the raw record: part of it is enough.
func (p *Pred) findRaw(s string) (start, end int, ok bool) {
	switch p.Op {
	case OpGlob:
		if !p.mayHold(s) {
			return -1, -1, false
		}
		start, end = globFind(p.Value, s, p.Cased)
		return start, end, start >= 0
	case OpIn:
		if p.Set == nil {
			return -1, -1, false
		}
		return p.Set.hasWord(s, p.Cased)
	case OpContains, OpRegex:
		return p.find(s)
	}
	return -1, -1, false
}

func (p *Pred) contains(s string) (start, end int, ok bool) {
	if p.Cased {
		i := strings.Index(s, p.Value)
		return i, i + len(p.Value), i >= 0
	}
	if p.ready != nil {
		start, end = p.ready.nd.index(s)
	} else {
		start, end = IndexFold(s, p.Value)
	}
	return start, end, start >= 0
}

func (p *Pred) prefix(s string) (start, end int, ok bool) {
	if p.Cased {
		return 0, len(p.Value), strings.HasPrefix(s, p.Value)
	}
	end, ok = prefixFold(s, p.Value)
	return 0, end, ok
}

func (p *Pred) suffix(s string) (start, end int, ok bool) {
	if p.Cased {
		return len(s) - len(p.Value), len(s), strings.HasSuffix(s, p.Value)
	}
	start, ok = suffixFold(s, p.Value)
	return start, len(s), ok
}

// mayHold looks for the longest literal of a glob first, which is much quicker
// than walking the pattern.
func (p *Pred) mayHold(s string) bool {
	if p.ready == nil {
		return true
	}
	start, _ := p.ready.nd.index(s)
	return start >= 0
}

// mayMatch is mayHold for expressions.
func (p *Pred) mayMatch(s string) bool {
	if p.ready == nil || len(p.ready.any) == 0 {
		return true
	}
	for i := range p.ready.any {
		if start, _ := p.ready.any[i].index(s); start >= 0 {
			return true
		}
	}
	return false
}

func (p *Pred) equal(v *event.Value) bool {
	if p.Cased {
		return v.Str == p.Value || sameNumber(p.Value, v)
	}
	return EqualFold(v.Str, p.Value) || sameNumber(p.Value, v) || sameAddr(v.Str, p.Value)
}

// sameAddr reports whether both texts are the same IPv6 address.
func sameAddr(a, b string) bool {
	if strings.IndexByte(a, ':') < 0 || strings.IndexByte(b, ':') < 0 {
		return false
	}
	x, ok := ParseAddr(a)
	if !ok {
		return false
	}
	y, ok := ParseAddr(b)
	return ok && x == y
}

// TextOnly reports whether an OpEqual or OpIn predicate is true exactly for the
// values whose folded text (their text, when Cased) equals its own, so that an
// index may look it up by text. Numbers, IPv6 addresses, networks and pseudo
// fields can be equal in other ways.
func (p *Pred) TextOnly() bool {
	if p.Short || IsPseudo(p.Field) {
		return false
	}
	if p.Op == OpIn {
		return p.Set != nil && len(p.Set.nets) == 0
	}
	if p.Op != OpEqual {
		return false
	}
	if _, ok := parseNumber(p.Value); ok {
		return false
	}
	_, addr := ParseAddr(p.Value)
	return !addr || strings.IndexByte(p.Value, ':') < 0
}

func (p *Pred) ordered(v *event.Value) bool {
	switch scaleLike(p.Value) {
	case scaleTime:
		t, _, ok := parseTime(v.Str)
		return ok && p.compare(float64(t.UnixMicro()))
	case scaleLevel:
		l := parseLevel(v.Str)
		return l != event.LevelUnknown && p.compare(float64(l))
	}
	n, ok := NumberOf(v)
	return ok && p.compare(n)
}

// Numeric reports whether p compares numbers with Num: not levels, not times.
func (p *Pred) Numeric() bool { return p.ordering() && scaleLike(p.Value) == scaleNumber }

// NumberOf is the number that a value is compared as. It does not allocate.
func NumberOf(v *event.Value) (float64, bool) {
	if v.Kind == event.KindNumber {
		return v.Num, true
	}
	return parseNumber(v.Str)
}

func (p *Pred) compare(n float64) bool {
	switch p.Op {
	case OpLess:
		return n < p.Num
	case OpLessEq:
		return n <= p.Num
	case OpGreater:
		return n > p.Num
	}
	return n >= p.Num
}

// equalsField returns the part of v that a value of the field named Value is.
func (p *Pred) equalsField(e *event.Event, v *event.Value) (start, end int, ok bool) {
	c := newCursor(e, p.Value, 0)
	for w := c.next(); w != nil; w = c.next() {
		if v.Kind == event.KindNull || w.Kind == event.KindNull {
			continue
		}
		if start, end, ok := p.hasPart(v, w); ok {
			return start, end, true
		}
	}
	return 0, 0, false
}

// hasPart compares two values as How says.
func (p *Pred) hasPart(v, w *event.Value) (start, end int, ok bool) {
	if p.How == OpEqual {
		same := v.Str == w.Str || !p.Cased && EqualFold(v.Str, w.Str) ||
			v.Kind == event.KindNumber && w.Kind == event.KindNumber && v.Num == w.Num
		return 0, len(v.Str), same
	}
	if w.Str == "" {
		return 0, 0, false
	}
	part := Pred{Value: w.Str, Cased: p.Cased}
	switch p.How {
	case OpContains:
		return part.contains(v.Str)
	case OpPrefix:
		return part.prefix(v.Str)
	case OpSuffix:
		return part.suffix(v.Str)
	}
	return 0, 0, false
}
