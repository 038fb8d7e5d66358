package detect

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"bartizan/query"
)

// step is one node of a compiled condition. The nodes of a rule lie in one slice
// in prefix order: a node's parts follow it, and next is the place behind the
// last of them, so evaluating reads memory forward.
type step struct {
	kind stepKind
	pred int32 // of stepPred; of stepOr its list's number, 0 when it is no long list
	next int32
}

// listFrom is how many predicates an Or must have, and nothing else, to be a list,
// which the index can rule out as a whole.
const listFrom = 4

type stepKind uint8

const (
	stepAnd stepKind = iota
	stepOr
	stepNot
	stepPred
)

// pool gives every distinct predicate one number over all rules, so that each is
// evaluated at most once per event.
type pool struct {
	ids   map[predKey]int32
	preds []*query.Pred
	used  []int32 // how many rules' conditions name the predicate
	lists int32   // how many lists there are, numbered from 1
}

// predKey is what makes two predicates the same question.
type predKey struct {
	field, value string
	op, how      query.Op
	cased, short bool
	num          uint64
	set          *query.Set
}

func newPool() *pool { return &pool{ids: map[predKey]int32{}} }

func (p *pool) add(q *query.Pred) int32 {
	k := keyOf(q)
	id, ok := p.ids[k]
	if !ok {
		id = int32(len(p.preds))
		p.ids[k] = id
		p.preds = append(p.preds, q.Prepare())
		p.used = append(p.used, 0)
	}
	p.used[id]++
	return id
}

func keyOf(q *query.Pred) predKey {
	k := predKey{field: q.Field, value: q.Value, op: q.Op, how: q.How, cased: q.Cased, short: q.Short, num: math.Float64bits(q.Num), set: q.Set}
	switch {
	case q.Re != nil:
		k.value = q.Re.String()
	case q.Net.IsValid():
		k.value = q.Net.String() + " " + strconv.Quote(q.Value)
	case !q.Cased && q.Op <= query.OpGlob:
		k.value = query.Fold(q.Value)
	}
	return k
}

// compile appends the condition to code and returns it; nil conditions make no code.
func (p *pool) compile(code []step, n query.Node) []step {
	at := len(code)
	code = append(code, step{})
	switch n := n.(type) {
	case query.And:
		code[at].kind = stepAnd
		code = p.compileAll(code, n)
	case query.Or:
		code[at].kind = stepOr
		code = p.compileAll(code, n)
		if isList(code[at+1:], n) {
			p.lists++
			code[at].pred = p.lists
		}
	case query.Not:
		code[at].kind = stepNot
		code = p.compile(code, n.X)
	case *query.Pred:
		code[at].kind = stepPred
		code[at].pred = p.add(n)
	}
	code[at].next = int32(len(code))
	return code
}

// isList reports whether the parts of an Or, compiled as code, are predicates and
// enough of them.
func isList(code []step, or query.Or) bool {
	return len(or) >= listFrom && len(code) == len(or) && !slices.ContainsFunc(code, func(s step) bool { return s.kind != stepPred })
}

// compileAll puts cheap parts first: the order of And and Or is free.
func (p *pool) compileAll(code []step, parts []query.Node) []step {
	type part struct {
		n    query.Node
		cost int
	}
	sorted := make([]part, len(parts))
	for i, n := range parts {
		sorted[i] = part{n, evalCost(n)}
	}
	slices.SortStableFunc(sorted, func(a, b part) int { return cmp.Compare(a.cost, b.cost) })
	for _, s := range sorted {
		code = p.compile(code, s.n)
	}
	return code
}

// evalCost estimates what evaluating a node takes, in arbitrary units.
func evalCost(n query.Node) int {
	switch n := n.(type) {
	case query.And:
		return sumCost(n)
	case query.Or:
		return sumCost(n)
	case query.Not:
		return evalCost(n.X)
	case *query.Pred:
		return predCost(n)
	}
	return 0
}

func sumCost(parts []query.Node) int {
	sum := 1
	for _, n := range parts {
		sum += evalCost(n)
	}
	return sum
}

func predCost(q *query.Pred) int {
	if q.Field == "" {
		return 200
	}
	switch q.Op {
	case query.OpRegex:
		return 500
	case query.OpGlob:
		return 50
	case query.OpContains:
		return 20
	case query.OpCIDR:
		return 10
	}
	return 2
}
