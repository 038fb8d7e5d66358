package ui

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"bartizan/event"
	"bartizan/triage"
)

// factsOf knows a few facts about every event.
type factsOf []event.Fact

func (f factsOf) Enrich(_ *event.Event, at, _ int) (event.Value, int, bool) {
	for _, x := range f {
		if x.Name == event.EnrichedNames()[at].Name {
			return event.Value{Str: x.Value, Pos: -1, End: -1}, 0, true
		}
	}
	return event.Value{}, 0, false
}

func (f factsOf) About(*event.Event) []event.Fact { return f }

func TestKnownLines(t *testing.T) {
	for _, c := range []struct {
		f    event.Fact
		loud bool
	}{
		{event.Fact{Name: "source.own", Value: "false"}, true},
		{event.Fact{Name: "source.own", Value: "true"}, false},
		{event.Fact{Name: "bucket.asset.criticality", Value: "critical"}, true},
		{event.Fact{Name: "bucket.asset.criticality", Value: "low"}, false},
		{event.Fact{Name: "source.class", Value: "critical"}, false},
		{event.Fact{Name: "nothing.known", Value: "critical"}, false},
	} {
		if got := loudFact(c.f); got != c.loud {
			t.Errorf("%v: loud %v, want %v", c.f, got, c.loud)
		}
	}
	a := &triage.Alert{Risk: 61}
	if got := riskWords(a); got != "61 of 100" {
		t.Errorf("risk: %q", got)
	}
	a.Criticality = 10
	if got := riskWords(a); !strings.Contains(got, "+10 a critical asset is involved") {
		t.Errorf("risk: %q", got)
	}
}

// TestKnownBeyondTheRecord shows facts on a record's page, with what says them, and
// nothing that could steer the terminal.
func TestKnownBeyondTheRecord(t *testing.T) {
	d := newDriver(t, newWorld(), nil)
	e := &event.Event{Raw: []byte("x"), More: factsOf{
		{Name: "source.asset.owner", Value: "red\x1b[31m team", From: "assets.csv:3"},
		{Name: "source.own", Value: "false", From: "not among your own addresses"},
	}}
	v := newEventView(d.c, e, nil)
	page := ansi.Strip(v.Draw(120, 40))
	for _, want := range []string{"known beyond the record", "source.asset.owner red␛[31m team", "assets.csv:3", "source.own         false", "not among your own addresses"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	e.More = nil
	if page := ansi.Strip(newEventView(d.c, e, nil).Draw(120, 40)); strings.Contains(page, "known beyond") {
		t.Errorf("nothing is known, and the page says so at length:\n%s", page)
	}
}

// TestPaletteFindsByWhatItDoes: a word that is in no command's name finds those whose
// help has it.
func TestPaletteFindsByWhatItDoes(t *testing.T) {
	d := newDriver(t, story(), nil)
	d.press("enter :")
	d.typed("report")
	d.sees("copy-markdown")
	d.press("esc")
	d.press(":")
	d.typed("clo")
	d.misses("not now: ") // names come first, alone
}
