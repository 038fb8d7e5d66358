package falco

import (
	"fmt"
	"regexp"
	"strings"

	"bartizan/query"
)

// piece is a part of a glob: a text, or one of * ? or a class in brackets.
type piece struct {
	text string
	wild byte   // '*', '?', '[' or 0
	set  string // the class as RE2 writes it
}

// globPieces reads a pattern as fnmatch(3) does, without flags: * and ? match any
// text, a backslash makes the next character a plain one, [...] is a class.
func globPieces(pattern string) ([]piece, error) {
	var out []piece
	lit := func(s string) {
		if n := len(out); n > 0 && out[n-1].wild == 0 {
			out[n-1].text += s
			return
		}
		out = append(out, piece{text: s})
	}
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		if strings.IndexByte("?*+@!", c) >= 0 && i+1 < len(pattern) && pattern[i+1] == '(' {
			return nil, cannot("the extended pattern %s cannot be asked", quote(cut(pattern, 60)))
		}
		switch c {
		case '\\':
			if i++; i < len(pattern) {
				lit(pattern[i : i+1])
			}
		case '*':
			if n := len(out); n == 0 || out[n-1].wild != '*' {
				out = append(out, piece{wild: '*'})
			}
		case '?':
			out = append(out, piece{wild: '?'})
		case '[':
			set, n := globClass(pattern[i:])
			if n == 0 {
				lit("[")
				continue
			}
			out = append(out, piece{wild: '[', set: set})
			i += n - 1
		default:
			lit(pattern[i : i+1])
		}
	}
	return out, nil
}

