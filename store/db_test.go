package store

import (
	"context"
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
