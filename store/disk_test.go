package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"bartizan/event"
	"bartizan/triage"
)

// full limits the database to its pages of now, as a full disk would.
func full(t *testing.T, db *DB, on bool) {
	t.Helper()
	var pages, limit int
	row := db.w.QueryRowContext(context.Background(), "PRAGMA page_count")
	if err := row.Scan(&pages); err != nil {
		t.Fatal(err)
	}
	if !on {
		pages = 1 << 30
	}
	if err := db.w.QueryRowContext(context.Background(), fmt.Sprint("PRAGMA max_page_count = ", pages)).Scan(&limit); err != nil {
		t.Fatal(err)
	}
}

func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	d, db := openDesk(t, dir)
	id := raise(t, d, found("10.0.0.1", 1))[0].Alert
	commit(t, d, "1")
	full(t, db, true)
	m := closing(d, anna, id)
	m.Note = strings.Repeat("n", triage.MaxNote)
	big := found("10.0.0.2", 2)
	big.Hit.Event.Raw = bytes.Repeat([]byte("x"), 100_000)
	other := raise(t, d, big)[0].Alert
	before := standing(d)
	_, err := d.Apply(m)
	if !errors.Is(err, ErrDisk) || !strings.HasPrefix(err.Error(), "the move was not made: cannot write the board in ") || !strings.Contains(err.Error(), "no room is left") {
		t.Fatalf("a move on a full disk: %v", err)
	}
	if err := d.Commit(context.Background(), map[event.SourceID]string{"file:/var/log/auth.log": "2"}); !errors.Is(err, ErrDisk) {
		t.Fatalf("a commit on a full disk: %v", err)
	}
	if standing(d) != before {
		t.Errorf("a refused move changed the board to\n%s", standing(d))
	}
	if seq, _, _ := db.Head(); seq != 1 || d.Waiting() != 1 {
		t.Errorf("%d rows on disk, %d hits waiting", seq, d.Waiting())
	}
	if pos, _ := db.Positions(); pos["file:/var/log/auth.log"] != "1" {
		t.Errorf("half of a refused commit is there: %v", pos)
	}
	full(t, db, false)
	apply(t, d, m)
	apply(t, d, closing(d, anna, other))
	before = standing(d)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	d, db = openDesk(t, dir)
	if standing(d) != before {
		t.Errorf("was\n%s\nis\n%s", before, standing(d))
	}
	if p, err := db.Verify(); err != nil || p.Rows != 4 {
		t.Errorf("%+v, %v", p, err)
	}
}

// TestFullTmpfs fills a real file system, where one is small enough.
func TestFullTmpfs(t *testing.T) {
	dir := os.Getenv("BARTIZAN_SMALL_FS")
	if dir == "" {
		t.Skip("BARTIZAN_SMALL_FS names no small file system; skipped")
	}
	d, db := openDesk(t, dir)
	var err error
	n := 0
	for ; err == nil && n < 10_000; n++ {
		f := found(fmt.Sprint("10.0.", n/250, ".", n%250), n)
		f.Hit.Event.Raw = bytes.Repeat([]byte("x"), 100_000)
		raise(t, d, f)
		err = d.Commit(context.Background(), nil)
	}
	if !errors.Is(err, ErrDisk) || !strings.Contains(err.Error(), "no room is left") {
		t.Fatalf("after %d alerts: %v", n, err)
	}
	list, _ := d.Alerts()
	if _, err := d.Apply(closing(d, anna, list[0].ID)); !errors.Is(err, ErrDisk) {
		t.Errorf("a move on a full disk: %v", err)
	}
	if p, err := db.Verify(); err != nil || int(p.Rows) != n-1 {
		t.Errorf("%d commits, %+v, %v", n, p, err)
	}
}

func TestBacklogIsRefused(t *testing.T) {
	d, db := openDesk(t, t.TempDir())
	full(t, db, true)
	for i := range 2 * MaxPendingBytes / MaxPinned {
		f := found(fmt.Sprint("10.0.", i/250, ".", i%250), i)
		f.Hit.Event.Raw = bytes.Repeat([]byte("x"), MaxPinned)
		if _, err := d.Raise([]Found{f}); err != nil {
			if !errors.Is(err, ErrBacklog) {
				t.Fatal(err)
			}
			before := standing(d)
			if _, err := d.Raise([]Found{found("10.9.9.9", 1)}); !errors.Is(err, ErrBacklog) || standing(d) != before {
				t.Errorf("a hit beyond the backlog: %v", err)
			}
			full(t, db, false)
			commit(t, d, "")
			raise(t, d, f)
			return
		}
	}
	t.Error("no end of waiting hits")
}
