package detect

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Changes is how one list of rules differs from another. Each list is sorted by id.
type Changes struct {
	Added, Removed []*Rule
	Changed        []*Rule // as they are now; another Hash
	Unchanged      []*Rule // as they are now
}

// Diff compares rules by id and Hash. Of rules with the same id in one list the
// first counts, as in a Set.
func Diff(old, now []*Rule) Changes {
	var c Changes
	had, have := byID(old), byID(now)
	for id, r := range have {
		switch was := had[id]; {
		case was == nil:
			c.Added = append(c.Added, r)
		case was.Hash != r.Hash:
			c.Changed = append(c.Changed, r)
		default:
			c.Unchanged = append(c.Unchanged, r)
		}
	}
	for id, r := range had {
		if have[id] == nil {
			c.Removed = append(c.Removed, r)
		}
	}
	for _, list := range [][]*Rule{c.Added, c.Removed, c.Changed, c.Unchanged} {
		slices.SortFunc(list, func(a, b *Rule) int { return cmp.Compare(a.ID, b.ID) })
	}
	return c
}

func byID(rules []*Rule) map[string]*Rule {
	m := make(map[string]*Rule, len(rules))
	for _, r := range rules {
		if _, taken := m[r.ID]; !taken {
			m[r.ID] = r
		}
	}
	return m
}

// Any reports whether anything differs.
func (c Changes) Any() bool { return len(c.Added)+len(c.Removed)+len(c.Changed) > 0 }

// String is "3 added, 1 changed", or "no rule changed".
func (c Changes) String() string {
	var parts []string
	for _, p := range []struct {
		rules []*Rule
		word  string
	}{{c.Added, "added"}, {c.Changed, "changed"}, {c.Removed, "removed"}} {
		if len(p.rules) > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", len(p.rules), p.word))
		}
	}
	return cmp.Or(strings.Join(parts, ", "), "no rule changed")
}

// Kept is a rule that stays as it was because its new text was refused.
type Kept struct {
	Rule *Rule   // as it was
	Why  Refusal // of the new text
}

// KeepBroken adds to what was loaded now the rules of before whose text is refused
// now: the rule that the refusal names, or all that its file had where it names none
// that was there. A rule whose id something loaded now has is not kept. The refusals
// stay, to be shown. Both are as the loaders returned them, before rules were linked
// to each other. Neither is changed.
func KeepBroken(old, now Loaded) (Loaded, []Kept) {
	have := byID(now.Rules)
	files := map[string][]*Rule{}
	for _, r := range old.Rules {
		files[r.File] = append(files[r.File], r)
	}
	merged := now
	merged.Rules = slices.Clip(now.Rules)
	var kept []Kept
	for _, why := range now.Refused {
		for _, r := range meant(files[why.File], why.ID) {
			if have[r.ID] == nil {
				have[r.ID] = r
				kept = append(kept, Kept{r, why})
				merged.Rules = append(merged.Rules, r)
			}
		}
	}
	return merged, kept
}

// meant returns the rule with that id, with the parts it was cut into, or all where
// there is none.
func meant(rules []*Rule, id string) []*Rule {
	var out []*Rule
	for _, r := range rules {
		if id != "" && (r.ID == id || strings.HasPrefix(r.ID, id+"/")) {
			out = append(out, r)
		}
	}
	if out == nil {
		return rules
	}
	return out
}
