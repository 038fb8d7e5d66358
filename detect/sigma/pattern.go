package sigma

import (
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"bartizan/query"
)

// pattern is a Sigma string: literal pieces and wildcards in order. An empty
// pattern is the empty text.
type pattern []piece

// piece is a literal (wild 0), or the wildcard '*' or '?'.
type piece struct {
	text string
	wild byte
}

// parsePattern reads a Sigma string: * is any text, ? one character; a backslash
// makes a following *, ? or \ literal and is itself before anything else.
func parsePattern(s string) pattern {
	var p pattern
	var lit []byte
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\' && i+1 < len(s) && strings.IndexByte(`*?\`, s[i+1]) >= 0:
			i++
			lit = append(lit, s[i])
		case c == '*' || c == '?':
			p = p.literal(lit).wildcard(c)
			lit = lit[:0]
		default:
			lit = append(lit, c)
		}
	}
	return p.literal(lit)
}

func literalPattern(s string) pattern { return pattern(nil).literal([]byte(s)) }

func (p pattern) literal(text []byte) pattern {
	if len(text) == 0 {
		return p
	}
	return append(p, piece{text: string(text)})
}

func (p pattern) wildcard(c byte) pattern {
	if c == '*' && p.endsOpen() {
		return p // ** is *
	}
	return append(p, piece{wild: c})
}

func (p pattern) startsOpen() bool { return len(p) > 0 && p[0].wild == '*' }
func (p pattern) endsOpen() bool   { return len(p) > 0 && p[len(p)-1].wild == '*' }

// open adds a * at either end where there is none.
func (p pattern) open(start, end bool) pattern {
	if start && !p.startsOpen() {
		p = append(pattern{{wild: '*'}}, p...)
	}
	if end && !p.endsOpen() {
		p = append(p[:len(p):len(p)], piece{wild: '*'})
	}
	return p
}

// plain returns the pattern's text when it has no wildcard.
func (p pattern) plain() (string, bool) {
	switch {
	case len(p) == 0:
		return "", true
	case len(p) == 1 && p[0].wild == 0:
		return p[0].text, true
	}
	return "", false
}

// glob writes the pattern in the form of query.OpGlob.
func (p pattern) glob() string {
	var b strings.Builder
	for _, x := range p {
		if x.wild != 0 {
			b.WriteByte(x.wild)
			continue
		}
		for i := 0; i < len(x.text); i++ {
			if strings.IndexByte(`*?\`, x.text[i]) >= 0 {
				b.WriteByte('\\')
			}
			b.WriteByte(x.text[i])
		}
	}
	return b.String()
}

// pred is the cheapest predicate that asks whether a field's whole value is the
// pattern.
func (p pattern) pred(field string, cased bool) *query.Pred {
	q := &query.Pred{Field: field, Cased: cased}
	start, end := p.startsOpen(), p.endsOpen()
	mid := p
	if start {
		mid = mid[1:]
	}
	if end && len(mid) > 0 {
		mid = mid[:len(mid)-1]
	}
	text, plain := mid.plain()
	switch {
	case !plain || text == "" && start:
		q.Op, q.Value = query.OpGlob, p.glob()
	case start && end:
		q.Op, q.Value = query.OpContains, text
	case start:
		q.Op, q.Value = query.OpSuffix, text
	case end:
		q.Op, q.Value = query.OpPrefix, text
	case text == "":
		q.Op = query.OpEmpty
	default:
		q.Op, q.Value = query.OpEqual, text
	}
	return q
}

// keyword is the predicate that looks for the pattern anywhere in the raw
// record; nil when that would be true of every record.
func (p pattern) keyword(cased bool) *query.Pred {
	for p.startsOpen() {
		p = p[1:]
	}
	for p.endsOpen() {
		p = p[:len(p)-1]
	}
	text, plain := p.plain()
	switch {
	case plain && text == "":
		return nil
	case plain:
		return &query.Pred{Op: query.OpContains, Value: text, Cased: cased}
	}
	return &query.Pred{Op: query.OpGlob, Value: p.glob(), Cased: cased}
}

// delivered are the forms in which a keyword can stand in a raw record: as it is,
// and where JSON writes it otherwise also as it does there, with and without \u for
// what is not ASCII (RFC 8259 section 7).
func (p pattern) delivered() []pattern {
	out := []pattern{p}
	for _, ascii := range []bool{false, true} {
		form := make(pattern, len(p))
		changed := false
		for i, x := range p {
			form[i] = piece{text: jsonText(x.text, ascii), wild: x.wild}
			changed = changed || form[i].text != x.text
		}
		if changed && (!ascii || form.glob() != out[len(out)-1].glob()) {
			out = append(out, form)
		}
	}
	return out
}

// jsonText is the text as a JSON string has it between its quotation marks.
func jsonText(s string, ascii bool) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || ascii && r >= utf8.RuneSelf && r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		case ascii && r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
