package detect

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"bartizan/event"
	"bartizan/query"

	"pgregory.net/rapid"
)

// consistent checks that every node says what follows from its parts.
func consistent(t interface{ Fatalf(string, ...any) }, n *Tree) (nodes int) {
	holds := n.Op == "and"
	for _, k := range n.Kids {
		nodes += consistent(t, k)
		if n.Op == "and" && !k.Holds || n.Op == "or" && k.Holds {
			holds = n.Op == "or"
		}
	}
	switch n.Op {
	case "not":
		holds = len(n.Kids) == 1 && !n.Kids[0].Holds
	case "leaf":
		holds = n.Holds
		if len(n.Kids) > 0 || n.Text == "" {
			t.Fatalf("a leaf with parts or without text: %+v", n)
		}
	}
	if holds != n.Holds {
		t.Fatalf("%s holds %v, its parts say %v", n.Op, n.Holds, holds)
	}
	return nodes + 1
}

// TestTreeAgreesWithMatch: the root holds exactly when the rule hits, and every
// node follows from its parts.
func TestTreeAgreesWithMatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := &Rule{ID: "r", LogSource: genSource.Draw(t, "logsource"), Cond: genNode(t, 4)}
		m := NewSet([]*Rule{r}).NewMatcher()
		e := genEvent(t)
		tree := m.Tree(r, e)
		consistent(t, tree)
		if hit := len(m.Match(e, nil)) == 1; hit != tree.Holds {
			t.Fatalf("the rule hits: %v, the tree holds: %v", hit, tree.Holds)
		}
	})
}

func TestTreeShowsEveryLeaf(t *testing.T) {
	source := event.LogSource{Product: "linux", Service: "sshd"}
	r := &Rule{ID: "r", LogSource: source, Cond: must(t, `user.name: root and (port > 1000 or not host.name: *) and a: *ell*`)}
	m := NewSet([]*Rule{r}).NewMatcher()
	e := &event.Event{LogSource: event.LogSource{Product: "linux", Service: "cron"}, Raw: []byte("Hello"), Native: 3}
	e.Fields = []event.Field{field("user.name", "alice"), field("a", "Hello"), field("a", "other")}
	e.Fields[1].Value.Pos, e.Fields[1].Value.End = 0, 5
	tree := m.Tree(r, e)
	if tree.Holds || tree.Op != "and" || len(tree.Kids) != 2 {
		t.Fatalf("%+v", tree)
	}
	if got := tree.Kids[0].Text; got != "log source linux/sshd: this event is linux/cron" || tree.Kids[0].Holds {
		t.Errorf("the log source is said as %q", got)
	}
	cond := tree.Kids[1]
	user, ell := cond.Kids[0], cond.Kids[2]
	if user.Holds || user.Field != "user.name" || fmt.Sprint(user.Seen) != "[alice]" || user.Matches != nil {
		t.Errorf("the user: %+v", user)
	}
	if port := cond.Kids[1].Kids[0]; port.Holds || port.Seen != nil {
		t.Errorf("an absent field: %+v", port)
	}
	if !ell.Holds || fmt.Sprint(ell.Seen) != "[Hello other]" || len(ell.Matches) != 1 || ell.Matches[0].Pos != 1 || ell.Matches[0].End != 4 {
		t.Errorf("a leaf behind one that failed: %+v", ell)
	}
}

