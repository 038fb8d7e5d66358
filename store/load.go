package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"bartizan/event"
	"bartizan/triage"
)

// Load makes the board as it stands on disk: the journal folded over the stored
// alerts. mended has one sentence for every alert whose stored row did not say
// what the journal says (the journal wins): somebody changed the database.
func (db *DB) Load() (board *triage.Board, mended []string, err error) {
	ctx := context.Background()
	conn, err := db.snapshot(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer db.endSnapshot(conn)
	alerts, err := readAlerts(ctx, conn)
	if err != nil {
		return nil, nil, plain(db.path, "read the alerts", err)
	}
	board, mended, err = triage.Restore(alerts, journalRows(ctx, conn, toFold))
	if err != nil {
		return nil, nil, plain(db.path, "read the journal", err)
	}
	board.Known = db.SeenHit
	return board, mended, nil
}

// snapshot is a connection that sees one moment of the database.
func (db *DB) snapshot(ctx context.Context) (*sql.Conn, error) {
	conn, err := db.readers.Conn(ctx)
	if err != nil {
		return nil, plain(db.path, "read the board", err)
	}
	if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
		_ = conn.Close() // it held nothing
		return nil, plain(db.path, "read the board", err)
	}
	return conn, nil
}

func (db *DB) endSnapshot(conn *sql.Conn) {
	_, _ = conn.ExecContext(context.Background(), "COMMIT") // it only read
	_ = conn.Close()
}

// readAlerts reads the stored alerts; several goroutines take them apart, which
// is most of what opening a large board costs.
func readAlerts(ctx context.Context, c querier) ([]*triage.Alert, error) {
	rows, err := c.QueryContext(ctx, "SELECT id, body, sample FROM alerts")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // rows.Err tells
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	var parts [][]*triage.Alert
	for more := true; more; {
		var part []storedAlert
		if part, more, err = nextAlerts(rows); err != nil {
			return nil, errors.Join(err, group.Wait())
		}
		out := make([]*triage.Alert, len(part))
		parts = append(parts, out)
		group.Go(func() error { return unpackAlerts(part, out) })
	}
	if err := errors.Join(group.Wait(), rows.Err()); err != nil {
		return nil, err
	}
	return slices.Concat(parts...), nil
}

type storedAlert struct {
	id           string
	body, sample []byte
}

// nextAlerts reads a part of the rows; more is false after the last.
func nextAlerts(rows *sql.Rows) (part []storedAlert, more bool, err error) {
	for len(part) < 1000 {
		if !rows.Next() {
			return part, false, nil
		}
		var a storedAlert
		if err := rows.Scan(&a.id, &a.body, &a.sample); err != nil {
			return nil, false, err
		}
		part = append(part, a)
	}
	return part, true, nil
}

func unpackAlerts(part []storedAlert, out []*triage.Alert) error {
	for i, s := range part {
		a := &triage.Alert{}
		if err := json.Unmarshal(s.body, a); err != nil || string(a.ID) != s.id {
			return fmt.Errorf("the row of alert %.60q is damaged (%w); restore the board from a backup", s.id, err)
		}
		a.Sample = string(s.sample)
		out[i] = a
	}
	return nil
}

// reading is how much of a journal row is wanted.
type reading int

const (
	toShow  reading = iota // every field
	toFold                 // what triage.Restore needs; of a raise nothing else
	toProve                // every field, and the stored bytes must be the canonical ones
)

// journalRows yields the journal in order. The hashes are not checked here.
func journalRows(ctx context.Context, c querier, how reading) iter.Seq2[triage.Entry, error] {
	return func(yield func(triage.Entry, error) bool) {
		rows, err := c.QueryContext(ctx, "SELECT seq, body, hash FROM journal ORDER BY seq")
		if err != nil {
			yield(triage.Entry{}, err)
			return
		}
		defer func() { _ = rows.Close() }() // rows.Err tells
		for rows.Next() {
			e, err := scanEntry(rows, how)
			if !yield(e, err) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(triage.Entry{}, err)
		}
	}
}

func scanEntry(rows *sql.Rows, how reading) (triage.Entry, error) {
	var seq int64
	var body sql.RawBytes
	var e triage.Entry
	var hash string
	if err := rows.Scan(&seq, &body, &hash); err != nil {
		return e, err
	}
	if how == toFold && quickRaise(body, &e) {
		hash = "" // not wanted either
	} else if err := json.Unmarshal(body, &e); err != nil {
		return e, &triage.ChainError{Row: triage.MoveID(seq), Reason: "was changed: it cannot be read"}
	}
	if e.ID != triage.MoveID(seq) {
		return e, &triage.ChainError{Row: triage.MoveID(seq), Reason: fmt.Sprintf("was changed: it calls itself row %d", e.ID)}
	}
	e.Hash = hash
	if how == toProve {
		if want, err := triage.Canonical(e); err != nil || !bytes.Equal(want, body) {
			return e, &triage.ChainError{Row: e.ID, Reason: "was changed: its bytes are not as they were written"}
		}
	}
	return e, nil
}

