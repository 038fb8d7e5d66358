package store

import (
	"testing"
	"time"

	"bartizan/triage"
)

// TestDistrustIsOnDisk: a mark on a host is there for who opens the board again, and
// in the journal with the host's name, under the chain of hashes.
func TestDistrustIsOnDisk(t *testing.T) {
	dir := t.TempDir()
	at := time.Date(2026, 11, 21, 2, 16, 0, 0, time.UTC)
	now := func() time.Time { return at }
	with := func(do func(*DB, *Desk)) {
		t.Helper()
		db, err := Open(dir, now)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		board, mended, err := db.Load()
		if err != nil || len(mended) > 0 {
			t.Fatal(err, mended)
		}
		do(db, NewDesk(db, board, now))
	}
	var mark triage.MoveID
	anna := triage.Actor{Name: "anna", UID: 1000}
	with(func(_ *DB, d *Desk) {
		id, err := d.Apply(triage.Move{Do: triage.DoDistrust, Host: "web-1", Note: "its sshd was replaced", By: anna, At: at})
		if err != nil {
			t.Fatal(err)
		}
		mark = id
	})
	with(func(db *DB, d *Desk) {
		if got := d.Distrusted(); len(got) != 1 || got[0] != (triage.Distrust{Host: "web-1", Since: at, By: "anna", Reason: "its sshd was replaced"}) {
			t.Errorf("after a restart: %+v", got)
		}
		rows, err := db.Journal("", 10)
		if err != nil || len(rows) != 1 || rows[0].Host != "web-1" || rows[0].Hash == "" {
			t.Errorf("the journal has %+v, %v", rows, err)
		}
		if _, err := db.Verify(); err != nil {
			t.Error(err)
		}
		if _, err := d.Apply(triage.Move{Do: triage.DoUndo, Undoes: mark, By: anna, At: at}); err != nil {
			t.Error(err)
		}
	})
	with(func(_ *DB, d *Desk) {
		if got := d.Distrusted(); len(got) > 0 {
			t.Errorf("undone, and after a restart: %+v", got)
		}
	})
}
