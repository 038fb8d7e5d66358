package detect

import (
	"fmt"
	"net/netip"
	"testing"

	"bartizan/event"
	"bartizan/query"
)

// BenchmarkIndexKinds is 500 rules of one kind over one field, none of which holds,
// so that what remains is the cost of finding that out; "naive" tries every rule.
func BenchmarkIndexKinds(b *testing.B) {
	e := &event.Event{Native: 2, Fields: []event.Field{field("a", "203.0.113.9"), field("b", "/usr/bin/systemctl restart nginx")}}
	num := event.Field{Name: "n", Sym: event.Intern("n"), Value: event.Value{Kind: event.KindNumber, Str: "443", Num: 443}}
	e.Fields = append(e.Fields, num)
	e.Native = 3
	for name, pred := range map[string]func(i int) *query.Pred{
		"exact": func(i int) *query.Pred {
			return &query.Pred{Field: "b", Op: query.OpEqual, Value: fmt.Sprint("/usr/bin/", i)}
		},
		"contains": func(i int) *query.Pred {
			return &query.Pred{Field: "b", Op: query.OpContains, Value: fmt.Sprint("evil", i)}
		},
		"prefix": func(i int) *query.Pred {
			return &query.Pred{Field: "b", Op: query.OpPrefix, Value: fmt.Sprint("/opt/", i)}
		},
		"suffix": func(i int) *query.Pred {
			return &query.Pred{Field: "b", Op: query.OpSuffix, Value: fmt.Sprint(i, ".exe")}
		},
		"cidr": func(i int) *query.Pred {
			return &query.Pred{Field: "a", Op: query.OpCIDR, Net: netip.MustParsePrefix(fmt.Sprintf("10.%d.%d.0/24", i/256, i%256))}
		},
		"in": func(i int) *query.Pred {
			set, err := query.NewSet("s", []string{fmt.Sprint("x", i), fmt.Sprint("y", i), fmt.Sprint("z", i)})
			if err != nil {
				b.Fatal(err)
			}
			return &query.Pred{Field: "b", Op: query.OpIn, Set: set}
		},
		"greater": func(i int) *query.Pred {
			return &query.Pred{Field: "n", Op: query.OpGreater, Num: float64(1000 + i), Value: fmt.Sprint(1000 + i)}
		},
		"equal number": func(i int) *query.Pred {
			return &query.Pred{Field: "n", Op: query.OpEqual, Value: fmt.Sprint(1000 + i)}
		},
		"regex": func(i int) *query.Pred {
			re, err := query.CompileRegex(fmt.Sprintf("evil%d.*(x|y)", i))
			if err != nil {
				b.Fatal(err)
			}
			return &query.Pred{Field: "b", Op: query.OpRegex, Re: re}
		},
	} {
		rules := make([]*Rule, 500)
		for i := range rules {
			rules[i] = &Rule{ID: fmt.Sprint(i), Cond: pred(i)}
		}
		b.Run(name, func(b *testing.B) {
			m := NewSet(rules).NewMatcher()
			m.Match(e, nil)
			b.ReportMetric(float64(m.Candidates()), "candidates/event")
			start := cpuTime(b)
			for b.Loop() {
				m.Match(e, nil)
			}
			b.ReportMetric(float64(cpuTime(b)-start)/float64(b.N), "cpu-ns/op")
		})
		b.Run(name+"/naive", func(b *testing.B) {
			start := cpuTime(b)
			for b.Loop() {
				naive(rules, e)
			}
			b.ReportMetric(float64(cpuTime(b)-start)/float64(b.N), "cpu-ns/op")
		})
	}
}