// quickRaise reads what the fold needs of a raise, the commonest row by far,
// without taking all of its JSON apart. What it does not recognise to the letter
// it leaves alone.
func quickRaise(body []byte, e *triage.Entry) bool {
	head, rest, ok := bytes.Cut(body, []byte(`,"do":"raise","on":[{"id":"`))
	if !ok || !bytes.HasPrefix(head, []byte(`{"seq":`)) || bytes.IndexByte(head, '\\') >= 0 {
		return false
	}
	id, rest, ok := bytes.Cut(rest, []byte(`","version":0}],"from":[""],"to":"new","verdict":"","prev":"`))
	seq, _, _ := bytes.Cut(head[len(`{"seq":`):], []byte(","))
	n, err := strconv.ParseUint(string(seq), 10, 63)
	if !ok || err != nil || bytes.ContainsAny(id, `"\`) || len(rest) > 66 {
		return false
	}
	*e = triage.Entry{ID: triage.MoveID(n), Do: triage.DoRaise, On: []triage.AlertVersion{{ID: triage.AlertID(id)}}}
	return true
}

// Positions returns where each source stood at the last commit.
func (db *DB) Positions() (map[event.SourceID]string, error) {
	rows, err := db.readers.QueryContext(context.Background(), "SELECT source, position FROM positions")
	if err != nil {
		return nil, plain(db.path, "read the positions", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells
	out := map[event.SourceID]string{}
	for rows.Next() {
		var source, pos string
		if err := rows.Scan(&source, &pos); err != nil {
			return nil, plain(db.path, "read the positions", err)
		}
		out[event.SourceID(source)] = pos
	}
	return out, plain(db.path, "read the positions", rows.Err())
}

// SeenHit reports whether the hit is on disk. A new hit costs a few memory
// reads; only a known one (or one in some hundreds) asks the database.
func (db *DB) SeenHit(id triage.HitID) bool {
	if !db.known.maybe(id) {
		return false
	}
	var one int
	err := db.readers.QueryRowContext(context.Background(), "SELECT 1 FROM hits WHERE id = ?", id[:]).Scan(&one)
	return err == nil
}

// loadHits fills the quick answer for hits that were never seen.
func (db *DB) loadHits(ctx context.Context) error {
	var n int64
	if err := db.w.QueryRowContext(ctx, "SELECT count(*) FROM hits").Scan(&n); err != nil {
		return plain(db.path, "read the hits", err)
	}
	db.known = newBloom(n)
	rows, err := db.w.QueryContext(ctx, "SELECT id FROM hits")
	if err != nil {
		return plain(db.path, "read the hits", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells
	var raw sql.RawBytes
	for rows.Next() {
		if err := rows.Scan(&raw); err != nil {
			return plain(db.path, "read the hits", err)
		}
		var id triage.HitID
		copy(id[:], raw)
		db.known.add(id)
	}
	return plain(db.path, "read the hits", rows.Err())
}

// bloom answers "never seen" for sure. Hit ids are hashes already, so their own
// bytes choose the bits.
type bloom []atomic.Uint64

// newBloom makes room for n ids and as many again, at least half a million.
func newBloom(n int64) bloom {
	bits := uint64(1) << 23
	for bits < uint64(n)*32 && bits < 1<<33 {
		bits <<= 1
	}
	return make(bloom, bits/64)
}

func (b bloom) places(id triage.HitID) (p [3]uint64) {
	lo, hi := binary.BigEndian.Uint64(id[:8]), binary.BigEndian.Uint64(id[8:])
	for i := range p {
		p[i] = (lo + uint64(i)*(hi|1)) % (uint64(len(b)) * 64)
	}
	return p
}

func (b bloom) add(id triage.HitID) {
	for _, p := range b.places(id) {
		b[p/64].Or(1 << (p % 64))
	}
}

func (b bloom) maybe(id triage.HitID) bool {
	if len(b) == 0 {
		return true
	}
	for _, p := range b.places(id) {
		if b[p/64].Load()&(1<<(p%64)) == 0 {
			return false
		}
	}
	return true
}
