package detect

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"bartizan/event"
)

// play is a tiny language: "A@5 user=x n=3" is a match of rule A five seconds
// after noon with these fields; "A,B@5" is one event that both match. It returns
// "rule@second" of each hit, in order.
type play struct {
	t     *testing.T
	c     *Correlator
	rules map[string]*Rule
	n     int
	last  []Completed
}

func newPlay(t *testing.T, rules ...*Rule) *play {
	p := &play{t: t, rules: map[string]*Rule{}}
	for _, r := range rules {
		p.rules[r.ID] = r
	}
	for _, id := range []string{"A", "B", "C", "D"} {
		if p.rules[id] == nil {
			p.rules[id] = &Rule{ID: id, Silent: true}
			rules = append(rules, p.rules[id])
		}
	}
	p.c = NewCorrelator(func() time.Time { return noon }, rules)
	return p
}

func (p *play) event(step string) (ids []string, e *event.Event) {
	words := strings.Fields(step)
	who, when, ok := strings.Cut(words[0], "@")
	var sec float64
	if _, err := fmt.Sscan(when, &sec); !ok || err != nil {
		p.t.Fatalf("bad step %q", step)
	}
	p.n++
	at := noon.Add(time.Duration(sec * float64(time.Second)))
	e = &event.Event{Time: at, Seen: at, Raw: fmt.Appendf(nil, "%d %s", p.n, step)}
	for _, w := range words[1:] {
		k, v, _ := strings.Cut(w, "=")
		e.Fields = append(e.Fields, field(k, v))
	}
	e.Native = len(e.Fields)
	return strings.Split(who, ","), e
}

func (p *play) step(step string) []string {
	if step == "end" {
		p.last = slices.Clone(p.c.Flush())
		return p.said()
	}
	var out []string
	ids, e := p.event(step)
	for _, id := range ids {
		p.last = slices.Clone(p.c.Take(p.rules[id], e))
		out = append(out, p.said()...)
	}
	return out
}

func (p *play) said() (out []string) {
	for i := range p.last {
		d := &p.last[i]
		out = append(out, fmt.Sprintf("%s@%g", d.Rule.ID, d.Event.Time.Sub(noon).Seconds()))
		if len(d.Refs) == 0 || len(d.Refs) > MaxRefs || d.Refs[len(d.Refs)-1] == (event.Ref{}) {
			p.t.Errorf("%s: %d references", d.Rule.ID, len(d.Refs))
		}
	}
	return out
}

func (p *play) all(steps string) string {
	var out []string
	for s := range strings.SplitSeq(steps, ";") {
		out = append(out, p.step(strings.TrimSpace(s))...)
	}
	return strings.Join(out, " ")
}

// over is a correlation rule X over the rules named, grouped by user within ten
// seconds.
func over(typ CorrelationType, rules string, bounds ...Bound) *Rule {
	return &Rule{ID: "X", Correlation: &Correlation{
		Type: typ, Rules: strings.Fields(rules), GroupBy: []string{"user"},
		Span: 10 * time.Second, Bounds: bounds,
	}}
}

func gte(n float64) Bound { return Bound{BoundGte, n} }
func lte(n float64) Bound { return Bound{BoundLte, n} }

func numbers(typ CorrelationType, b ...Bound) *Rule {
	r := over(typ, "A", b...)
	r.Correlation.Fields = []string{"n"}
	return r
}

func named(id string) Expr        { return Expr{Rule: id} }
func both(p ...Expr) Expr         { return Expr{Op: ExprAnd, Parts: p} }
func either(p ...Expr) Expr       { return Expr{Op: ExprOr, Parts: p} }
func none(x Expr) Expr            { return Expr{Op: ExprNot, Parts: []Expr{x}} }
func where(r *Rule, x Expr) *Rule { r.Correlation.Expr = &x; return r }

func ungrouped(r *Rule) *Rule { r.Correlation.GroupBy = nil; return r }

