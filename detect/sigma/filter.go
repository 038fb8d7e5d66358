package sigma

import (
	"slices"
	"strings"
	"time"

	"bartizan/detect"
	"bartizan/event"
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
	if len(f.Rules) == 0 && r.rule.LogSource == (event.LogSource{}) {
		r.warn(n, "the filter names no rules and no log source, so it is added to every rule; name one of them")
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
	return r.exception(root, f)
}

// exception reads what Bartizan adds to filters that were made from an alert: who
// answers for it, why, and until when. Other tools leave unknown keys alone.
func (r *reader) exception(root *yaml.Node, f *detect.Filter) (err error) {
	if f.Owner, err = text(root, "owner"); err != nil {
		return err
	}
	if f.Reason, err = text(root, "reason"); err != nil {
		return err
	}
	at := get(root, "expires")
	if at == nil || isNull(at) {
		return nil
	}
	if f.Expires, err = expiry(at); err != nil {
		return err
	}
	if now := r.opt.now(); !now.Before(f.Expires) {
		f.Expired = true
		r.warn(at, "the filter expired at "+f.Expires.Format(time.RFC3339)+" and is not applied; renew expires or remove the filter")
	}
	return nil
}

// expiry reads a YAML date, which is the whole of that day in UTC, or a time.
func expiry(n *yaml.Node) (time.Time, error) {
	if n.Kind == yaml.ScalarNode {
		if t, err := time.Parse(time.DateOnly, n.Value); err == nil {
			return t.AddDate(0, 0, 1), nil
		}
		if t, err := time.Parse(time.RFC3339, n.Value); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fail(n, "expires must be a date such as 2026-12-31 or a time such as 2026-12-31T18:00:00Z, not %s", quote(n.Value))
}

// ambiguous warns where the other reading of filters is the likelier meaning.
var ambiguous = map[bool]string{
	false: "tools differ about filters: here the condition is added to rules as it stands, so they hit only where it holds; to exclude what it describes, begin it with not",
	true:  "tools differ about filters: here the condition says what is excluded, so with a not in front rules hit only where the searches hold; remove the not to exclude what they describe",
}
