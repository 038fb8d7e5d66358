package sigma

import (
	"slices"
	"strings"

	"bartizan/detect"

	"go.yaml.in/yaml/v3"
)

// extended reads a condition over the names of rules, as pySigma has it for the
// temporal types: and, or, not and parentheses.
func extended(n *yaml.Node, c *detect.Correlation) error {
	if !c.Type.Temporal() {
		return fail(n, "a condition over rules only goes with temporal and temporal_ordered; %s needs a comparison such as gte: 10", c.Type)
	}
	if len(n.Value) > maxCondition {
		return fail(n, "the condition is longer than %d bytes; shorten it", maxCondition)
	}
	p := parser{at: n, words: conditionWords(n.Value)}
	x, err := p.exprOr(0)
	if err != nil {
		return err
	}
	if len(p.words) > 0 {
		return fail(n, "the condition goes on with %s where it should end or have and, or", quote(p.words[0]))
	}
	names := x.Names(nil)
	if len(c.Rules) == 0 {
		c.Rules = names
	}
	if len(names) > maxMembers {
		return fail(n, "the correlation names more than %d rules; split it", maxMembers)
	}
	for _, name := range names {
		if !slices.Contains(c.Rules, name) {
			return fail(n, "the condition names %s, which is not under rules", quote(name))
		}
	}
	if onlyAbsent(&x, false) {
		return fail(n, "the condition could hold without any of its rules; at least one must be there")
	}
	c.Expr = &x
	return nil
}

// onlyAbsent reports whether x can hold when no rule matched at all: then there is
// nothing to begin a window with.
func onlyAbsent(x *detect.Expr, not bool) bool {
	switch x.Op {
	case detect.ExprRule:
		return not
	case detect.ExprNot:
		return onlyAbsent(&x.Parts[0], !not)
	}
	every := (x.Op == detect.ExprAnd) != not
	for i := range x.Parts {
		if onlyAbsent(&x.Parts[i], not) != every {
			return !every
		}
	}
	return every
}

func (p *parser) exprOr(depth int) (detect.Expr, error) {
	return p.exprChain(depth, "or", detect.ExprOr, p.exprAnd)
}

func (p *parser) exprAnd(depth int) (detect.Expr, error) {
	return p.exprChain(depth, "and", detect.ExprAnd, p.exprNot)
}

func (p *parser) exprChain(depth int, word string, op detect.ExprOp, next func(int) (detect.Expr, error)) (detect.Expr, error) {
	x := detect.Expr{Op: op}
	for {
		part, err := next(depth)
		if err != nil {
			return x, err
		}
		x.Parts = append(x.Parts, part)
		if p.take(word) {
			continue
		}
		if len(x.Parts) == 1 {
			return part, nil
		}
		return x, nil
	}
}

func (p *parser) exprNot(depth int) (detect.Expr, error) {
	if depth > maxNesting {
		return detect.Expr{}, fail(p.at, "the condition is nested deeper than %d levels; write it flatter", maxNesting)
	}
	if p.take("not") {
		x, err := p.exprNot(depth + 1)
		return detect.Expr{Op: detect.ExprNot, Parts: []detect.Expr{x}}, err
	}
	if p.take("(") {
		x, err := p.exprOr(depth + 1)
		if err == nil && !p.take(")") {
			err = fail(p.at, "the condition has a ( without its )")
		}
		return x, err
	}
	if len(p.words) == 0 {
		return detect.Expr{}, fail(p.at, "the condition ends where the name of a rule should be")
	}
	word := p.words[0]
	p.words = p.words[1:]
	if word == ")" || strings.EqualFold(word, "and") || strings.EqualFold(word, "or") {
		return detect.Expr{}, fail(p.at, "the condition has %s where the name of a rule should be", quote(word))
	}
	if len(p.words) > 0 && strings.EqualFold(p.words[0], "of") {
		return detect.Expr{}, fail(p.at, "the condition says %s of; over rules there are only and, or, not and parentheses", quote(word))
	}
	return detect.Expr{Op: detect.ExprRule, Rule: word}, nil
}
