package falco

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode"

	"bartizan/query"
)

// asking is one comparison with the values at one path.
type asking struct {
	c    *compiler
	test *test
	how
	path       string
	zero, repo bool
}

// there holds when the field has a value.
func (a *asking) there() query.Node {
	if a.zero {
		return always
	}
	return query.And{exists(a.path), query.Not{X: &query.Pred{Field: a.path, Op: query.OpNull}}}
}

// single compiles the comparison for a field of one value. Where the field is
// missing nothing holds, not even !=.
func (a *asking) single() (query.Node, error) {
	t := a.test
	switch t.op {
	case "exists":
		return a.there(), nil
	case "!=":
		return a.unequal()
	case "in", "intersects":
		return a.member()
	}
	return a.each(func(v string) (query.Node, error) { return a.one(t.op, v) })
}

// each joins what is asked for every text: all of them under allof, else any.
func (a *asking) each(ask func(string) (query.Node, error)) (query.Node, error) {
	parts := make([]query.Node, len(a.test.texts))
	for i, v := range a.test.texts {
		var err error
		if parts[i], err = ask(v); err != nil {
			return nil, err
		}
	}
	if a.test.mod == "allof" {
		return all(parts...), nil
	}
	return some(parts...), nil
}

func (a *asking) unequal() (query.Node, error) {
	n, err := a.each(func(v string) (query.Node, error) {
		n, err := a.one("=", v)
		if err != nil {
			return nil, err
		}
		return not(n), nil
	})
	if err != nil {
		return nil, err
	}
	return all(a.there(), n), nil
}

// member compiles in and intersects, which are the same for one value.
func (a *asking) member() (query.Node, error) {
	if len(a.test.texts) > manyValues && !a.base && !a.decoded && !a.length && !a.repo {
		set, err := a.c.sets.of(a.test, a.letters)
		if err != nil {
			return nil, err
		}
		return &query.Pred{Field: a.path, Op: query.OpIn, Set: set, Cased: a.letters == ""}, nil
	}
	return a.each(func(v string) (query.Node, error) { return a.one("=", v) })
}

// one compiles the comparison with one text.
func (a *asking) one(op, v string) (query.Node, error) {
	if op == "bcontains" || op == "bstartswith" {
		raw, err := hex.DecodeString(v)
		if err != nil {
			return nil, fmt.Errorf("%s needs hexadecimal digits and not %s", op, quote(cut(v, 40)))
		}
		op, v = op[1:], string(raw)
	}
	switch {
	case a.length:
		return a.lengthIs(op, v)
	case a.decoded:
		return a.encoded(op, v)
	case contains(numberOps, op):
		return a.ordered(op, v)
	}
	folded := a.letters != "" || op == "icontains" || op == "iglob"
	if op == "regex" {
		return a.regex(v, folded)
	}
	if a.letters == "lower" && strings.ToLower(v) != v && !strings.HasPrefix(op, "i") ||
		a.letters == "upper" && strings.ToUpper(v) != v && !strings.HasPrefix(op, "i") {
		return never, nil // what is asked in small letters never holds a capital
	}
	op = strings.TrimPrefix(op, "i")
	switch {
	case a.repo:
		return a.repository(op, v, folded)
	case op == "glob":
		return a.glob(v, folded)
	case op == "pmatch":
		return a.pathPrefix(v, folded)
	case a.base:
		return a.basename(op, v, folded)
	}
	return a.pred(op, v, folded)
}

// pred is the plain predicate of an operator.
func (a *asking) pred(op, v string, folded bool) (query.Node, error) {
	p := &query.Pred{Field: a.path, Value: v, Cased: !folded}
	switch op {
	case "=":
		if p.Op = query.OpEqual; v == "" {
			p.Op = query.OpEmpty
			if a.zero {
				return query.Or{p, &query.Pred{Field: a.path, Op: query.OpNull}}, nil
			}
		}
		return p, nil
	case "contains":
		p.Op = query.OpContains
	case "startswith":
		p.Op = query.OpPrefix
	case "endswith":
		p.Op = query.OpSuffix
	default:
		return nil, fmt.Errorf("the operator %s cannot be used with %s", op, quote(cut(v, 40)))
	}
	if v == "" {
		return a.there(), nil
	}
	return p, nil
}

