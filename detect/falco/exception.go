package falco

import (
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// exception is one named exception of a rule: tuples of values that, compared with
// the fields, take an event out of the rule.
type exception struct {
	name   string
	fields []string
	comps  []string
	single bool // fields is one field, not a list of fields
	values []tuple
	node   *yaml.Node
}

// tuple is one value per field, and until when it takes events out (the zero time:
// for ever).
type tuple struct {
	*yaml.Node
	until time.Time
}

// readExceptions reads the list under exceptions.
func readExceptions(n *yaml.Node) ([]exception, error) {
	if isNull(n) {
		return nil, nil
	}
	if n.Kind != yaml.SequenceNode {
		return nil, at(n, "exceptions must be a list of name, fields, comps and values")
	}
	var out []exception
	for _, c := range n.Content {
		if c = plain(c); c.Kind != yaml.MappingNode {
			return nil, at(c, "each exception must be a map with name, fields, comps and values")
		}
		x, err := readException(c)
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

func readException(n *yaml.Node) (x exception, err error) {
	x.node = n
	name := get(n, "name")
	if name == nil {
		return x, at(n, "an exception has no name; add one")
	}
	if x.name, err = text(name, "the name of an exception"); err != nil {
		return x, err
	}
	if x.name == "" {
		return x, at(name, "an exception has no name; add one")
	}
	if f := get(n, "fields"); f != nil {
		x.single = f.Kind == yaml.ScalarNode && !isNull(f)
		if x.fields, err = oneOrMore(f, "fields"); err != nil {
			return x, err
		}
	}
	if f := get(n, "comps"); f != nil {
		if x.comps, err = oneOrMore(f, "comps"); err != nil {
			return x, err
		}
		if x.fields != nil && x.single != (f.Kind == yaml.ScalarNode) {
			return x, at(f, "the exception %s must have one field and one comp, or a list of each", quote(x.name))
		}
	}
	if f := get(n, "values"); f != nil && !isNull(f) {
		if f.Kind != yaml.SequenceNode {
			return x, at(f, "the values of the exception %s must be a list", quote(x.name))
		}
		for _, v := range f.Content {
			x.values = append(x.values, tuple{Node: plain(v)})
		}
	}
	return x, x.readOwn(n)
}

// readOwn reads the keys that are ours: owner and reason are for people, expires
// is the last day or the time (RFC 3339) after which the values count no more.
func (x *exception) readOwn(n *yaml.Node) error {
	for _, key := range []string{"owner", "reason"} {
		if v := get(n, key); v != nil {
			if _, err := text(v, "the "+key+" of an exception"); err != nil {
				return err
			}
		}
	}
	v := get(n, "expires")
	if v == nil {
		return nil
	}
	until, ok := expiry(v.Value)
	if !ok || v.Kind != yaml.ScalarNode {
		return at(v, "the exception %s expires at %s, which is neither a date such as 2026-12-31 nor a time such as 2026-12-31T18:00:00Z", quote(x.name), quote(cut(v.Value, 40)))
	}
	for i := range x.values {
		x.values[i].until = until
	}
	return nil
}

// expiry reads a date, which is the whole of that day in UTC, or a time (RFC 3339),
// within the years that can be compared with an event's.
func expiry(s string) (time.Time, bool) {
	t, err := time.Parse(time.DateOnly, s)
	if err == nil {
		t = t.AddDate(0, 0, 1)
	} else {
		t, err = time.Parse(time.RFC3339, s)
	}
	return t.UTC(), err == nil && t.Year() > 1970 && t.Year() < 9999
}

// oneOrMore reads a text or a list of texts.
func oneOrMore(n *yaml.Node, what string) ([]string, error) {
	if n.Kind == yaml.ScalarNode && !isNull(n) {
		return []string{n.Value}, nil
	}
	return texts(n, what)
}

// complete checks an exception that defines itself, and gives it the comparisons
// it leaves out: in for a single field, = for each of several.
func (x *exception) complete() error {
	if len(x.fields) == 0 {
		return at(x.node, "the exception %s has no fields; add them", quote(x.name))
	}
	if x.comps == nil {
		x.comps = make([]string, len(x.fields))
		for i := range x.comps {
			x.comps[i] = "="
		}
		if x.single {
			x.comps[0] = "in"
		}
	}
	if len(x.comps) != len(x.fields) {
		return at(x.node, "the exception %s has %d fields and %d comps; give one comp per field", quote(x.name), len(x.fields), len(x.comps))
	}
	for _, op := range x.comps {
		if _, _, ok := parseOperator(op); !ok {
			return at(x.node, "the comp %s of the exception %s is no operator", quote(op), quote(x.name))
		}
	}
	return x.checkValues()
}

// checkValues checks that each tuple has a value per field.
func (x *exception) checkValues() error {
	for _, v := range x.values {
		switch {
		case x.single && v.Kind == yaml.MappingNode, x.single && isNull(v.Node):
			return at(v.Node, "each value of the exception %s must be a text or a list", quote(x.name))
		case x.single:
		case v.Kind != yaml.SequenceNode || len(v.Content) != len(x.fields):
			return at(v.Node, "each value of the exception %s must be a list of %d, one per field", quote(x.name), len(x.fields))
		}
	}
	return nil
}

// extended is x with the values of more.
func (x exception) extended(more exception) (exception, error) {
	if more.fields != nil && !slices.Equal(more.fields, x.fields) || more.comps != nil && !slices.Equal(more.comps, x.comps) {
		return x, at(more.node, "the exception %s is there already with other fields or comps; append values only, or give it another name", quote(x.name))
	}
	x.values = append(x.values[:len(x.values):len(x.values)], more.values...)
	x.node = more.node
	return x, x.checkValues()
}

// expr is what holds for the events the exception takes out; nil without values.
// Values that expire count for events before that.
func (x *exception) expr() (expr, error) {
	terms := make([]term, len(x.fields))
	for i, f := range x.fields {
		t, err := parseTerm(strings.TrimSpace(f))
		if err != nil {
			return nil, at(x.node, "the field %s of the exception %s: %v", quote(f), quote(x.name), err)
		}
		terms[i] = t
	}
	var any orExpr
	rest := x.values
	for len(rest) > 0 {
		n := 1
		for n < len(rest) && rest[n].until.Equal(rest[0].until) {
			n++
		}
		part, err := x.exprOf(terms, rest[:n])
		if err != nil {
			return nil, err
		}
		if until := rest[0].until; !until.IsZero() {
			part = andExpr{part, beforeExpr(until)}
		}
		any = append(any, part)
		rest = rest[n:]
	}
	switch len(any) {
	case 0:
		return nil, nil
	case 1:
		return any[0], nil
	}
	return any, nil
}

// exprOf is what holds for the events that some of the values take out.
func (x *exception) exprOf(terms []term, values []tuple) (expr, error) {
	if x.single {
		return x.singleExpr(terms[0], values)
	}
	var any orExpr
	for _, tuple := range values {
		var all andExpr
		for i, t := range terms {
			c, err := x.compare(t, x.comps[i], plain(tuple.Content[i]))
			if err != nil {
				return nil, err
			}
			all = append(all, c)
		}
		any = append(any, all)
	}
	return any, nil
}

// singleExpr is the short form for one field: all values stand in one list, or
// each is compared by itself where the operator takes no list.
func (x *exception) singleExpr(t term, values []tuple) (expr, error) {
	op, mod, _ := parseOperator(x.comps[0])
	whole := &check{left: t, op: op, mod: mod, list: true}
	var any orExpr
	for _, v := range values {
		c, err := x.compare(t, x.comps[0], v.Node)
		if err != nil {
			return nil, err
		}
		whole.values = append(whole.values, c.values...)
		any = append(any, c)
	}
	if contains(listOps, op) || mod != "" {
		return whole, nil
	}
	return any, nil
}

// compare is one field against one value of a tuple, which may be a list, or a
// list's name with or without parentheses.
func (x *exception) compare(t term, comp string, v *yaml.Node) (*check, error) {
	op, mod, _ := parseOperator(comp)
	c := &check{left: t, op: op, mod: mod}
	isList := contains(listOps, op) || mod != ""
	if v.Kind == yaml.SequenceNode {
		if !isList {
			return nil, at(v, "the exception %s compares with %s, which takes one value and no list", quote(x.name), op)
		}
		items, err := texts(v, "a value of an exception")
		if err != nil {
			return nil, err
		}
		c.list = true
		for _, s := range items {
			c.values = append(c.values, itemValue(s))
		}
		return c, nil
	}
	s, err := text(v, "a value of an exception")
	if err != nil {
		return nil, err
	}
	s = strings.TrimSpace(s)
	if isList && strings.HasPrefix(s, "(") {
		p := &condParser{src: s, at: 1}
		c.list = true
		if err := p.valueList(c); err != nil || p.at < len(s) {
			return nil, at(v, "the list %s of the exception %s cannot be read", quote(cut(s, 60)), quote(x.name))
		}
		return c, nil
	}
	c.list, c.values = isList, []value{itemValue(s)}
	if contains(numberOps, op) {
		n, ok := number(s)
		if !ok {
			return nil, at(v, "the exception %s compares with %s, which needs a number", quote(x.name), op)
		}
		c.values[0].text = n
	}
	return c, nil
}
