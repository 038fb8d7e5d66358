package falco

import (
	"fmt"
	"strings"
	"time"

	"bartizan/event"
	"bartizan/query"
)

// notAsked is why a condition that is fine cannot be asked of our events: the
// rule is loaded to be shown only.
type notAsked struct{ reason string }

func (n *notAsked) Error() string { return n.reason }

func cannot(format string, args ...any) error { return &notAsked{fmt.Sprintf(format, args...)} }

// unknownField is a field that Falco does not have.
type unknownField struct{ name, source string }

func (u *unknownField) Error() string {
	return fmt.Sprintf("there is no field %s for rules of source %s; correct the name, or set skip-if-unknown-filter", quote(u.name), u.source)
}

// checkFields reports the first unknown field of a condition.
func (c *compiler) checkFields(x expr) error {
	switch x := x.(type) {
	case andExpr:
		return c.checkAll(x)
	case orExpr:
		return c.checkAll(x)
	case notExpr:
		return c.checkFields(x.x)
	case *resolvedMacro:
		err, known := c.checked[x]
		if !known {
			err = c.checkFields(x.x)
			c.checked[x] = err
		}
		return err
	case *test:
		for _, t := range []*term{&x.left, x.right} {
			if t == nil || t.foreign != "" {
				continue
			}
			if _, known := lookup(c.source, t); !known {
				return &unknownField{t.field, c.source}
			}
		}
	}
	return nil
}

func (c *compiler) checkAll(parts []expr) error {
	for _, p := range parts {
		if err := c.checkFields(p); err != nil {
			return err
		}
	}
	return nil
}

var (
	always = query.And{}
	never  = query.Or{}
)

func isAlways(n query.Node) bool { a, ok := n.(query.And); return ok && len(a) == 0 }
func isNever(n query.Node) bool  { o, ok := n.(query.Or); return ok && len(o) == 0 }

// all is the conjunction without parts that change nothing.
func all(parts ...query.Node) query.Node {
	out := query.And{}
	for _, p := range parts {
		switch {
		case p == nil || isAlways(p):
		case isNever(p):
			return never
		default:
			if inner, ok := p.(query.And); ok {
				out = append(out, inner...)
				continue
			}
			out = append(out, p)
		}
	}
	if len(out) == 1 {
		return out[0]
	}
	return out
}

// some is the disjunction without parts that change nothing.
func some(parts ...query.Node) query.Node {
	out := query.Or{}
	for _, p := range parts {
		switch {
		case isNever(p):
		case isAlways(p):
			return always
		default:
			if inner, ok := p.(query.Or); ok {
				out = append(out, inner...)
				continue
			}
			out = append(out, p)
		}
	}
	if len(out) == 1 {
		return out[0]
	}
	return out
}

// before holds for events with a time before t; query counts in microseconds.
func before(t time.Time) query.Node {
	return &query.Pred{Field: "@timestamp", Op: query.OpLess, Value: t.UTC().Format(time.RFC3339), Num: float64(t.UnixMicro())}
}

func not(n query.Node) query.Node {
	switch {
	case isAlways(n):
		return never
	case isNever(n):
		return always
	}
	if inner, ok := n.(query.Not); ok {
		return inner.X
	}
	return query.Not{X: n}
}

// compiler makes query nodes of one source's conditions. Sets of large lists and
// the nodes of a macro are shared by all rules that use them.
type compiler struct {
	source  string
	sets    *sets
	remarks []string
	checked map[*resolvedMacro]error
	made    map[macroUse]compiled
}

type macroUse struct {
	*resolvedMacro
	negated bool
}

// compiled is what a macro became.
type compiled struct {
	node    query.Node
	err     error
	remarks []string
}

func newCompiler(source string, s *sets) *compiler {
	return &compiler{source: source, sets: s, checked: map[*resolvedMacro]error{}, made: map[macroUse]compiled{}}
}

// macro compiles a macro once for each way it is used.
func (c *compiler) macro(m *resolvedMacro, negated bool) (query.Node, error) {
	use := macroUse{m, negated}
	out, known := c.made[use]
	if !known {
		outer := c.remarks
		c.remarks = nil
		out.node, out.err = c.node(m.x, negated)
		out.remarks, c.remarks = c.remarks, outer
		c.made[use] = out
	}
	for _, r := range out.remarks {
		c.remark("%s", r)
	}
	return out.node, out.err
}

// remark notes what the author of the rule should know.
func (c *compiler) remark(format string, args ...any) {
	if s := fmt.Sprintf(format, args...); !contains(c.remarks, s) {
		c.remarks = append(c.remarks, s)
	}
}

// node compiles x; negated says that x stands under an odd number of nots.
func (c *compiler) node(x expr, negated bool) (query.Node, error) {
	switch x := x.(type) {
	case andExpr:
		parts, err := c.nodes(x, negated)
		return all(parts...), err
	case orExpr:
		parts, err := c.nodes(x, negated)
		return some(parts...), err
	case notExpr:
		n, err := c.node(x.x, !negated)
		if err != nil {
			return nil, err
		}
		return not(n), nil
	case *resolvedMacro:
		return c.macro(x, negated)
	case *test:
		return c.test(x, negated)
	case beforeExpr:
		return before(time.Time(x)), nil
	}
	return nil, fmt.Errorf("the condition has an empty part")
}

