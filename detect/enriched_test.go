package detect

import (
	"slices"
	"testing"

	"bartizan/event"
	"bartizan/query"
)

// oneFact knows one field of every event.
type oneFact struct{ name, value string }

func (f oneFact) Enrich(_ *event.Event, at, _ int) (event.Value, int, bool) {
	return event.Value{Str: f.value, Pos: -1, End: -1}, 0, event.EnrichedNames()[at].Name == f.name
}

func (f oneFact) About(*event.Event) []event.Fact { return nil }

// TestEnrichedFields: rules match, group and count what no record brings.
func TestEnrichedFields(t *testing.T) {
	n, err := query.Parse("bob and source.geo.country_iso_code: NL")
	if err != nil {
		t.Fatal(err)
	}
	r := &Rule{ID: "x", Cond: n, GroupBy: []string{"source.geo.country_iso_code"}}
	m := NewSet([]*Rule{r}).NewMatcher()
	for country, want := range map[string]int{"NL": 1, "SE": 0} {
		e := event.Event{Raw: []byte("bob came"), More: oneFact{"source.geo.country_iso_code", country}}
		if got := m.Match(&e, nil); len(got) != want {
			t.Errorf("%s: %d hits, want %d", country, len(got), want)
		}
		if g := Group(r, &e, nil); len(g) != 1 || g[0].Value != country {
			t.Errorf("%s: the group is %v", country, g)
		}
		var counted []string
		eachValue(&e, "source.geo.country_iso_code", func(v *event.Value) { counted = append(counted, v.Str) })
		if !slices.Equal(counted, []string{country}) {
			t.Errorf("%s: counted %v", country, counted)
		}
	}
	e := event.Event{Raw: []byte("bob came")}
	if got := m.Match(&e, nil); len(got) != 0 {
		t.Error("it hits though nobody knows the country")
	}
}
