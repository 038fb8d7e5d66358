package sigma

import (
	"fmt"
	"strconv"
	"strings"

	"bartizan/query"

	"go.yaml.in/yaml/v3"
)

// valueNode is the value of a predicate as Sigma writes it.
func valueNode(p *query.Pred) (*yaml.Node, error) {
	switch p.Op {
	case query.OpEqual:
		if decimal.MatchString(p.Value) && !strings.HasPrefix(p.Value, "+") {
			return numberNode(p.Value), nil
		}
		return stringNode(escaped(p.Value, false)), nil
	case query.OpContains, query.OpPrefix, query.OpSuffix:
		return stringNode(escaped(p.Value, false)), nil
	case query.OpGlob:
		return stringNode(p.Value), nil
	case query.OpEmpty:
		return stringNode(""), nil
	case query.OpNull:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}, nil
	case query.OpExists:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "true"}, nil
	case query.OpRegex:
		expr, _ := foldingRegex(p)
		return stringNode(expr), nil
	case query.OpCIDR:
		return stringNode(p.Net.String()), nil
	case query.OpFieldEqual:
		return stringNode(p.Value), nil
	case query.OpLess, query.OpLessEq, query.OpGreater, query.OpGreaterEq:
		return orderedNode(p)
	}
	return nil, fmt.Errorf("%s: Sigma has no words for this comparison; ask another way", p)
}

// orderedNode is the number of a comparison. A time or a level is none.
func orderedNode(p *query.Pred) (*yaml.Node, error) {
	v := p.Value
	if v == "" {
		v = strconv.FormatFloat(p.Num, 'f', -1, 64)
	}
	n, err := strconv.ParseFloat(v, 64)
	if err != nil || n != p.Num {
		return nil, fmt.Errorf("%s: Sigma compares only numbers with lt, lte, gt and gte, and this is none; ask for a part of the time or for values", p)
	}
	if !decimal.MatchString(v) {
		v = strconv.FormatFloat(n, 'f', -1, 64)
	}
	return numberNode(v), nil
}

// foldingRegex is the expression of a predicate, and whether it begins with the
// flag that becomes the modifier i.
func foldingRegex(p *query.Pred) (expr string, fold bool) {
	expr = p.Value
	if p.Re != nil {
		expr = p.Re.String()
	}
	return strings.CutPrefix(expr, "(?i)")
}

// escaped writes a literal text as a Sigma string: wildcards behind a backslash,
// and a backslash where what follows would make it mean something else; pattern
// says that more may follow, so that one at the end is doubled too.
func escaped(s string, pattern bool) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '*' || c == '?':
			b.WriteByte('\\')
		case c == '\\' && (i+1 == len(s) && pattern || i+1 < len(s) && strings.IndexByte(`*?\`, s[i+1]) >= 0):
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func numberNode(v string) *yaml.Node {
	tag := "!!int"
	if strings.Contains(v, ".") {
		tag = "!!float"
	}
	if len(v) > 18 || len(v) > 1 && v[0] == '0' && v[1] != '.' {
		return stringNode(v)
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: v}
}

// stringNode is a text; YAML quotes it where it would be read as something else.
func stringNode(s string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(s)
	if strings.Contains(s, "\n") && strings.TrimSpace(s) != s {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}
