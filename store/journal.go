package store

import (
	"context"
	"iter"
	"slices"

	"bartizan/triage"
)

// journalPage is how many rows of the journal are read at a time.
const journalPage = 1000

// Entries yields every row of the journal as it stood when the reading began,
// oldest first. It reads a page at a time and holds no transaction between two,
// so a slow reader costs little memory and delays nobody.
func (db *DB) Entries(ctx context.Context) iter.Seq2[triage.Entry, error] {
	return func(yield func(triage.Entry, error) bool) {
		end, err := db.Journal("", 1)
		after := triage.MoveID(0)
		for err == nil && len(end) > 0 && after < end[0].ID {
			var page []triage.Entry
			if page, err = db.journalAfter(ctx, after, min(journalPage, int(end[0].ID-after))); len(page) == 0 {
				break
			}
			for i := range page {
				if !yield(page[i], nil) {
					return
				}
			}
			after = page[len(page)-1].ID
		}
		if err != nil {
			yield(triage.Entry{}, err)
		}
	}
}

// journalAfter returns up to n rows after a move, oldest first.
func (db *DB) journalAfter(ctx context.Context, after triage.MoveID, n int) ([]triage.Entry, error) {
	return db.entries(ctx, "SELECT seq, body, hash FROM journal WHERE seq > ? ORDER BY seq LIMIT ?", int64(after), n)
}

// Journal returns the newest limit moves on one alert ("" for all alerts),
// oldest first. A limit of 0 is 1,000.
func (db *DB) Journal(id triage.AlertID, limit int) ([]triage.Entry, error) {
	if limit <= 0 {
		limit = journalPage
	}
	query, args := "SELECT seq, body, hash FROM journal ORDER BY seq DESC LIMIT ?", []any{limit}
	if id != "" {
		query = `SELECT j.seq, j.body, j.hash FROM journal_on o JOIN journal j ON j.seq = o.seq
			WHERE o.alert = ? ORDER BY o.seq DESC LIMIT ?`
		args = []any{string(id), limit}
	}
	out, err := db.entries(context.Background(), query, args...)
	slices.Reverse(out)
	return out, err
}

// entries returns the rows that a query selects.
func (db *DB) entries(ctx context.Context, query string, args ...any) ([]triage.Entry, error) {
	rows, err := db.readers.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, plain(db.path, "read the journal", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells
	var out []triage.Entry
	for rows.Next() {
		e, err := scanEntry(rows, toShow)
		if err != nil {
			return nil, plain(db.path, "read the journal", err)
		}
		out = append(out, e)
	}
	return out, plain(db.path, "read the journal", rows.Err())
}
