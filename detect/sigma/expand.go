package sigma

import (
	"regexp"
	"slices"
	"strings"
)

// placeholder is %name%; a percent sign behind a backslash begins none.
var placeholder = regexp.MustCompile(`\\%|%([^%\s\\]+)%`)

// expand replaces placeholders by the values of configured lists. One that is in
// no list refuses the rule: taken literally it would mean something else.
func (it *item) expand() error {
	switch it.how {
	case compareValue:
		return it.expandPatterns()
	case compareCIDR, compareNumber, compareField:
		return it.expandTerms()
	}
	return fail(it.key, "expand does not go with %s; remove one", it.mods[0])
}

// expandPatterns makes alternatives of one value of the values of a list, whose
// wildcards count as in a rule.
func (it *item) expandPatterns() error {
	for i := range it.terms {
		t := &it.terms[i]
		var out []pattern
		for _, p := range t.alts {
			more, err := it.expandPattern(t, p)
			if err != nil {
				return err
			}
			out = append(out, more...)
		}
		t.alts = out
	}
	return nil
}

func (it *item) expandPattern(t *term, p pattern) ([]pattern, error) {
	out := []pattern{nil}
	for _, x := range p {
		choices := []pattern{{x}}
		if x.wild == 0 {
			texts, err := it.expandText(t, x.text)
			if err != nil {
				return nil, err
			}
			choices = texts
		}
		grown := make([]pattern, 0, len(out)*len(choices))
		for _, head := range out {
			for _, tail := range choices {
				grown = append(grown, slices.Concat(head, tail))
			}
		}
		out = grown
	}
	return out, nil
}

// expandText is every way to fill the placeholders of a literal text.
func (it *item) expandText(t *term, s string) ([]pattern, error) {
	out := []pattern{nil}
	done := 0
	for _, m := range placeholder.FindAllStringSubmatchIndex(s, -1) {
		before := literalPattern(s[done:m[0]])
		choices := []pattern{literalPattern("%")}
		if m[2] >= 0 {
			var err error
			if choices, err = it.list(t, s[m[2]:m[3]]); err != nil {
				return nil, err
			}
		}
		grown := make([]pattern, 0, len(out)*len(choices))
		for _, head := range out {
			for _, c := range choices {
				if *it.room -= len(s) + len(c.glob()) + 1; *it.room < 0 {
					return nil, fail(it.key, "the placeholders of the rule have more than %d bytes of values; shorten the lists", maxVariants)
				}
				grown = append(grown, slices.Concat(head, before, c))
			}
		}
		out, done = grown, m[1]
	}
	for i := range out {
		out[i] = merged(slices.Concat(out[i], literalPattern(s[done:])))
	}
	return out, nil
}

// merged joins literals that stand next to each other.
func merged(p pattern) pattern {
	var out pattern
	for _, x := range p {
		if n := len(out); n > 0 && x.wild == 0 && out[n-1].wild == 0 {
			out[n-1].text += x.text
			continue
		}
		out = append(out, x)
	}
	return out
}

func (it *item) list(t *term, name string) ([]pattern, error) {
	values := it.lists[name]
	if len(values) == 0 {
		return nil, fail(t.node, "the modifier expand is refused: the placeholder %%%s%% is in no configured list, and taken literally the rule would mean something else", name)
	}
	out := make([]pattern, len(values))
	for i, v := range values {
		out[i] = parsePattern(v)
	}
	return out, nil
}

// expandTerms replaces values that are a placeholder as a whole.
func (it *item) expandTerms() error {
	var out []term
	for _, t := range it.terms {
		m := placeholder.FindStringSubmatch(t.raw)
		if m == nil || m[0] != t.raw || m[1] == "" {
			if strings.Contains(t.raw, "%") {
				return fail(t.node, "with %s a placeholder must be the whole value, and %s is not", it.mods[0], quote(t.raw))
			}
			out = append(out, t)
			continue
		}
		if it.all {
			return fail(it.key, "expand after all does not go with %s; remove all", it.mods[0])
		}
		if _, err := it.list(&t, m[1]); err != nil {
			return err
		}
		for _, v := range it.lists[m[1]] {
			x := t
			if x.raw = v; it.how == compareNumber && decimal.MatchString(v) {
				x.kind = termNumber
			}
			out = append(out, x)
		}
	}
	it.terms = out
	return nil
}