func (c *compiler) nodes(parts []expr, negated bool) ([]query.Node, error) {
	out := make([]query.Node, len(parts))
	for i, p := range parts {
		var err error
		if out[i], err = c.node(p, negated); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// test compiles one comparison.
func (c *compiler) test(t *test, negated bool) (query.Node, error) {
	if t.left.foreign != "" || t.right != nil && t.right.foreign != "" {
		return nil, cannot("%s cannot be asked: the transformers %s are not evaluated here", t.left.String(), join(foreign))
	}
	f, known := lookup(c.source, &t.left)
	if !known {
		return nil, &unknownField{t.left.field, c.source}
	}
	if t.right != nil {
		return c.fields(t, f)
	}
	if len(f.alts) == 1 && f.alts[0].konst == present {
		return everyRecord(t)
	}
	if f.why != "" {
		return nil, cannot("the field %s cannot be asked for: %s", t.left.String(), f.why)
	}
	h, err := transformed(t.left.transforms)
	if err != nil {
		return nil, err
	}
	var ways []query.Node
	for _, a := range f.alts {
		n, err := c.way(t, f, a, h, negated)
		if err != nil {
			return nil, err
		}
		ways = append(ways, all(a.when, n))
	}
	return some(ways...), nil
}

// way compiles the comparison for one alternative of the field.
func (c *compiler) way(t *test, f field, a alt, h how, negated bool) (query.Node, error) {
	as := asking{c: c, test: t, how: h, path: a.path, zero: f.zero, repo: f.repo}
	switch {
	case a.path == "":
		as.path, as.zero = "value", false
		n, err := as.single()
		if err != nil {
			return nil, err
		}
		e := &event.Event{Fields: []event.Field{{Name: "value", Value: event.Value{Str: a.konst, Pos: -1, End: -1}}}, Native: 1}
		if query.Holds(n, e) {
			return always, nil
		}
		return never, nil
	case f.list:
		return as.several()
	case f.first:
		return as.firstOfSeveral(negated)
	}
	return as.single()
}

// everyRecord compiles what is asked of fields that every record has: that they
// exist, and comparisons with zero.
func everyRecord(t *test) (query.Node, error) {
	if t.op == "exists" {
		return always, nil
	}
	if len(t.texts) == 1 && t.texts[0] == "0" && len(t.left.transforms) == 0 && !strings.HasSuffix(t.left.field, "obj") {
		switch t.op {
		case ">", ">=", "!=":
			return always, nil
		case "=", "<", "<=":
			return never, nil
		}
	}
	return nil, cannot("the field %s can only be asked whether it exists", t.left.String())
}

// fields compiles a comparison of one field with another.
func (c *compiler) fields(t *test, left field) (query.Node, error) {
	right, known := lookup(c.source, t.right)
	if !known {
		return nil, &unknownField{t.right.field, c.source}
	}
	simple := func(f field) bool {
		return f.why == "" && !f.list && !f.first && len(f.alts) == 1 && f.alts[0].path != "" && f.alts[0].when == nil
	}
	l, err := transformed(t.left.transforms)
	if err != nil {
		return nil, err
	}
	r, err := transformed(t.right.transforms)
	if err != nil {
		return nil, err
	}
	if !simple(left) || !simple(right) || l != r || l.base || l.decoded || l.length || t.op != "=" && t.op != "!=" {
		return nil, cannot("%s %s %s cannot be asked: two fields are compared by = and != only, each of one path and both transformed alike",
			t.left.String(), t.op, t.right.String())
	}
	same := &query.Pred{Field: left.alts[0].path, Op: query.OpFieldEqual, Value: right.alts[0].path, Cased: l.letters == ""}
	if t.op == "=" {
		return same, nil
	}
	return all(exists(left.alts[0].path), exists(right.alts[0].path), not(same)), nil
}

// how is what the transformers of a field do together.
type how struct {
	letters string // "lower" or "upper": the value is asked in these
	base    bool   // only what follows the last slash
	decoded bool   // base64 taken off
	length  bool   // the number of characters
}

func transformed(names []string) (h how, err error) {
	for i, n := range names {
		switch n {
		case "tolower", "toupper":
			if h.letters == "" {
				h.letters = strings.TrimPrefix(n, "to")
			}
		case "basename":
			h.base = true
		case "b64":
			h.decoded = true
		case "len":
			h.length = true
			if i > 0 {
				return h, cannot("the transformer %s() around len() cannot be asked", names[0])
			}
		}
	}
	if h.decoded && (h.base || h.length || h.letters != "") || h.length && h.base {
		return h, cannot("the transformers %s cannot be asked together", join(names))
	}
	return h, nil
}
