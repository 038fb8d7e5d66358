package detect

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"bartizan/event"
	"bartizan/query"
)

// The bounds of a Tree. Whatever the rule and the event, it is at most a few megabytes.
const (
	MaxTreeNodes = 2_000 // of one Tree, about
	MaxTreeDepth = 64
	MaxTreeParts = 200 // parts of one node that are shown; as many again where they decide
	MaxTreeSeen  = 16  // values of one leaf
	MaxTreeValue = 512 // bytes of a value that is seen
	MaxTreeText  = 1024
	treeCut      = "…"
)

// Tree is a rule judged against one event, part by part, also where the rule does
// not hold. Nothing is left out because another part decided already, so a leaf
// shows what the event has for it even under a part that does not count.
//
// Of an "and" all Kids must hold, of an "or" one, of a "not" (which has one) none.
// Matches are the bytes that made a leaf hold. All strings are copies.
type Tree struct {
	Op      string        `json:"op"`             // "and", "or", "not" or "leaf"
	Text    string        `json:"text,omitempty"` // a leaf's predicate, in the filter language or in words; what the node is for, else
	Holds   bool          `json:"holds"`
	Field   string        `json:"field,omitempty"`   // of a leaf; empty: the record as a whole, or no field is asked
	Seen    []string      `json:"seen,omitempty"`    // values the event has under Field, at most MaxTreeSeen; nil: the field is absent
	Other   string        `json:"other,omitempty"`   // of a comparison of two fields: the second one
	Beside  []string      `json:"beside,omitempty"`  // values the event has under Other, at most three; nil: it is absent
	More    int           `json:"more,omitempty"`    // how many values there are besides those in Seen
	Matches []query.Match `json:"matches,omitempty"` // why the leaf holds
	Kids    []*Tree       `json:"kids,omitempty"`
}

// Tree judges every part of r's condition against e. Its root holds exactly when
// Match returns r (rules that were switched off aside). A log source that r asks for
// is a leaf of its own. Of a correlation the root is an "or" of the rules it counts,
// and holds when the event is a match of one of them; of a filter it holds when the
// filter keeps the hit. A rule without anything to judge is one leaf that does not hold.
func (m *Matcher) Tree(r *Rule, e *event.Event) *Tree {
	b := treeBuilder{set: m.set, e: e, left: MaxTreeNodes}
	return b.rule(r, 0)
}

type treeBuilder struct {
	set  *Set
	e    *event.Event
	left int // nodes that may still be made
	vals []event.Value
}

func (b *treeBuilder) rule(r *Rule, chain int) *Tree {
	switch {
	case r.Cond != nil:
		return b.routed(r, r.Cond)
	case r.Correlation != nil:
		return b.correlation(r, chain)
	case r.Filter != nil && r.Filter.Keep != nil:
		t := b.routed(r, r.Filter.Keep)
		t.Text = "the filter keeps the hit"
		return t
	case r.Kind == KindFalco:
		return leaf("its condition is about system calls and is judged by Falco, not here", false)
	}
	return leaf("this rule has no condition that could be judged against an event", false)
}

// routed is the condition with the log source before it.
func (b *treeBuilder) routed(r *Rule, cond query.Node) *Tree {
	t := b.node(cond, 0)
	b.nameFilters(t, r)
	if r.LogSource != (event.LogSource{}) {
		want := lowerSource(r.LogSource)
		source := leaf("log source "+sourcePath(want)+": this event is "+sourcePath(b.e.LogSource), fits(want, b.e.LogSource))
		t = &Tree{Op: "and", Holds: source.Holds && t.Holds, Kids: []*Tree{source, t}}
	}
	switch {
	case r.Correlation != nil:
		t.Text = cutText("counted by "+r.Correlation.String(), MaxTreeText)
	case r.Count > 1:
		t.Text = fmt.Sprintf("counted: %d of them within %v", r.Count, r.Within)
	}
	return t
}

