package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"bartizan/triage"
)

// Commit writes the batch in one transaction and returns when it is on disk. On
// an error (one sentence, answering to ErrDisk) nothing of it is there.
func (db *DB) Commit(ctx context.Context, tx Batch) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.w == nil {
		return ErrReadOnly
	}
	if _, err := db.w.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return plain(db.path, "write the board", err)
	}
	head, err := db.write(ctx, tx)
	if err == nil {
		_, err = db.w.ExecContext(context.WithoutCancel(ctx), "COMMIT")
	}
	if err != nil {
		return plain(db.path, "write the board", rollback(db.w, err))
	}
	db.head = head
	for _, id := range tx.Hits {
		db.known.add(id)
	}
	return nil
}

// write does the batch's statements and returns where the journal ends then.
func (db *DB) write(ctx context.Context, tx Batch) (headAt, error) {
	if err := db.writeAlerts(ctx, tx.Raised); err != nil {
		return headAt{}, err
	}
	at := db.now().Unix()
	err := each(ctx, db.w, "INSERT OR IGNORE INTO hits (id, at) VALUES (?, ?)", tx.Hits, func(id triage.HitID) ([]any, error) {
		return []any{id[:], at}, nil
	})
	if err != nil {
		return headAt{}, err
	}
	if err := db.writeEvidence(ctx, tx.Evidence); err != nil {
		return headAt{}, err
	}
	for source, pos := range tx.Positions {
		if _, err := db.w.ExecContext(ctx, "INSERT OR REPLACE INTO positions (source, position) VALUES (?, ?)", string(source), pos); err != nil {
			return headAt{}, err
		}
	}
	return db.writeEntries(ctx, tx.Entries)
}

func (db *DB) writeAlerts(ctx context.Context, alerts []*triage.Alert) error {
	return each(ctx, db.w, "INSERT OR REPLACE INTO alerts (id, body, sample) VALUES (?, ?, ?)", alerts, func(a *triage.Alert) ([]any, error) {
		c := *a
		c.Sample = "" // kept beside: it need not be valid UTF-8
		body, err := json.Marshal(&c)
		return []any{string(a.ID), body, []byte(a.Sample)}, err
	})
}

// writeEntries chains the rows to the journal.
func (db *DB) writeEntries(ctx context.Context, entries []triage.Entry) (headAt, error) {
	head := db.head
	var on []onRow
	err := each(ctx, db.w, "INSERT INTO journal (seq, body, hash) VALUES (?, ?, ?)", entries, func(e triage.Entry) ([]any, error) {
		if e.ID != head.seq+1 {
			return nil, fmt.Errorf("journal row %d cannot follow row %d", e.ID, head.seq)
		}
		e, err := triage.Chain(e, head.hash)
		if err != nil {
			return nil, err
		}
		body, err := triage.Canonical(e)
		head = headAt{e.ID, e.Hash}
		for _, v := range e.On {
			on = append(on, onRow{v.ID, e.ID})
		}
		return []any{int64(e.ID), body, e.Hash}, err
	})
	if err != nil {
		return headAt{}, err
	}
	return head, each(ctx, db.w, "INSERT INTO journal_on (alert, seq) VALUES (?, ?)", on, func(r onRow) ([]any, error) {
		return []any{string(r.alert), int64(r.seq)}, nil
	})
}

type onRow struct {
	alert triage.AlertID
	seq   triage.MoveID
}

// each runs one prepared statement for every item.
func each[T any](ctx context.Context, c *sql.Conn, query string, items []T, args func(T) ([]any, error)) error {
	if len(items) == 0 {
		return nil
	}
	stmt, err := c.PrepareContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { _ = stmt.Close() }() // a prepared statement holds nothing that could be lost
	for _, it := range items {
		a, err := args(it)
		if err != nil {
			return err
		}
		if _, err := stmt.ExecContext(ctx, a...); err != nil {
			return err
		}
	}
	return nil
}