func TestCorrelations(t *testing.T) {
	aliased := over(Temporal, "A B")
	aliased.Correlation.Aliases = map[string]map[string]string{"user": {"A": "src", "B": "dst"}}
	pair := over(ValueCount, "A", gte(3))
	pair.Correlation.Fields = []string{"n", "m"}
	ranked := numbers(ValuePercentile, gte(9))
	ranked.Correlation.Percentile = 90
	for _, c := range []struct {
		name  string
		rule  *Rule
		steps string
		want  string
	}{
		{"count", over(EventCount, "A", gte(3)), "A@0 user=x; A@1 user=x; A@2 user=x; A@3 user=x", "X@2"},
		{"count gt", over(EventCount, "A", Bound{BoundGt, 2}), "A@0 user=x; A@1 user=x; A@2 user=x", "X@2"},
		{"the edge belongs to it", over(EventCount, "A", gte(2)), "A@0 user=x; A@10 user=x", "X@10"},
		{"just past the edge", over(EventCount, "A", gte(2)), "A@0 user=x; A@10.001 user=x", ""},
		{"groups apart", over(EventCount, "A", gte(2)), "A@0 user=x; A@1 user=y; A@2 user=y; A@3 user=x", "X@2 X@3"},
		{"without the group's field", over(EventCount, "A", gte(2)), "A@0; A@1; A@2 user=-; A@3 user=-", ""},
		{"no group", ungrouped(over(EventCount, "A", gte(2))), "A@0 user=x; A@1", "X@1"},
		{"fires again after falling", over(EventCount, "A", gte(2)), "A@0 user=x; A@1 user=x; A@30 user=x; A@31 user=x", "X@1 X@31"},
		{"quiet while it lasts", over(EventCount, "A", gte(2)), "A@0 user=x; A@1 user=x; A@9 user=x; A@18 user=x; A@27 user=x", "X@1"},
		{"one is enough, again after quiet", over(EventCount, "A", gte(1)), "A@0 user=x; A@5 user=x; A@15 user=x; A@26 user=x", "X@0 X@26"},
		{"late completes", over(EventCount, "A", gte(3)), "A@0 user=x; A@30 user=x; A@8 user=x; A@4 user=x", "X@4"},
		{"late is of the same crossing", over(EventCount, "A", gte(3)), "A@0 user=x; A@1 user=x; A@2 user=x; A@40 user=x; A@1.5 user=x", "X@2"},
		{"too late", over(EventCount, "A", gte(2)), "A@0 user=x; A@2000 user=x; A@1 user=x", ""},
		{"two rules count together", over(EventCount, "A B", gte(2)), "A@0 user=x; B@1 user=x", "X@1"},
		{"one event counts once", over(EventCount, "A B", gte(2)), "A,B@0 user=x; A,B@1 user=x", "X@1"},

		{"fewer, at the close", over(EventCount, "A", lte(2)), "A@0 user=x; A@1 user=x; A@2000 user=y; end", "X@1 X@2000"},
		{"not fewer", over(EventCount, "A", lte(2)), "A@0 user=x; A@1 user=x; A@2 user=x; end", ""},
		{"range below", over(EventCount, "A", gte(2), lte(3)), "A@0 user=x; end", ""},
		{"range inside", over(EventCount, "A", gte(2), lte(3)), "A@0 user=x; A@1 user=x; A@2 user=x; end", "X@2"},
		{"range above", over(EventCount, "A", gte(2), lte(3)), "A@0 user=x; A@1 user=x; A@2 user=x; A@3 user=x; end", ""},
		{"eq", over(EventCount, "A", Bound{BoundEq, 2}), "A@0 user=x; A@1 user=x; A@50 user=x; end", "X@1"},
		{"neq", over(EventCount, "A", Bound{BoundNeq, 2}), "A@0 user=x; A@1 user=x; A@50 user=x; end", "X@50"},
		{"closed windows follow one another", over(EventCount, "A", lte(1)), "A@0 user=x; A@11 user=x; A@12 user=x; A@23 user=x; end", "X@0 X@23"},
		{"quiet over closed windows", over(EventCount, "A", lte(1)), "A@0 user=x; A@11 user=x; A@22 user=x; A@90 user=x; end", "X@0 X@90"},
		{"quiet between closed windows", over(EventCount, "A", lte(1)), "A@0 user=x; A@2000 user=x; A@4000 user=x; end", "X@0 X@2000 X@4000"},
		{"late into an open window", over(EventCount, "A", lte(1)), "A@5 user=x; A@3 user=x; end", ""},

		{"values", numbers(ValueCount, gte(3)), "A@0 user=x n=a; A@1 user=x n=a; A@2 user=x n=b; A@3 user=x n=c", "X@3"},
		{"values slide", numbers(ValueCount, gte(3)), "A@0 user=x n=a; A@8 user=x n=b; A@11 user=x n=c", ""},
		{"a list of values", numbers(ValueCount, gte(3)), "A@0 user=x n=a n=b; A@1 user=x n=c", "X@1"},
		{"values of several fields", pair, "A@0 user=x n=a m=1; A@1 user=x n=a m=2; A@2 user=x n=a m=2; A@3 user=x n=b m=2; A@4 user=x n=c", "X@3"},
		{"without the value", numbers(ValueCount, gte(1)), "A@0 user=x; A@1 user=x m=1", ""},

		{"sum", numbers(ValueSum, gte(10)), "A@0 user=x n=4; A@1 user=x n=5.5; A@2 user=x n=word; A@3 user=x n=1", "X@3"},
		{"sum falls", numbers(ValueSum, gte(10)), "A@0 user=x n=10; A@5 user=x n=-5; A@6 user=x n=9", "X@0 X@6"},
		{"sum below, at the close", numbers(ValueSum, Bound{BoundLt, 5}), "A@0 user=x n=4; A@1 user=x n=4; A@50 user=x n=4; end", "X@50"},
		{"avg", numbers(ValueAvg, gte(5)), "A@0 user=x n=1; A@1 user=x n=8; A@2 user=x n=6", "X@2"},
		{"median", numbers(ValueMedian, gte(5)), "A@0 user=x n=1; A@1 user=x n=8; A@2 user=x n=2; A@3 user=x n=100", "X@3"},
		{"percentile", ranked, "A@0 user=x n=1; A@1 user=x n=10; A@2 user=x n=10; A@3 user=x n=10", "X@1"},

		{"temporal", over(Temporal, "A B C"), "C@0 user=x; A@3 user=x; B@9 user=x", "X@9"},
		{"temporal, some", over(Temporal, "A B C", gte(2)), "C@0 user=x; C@1 user=x; B@9 user=x", "X@9"},
		{"temporal, too far apart", over(Temporal, "A B C"), "C@0 user=x; A@3 user=x; B@10.5 user=x; C@12 user=x", "X@12"},
		{"group-by holds for every rule", over(Temporal, "A B C"), "A@0 user=x; B@1 user=x; C@2 user=y; C@3", ""},
		{"temporal, one event for both", over(Temporal, "A B"), "A,B@0 user=x", "X@0"},
		{"aliases", aliased, "A@0 src=x dst=q; B@1 src=x dst=y; B@2 dst=x src=q", "X@2"},

		{"ordered", over(TemporalOrdered, "A B C"), "A@0 user=x; B@1 user=x; C@2 user=x", "X@2"},
		{"order of every pair", over(TemporalOrdered, "A B C"), "A@0 user=x; C@1 user=x; B@2 user=x", ""},
		{"order of the first pair", over(TemporalOrdered, "A B C"), "B@0 user=x; A@1 user=x; C@2 user=x", ""},
		{"order with others between", over(TemporalOrdered, "A B C"), "A@0 user=x; C@1 user=x; B@2 user=x; A@3 user=x; C@4 user=x", "X@4"},
		{"order whatever the arrival", over(TemporalOrdered, "A B C"), "C@9 user=x; A@1 user=x; B@5 user=x", "X@5"},
		{"order, the first left the window", over(TemporalOrdered, "A B C"), "A@0 user=x; B@5 user=x; C@11 user=x; A@12 user=x", ""},
		{"same second, either order", over(TemporalOrdered, "A B C"), "C@1 user=x; B@1 user=x; A@1 user=x", "X@1"},
		{"one event is no order", over(TemporalOrdered, "A B"), "A,B@1 user=x; B@1 user=x", "X@1"},
		{"a rule twice", over(TemporalOrdered, "A A B"), "A@0 user=x; B@1 user=x; A@2 user=x; B@3 user=x", "X@3"},

		{"expression", where(over(Temporal, "A B C"), both(named("A"), either(named("B"), named("C")))), "B@0 user=x; C@1 user=x; A@2 user=x", "X@2"},
		{"absent", where(over(Temporal, "A B"), both(named("A"), none(named("B")))), "A@0 user=x; A@1 user=x; end", "X@1"},
		{"not absent", where(over(Temporal, "A B"), both(named("A"), none(named("B")))), "A@0 user=x; B@9 user=x; end", ""},
		{"not absent before", where(over(Temporal, "A B"), both(named("A"), none(named("B")))), "B@0 user=x; A@9 user=x; end", ""},
		{"absent in this group", where(over(Temporal, "A B"), both(named("A"), none(named("B")))), "B@0 user=y; A@9 user=x; end", "X@9"},
		{"absent later", where(over(Temporal, "A B"), both(named("A"), none(named("B")))), "A@0 user=x; B@1 user=x; A@30 user=x; end", "X@30"},
		{"judged by later events", where(over(Temporal, "A B"), both(named("A"), none(named("B")))), "A@0 user=x; C@905 user=x; C@911 user=x", "X@0"},
		{"what is absent comes late", where(over(Temporal, "A B"), both(named("A"), none(named("B")))), "A@0 user=x; C@905 user=x; B@2 user=x; C@911 user=x", ""},
		{"not both", where(over(Temporal, "A B C"), both(named("A"), none(both(named("B"), named("C"))))), "A@0 user=x; B@1 user=x; end", "X@1"},
		{"ordered expression", where(over(TemporalOrdered, "A B C"), both(named("C"), either(named("A"), named("B")))), "B@0 user=x; C@1 user=x", "X@1"},
		{"ordered expression, wrong order", where(over(TemporalOrdered, "A B C"), both(named("C"), either(named("A"), named("B")))), "C@0 user=x; B@1 user=x", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPlay(t, c.rule)
			if got := p.all(c.steps); got != c.want {
				t.Errorf("hits %q, want %q", got, c.want)
			}
			if p.c.States() == 0 && c.want != "" {
				t.Error("no state is left to look at")
			}
		})
	}
}

