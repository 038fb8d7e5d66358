package store

import (
	"context"
	"errors"
	"testing"

	"bartizan/triage"
)

// TestEntriesAreAll: a journal longer than a page is read whole, in order, once,
// whatever is written meanwhile; a reader may leave, and its context ends it.
func TestEntriesAreAll(t *testing.T) {
	const n = 2*journalPage + 7
	db := openDB(t, t.TempDir())
	write := func(from, to int) {
		t.Helper()
		var b Batch
		for i := from; i <= to; i++ {
			b.Entries = append(b.Entries, triage.Entry{ID: triage.MoveID(i), At: t0, By: anna, Do: triage.DoReveal, Note: "a record"})
		}
		if err := db.Commit(context.Background(), b); err != nil {
			t.Fatal(err)
		}
	}
	for e, err := range db.Entries(context.Background()) {
		t.Errorf("an empty journal has %v, %v", e, err)
	}
	write(1, n)
	seen := 0
	for e, err := range db.Entries(context.Background()) {
		if seen++; err != nil || e.ID != triage.MoveID(seen) || e.Hash == "" {
			t.Fatalf("row %d is %+v, %v", seen, e, err)
		}
		if seen == journalPage {
			write(n+1, n+3)
		}
	}
	if seen != n {
		t.Errorf("%d rows of %d", seen, n)
	}
	for range db.Entries(context.Background()) {
		break
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var last error
	for e, err := range db.Entries(ctx) {
		if last = err; e.ID == 1 {
			cancel()
		}
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("called off: %v", last)
	}
}
