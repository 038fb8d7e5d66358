package query

import "bartizan/event"

// Enriched lists the fields of n that no record brings (see event.Enricher), in the
// order they are asked, each once.
func Enriched(n Node) []string {
	var out []string
	seen := map[string]bool{}
	Walk(n, func(n Node) {
		p, ok := n.(*Pred)
		if !ok {
			return
		}
		for _, name := range []string{p.Field, other(p)} {
			if event.EnrichedAt(name) >= 0 && !seen[name] {
				seen[name] = true
				out = append(out, name)
			}
		}
	})
	return out
}

// other is the second field that p asks.
func other(p *Pred) string {
	if p.Op == OpFieldEqual {
		return p.Value
	}
	return ""
}

// Unenriched returns a condition that asks no enriched field and holds for every event
// that n can hold for, whatever is known of it: for a place where nothing is known. It
// is n itself where n asks for none.
func Unenriched(n Node) Node {
	if len(Enriched(n)) == 0 {
		return n
	}
	return assume(n, true)
}

// assume takes every predicate that asks an enriched field as being held: under an
// odd number of negations, as not.
func assume(n Node, held bool) Node {
	switch n := n.(type) {
	case And:
		out := make(And, len(n))
		for i, x := range n {
			out[i] = assume(x, held)
		}
		return out
	case Or:
		out := make(Or, len(n))
		for i, x := range n {
			out[i] = assume(x, held)
		}
		return out
	case Not:
		return Not{assume(n.X, !held)}
	case *Pred:
		if event.EnrichedAt(n.Field) < 0 && event.EnrichedAt(other(n)) < 0 {
			return n
		}
		if held {
			return And{}
		}
		return Or{}
	}
	return n
}
