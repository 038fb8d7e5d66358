package sigma

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"bartizan/detect"
	"bartizan/query"

	"go.yaml.in/yaml/v3"
)

// defaultFrame is the window of an old aggregation that names none: such rules
// meant "in whatever time is searched", which a stream does not have.
const defaultFrame = time.Hour

var (
	aggregate = regexp.MustCompile(`(?i)^(count|sum|avg|min|max)\s*\(\s*([^()]*?)\s*\)\s*(?:\s+by\s+(.+?))?\s*(<=|>=|==|!=|=|<|>)\s*(-?[0-9]+(?:\.[0-9]+)?)$`)
	near      = regexp.MustCompile(`(?i)^near\s+(.+)$`)
)

var aggregateOps = map[string]detect.BoundOp{
	">": detect.BoundGt, ">=": detect.BoundGte, "<": detect.BoundLt, "<=": detect.BoundLte,
	"=": detect.BoundEq, "==": detect.BoundEq, "!=": detect.BoundNeq,
}

// aggregation translates what used to stand behind a | in a condition (Sigma
// before 2.0) into a correlation over the rule's own matches; done is false when
// there is none.
func (r *reader) aggregation(n *yaml.Node, all []search) (done bool, err error) {
	at := get(n, "condition")
	if at == nil || at.Kind != yaml.ScalarNode {
		return false, nil
	}
	head, tail, found := strings.Cut(at.Value, "|")
	if !found {
		return false, nil
	}
	if r.rule.Count > 1 {
		return false, fail(at, "count and within do not go with an aggregation; remove one")
	}
	left := maxNodes
	if r.rule.Cond, err = parseCondition(at, head, all, &left); err != nil {
		return false, err
	}
	c := &detect.Correlation{Span: defaultFrame, Line: at.Line}
	if t := get(n, "timeframe"); t == nil {
		r.warn(at, "the aggregation has no timeframe, so it counts within "+defaultFrame.String()+"; add one")
	} else if c.Span, err = timespan(t); err != nil {
		return false, err
	}
	r.rule.Correlation = c
	tail = strings.TrimSpace(tail)
	if m := near.FindStringSubmatch(tail); m != nil {
		return true, r.nearby(at, m[1], all, c)
	}
	m := aggregate.FindStringSubmatch(tail)
	if m == nil {
		return false, fail(at, "the aggregation %s cannot be read; write a correlation", quote(tail))
	}
	if err := r.aggregated(at, m, c); err != nil {
		return false, err
	}
	if r.rule.GroupBy == nil {
		r.rule.GroupBy = c.GroupBy
	}
	return true, nil
}

// aggregated fills the correlation from the parts of the expression: function,
// field, grouping, operator, number.
func (r *reader) aggregated(at *yaml.Node, m []string, c *detect.Correlation) error {
	field := m[2]
	switch strings.ToLower(m[1]) {
	case "count":
		c.Type = detect.EventCount
		if field != "" {
			c.Type = detect.ValueCount
		}
	case "sum":
		c.Type = detect.ValueSum
	case "avg":
		c.Type = detect.ValueAvg
	case "min":
		c.Type = detect.ValuePercentile
	case "max":
		c.Type, c.Percentile = detect.ValuePercentile, 100
	}
	if field != "" {
		c.Fields = []string{field}
	} else if c.Type != detect.EventCount {
		return fail(at, "%s needs a field in its parentheses", m[1])
	}
	for _, g := range strings.Split(m[3], ",") {
		if g = strings.TrimSpace(g); g != "" {
			c.GroupBy = append(c.GroupBy, g)
		}
	}
	v, err := strconv.ParseFloat(m[5], 64)
	if err != nil {
		return fail(at, "the aggregation compares with %s, which is not a number", quote(m[5]))
	}
	c.Bounds = []detect.Bound{{Op: aggregateOps[m[4]], Value: v}}
	return checkBounds(at, c)
}

// nearby makes a temporal correlation of "A | near B and not C": the condition
// before the | and each search become rules that only feed it.
func (r *reader) nearby(at *yaml.Node, text string, all []search, c *detect.Correlation) error {
	c.Type = detect.Temporal
	x := detect.Expr{Op: detect.ExprAnd, Parts: []detect.Expr{r.feeder("condition", r.rule.Cond)}}
	r.rule.Cond = nil
	words := strings.Fields(text)
	for len(words) > 0 {
		not := strings.EqualFold(words[0], "not")
		if not {
			words = words[1:]
		}
		i := slices.IndexFunc(all, func(s search) bool { return len(words) > 0 && s.name == words[0] })
		if i < 0 || len(words) == 2 || len(words) > 2 && !strings.EqualFold(words[1], "and") {
			return fail(at, "near %s cannot be read; behind near stand names of searches, joined by and, and and not", quote(text))
		}
		part := r.feeder(all[i].name, all[i].node)
		if not {
			part = detect.Expr{Op: detect.ExprNot, Parts: []detect.Expr{part}}
		}
		x.Parts = append(x.Parts, part)
		words = words[min(2, len(words)):]
	}
	c.Expr = &x
	c.Rules = x.Names(nil)
	return nil
}

// feeder makes a rule of one search and names it.
func (r *reader) feeder(name string, cond query.Node) detect.Expr {
	part := r.rule
	part.ID, part.Title = r.rule.ID+"/"+name, r.rule.Title+": "+name
	part.Name, part.Correlation, part.GroupBy, part.Hit, part.Miss = "", nil, nil, nil, nil
	part.Cond, part.Silent = cond, true
	if !slices.ContainsFunc(r.parts, func(p *detect.Rule) bool { return p.ID == part.ID }) {
		r.parts = append(r.parts, &part)
	}
	return detect.Expr{Op: detect.ExprRule, Rule: part.ID}
}