// globClass reads [...] at the start of s and returns it for RE2 and its length,
// 0 when it is not closed.
func globClass(s string) (set string, n int) {
	i := 1
	var b strings.Builder
	b.WriteByte('[')
	if i < len(s) && (s[i] == '!' || s[i] == '^') {
		b.WriteByte('^')
		i++
	}
	for first := i; i < len(s); i++ {
		switch c := s[i]; {
		case c == ']' && i > first:
			b.WriteByte(']')
			return b.String(), i + 1
		case c == '[' && i+1 < len(s) && s[i+1] == ':':
			end := strings.Index(s[i:], ":]")
			if end < 0 {
				return "", 0
			}
			b.WriteString(s[i : i+end+2])
			i += end + 1
		case c == '[' || c == ']' || c == '^' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	return "", 0
}

func hasClass(pieces []piece) bool {
	for _, p := range pieces {
		if p.wild == '[' {
			return true
		}
	}
	return false
}

// expressionOf writes pieces for RE2; not are the characters that no wildcard
// matches, as they stand in a class.
func expressionOf(pieces []piece, not string) string {
	one := `.`
	if not != "" {
		one = `[^` + not + `]`
	}
	var b strings.Builder
	for _, p := range pieces {
		switch p.wild {
		case '*':
			b.WriteString(one + `*`)
		case '?':
			b.WriteString(one)
		case '[':
			if rest, negated := strings.CutPrefix(p.set, `[^`); negated {
				b.WriteString(`[^` + not + rest)
			} else {
				b.WriteString(p.set)
			}
		default:
			b.WriteString(regexp.QuoteMeta(p.text))
		}
	}
	return b.String()
}

// flags are the flags at the front of an expression.
func flags(folded bool) string {
	if folded {
		return `(?is)`
	}
	return `(?s)`
}

// glob compiles a pattern by the quickest predicate that says it.
func (a *asking) glob(v string, folded bool) (query.Node, error) {
	pieces, err := globPieces(v)
	if err != nil {
		return nil, err
	}
	if a.base {
		return a.expression(flags(folded) + `^(?:.*/)?` + expressionOf(pieces, `/`) + `$`)
	}
	if hasClass(pieces) {
		return a.expression(flags(folded) + `^` + expressionOf(pieces, "") + `$`)
	}
	stars := func(i int) bool { return i >= 0 && i < len(pieces) && pieces[i].wild == '*' }
	n := len(pieces)
	switch {
	case n == 0:
		return a.pred("=", "", folded)
	case n == 1 && stars(0):
		return a.there(), nil
	case n == 1 && pieces[0].wild == 0:
		return a.pred("=", pieces[0].text, folded)
	case n == 2 && stars(0) && pieces[1].wild == 0:
		return a.pred("endswith", pieces[1].text, folded)
	case n == 2 && stars(1) && pieces[0].wild == 0:
		return a.pred("startswith", pieces[0].text, folded)
	case n == 3 && stars(0) && stars(2) && pieces[1].wild == 0:
		return a.pred("contains", pieces[1].text, folded)
	}
	var b strings.Builder
	for _, p := range pieces {
		if p.wild != 0 {
			b.WriteByte(p.wild)
			continue
		}
		b.WriteString(escapeGlob(p.text))
	}
	return &query.Pred{Field: a.path, Op: query.OpGlob, Value: b.String(), Cased: !folded}, nil
}

func escapeGlob(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if strings.IndexByte(`*?\`, s[i]) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// pathPrefix compiles pmatch: the path v, or a path below it. Wildcards match
// within one name of the path.
func (a *asking) pathPrefix(v string, folded bool) (query.Node, error) {
	if a.base {
		return nil, cannot("basename() with pmatch cannot be asked")
	}
	v = strings.TrimRight(v, "/")
	pieces, err := globPieces(v)
	if err != nil {
		return nil, err
	}
	for _, p := range pieces {
		if p.wild != 0 {
			return a.expression(flags(folded) + `^` + expressionOf(pieces, `/`) + `(?:/.*)?$`)
		}
	}
	if len(pieces) == 1 {
		v = pieces[0].text
	}
	below, err := a.pred("startswith", v+"/", folded)
	if err != nil || v == "" {
		return below, err
	}
	whole, err := a.pred("=", v, folded)
	return some(whole, below), err
}

// basename compiles what is asked of the text behind the last slash.
func (a *asking) basename(op, v string, folded bool) (query.Node, error) {
	if strings.Contains(v, "/") {
		return never, nil
	}
	q := regexp.QuoteMeta(v)
	switch op {
	case "=":
		whole, err := a.pred("=", v, folded)
		if err != nil {
			return nil, err
		}
		end, err := a.pred("endswith", "/"+v, folded)
		return some(whole, end), err
	case "contains":
		return a.expression(flags(folded) + q + `[^/]*$`)
	case "startswith":
		return a.expression(flags(folded) + `(?:^|/)` + q + `[^/]*$`)
	case "endswith":
		return a.pred("endswith", v, folded)
	}
	return nil, fmt.Errorf("the operator %s cannot be used with basename()", op)
}

// repository compiles what is asked of an image's name without tag and digest:
// what stands before the first : or @.
func (a *asking) repository(op, v string, folded bool) (query.Node, error) {
	if a.base || a.length || a.decoded {
		return nil, cannot("%s cannot be asked", a.test.left.String())
	}
	if strings.ContainsAny(v, ":@") {
		return never, nil
	}
	q := regexp.QuoteMeta(v)
	switch op {
	case "=":
		whole, err := a.pred("=", v, folded)
		if err != nil {
			return nil, err
		}
		tag, err := a.pred("startswith", v+":", folded)
		if err != nil {
			return nil, err
		}
		digest, err := a.pred("startswith", v+"@", folded)
		return some(whole, tag, digest), err
	case "startswith":
		return a.pred("startswith", v, folded)
	case "contains":
		return a.expression(flags(folded) + `^[^:@]*` + q)
	case "endswith":
		return a.expression(flags(folded) + `^[^:@]*` + q + `(?:[:@]|$)`)
	case "glob":
		pieces, err := globPieces(v)
		if err != nil {
			return nil, err
		}
		return a.expression(flags(folded) + `^` + expressionOf(pieces, `:@`) + `(?:[:@]|$)`)
	}
	return nil, cannot("%s %s cannot be asked", a.test.left.String(), op)
}