// TestCorrelationChain: correlations over correlations, and who is silent.
func TestCorrelationChain(t *testing.T) {
	many := over(EventCount, "A", gte(2))
	many.ID, many.Silent = "many", true
	then := over(TemporalOrdered, "many B")
	then.ID = "then"
	twice := over(EventCount, "then", gte(1))
	twice.ID = "twice"
	p := newPlay(t, many, then, twice, &Rule{ID: "B"})
	if got := p.all("B@0 user=x; A@1 user=x; A@2 user=x; A@3 user=y; B@3 user=y; B@4 user=x"); got != "B@0 B@3 B@4 then@4 twice@4" {
		t.Errorf("hits %q", got)
	}
	then2 := p.last[1]
	if len(then2.Refs) != 4 || then2.Count != 3 { // two of many, and B before and after
		t.Errorf("a chain of four events proved by %d, counted %d", len(then2.Refs), then2.Count)
	}
	h := then2.Hit(nil)
	if len(h.Group) != 1 || h.Group[0].Value != "x" || len(h.Why) != 1 || !strings.Contains(h.Why[0].Predicate, "temporal_ordered of many, B within 10s by user") {
		t.Errorf("group %+v, reason %+v", h.Group, h.Why)
	}
}

// TestCorrelationLoop: rules that stand on themselves end, however they came in.
func TestCorrelationLoop(t *testing.T) {
	a, b := over(EventCount, "b A", gte(1)), over(EventCount, "a", gte(1))
	a.ID, b.ID = "a", "b"
	if got := newPlay(t, a, b).all("A@0 user=x; A@1 user=x"); got != "a@0 b@0" {
		t.Errorf("hits %q", got)
	}
}

