package triage

import (
	"fmt"
	"slices"
	"time"

	"bartizan/event"
)

// Board is alerts as they stand now: the fold of the journal and of the hits.
// It is not safe for concurrent use; store.Desk guards it.
type Board struct {
	// Known reports whether a hit was counted in an earlier run; nil: none was.
	Known func(HitID) bool
	// Criticality rates an entity from 0 to 10; nil: all are 0.
	Criticality func(event.Entity) int

	nodes   map[AlertID]*node
	newest  map[string]*node      // by fingerprint: the latest episode
	fresh   map[HitID]AlertID     // counted here and not yet settled
	moves   map[MoveID]*done      // what an undo needs of every move
	acted   map[entityKey][]*node // decided alerts by group entity, at most MaxReraise each
	snoozed map[*node]struct{}    //
	changed map[AlertID]*node     // since the last Drain
	hosts   hosts
	scratch []event.Entity
	last    MoveID
	view    view
}

// node is one alert with what only the board needs of it.
type node struct {
	alert  *Alert
	shared bool    // alert was handed out: the next change makes a copy
	shown  *Alert  // what the sorted list holds
	stale  bool    // shown is not alert, or not there
	moves  []*done // oldest first, without the raise
}

type entityKey struct {
	kind  event.EntityKind
	value string
}

// machine is the actor of the engine's own moves.
var machine = Actor{Name: "bartizan", UID: -1, LoginUID: -1, Session: -1, Machine: true}

// NewBoard returns an empty board.
func NewBoard() *Board {
	return &Board{
		nodes: map[AlertID]*node{}, newest: map[string]*node{}, fresh: map[HitID]AlertID{},
		moves: map[MoveID]*done{}, acted: map[entityKey][]*node{}, snoozed: map[*node]struct{}{},
		changed: map[AlertID]*node{}, hosts: hosts{},
	}
}

// Last is the number of the newest journal row the board has taken in.
func (b *Board) Last() MoveID { return b.last }

// Len is how many alerts there are, in every state.
func (b *Board) Len() int { return len(b.nodes) }

// Alert returns the alert as it stands; the value will not change.
func (b *Board) Alert(id AlertID) (*Alert, bool) {
	n := b.nodes[id]
	if n == nil {
		return nil, false
	}
	n.shared = true
	return n.alert, true
}

// Drain returns the alerts that changed since the last call, as they stand, in
// no order.
func (b *Board) Drain() []*Alert {
	out := make([]*Alert, 0, len(b.changed))
	for _, n := range b.changed {
		n.shared = true
		out = append(out, n.alert)
	}
	clear(b.changed)
	return out
}

// Settle forgets hits that are on disk now: from here on Known answers for them.
func (b *Board) Settle(ids []HitID) {
	for _, id := range ids {
		delete(b.fresh, id)
	}
}

// edit returns the node's alert for changing, a copy if somebody may hold it.
func (b *Board) edit(n *node) *Alert {
	if n.shared {
		c := *n.alert
		n.alert, n.shared = &c, false
	}
	b.changed[n.alert.ID] = n
	b.view.touch(n)
	return n.alert
}

// Commit applies a journal row that Check made, after it is on disk.
func (b *Board) Commit(e Entry) error {
	if e.ID != b.last+1 {
		return fmt.Errorf("journal row %d cannot follow row %d on the board", e.ID, b.last)
	}
	for _, v := range e.On {
		if b.nodes[v.ID] == nil {
			return fmt.Errorf("journal row %d is about alert %s, which is not on the board", e.ID, v.ID.short())
		}
	}
	b.apply(e)
	return nil
}

// Preview returns the alerts as they will stand once e is committed.
func (b *Board) Preview(e Entry) []*Alert {
	out := make([]*Alert, 0, len(e.On))
	for _, v := range e.On {
		if n := b.nodes[v.ID]; n != nil {
			c := *n.alert
			b.moved(&c, e)
			out = append(out, &c)
		}
	}
	return out
}

// apply changes the board by one row. Alerts it does not know are passed over.
func (b *Board) apply(e Entry) {
	d := b.remember(e)
	for _, v := range e.On {
		n := b.nodes[v.ID]
		if n == nil {
			continue
		}
		if d != nil {
			d.on, d.before = append(d.on, n), append(d.before, standingOf(n.alert))
			n.moves = append(n.moves, d)
		}
		a := b.edit(n)
		b.moved(a, e)
		rank(a)
		b.file(n)
	}
	if e.Do == DoUndo {
		b.setUndone(b.moves[e.Undoes], e.ID)
	}
	if e.Host != "" {
		b.trusted(e, d)
	}
	b.last = e.ID
}

// file keeps the board's own lists in step with the alert's state.
func (b *Board) file(n *node) {
	if n.alert.State == StateSnoozed {
		b.snoozed[n] = struct{}{}
	} else {
		delete(b.snoozed, n)
	}
	for _, e := range n.alert.Group {
		k := entityKey{e.Kind, e.Value}
		list := slices.DeleteFunc(b.acted[k], func(o *node) bool { return o == n })
		if n.alert.ActedCount > 0 && telling(e) {
			list = append(list, n)
			list = list[max(0, len(list)-MaxReraise):]
		}
		if len(list) == 0 {
			delete(b.acted, k)
		} else {
			b.acted[k] = list
		}
	}
}

// moved changes a by the row e: the one place that says what moves do.
func (b *Board) moved(a *Alert, e Entry) {
	if e.Do == DoReveal { // it decides nothing, and must not make the decisions of others stale
		return
	}
	a.Version++
	a.Notes += b.noteDelta(e)
	if b.noteLike(e) {
		return
	}
	s := standing{state: legalFrom[e.Do].to, owner: e.By.Name}
	switch e.Do {
	case DoClose:
		s.verdict = e.Verdict
	case DoSnooze:
		s.until = e.Until
	case DoReopen, DoRaise:
		s.owner = ""
	case DoWake, DoReraise:
		s.owner, s.reraised = "", e.Note
		if a.State == StateTaken {
			s.state, s.owner = StateTaken, a.Owner
		}
	case DoUndo:
		s = b.moves[e.Undoes].beforeOf(a.ID)
	}
	s.put(a)
	a.ActedCount = 0
	if !e.By.Machine && a.State != StateNew {
		a.ActedCount = max(a.Count, 1)
	}
}

// Wake ends the snoozes that are over and returns the row, if any; it is
// already applied.
func (b *Board) Wake(now time.Time) []Entry {
	var on []*node
	for n := range b.snoozed {
		if !n.alert.Until.After(now) {
			on = append(on, n)
		}
	}
	if len(on) == 0 {
		return nil
	}
	slices.SortFunc(on, func(x, y *node) int { return byRisk(x.alert, y.alert) })
	return []Entry{b.machineMove(DoWake, now, "snooze ended", on...)}
}

// machineMove makes and applies a row of the engine's own.
func (b *Board) machineMove(do Do, now time.Time, note string, on ...*node) Entry {
	e := Entry{ID: b.last + 1, At: now.Round(0).UTC(), By: machine, Do: do, Note: note}
	for _, n := range on {
		e.On = append(e.On, AlertVersion{n.alert.ID, n.alert.Version})
		e.From = append(e.From, n.alert.State)
	}
	e.To = legalFrom[do].to
	if do == DoReraise && on[0].alert.State == StateTaken {
		e.To = StateTaken
	}
	b.apply(e)
	return e
}