func (a *asking) ordered(op, v string) (query.Node, error) {
	n, err := strconv.ParseFloat(v, 64)
	if err != nil || a.base || a.letters != "" {
		return nil, cannot("%s %s %s cannot be asked: only numbers are ordered", a.test.left.String(), op, quote(cut(v, 40)))
	}
	kind := map[string]query.Op{"<": query.OpLess, "<=": query.OpLessEq, ">": query.OpGreater, ">=": query.OpGreaterEq}[op]
	return &query.Pred{Field: a.path, Op: kind, Value: strconv.FormatFloat(n, 'f', -1, 64), Num: n}, nil
}

// expression compiles re, which must be about the whole value.
func (a *asking) expression(re string) (query.Node, error) {
	compiled, err := a.c.sets.re.Compile(re)
	if err != nil {
		return nil, err
	}
	return &query.Pred{Field: a.path, Op: query.OpRegex, Re: compiled}, nil
}

// regex is Falco's regex: RE2, and all of the value must match.
func (a *asking) regex(v string, folded bool) (query.Node, error) {
	if a.base || a.repo {
		return nil, cannot("%s regex cannot be asked", a.test.left.String())
	}
	if folded && !sameWithoutCase(v, a.letters) {
		return nil, cannot("%s regex %s cannot be asked: the expression tells capitals from small letters", a.test.left.String(), quote(cut(v, 40)))
	}
	if _, err := query.CompileRegex(v); err != nil { // before something stands around it
		return nil, err
	}
	if folded {
		return a.expression(`^(?i:` + v + `)$`)
	}
	return a.expression(`^(?:` + v + `)$`)
}

// sameWithoutCase reports whether matching an expression without regard to case
// is matching it against the value in those letters.
func sameWithoutCase(re, letters string) bool {
	tree, err := syntax.Parse(re, syntax.Perl)
	return err == nil && caseFree(tree, letters)
}

func caseFree(re *syntax.Regexp, letters string) bool {
	switch re.Op {
	case syntax.OpLiteral:
		s := string(re.Rune)
		if re.Flags&syntax.FoldCase == 0 && (letters == "lower" && strings.ToLower(s) != s || letters == "upper" && strings.ToUpper(s) != s) {
			return false
		}
	case syntax.OpCharClass:
		if !classCaseFree(re.Rune, letters) {
			return false
		}
	}
	for _, sub := range re.Sub {
		if !caseFree(sub, letters) {
			return false
		}
	}
	return true
}

// classCaseFree reports whether a class of characters holds for a letter and for
// the other case of it alike, or only for letters of the case asked in.
func classCaseFree(ranges []rune, letters string) bool {
	has := func(r rune) bool {
		for i := 0; i+1 < len(ranges); i += 2 {
			if ranges[i] <= r && r <= ranges[i+1] {
				return true
			}
		}
		return false
	}
	negated := len(ranges) > 0 && ranges[len(ranges)-1] == unicode.MaxRune
	for r := 'a'; r <= 'z'; r++ {
		low, up := has(r), has(r-'a'+'A')
		if negated && low != up {
			return false
		}
		if letters == "lower" && up && !low || letters == "upper" && low && !up {
			return false
		}
	}
	return true
}

// encoded compiles a comparison with what base64 stands for.
func (a *asking) encoded(op, v string) (query.Node, error) {
	if op != "=" {
		return nil, cannot("b64(%s) %s cannot be asked; only = and in can", a.test.left.field, op)
	}
	std := base64.StdEncoding.EncodeToString([]byte(v))
	out := []query.Node{equals(a.path, std)}
	if bare := strings.TrimRight(std, "="); bare != std && bare != "" {
		out = append(out, equals(a.path, bare))
	}
	return some(out...), nil
}

// maxLength is the longest text that len() can be asked for: RE2's bound on
// repetitions.
const maxLength = 1000

// lengthIs compiles len(field) op number.
func (a *asking) lengthIs(op, v string) (query.Node, error) {
	if op != "=" && !contains(numberOps, op) {
		return nil, fmt.Errorf("len() is a number and cannot be asked by %s", op)
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 || n >= maxLength {
		return nil, cannot("len() can only be asked for whole numbers below %d and not %s", maxLength, quote(cut(v, 20)))
	}
	const open = maxLength + 1
	bounds := map[string][2]int{"=": {n, n}, "<": {0, n - 1}, "<=": {0, n}, ">": {n + 1, open}, ">=": {n, open}}
	b := bounds[op]
	switch {
	case b[1] == open:
		return a.expression(fmt.Sprintf(`(?s)^.{%d,}$`, b[0]))
	case b[1] < b[0]:
		return never, nil
	}
	return a.expression(fmt.Sprintf(`(?s)^.{%d,%d}$`, b[0], b[1]))
}
