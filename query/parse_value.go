package query

import "net/netip"

// ordering reads < <= > >= and the number, level or time behind.
func (p *parser) ordering(q *Pred) (Node, error) {
	q.Op = OpLess
	if p.at('>') {
		q.Op = OpGreater
	}
	p.i++
	if p.at('=') {
		q.Op++
		p.i++
	}
	p.skipSpace()
	pos := p.i
	if p.at('"') {
		text, ok := p.quoted()
		if !ok {
			return nil, p.fail(pos, `this quote is never closed; add "`)
		}
		q.Value = text
	} else if w := p.word(true); !w.wild {
		q.Value = w.text
	}
	kind, rank := scaleOf(q.Value)
	if kind == scaleNone || q.Field == "@timestamp" && kind != scaleTime {
		return nil, p.fail(pos, "%s can be compared with a number, a level such as warning, or a time such as 2026-01-02T03:04:05Z; write one of these", q.Field)
	}
	q.Num = rank
	return q, p.separate()
}

// value reads one value asked of the field of q.
func (p *parser) value(q Pred) (Node, error) {
	p.skipSpace()
	pos := p.i
	switch {
	case p.end(), p.at(')'), p.keyword("and"), p.keyword("or"):
		return nil, p.fail(pos, "a value is missing after %s; write one, or * for any", q.Field)
	case p.at('<'), p.at('>'):
		return nil, p.fail(pos, "comparisons take no colon; write: %s %c value", q.Field, p.s[pos])
	case p.at('!'), p.keyword("not"):
		return nil, p.fail(pos, "exclusion stands before the field; write: not %s: value", q.Field)
	case p.at('"'):
		text, ok := p.quoted()
		if !ok {
			return nil, p.fail(pos, `this quote is never closed; add "`)
		}
		return p.textPred(&q, text, pos)
	case p.at('/'):
		if expr, ok := p.regex(); ok {
			return p.regexPred(&q, expr, pos)
		}
	}
	w := p.word(true)
	if w.wild {
		return p.globPred(&q, w)
	}
	if w.text == "" {
		return nil, p.unexpected()
	}
	if net, err := netip.ParsePrefix(w.text); err == nil && !within(q.Field) {
		q.Op, q.Value, q.Net = OpCIDR, w.text, PlainNet(net)
		return &q, p.separate()
	}
	return p.textPred(&q, w.text, pos)
}

// within reports whether a value of this field is looked for inside it.
func within(field string) bool { return field == "message" || field == "raw" }

func (p *parser) textPred(q *Pred, text string, pos int) (Node, error) {
	q.Op, q.Value = OpEqual, text
	switch {
	case q.Field == "@timestamp":
		if _, _, ok := parseTime(text); !ok {
			return nil, p.fail(pos, "this is not a time; write one such as 2026-01-02 or 2026-01-02T03:04:05Z")
		}
	case text == "":
		q.Op = OpEmpty
	case within(q.Field):
		q.Op = OpContains
	}
	return q, p.separate()
}

func (p *parser) globPred(q *Pred, w word) (Node, error) {
	pattern := collapse(w.pattern)
	if pattern != "*" && q.Field == "@timestamp" {
		return nil, p.fail(w.pos, "a time takes no wildcard; write a day such as 2026-01-02, or compare with >= and <")
	}
	if within(q.Field) && pattern != "*" {
		pattern = "*" + trimStars(pattern) + "*"
	}
	q.setGlob(pattern, false)
	return q, p.separate()
}

func (p *parser) regexPred(q *Pred, expr string, pos int) (Node, error) {
	if q.Field == "@timestamp" {
		return nil, p.fail(pos, "a time takes no expression; write a day such as 2026-01-02, or compare with >= and <")
	}
	re, size, err := compileRegex("(?i)" + expr)
	if err != nil {
		return nil, p.fail(pos, "%v", err)
	}
	if p.program += size; p.program > MaxFilterProgram {
		return nil, p.fail(pos, "the regular expressions of this filter need more than %d steps together; use fewer or shorter ones", MaxFilterProgram)
	}
	q.Op, q.Value, q.Re = OpRegex, expr, re
	return q, p.separate()
}
