package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"bartizan/event"
	"bartizan/triage"
)

// What may wait for the disk before Raise refuses.
const (
	MaxPending      = 100_000  // hits
	MaxPendingBytes = 16 << 20 // evidence
)

// ErrBacklog says that the disk is so far behind (or failing) that no more hits
// can be held: the sources have to wait.
var ErrBacklog = errors.New("too many alerts wait for the disk: detection stops until the board can be written")

// Found is one hit with what the engine has at hand to pin beside it.
type Found struct {
	Hit    triage.Hit
	Before []triage.Evidence // the records just before, oldest first
}

// Desk joins the board with its database: hits and moves come in here, and what
// it shows of moves is on disk. It is safe for concurrent use.
//
// Locks, in this order: order (one Raise, Apply or Wake at a time), disk (one
// transaction at a time), mu (the board in memory, never held over the disk).
type Desk struct {
	db  *DB
	now func() time.Time

	order sync.Mutex
	disk  sync.Mutex
	mu    sync.Mutex

	board   *triage.Board
	pending pending
	changed func()
}

// pending is what was raised and is not yet on disk.
type pending struct {
	alerts   map[triage.AlertID]*triage.Alert
	hits     []triage.HitID
	entries  []triage.Entry
	evidence map[triage.AlertID][]Pinned
	bytes    int
}

// NewDesk joins a board that db.Load made with its database.
func NewDesk(db *DB, board *triage.Board, now func() time.Time) *Desk {
	return &Desk{db: db, board: board, now: now, changed: func() {}}
}

// Notify sets what is called, outside all locks, after the board changed. It
// must be set before the Desk is used and must not block.
func (d *Desk) Notify(changed func()) { d.changed = changed }

// Raise counts hits on the board at once and keeps them, with their evidence,
// for the next Commit. changes is parallel to found. Everything needed is
// copied. The error is ErrBacklog, when nothing was counted, or a hit without a
// rule, when the ones before it were.
func (d *Desk) Raise(found []Found) (changes []triage.Change, err error) {
	if len(found) == 0 {
		return nil, nil
	}
	d.order.Lock()
	defer d.order.Unlock()
	changes, err = d.raise(found)
	if len(changes) > 0 {
		d.changed()
	}
	return changes, err
}

func (d *Desk) raise(found []Found) (changes []triage.Change, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.pending.hits) >= MaxPending || d.pending.bytes >= MaxPendingBytes {
		return nil, ErrBacklog
	}
	now := d.now()
	for i := range found {
		c, err := d.board.Raise(found[i].Hit, now)
		if err != nil {
			return changes, err
		}
		changes = append(changes, c)
		if c.Known {
			continue
		}
		d.pending.hits = append(d.pending.hits, found[i].Hit.ID)
		d.pending.entries = append(d.pending.entries, c.Entries...)
		d.pin(c, &found[i])
	}
	d.pending.take(d.board.Drain())
	return changes, nil
}

// pin keeps the hit's own record and those before it.
func (d *Desk) pin(c triage.Change, f *Found) {
	for i, b := range f.Before[max(0, len(f.Before)-triage.ContextLines):] {
		place := i - min(len(f.Before), triage.ContextLines)
		d.pending.pin(Pinned{c.Alert, c.Nth, place, b})
	}
	e := f.Hit.Event
	if e == nil {
		return
	}
	ref := e.Ref
	if n := len(f.Hit.Refs); n > 0 {
		ref = f.Hit.Refs[n-1]
	} else {
		ref = ref.Sealed(e.Raw)
	}
	d.pending.pin(Pinned{c.Alert, c.Nth, 0, triage.Evidence{
		Ref: ref, Line: e.Line, Time: e.Time, Raw: e.Raw, Format: e.FormatName, Hit: true, Why: slices.Clone(f.Hit.Why),
	}})
}

// Pin keeps records that came after the Nth hit of an alert (a Change has both
// numbers), for the next Commit; at most triage.ContextLines of them.
func (d *Desk) Pin(alert triage.AlertID, nth uint64, after []triage.Evidence) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, e := range after[:min(len(after), triage.ContextLines)] {
		d.pending.pin(Pinned{alert, nth, i + 1, e})
	}
}

