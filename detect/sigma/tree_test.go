package sigma

import (
	"testing"

	"bartizan/detect"
)

// TestCorpusTrees: over real rules and events a tree holds exactly when its rule
// hits, and every one of its nodes follows from its parts.
func TestCorpusTrees(t *testing.T) {
	set := detect.NewSet(loadActive(t).Rules)
	m := set.NewMatcher()
	trees, held := 0, 0
	for family, events := range corpusEvents(t, 200) {
		for i, e := range events[:min(len(events), 6)] {
			e.LogSource = ownSource[family]
			if i%3 == 2 {
				e.LogSource = logSources[i%len(logSources)]
			}
			hit := map[*detect.Rule]bool{}
			for _, r := range m.Match(e, nil) {
				hit[r] = true
			}
			for k, r := range set.Rules() {
				if r.Cond == nil || !hit[r] && k%7 != i%7 {
					continue
				}
				tree := m.Tree(r, e)
				trees++
				if tree.Holds != hit[r] || !follows(tree) {
					t.Fatalf("%s: the tree holds %v, the rule hits %v, event %s", r.Title, tree.Holds, hit[r], e.Raw)
				}
				if tree.Holds {
					held++
				}
			}
		}
	}
	if trees < 1000 || held == 0 {
		t.Fatalf("%d trees, of which %d hold: nothing is shown", trees, held)
	}
	t.Logf("%d trees, %d of them hold", trees, held)
}

// follows reports whether what every node says follows from its parts.
func follows(n *detect.Tree) bool {
	all, any := true, false
	for _, k := range n.Kids {
		if !follows(k) {
			return false
		}
		all, any = all && k.Holds, any || k.Holds
	}
	switch n.Op {
	case "and":
		return n.Holds == all
	case "or":
		return n.Holds == any
	case "not":
		return n.Holds != all
	}
	return true
}
