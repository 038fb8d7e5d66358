package detect

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"unicode/utf8"

	"bartizan/query"
)

// maxAlternatives bounds the texts taken from one expression.
const maxAlternatives = 64

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

// requiredTexts returns folded texts one of which every match of re contains, nil
// when nothing is known.
func requiredTexts(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		if slices.Contains(re.Rune, utf8.RuneError) {
			return nil // it also matches a byte that is not UTF-8
		}
		return []string{query.Fold(string(re.Rune))}
	case syntax.OpCapture, syntax.OpPlus:
		return requiredTexts(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return requiredTexts(re.Sub[0])
		}
	case syntax.OpConcat:
		return bestTexts(re.Sub)
	case syntax.OpAlternate:
		return eitherTexts(re.Sub)
	}
	return nil
}

// bestTexts is for parts that follow each other: the part whose shortest text is
// longest.
func bestTexts(parts []*syntax.Regexp) []string {
	var best []string
	for _, p := range parts {
		if texts := requiredTexts(p); len(texts) > 0 && shortest(texts) > shortest(best) {
			best = texts
		}
	}
	return best
}

func eitherTexts(parts []*syntax.Regexp) []string {
	var all []string
	for _, p := range parts {
		texts := requiredTexts(p)
		if len(texts) == 0 || len(all)+len(texts) > maxAlternatives {
			return nil
		}
		all = append(all, texts...)
	}
	return all
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
