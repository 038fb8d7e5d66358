package detect

import (
	"fmt"
	"slices"
	"testing"
)

// written is a rule of a file with some text.
func written(id, file, text string) *Rule {
	r := &Rule{ID: id, File: file}
	copy(r.Hash[:], text)
	return r
}

func TestDiff(t *testing.T) {
	old := []*Rule{written("d", "f", "1"), written("c", "f", "1"), written("b", "f", "1"), written("a", "f", "1"), written("a", "g", "9")}
	now := []*Rule{written("f", "f", "1"), written("e", "f", "1"), written("b", "f", "2"), written("a", "f", "1"), written("a", "g", "8")}
	c := Diff(old, now)
	got := fmt.Sprint(names(c.Added), names(c.Removed), names(c.Changed), names(c.Unchanged))
	if want := "[e f] [c d] [b] [a]"; got != want || !c.Any() || c.String() != "2 added, 1 changed, 2 removed" {
		t.Errorf("%s (%s), want %s", got, c, want)
	}
	if c := Diff(old, old); c.Any() || c.String() != "no rule changed" || len(c.Unchanged) != 4 {
		t.Errorf("the same rules: %s", c)
	}
}

func TestKeepBroken(t *testing.T) {
	old := Loaded{Rules: []*Rule{
		written("a", "one.yml", "1"), written("b", "one.yml", "1"), written("b/x", "one.yml", "1"),
		written("c", "two.yml", "1"), written("d", "two.yml", "1"), written("e", "gone.yml", "1"), written("m", "moved.yml", "1"),
	}}
	refusal := func(file, id string) Refusal { return Refusal{File: file, ID: id, Reason: "is broken"} }
	for _, c := range []struct {
		about   string
		rules   []*Rule
		refused []Refusal
		want    []string
	}{
		{"nothing refused", []*Rule{written("a", "one.yml", "2")}, nil, nil},
		{"one rule of a file, with its parts", []*Rule{written("a", "one.yml", "2")}, []Refusal{refusal("one.yml", "b")}, []string{"b", "b/x"}},
		{"a whole file", nil, []Refusal{refusal("two.yml", "")}, []string{"c", "d"}},
		{"a rule that cannot be named beside one that is fine", []*Rule{written("c", "two.yml", "2")}, []Refusal{refusal("two.yml", "")}, []string{"d"}},
		{"a new id in a known file", nil, []Refusal{refusal("two.yml", "new")}, []string{"c", "d"}},
		{"several reasons", nil, []Refusal{refusal("two.yml", "c"), refusal("two.yml", "c")}, []string{"c"}},
		{"a file that is new", nil, []Refusal{refusal("new.yml", "")}, nil},
		{"a rule that moved before its old file broke", []*Rule{written("m", "other.yml", "1")}, []Refusal{refusal("moved.yml", "m")}, nil},
	} {
		now := Loaded{Rules: slices.Clone(c.rules), Refused: c.refused}
		merged, kept := KeepBroken(old, now)
		var got []string
		for _, k := range kept {
			got = append(got, k.Rule.ID)
			if k.Why.File != k.Rule.File {
				t.Errorf("%s: %s is kept because of %v", c.about, k.Rule.ID, k.Why)
			}
		}
		if !slices.Equal(got, c.want) || len(merged.Rules) != len(c.rules)+len(got) || len(merged.Refused) != len(c.refused) || len(now.Rules) != len(c.rules) {
			t.Errorf("%s: kept %v, want %v; %d rules", c.about, got, c.want, len(merged.Rules))
		}
	}
}
