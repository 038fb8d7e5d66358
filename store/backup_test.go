package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bartizan/triage"
)

func TestBackupAndRestore(t *testing.T) {
	dir := t.TempDir()
	_, end := played(t, dir)
	d, db := openDesk(t, dir)
	want := standing(d)
	copied := filepath.Join(t.TempDir(), "board.backup")
	var last float64
	if err := db.Backup(context.Background(), copied, func(p float64) { last = p }); err != nil || last != 1 {
		t.Fatalf("backup: %v, progress %v", err, last)
	}
	if err := db.Backup(context.Background(), copied, nil); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("over an existing file: %v", err)
	}
	if info, err := os.Stat(copied); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the backup's mode: %v, %v", info, err)
	}
	raise(t, d, found("10.7.7.7", 77))
	commit(t, d, "77")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	kept, proof, err := Restore(dir, copied, t0, end)
	if err != nil || proof.Through != 10 || !strings.Contains(kept, "board-before-20260301T030000") {
		t.Fatalf("restore: kept %s, %+v, %v", kept, proof, err)
	}
	if _, err := os.Stat(kept); err != nil {
		t.Error(err)
	}
	d, db = openDesk(t, dir)
	if standing(d) != want {
		t.Errorf("restored\n%s\nwant\n%s", standing(d), want)
	}
	if _, err := db.Verify(end); err != nil {
		t.Error(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	elsewhere := filepath.Join(t.TempDir(), "new")
	if kept, _, err := Restore(elsewhere, copied, t0); err != nil || kept != "" {
		t.Errorf("into a new place: kept %q, %v", kept, err)
	}
	if d, _ := openDesk(t, elsewhere); standing(d) != want {
		t.Error("restored elsewhere, it differs")
	}
}

func TestRestoreRefusesBadBackups(t *testing.T) {
	source := t.TempDir()
	_, end := played(t, source)
	tamper(t, source, `DELETE FROM journal WHERE seq = 4`)
	dir := t.TempDir()
	_, _, err := Restore(dir, filepath.Join(source, boardFile), t0, end)
	says(t, "tampered", err, "was not restored: journal row 4: is missing")
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, err = Restore(dir, text, t0)
	says(t, "empty", err, "it is not a backup of a board")
	_, _, err = Restore(dir, "/no/such/file", t0)
	says(t, "missing", err, "the backup cannot be read")
	if _, err := os.Stat(filepath.Join(dir, boardFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a refused restore left a board: %v", err)
	}
}

func TestLoadMends(t *testing.T) {
	dir := t.TempDir()
	played(t, dir)
	tamper(t, dir, `UPDATE alerts SET body = json_set(body, '$.state', 'closed') WHERE json_extract(body, '$.state') = 'new'`)
	db := openDB(t, dir)
	board, mended, err := db.Load()
	if err != nil || len(mended) != 2 {
		t.Fatalf("mended %v, %v", mended, err)
	}
	list, _ := board.Alerts()
	open := 0
	for _, a := range list {
		if a.State == triage.StateNew {
			open++
		}
	}
	if open != 2 {
		t.Errorf("%d alerts are new, the journal says 2", open)
	}
	tamper(t, dir, `UPDATE alerts SET body = '{' WHERE json_extract(body, '$.state') = 'taken'`)
	_, _, err = db.Load()
	says(t, "damaged row", err, "is damaged")
}

// TestQuickRaise compares the short way of reading a raise with the whole one.
func TestQuickRaise(t *testing.T) {
	raise := triage.Entry{
		ID: 7, At: t0, By: triage.Actor{Name: "bartizan", Machine: true}, Do: triage.DoRaise,
		On: []triage.AlertVersion{{ID: "abc-1"}}, From: []triage.State{""}, To: triage.StateNew,
	}
	forged := raise
	forged.By.Name = `x","do":"raise","on":[{"id":"other-1","version":0}],"from":[""],"to":"new","verdict":"","prev":"`
	two := raise
	two.On = []triage.AlertVersion{{ID: "abc-1"}, {ID: "abc-2"}}
	later := raise
	later.On = []triage.AlertVersion{{ID: "abc-1", Version: 3}}
	closed := raise
	closed.Do = triage.DoClose
	for name, c := range map[string]struct {
		e     triage.Entry
		quick bool
	}{"raise": {raise, true}, "forged": {forged, false}, "two": {two, false}, "later": {later, false}, "closed": {closed, false}} {
		e, err := triage.Chain(c.e, strings.Repeat("ab", 32))
		if err != nil {
			t.Fatal(err)
		}
		body, err := triage.Canonical(e)
		if err != nil {
			t.Fatal(err)
		}
		var got triage.Entry
		if quick := quickRaise(body, &got); quick != c.quick {
			t.Errorf("%s: read the short way: %v", name, quick)
		} else if quick && (got.ID != e.ID || got.Do != e.Do || !slices.Equal(got.On, e.On)) {
			t.Errorf("%s: read as %+v", name, got)
		}
	}
}