// TestCorrelationDepth: no more than MaxChain correlations stand on each other,
// though nobody checked the rules.
func TestCorrelationDepth(t *testing.T) {
	var rules []*Rule
	for i := range MaxChain + 3 {
		r := over(EventCount, fmt.Sprint("c", i-1), gte(1))
		if r.ID = fmt.Sprint("c", i); i == 0 {
			r.Correlation.Rules = []string{"A"}
		}
		rules = append(rules, r)
	}
	p := newPlay(t, rules...)
	if p.step("A@0 user=x"); len(p.last) != MaxChain {
		t.Errorf("%d correlations hit", len(p.last))
	}
}

// TestCorrelatorCounts: rules with Count of their own and rules without windows.
func TestCorrelatorCounts(t *testing.T) {
	r := &Rule{ID: "T", Count: 3, Within: 10 * time.Second, GroupBy: []string{"user"}}
	p := newPlay(t, r, &Rule{ID: "one"})
	if got := p.all("T@0 user=x; T@1 user=x; one@1 user=x; T@2 user=x; T@3 user=x; T@4; T@5; T@6"); got != "one@1 T@2 T@6" {
		t.Errorf("hits %q", got)
	}
	made := &Rule{ID: "falco:made while running", Count: 2, Within: time.Second}
	p.rules[made.ID], p.rules["made"] = made, made
	if got := p.all("made@9; made@9.5"); got != "falco:made while running@9.5" {
		t.Errorf("hits %q", got)
	}
	self := over(ValueCount, "", gte(2))
	self.Correlation.Fields = []string{"n"}
	if got := newPlay(t, self).all("X@0 user=x n=1; X@1 user=x n=1; X@2 user=x n=2"); got != "X@2" {
		t.Errorf("a correlation over its own matches: %q", got)
	}
}

