package query

import (
	"testing"

	"pgregory.net/rapid"

	"bartizan/event"
)

// knows answers enriched fields from a table.
type knows map[string]event.Value

func (k knows) Enrich(_ *event.Event, at, _ int) (event.Value, int, bool) {
	v, ok := k[event.EnrichedNames()[at].Name]
	return v, 0, ok
}

func (k knows) About(*event.Event) []event.Fact { return nil }

func value(s string, kind event.Kind, num float64) event.Value {
	return event.Value{Str: s, Kind: kind, Num: num, Pos: -1, End: -1}
}

func TestEnrichedFields(t *testing.T) {
	e := &event.Event{
		Raw:    []byte(`10.0.0.1 bob`),
		Fields: []event.Field{{Name: "user.name", Value: event.Value{Str: "bob", Pos: 9, End: 12}}, {Name: "source.geo.city_name", Value: event.Value{Str: "Ghent", Pos: -1, End: -1}}},
		Native: 2,
		More: knows{
			"source.own": value("false", event.KindBool, 0), "source.as.number": value("64500", event.KindNumber, 64500),
			"source.class": value("private", event.KindString, 0), "host.asset.owner": value("bob", event.KindString, 0),
			"source.geo.city_name": value("Delft", event.KindString, 0),
		},
	}
	for _, c := range []struct {
		text string
		want bool
	}{
		{"source.own: false", true},
		{"not source.own: true", true},
		{"source.own: true", false},
		{"source.own: *", true},
		{"destination.own: *", false},
		{"not destination.own: *", true},
		{"source.as.number: 64500", true},
		{"source.as.number >= 64500 and source.as.number < 64501", true},
		{"source.as.number > 64500", false},
		{"source.class: priv*", true},
		{"source.class: /^private$/", true},
		{"source.class: (public or private)", true},
		{"source.geo.city_name: Ghent", true},
		{"source.geo.city_name: Delft", false}, // the record's own field wins
	} {
		n, err := Parse(c.text)
		if err != nil {
			t.Fatalf("%s: %v", c.text, err)
		}
		m, err := Compile(n)
		if err != nil {
			t.Fatalf("%s: %v", c.text, err)
		}
		if got := m.Match(e); got != c.want || Holds(n, e) != c.want {
			t.Errorf("%s: %v, want %v", c.text, got, c.want)
		}
		if lits, sound := m.FieldLiterals(); sound {
			t.Errorf("%s: the literals %q are said to stand in the record", c.text, lits)
		}
	}
	same := &Pred{Field: "user.name", Op: OpFieldEqual, How: OpEqual, Value: "host.asset.owner"}
	if !Holds(same, e) {
		t.Error("the user is not compared with the owner of the host")
	}
	if got := Lookup(e, "source.as.number", nil); len(got) != 1 || got[0].Num != 64500 {
		t.Errorf("lookup: %v", got)
	}
	if v, ok := e.Get("source.class"); !ok || v.Str != "private" {
		t.Errorf("get: %v", v)
	}
	e.More = nil
	if _, ok := e.Get("source.class"); ok {
		t.Error("somebody answered though nobody knows")
	}
	m, err := Compile(And{same, Not{&Pred{Field: "source.own", Op: OpEqual, Value: "true"}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := testing.AllocsPerRun(100, func() { m.Match(e) }); got != 0 {
		t.Errorf("%v allocations", got)
	}
}

// TestUnenriched wants of a condition without enriched fields that it holds wherever
// the whole one can.
func TestUnenriched(t *testing.T) {
	names := []string{"user.name", "host.name", "source.own", "source.class"}
	rapid.Check(t, func(t *rapid.T) {
		var tree func(depth int) Node
		tree = func(depth int) Node {
			kind := rapid.IntRange(0, 3).Draw(t, "kind")
			if depth == 0 {
				kind = 0
			}
			switch kind {
			case 1, 2:
				var parts []Node
				for range rapid.IntRange(0, 3).Draw(t, "parts") {
					parts = append(parts, tree(depth-1))
				}
				if kind == 1 {
					return And(parts)
				}
				return Or(parts)
			case 3:
				return Not{tree(depth - 1)}
			}
			p := &Pred{Field: rapid.SampledFrom(names).Draw(t, "field"), Op: OpEqual, Value: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "value")}
			if rapid.IntRange(0, 3).Draw(t, "two fields") == 0 {
				p.Op, p.How, p.Value = OpFieldEqual, OpEqual, rapid.SampledFrom(names).Draw(t, "other")
			}
			return p
		}
		n := tree(4)
		weak := Unenriched(n)
		if len(Enriched(weak)) != 0 {
			t.Fatalf("it still asks %v", Enriched(weak))
		}
		e := &event.Event{}
		more := knows{}
		for _, name := range names {
			v := event.Value{Str: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, name), Pos: -1, End: -1}
			switch {
			case v.Str == "":
			case event.EnrichedAt(name) >= 0:
				more[name] = v
			default:
				e.Fields = append(e.Fields, event.Field{Name: name, Value: v})
			}
		}
		e.Native = len(e.Fields)
		e.More = more
		whole := Holds(n, e)
		e.More = nil
		if whole && !Holds(weak, e) {
			t.Fatal("it holds with what is known, and not without")
		}
		if len(Enriched(n)) == 0 && whole != Holds(weak, e) {
			t.Fatal("a condition that asks nothing enriched was changed")
		}
	})
}
