package sigma

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"bartizan/detect"

	"go.yaml.in/yaml/v3"
)

// The bounds of a correlation.
const (
	maxMembers = 100                  // rules named
	maxSpan    = 366 * 24 * time.Hour // of its window
)

// correlation reads the document of a correlation rule.
func (r *reader) correlation(root *yaml.Node) error {
	n := get(root, "correlation")
	if n.Kind != yaml.MappingNode {
		return fail(n, "correlation must be a map with type, rules, timespan and condition")
	}
	if r.rule.Count > 1 {
		return fail(n, "count and within do not go with a correlation, which has a condition and a timespan of its own")
	}
	if d := get(root, "detection"); d != nil {
		return fail(d, "a correlation has no detection; put the detection into a rule of its own and name it under rules")
	}
	c := &detect.Correlation{Line: n.Line}
	r.rule.Correlation = c
	for i := 0; i < len(n.Content); i += 2 {
		if k := n.Content[i]; !slices.Contains(correlationKeys, k.Value) {
			return fail(k, "a correlation has no key %s; there are %s", quote(k.Value), strings.Join(correlationKeys, ", "))
		}
	}
	for _, part := range []func(*yaml.Node, *detect.Correlation) error{
		correlationType, correlationRules, correlationGroup, correlationAliases, correlationSpan, r.correlationCondition,
	} {
		if err := part(n, c); err != nil {
			return err
		}
	}
	if r.rule.GroupBy == nil {
		r.rule.GroupBy = c.GroupBy
	}
	return r.generate(root, n, c)
}

var correlationKeys = []string{"type", "rules", "group-by", "timespan", "condition", "aliases", "generate"}

func correlationType(n *yaml.Node, c *detect.Correlation) error {
	v, err := text(n, "type")
	if err != nil {
		return err
	}
	c.Type = detect.CorrelationType(strings.ToLower(v))
	if !slices.Contains(detect.CorrelationTypes, c.Type) {
		return fail(or(get(n, "type"), n), "the correlation's type %s is none of event_count, value_count, temporal, temporal_ordered, value_sum, value_avg, value_percentile, value_median", quote(v))
	}
	return nil
}

func correlationRules(n *yaml.Node, c *detect.Correlation) (err error) {
	if c.Rules, err = texts(n, "rules"); err != nil {
		return err
	}
	if at := get(n, "rules"); at != nil {
		c.Line = at.Line
	}
	if len(c.Rules) > maxMembers {
		return fail(get(n, "rules"), "the correlation names more than %d rules; split it", maxMembers)
	}
	if cond := get(n, "condition"); len(c.Rules) == 0 && (cond == nil || cond.Kind != yaml.ScalarNode) {
		return fail(or(get(n, "rules"), n), "the correlation names no rules; list their ids or names under rules")
	}
	return nil
}

func correlationGroup(n *yaml.Node, c *detect.Correlation) (err error) {
	c.GroupBy, err = texts(n, "group-by")
	return err
}

func correlationAliases(n *yaml.Node, c *detect.Correlation) error {
	at := get(n, "aliases")
	if at == nil || isNull(at) {
		return nil
	}
	if at.Kind != yaml.MappingNode {
		return fail(at, "aliases must be a map from alias to a map from rule to field")
	}
	c.Aliases = map[string]map[string]string{}
	for i := 0; i < len(at.Content); i += 2 {
		alias, of := at.Content[i].Value, plain(at.Content[i+1])
		if of.Kind != yaml.MappingNode {
			return fail(of, "the alias %s must be a map from rule to field", quote(alias))
		}
		c.Aliases[alias] = map[string]string{}
		for k := 0; k < len(of.Content); k += 2 {
			field := plain(of.Content[k+1])
			if field.Kind != yaml.ScalarNode || field.Value == "" || isNull(field) {
				return fail(field, "the alias %s needs one field for each rule", quote(alias))
			}
			c.Aliases[alias][of.Content[k].Value] = field.Value
		}
	}
	return nil
}

func correlationSpan(n *yaml.Node, c *detect.Correlation) error {
	at := get(n, "timespan")
	if at == nil {
		return fail(n, "the correlation has no timespan; add one such as 5m or 24h")
	}
	span, err := timespan(at)
	c.Span = span
	return err
}

var spanUnits = map[byte]time.Duration{
	's': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour,
	'M': 2_629_746 * time.Second,  // a twelfth of a year
	'y': 31_556_952 * time.Second, // a Gregorian year
}

var spanText = regexp.MustCompile(`^([0-9]{1,9})([smhdwMy])$`)

