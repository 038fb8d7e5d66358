package detect

import (
	"slices"
	"strings"

	"bartizan/event"
	"bartizan/query"
)

// judge says what the marks of a window come to and whether that is what the rule
// asks. around are the marks a span before and after as well, for what must be
// absent. It is only called with at least one mark.
func (c *Correlator) judge(w *windowed, marks, around []mark) (value float64, ok bool) {
	switch w.cor.Type {
	case EventCount:
		value = float64(len(marks))
	case ValueCount:
		value = float64(c.distinct(marks))
	case Temporal, TemporalOrdered:
		return c.judgeRules(w, marks, around)
	case ValueSum, ValueAvg:
		for i := range marks {
			value += marks[i].num
		}
		if w.cor.Type == ValueAvg {
			value /= float64(len(marks))
		}
	case ValueMedian:
		value = percentile(c.sorted(marks), 50)
	case ValuePercentile:
		value = percentile(c.sorted(marks), w.cor.Percentile)
	}
	return value, w.within(value)
}

func (w *windowed) within(value float64) bool {
	for _, b := range w.cor.Bounds {
		if !b.holds(value) {
			return false
		}
	}
	return true
}

// judgeEnd is judge over the marks from place from to place end. For the window at
// the end of all marks distinct values and ranks are kept up, not collected anew.
func (c *Correlator) judgeEnd(g *group, from, end int) (value float64, ok bool) {
	w := g.of
	if end+1 < len(g.marks) {
		return c.judge(w, g.marks[from:end+1], nil)
	}
	switch w.cor.Type {
	case ValueCount:
		value = float64(g.trail.distinct(g.marks, from))
	case ValueMedian:
		value = percentile(g.trail.sorted(g.marks, from), 50)
	case ValuePercentile:
		value = percentile(g.trail.sorted(g.marks, from), w.cor.Percentile)
	default:
		return c.judge(w, g.marks[from:], nil)
	}
	return value, w.within(value)
}

func (c *Correlator) distinct(marks []mark) int {
	clear(c.values)
	for i := range marks {
		c.values[marks[i].key] = struct{}{}
	}
	return len(c.values)
}

// percentile is linear between the two nearest ranks, so the 50th is the median.
func percentile(sorted []float64, p float64) float64 {
	at := p / 100 * float64(len(sorted)-1)
	low := int(at)
	v := sorted[low]
	if low+1 < len(sorted) {
		v += (at - float64(low)) * (sorted[low+1] - v)
	}
	return v
}

func (c *Correlator) sorted(marks []mark) []float64 {
	c.ranks = c.ranks[:0]
	for i := range marks {
		c.ranks = append(c.ranks, marks[i].num)
	}
	slices.Sort(c.ranks)
	return c.ranks
}

// judgeRules answers the temporal types: the value is how many of the rules
// matched (in the order listed, where that is asked).
func (c *Correlator) judgeRules(w *windowed, marks, around []mark) (float64, bool) {
	c.there, c.near = bitsOf(c.there, w, marks), bitsOf(c.near, w, around)
	if x := w.cor.Expr; x != nil {
		return float64(countTrue(c.there)), c.holds(w, x, false) && (w.cor.Type == Temporal || c.ordered(w, marks) == c.wanted(w))
	}
	if w.cor.Type == TemporalOrdered {
		n := c.ordered(w, marks)
		return float64(n), n == len(w.chain)
	}
	n := countTrue(c.there)
	if len(w.cor.Bounds) == 0 {
		return float64(n), n == len(w.members)
	}
	return float64(n), w.within(float64(n))
}

func bitsOf(dst []bool, w *windowed, marks []mark) []bool {
	dst = slices.Grow(dst[:0], len(w.members))[:len(w.members)]
	clear(dst)
	for i := range marks {
		dst[marks[i].member] = true
	}
	return dst
}

func countTrue(list []bool) (n int) {
	for _, b := range list {
		if b {
			n++
		}
	}
	return n
}

