package engine

import (
	"slices"
	"strings"
	"sync"

	"bartizan/detect"
	"bartizan/query"
	"bartizan/sources/parse"
)

// Needs says which rules can match nothing without a log. It judges as rules
// coverage does, by what formats supply, with that log taken out; it remembers
// what it found and is safe for many goroutines.
type Needs struct {
	mu       sync.Mutex
	rules    []*detect.Rule
	supplies []parse.Supply
	all      *detect.Reacher
	found    map[needKey][]*detect.Rule
}

type needKey struct {
	want string
	seen saw
}

// NewNeeds judges rules that are linked by what formats supply.
func NewNeeds(rules []*detect.Rule, supplies []parse.Supply) *Needs {
	n := &Needs{rules: rules, supplies: supplies, found: map[needKey][]*detect.Rule{}}
	var all []detect.Supply
	for i := range n.supplies {
		all = append(all, *supplyOf(&n.supplies[i]))
	}
	n.all = detect.NewReacher(rules, all)
	return n
}

// of lists the rules that need w at a place that was seen so, in their order.
func (n *Needs) of(w *Wanted, seen saw) []*detect.Rule {
	n.mu.Lock()
	defer n.mu.Unlock()
	key := needKey{w.ID, seen & (sawRuntime | sawAuditd | sawPeerAddress)}
	if have, ok := n.found[key]; ok {
		return have
	}
	var left, only []detect.Supply
	for i := range n.supplies {
		l, o := w.split(&n.supplies[i], seen)
		if l != nil {
			left = append(left, *l)
		}
		if o != nil {
			only = append(only, *o)
		}
	}
	with := detect.NewReacher(n.rules, only)
	may := map[*detect.Rule]bool{}
	for _, r := range n.rules {
		may[r] = r.Filter == nil && (r.Correlation != nil || with.Reach(r).State > detect.ReachNone)
	}
	n.otherCalls(left, w)
	without := detect.NewReacher(n.rules, left)
	var out []*detect.Rule
	for _, r := range n.rules {
		if may[r] && !part(r) && without.Reach(r).State == detect.ReachNone && n.all.Reach(r).State > detect.ReachNone {
			out = append(out, r)
		}
	}
	n.found[key] = out
	return out
}

// part says whether a rule is only there for another one to count.
func part(r *detect.Rule) bool { return strings.Contains(r.ID, "/") && r.Silent }

// otherCalls gives a supply that knows its kinds by a call those that rules ask
// for, without the ones that are missing, and one that nobody asks for.
func (n *Needs) otherCalls(left []detect.Supply, w *Wanted) {
	for i := range left {
		s := &left[i]
		if s.Kind != callField {
			continue
		}
		calls := objectCalls
		if w.ID == "lambda-invokes" {
			calls = invokeCalls
		}
		s.Kinds = []string{"\x00"}
		for _, r := range n.rules {
			if r.Cond == nil {
				continue
			}
			query.Walk(r.Cond, func(x query.Node) {
				p, ok := x.(*query.Pred)
				if !ok || p.Field != callField {
					return
				}
				v := strings.Trim(p.Value, "*?")
				known := slices.ContainsFunc(calls, func(c string) bool { return strings.EqualFold(c, v) })
				if v != "" && !known && !slices.Contains(s.Kinds, v) {
					s.Kinds = append(s.Kinds, v)
				}
			})
		}
	}
}
