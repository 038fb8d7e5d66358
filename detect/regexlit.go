package detect

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"

	"bartizan/query"
)

// The bounds of what is taken from one expression.
const (
	maxAlternatives = 64 // texts one of which must stand in a match
	maxSpelledOut   = 64 // bytes of one text; longer ones are not joined further
	maxClass        = 4  // characters of a class that is spelled out
	enoughText      = 12 // bytes: longer texts are no better
)

// regexAnchors returns texts one of which stands, folded, in every text that the
// expression matches; nil when there are none of at least three bytes.
func regexAnchors(re *regexp.Regexp) []anchor {
	if re == nil {
		return nil
	}
	tree, err := syntax.Parse(re.String(), syntax.Perl)
	if err != nil {
		return nil
	}
	texts := requiredTexts(tree)
	if len(texts) == 0 || shortest(texts) < 3 {
		return nil
	}
	anchors := make([]anchor, len(texts))
	for i, t := range texts {
		anchors[i] = anchor{kind: anchorInside, text: t}
	}
	return anchors
}

// spelling is what is known about the matches of an expression, folded.
type spelling struct {
	all  []string // every match is one of these; nil: too many to say
	some []string // one of these stands in every match; nil: unknown
}

// requiredTexts returns folded texts one of which every match of re contains, nil
// when nothing is known. Parts that can be spelled out are joined with what stands
// beside them: /(cp|mv) x gives "/cp x" and "/mv x".
func requiredTexts(re *syntax.Regexp) []string {
	return shortestOnly(spell(re).required())
}

func (s spelling) required() []string {
	if s.all != nil {
		return s.all
	}
	return s.some
}

func spell(re *syntax.Regexp) spelling {
	switch re.Op {
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText,
		syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return spelling{all: []string{""}}
	case syntax.OpLiteral:
		if slices.Contains(re.Rune, utf8.RuneError) {
			return spelling{} // it also matches a byte that is not UTF-8
		}
		return spelling{all: []string{query.Fold(string(re.Rune))}}
	case syntax.OpCharClass:
		return spelling{all: spellClass(re.Rune)}
	case syntax.OpCapture:
		return spell(re.Sub[0])
	case syntax.OpQuest:
		if sub := spell(re.Sub[0]); sub.all != nil {
			return spelling{all: append([]string{""}, sub.all...)}
		}
	case syntax.OpPlus:
		return spelling{some: spell(re.Sub[0]).required()}
	case syntax.OpRepeat:
		if re.Min > 0 {
			return spelling{some: spell(re.Sub[0]).required()}
		}
	case syntax.OpConcat:
		return spellSequence(re.Sub)
	case syntax.OpAlternate:
		return spellEither(re.Sub)
	}
	return spelling{}
}

// spellClass lists the characters of a small class, given as ranges.
func spellClass(ranges []rune) (all []string) {
	for i := 0; i+1 < len(ranges); i += 2 {
		for r := ranges[i]; r <= ranges[i+1]; r++ {
			text := query.Fold(string(r))
			if slices.Contains(all, text) {
				continue
			}
			if len(all) == maxClass || r == utf8.RuneError {
				return nil
			}
			all = append(all, text)
		}
	}
	return all
}

// spellSequence joins neighbours as far as they can be spelled out; of the runs
// between parts that can not, it keeps the best.
func spellSequence(parts []*syntax.Regexp) spelling {
	run, whole := []string{""}, true
	var best []string
	for _, p := range parts {
		s := spell(p)
		if joined := join(run, s.all); joined != nil {
			run = joined
			continue
		}
		whole = false
		best = better(best, run)
		if run = s.all; run == nil {
			best, run = better(best, s.some), []string{""}
		}
	}
	if whole {
		return spelling{all: run}
	}
	return spelling{some: better(best, run)}
}

// join returns every text of a with every text of b behind it, nil when there is
// nothing to join or it would be too much.
func join(a, b []string) []string {
	if len(a)*len(b) == 0 || len(a)*len(b) > maxAlternatives {
		return nil
	}
	var out []string
	for _, x := range a {
		for _, y := range b {
			if len(x)+len(y) > maxSpelledOut && x != "" {
				return nil
			}
			out = append(out, x+y)
		}
	}
	return out
}

func spellEither(parts []*syntax.Regexp) spelling {
	var texts []string
	whole := true
	for _, p := range parts {
		s := spell(p)
		whole = whole && s.all != nil
		one := s.required()
		if len(one) == 0 || len(texts)+len(one) > maxAlternatives {
			return spelling{}
		}
		texts = append(texts, one...)
	}
	if whole {
		return spelling{all: texts}
	}
	return spelling{some: texts}
}

// better prefers the list whose shortest text is longer, and of two that are long
// enough the one with fewer texts.
func better(a, b []string) []string {
	x, y := min(shortest(a), enoughText), min(shortest(b), enoughText)
	if x > y || x == y && len(shortestOnly(a)) <= len(shortestOnly(b)) {
		return a
	}
	return b
}

// shortestOnly leaves out the texts that hold another one of the list.
func shortestOnly(texts []string) []string {
	var out []string
	for i, t := range texts {
		needless := func(j int, u string) bool {
			return i != j && strings.Contains(t, u) && (t != u || j < i)
		}
		drop := false
		for j, u := range texts {
			drop = drop || needless(j, u)
		}
		if !drop {
			out = append(out, t)
		}
	}
	return out
}

// shortest is the length of the shortest text, 0 for none.
func shortest(texts []string) int {
	if len(texts) == 0 {
		return 0
	}
	n := len(texts[0])
	for _, t := range texts {
		n = min(n, len(t))
	}
	return n
}
