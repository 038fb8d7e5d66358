package detect

import (
	"fmt"
	"slices"
	"strings"

	"bartizan/event"
	"bartizan/query"
)

// Supply is what one kind of record gives to rules.
type Supply struct {
	Name      string // of its format
	LogSource event.LogSource
	Gives     func(field string) bool // whether its records can have that field
	Kind      string                  // a field that tells the kinds of record of a format apart, "" when there is none
	Kinds     []string                // the values it has in records of this supply
}

// ReachState says whether a rule can hit records of some format.
type ReachState uint8

// The states of reach, ordered.
const (
	ReachNone ReachState = iota // it cannot hit
	ReachPart                   // it can hit, but names fields that are never there
	ReachFull                   // its log source and every field it names are supplied
)

// String is none, part or full.
func (s ReachState) String() string { return [...]string{"none", "part", "full"}[s] }

// Reach is what is known of a rule before any event was seen.
type Reach struct {
	State   ReachState
	By      string   // the format whose records serve it best, "" when none has its log source
	Missing []string // fields it names that those records never have, sorted
	Why     string   // one sentence; "" when State is ReachFull
}

// Reacher judges which rules can hit, by what formats supply. A field that no
// record has makes its predicate false (and "null" true); all other predicates
// may turn out either way, so a rule said to be out of reach is, and one said to
// be in reach may still wait for a record in vain. It is for one goroutine.
type Reacher struct {
	supplies []Supply
	rules    map[string]*Rule
	waits    map[string]string
}

// NewReacher returns a judge of rules (all that are loaded, linked) by supplies.
func NewReacher(rules []*Rule, supplies []Supply) *Reacher {
	x := &Reacher{supplies: supplies, rules: make(map[string]*Rule, len(rules))}
	for _, r := range rules {
		x.rules[r.ID] = r
	}
	return x
}

// Wait says that nothing answers these enriched fields as long as something is not
// configured, and what that is: the reason of rules that need them.
func (x *Reacher) Wait(fields []string, why string) {
	if x.waits == nil {
		x.waits = map[string]string{}
	}
	for _, f := range fields {
		x.waits[f] = why
	}
}

// Reach judges one rule. A correlation needs rules that can hit and events that
// have what it groups by and counts.
func (x *Reacher) Reach(r *Rule) Reach { return x.reach(r, nil, 0) }

// reach judges r where its events must also have the fields need.
func (x *Reacher) reach(r *Rule, need []string, depth int) Reach {
	c := r.Correlation
	switch {
	case depth > MaxChain:
		return Reach{Why: "the correlations stand on each other too deep"}
	case c != nil && len(c.Rules) > 0:
		return x.correlated(r, need, depth)
	case r.Cond == nil && r.Status != "":
		return Reach{Why: r.Status}
	case r.Cond == nil:
		return Reach{Why: "it has no condition"}
	case c != nil:
		need = append(append(slices.Clip(need), c.GroupBy...), c.Fields...)
	}
	return x.single(r, need)
}

// single judges a rule by the supply that serves it best.
func (x *Reacher) single(r *Rule, need []string) Reach {
	best, any := Reach{}, false
	for i := range x.supplies {
		s := &x.supplies[i]
		if !fits(r.LogSource, s.LogSource) {
			continue
		}
		if got := x.by(r, s, need); !any || got.beats(best) {
			best, any = got, true
		}
	}
	if !any {
		best.Why = "no format that is read here has the log source " + sourceWords(r.LogSource)
	}
	return best
}

// beats prefers the higher state, then what lacks fewer fields; of supplies that
// cannot serve one that lacks a field explains more than one of another kind.
func (a Reach) beats(b Reach) bool {
	if a.State != b.State {
		return a.State > b.State
	}
	if a.State == ReachNone && (len(a.Missing) == 0) != (len(b.Missing) == 0) {
		return len(a.Missing) > 0
	}
	return len(a.Missing) < len(b.Missing)
}

func (x *Reacher) by(r *Rule, s *Supply, need []string) Reach {
	j := judge{s: s, waits: x.waits}
	can, _ := j.node(r.Cond)
	for _, f := range need {
		can = j.has(f) && can
	}
	slices.Sort(j.missing)
	out := Reach{State: ReachFull, By: s.Name, Missing: slices.Compact(j.missing)}
	lacks := "records of " + s.Name + " have no " + strings.Join(out.Missing, ", ")
	for _, f := range out.Missing {
		if why := x.waits[f]; why != "" {
			lacks = why
		}
	}
	switch {
	case !can && len(out.Missing) == 0:
		out.State, out.Why = ReachNone, "its condition can never hold for records of "+s.Name
	case !can:
		out.State, out.Why = ReachNone, lacks
	case len(out.Missing) > 0:
		out.State, out.Why = ReachPart, lacks+": what it asks of that never holds, the rest can"
	}
	return out
}

