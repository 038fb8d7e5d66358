package detect

import (
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"bartizan/query"
)

// anchor is something an event must have for a rule to be able to hit: the rule
// cannot hold when none of its anchors is found.
type anchor struct {
	field   int32 // place in Set.fields, rawField for the record as a whole
	pred    int32 // the predicate it was taken from
	kind    anchorKind
	decides bool // the predicate holds exactly when one of its anchors is found
	text    string
	num     float64
	net     netip.Prefix // of anchorNet
}

type anchorKind uint8

const (
	anchorExact   anchorKind = iota // a value is text, folded
	anchorNumber                    // a value is the number num
	anchorInside                    // text stands anywhere in a value
	anchorStart                     // a value starts with text
	anchorEnd                       // a value ends with text
	anchorNet                       // a value is an address inside net
	anchorFrom                      // a value is a number of num or more
	anchorUpTo                      // a value is a number of num or less
	anchorPresent                   // the field is there
	anchorPattern                   // the field is there, and a pattern without literal looks at it
)

const rawField = -1

// selective reports whether the anchors rule out events by more than the
// presence of a field that a pattern looks at.
func selective(anchors []anchor) bool {
	for _, a := range anchors {
		if a.kind == anchorPattern {
			return false
		}
	}
	return anchors != nil
}

// choice is a set of anchors and how many needless candidates it may cost,
// in arbitrary units; found is false when the node can hold without any.
type choice struct {
	anchors []anchor
	cost    float64
	found   bool
}

type finder struct {
	set  *Set
	pool *pool
}

// gatesOf returns, for each predicate, what the event must have for it to hold:
// one of the anchors; nil when it can hold without any.
func (s *Set) gatesOf(p *pool) [][]anchor {
	gates := make([][]anchor, len(p.preds))
	for id, q := range p.preds {
		field := int32(rawField)
		if q.Field != "" {
			if !needsField(q) {
				continue
			}
			field = s.fieldOf[q.Field]
		}
		gates[id] = literalAnchors(q)
		for i := range gates[id] {
			gates[id][i].field, gates[id][i].pred = field, int32(id)
		}
	}
	return gates
}

func (s *Set) findAnchors(p *pool, n query.Node) []anchor {
	c := (&finder{s, p}).find(n, false)
	if !c.found {
		return nil
	}
	return append(make([]anchor, 0, len(c.anchors)), c.anchors...)
}

// find returns the cheapest anchors of n, or of its negation.
func (f *finder) find(n query.Node, negated bool) choice {
	switch n := n.(type) {
	case query.And:
		if negated {
			return f.any(n, negated)
		}
		return f.cheapest(n, negated)
	case query.Or:
		if negated {
			return f.cheapest(n, negated)
		}
		return f.any(n, negated)
	case query.Not:
		return f.find(n.X, !negated)
	case *query.Pred:
		if !negated {
			return f.pred(n)
		}
	}
	return choice{}
}

// cheapest is for parts that must all hold: the anchors of any one of them do.
func (f *finder) cheapest(parts []query.Node, negated bool) choice {
	var best choice
	for _, n := range parts {
		if c := f.find(n, negated); c.found && (!best.found || c.cost < best.cost) {
			best = c
		}
	}
	return best
}

// any is for parts one of which must hold: each must bring its anchors.
func (f *finder) any(parts []query.Node, negated bool) choice {
	all := choice{found: true}
	for _, n := range parts {
		c := f.find(n, negated)
		if !c.found {
			return choice{}
		}
		all.anchors = append(all.anchors, c.anchors...)
		all.cost += c.cost
	}
	return all
}

func (f *finder) pred(q *query.Pred) choice {
	id := f.pool.ids[keyOf(q)]
	anchors := f.set.gates[id]
	if anchors == nil {
		if !needsField(q) {
			return choice{}
		}
		anchors = []anchor{{kind: presence(q), field: f.set.fieldOf[q.Field], pred: id}}
	}
	c := choice{found: true, anchors: anchors}
	for _, a := range anchors {
		c.cost += anchorCost(a) * (1 + float64(f.pool.used[id])/8)
	}
	return c
}

// presence is the anchor of a predicate that holds for no event without the
// field, and has no literal.
func presence(q *query.Pred) anchorKind {
	switch q.Op {
	case query.OpRegex, query.OpGlob, query.OpContains, query.OpPrefix, query.OpSuffix:
		return anchorPattern
	}
	return anchorPresent
}

// anchorCost guesses how often an anchor is found in vain.
func anchorCost(a anchor) float64 {
	cost := 1.0
	switch a.kind {
	case anchorExact:
		if common[a.text] {
			cost = 2000
		}
	case anchorNumber:
		if a.num >= 200 && a.num < 400 || a.num == 0 || a.num == 1 {
			cost = 2000
		}
	case anchorInside, anchorStart, anchorEnd:
		cost = 40 / float64(len(a.text))
		if len(a.text) < gram {
			cost = 100
		}
	case anchorNet:
		cost = 1 + 2*float64(a.net.Addr().BitLen()-a.net.Bits())
	case anchorFrom, anchorUpTo:
		cost = 1500
	case anchorPresent:
		cost = 3000
	case anchorPattern:
		cost = 10_000
	}
	if a.field == rawField {
		cost *= 4
	}
	return cost
}

