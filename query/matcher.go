package query

import (
	"fmt"

	"bartizan/event"
)

// MaxNodes and MaxCompileDepth bound a tree that Compile accepts; Parse has its own, smaller bounds.
const (
	MaxNodes        = 200_000
	MaxCompileDepth = 512
)

// Matcher is a compiled predicate tree. It is safe for many goroutines.
type Matcher struct {
	source Node
	root   Node // with prepared predicates
}

// Compile makes a matcher of n. The error says in one sentence which predicate
// cannot be asked: an operator a keyword does not have, or one whose expression, network or set is missing.
func Compile(n Node) (*Matcher, error) {
	left := MaxNodes
	root, err := prepare(n, 0, &left)
	if err != nil {
		return nil, err
	}
	return &Matcher{source: n, root: root}, nil
}

// Node returns the tree the matcher was made of.
func (m *Matcher) Node() Node { return m.source }

// Match reports whether the event answers the tree. It does not allocate.
func (m *Matcher) Match(e *event.Event) bool { return matchNode(m.root, e) }

// Holds is Match for a tree that was not compiled: slower, same answers. A nil
// tree holds for nothing.
func Holds(n Node, e *event.Event) bool { return matchNode(n, e) }

func matchNode(n Node, e *event.Event) bool {
	switch n := n.(type) {
	case *Pred:
		return n.Match(e)
	case And:
		for _, x := range n {
			if !matchNode(x, e) {
				return false
			}
		}
		return true
	case Or:
		for _, x := range n {
			if matchNode(x, e) {
				return true
			}
		}
		return false
	case Not:
		return !matchNode(n.X, e)
	}
	return false
}

func prepare(n Node, depth int, left *int) (Node, error) {
	if *left--; *left < 0 {
		return nil, fmt.Errorf("the condition has more than %d parts; split it", MaxNodes)
	}
	if depth > MaxCompileDepth {
		return nil, fmt.Errorf("the condition is nested deeper than %d levels; write it flatter", MaxCompileDepth)
	}
	switch n := n.(type) {
	case *Pred:
		if n == nil {
			return nil, fmt.Errorf("the condition has an empty part; this is a fault of what made it")
		}
		if err := n.check(); err != nil {
			return nil, err
		}
		return n.Prepare(), nil
	case And:
		parts, err := prepareAll(n, depth, left)
		return And(parts), err
	case Or:
		parts, err := prepareAll(n, depth, left)
		return Or(parts), err
	case Not:
		x, err := prepare(n.X, depth+1, left)
		return Not{x}, err
	}
	return nil, fmt.Errorf("the condition has an empty part; this is a fault of what made it")
}

func prepareAll(parts []Node, depth int, left *int) ([]Node, error) {
	out := make([]Node, len(parts))
	for i, x := range parts {
		var err error
		if out[i], err = prepare(x, depth+1, left); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// check says why p can never be answered.
func (p *Pred) check() error {
	what := p.Field
	if what == "" {
		what = "the raw record"
		switch p.Op {
		case OpContains, OpGlob, OpRegex, OpIn:
		default:
			return fmt.Errorf("the raw record as a whole can only be searched for text, a wildcard, an expression or a list; name a field for anything else")
		}
	}
	switch {
	case p.Op > OpIn:
		return fmt.Errorf("the condition on %s has an unknown operator; this is a fault of what made it", what)
	case p.Op == OpFieldEqual && p.How != OpEqual && p.How != OpContains && p.How != OpPrefix && p.How != OpSuffix:
		return fmt.Errorf("the condition on %s compares two fields in an unknown way; this is a fault of what made it", what)
	case p.Op == OpRegex && p.Re == nil:
		return fmt.Errorf("the condition on %s has no regular expression; give one", what)
	case p.Op == OpCIDR && !p.Net.IsValid():
		return fmt.Errorf("the condition on %s has no network; write one such as 10.0.0.0/8", what)
	case p.Op == OpIn && p.Set == nil:
		return fmt.Errorf("the condition on %s has no list; name one such as @bad-addresses.txt", what)
	}
	return nil
}

// Walk calls f with n and everything below it, parents first.
func Walk(n Node, f func(Node)) {
	if n == nil {
		return
	}
	f(n)
	switch n := n.(type) {
	case And:
		for _, x := range n {
			Walk(x, f)
		}
	case Or:
		for _, x := range n {
			Walk(x, f)
		}
	case Not:
		Walk(n.X, f)
	}
}
