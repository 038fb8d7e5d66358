package engine

import (
	"fmt"
	"strings"

	"bartizan/detect"
)

// RuleChanges are what reading the rules again changed.
type RuleChanges struct {
	detect.Changes                  // of the rules as they run
	Broken         []detect.Refusal // what is refused now and was not before
	Kept           []detect.Kept    // rules that stay as they were, because their new text is refused
}

// Any says that anything differs.
func (d RuleChanges) Any() bool { return d.Changes.Any() || len(d.Broken) > 0 }

// String is "3 added, 1 changed, 1 broken, old version kept".
func (d RuleChanges) String() string {
	var out []string
	if d.Changes.Any() || len(d.Broken) == 0 {
		out = append(out, d.Changes.String())
	}
	if len(d.Broken) > 0 {
		out = append(out, fmt.Sprintf("%d broken", len(d.Broken)))
	}
	if len(d.Kept) > 0 && len(d.Broken) > 0 {
		out = append(out, "old version kept")
	}
	return strings.Join(out, ", ")
}

// changesOf compares two rule sets.
func changesOf(old, now *ruleSet, kept []detect.Kept) RuleChanges {
	d := RuleChanges{Changes: detect.Diff(old.set.Rules(), now.set.Rules()), Kept: kept}
	d.Unchanged = nil // as many as there are rules, and nobody asks
	known := make(map[detect.Refusal]bool, len(old.refused))
	for _, r := range old.refused {
		known[r] = true
	}
	for _, r := range now.refused {
		if !known[r] {
			d.Broken = append(d.Broken, r)
		}
	}
	return d
}