func TestCorrelatorCaps(t *testing.T) {
	p := newPlay(t, over(EventCount, "A", gte(3)))
	p.c.limits = limits{states: 10, bytes: 10 * 1000}
	for i := range 100 {
		p.step(fmt.Sprintf("A@%d user=u%d", i/10, i))
	}
	if p.c.States() != 10 || p.c.Evicted() != 90 {
		t.Errorf("%d states, %d evicted", p.c.States(), p.c.Evicted())
	}
	for range 200 {
		p.step("A@20 user=u99") // used: stays, while others go
	}
	if kept := p.c.Windows("X"); p.c.States() != 1 || len(kept) != 1 || kept[0].Count < 25 || kept[0].Count > keepLeast {
		t.Errorf("%d states, %v kept", p.c.States(), kept)
	}
	before := p.c.Evicted()
	for i := range 20 {
		p.step(fmt.Sprintf("A@%d user=v%d", 10_000+i*5_000, i)) // the others are over by then
	}
	if p.c.Evicted() != before || p.c.States() > 3 {
		t.Errorf("%d states, %d evicted though their time was over", p.c.States(), p.c.Evicted()-before)
	}
}

// TestCorrelatorFloods: a flood of one thing does not hide what the others make.
func TestCorrelatorFloods(t *testing.T) {
	for name, c := range map[string]struct {
		rule        *Rule
		first, last string
	}{
		"ordered":  {over(TemporalOrdered, "A B C"), "A@0 user=x; B@1 user=x", "C@9 user=x"},
		"temporal": {over(Temporal, "A B C"), "C@0 user=x; B@1 user=x", "A@9 user=x"},
		"values":   {numbers(ValueCount, gte(3)), "A@0 user=x n=1; A@1 user=x n=2", "A@9 user=x n=4"},
	} {
		p := newPlay(t, c.rule)
		got := p.all(c.first)
		for i := range 3 * keepRules {
			flood := "B@%g user=x n=2"
			if c.rule.Correlation.Type == ValueCount {
				flood = "A@%g user=x n=2"
			}
			got += p.all(fmt.Sprintf(flood, 2+float64(i)/1000))
		}
		if got += p.all(c.last); got != "X@9" {
			t.Errorf("%s: hits %q", name, got)
		}
		if refs := p.last[0].Refs; len(refs) != MaxRefs && c.rule.Correlation.Type != ValueCount {
			t.Errorf("%s: %d references", name, len(refs))
		}
	}
	few := newPlay(t, numbers(ValueCount, lte(2)))
	few.all("A@0 user=x n=1; A@1 user=x n=2")
	for i := range 2000 {
		few.step(fmt.Sprintf("A@%g user=x n=3", 2+float64(i)/1000))
	}
	if got := few.all("A@100 user=x n=3; end"); got != "X@100" {
		t.Errorf("three values, one of them many times, are at most two: %q", got)
	}
	next := newPlay(t, numbers(ValueCount, lte(2)))
	next.all("A@0 user=x n=1; A@1 user=x n=2; A@20 user=x n=1; A@21 user=x n=2")
	for i := range 2000 {
		next.step(fmt.Sprintf("A@%g user=x n=3", 2+float64(i)/1000))
	}
	if got := next.all("end"); got != "X@21" {
		t.Errorf("the next window's values are not those of this one: %q", got)
	}
	sum := newPlay(t, numbers(ValueMedian, gte(5)))
	for range keepRanks + 5 {
		sum.step("A@0 user=x n=1")
	}
	if sum.c.Skipped() != 5 {
		t.Errorf("%d numbers were forgotten silently", sum.c.Skipped())
	}
}

