package triage

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestUndo(t *testing.T) {
	b := NewBoard()
	one := mustRaise(t, b, hit(ruleBrute, "root", "10.0.0.7", 1, t0, ""), t0).Alert
	two := mustRaise(t, b, hit(ruleBrute, "root", "10.0.0.8", 2, t0, ""), t0).Alert
	do(t, b, Move{Do: DoTake}, two)
	closed := do(t, b, Move{Do: DoClose, Verdict: VerdictBenign, Note: "nightly scan"}, one, two)
	note := do(t, b, Move{Do: DoNote, Note: "told ops"}, one)
	undo := do(t, b, Move{Do: DoUndo, Undoes: closed})
	if a, c := alertOf(t, b, one), alertOf(t, b, two); a.State != StateNew || a.Notes != 1 || c.State != StateTaken || c.Owner != "anna" || c.Notes != 0 {
		t.Fatalf("after the undo: %s (%d notes) and %s (%d notes)", a.Standing(), a.Notes, c.Standing(), c.Notes)
	}
	if _, err := try(b, Move{Do: DoUndo, Undoes: closed}); !errors.Is(err, ErrIllegal) || !strings.Contains(err.Error(), fmt.Sprintf("by move %d", undo)) {
		t.Errorf("undoing twice: %v", err)
	}
	redo := do(t, b, Move{Do: DoUndo, Undoes: undo})
	if a := alertOf(t, b, two); a.State != StateClosed || a.Verdict != VerdictBenign || a.Notes != 1 {
		t.Fatalf("after the redo: %s", a.Standing())
	}
	do(t, b, Move{Do: DoUndo, Undoes: note})
	if a := alertOf(t, b, one); a.Notes != 1 || a.State != StateClosed {
		t.Errorf("after undoing the note: %s, %d notes", a.Standing(), a.Notes)
	}
	reopened := do(t, b, Move{Do: DoReopen}, two)
	_, err := try(b, Move{Do: DoUndo, Undoes: redo})
	if !errors.Is(err, ErrIllegal) || !strings.Contains(err.Error(), fmt.Sprintf("while move %d (reopen by anna)", reopened)) {
		t.Errorf("undo under a later move: %v", err)
	}
	do(t, b, Move{Do: DoUndo, Undoes: reopened})
	do(t, b, Move{Do: DoUndo, Undoes: redo})
	do(t, b, Move{Do: DoUndo, Undoes: b.LastMove("anna")})
	if a := alertOf(t, b, two); a.State != StateNew {
		t.Errorf("all undone, yet %s", a.Standing())
	}
	if last := b.LastMove("anna"); last != 0 {
		t.Errorf("move %d is said to stand", last)
	}
	for _, id := range []MoveID{1, 999} {
		if _, err := try(b, Move{Do: DoUndo, Undoes: id}); !errors.Is(err, ErrIllegal) {
			t.Errorf("undo of %d: %v", id, err)
		}
	}
}

func TestUndoAfterReraiseIsRefused(t *testing.T) {
	b := NewBoard()
	id := mustRaise(t, b, hit(ruleBrute, "root", "10.0.0.7", 1, t0, ""), t0).Alert
	closed := do(t, b, Move{Do: DoClose, Verdict: VerdictBenign}, id)
	c := mustRaise(t, b, hit(ruleBrute, "admin", "10.0.0.7", 2, t0, ""), t0)
	if _, err := try(b, Move{Do: DoUndo, Undoes: closed}); !errors.Is(err, ErrIllegal) || !strings.Contains(err.Error(), "(reraise by bartizan)") {
		t.Errorf("undo of a close that was overtaken: %v", err)
	}
	if _, err := try(b, Move{Do: DoUndo, Undoes: c.Entries[0].ID}); !errors.Is(err, ErrIllegal) {
		t.Errorf("undo of the engine's row: %v", err)
	}
}

func TestWake(t *testing.T) {
	b := NewBoard()
	id := mustRaise(t, b, hit(ruleBrute, "root", "10.0.0.7", 1, t0, ""), t0).Alert
	do(t, b, Move{Do: DoSnooze, Until: t0.Add(time.Hour)}, id)
	if e := b.Wake(t0.Add(time.Hour - 1)); e != nil {
		t.Errorf("woke early: %+v", e)
	}
	e := b.Wake(t0.Add(time.Hour))
	if a := alertOf(t, b, id); len(e) != 1 || a.State != StateNew || a.Reraised != "snooze ended" {
		t.Errorf("after the snooze: %s, rows %+v", a.Standing(), e)
	}
	if e := b.Wake(t0.Add(2 * time.Hour)); e != nil {
		t.Errorf("woke twice: %+v", e)
	}
}
