package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"bartizan/attach"
	"bartizan/store"
	"bartizan/triage"
)

// ask is a script's question to a board: by socket where an engine holds it, in
// this process where none does.
type ask struct {
	Verb    string    `json:"verb"`
	Env     []string  `json:"env,omitempty"`
	IDs     []string  `json:"ids,omitempty"`
	State   string    `json:"state,omitempty"` // list: only these
	Verdict string    `json:"verdict,omitempty"`
	Until   time.Time `json:"until,omitzero"`
	Note    string    `json:"note,omitempty"`
	Undoes  uint64    `json:"undoes,omitempty"`
	Host    string    `json:"host,omitempty"` // mark, trust
}

// desk is the board as scripts need it.
type desk interface {
	Alerts() ([]*triage.Alert, uint64)
	Alert(triage.AlertID) (*triage.Alert, bool)
	Evidence(triage.AlertID) ([]triage.Evidence, error)
	Journal(triage.AlertID, int) ([]triage.Entry, error)
	Entries(context.Context) iter.Seq2[triage.Entry, error]
	Distrusted() []triage.Distrust
	Apply(triage.Move) (triage.MoveID, error)
}

// shown is an alert with all that is known of it.
type shown struct {
	*triage.Alert
	Journal  []triage.Entry `json:"journal"`
	Evidence []pinned       `json:"evidence"`
}

// pinned is one evidence record for JSON.
type pinned struct {
	Source string    `json:"source"`
	Line   int64     `json:"line,omitempty"`
	Offset int64     `json:"offset"`
	Time   time.Time `json:"time"`
	Hash   string    `json:"sha256_128"`
	Hit    bool      `json:"hit"`
	Raw    []byte    `json:"raw_b64"`
	Text   string    `json:"raw"`
}

// made is the answer to a move.
type made struct {
	Move   triage.MoveID   `json:"move"`
	Alerts []*triage.Alert `json:"alerts"`
}

// answer does what is asked on the desk.
func answer(ctx context.Context, d desk, by triage.Actor, q ask, reply func(any) error) error {
	switch q.Verb {
	case "list":
		return answerList(ctx, d, q, reply)
	case "show":
		return answerShow(d, q, reply)
	case "journal":
		return answerJournal(ctx, d, reply)
	case "hosts":
		return answerHosts(d, reply)
	case "mark", "trust":
		return answerHost(d, by, q, reply)
	}
	return answerMove(d, by, q, reply)
}

func answerList(ctx context.Context, d desk, q ask, reply func(any) error) error {
	all, _ := d.Alerts()
	for _, a := range all {
		if q.State != "all" && !strings.Contains(","+q.State+",", ","+string(a.State)+",") {
			continue
		}
		if err := errors.Join(ctx.Err(), reply(a)); err != nil {
			return err
		}
	}
	return nil
}

func answerShow(d desk, q ask, reply func(any) error) error {
	list, err := resolve(d, q.IDs)
	if err != nil {
		return err
	}
	for _, a := range list {
		s := shown{Alert: a}
		if s.Journal, err = d.Journal(a.ID, 1000); err != nil {
			return err
		}
		ev, err := d.Evidence(a.ID)
		if err != nil {
			return err
		}
		for _, e := range ev {
			s.Evidence = append(s.Evidence, pinned{string(e.Ref.Source), e.Line, e.Ref.Offset, e.Time, fmt.Sprintf("%x", e.Ref.Hash), e.Hit, e.Raw, strings.ToValidUTF8(string(e.Raw), "\ufffd")})
		}
		if err := reply(s); err != nil {
			return err
		}
	}
	return nil
}

