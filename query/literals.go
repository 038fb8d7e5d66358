package query

import (
	"math"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// MaxLiterals is how many alternatives a literal pre-check may have.
const MaxLiterals = 64

// Literals returns texts of which at least one occurs in Raw, folded (see
// ContainsFold), in every event that m matches; sound is false when there is no
// such list, and then every event must be asked. An empty sound list means that
// m matches nothing. Only what is asked of the raw record as a whole counts, so
// the answer holds for every format.
func (m *Matcher) Literals() (lits []string, sound bool) {
	return required(m.source, rawLiterals)
}

// FieldLiterals is Literals that counts predicates on fields too. It is sound
// only for formats whose field values stand in Raw byte for byte: not where Raw
// has JSON escapes or hexadecimal values, nor for fields that enrichment added.
func (m *Matcher) FieldLiterals() (lits []string, sound bool) {
	return required(m.source, fieldLiterals)
}

// required returns literals of which one must occur where n holds.
func required(n Node, of func(*Pred) ([]string, bool)) ([]string, bool) {
	switch n := n.(type) {
	case *Pred:
		return of(n)
	case And:
		var best []string
		ok := false
		for _, x := range n {
			if lits, sound := required(x, of); sound && (!ok || better(lits, best)) {
				best, ok = lits, true
			}
		}
		return best, ok
	case Or:
		all := []string{}
		for _, x := range n {
			lits, sound := required(x, of)
			if all = append(all, lits...); !sound || len(all) > MaxLiterals {
				return nil, false
			}
		}
		return all, true
	}
	return nil, false
}

// better prefers the list whose shortest text is longest, then the shorter list.
func better(a, b []string) bool {
	x, y := shortest(a), shortest(b)
	return x > y || x == y && len(a) < len(b)
}

func shortest(lits []string) int {
	n := math.MaxInt
	for _, l := range lits {
		n = min(n, len(l))
	}
	return n
}

func rawLiterals(p *Pred) ([]string, bool) {
	if p.Field != "" {
		return nil, false
	}
	return textLiterals(p)
}

func fieldLiterals(p *Pred) ([]string, bool) {
	if p.Field == "" {
		return textLiterals(p)
	}
	if p.Op == OpEqual && !p.TextOnly() && !p.Short || IsPseudo(p.Field) && !within(p.Field) {
		return nil, false
	}
	if p.Op == OpEqual && p.Short {
		named := *p
		if named.Short = false; !named.TextOnly() {
			return nil, false
		}
	}
	return textLiterals(p)
}

// textLiterals returns what must stand in a text that answers p.
func textLiterals(p *Pred) ([]string, bool) {
	switch p.Op {
	case OpEqual, OpContains, OpPrefix, OpSuffix:
		return one(p.Value)
	case OpGlob:
		return one(globLiteral(p.Value))
	case OpRegex:
		return regexLiterals(p.Re)
	}
	return nil, false
}

func one(text string) ([]string, bool) {
	if text == "" {
		return nil, false
	}
	return []string{text}, true
}

// regexLiterals returns what must stand in a text that the expression matches.
func regexLiterals(re *regexp.Regexp) ([]string, bool) {
	if re == nil {
		return nil, false
	}
	tree, err := syntax.Parse(re.String(), syntax.Perl)
	if err != nil {
		return nil, false
	}
	return treeLiterals(tree)
}

func treeLiterals(re *syntax.Regexp) ([]string, bool) {
	switch re.Op {
	case syntax.OpLiteral:
		// An expression reads each invalid byte as U+FFFD, which is then not in the text.
		text, _, _ := strings.Cut(string(re.Rune), string(utf8.RuneError))
		return one(text)
	case syntax.OpCapture, syntax.OpPlus:
		return treeLiterals(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return treeLiterals(re.Sub[0])
		}
	case syntax.OpConcat:
		var best []string
		ok := false
		for _, sub := range re.Sub {
			if lits, sound := treeLiterals(sub); sound && (!ok || better(lits, best)) {
				best, ok = lits, true
			}
		}
		return best, ok
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			lits, sound := treeLiterals(sub)
			if all = append(all, lits...); !sound || len(all) > MaxLiterals {
				return nil, false
			}
		}
		return all, true
	}
	return nil, false
}
