package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"bartizan/triage"
)

// played makes a board with a little history in dir and closes it. It returns
// anchors of its journal at row 6 and at its end, row 10.
func played(t *testing.T, dir string) (middle, end triage.Head) {
	t.Helper()
	d, db := openDesk(t, dir)
	var ids []triage.AlertID
	for i := range 5 {
		ids = append(ids, raise(t, d, found(fmt.Sprint("10.0.0.", i), i))[0].Alert)
	}
	commit(t, d, "5")
	apply(t, d, closing(d, anna, ids[0], ids[1]))
	middle = anchor(t, db)
	take := closing(d, anna, ids[2])
	take.Do = triage.DoTake
	apply(t, d, take)
	apply(t, d, closing(d, anna, ids[2]))
	note := closing(d, anna, ids[3])
	note.Do, note.Note = triage.DoNote, "asked ops"
	apply(t, d, note)
	apply(t, d, triage.Move{Do: triage.DoUndo, Undoes: 8, By: anna, At: t0})
	end = anchor(t, db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return middle, end
}

func anchor(t *testing.T, db *DB) triage.Head {
	t.Helper()
	h, err := db.SignHead(t0)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// tamper opens the database as an intruder would.
func tamper(t *testing.T, dir string, statements ...string) {
	t.Helper()
	raw, err := sql.Open("sqlite", filepath.Join(dir, boardFile))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := raw.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, s := range statements {
		if _, err := raw.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// rewrite makes the whole chain fit again after the statements.
func rewrite(t *testing.T, dir string, statements ...string) {
	t.Helper()
	tamper(t, dir, statements...)
	raw, err := sql.Open("sqlite", filepath.Join(dir, boardFile))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := raw.Close(); err != nil {
			t.Error(err)
		}
	}()
	var list []triage.Entry
	for e, err := range journalRows(context.Background(), raw, toShow) {
		var c *triage.ChainError
		if err != nil && !errors.As(err, &c) {
			t.Fatal(err)
		}
		list = append(list, e)
	}
	prev := ""
	for i, e := range list {
		e.ID = triage.MoveID(i + 1)
		if e, err = triage.Chain(e, prev); err != nil {
			t.Fatal(err)
		}
		prev = e.Hash
		body, err := triage.Canonical(e)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := raw.Exec("UPDATE journal SET body = ?, hash = ? WHERE seq = ?", body, e.Hash, int64(e.ID)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTamperingIsFound(t *testing.T) {
	source := t.TempDir()
	middle, end := played(t, source)
	for _, c := range []struct {
		name    string
		do      func(t *testing.T, dir string)
		alone   string // what Verify says without an anchor, "" for nothing
		against string // and against the anchors of rows 6 and 10
	}{
		{"nothing", func(*testing.T, string) {}, "", ""},
		{"edit", func(t *testing.T, dir string) {
			tamper(t, dir, `UPDATE journal SET body = replace(body, 'asked ops', 'nothing!!') WHERE seq = 9`)
		}, "journal row 9: was changed", "journal row 9: was changed"},
		{"edit beyond reading", func(t *testing.T, dir string) {
			tamper(t, dir, `UPDATE journal SET body = 'x' WHERE seq = 9`)
		}, "journal row 9: was changed", "journal row 9: was changed"},
		{"edit of spaces only", func(t *testing.T, dir string) {
			tamper(t, dir, `UPDATE journal SET body = replace(body, ',"do"', ', "do"') WHERE seq = 7`)
		}, "journal row 7: was changed", "journal row 7: was changed"},
		{"field added", func(t *testing.T, dir string) {
			tamper(t, dir, `UPDATE journal SET body = replace(body, '{"seq"', '{"x":1,"seq"') WHERE seq = 7`)
		}, "journal row 7: was changed", "journal row 7: was changed"},
		{"hash edited", func(t *testing.T, dir string) {
			tamper(t, dir, `UPDATE journal SET hash = upper(hash) WHERE seq = 10`)
		}, "journal row 10: was changed", "journal row 10: was changed"},
		{"delete", func(t *testing.T, dir string) {
			tamper(t, dir, `DELETE FROM journal WHERE seq = 4`)
		}, "journal row 4: is missing: row 5 comes next", "journal row 4: is missing"},
		{"reorder", func(t *testing.T, dir string) {
			tamper(t, dir, `UPDATE journal SET seq = -7 WHERE seq = 7`, `UPDATE journal SET seq = 7 WHERE seq = 8`, `UPDATE journal SET seq = 8 WHERE seq = -7`)
		}, "journal row 7: was changed: it calls itself row 8", "journal row 7: was changed"},
		{"cut tail", func(t *testing.T, dir string) {
			tamper(t, dir, `DELETE FROM journal WHERE seq > 8`)
		}, "the journal is whole, but", "journal row 9: is missing: the journal was cut at its end"},
		{"cut tail and mend the alerts", func(t *testing.T, dir string) {
			tamper(t, dir, `DELETE FROM journal WHERE seq > 9`, `DELETE FROM journal_on WHERE seq > 9`,
				`UPDATE alerts SET body = json_set(body, '$.state', 'closed', '$.verdict', 'benign', '$.version', 3) WHERE json_extract(body, '$.owner') = 'anna' AND json_extract(body, '$.state') = 'taken'`)
		}, "", "journal row 10: is missing: the journal was cut at its end"},
		{"everything cut", func(t *testing.T, dir string) {
			tamper(t, dir, `DELETE FROM journal`, `DELETE FROM journal_on`, `DELETE FROM alerts`)
		}, "", "journal row 1: is missing: the journal was cut at its end"},
		{"rewritten", func(t *testing.T, dir string) {
			rewrite(t, dir, `UPDATE journal SET body = replace(body, 'asked ops', 'nothing!!') WHERE seq = 9`)
		}, "", "journal row 10: is not the one the anchor of 2026-03-01 03:00:00Z saw"},
		{"rewritten early", func(t *testing.T, dir string) {
			rewrite(t, dir, `UPDATE journal SET body = replace(body, 'anna', 'otto') WHERE seq = 6`,
				`UPDATE alerts SET body = replace(body, '"owner":"anna"', '"owner":"otto"') WHERE json_extract(body, '$.version') = 2 AND json_extract(body, '$.state') = 'closed'`)
		}, "", "journal row 6: is not the one"},
		{"alert closed in its row", func(t *testing.T, dir string) {
			tamper(t, dir, `UPDATE alerts SET body = json_set(body, '$.state', 'closed') WHERE json_extract(body, '$.state') = 'new'`)
		}, "the journal is whole, but alert", "the journal is whole, but alert"},
		{"alert removed", func(t *testing.T, dir string) {
			tamper(t, dir, `DELETE FROM alerts WHERE json_extract(body, '$.state') = 'new'`)
		}, "somebody removed it", "somebody removed it"},
		{"index thinned", func(t *testing.T, dir string) {
			tamper(t, dir, `DELETE FROM journal_on WHERE seq = 9`)
		}, "1 entries of its index", "1 entries of its index"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			for _, name := range []string{boardFile, keyFile} {
				if err := copyFile(filepath.Join(source, name), filepath.Join(dir, name), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			c.do(t, dir)
			db, err := OpenReadOnly(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			proof, err := db.Verify()
			says(t, "alone", err, c.alone)
			if c.alone == "" && !strings.Contains(proof.Words(), "without an anchor nobody can prove") {
				t.Errorf("alone: %s", proof.Words())
			}
			proof, err = db.Verify(middle, end)
			says(t, "against anchors", err, c.against)
			if c.against == "" && proof.Through != 10 {
				t.Errorf("proved through %d", proof.Through)
			}
		})
	}
}

func says(t *testing.T, where string, err error, want string) {
	t.Helper()
	if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
		t.Errorf("%s: %v, want %q", where, err, want)
	}
}

func TestAnchorOfAnotherBoard(t *testing.T) {
	one, two := t.TempDir(), t.TempDir()
	played(t, one)
	_, end := played(t, two)
	db := openDB(t, one)
	_, err := db.Verify(end)
	says(t, "another board's anchor", err, "which is not of this board")
	end.Seq++
	_, err = db.Verify(end)
	says(t, "a changed anchor of another", err, "not of this board")
	mine := anchor(t, db)
	mine.Seq++
	_, err = db.Verify(mine)
	says(t, "a changed anchor", err, "the anchor was changed")
}

func TestAnchorFile(t *testing.T) {
	dir := t.TempDir()
	played(t, dir)
	db := openDB(t, dir)
	place := filepath.Join(t.TempDir(), "anchors")
	if err := os.WriteFile(place, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		if _, err := db.Anchor(place, t0.Add(time.Duration(i)*time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	heads, err := ReadAnchors(place)
	if err != nil || len(heads) != 2 {
		t.Fatalf("%d anchors, %v", len(heads), err)
	}
	if p, err := db.Verify(heads...); err != nil || p.Through != 10 {
		t.Errorf("%+v, %v", p, err)
	}
	i, err := db.Info()
	if err != nil || i.Anchored[place] != "2026-03-01T03:01:00Z" || i.Rows != 10 || i.Hits != 5 || i.Evidence != 5 ||
		i.Alerts[triage.StateClosed] != 2 || i.Engine != os.Getpid() || i.Schema != SchemaVersion || len(i.Keys) != 1 {
		t.Errorf("%+v, %v", i, err)
	}
	if err := os.WriteFile(place, []byte(`{"seq":1}`+"\n"+`{"seq"`), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = ReadAnchors(place)
	says(t, "a torn anchor", err, place+":2: this is no anchor")
	if _, err := db.Anchor(place, t0); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(place); strings.Count(string(text), "\n") != 3 {
		t.Errorf("an anchor after a torn line: %q", text)
	}
	_, err = db.Anchor(filepath.Join(dir, "no", "such"), t0)
	says(t, "no place", err, "the anchor cannot be written")
}

func TestOneEngine(t *testing.T) {
	dir := t.TempDir()
	db := openDB(t, dir)
	_, err := Open(dir, fixed)
	var held *Held
	if !errors.As(err, &held) || held.PID != os.Getpid() || !strings.Contains(err.Error(), fmt.Sprintf("another engine (pid %d) owns %s", os.Getpid(), dir)) {
		t.Errorf("a second engine: %v", err)
	}
	if _, _, err := Restore(dir, "/no/such", t0); !errors.As(err, &held) {
		t.Errorf("restoring over a live board: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := openDB(t, dir).Close(); err != nil {
		t.Errorf("after the first engine left: %v", err)
	}
}

func TestReadOnlyBesideAnEngine(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenReadOnly(dir); err == nil || !strings.Contains(err.Error(), "there is no board in "+dir) {
		t.Errorf("no board: %v", err)
	}
	d, _ := openDesk(t, dir)
	id := raise(t, d, found("10.0.0.1", 1))[0].Alert
	commit(t, d, "1")
	ro, err := OpenReadOnly(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ro.Close() }()
	apply(t, d, closing(d, anna, id))
	if p, err := ro.Verify(); err != nil || p.Rows != 2 {
		t.Errorf("%+v, %v", p, err)
	}
	if err := ro.Commit(context.Background(), Batch{}); !errors.Is(err, ErrReadOnly) {
		t.Errorf("a commit on a read-only board: %v", err)
	}
	h, err := ro.SignHead(t0)
	if err != nil || h.Seq != 2 || h.Check() != nil {
		t.Errorf("head %+v, %v", h, err)
	}
	if list, err := ro.Evidence(id); err != nil || len(list) != 1 {
		t.Errorf("evidence %v, %v", list, err)
	}
}

func TestRefusedDirectories(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes mean nothing here")
	}
	open := t.TempDir()
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	_, err := Open(open, fixed)
	says(t, "world-writable", err, "everybody may write to the state directory")

	newer := t.TempDir()
	played(t, newer)
	tamper(t, newer, "PRAGMA user_version = 99")
	_, err = Open(newer, fixed)
	says(t, "newer", err, "was written by a newer bartizan (schema 99, this one knows 1): update this program")
	_, err = OpenReadOnly(newer)
	says(t, "newer, reading", err, "written by a newer bartizan")

	foreign := t.TempDir()
	tamper(t, foreign, "CREATE TABLE songs (name TEXT)")
	_, err = Open(foreign, fixed)
	says(t, "foreign", err, "a database of another program")

	garbage := t.TempDir()
	if err := os.WriteFile(filepath.Join(garbage, boardFile), []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Open(garbage, fixed)
	says(t, "garbage", err, "restore it from a backup")

	leaky := t.TempDir()
	played(t, leaky)
	if err := os.Chmod(filepath.Join(leaky, keyFile), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = Open(leaky, fixed)
	says(t, "readable key", err, "others may read the journal's key: run `chmod 600")
}

func TestFileModes(t *testing.T) {
	for dirMode, want := range map[os.FileMode]os.FileMode{0o700: 0o600, 0o770: 0o660, 0o750: 0o600} {
		dir := t.TempDir()
		if err := os.Chmod(dir, dirMode); err != nil {
			t.Fatal(err)
		}
		d, _ := openDesk(t, dir)
		raise(t, d, found("10.0.0.1", 1))
		commit(t, d, "1")
		for name, mode := range map[string]os.FileMode{boardFile: want, boardFile + "-wal": want, boardFile + "-shm": want, keyFile: 0o600} {
			info, err := os.Stat(filepath.Join(dir, name))
			if err != nil || info.Mode().Perm() != mode {
				t.Errorf("in a directory of mode %o, %s: %v, %v", dirMode, name, info.Mode(), err)
			}
		}
	}
	fresh := filepath.Join(t.TempDir(), "a", "b")
	openDB(t, fresh)
	if info, err := os.Stat(fresh); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("a new state directory: %v, %v", info, err)
	}
}

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

func TestPrune(t *testing.T) {
	dir := t.TempDir()
	d, db := openDesk(t, dir)
	raise(t, d, found("10.0.0.1", 1))
	commit(t, d, "1")
	for _, c := range []struct {
		keep time.Duration
		want int64
	}{{0, 0}, {time.Hour, 0}, {time.Minute, 1}} {
		db.now = func() time.Time { return t0.Add(30 * time.Minute) }
		if n, err := db.Prune(context.Background(), Retention{Hits: c.keep}); n != c.want || err != nil {
			t.Errorf("keeping %s: %d went, %v", c.keep, n, err)
		}
	}
	if db.SeenHit(found("10.0.0.1", 1).Hit.ID) {
		t.Error("a forgotten hit is known")
	}
}

func TestCommitRefusesGapsInTheJournal(t *testing.T) {
	db := openDB(t, t.TempDir())
	e := triage.Entry{ID: 2, At: t0, By: anna, Do: triage.DoNote}
	if err := db.Commit(context.Background(), Batch{Entries: []triage.Entry{e}}); !errors.Is(err, ErrDisk) {
		t.Errorf("row 2 first: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	e.ID = 1
	if err := db.Commit(ctx, Batch{Entries: []triage.Entry{e}}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled commit: %v", err)
	}
	if err := db.Commit(context.Background(), Batch{Entries: []triage.Entry{e}}); err != nil {
		t.Errorf("after a refused one: %v", err)
	}
	text, _ := json.Marshal(anchor(t, db))
	if !strings.Contains(string(text), `"seq":1`) {
		t.Errorf("head %s", text)
	}
}