// timespan reads a number and a unit.
func timespan(n *yaml.Node) (time.Duration, error) {
	m := spanText.FindStringSubmatch(strings.TrimSpace(n.Value))
	if n.Kind != yaml.ScalarNode || m == nil {
		return 0, fail(n, "a timespan is a number and one of s, m, h, d, w, M (month), y; %s is not", quote(n.Value))
	}
	count, err := strconv.Atoi(m[1])
	unit := spanUnits[m[2][0]]
	if err != nil || count == 0 || count > int(maxSpan/unit) {
		return 0, fail(n, "the timespan %s must be more than nothing and at most %d days", quote(n.Value), maxSpan/(24*time.Hour))
	}
	return time.Duration(count) * unit, nil
}

// generate is read where the specification has had it: in the correlation, and
// beside it.
func (r *reader) generate(root, n *yaml.Node, c *detect.Correlation) error {
	for _, at := range []*yaml.Node{get(n, "generate"), get(root, "generate")} {
		if at == nil || isNull(at) {
			continue
		}
		if at.Kind != yaml.ScalarNode || at.ShortTag() != "!!bool" {
			return fail(at, "generate must be true or false")
		}
		c.Generate = c.Generate || strings.EqualFold(at.Value, "true")
	}
	return nil
}

// correlationCondition reads the condition: a map of comparisons, or for temporal
// types a text over the names of rules.
func (r *reader) correlationCondition(n *yaml.Node, c *detect.Correlation) error {
	at := get(n, "condition")
	switch {
	case at == nil || isNull(at):
		if !c.Type.Temporal() {
			return fail(n, "the correlation has no condition; add one such as gte: 10")
		}
		return nil
	case at.Kind == yaml.ScalarNode:
		return extended(at, c)
	case at.Kind != yaml.MappingNode:
		return fail(at, "the correlation's condition must be a map such as gte: 10, or a text over rules")
	}
	for i := 0; i < len(at.Content); i += 2 {
		if err := r.conditionKey(at.Content[i], plain(at.Content[i+1]), at, c); err != nil {
			return err
		}
	}
	return r.checkCondition(at, c)
}

func (r *reader) conditionKey(key, value, at *yaml.Node, c *detect.Correlation) (err error) {
	switch key.Value {
	case "field":
		c.Fields, err = texts(at, "field")
		return err
	case "percentile":
		c.Percentile, err = strconv.ParseFloat(value.Value, 64)
		if err != nil || !(c.Percentile >= 0 && c.Percentile <= 100) {
			return fail(value, "percentile must be a number from 0 to 100, not %s", quote(value.Value))
		}
		return nil
	}
	op, ok := detect.ParseBoundOp(key.Value)
	if !ok {
		return fail(key, "a correlation's condition has no key %s; there are gt, gte, lt, lte, eq, neq, field and percentile", quote(key.Value))
	}
	v, err := strconv.ParseFloat(value.Value, 64)
	if value.Kind != yaml.ScalarNode || err != nil || math.IsInf(v, 0) || math.IsNaN(v) {
		return fail(value, "%s needs a number, not %s", key.Value, quote(value.Value))
	}
	c.Bounds = append(c.Bounds, detect.Bound{Op: op, Value: v})
	return nil
}

func (r *reader) checkCondition(at *yaml.Node, c *detect.Correlation) error {
	values := !c.Type.Temporal() && c.Type != detect.EventCount
	switch {
	case len(c.Bounds) == 0 && !c.Type.Temporal():
		return fail(at, "the correlation's condition compares nothing; add one of gt, gte, lt, lte, eq, neq")
	case values && len(c.Fields) == 0:
		return fail(at, "%s needs the field whose values it takes; add field", c.Type)
	case len(c.Fields) > 1 && c.Type != detect.ValueCount:
		return fail(get(at, "field"), "%s takes one field, only value_count takes several", c.Type)
	case c.Type == detect.ValuePercentile && get(at, "percentile") == nil:
		return fail(at, "value_percentile needs to know which; add percentile, such as 95")
	}
	if len(c.Fields) > 0 && !values {
		r.warn(get(at, "field"), "field has no effect on "+string(c.Type)+"; remove it")
		c.Fields = nil
	}
	return checkBounds(at, c)
}

func checkBounds(at *yaml.Node, c *detect.Correlation) error {
	for _, b := range c.Bounds {
		if (c.Type == detect.EventCount || c.Type == detect.ValueCount) && math.Abs(b.Value) > detect.MaxBound {
			return fail(at, "a window holds at most %d events; compare with less", detect.MaxBound)
		}
	}
	if c.Type != detect.TemporalOrdered || len(c.Bounds) == 0 {
		return nil
	}
	all := len(c.Bounds) == 1 && c.Bounds[0].Value == float64(len(c.Rules)) &&
		(c.Bounds[0].Op == detect.BoundGte || c.Bounds[0].Op == detect.BoundEq)
	if !all {
		return fail(at, "temporal_ordered asks for all of its rules in order; leave the condition out, or name fewer rules")
	}
	c.Bounds = nil
	return nil
}
