package detect

import (
	"fmt"

	"bartizan/query"
)

// The bounds of one rule's condition, which hold whatever made it.
const (
	MaxRuleNodes = 20_000  // predicates, ands, ors and nots
	MaxRuleDepth = 256     // of them in each other
	MaxRuleText  = 4 << 20 // bytes of all values; those of lists count too
)

// Check says why r is too large to be matched, in one sentence that ends with what
// to do; nil: it is not.
func (r *Rule) Check() error {
	if r.Cond == nil {
		return nil
	}
	var c checker
	c.node(r.Cond, 1)
	switch {
	case c.deep:
		return fmt.Errorf("the condition is nested deeper than %d levels; write it flatter", MaxRuleDepth)
	case c.nodes > MaxRuleNodes:
		return fmt.Errorf("the condition has more than %d parts; split the rule, or put the values into a list file", MaxRuleNodes)
	case c.text > MaxRuleText:
		return fmt.Errorf("the values of the condition have more than %d bytes together; split the rule", MaxRuleText)
	}
	return nil
}

// checker counts, and stops soon after something is too much.
type checker struct {
	nodes, text int
	deep        bool
	sets        map[*query.Set]bool
}

func (c *checker) node(n query.Node, depth int) {
	if c.deep = c.deep || depth > MaxRuleDepth; c.deep || c.nodes > MaxRuleNodes {
		return
	}
	c.nodes++
	switch n := n.(type) {
	case query.And:
		c.all(n, depth)
	case query.Or:
		c.all(n, depth)
	case query.Not:
		c.node(n.X, depth+1)
	case *query.Pred:
		if n != nil {
			c.text += len(n.Value) + len(n.Field)
			c.set(n.Set)
		}
	}
}

func (c *checker) all(parts []query.Node, depth int) {
	for _, x := range parts {
		if c.deep || c.nodes > MaxRuleNodes || c.text > MaxRuleText {
			return
		}
		c.node(x, depth+1)
	}
}

// set counts small lists, whose values the index holds; others are asked themselves.
func (c *checker) set(s *query.Set) {
	if s == nil || c.sets[s] || len(s.Values) > maxSetAnchors {
		return
	}
	if c.sets == nil {
		c.sets = map[*query.Set]bool{}
	}
	c.sets[s] = true
	for v := range s.Values {
		c.text += len(v)
	}
}

// Refused are the rules that are kept but never matched, because they are too large.
func (s *Set) Refused() []Refusal { return s.refused }
