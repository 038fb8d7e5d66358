package detect

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// modelEvent is one match: when, which rule, which value.
type modelEvent struct {
	at, n int
	rule  string
}

// model says from all events of a group, in order, what hits: the definition,
// without any state but the events.
type model struct {
	typ    CorrelationType
	bounds []Bound
	rules  []string
	span   int
}

// asks recomputes what the window of these events comes to.
func (m model) asks(w []modelEvent) bool {
	v := float64(len(w))
	seen, rules, sum := map[int]bool{}, map[string]bool{}, 0.0
	var all []int
	for _, e := range w {
		seen[e.n], rules[e.rule] = true, true
		sum += float64(e.n)
		all = append(all, e.n)
	}
	slices.Sort(all)
	switch m.typ {
	case ValueCount:
		v = float64(len(seen))
	case ValueSum:
		v = sum
	case ValueAvg:
		v = sum / v
	case ValueMedian:
		v = (float64(all[(len(all)-1)/2]) + float64(all[len(all)/2])) / 2
	case Temporal:
		return len(rules) == len(m.rules)
	case TemporalOrdered:
		return m.inOrder(w, 0, -1, nil)
	}
	for _, b := range m.bounds {
		if !b.holds(v) {
			return false
		}
	}
	return true
}

// inOrder tries every choice of different events, one per rule, never back in time.
func (m model) inOrder(w []modelEvent, rule, at int, used []int) bool {
	if rule == len(m.rules) {
		return true
	}
	for i, e := range w {
		if e.rule == m.rules[rule] && e.at >= at && !slices.Contains(used, i) && m.inOrder(w, rule+1, e.at, append(used, i)) {
			return true
		}
	}
	return false
}

func (m model) window(all []modelEvent, end int) (w []modelEvent) {
	for _, e := range all {
		if e.at >= end-m.span && e.at <= end {
			w = append(w, e)
		}
	}
	return w
}

var modelTypes = []CorrelationType{EventCount, ValueCount, ValueSum, ValueAvg, ValueMedian, Temporal, TemporalOrdered}

func drawModel(t *rapid.T) (model, *Rule) {
	m := model{typ: rapid.SampledFrom(modelTypes).Draw(t, "type"), rules: []string{"A"}, span: rapid.IntRange(1, 12).Draw(t, "span")}
	if m.typ.Temporal() {
		m.rules = rapid.SliceOfN(rapid.SampledFrom([]string{"A", "B", "C"}), 2, 4).Draw(t, "rules")
		if m.typ == Temporal {
			slices.Sort(m.rules)
			m.rules = slices.Compact(m.rules)
		}
	} else {
		m.bounds = []Bound{{rapid.SampledFrom([]BoundOp{BoundGt, BoundGte}).Draw(t, "op"), float64(rapid.IntRange(2, 6).Draw(t, "bound"))}}
	}
	r := numbers(m.typ, m.bounds...)
	r.Correlation.Rules, r.Correlation.Span = m.rules, secondsOf(m.span)
	return m, r
}

// TestCorrelatorModel: events in order hit exactly when the window that ends with
// them asks for it and the window before did not, or was over.
func TestCorrelatorModel(t *testing.T) {
	outer := t
	rapid.Check(t, func(t *rapid.T) {
		m, r := drawModel(t)
		p := newPlay(outer, r)
		seen, firing := map[string][]modelEvent{}, map[string]bool{}
		now := 0
		for range rapid.IntRange(1, 50).Draw(t, "events") {
			now += rapid.IntRange(0, 4).Draw(t, "gap")
			user := rapid.SampledFrom([]string{"x", "y"}).Draw(t, "user")
			e := modelEvent{now, rapid.IntRange(0, 5).Draw(t, "n"), rapid.SampledFrom(append([]string{"A"}, m.rules...)).Draw(t, "rule")}
			if !slices.Contains(m.rules, e.rule) {
				continue
			}
			all := seen[user]
			if len(all) > 0 && now-all[len(all)-1].at > m.span {
				firing[user] = false
			}
			seen[user] = append(all, e)
			ok := m.asks(m.window(seen[user], now))
			want := ok && !firing[user]
			firing[user] = ok
			got := p.step(fmt.Sprintf("%s@%d user=%s n=%d", e.rule, e.at, user, e.n))
			if (len(got) == 1) != want {
				t.Fatalf("%v of %v hits %v at %d, want %v; seen %v", m.typ, r.Correlation, got, now, want, seen[user])
			}
		}
	})
}

