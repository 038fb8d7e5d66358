package store

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"bartizan/event"
	"bartizan/triage"
)

// How many bytes of a pinned record are kept: its reference holds the length and
// hash of the whole.
const (
	MaxPinned        = 256 << 10 // of a record that hit
	MaxPinnedContext = 32 << 10  // of one before or after it
)

// Pinned is one record of evidence: the Nth hit's own (Place 0), or the record
// Place before (negative) or after it.
type Pinned struct {
	Alert triage.AlertID
	Nth   uint64
	Place int
	triage.Evidence
}

// trimmed reports whether the record is neither among the first nor the last
// that are kept, when there are count hits.
func (p Pinned) trimmed(count uint64) bool {
	return p.Nth > triage.MaxEvidence && p.Nth+triage.MaxEvidence <= count
}

// own cuts and copies the record, so that it outlives its batch.
func (p Pinned) own() Pinned {
	limit := MaxPinnedContext
	if p.Hit {
		limit = MaxPinned
	}
	p.Raw = bytes.Clone(p.Raw[:min(len(p.Raw), limit)])
	return p
}

// size is roughly what the record takes in memory.
func (p Pinned) size() int { return 512 + len(p.Raw) }

// refRow is a reference as it is stored.
type refRow struct {
	Source event.SourceID `json:"source"`
	Epoch  uint64         `json:"epoch,omitempty"`
	Dev    uint64         `json:"dev,omitempty"`
	Ino    uint64         `json:"ino,omitempty"`
	Offset int64          `json:"offset"`
	Len    int32          `json:"len"`
	Hash   []byte         `json:"hash"`
}

func packRef(r event.Ref) ([]byte, error) {
	return json.Marshal(refRow{r.Source, r.Epoch, r.File.Dev, r.File.Ino, r.Offset, r.Len, r.Hash[:]})
}

func unpackRef(b []byte) (event.Ref, error) {
	var r refRow
	if err := json.Unmarshal(b, &r); err != nil {
		return event.Ref{}, err
	}
	ref := event.Ref{Source: r.Source, Epoch: r.Epoch, File: event.FileID{Dev: r.Dev, Ino: r.Ino}, Offset: r.Offset, Len: r.Len}
	copy(ref.Hash[:], r.Hash)
	return ref, nil
}

// writeEvidence adds the records and drops those between first and last.
func (db *DB) writeEvidence(ctx context.Context, list []Pinned) error {
	const insert = `INSERT OR IGNORE INTO evidence (alert, nth, place, ref, line, time, format, hit, why, raw)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	newest := map[triage.AlertID]uint64{}
	err := each(ctx, db.w, insert, list, func(p Pinned) ([]any, error) {
		newest[p.Alert] = max(newest[p.Alert], p.Nth)
		ref, err := packRef(p.Ref)
		if err != nil {
			return nil, err
		}
		why, err := json.Marshal(p.Why)
		return []any{
			string(p.Alert), int64(p.Nth), p.Place, ref, p.Line, p.Time.UTC().Format(time.RFC3339Nano),
			p.Format, p.Hit, why, slices.Concat([]byte{}, p.Raw),
		}, err
	})
	if err != nil {
		return err
	}
	for id, n := range newest {
		if n <= 2*triage.MaxEvidence {
			continue
		}
		_, err := db.w.ExecContext(ctx, "DELETE FROM evidence WHERE alert = ? AND nth > ? AND nth <= ?",
			string(id), triage.MaxEvidence, int64(n-triage.MaxEvidence))
		if err != nil {
			return err
		}
	}
	return nil
}

// Evidence returns the alert's pinned records, oldest first.
func (db *DB) Evidence(id triage.AlertID) ([]triage.Evidence, error) {
	list, err := db.pinned(context.Background(), id)
	if err != nil {
		return nil, plain(db.path, "read the evidence", err)
	}
	return orderly(list), nil
}

func (db *DB) pinned(ctx context.Context, id triage.AlertID) ([]Pinned, error) {
	rows, err := db.readers.QueryContext(ctx, `SELECT nth, place, ref, line, time, format, hit, why, raw
		FROM evidence WHERE alert = ? ORDER BY nth, place`, string(id))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // rows.Err tells
	var out []Pinned
	for rows.Next() {
		p := Pinned{Alert: id}
		var ref, why []byte
		var at string
		if err := rows.Scan(&p.Nth, &p.Place, &ref, &p.Line, &at, &p.Format, &p.Hit, &why, &p.Raw); err != nil {
			return nil, err
		}
		if p.Ref, err = unpackRef(ref); err != nil {
			return nil, fmt.Errorf("the evidence of alert %s is damaged: %w", id, err)
		}
		if p.Time, err = time.Parse(time.RFC3339Nano, at); err != nil {
			return nil, fmt.Errorf("the evidence of alert %s is damaged: %w", id, err)
		}
		if err := json.Unmarshal(why, &p.Why); err != nil {
			return nil, fmt.Errorf("the evidence of alert %s is damaged: %w", id, err)
		}
		out = append(out, p)
	}
	return out, rows.Err()
}

// orderly sorts records: hits by time, each with what came before and after it in
// its source around it, whatever time those carry. A record pinned twice (as a
// hit, and as what came before another one) is folded.
func orderly(list []Pinned) []triage.Evidence {
	hitAt := map[uint64]time.Time{}
	for _, p := range list {
		if p.Place == 0 {
			hitAt[p.Nth] = p.Time
		}
	}
	slices.SortStableFunc(list, func(a, b Pinned) int {
		return cmp.Or(hitAt[a.Nth].Compare(hitAt[b.Nth]), cmp.Compare(a.Nth, b.Nth), cmp.Compare(a.Place, b.Place))
	})
	type place struct {
		source event.SourceID
		epoch  uint64
		offset int64
		line   int64
		hash   [16]byte
	}
	at := map[place]int{}
	out := make([]triage.Evidence, 0, len(list))
	for _, p := range list {
		k := place{p.Ref.Source, p.Ref.Epoch, p.Ref.Offset, p.Line, p.Ref.Hash}
		i, twice := at[k]
		if !twice {
			at[k] = len(out)
			out = append(out, p.Evidence)
		} else if p.Hit && !out[i].Hit {
			out[i] = p.Evidence
		}
	}
	return out
}