// judge finds out what a condition can come to on records of one supply.
type judge struct {
	s       *Supply
	waits   map[string]string
	missing []string
}

func (j *judge) has(field string) bool {
	if field == "" || j.waits[field] == "" && query.IsPseudo(field) || j.s.Gives(field) {
		return true
	}
	j.missing = append(j.missing, field)
	return false
}

// node says whether n can be true and whether it can be false.
func (j *judge) node(n query.Node) (yes, no bool) {
	switch n := n.(type) {
	case query.And:
		yes = true
		for _, part := range n {
			y, f := j.node(part)
			yes, no = yes && y, no || f
		}
	case query.Or:
		no = true
		for _, part := range n {
			y, f := j.node(part)
			yes, no = yes || y, no && f
		}
	case query.Not:
		no, yes = j.node(n.X)
	case *query.Pred:
		return j.pred(n)
	}
	return yes, no
}

func (j *judge) pred(p *query.Pred) (yes, no bool) {
	if p.Short {
		return true, true
	}
	if p.Field == j.s.Kind && p.Field != "" && len(j.s.Kinds) > 0 {
		for _, k := range j.s.Kinds {
			held := p.MatchValue(&event.Value{Str: k, Pos: -1, End: -1})
			yes, no = yes || held, no || !held
		}
		return yes, no
	}
	there := j.has(p.Field)
	if p.Op == query.OpFieldEqual {
		there = j.has(p.Value) && there
	}
	if !there {
		return p.Op == query.OpNull, p.Op != query.OpNull
	}
	return true, true
}

// correlated judges a correlation by the rules it stands on.
func (x *Reacher) correlated(r *Rule, need []string, depth int) Reach {
	c := r.Correlation
	need = append(append(slices.Clip(need), c.GroupBy...), c.Fields...)
	of := make(map[string]Reach, len(c.Rules))
	reached, weakest := 0, Reach{State: ReachFull}
	for _, id := range c.Rules {
		base := x.rules[id]
		if base == nil {
			of[id] = Reach{Why: "it is not loaded"}
		} else {
			of[id] = x.reach(base, aliased(c, id, need), depth+1)
		}
		if of[id].State > ReachNone {
			reached++
		}
		if of[id].State < weakest.State {
			weakest = of[id]
			weakest.Why = fmt.Sprintf("%s, which it stands on: %s", id, weakest.Why)
		}
	}
	if c.enough(reached, of) {
		weakest.State = max(weakest.State, ReachPart)
	} else {
		weakest.State = ReachNone
	}
	if weakest.State == ReachFull {
		weakest.By = of[c.Rules[0]].By
	}
	return weakest
}

// enough reports whether a correlation can hit when so many of its rules can.
func (c *Correlation) enough(reached int, of map[string]Reach) bool {
	switch {
	case !c.Type.Temporal():
		return reached > 0
	case c.Expr != nil:
		yes, _ := c.Expr.possible(of)
		return yes
	case len(c.Bounds) == 0:
		return reached == len(c.Rules)
	}
	for n := 1; n <= reached; n++ {
		if !slices.ContainsFunc(c.Bounds, func(b Bound) bool { return !b.holds(float64(n)) }) {
			return true
		}
	}
	return false
}

// possible says whether x can be true and whether it can be false.
func (x *Expr) possible(of map[string]Reach) (yes, no bool) {
	yes, no = x.Op == ExprAnd, x.Op == ExprOr
	for i := range x.Parts {
		y, f := x.Parts[i].possible(of)
		switch x.Op {
		case ExprAnd:
			yes, no = yes && y, no || f
		case ExprOr:
			yes, no = yes || y, no && f
		case ExprNot:
			return f, y
		}
	}
	if x.Op == ExprRule {
		return of[x.Rule].State > ReachNone, true
	}
	return yes, no
}

// aliased says what the fields of a correlation are called in one of its rules.
func aliased(c *Correlation, id string, fields []string) []string {
	out := make([]string, 0, len(fields))
	for _, f := range fields {
		if of, ok := c.Aliases[f]; ok {
			f = of[id]
		}
		if f != "" {
			out = append(out, f)
		}
	}
	return out
}

// fits reports whether events of source are routed to a rule that asks for want.
func fits(want, source event.LogSource) bool {
	part := func(w, s string) bool { return w == "" || strings.EqualFold(w, s) }
	holds := func(s event.LogSource) bool {
		return part(want.Product, s.Product) && part(want.Category, s.Category) && part(want.Service, s.Service)
	}
	wide, ok := source.Wider()
	return holds(source) || ok && holds(wide)
}

// sourceWords names the parts of a log source that are there.
func sourceWords(s event.LogSource) string {
	var parts []string
	for _, p := range [][2]string{{"product", s.Product}, {"category", s.Category}, {"service", s.Service}} {
		if p[1] != "" {
			parts = append(parts, p[0]+" "+p[1])
		}
	}
	return strings.Join(parts, ", ")
}
