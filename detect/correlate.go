package detect

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"bartizan/event"
	"bartizan/query"
)

// CorrelationType is what a correlation asks of its window, in Sigma's words
// (Sigma Correlation Rules Specification 2.1.0; value_median is pySigma's).
type CorrelationType string

// The types of correlation.
const (
	EventCount      CorrelationType = "event_count"      // how many events
	ValueCount      CorrelationType = "value_count"      // how many different values of a field
	Temporal        CorrelationType = "temporal"         // which rules, in any order
	TemporalOrdered CorrelationType = "temporal_ordered" // which rules, in the order listed
	ValueSum        CorrelationType = "value_sum"        // the sum of a field
	ValueAvg        CorrelationType = "value_avg"        // its mean
	ValuePercentile CorrelationType = "value_percentile" // its percentile, between neighbours linear
	ValueMedian     CorrelationType = "value_median"     // its 50th percentile
)

// CorrelationTypes are all of them.
var CorrelationTypes = []CorrelationType{EventCount, ValueCount, Temporal, TemporalOrdered, ValueSum, ValueAvg, ValuePercentile, ValueMedian}

// Temporal reports whether the type asks which rules matched.
func (t CorrelationType) Temporal() bool { return t == Temporal || t == TemporalOrdered }

// MaxChain is how many correlations may stand on each other.
const MaxChain = 10

// Correlation is what a rule asks of a window of matches. It is immutable once
// its rule is in use.
type Correlation struct {
	Type       CorrelationType
	Rules      []string                     // ids of the rules whose matches count; empty: the rule's own
	GroupBy    []string                     // fields (or aliases) all matches of a window share; empty: one window for all
	Aliases    map[string]map[string]string // alias to rule id to that rule's field
	Span       time.Duration                // the window's length; both ends belong to it
	Bounds     []Bound                      // all must hold; none: every rule once (temporal types)
	Fields     []string                     // of the value types; value_count takes several
	Percentile float64                      // 0 to 100
	Expr       *Expr                        // extended condition of the temporal types; replaces Bounds
	Generate   bool                         // the rules named hit on their own as well
	Line       int                          // where its rules are named, in the rule's file
}

// Bound is one comparison of what a window comes to.
type Bound struct {
	Op    BoundOp
	Value float64
}

// BoundOp is how a Bound compares.
type BoundOp uint8

// The operators, with Sigma's names.
const (
	BoundGt BoundOp = iota
	BoundGte
	BoundLt
	BoundLte
	BoundEq
	BoundNeq
)

var (
	boundNames = [...]string{"gt", "gte", "lt", "lte", "eq", "neq"}
	boundSigns = [...]string{">", ">=", "<", "<=", "=", "!="}
)

// ParseBoundOp reads Sigma's name of an operator.
func ParseBoundOp(s string) (BoundOp, bool) {
	i := slices.Index(boundNames[:], s)
	return BoundOp(max(i, 0)), i >= 0
}

func (b Bound) holds(v float64) bool {
	switch b.Op {
	case BoundGt:
		return v > b.Value
	case BoundGte:
		return v >= b.Value
	case BoundLt:
		return v < b.Value
	case BoundLte:
		return v <= b.Value
	case BoundEq:
		return v == b.Value
	}
	return v != b.Value
}

// rises reports whether the bound, once it holds, holds for every greater value.
func (b Bound) rises() bool { return b.Op == BoundGt || b.Op == BoundGte }

func (b Bound) String() string { return boundSigns[b.Op] + " " + number(b.Value) }

func number(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return strconv.FormatInt(int64(v), 10)
	}
	return strconv.FormatFloat(v, 'g', 6, 64)
}

// ExprOp is what an Expr is.
type ExprOp uint8

// The kinds of Expr.
const (
	ExprRule ExprOp = iota // Rule matched in the window
	ExprAnd
	ExprOr
	ExprNot
)

// Expr is an extended condition over rules. What stands under a not must be
// absent a whole Span before and after the window's first match, and is
// therefore judged when that time has passed.
type Expr struct {
	Op    ExprOp
	Rule  string // id; of ExprRule
	Parts []Expr
}

