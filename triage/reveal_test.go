package triage

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"bartizan/detect"
	"bartizan/event"
)

// TestReveal: what was shown is a row that changes nothing and stands for ever.
func TestReveal(t *testing.T) {
	now := time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)
	b := NewBoard()
	e := &event.Event{Time: now, Raw: []byte("x"), Ref: event.Ref{Source: "s"}}
	c, err := b.Raise(detect.NewHit(&detect.Rule{ID: "r", Title: "r"}, e, nil, []event.Ref{e.Ref.Sealed(e.Raw)}, 1), now)
	if err != nil {
		t.Fatal(err)
	}
	before, _ := b.Alert(c.Alert)
	move := Move{Do: DoReveal, By: Actor{Name: "ana"}, At: now}
	if _, err := b.Check(move); !errors.Is(err, ErrIllegal) {
		t.Errorf("without saying what: %v", err)
	}
	move.Note = "file:/var/log/app.log:7: password"
	for _, on := range [][]AlertVersion{nil, {{ID: c.Alert, Version: before.Version}}} {
		move.On = on
		row, err := b.Check(move)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Commit(row); err != nil {
			t.Fatal(err)
		}
		if row.Do != DoReveal || row.Note != move.Note || row.By.Name != "ana" {
			t.Errorf("%+v", row)
		}
		if _, err := b.Check(Move{Do: DoUndo, Undoes: row.ID, By: Actor{Name: "ana"}, At: now}); err == nil || !strings.Contains(err.Error(), "was seen") {
			t.Errorf("undoing it: %v", err)
		}
	}
	after, _ := b.Alert(c.Alert)
	if after.Version != before.Version || after.Notes != 0 || after.State != before.State {
		t.Errorf("the alert was %+v and is %+v", before, after)
	}
	if b.LastMove("ana") != 0 {
		t.Error("u would undo it")
	}
}

// TestSentencesNameEveryMove: a refusal lists what people can do, all of it and
// nothing of the engine's.
func TestSentencesNameEveryMove(t *testing.T) {
	b := NewBoard()
	at := time.Date(2026, 11, 21, 2, 16, 0, 0, time.UTC)
	for _, m := range []Move{{Do: "burn", By: Actor{Name: "anna"}, At: at}, {Do: DoRaise, By: Actor{Name: "anna"}, At: at}} {
		_, err := b.Check(m)
		if err == nil {
			t.Fatalf("%s is let through", m.Do)
		}
		words := strings.NewReplacer(",", "", ":", "").Replace(strings.TrimSuffix(err.Error(), ", the engine only raises and wakes"))
		_, words, _ = strings.Cut(words, "possible people") // of the second
		if words == "" {
			words = strings.ReplaceAll(err.Error(), ",", "")
		}
		for do, rule := range legalFrom {
			if slices.Contains(strings.Fields(words), string(do)) == rule.machine {
				t.Errorf("%q: %s is named: %v", err, do, rule.machine)
			}
		}
	}
}