// Commit writes what is pending, with how far sources have been read, in one
// transaction. Positions must be of batches whose hits were raised before. On an
// error all that is pending stays so, and the positions were not taken.
func (d *Desk) Commit(ctx context.Context, positions map[event.SourceID]string) error {
	d.disk.Lock()
	defer d.disk.Unlock()
	return d.flush(ctx, Batch{Positions: positions})
}

// flush commits tx after what is pending; disk is held.
func (d *Desk) flush(ctx context.Context, tx Batch) error {
	d.mu.Lock()
	taken := d.pending
	d.pending = pending{}
	d.mu.Unlock()
	taken.fill(&tx)
	if tx.isEmpty() {
		return nil
	}
	err := d.db.Commit(ctx, tx)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		d.pending.putBack(taken)
		return err
	}
	d.board.Settle(taken.hits)
	return nil
}

// Apply makes a person's move: it checks that it is legal and that the person
// saw the alerts as they are, writes it to disk, then changes the board. The
// error is one sentence: triage.ErrStale or triage.ErrIllegal when refused,
// ErrDisk when it could not be written; the board is as before then.
func (d *Desk) Apply(m triage.Move) (triage.MoveID, error) {
	d.order.Lock()
	defer d.order.Unlock()
	d.disk.Lock()
	defer d.disk.Unlock()
	d.mu.Lock()
	e, err := d.board.Check(m)
	if err != nil {
		d.mu.Unlock()
		return 0, err
	}
	after := d.board.Preview(e)
	d.mu.Unlock()
	if err := d.flush(context.Background(), Batch{Raised: after, Entries: []triage.Entry{e}}); err != nil {
		return 0, fmt.Errorf("the move was not made: %w", err)
	}
	d.mu.Lock()
	err = d.board.Commit(e)
	d.board.Drain() // on disk already
	d.mu.Unlock()
	d.changed()
	return e.ID, err
}

// Wake ends snoozes that are over and commits that. It returns how many alerts
// woke; on an error they are awake on the board and pending for the disk.
func (d *Desk) Wake(ctx context.Context) (int, error) {
	d.order.Lock()
	defer d.order.Unlock()
	d.mu.Lock()
	entries := d.board.Wake(d.now())
	d.pending.entries = append(d.pending.entries, entries...)
	d.pending.take(d.board.Drain())
	d.mu.Unlock()
	n := 0
	for _, e := range entries {
		n += len(e.On)
	}
	if n == 0 {
		return 0, nil
	}
	d.changed()
	return n, d.Commit(ctx, nil)
}

// Alerts returns all alerts in queue order as one immutable list; gen changes
// when anything in it does.
func (d *Desk) Alerts() (list []*triage.Alert, gen uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.board.Alerts()
}

// Alert returns the alert as it stands now.
func (d *Desk) Alert(id triage.AlertID) (*triage.Alert, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.board.Alert(id)
}

// LastMove is the newest move of that person that still stands and is not an
// undo: what an undo key means. 0: there is none.
func (d *Desk) LastMove(name string) triage.MoveID {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.board.LastMove(name)
}

// Distrusted lists the hosts that people call compromised now, by name.
func (d *Desk) Distrusted() []triage.Distrust {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.board.Distrusted()
}

// Evidence returns the alert's pinned records, oldest first, also those that
// wait for the disk. It waits for a transaction under way, which has taken from
// what waits and is not on disk yet.
func (d *Desk) Evidence(id triage.AlertID) ([]triage.Evidence, error) {
	d.disk.Lock()
	defer d.disk.Unlock()
	d.mu.Lock()
	waiting := slices.Clone(d.pending.evidence[id])
	d.mu.Unlock()
	list, err := d.db.pinned(context.Background(), id)
	if err != nil {
		return nil, plain(d.db.path, "read the evidence", err)
	}
	return orderly(append(list, waiting...)), nil
}

// Journal returns the newest limit moves on one alert ("" for all), oldest first.
func (d *Desk) Journal(id triage.AlertID, limit int) ([]triage.Entry, error) {
	return d.db.Journal(id, limit)
}

// Entries yields every row of the journal on disk, oldest first.
func (d *Desk) Entries(ctx context.Context) iter.Seq2[triage.Entry, error] { return d.db.Entries(ctx) }

// Head signs where the journal on disk ends now.
func (d *Desk) Head() (triage.Head, error) { return d.db.SignHead(d.now()) }

// Waiting is how many hits wait for the disk.
func (d *Desk) Waiting() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.pending.hits)
}
