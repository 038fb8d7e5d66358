package sigma

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/query"
)

// Link resolves what rules say about each other, when all of them are loaded:
// correlations name their rules by id, filters become part of the rules they are
// about, and rules that only feed correlations fall silent. A correlation whose
// rules are not there, or that stands on itself, or on more than detect.MaxChain
// others, is refused. Rules that change are copied, so linking twice, or linking
// more rules to those already linked, does no harm.
func Link(l *detect.Loaded) {
	k := linker{all: l, byRef: map[string][]*detect.Rule{}}
	k.index()
	for k.resolve() {
		k.index()
	}
	k.silence()
	k.filter()
}

type linker struct {
	all   *detect.Loaded
	byRef map[string][]*detect.Rule // by id; by name when no id is the same

	heights map[*detect.Rule]height
}

func (k *linker) index() {
	k.heights = map[*detect.Rule]height{}
	clear(k.byRef)
	for _, r := range k.all.Rules {
		k.byRef[r.ID] = append(k.byRef[r.ID], r)
	}
	names := map[string][]*detect.Rule{}
	for _, r := range k.all.Rules {
		if _, taken := k.byRef[r.Name]; r.Name != "" && !taken {
			names[r.Name] = append(names[r.Name], r)
		}
	}
	for n, r := range names {
		k.byRef[n] = r
	}
}

// find returns the one rule a reference means.
func (k *linker) find(ref string) (*detect.Rule, error) {
	found := k.byRef[ref]
	switch {
	case len(found) == 0:
		return nil, fmt.Errorf("no rule that is loaded has the id or name %s; load it as well, or correct the name", quote(ref))
	case len(found) > 1:
		return nil, fmt.Errorf("the name %s is that of %d rules (%s:%d and %s:%d); use an id",
			quote(ref), len(found), found[0].File, found[0].Line, found[1].File, found[1].Line)
	case found[0].Kind == detect.KindFilter:
		return nil, fmt.Errorf("%s is a filter, which never matches; name a rule", quote(ref))
	}
	return found[0], nil
}

// resolve makes ids of the references of correlations. It reports whether any was
// refused, since others may stand on it.
func (k *linker) resolve() (refused bool) {
	k.all.Rules = slices.DeleteFunc(slices.Clone(k.all.Rules), func(r *detect.Rule) bool {
		if r.Correlation == nil {
			return false
		}
		err := k.check(r)
		if err != nil {
			k.all.Refused = append(k.all.Refused, detect.Refusal{File: r.File, Line: max(r.Correlation.Line, r.Line), ID: r.ID, Reason: err.Error()})
			refused = true
		}
		return err != nil
	})
	if refused {
		return true
	}
	for i, r := range k.all.Rules {
		if r.Correlation != nil && len(r.Correlation.Rules) > 0 {
			k.all.Rules[i] = k.resolved(r)
		}
	}
	k.index()
	return false
}

// check says what is wrong with a correlation's references.
func (k *linker) check(r *detect.Rule) error {
	for _, ref := range r.Correlation.Rules {
		if _, err := k.find(ref); err != nil {
			return err
		}
	}
	for alias, of := range r.Correlation.Aliases {
		for ref := range of {
			m, err := k.find(ref)
			if err != nil {
				return fmt.Errorf("the alias %s is about a rule that is not there: %w", quote(alias), err)
			}
			if !slices.ContainsFunc(r.Correlation.Rules, func(x string) bool { return slices.Contains(k.byRef[x], m) }) {
				return fmt.Errorf("the alias %s is about %s, which is not under rules", quote(alias), quote(ref))
			}
		}
	}
	_, err := k.height(r)
	return err
}

// height is how many correlations stand on each other below r and with it: 0 for
// a rule that is none. It fails where they stand on themselves or are too many.
func (k *linker) height(r *detect.Rule) (int, error) {
	if r.Correlation == nil {
		return 0, nil
	}
	if known, ok := k.heights[r]; ok {
		return known.n, known.err
	}
	k.heights[r] = height{err: errors.New("the correlation stands on itself; remove one of the references")}
	var h height
	for _, ref := range r.Correlation.Rules {
		for _, m := range k.byRef[ref] {
			n, err := k.height(m)
			h.n = max(h.n, n)
			if err != nil && h.err == nil {
				h.err = fmt.Errorf("through %s: %w", quote(m.ID), err)
			}
		}
	}
	if h.n++; h.err == nil && h.n > detect.MaxChain {
		h.err = fmt.Errorf("more than %d correlations stand on each other; write it flatter", detect.MaxChain)
	}
	k.heights[r] = h
	return h.n, h.err
}

type height struct {
	n   int
	err error
}