// Names appends the rules that x names to dst.
func (x *Expr) Names(dst []string) []string {
	if x.Op == ExprRule && !slices.Contains(dst, x.Rule) {
		dst = append(dst, x.Rule)
	}
	for i := range x.Parts {
		dst = x.Parts[i].Names(dst)
	}
	return dst
}

// negated reports whether anything in x stands under a not.
func (x *Expr) negated(under bool) bool {
	if x.Op == ExprRule {
		return under
	}
	return slices.ContainsFunc(x.Parts, func(p Expr) bool { return p.negated(under != (x.Op == ExprNot)) })
}

// write writes the condition as Sigma does, rules by what name says.
func (x *Expr) write(name func(id string) string, depth int) string {
	switch x.Op {
	case ExprRule:
		return name(x.Rule)
	case ExprNot:
		return "not " + x.Parts[0].write(name, depth+1)
	}
	word := " and "
	if x.Op == ExprOr {
		word = " or "
	}
	parts := make([]string, len(x.Parts))
	for i := range x.Parts {
		parts[i] = x.Parts[i].write(name, depth+1)
	}
	s := strings.Join(parts, word)
	if depth > 0 {
		s = "(" + s + ")"
	}
	return s
}

// Waits reports whether the correlation is judged when its window closes: an
// upper bound on a count or a sum may still be passed, and what is not there may
// still come.
func (c *Correlation) Waits() bool {
	if c.Expr != nil {
		return c.Expr.negated(false)
	}
	switch c.Type {
	case EventCount, ValueCount, ValueSum, Temporal:
		return slices.ContainsFunc(c.Bounds, func(b Bound) bool { return !b.rises() })
	}
	return false
}

// String says in words what the correlation asks, rules by their ids.
func (c *Correlation) String() string { return c.Words(func(id string) string { return id }) }

// Words says in words what the correlation asks, rules by what name says of their
// ids.
func (c *Correlation) Words(name func(id string) string) string {
	var b strings.Builder
	b.WriteString(string(c.Type))
	if len(c.Fields) > 0 {
		fmt.Fprintf(&b, "(%s)", strings.Join(c.Fields, ", "))
	}
	if c.Type == ValuePercentile {
		fmt.Fprintf(&b, " %s", number(c.Percentile))
	}
	before := " of "
	for _, id := range c.Rules {
		b.WriteString(before + name(id))
		before = ", "
	}
	if c.Expr != nil {
		b.WriteString(" where " + c.Expr.write(name, 0))
	}
	for i, x := range c.Bounds {
		if i > 0 {
			b.WriteString(" and")
		}
		b.WriteString(" " + x.String())
	}
	fmt.Fprintf(&b, " within %v", c.Span)
	if len(c.GroupBy) > 0 {
		b.WriteString(" by " + strings.Join(c.GroupBy, ", "))
	}
	return b.String()
}

// Completed is a rule whose window became full, or a single match of a rule that
// needs no window.
type Completed struct {
	Rule  *Rule
	Event *event.Event   // the completing one; of a window that waited, a copy of its last event
	Refs  []event.Ref    // sealed, at most MaxRefs, the completing one last; the caller's to keep
	Group []event.Entity // the values all matches of the window share
	Count int            // events in the window
	Value float64        // what the window came to; Count where the type measures nothing else
	Why   []query.Match  // nil when the rule's own condition is the reason
	at    int64
}

// Hit makes a hit of it; why is used where Why is nil.
func (d *Completed) Hit(why []query.Match) Hit {
	if d.Why != nil {
		why = append(slices.Clone(d.Why), why...)
	}
	return Hit{ID: NewHitID(d.Rule.ID, d.Refs), Rule: d.Rule, Refs: d.Refs, Why: why, Event: d.Event, Group: d.Group, Count: d.Count}
}

// Window is how full one group's window of a rule is.
type Window struct {
	Group       []event.Entity `json:"group"`
	Count       int            `json:"count"` // events in the window that ends at Last
	First, Last time.Time      // of the events in it
	Firing      bool           `json:"firing"` // it has hit and has not fallen since
}