func TestTreeOfRulesWithoutOwnCondition(t *testing.T) {
	base := &Rule{ID: "base", Title: "A base", Cond: must(t, "a: x")}
	other := &Rule{ID: "other", Cond: must(t, "a: y")}
	over := &Rule{ID: "over", Correlation: &Correlation{Type: EventCount, Rules: []string{"base", "other", "gone"}, Span: time.Minute, Bounds: []Bound{{BoundGte, 3}}}}
	top := &Rule{ID: "top", Correlation: &Correlation{Type: EventCount, Rules: []string{"over"}, Span: time.Minute, Bounds: []Bound{{BoundGte, 2}}}}
	loop := &Rule{ID: "loop", Correlation: &Correlation{Type: EventCount, Rules: []string{"loop", "loop"}, Span: time.Minute}}
	filter := &Rule{ID: "filter", Kind: KindFilter, Title: "No x", Filter: &Filter{Keep: must(t, "not (a: x or b: y)")}}
	filtered := &Rule{ID: "filtered", Cond: query.And{must(t, "a: x"), filter.Filter.Keep}, Filters: []string{"filter"}}
	foreign := &Rule{ID: "falco:x", Kind: KindFalco}
	m := NewSet([]*Rule{base, other, over, top, loop, filter, filtered, foreign}).NewMatcher()
	e := &event.Event{Fields: []event.Field{field("a", "x")}, Native: 1}
	for _, c := range []struct {
		rule  *Rule
		holds bool
		says  string
	}{
		{over, true, "A base"},
		{over, true, "gone is not loaded"},
		{top, true, "correlation"},
		{loop, false, "is not loaded"},
		{filter, false, "keeps the hit"},
		{filtered, false, "filter No x keeps the hit"},
		{foreign, false, "Falco"},
		{&Rule{ID: "self:x"}, false, "no condition"},
		{&Rule{ID: "n", Cond: must(t, "a: x"), Count: 5, Within: time.Minute}, true, "5 of them within 1m0s"},
	} {
		tree := m.Tree(c.rule, e)
		consistent(t, tree)
		if tree.Holds != c.holds || !says(tree, c.says) {
			t.Errorf("%s: holds %v, want %v with %q", c.rule.ID, tree.Holds, c.holds, c.says)
		}
	}
}

func says(n *Tree, text string) bool {
	for _, k := range n.Kids {
		if says(k, text) {
			return true
		}
	}
	return strings.Contains(n.Text, text)
}

// TestTreeIsBounded: whatever the rule and the event, the tree is small, and what
// it leaves out is counted in what it says.
func TestTreeIsBounded(t *testing.T) {
	long := make(query.Or, 5_000)
	for i := range long {
		long[i] = &query.Pred{Field: "a", Op: query.OpEqual, Value: fmt.Sprint("v", i)}
	}
	var deep query.Node = &query.Pred{Field: "a", Op: query.OpEqual, Value: "v4999"}
	for range 400 {
		deep = query.Not{X: query.And{deep}}
	}
	wide := query.And{}
	for range 20 {
		wide = append(wide, long)
	}
	e := &event.Event{Fields: []event.Field{field("a", "v4999"), field("b", strings.Repeat("é", 100_000))}}
	for range 1000 {
		e.Fields = append(e.Fields, field("b", "x"))
	}
	e.Native = len(e.Fields)
	for name, c := range map[string]struct {
		cond  query.Node
		holds bool
	}{
		"a long list":      {long, true},
		"deep":             {deep, true},
		"many long lists":  {wide, true},
		"all of many":      {query.Not{X: query.And(long)}, true},
		"many values":      {&query.Pred{Field: "b", Op: query.OpEqual, Value: "y"}, false},
		"a long predicate": {&query.Pred{Field: "b", Op: query.OpContains, Value: strings.Repeat("y", 1<<20)}, false},
	} {
		r := &Rule{ID: name, Cond: c.cond}
		m := NewSet([]*Rule{r}).NewMatcher()
		tree := m.Tree(r, e)
		if n := consistent(t, tree); n > 2*MaxTreeNodes || tree.Holds != c.holds {
			t.Errorf("%s: %d nodes, holds %v", name, n, tree.Holds)
		}
		if tree.Op == "leaf" && (len(tree.Text) > MaxTreeText+32 || len(tree.Seen) != MaxTreeSeen || tree.More != 1001-MaxTreeSeen || len(tree.Seen[0]) > MaxTreeValue+32) {
			t.Errorf("%s: text of %d bytes, %d values and %d more", name, len(tree.Text), len(tree.Seen), tree.More)
		}
	}
}
