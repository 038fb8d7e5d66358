package store

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"bartizan/triage"
)

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

// tamperings is what an intruder may try on a board with ten rows.
var tamperings = []struct {
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
}

func TestTamperingIsFound(t *testing.T) {
	source := t.TempDir()
	middle, end := played(t, source)
	for _, c := range tamperings {
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
