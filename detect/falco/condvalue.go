package falco

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

func contains(list []string, s string) bool { return slices.Contains(list, s) }

func join(list []string) string { return strings.Join(list, ", ") }

func quote(s string) string { return strconv.Quote(s) }

// comparison reads the operator and what it compares with.
func (p *condParser) comparison(left term) (expr, error) {
	c := &check{left: left}
	p.blanks()
	if p.word("exists") {
		c.op = "exists"
		return c, nil
	}
	if c.op = p.operator(); c.op == "" {
		return nil, p.fail("expected an operator: exists, %s, %s, %s", join(numberOps), join(textOps), join(listOps))
	}
	if c.op == "==" {
		c.op = "="
	}
	p.blanks()
	for _, m := range modifiers {
		if p.modifier(m) {
			c.mod = m
			if contains(listOps, c.op) || contains(numberOps, c.op) {
				return nil, p.fail("%s does not go with %s", m, c.op)
			}
		}
	}
	return c, p.operand(c)
}

// modifier takes one of the list modifiers when a list follows.
func (p *condParser) modifier(m string) bool {
	from := p.at
	if p.word(m) {
		if p.blanks(); p.peek() == '(' {
			return true
		}
	}
	p.at = from
	return false
}

// operator takes the longest operator at the place reached.
func (p *condParser) operator() string {
	best := ""
	for _, ops := range [][]string{numberOps, textOps, listOps} {
		for _, op := range ops {
			end := p.at + len(op)
			if len(op) <= len(best) || end > len(p.src) || p.src[p.at:end] != op {
				continue
			}
			if letter(op[0]) && end < len(p.src) && !blank(p.src[end]) && p.src[end] != '(' {
				continue
			}
			best = op
		}
	}
	p.at += len(best)
	return best
}

// operand reads the right side: a list, a field or a value.
func (p *condParser) operand(c *check) error {
	isList := contains(listOps, c.op) || c.mod != ""
	if isList && p.take('(') {
		c.list = true
		return p.valueList(c)
	}
	if t, ok, err := p.rightTerm(); err != nil || ok {
		c.right = &t
		return err
	}
	v, err := p.value()
	if err != nil {
		return err
	}
	if contains(numberOps, c.op) {
		n, ok := number(v.text)
		if !ok {
			return p.fail("%s needs a number and not %s", c.op, quote(cut(v.text, 40)))
		}
		v = value{text: n}
	}
	c.values = []value{v}
	return nil
}

// rightTerm takes val(field) or a transformed field.
func (p *condParser) rightTerm() (t term, ok bool, err error) {
	from := p.at
	name := p.identifier()
	call := name != "" && p.peek() == '('
	p.at = from
	if !call {
		return t, false, nil
	}
	t, err = p.term(true)
	return t, true, err
}

func (p *condParser) valueList(c *check) error {
	p.blanks()
	if p.take(')') {
		return nil
	}
	for {
		p.blanks()
		v, err := p.value()
		if err != nil {
			return err
		}
		if c.values = append(c.values, v); len(c.values) > MaxListValues {
			return fmt.Errorf("a list in the condition has more than %d values; use fewer", MaxListValues)
		}
		p.blanks()
		if p.take(')') {
			return nil
		}
		if !p.take(',') {
			return p.fail("expected , or ) in the list")
		}
	}
}

// value takes a quoted text, or bytes up to a blank, a parenthesis, a comma, = or
// a quote.
func (p *condParser) value() (value, error) {
	if c := p.peek(); c == '"' || c == '\'' {
		s, err := p.quoted()
		return value{text: s}, err
	}
	from := p.at
	for p.at < len(p.src) && !blank(p.src[p.at]) && strings.IndexByte(`()"'=,`, p.src[p.at]) < 0 {
		p.at++
	}
	if p.at == from {
		return value{}, p.fail("expected a value")
	}
	return value{text: p.src[from:p.at], bare: true}, nil
}

// quoted takes a text in quotes. A backslash that is no known escape stays what it
// is, because expressions are full of them.
func (p *condParser) quoted() (string, error) {
	quoteAt, delimiter := p.at, p.src[p.at]
	var b strings.Builder
	for p.at++; p.at < len(p.src); p.at++ {
		c := p.src[p.at]
		if c == delimiter {
			p.at++
			return b.String(), nil
		}
		if c == '\\' && p.at+1 < len(p.src) {
			p.at++
			if e, ok := escapes[p.src[p.at]]; ok {
				b.WriteByte(e)
				continue
			}
			b.WriteByte('\\')
			c = p.src[p.at]
		}
		b.WriteByte(c)
	}
	p.at = quoteAt
	return "", p.fail("the quote is not closed")
}

var escapes = map[byte]byte{'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', '\\': '\\', ' ': '\\', '/': '/', '"': '"', '\'': '\''}

// number reads a decimal or hexadecimal number and writes it in decimal.
func number(s string) (string, bool) {
	if len(s) > 2 && len(s) <= 18 && (s[:2] == "0x" || s[:2] == "0X") {
		n, err := strconv.ParseUint(s[2:], 16, 64)
		return strconv.FormatUint(n, 10), err == nil
	}
	if s == "" || len(s) > 64 || strings.IndexByte("+-.0123456789", s[0]) < 0 || strings.ContainsAny(s, "xXpP_nNiI") {
		return "", false
	}
	_, err := strconv.ParseFloat(s, 64)
	return s, err == nil
}

// parseTerm reads a field alone, as exceptions name them.
func parseTerm(s string) (term, error) {
	p := &condParser{src: s}
	t, err := p.term(false)
	if err == nil && p.at < len(s) {
		err = p.fail("expected nothing behind the field")
	}
	return t, err
}

// parseOperator reads an operator alone, with its list modifier.
func parseOperator(s string) (op, mod string, ok bool) {
	op, mod, two := strings.Cut(strings.TrimSpace(s), " ")
	mod = strings.TrimSpace(mod)
	ok = contains(textOps, op) || contains(listOps, op) || contains(numberOps, op)
	if two && (!contains(modifiers, mod) || !contains(textOps, op)) {
		return "", "", false
	}
	if op == "==" {
		op = "="
	}
	return op, mod, ok
}
