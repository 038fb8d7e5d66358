package sigma

import (
	"slices"
	"strings"

	"bartizan/detect"
	"bartizan/query"

	"go.yaml.in/yaml/v3"
)

// filter reads the document of a filter. Its searches are only seen by its own
// condition, so they cannot clash with those of the rules it is added to.
func (r *reader) filter(root *yaml.Node) error {
	n := get(root, "filter")
	if n.Kind != yaml.MappingNode {
		return fail(n, "filter must be a map with rules, searches and a condition")
	}
	if d := get(root, "detection"); d != nil {
		return fail(d, "a filter has no detection; put its searches under filter")
	}
	f := &detect.Filter{}
	var err error
	if f.Rules, err = texts(n, "rules"); err != nil {
		return err
	}
	if len(f.Rules) == 1 && strings.EqualFold(f.Rules[0], "any") {
		f.Rules = nil
	}
	if slices.Contains(f.Rules, "") {
		return fail(get(n, "rules"), "a filter cannot name a rule by the empty text; leave rules out for all rules of its log source")
	}
	all, err := r.searches(n, "condition", "rules")
	if err != nil {
		return err
	}
	cond, err := conditions(n, all)
	if err != nil {
		return err
	}
	_, negated := cond.(query.Not)
	if at := get(n, "condition"); negated == r.opt.FiltersExclude {
		r.warn(at, ambiguous[negated])
	}
	if f.Keep = cond; r.opt.FiltersExclude {
		f.Keep = query.Not{X: cond}
	}
	r.rule.Kind, r.rule.Filter, r.rule.Severity = detect.KindFilter, f, detect.Informational
	return nil
}

// ambiguous warns where the other reading of filters is the likelier meaning.
var ambiguous = map[bool]string{
	false: "tools differ about filters: here the condition is added to rules as it stands, so they hit only where it holds; to exclude what it describes, begin it with not",
	true:  "tools differ about filters: here the condition says what is excluded, so with a not in front rules hit only where the searches hold; remove the not to exclude what they describe",
}
