package sigma

import (
	"net/netip"
	"strconv"
	"strings"

	"bartizan/query"

	"go.yaml.in/yaml/v3"
)

// under makes the predicate of one value for one field name.
func (it *item) under(t *term, field string) (query.Node, error) {
	switch it.how {
	case compareRegex:
		return it.regex(t, field)
	case compareCIDR:
		return cidr(t, field)
	case compareNumber:
		return it.ordered(t, field)
	case compareField:
		return it.fieldEqual(t, field)
	case compareExists:
		return exists(t, field)
	case compareTime:
		return it.timePred(t, field)
	}
	return it.plainValue(t, field)
}

func (it *item) plainValue(t *term, field string) (query.Node, error) {
	if t.kind == termNull {
		if field == "" {
			return nil, fail(t.node, "null cannot be a keyword; remove it")
		}
		return &query.Pred{Field: field, Op: query.OpNull}, nil
	}
	parts := make([]query.Node, 0, len(t.alts))
	for _, p := range t.alts {
		if field != "" {
			parts = append(parts, p.pred(field, it.cased))
			continue
		}
		for _, form := range p.delivered() {
			q := form.keyword(it.cased)
			if q == nil {
				return nil, fail(t.node, "the keyword %s is found in every event; remove it", quote(t.raw))
			}
			parts = append(parts, q)
		}
	}
	if len(parts) == 0 {
		return nil, fail(t.node, "the value %s is too short for base64offset; give at least two bytes", quote(t.raw))
	}
	return joined(parts, false), nil
}

func (it *item) regex(t *term, field string) (query.Node, error) {
	if t.kind == termNull {
		return nil, fail(t.node, "null cannot be a regular expression")
	}
	expr := t.node.Value
	if t.start || t.end {
		expr = "(?:" + expr + ")"
	}
	if t.start {
		expr = `\A` + expr
	}
	if t.end {
		expr += `\z`
	}
	if it.flags != "" {
		expr = "(?" + it.flags + ")" + expr
	}
	re, err := it.re.Compile(expr)
	if err != nil {
		return nil, fail(t.node, "%v", err)
	}
	return &query.Pred{Field: field, Op: query.OpRegex, Value: expr, Re: re}, nil
}

func cidr(t *term, field string) (query.Node, error) {
	net, err := netip.ParsePrefix(t.raw)
	if err != nil {
		addr, err := netip.ParseAddr(t.raw)
		if err != nil || addr.Zone() != "" {
			return nil, fail(t.node, "%s is not a network; write one such as 10.0.0.0/8 or 2001:db8::/32", quote(t.raw))
		}
		net = netip.PrefixFrom(addr, addr.BitLen())
	}
	net = net.Masked()
	return &query.Pred{Field: field, Op: query.OpCIDR, Value: net.String(), Net: net}, nil
}

func (it *item) ordered(t *term, field string) (query.Node, error) {
	num, err := strconv.ParseFloat(t.raw, 64)
	if t.kind != termNumber || err != nil {
		return nil, fail(t.node, "%s compares numbers, and %s is none", it.mods[0], quote(t.raw))
	}
	return &query.Pred{Field: field, Op: it.op, Value: t.raw, Num: num}, nil
}

func (it *item) fieldEqual(t *term, field string) (query.Node, error) {
	if t.kind != termText || t.raw == "" {
		return nil, fail(t.node, "fieldref needs the name of another field")
	}
	other := func(name string) query.Node {
		return &query.Pred{Field: field, Op: query.OpFieldEqual, How: it.op, Value: name, Cased: it.cased}
	}
	parts := []query.Node{other(t.raw)}
	if stripped := strings.ReplaceAll(t.raw, " ", ""); stripped != t.raw && stripped != "" {
		parts = append(parts, other(stripped))
	}
	return joined(parts, false), nil
}

func exists(t *term, field string) (query.Node, error) {
	if t.kind != termBool {
		return nil, fail(t.node, "exists must be true or false, not %s", quote(t.raw))
	}
	q := &query.Pred{Field: field, Op: query.OpExists}
	if t.raw == "true" {
		return q, nil
	}
	return query.Not{X: q}, nil
}

// decodeNumber returns the decimal spelling of a YAML number.
func decodeNumber(n *yaml.Node) string {
	var i int64
	if n.Decode(&i) == nil {
		return strconv.FormatInt(i, 10)
	}
	var f float64
	if n.Decode(&f) == nil {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return n.Value
}
