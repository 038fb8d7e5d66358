package triage

import (
	"slices"
	"time"
)

// done is what an undo needs of a move that was made.
type done struct {
	id       MoveID
	do       Do
	by       string
	machine  bool
	noteLike bool   // a note, or an undo of one: it changed no state
	notes    int    // what it added to the count of notes
	undoes   MoveID //
	undoneBy MoveID // 0: it stands
	host     string // that it is about, or the move it undoes
	on       []*node
	before   []standing // parallel to on
}

// standing is what a move changes and an undo puts back.
type standing struct {
	state    State
	verdict  Verdict
	owner    string
	until    time.Time
	reraised string
}

func standingOf(a *Alert) standing {
	return standing{a.State, a.Verdict, a.Owner, a.Until, a.Reraised}
}

func (s standing) put(a *Alert) {
	a.State, a.Verdict, a.Owner, a.Until, a.Reraised = s.state, s.verdict, s.owner, s.until, s.reraised
}

// beforeOf is how the alert stood before the move.
func (d *done) beforeOf(id AlertID) standing {
	for i, n := range d.on {
		if n.alert.ID == id {
			return d.before[i]
		}
	}
	return standing{state: StateNew}
}

// remember files the move for undoing; a raise needs none.
func (b *Board) remember(e Entry) *done {
	if e.Do == DoRaise {
		return nil
	}
	d := &done{id: e.ID, do: e.Do, by: e.By.Name, machine: e.By.Machine, undoes: e.Undoes}
	d.noteLike, d.notes, d.host = b.noteLike(e), b.noteDelta(e), e.Host
	b.moves[e.ID] = d
	return d
}

// noteLike reports whether the row is a note or the undo of one.
func (b *Board) noteLike(e Entry) bool {
	if e.Do == DoUndo {
		return b.moves[e.Undoes].noteLike
	}
	return e.Do == DoNote || e.Do == DoReveal
}

// noteDelta is what the row adds to the count of notes that stand.
func (b *Board) noteDelta(e Entry) int {
	n := 0
	if e.Note != "" && !e.By.Machine && e.Do != DoReveal {
		n = 1
	}
	if e.Do == DoUndo {
		n -= b.moves[e.Undoes].notes
	}
	return n
}

// setUndone marks a move as undone by a later one (0: it stands again), and what
// it had undone itself the other way round.
func (b *Board) setUndone(d *done, by MoveID) {
	for d != nil {
		d.undoneBy = by
		if by == 0 {
			by = d.id
		} else {
			by = 0
		}
		d = b.moves[d.undoes]
	}
}

// checkUndo says whether the move m.Undoes can be undone now.
func (b *Board) checkUndo(m Move) (Entry, error) {
	d := b.moves[m.Undoes]
	switch {
	case d == nil && m.Undoes <= b.last:
		return Entry{}, illegal("row %d of the journal is the engine's own: it cannot be undone", m.Undoes)
	case d == nil:
		return Entry{}, illegal("there is no move %d to undo", m.Undoes)
	case d.machine:
		return Entry{}, illegal("move %d (%s) is the engine's own: it cannot be undone", d.id, d.do)
	case d.do == DoReveal:
		return Entry{}, illegal("move %d cannot be undone: what was shown was seen", d.id)
	case d.undoneBy != 0:
		return Entry{}, illegal("move %d is undone already, by move %d: undo that one to make it again", d.id, d.undoneBy)
	}
	if err := b.hostStands(d); err != nil {
		return Entry{}, err
	}
	for _, n := range d.on {
		if l := n.laterThan(d); l != nil && !d.noteLike {
			return Entry{}, illegal("move %d cannot be undone while move %d (%s by %s) on alert %s stands: undo that one first",
				d.id, l.id, l.do, l.by, n.alert.ID.short())
		}
	}
	return b.undoEntry(m, d)
}

// laterThan finds the newest move on the alert that d must wait for: one that
// stands, and is not merely the undo of another one later than d.
func (n *node) laterThan(d *done) *done {
	for _, l := range slices.Backward(n.moves) {
		if l.id <= d.id {
			break
		}
		if l.undoneBy == 0 && !l.noteLike && l.undoes <= d.id {
			return l
		}
	}
	return nil
}

// undoEntry makes the row, on all alerts of the undone move.
func (b *Board) undoEntry(m Move, d *done) (Entry, error) {
	if len(m.On) != 0 && len(m.On) != len(d.on) {
		return Entry{}, illegal("move %d was about %d alerts, the undo names %d: leave them out or name all", d.id, len(d.on), len(m.On))
	}
	for _, v := range m.On {
		n, err := b.seen(v)
		if err != nil {
			return Entry{}, err
		}
		if !slices.Contains(n.moves, d) {
			return Entry{}, illegal("move %d was not about alert %s", d.id, v.ID.short())
		}
	}
	e := b.entry(m, nil)
	e.Host = d.host
	for _, n := range d.on {
		e.On = append(e.On, AlertVersion{n.alert.ID, n.alert.Version})
		e.From = append(e.From, n.alert.State)
	}
	e.To = d.backTo()
	return e, nil
}

// backTo is the state an undo of d leads to; "" when it changes none or the
// alerts go back to different ones.
func (d *done) backTo() State {
	if d.noteLike || len(d.before) == 0 {
		return ""
	}
	for _, s := range d.before {
		if s.state != d.before[0].state {
			return ""
		}
	}
	return d.before[0].state
}

// LastMove is the newest move of that person that still stands and is not an
// undo: what an undo key means. 0: there is none.
func (b *Board) LastMove(name string) MoveID {
	for id := b.last; id > 0; id-- {
		if d := b.moves[id]; d != nil && d.by == name && !d.machine && d.undoneBy == 0 && d.do != DoUndo && d.do != DoReveal {
			return id
		}
	}
	return 0
}
