package detect

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"bartizan/event"
	"bartizan/query"
)

// TestRuleBombs: whatever a rule holds, a set over it, matching and the tree take
// less than 64 MiB, and a rule that is too large is refused visibly.
func TestRuleBombs(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	list := func(n int, pred func(i int) *query.Pred) query.Node {
		out := make(query.Or, n)
		for i := range out {
			out[i] = pred(i)
		}
		return out
	}
	regex := func(expr string) *query.Pred {
		re, err := query.CompileRegex(expr)
		if err != nil {
			t.Fatal(err)
		}
		return &query.Pred{Field: "a", Op: query.OpRegex, Value: expr, Re: re}
	}
	nest := func(n int) query.Node {
		var x query.Node = &query.Pred{Field: "a", Op: query.OpEqual, Value: "x"}
		for range n {
			x = query.Not{X: query.Or{x, x}}
		}
		return x
	}
	million := &query.Set{Name: "s", Values: map[string]struct{}{}}
	for i := range 1_000_000 {
		million.Values[fmt.Sprint(i)] = struct{}{}
	}
	bombs := map[string]struct {
		cond    query.Node
		refused bool
	}{
		"a million values": {list(1_000_000, func(i int) *query.Pred { return &query.Pred{Field: "a", Op: query.OpEqual, Value: fmt.Sprint("v", i)} }), true},
		"as many values as may be": {list(MaxRuleNodes-1, func(i int) *query.Pred {
			return &query.Pred{Field: "a", Op: query.OpContains, Value: fmt.Sprint("value ", i)}
		}), false},
		"as many fields": {list(MaxRuleNodes-1, func(i int) *query.Pred {
			return &query.Pred{Field: fmt.Sprint("field ", i), Op: query.OpEqual, Value: fmt.Sprint("v", i)}
		}), false},
		"a list of a million": {&query.Pred{Field: "a", Op: query.OpIn, Set: million}, false},
		"10,000 wildcards":    {&query.Pred{Field: "a", Op: query.OpGlob, Value: strings.Repeat("*a?", 10_000)}, false},
		"10,000 patterns": {list(10_000, func(i int) *query.Pred {
			return &query.Pred{Field: "a", Op: query.OpGlob, Value: fmt.Sprintf("*a*%d*b?c*", i)}
		}), false},
		"one long value": {&query.Pred{Field: "a", Op: query.OpContains, Value: strings.Repeat("0123456789abcdef", 100_000)}, false},
		"values that are too long": {list(10, func(i int) *query.Pred {
			return &query.Pred{Field: "a", Op: query.OpContains, Value: strings.Repeat(fmt.Sprint(i), 1<<20)}
		}), true},
		"expressions that step back":  {list(5, func(i int) *query.Pred { return regex(fmt.Sprintf("((a*)*)*b{%d}|(x+x+)+y", 900+i)) }), false},
		"an expression with 10,000":   {regex(strings.Repeat("([a-z]{1,100}x?)", 30) + "$"), false},
		"deep, and doubled each time": {nest(40), true},
		"too deep":                    {query.And{query.Not{X: deep(MaxRuleDepth)}}, true},
	}
	e := &event.Event{Raw: []byte("x"), Native: 2, Fields: []event.Field{field("a", strings.Repeat("a", 1<<11)), field("field 7", "v7")}}
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	for name, c := range bombs {
		t.Run(name, func(t *testing.T) {
			r := &Rule{ID: name, File: "bomb.yml", Line: 3, Cond: c.cond}
			before := heap()
			s := NewSet([]*Rule{r})
			m := s.NewMatcher()
			hits := m.Match(e, nil)
			used := heap() - before
			if refused := len(s.Refused()) == 1; refused != c.refused || refused && s.Refused()[0].Line != 3 {
				t.Errorf("refused: %v", s.Refused())
			}
			if used > 64<<20 {
				t.Errorf("%d MiB are kept", used>>20)
			}
			t.Logf("%.1f MiB, %d hits", float64(used)/(1<<20), len(hits))
			if !c.refused {
				if tree := m.Tree(r, e); tree.Holds != (len(hits) == 1) {
					t.Errorf("hit %v, tree %v", len(hits), tree.Holds)
				}
			}
			runtime.KeepAlive(m)
		})
	}
}

func deep(n int) query.Node {
	var x query.Node = &query.Pred{Field: "a", Op: query.OpEqual, Value: "x"}
	for range n {
		x = query.Not{X: x}
	}
	return x
}