// TestCorrelatorAnyOrder: in whatever order events arrive, a group whose events
// never fill a window does not hit, and one that fills it does.
func TestCorrelatorAnyOrder(t *testing.T) {
	outer := t
	rapid.Check(t, func(t *rapid.T) {
		m, r := drawModel(t)
		if m.typ == ValueAvg || m.typ == ValueMedian {
			return // whether they were ever asked for depends on who came first
		}
		p := newPlay(outer, r)
		var all []modelEvent
		hits := 0
		for range rapid.IntRange(1, 12).Draw(t, "events") {
			e := modelEvent{rapid.IntRange(0, 40).Draw(t, "at"), rapid.IntRange(0, 5).Draw(t, "n"), rapid.SampledFrom(m.rules).Draw(t, "rule")}
			all = append(all, e)
			hits += len(p.step(fmt.Sprintf("%s@%d user=x n=%d", e.rule, e.at, e.n)))
		}
		slices.SortStableFunc(all, func(a, b modelEvent) int { return a.at - b.at })
		want := slices.ContainsFunc(all, func(e modelEvent) bool { return m.asks(m.window(all, e.at)) })
		if (hits > 0) != want {
			t.Fatalf("%v hits %d times, but a window asks for it: %v (%v)", r.Correlation, hits, want, all)
		}
	})
}

// TestCorrelatorAbsence compares "A and not B" with its definition: some A without
// any B a span before and after it.
func TestCorrelatorAbsence(t *testing.T) {
	outer := t
	rapid.Check(t, func(t *rapid.T) {
		span := rapid.IntRange(1, 8).Draw(t, "span")
		r := where(over(Temporal, "A B"), both(named("A"), none(named("B"))))
		r.Correlation.Span = secondsOf(span)
		p := newPlay(outer, r)
		at := map[string][]int{}
		hits := 0
		for range rapid.IntRange(1, 12).Draw(t, "events") {
			rule, when := rapid.SampledFrom([]string{"A", "A", "B"}).Draw(t, "rule"), rapid.IntRange(0, 60).Draw(t, "at")
			at[rule] = append(at[rule], when)
			hits += len(p.step(fmt.Sprintf("%s@%d user=x", rule, when)))
		}
		hits += len(p.step("end"))
		alone := slices.ContainsFunc(at["A"], func(a int) bool {
			return !slices.ContainsFunc(at["B"], func(b int) bool { return math.Abs(float64(a-b)) <= float64(span) })
		})
		if (hits > 0) != alone {
			t.Fatalf("%d hits, but an A stands alone: %v (A %v, B %v, span %d)", hits, alone, at["A"], at["B"], span)
		}
	})
}

// TestTrail: what is kept up while a window slides is what collecting anew finds.
func TestTrail(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := numbers(rapid.SampledFrom([]CorrelationType{ValueCount, ValueMedian}).Draw(t, "type"), gte(3))
		g := &group{of: newWindowed(r)}
		c := NewCorrelator(time.Now, nil)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 9).Draw(t, "step") {
			case 0:
				g.dropFront(rapid.IntRange(0, len(g.marks)).Draw(t, "dropped"))
			case 1:
				g.compact(ValueCount)
			default:
				n := rapid.IntRange(0, 4).Draw(t, "n")
				g.insert(mark{at: int64(rapid.IntRange(0, 50).Draw(t, "at")), key: uint64(n), num: float64(n)})
			}
			if len(g.marks) == 0 {
				continue
			}
			from := g.from(g.newest() - int64(rapid.IntRange(0, 20).Draw(t, "span")))
			if r.Correlation.Type == ValueCount {
				if got, want := g.trail.distinct(g.marks, from), c.distinct(g.marks[from:]); got != want {
					t.Fatalf("%d values, kept up %d", got, want)
				}
			} else if got, want := g.trail.sorted(g.marks, from), c.sorted(g.marks[from:]); !slices.Equal(got, want) {
				t.Fatalf("kept up %v, want %v", got, want)
			}
		}
	})
}

func secondsOf(n int) time.Duration { return time.Duration(n) * time.Second }