// common are values that a large share of all records has where it has the field:
// looking one up rules out little. Numbers like them are an answer's status, and
// nought and one.
var common = map[string]bool{
	"": true, "0": true, "1": true, "-": true, "get": true, "post": true, "200": true, "201": true, "204": true, "206": true,
	"301": true, "302": true, "304": true, "true": true, "false": true, "yes": true, "no": true, "success": true, "failure": true,
	"accept": true, "allow": true, "allowed": true, "ok": true,
	"responsecomplete": true, "assumedrole": true, "iamuser": true, "awsapicall": true, "management": true, "root": true,
	"tcp": true, "udp": true, "http/1.1": true, "http/2.0": true,
}

// literalAnchors returns the texts or numbers one of which a value must be, or
// hold, for the predicate to be true of it; nil when there is no such set.
func literalAnchors(q *query.Pred) []anchor {
	if q.Op == query.OpRegex {
		return regexAnchors(q.Re)
	}
	if !utf8.ValidString(q.Value) {
		return nil // a cased comparison of bytes may find it inside a character
	}
	text := query.Fold(q.Value)
	a := anchor{text: text, decides: !q.Cased && isASCII(text)}
	switch q.Op {
	case query.OpEqual:
		return exactAnchors(q, a)
	case query.OpIn:
		return setAnchors(q)
	case query.OpLess, query.OpLessEq, query.OpGreater, query.OpGreaterEq:
		return boundAnchors(q)
	case query.OpCIDR:
		return []anchor{{kind: anchorNet, net: query.PlainNet(q.Net), decides: true}}
	case query.OpEmpty:
		a.kind, a.text = anchorExact, ""
		a.decides = false
		return []anchor{a}
	case query.OpContains:
		a.kind = anchorInside
	case query.OpPrefix:
		a.kind = anchorStart
	case query.OpSuffix:
		a.kind = anchorEnd
	case query.OpGlob:
		a.kind, a.text, a.decides = anchorInside, query.Fold(globFragment(q.Value)), false
	default:
		return nil
	}
	if a.text == "" {
		return nil
	}
	return []anchor{a}
}

// exactAnchors adds the number where the value is one: numbers also equal
// numerically, so 5 finds 5.0.
func exactAnchors(q *query.Pred, a anchor) []anchor {
	a.kind = anchorExact
	if q.TextOnly() {
		return []anchor{a}
	}
	num, err := strconv.ParseFloat(q.Value, 64)
	if err != nil {
		return nil // an IPv6 address has many spellings
	}
	a.decides = false
	return []anchor{a, {kind: anchorNumber, num: num}}
}

// boundAnchors leave it to the predicate whether the number itself is enough.
func boundAnchors(q *query.Pred) []anchor {
	if !q.Numeric() || math.IsNaN(q.Num) {
		return nil
	}
	if q.Op == query.OpGreater || q.Op == query.OpGreaterEq {
		return []anchor{{kind: anchorFrom, num: q.Num}}
	}
	return []anchor{{kind: anchorUpTo, num: q.Num}}
}

// maxSetAnchors is how many values of a set are looked up one by one. A larger set is
// asked itself, once per value of its field: that is one lookup too, and costs a
// rule's condition more only where the field is there.
const maxSetAnchors = 256

// setAnchors are the values of a small set of texts.
func setAnchors(q *query.Pred) []anchor {
	if !q.TextOnly() || len(q.Set.Values) > maxSetAnchors {
		return nil
	}
	out := make([]anchor, 0, len(q.Set.Values))
	for v := range q.Set.Values {
		if !utf8.ValidString(v) {
			return nil
		}
		text := query.Fold(v)
		a := anchor{kind: anchorExact, text: text, decides: !q.Cased && text == v && isASCII(text)}
		if q.Field == "" { // a word of the record
			a.kind, a.decides = anchorInside, false
		}
		if text == "" && q.Field == "" {
			return nil
		}
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b anchor) int { return strings.Compare(a.text, b.text) })
	return out
}

// globFragment is the longest run of literal text in a glob.
func globFragment(pattern string) string {
	best, run := "", []byte(nil)
	for i := 0; i <= len(pattern); i++ {
		if i == len(pattern) || pattern[i] == '*' || pattern[i] == '?' {
			if len(run) > len(best) {
				best = string(run)
			}
			run = run[:0]
			continue
		}
		if pattern[i] == '\\' && i+1 < len(pattern) {
			i++
		}
		run = append(run, pattern[i])
	}
	return best
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// needsField reports whether the predicate can only hold for an event that has a
// field called as it says.
func needsField(q *query.Pred) bool {
	return q.Op != query.OpNull && q.Field != "" && !q.Short && !query.IsPseudo(q.Field)
}
