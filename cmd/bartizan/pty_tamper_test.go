package main

import (
	"database/sql"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"bartizan/triage"
)

// tamperings is what an intruder with a shell may do to the journal's rows, and
// the sentence that must name it. The journal has five rows: two
// alerts were raised, one was taken, both were closed.
var tamperings = []struct {
	name string
	do   []string // SQL
	fit  bool     // make the whole chain fit again afterwards
	says string
}{
	{"nothing", nil, false, "all 5 rows are proved by an anchor"},
	{"edit", []string{`UPDATE journal SET body = replace(body, '"benign"', '"false_positive"') WHERE seq = 2`}, false, "journal row 2: was changed"},
	{"delete", []string{`DELETE FROM journal WHERE seq = 2`}, false, "journal row 2: is missing"},
	{"reorder", []string{
		`UPDATE journal SET seq = -2 WHERE seq = 2`, `UPDATE journal SET seq = 2 WHERE seq = 3`, `UPDATE journal SET seq = 3 WHERE seq = -2`,
	}, false, "journal row 2: was changed"},
	{"cut tail", []string{`DELETE FROM journal WHERE seq = 5`, `DELETE FROM journal_on WHERE seq = 5`}, false, "journal row 5: is missing: the journal was cut at its end"},
	{"rewritten chain", []string{`UPDATE journal SET body = replace(body, '"by":{"name":"', '"by":{"name":"not-') WHERE seq = 2`}, true, "journal row 5: is not the one the anchor"},
}

// tampered tries every tampering on a copy of the board, against an anchor.
func tampered(t *testing.T, b *bench) {
	t.Helper()
	b.stopEngine()
	anchors := b.put("anchors", b.must(b.onBoard("audit", "head")...))
	for _, c := range tamperings {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(b.state)); err != nil {
				t.Fatal(err)
			}
			tamper(t, dir, c.do, c.fit)
			out, code := b.output("audit", "verify", "--state", dir, "--anchor", anchors)
			want := exitFailed
			if c.do == nil {
				want = exitFine
			}
			if code != want || !strings.Contains(out, c.says) {
				t.Errorf("exit %d: %s", code, out)
			}
		})
	}
}

// tamper changes the board's database behind the program's back.
func tamper(t *testing.T, dir string, statements []string, fit bool) {
	t.Helper()
	db, err := sql.Open("sqlite", dir+"/board.db")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, s := range statements {
		r, err := db.Exec(s)
		if err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		if n, err := r.RowsAffected(); err != nil || n != 1 {
			t.Fatalf("%s: changed %d rows: %v", s, n, err)
		}
	}
	if fit {
		fitAgain(t, db)
	}
}

// fitAgain computes every hash of the journal anew.
func fitAgain(t *testing.T, db *sql.DB) {
	t.Helper()
	prev := ""
	for seq := 1; seq <= 5; seq++ {
		var body []byte
		var e triage.Entry
		err := db.QueryRow("SELECT body FROM journal WHERE seq = ?", seq).Scan(&body)
		if err == nil {
			err = json.Unmarshal(body, &e)
		}
		if err == nil {
			e, err = triage.Chain(e, prev)
		}
		if err == nil {
			body, err = triage.Canonical(e)
		}
		if err == nil {
			_, err = db.Exec("UPDATE journal SET body = ?, hash = ? WHERE seq = ?", body, e.Hash, seq)
		}
		if err != nil {
			t.Fatal(err)
		}
		prev = e.Hash
	}
}