func answerJournal(ctx context.Context, d desk, reply func(any) error) error {
	for e, err := range d.Entries(ctx) {
		if err == nil {
			err = reply(e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// moves maps a script's verb to a move.
var moves = map[string]triage.Do{
	"take": triage.DoTake, "close": triage.DoClose, "snooze": triage.DoSnooze,
	"note": triage.DoNote, "reopen": triage.DoReopen, "undo": triage.DoUndo,
}

func answerMove(d desk, by triage.Actor, q ask, reply func(any) error) error {
	do, ok := moves[q.Verb]
	if !ok {
		return fmt.Errorf("the engine does not know %q; use the same version of bartizan", q.Verb)
	}
	m := triage.Move{Do: do, By: by, At: nowUTC(), Note: q.Note, Until: q.Until, Undoes: triage.MoveID(q.Undoes)}
	list, err := resolve(d, q.IDs)
	if err != nil {
		return err
	}
	for _, a := range list {
		m.On = append(m.On, triage.AlertVersion{ID: a.ID, Version: a.Version})
	}
	if do == triage.DoClose {
		if m.Verdict, err = verdictNamed(q.Verdict); err != nil {
			return err
		}
	}
	if do == triage.DoUndo && m.Undoes == 0 && len(list) > 0 {
		if m.Undoes, err = lastMove(d, list[0].ID); err != nil {
			return err
		}
	}
	id, err := d.Apply(m)
	if err != nil {
		return err
	}
	out := made{Move: id}
	for _, a := range list {
		now, _ := d.Alert(a.ID)
		out.Alerts = append(out.Alerts, now)
	}
	return reply(out)
}

// lastMove finds a person's newest decision about the alert that still stands.
func lastMove(d desk, id triage.AlertID) (triage.MoveID, error) {
	list, err := d.Journal(id, 1000)
	if err != nil {
		return 0, err
	}
	undone := map[triage.MoveID]bool{}
	for _, e := range slices.Backward(list) {
		switch {
		case e.Do == triage.DoUndo:
			undone[e.Undoes] = true
		case !e.By.Machine && !undone[e.ID]:
			return e.ID, nil
		}
	}
	return 0, fmt.Errorf("nobody's decision about alert %s stands, so there is nothing to undo", id)
}

func verdictNamed(name string) (triage.Verdict, error) {
	var all []string
	for _, v := range triage.Verdicts {
		if v.Name == name || v.Key == name {
			return v.Verdict, nil
		}
		all = append(all, v.Name)
	}
	return 0, fmt.Errorf("there is no verdict %q; use %s", name, strings.Join(all, ", "))
}

// resolve finds alerts by any unambiguous beginning of their ids.
func resolve(d desk, ids []string) ([]*triage.Alert, error) {
	all, _ := d.Alerts()
	var out []*triage.Alert
	for _, id := range ids {
		var hit *triage.Alert
		for _, a := range all {
			switch {
			case string(a.ID) == id:
				hit = a
			case strings.HasPrefix(string(a.ID), id) && hit == nil:
				hit = a
			case strings.HasPrefix(string(a.ID), id) && string(hit.ID) != id:
				return nil, fmt.Errorf("%q is the beginning of several alerts; give more of the id", id)
			}
		}
		if hit == nil {
			return nil, fmt.Errorf("there is no alert %q on this board; see bartizan alerts list --only all", id)
		}
		out = append(out, hit)
	}
	return out, nil
}

// askBoard puts the question to the board's engine, or answers it here when no
// engine holds the board.
func (a *app) askBoard(ctx context.Context, q ask, each func(json.RawMessage) error) error {
	c, err := a.config()
	if err != nil {
		return err
	}
	state, err := stateDir(a.state, c.Board.State, nil)
	if err != nil {
		return err
	}
	socket, err := socketPath(state)
	if err != nil {
		return err
	}
	q.Env = attach.Environment()
	err = attach.Call(ctx, socket, q, each)
	if err == nil || !noEngine(err) {
		return err
	}
	err = withDesk(state, func(d desk) error {
		return answer(ctx, d, actorOf(attach.Self(), q.Env), q, func(v any) error {
			b, err := json.Marshal(v)
			if err != nil {
				return err
			}
			return each(b)
		})
	})
	var held *store.Held
	if errors.As(err, &held) && begins(ctx, socket) {
		return attach.Call(ctx, socket, q, each)
	}
	return err
}

// begins waits for an engine that owns the board already and will listen at the
// socket soon.
func begins(ctx context.Context, socket string) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if attach.Ping(socket) == nil {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
}

// noEngine tells that nobody listens at the socket.
func noEngine(err error) bool {
	return errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED)
}
