package rules

import (
	"strings"
	"testing"

	"bartizan/query"
)

// TestNoWildcardByAccident finds a "?" that is not escaped: Sigma reads it as any one
// character, which no rule of this pack means, and the rule asks more of each record.
func TestNoWildcardByAccident(t *testing.T) {
	for _, r := range pack(t) {
		if r.Cond == nil {
			continue
		}
		query.Walk(r.Cond, func(n query.Node) {
			if p, ok := n.(*query.Pred); ok && p.Op == query.OpGlob && strings.Contains(strings.NewReplacer(`\\`, "", `\?`, "").Replace(p.Value), "?") {
				t.Errorf("%s: %s asks for any one character; write \\? where a question mark is meant", at(r), p.Value)
			}
		})
	}
}
