package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"bartizan/triage"
)

// Verify proves the journal against anchors held elsewhere: see
// triage.VerifyChain. It also checks that every alert stands as the journal
// says, and that anchors were signed with a key of this board. It may run while
// an engine works: it sees one moment.
func (db *DB) Verify(anchors ...triage.Head) (triage.Proof, error) {
	ctx := context.Background()
	conn, err := db.snapshot(ctx)
	if err != nil {
		return triage.Proof{}, err
	}
	defer db.endSnapshot(conn)
	if err := ownAnchors(ctx, conn, anchors); err != nil {
		return triage.Proof{}, err
	}
	proof, err := triage.VerifyChain(journalRows(ctx, conn, toProve), anchors...)
	if err != nil {
		return proof, chainError(db.path, err)
	}
	alerts, err := readAlerts(ctx, conn)
	if err != nil {
		return proof, plain(db.path, "read the alerts", err)
	}
	_, mended, err := triage.Restore(alerts, journalRows(ctx, conn, toFold))
	if err == nil && len(mended) > 0 {
		err = fmt.Errorf("the journal is whole, but %s", mended[0])
	}
	if err == nil {
		err = wholeIndex(ctx, conn)
	}
	return proof, err
}

// ownAnchors refuses anchors of another board.
func ownAnchors(ctx context.Context, c querier, anchors []triage.Head) error {
	for _, a := range anchors {
		var n int
		if err := c.QueryRowContext(ctx, "SELECT count(*) FROM keys WHERE public_key = ?", a.PublicKey).Scan(&n); err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("the anchor for row %d was signed with the key %.16s…, which is not of this board: it is another board's anchor, or the board was replaced", a.Seq, a.PublicKey)
		}
	}
	return nil
}

// wholeIndex checks that the list of rows per alert leaves none out.
func wholeIndex(ctx context.Context, c querier) error {
	var missing int64
	err := c.QueryRowContext(ctx, `SELECT count(*) FROM journal j, json_each(j.body, '$.on') v
		WHERE NOT EXISTS (SELECT 1 FROM journal_on o WHERE o.seq = j.seq AND o.alert = json_extract(v.value, '$.id'))`).Scan(&missing)
	if err == nil && missing > 0 {
		err = fmt.Errorf("the journal is whole, but %d entries of its index by alert were removed: restore the board from a backup", missing)
	}
	return err
}

// Info is what a board looks like from outside.
type Info struct {
	Path     string                 `json:"path"`
	Schema   int                    `json:"schema"`
	Bytes    int64                  `json:"bytes"`  // database and write-ahead log
	Free     int64                  `json:"free"`   // on its file system, -1 unknown
	Engine   int                    `json:"engine"` // pid of the engine that owns it, 0 none known
	Rows     triage.MoveID          `json:"rows"`   // of the journal
	Hash     string                 `json:"hash"`   // of the last row
	Alerts   map[triage.State]int64 `json:"alerts"`
	Hits     int64                  `json:"hits"`
	Evidence int64                  `json:"evidence"`
	Keys     []string               `json:"keys"`     // public keys, base64
	Anchored map[string]string      `json:"anchored"` // place -> time of the newest anchor
}

// Info describes the board, also while an engine works.
func (db *DB) Info() (Info, error) {
	ctx := context.Background()
	conn, err := db.snapshot(ctx)
	if err != nil {
		return Info{}, err
	}
	defer db.endSnapshot(conn)
	i := Info{Path: db.path, Bytes: db.size(), Free: freeBytes(db.dir), Engine: db.engine(), Alerts: map[triage.State]int64{}, Anchored: map[string]string{}}
	err = i.fill(ctx, conn)
	return i, plain(db.path, "describe the board", err)
}

func (i *Info) fill(ctx context.Context, c querier) error {
	for q, to := range map[string]*int64{"SELECT count(*) FROM hits": &i.Hits, "SELECT count(*) FROM evidence": &i.Evidence} {
		if err := c.QueryRowContext(ctx, q).Scan(to); err != nil {
			return err
		}
	}
	if err := c.QueryRowContext(ctx, "PRAGMA user_version").Scan(&i.Schema); err != nil {
		return err
	}
	head, err := readHead(ctx, c, i.Path)
	if err != nil {
		return err
	}
	i.Rows, i.Hash = head.seq, head.hash
	err = pairs(ctx, c, "SELECT json_extract(body, '$.state'), count(*) FROM alerts GROUP BY 1", func(state string, n int64) {
		i.Alerts[triage.State(state)] = n
	})
	if err != nil {
		return err
	}
	err = pairs(ctx, c, "SELECT public_key, since FROM keys ORDER BY since", func(key string, _ int64) { i.Keys = append(i.Keys, key) })
	if err != nil {
		return err
	}
	return pairs(ctx, c, "SELECT place, json_extract(head, '$.at') FROM anchored", func(place, at string) { i.Anchored[place] = at })
}

// pairs runs a query of two columns.
func pairs[A, B any](ctx context.Context, c querier, query string, found func(A, B)) error {
	rows, err := c.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // rows.Err tells
	for rows.Next() {
		var a A
		var b B
		if err := rows.Scan(&a, &b); err != nil {
			return err
		}
		found(a, b)
	}
	return rows.Err()
}

// size is the bytes of the database with what SQLite keeps beside it.
func (db *DB) size() (n int64) {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if info, err := os.Stat(db.path + suffix); err == nil {
			n += info.Size()
		}
	}
	return n
}

// engine reads the pid in the lock file; it is empty after a clean end.
func (db *DB) engine() int {
	f, err := os.Open(filepath.Join(db.dir, lockFile))
	if err != nil {
		return 0
	}
	defer func() { _ = f.Close() }() // it was only read
	return holder(f)
}

// Retention says what may be forgotten. Alerts, evidence and journal never are.
type Retention struct {
	Hits time.Duration // how long hit ids are kept; 0 is for ever
}

// Prune forgets what the retention allows and returns how many rows went. A hit
// that is forgotten would be counted again if its record were read again, so
// Hits should be far longer than any source's way back.
func (db *DB) Prune(ctx context.Context, keep Retention) (int64, error) {
	if keep.Hits <= 0 {
		return 0, nil
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.w == nil {
		return 0, ErrReadOnly
	}
	res, err := db.w.ExecContext(ctx, "DELETE FROM hits WHERE at < ?", db.now().Add(-keep.Hits).Unix())
	if err != nil {
		return 0, plain(db.path, "forget old hits", err)
	}
	return res.RowsAffected()
}

// chainError leaves a finding of the chain as it is and explains anything else.
func chainError(path string, err error) error {
	var c *triage.ChainError
	if errors.As(err, &c) {
		return err
	}
	return plain(path, "read the journal", err)
}