// resolved is a copy of r with ids instead of names.
func (k *linker) resolved(r *detect.Rule) *detect.Rule {
	id := func(ref string) string { return k.byRef[ref][0].ID }
	out, c := *r, *r.Correlation
	c.Rules = slices.Clone(c.Rules)
	for i := range c.Rules {
		c.Rules[i] = id(c.Rules[i])
	}
	aliases := make(map[string]map[string]string, len(c.Aliases))
	for alias, of := range c.Aliases {
		aliases[alias] = make(map[string]string, len(of))
		for ref, field := range of {
			aliases[alias][id(ref)] = field
		}
	}
	c.Aliases = aliases
	if c.Expr != nil {
		x := renamed(*c.Expr, id)
		c.Expr = &x
	}
	out.Correlation = &c
	return &out
}

func renamed(x detect.Expr, id func(string) string) detect.Expr {
	if x.Op == detect.ExprRule {
		x.Rule = id(x.Rule)
	}
	x.Parts = slices.Clone(x.Parts)
	for i := range x.Parts {
		x.Parts[i] = renamed(x.Parts[i], id)
	}
	return x
}

// silence finds the rules that correlations name without generate.
func (k *linker) silence() {
	by, loud := map[string]*detect.Rule{}, map[string]bool{}
	for _, r := range k.all.Rules {
		if r.Correlation == nil {
			continue
		}
		for _, id := range r.Correlation.Rules {
			by[id] = r
			loud[id] = loud[id] || r.Correlation.Generate
		}
	}
	for i, r := range k.all.Rules {
		c := by[r.ID]
		silent := c != nil && !loud[r.ID]
		if silent == r.Silent {
			continue
		}
		out := *r
		out.Silent = silent
		k.all.Rules[i] = &out
		if silent && c.File != r.File {
			k.warn(c, fmt.Sprintf("%s (%s:%d) does not hit by itself any more, because this correlation is over it; set generate: true to have both", quote(r.ID), r.File, r.Line))
		}
	}
}

func (k *linker) warn(r *detect.Rule, reason string) {
	k.all.Warnings = append(k.all.Warnings, detect.Refusal{File: r.File, Line: r.Line, ID: r.ID, Reason: reason})
}

// filter adds the filters to the rules they are about. Correlations are never
// filtered; the rules they stand on are.
func (k *linker) filter() {
	at := make(map[string]int, len(k.all.Rules))
	for i, r := range k.all.Rules {
		at[r.ID] = i
	}
	for _, f := range k.all.Rules {
		if f.Filter == nil || f.Filter.Expired {
			continue
		}
		if f.Filter.Rules == nil {
			for i, r := range k.all.Rules {
				if r.Cond != nil && r.Kind == detect.KindSigma && covers(f.LogSource, r.LogSource) {
					k.apply(i, f)
				}
			}
			continue
		}
		for _, ref := range f.Filter.Rules {
			k.filterOne(f, ref, at)
		}
	}
}

// filterOne adds a filter to one rule by its name, with the parts it was made of.
func (k *linker) filterOne(f *detect.Rule, ref string, at map[string]int) {
	r, err := k.find(ref)
	if err == nil {
		r = k.all.Rules[at[r.ID]]
	}
	switch {
	case err != nil:
		k.warn(f, "the filter does not apply: "+err.Error())
	case r.Cond == nil && r.Kind == detect.KindSigma && k.filterParts(f, r, at):
	case r.Cond == nil:
		k.warn(f, "the filter does not apply to "+quote(ref)+", which has no condition of its own; filters are never added to correlations, name the rules it stands on")
	case !covers(f.LogSource, r.LogSource):
		k.warn(f, "the filter does not apply to "+quote(ref)+", whose log source is another")
	default:
		k.apply(at[r.ID], f)
	}
}

// filterParts filters the rules that a rule with near was cut into.
func (k *linker) filterParts(f, r *detect.Rule, at map[string]int) (any bool) {
	for _, id := range r.Correlation.Rules {
		if strings.HasPrefix(id, r.ID+"/") && covers(f.LogSource, r.LogSource) {
			k.apply(at[id], f)
			any = true
		}
	}
	return any
}

// apply adds a filter to the rule at i, unless that would then be too large.
func (k *linker) apply(i int, f *detect.Rule) {
	r := filtered(k.all.Rules[i], f)
	if err := r.Check(); err != nil {
		k.warn(f, "the filter does not apply to "+quote(r.ID)+", because with it "+err.Error())
		return
	}
	k.all.Rules[i] = r
}

// filtered is a copy of r with the filter in its condition.
func filtered(r, f *detect.Rule) *detect.Rule {
	if slices.Contains(r.Filters, f.ID) {
		return r
	}
	out := *r
	out.Cond = query.And{r.Cond, f.Filter.Keep}
	out.Filters = append(slices.Clip(r.Filters), f.ID)
	sum := sha256.Sum256(append(r.Hash[:len(r.Hash):len(r.Hash)], f.Hash[:]...))
	copy(out.Hash[:], sum[:16])
	return &out
}

// covers reports whether a filter for one log source is about a rule for another.
func covers(filter, rule event.LogSource) bool {
	part := func(f, r string) bool { return f == "" || f == r }
	return part(filter.Product, rule.Product) && part(filter.Category, rule.Category) && part(filter.Service, rule.Service)
}