// TestCorrelatorCopies: copies of events for windows that wait are given back.
func TestCorrelatorCopies(t *testing.T) {
	p := newPlay(t, where(over(Temporal, "A B"), both(named("A"), none(named("B")))))
	for i := range 5000 {
		p.step(fmt.Sprintf("A@%d user=u%d", i, i%7))
	}
	for el := p.c.recent.Front(); el != nil; el = el.Next() {
		g := el.Value.(*group)
		sum := 0
		for _, m := range g.marks {
			sum += m.refs.weight
		}
		if g.size != g.bytes() {
			t.Errorf("%d bytes counted, %d there", g.size, g.bytes())
		}
		if sum != g.weight || len(g.marks) > 200 {
			t.Errorf("%d marks of %d bytes, counted %d", len(g.marks), sum, g.weight)
		}
		p.c.bytes -= g.size
	}
	if p.c.bytes != 0 {
		t.Errorf("%d bytes belong to nobody", p.c.bytes)
	}
	p = newPlay(t, over(EventCount, "A", lte(3)))
	for i := range 300 {
		p.all(fmt.Sprintf("A@%d user=%s", i, strings.Repeat("x", 200_000)+fmt.Sprint(i)))
	}
	if p.c.bytes > MaxStateBytes || p.c.Evicted() == 0 {
		t.Errorf("%d bytes, %d evicted", p.c.bytes, p.c.Evicted())
	}
}

func TestCorrelatorSwap(t *testing.T) {
	stay, change := over(EventCount, "A", gte(2)), over(EventCount, "A", gte(2))
	change.ID = "Y"
	wait := where(over(Temporal, "A B"), both(named("A"), none(named("B"))))
	wait.ID = "W"
	p := newPlay(t, stay, change, wait)
	p.step("A@0 user=x")
	copied, changed := *stay, *change
	changed.Hash[0]++
	p.c.Swap([]*Rule{&copied, &changed})
	if p.c.States() != 1 || p.c.Windows("X")[0].Count != 1 || len(p.c.closing) != 0 {
		t.Errorf("%d states stay, %d windows wait", p.c.States(), len(p.c.closing))
	}
	if got := p.step("A@1 user=x"); !slices.Equal(got, []string{"X@1"}) || p.last[0].Rule != &copied {
		t.Errorf("hits %v", got)
	}
}

func TestCorrelatorWindows(t *testing.T) {
	p := newPlay(t, over(EventCount, "A", gte(3)))
	p.all("A@0 user=x; A@20 user=x; A@22 user=x; A@23 user=x; A@5 user=y")
	got := p.c.Windows("X")
	slices.SortFunc(got, func(a, b Window) int { return cmp.Compare(b.Count, a.Count) })
	if len(got) != 2 || got[0].Count != 3 || !got[0].Firing || got[0].Group[0].Value != "x" || got[0].Last.Sub(got[0].First) != 3*time.Second || got[1].Firing {
		t.Errorf("windows %+v", got)
	}
	if p.c.Windows("other") != nil {
		t.Error("windows of a rule that has none")
	}
}

// TestCorrelatorAdvance: what waits is judged when the time has passed, not before.
func TestCorrelatorAdvance(t *testing.T) {
	p := newPlay(t, where(over(Temporal, "A B"), both(named("A"), none(named("B")))))
	p.step("A@0 user=x")
	if got := p.c.Advance(noon.Add(10 * time.Second)); len(got) != 0 {
		t.Errorf("judged at its edge: %v", got)
	}
	got := p.c.Advance(noon.Add(11 * time.Second))
	if len(got) != 1 || got[0].Rule.ID != "X" || string(got[0].Event.Raw) != "1 A@0 user=x" {
		t.Errorf("judged as %+v", got)
	}
	if got := p.c.Flush(); len(got) != 0 {
		t.Errorf("judged twice: %v", got)
	}
}

// TestCorrelatorWrongClocks: times that cannot be do not hold windows open or shut.
func TestCorrelatorWrongClocks(t *testing.T) {
	p := newPlay(t, over(EventCount, "A", gte(3)))
	for i, at := range []time.Time{noon.AddDate(70, 0, 0), {}, time.Date(1600, 1, 1, 0, 0, 0, 0, time.UTC)} {
		_, e := p.event("A@0 user=x")
		e.Time = at
		if got := p.c.Take(p.rules["A"], e); len(got) != 0 {
			t.Errorf("event %d hits", i)
		}
	}
	if got := p.step("A@1 user=x"); !slices.Equal(got, []string{"X@1"}) || p.c.Skipped() != 1 {
		t.Errorf("hits %v, want the third event of about noon; %d skipped", got, p.c.Skipped())
	}
}