// correlation is the rules that a correlation counts, each judged for itself.
func (b *treeBuilder) correlation(r *Rule, chain int) *Tree {
	name := func(id string) string {
		if base := b.set.Rule(id); base != nil {
			return cmp.Or(base.Name, base.Title, id)
		}
		return id
	}
	t := &Tree{Op: "or", Text: cutText("correlation, counts matches: "+r.Correlation.Words(name), MaxTreeText)}
	for i, id := range r.Correlation.Rules {
		base := b.set.Rule(id)
		switch {
		case i == MaxTreeParts || b.left <= 0:
			rest := leaf(fmt.Sprintf("%d further rules are not shown", len(r.Correlation.Rules)-i), b.anyBase(r.Correlation.Rules[i:], chain+1))
			t.Kids = append(t.Kids, rest)
		case base == nil || chain >= MaxChain:
			t.Kids = append(t.Kids, leaf("the rule "+cutText(id, MaxTreeText)+" is not loaded", false))
		default:
			kid := b.rule(base, chain+1)
			kid.Text = cutText(strings.TrimSuffix("rule "+name(id)+": "+kid.Text, ": "), MaxTreeText)
			t.Kids = append(t.Kids, kid)
		}
		if t.Holds = t.Holds || t.Kids[len(t.Kids)-1].Holds; i == MaxTreeParts || b.left <= 0 {
			break
		}
	}
	return t
}

// anyBase reports whether one of the rules holds, without showing why.
func (b *treeBuilder) anyBase(ids []string, chain int) bool {
	for _, id := range ids {
		r := b.set.Rule(id)
		if r == nil || chain > MaxChain {
			continue
		}
		if r.Cond != nil && fits(r.LogSource, b.e.LogSource) && query.Holds(r.Cond, b.e) {
			return true
		}
		if r.Cond == nil && r.Correlation != nil && b.anyBase(r.Correlation.Rules, chain+1) {
			return true
		}
	}
	return false
}

func (b *treeBuilder) node(n query.Node, depth int) *Tree {
	b.left--
	switch n := n.(type) {
	case *query.Pred:
		if n != nil {
			return b.pred(n)
		}
	case query.And:
		return b.parts(n, n, "and", depth)
	case query.Or:
		return b.parts(n, n, "or", depth)
	case query.Not:
		if b.left < 0 || depth >= MaxTreeDepth {
			return b.folded(n)
		}
		kid := b.node(n.X, depth+1)
		return &Tree{Op: "not", Holds: !kid.Holds, Kids: []*Tree{kid}}
	}
	return leaf("an empty part, which never holds", false)
}

// parts judges all parts. Where there are too many those that decide are shown
// first of all: what holds of an "or", what does not of an "and".
func (b *treeBuilder) parts(n query.Node, parts []query.Node, op string, depth int) *Tree {
	if b.left < 0 || depth >= MaxTreeDepth {
		return b.folded(n)
	}
	or := op == "or"
	t := &Tree{Op: op, Holds: !or}
	rest, restHolds := 0, !or
	for i, x := range parts {
		show, holds := i < MaxTreeParts && b.left > 0, false
		if !show {
			holds = query.Holds(x, b.e)
			show = holds == or && len(t.Kids) < 2*MaxTreeParts && b.left > 0
		}
		if show {
			kid := b.node(x, depth+1)
			t.Kids = append(t.Kids, kid)
			holds = kid.Holds
		} else {
			rest++
			if holds == or {
				restHolds = or
			}
		}
		if holds == or {
			t.Holds = or
		}
	}
	if rest > 0 {
		t.Kids = append(t.Kids, leaf(restWords(rest, or, restHolds), restHolds))
	}
	return t
}

func restWords(n int, or, holds bool) string {
	switch {
	case or && holds:
		return fmt.Sprintf("%d further parts, of which some hold", n)
	case or:
		return fmt.Sprintf("%d further parts that do not hold", n)
	case holds:
		return fmt.Sprintf("%d further parts that all hold", n)
	}
	return fmt.Sprintf("%d further parts, of which some do not hold", n)
}