// holds evaluates an extended condition; not is whether x stands under an odd
// number of nots, where a rule must be absent all around.
func (c *Correlator) holds(w *windowed, x *Expr, not bool) bool {
	switch x.Op {
	case ExprRule:
		m := w.member(x.Rule)
		if m < 0 {
			return not
		}
		if not {
			return !c.near[m]
		}
		return c.there[m]
	case ExprNot:
		return c.holds(w, &x.Parts[0], !not)
	}
	every := (x.Op == ExprAnd) != not // De Morgan
	for i := range x.Parts {
		if c.holds(w, &x.Parts[i], not) != every {
			return !every
		}
	}
	return every
}

// wanted is how many steps of the chain are about rules that matched and that the
// extended condition does not want absent: those must be in order.
func (c *Correlator) wanted(w *windowed) (n int) {
	for _, m := range w.chain {
		if c.there[m] {
			n++
		}
	}
	return n
}

// ordered is how many steps of the chain the marks go through in order, each step
// by an event of its own. Which of two events of the same time came first nobody
// knows, so either order is good. With an extended condition steps whose rule did
// not match at all are left out.
func (c *Correlator) ordered(w *windowed, marks []mark) (steps int) {
	at := 0 // in the chain
	skip := func() {
		for w.cor.Expr != nil && at < len(w.chain) && !c.there[w.chain[at]] {
			at++
		}
	}
	skip()
	for i := 0; i < len(marks) && at < len(w.chain); {
		end := i + 1
		for end < len(marks) && marks[end].at == marks[i].at {
			end++
		}
		c.used = c.used[:0]
		for k := i; k < end && at < len(w.chain); k++ {
			if marks[k].member != w.chain[at] || slices.Contains(c.used, marks[k].nth) {
				continue
			}
			c.used = append(c.used, marks[k].nth)
			at++
			steps++
			skip()
			k = i - 1 // the next step may stand anywhere in this moment
		}
		i = end
	}
	return steps
}

// refs collects the references of a window, the newest MaxRefs, and of temporal
// types at least one of each rule; those of the completing mark come last.
func (w *windowed) refs(marks []mark, last int, proof []event.Ref) []event.Ref {
	pick := make([]bool, len(marks))
	pick[last] = true
	n := 1
	if w.cor.Type.Temporal() {
		seen := make([]bool, len(w.members))
		for i := len(marks) - 1; i >= 0 && n < MaxRefs; i-- {
			if m := marks[i].member; !seen[m] && !pick[i] {
				seen[m], pick[i] = true, true
				n++
			}
		}
	}
	for i := len(marks) - 1; i >= 0 && n < MaxRefs; i-- {
		if !pick[i] {
			pick[i] = true
			n++
		}
	}
	out := collect(marks, pick, last, proof, MaxRefs)
	if len(out) > MaxRefs {
		out = collect(marks, pick, last, proof, 1)
	}
	return out
}

// collect gives the references of the marks picked and of the completing one, of
// each its last few, no event twice.
func collect(marks []mark, pick []bool, last int, proof []event.Ref, each int) []event.Ref {
	var out []event.Ref
	final := proof[len(proof)-1]
	add := func(refs []event.Ref) {
		for _, r := range refs[max(0, len(refs)-each):] {
			if r != final && !slices.Contains(out, r) {
				out = append(out, r)
			}
		}
	}
	for i := range marks {
		if pick[i] && marks[i].nth != marks[last].nth && marks[i].refs != nil {
			add(marks[i].refs.refs)
		}
	}
	add(proof)
	return append(out, final)
}

// reason is why the window hit, in words.
func (w *windowed) reason(value float64) []query.Match {
	if w.plain {
		return nil
	}
	return []query.Match{{Field: strings.Join(w.cor.Fields, ", "), Predicate: w.why, Value: number(value), Pos: -1, End: -1}}
}
