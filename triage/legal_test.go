package triage

import (
	"errors"
	"strings"
	"testing"
	"time"
)

var legality = []struct {
	in   State
	move Move
	want State // "" is refused
	says string
}{
	{StateNew, Move{Do: DoTake}, StateTaken, ""},
	{StateNew, Move{Do: DoClose, Verdict: VerdictBenign}, StateClosed, ""},
	{StateNew, Move{Do: DoClose}, "", "needs a verdict"},
	{StateNew, Move{Do: DoClose, Verdict: 3}, "", "needs a verdict"},
	{StateNew, Move{Do: DoSnooze, Until: t0.Add(time.Hour)}, StateSnoozed, ""},
	{StateNew, Move{Do: DoSnooze, Until: t0}, "", "must end in the future"},
	{StateNew, Move{Do: DoSnooze, Until: t0.Add(MaxSnooze + 1)}, "", "at most 30 days"},
	{StateNew, Move{Do: DoNote, Note: "seen before"}, StateNew, ""},
	{StateNew, Move{Do: DoNote, Note: " \n"}, "", "needs text"},
	{StateNew, Move{Do: DoNote, Note: strings.Repeat("x", MaxNote+1)}, "", "at most 4096"},
	{StateNew, Move{Do: DoNote, Note: "\xff"}, "", "UTF-8"},
	{StateNew, Move{Do: DoReopen}, "", "is new: it cannot be reopened"},
	{StateNew, Move{Do: "shred"}, "", `"shred" is no move`},
	{StateNew, Move{Do: DoRaise}, "", "not possible"},
	{StateNew, Move{Do: DoTake, By: Actor{Name: "x", Machine: true}}, "", "not possible"},
	{StateNew, Move{Do: DoTake, Undoes: 1}, "", "only an undo"},
	{StateTaken, Move{Do: DoTake, By: Actor{Name: "bob"}}, "", "already yours"},
	{StateTaken, Move{Do: DoTake}, StateTaken, ""},
	{StateTaken, Move{Do: DoClose, Verdict: VerdictBenign}, StateClosed, ""},
	{StateSnoozed, Move{Do: DoTake}, StateTaken, ""},
	{StateSnoozed, Move{Do: DoReopen}, StateNew, ""},
	{StateSnoozed, Move{Do: DoSnooze, Until: t0.Add(2 * time.Hour)}, StateSnoozed, ""},
	{StateClosed, Move{Do: DoTake}, "", "closed as true_positive by anna: reopen it first"},
	{StateClosed, Move{Do: DoClose, Verdict: VerdictBenign}, "", "reopen it first"},
	{StateClosed, Move{Do: DoSnooze, Until: t0.Add(time.Hour)}, "", "reopen it first"},
	{StateClosed, Move{Do: DoNote, Note: "after all"}, StateClosed, ""},
	{StateClosed, Move{Do: DoReopen}, StateNew, ""},
}

func TestLegality(t *testing.T) {
	states := map[State]Move{
		StateTaken:   {Do: DoTake, By: Actor{Name: "bob"}},
		StateSnoozed: {Do: DoSnooze, Until: t0.Add(time.Hour)},
		StateClosed:  {Do: DoClose, Verdict: VerdictTruePositive},
	}
	for _, c := range legality {
		b := NewBoard()
		id := mustRaise(t, b, hit(ruleBrute, "root", "10.0.0.7", 1, t0, ""), t0).Alert
		if m, ok := states[c.in]; ok {
			do(t, b, m, id)
		}
		before := *alertOf(t, b, id)
		_, err := try(b, c.move, id)
		after := alertOf(t, b, id)
		if c.want != "" && (err != nil || after.State != c.want || after.Version != before.Version+1) {
			t.Errorf("%s from %s: now %s, error %v", c.move.Do, c.in, after.Standing(), err)
		}
		if c.want == "" {
			if !errors.Is(err, ErrIllegal) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s from %s: error %v, want one with %q", c.move.Do, c.in, err, c.says)
			}
			if after.Version != before.Version || after.State != before.State {
				t.Errorf("%s from %s was refused and still changed the alert", c.move.Do, c.in)
			}
		}
	}
}

func TestStaleVersionIsRefused(t *testing.T) {
	b := NewBoard()
	id := mustRaise(t, b, hit(ruleBrute, "root", "10.0.0.7", 1, t0, ""), t0).Alert
	saw := []AlertVersion{{id, alertOf(t, b, id).Version}}
	mustRaise(t, b, hit(ruleBrute, "root", "10.0.0.7", 2, t0, ""), t0) // a further hit does not change the version
	do(t, b, Move{Do: DoTake}, id)
	_, err := b.Check(Move{Do: DoClose, Verdict: VerdictBenign, On: saw, By: Actor{Name: "bob"}, At: t0})
	if !errors.Is(err, ErrStale) || !strings.HasSuffix(err.Error(), "changed since you saw it: now taken by anna") {
		t.Errorf("error %v", err)
	}
	for _, on := range [][]AlertVersion{nil, {{"no-such", 1}}, {saw[0], saw[0]}} {
		if _, err := b.Check(Move{Do: DoTake, On: on, By: Actor{Name: "bob"}, At: t0}); !errors.Is(err, ErrIllegal) {
			t.Errorf("on %v: error %v", on, err)
		}
	}
	if err := b.Commit(Entry{ID: 99, Do: DoTake}); err == nil {
		t.Error("a row out of order was committed")
	}
}