// folded is a part that is judged but not shown.
func (b *treeBuilder) folded(n query.Node) *Tree {
	preds := 0
	query.Walk(n, func(x query.Node) {
		if _, ok := x.(*query.Pred); ok {
			preds++
		}
	})
	return leaf(fmt.Sprintf("a part with %d predicates, too large to be shown", preds), query.Holds(n, b.e))
}

func (b *treeBuilder) pred(p *query.Pred) *Tree {
	p = p.Prepare() // what is looked for is analysed once, not for every value
	t := &Tree{Op: "leaf", Text: cutText(p.String(), MaxTreeText), Field: cutText(p.Field, MaxTreeText), Holds: p.Match(b.e)}
	if t.Holds {
		t.Matches = query.Explain(p, b.e, nil)
	}
	for _, name := range p.Names() {
		b.vals = query.Lookup(b.e, name, b.vals[:0])
		for i := range b.vals {
			if len(t.Seen) == MaxTreeSeen {
				t.More += len(b.vals) - i
				break
			}
			t.Seen = append(t.Seen, seenText(&b.vals[i]))
		}
	}
	if p.Op == query.OpFieldEqual {
		b.other(t, p.Value)
	}
	return t
}

// other adds what the second field of a comparison of two fields has.
func (b *treeBuilder) other(t *Tree, name string) {
	t.Other = cutText(name, MaxTreeText)
	b.vals = query.Lookup(b.e, name, b.vals[:0])
	for i := range b.vals[:min(len(b.vals), 3)] {
		t.Beside = append(t.Beside, seenText(&b.vals[i]))
	}
}

// BesideWords says what a comparison's second field has, "" where there is none;
// show makes a value fit to be shown.
func (t *Tree) BesideWords(show func(name, value string) string) string {
	if t.Other == "" {
		return ""
	}
	if len(t.Beside) == 0 {
		return ", which is absent"
	}
	var have []string
	for _, v := range t.Beside {
		have = append(have, strconv.Quote(cutText(show(t.Other, v), 64)))
	}
	return ", which is " + strings.Join(have, ", ")
}

// nameFilters says at the parts of a condition that came from filters which.
func (b *treeBuilder) nameFilters(t *Tree, r *Rule) {
	for i := len(r.Filters) - 1; i >= 0; i-- {
		if t.Op != "and" || len(t.Kids) != 2 {
			return
		}
		f := b.set.Rule(r.Filters[i])
		name := r.Filters[i]
		if f != nil {
			name = cmp.Or(f.Name, f.Title, f.ID)
		}
		if last := t.Kids[1]; last.Op != "leaf" {
			last.Text = cutText("filter "+name+" keeps the hit", MaxTreeText)
		}
		t = t.Kids[0]
	}
}

func leaf(text string, holds bool) *Tree { return &Tree{Op: "leaf", Text: text, Holds: holds} }

// seenText is a copy of a value for people, cut to MaxTreeValue bytes.
func seenText(v *event.Value) string {
	if v.Kind == event.KindNull {
		return "null"
	}
	return cutText(v.Str, MaxTreeValue)
}

// cutText is a copy of s; what was cut off is said at its end.
func cutText(s string, most int) string {
	if len(s) <= most {
		return strings.Clone(s)
	}
	cut := most
	for cut > most-utf8.UTFMax && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + treeCut + "(" + strconv.Itoa(len(s)) + " bytes)"
}

// sourcePath writes a log source as product/category/service, unknown parts left out.
func sourcePath(l event.LogSource) string {
	var parts []string
	for _, p := range []string{l.Product, l.Category, l.Service} {
		if p != "" {
			parts = append(parts, cutText(p, 128))
		}
	}
	return cmp.Or(strings.Join(parts, "/"), "of no known kind")
}
