package triage

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"bartizan/detect"
)

// model says in the plainest way what the board must do: every state each alert
// was ever in, and the list of moves.
type model struct {
	now   map[AlertID]modelAlert
	moves []modelMove // moves[i] has number i+1
}

type modelAlert struct {
	State   State
	Verdict Verdict
	Owner   string
	Until   time.Time
	Version uint64
}

type modelMove struct {
	do     Do
	undoes MoveID
	before map[AlertID]modelAlert
}

func (m *model) push(do Do, undoes MoveID, ids []AlertID, change func(AlertID, modelAlert) modelAlert) {
	mv := modelMove{do, undoes, map[AlertID]modelAlert{}}
	for _, id := range ids {
		a := m.now[id]
		mv.before[id] = a
		n := change(id, a)
		n.Version = a.Version + 1
		m.now[id] = n
	}
	m.moves = append(m.moves, mv)
}

func (m *model) stands(id MoveID) bool {
	for u := int(id); u < len(m.moves); u++ {
		if m.moves[u].undoes == id && m.stands(MoveID(u+1)) {
			return false
		}
	}
	return true
}

func (m *model) undoable(id MoveID) bool {
	mv := m.moves[id-1]
	if mv.do == DoRaise || mv.do == DoReraise || mv.do == DoWake || !m.stands(id) {
		return false
	}
	for l := int(id); l < len(m.moves); l++ {
		for a := range mv.before {
			if _, touches := m.moves[l].before[a]; touches && m.stands(MoveID(l+1)) && m.moves[l].undoes <= id {
				return false
			}
		}
	}
	return true
}

func (m *model) legal(do Do, id AlertID, who string) bool {
	a := m.now[id]
	switch do {
	case DoReopen:
		return a.State == StateClosed || a.State == StateSnoozed
	case DoTake:
		return a.State != StateClosed && (a.State != StateTaken || a.Owner != who)
	}
	return a.State != StateClosed
}

// machineRows takes over what the engine did by itself.
func (m *model) machineRows(entries []Entry) {
	for _, e := range entries {
		var ids []AlertID
		for _, v := range e.On {
			ids = append(ids, v.ID)
		}
		m.push(e.Do, 0, ids, func(_ AlertID, a modelAlert) modelAlert {
			if e.Do == DoReraise && a.State == StateTaken {
				return a
			}
			return modelAlert{State: StateNew}
		})
	}
}

// play is the board under test beside the model and the journal on "disk".
type play struct {
	board   *Board
	model   model
	journal []Entry
	stored  map[AlertID][]byte
	clock   time.Time
	hits    int
}

func (p *play) keep(entries ...Entry) {
	p.journal = append(p.journal, entries...)
	for _, a := range p.board.Drain() {
		body, err := json.Marshal(a)
		if err != nil {
			panic(err)
		}
		p.stored[a.ID] = body
	}
}

func (p *play) ids() []AlertID {
	list, _ := p.board.Alerts()
	var out []AlertID
	for _, a := range list {
		out = append(out, a.ID)
	}
	slices.Sort(out)
	return out
}

func (p *play) hit(t *rapid.T) {
	r := *ruleBrute
	if rapid.Bool().Draw(t, "other rule") {
		r = *ruleSudo
	}
	r.Severity = detect.Severity(rapid.IntRange(1, 4).Draw(t, "severity"))
	p.hits++
	h := hit(&r, fmt.Sprint("user", rapid.IntRange(0, 2).Draw(t, "user")), fmt.Sprint("10.0.0.", rapid.IntRange(0, 3).Draw(t, "ip")), p.hits, p.clock, "")
	c, err := p.board.Raise(h, p.clock)
	if err != nil {
		t.Fatal(err)
	}
	p.model.machineRows(c.Entries)
	p.keep(c.Entries...)
	if again, _ := p.board.Raise(h, p.clock); !again.Known || again.Alert != c.Alert {
		t.Fatalf("the same hit twice: %+v then %+v", c, again)
	}
}

func (p *play) pass(t *rapid.T) {
	p.clock = p.clock.Add(time.Duration(rapid.IntRange(1, 30).Draw(t, "hours")) * time.Hour)
	entries := p.board.Wake(p.clock)
	p.model.machineRows(entries)
	p.keep(entries...)
	for id, a := range p.model.now {
		if a.State == StateSnoozed && !a.Until.After(p.clock) {
			t.Fatalf("alert %s sleeps past %s", id, a.Until)
		}
	}
}

func (p *play) move(t *rapid.T) {
	all := p.ids()
	if len(all) == 0 {
		return
	}
	m := Move{
		Do: rapid.SampledFrom([]Do{DoTake, DoClose, DoSnooze, DoReopen}).Draw(t, "do"), Verdict: VerdictBenign,
		Until: p.clock.Add(5 * time.Hour), By: Actor{Name: rapid.SampledFrom([]string{"anna", "bob"}).Draw(t, "who")}, At: p.clock,
	}
	legal := true
	ids := rapid.SliceOfNDistinct(rapid.SampledFrom(all), 1, min(3, len(all)), rapid.ID[AlertID]).Draw(t, "on")
	for _, id := range ids {
		v := p.model.now[id].Version
		if rapid.IntRange(0, 9).Draw(t, "stale") == 0 {
			v, legal = v-1, false
		}
		m.On = append(m.On, AlertVersion{id, v})
		legal = legal && p.model.legal(m.Do, id, m.By.Name)
	}
	if !p.commit(t, m, legal) {
		return
	}
	p.model.push(m.Do, 0, ids, func(_ AlertID, a modelAlert) modelAlert {
		switch m.Do {
		case DoTake:
			return modelAlert{State: StateTaken, Owner: m.By.Name}
		case DoClose:
			return modelAlert{State: StateClosed, Owner: m.By.Name, Verdict: VerdictBenign}
		case DoSnooze:
			return modelAlert{State: StateSnoozed, Owner: m.By.Name, Until: m.Until}
		}
		return modelAlert{State: StateNew}
	})
}

func (p *play) undo(t *rapid.T) {
	if len(p.model.moves) == 0 {
		return
	}
	id := MoveID(rapid.IntRange(1, len(p.model.moves)).Draw(t, "undoes"))
	if !p.commit(t, Move{Do: DoUndo, Undoes: id, By: Actor{Name: "anna"}, At: p.clock}, p.model.undoable(id)) {
		return
	}
	before := p.model.moves[id-1].before
	var ids []AlertID
	for a := range before {
		ids = append(ids, a)
	}
	p.model.push(DoUndo, id, ids, func(a AlertID, _ modelAlert) modelAlert { return before[a] })
}

// commit makes the move on the board; both must agree whether it is legal.
func (p *play) commit(t *rapid.T, m Move, legal bool) bool {
	e, err := p.board.Check(m)
	if legal != (err == nil) {
		t.Fatalf("%s %d: the model says legal=%v, the board %v", m.Do, m.Undoes, legal, err)
	}
	if err != nil {
		if !errors.Is(err, ErrIllegal) && !errors.Is(err, ErrStale) {
			t.Fatalf("a refusal of an unknown kind: %v", err)
		}
		return false
	}
	seen := p.board.Preview(e)
	if err := p.board.Commit(e); err != nil {
		t.Fatal(err)
	}
	p.keep(e)
	for _, want := range seen {
		got, _ := p.board.Alert(want.ID)
		if got.Standing() != want.Standing() || got.Version != want.Version || got.ActedCount != want.ActedCount {
			t.Fatalf("the preview of %s was %s, it became %s", m.Do, want.Standing(), got.Standing())
		}
	}
	return true
}

// restart throws the board away and makes it again from what was stored.
func (p *play) restart(t *rapid.T) {
	var alerts []*Alert
	for _, body := range p.stored {
		a := &Alert{}
		if err := json.Unmarshal(body, a); err != nil {
			t.Fatal(err)
		}
		alerts = append(alerts, a)
	}
	b, mended, err := Restore(alerts, rows(p.journal))
	if err != nil || len(mended) > 0 {
		t.Fatalf("restart: %v, mended %v", err, mended)
	}
	old := p.board
	p.board = b
	for _, id := range p.ids() {
		was, _ := old.Alert(id)
		is, _ := b.Alert(id)
		x, _ := json.Marshal(was)
		y, _ := json.Marshal(is)
		if string(x) != string(y) {
			t.Fatalf("after the restart %s\nwas    %s", y, x)
		}
	}
}

func (p *play) check(t *rapid.T) {
	list, _ := p.board.Alerts()
	if len(list) != len(p.model.now) || !slices.IsSortedFunc(list, byRisk) {
		t.Fatalf("%d alerts in the list, %d in the model, sorted %v", len(list), len(p.model.now), slices.IsSortedFunc(list, byRisk))
	}
	for _, a := range list {
		got := modelAlert{a.State, a.Verdict, a.Owner, a.Until, a.Version}
		if got != p.model.now[a.ID] {
			t.Fatalf("alert %s is %+v, the model says %+v", a.ID, got, p.model.now[a.ID])
		}
		if now, _ := p.board.Alert(a.ID); now != a {
			t.Fatalf("the list holds an old copy of %s", a.ID)
		}
	}
	if int(p.board.Last()) != len(p.model.moves) {
		t.Fatalf("the board is at row %d, the model at %d", p.board.Last(), len(p.model.moves))
	}
}

func TestBoardAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &play{board: NewBoard(), model: model{now: map[AlertID]modelAlert{}}, stored: map[AlertID][]byte{}, clock: t0}
		t.Repeat(map[string]func(*rapid.T){
			"hit": p.hit, "move": p.move, "undo": p.undo, "undo more": p.undo, "pass": p.pass, "restart": p.restart, "": p.check,
		})
	})
}

func TestRestoreFindsTampering(t *testing.T) {
	b := NewBoard()
	id := mustRaise(t, b, hit(ruleBrute, "root", "10.0.0.7", 1, t0, ""), t0).Alert
	raise := b.machineRow(t)
	a := *alertOf(t, b, id)
	for name, c := range map[string]struct {
		alerts []*Alert
		rows   []Entry
		mended int
		fails  bool
	}{
		"as it was":         {[]*Alert{copyOf(a)}, raise, 0, false},
		"closed in the row": {[]*Alert{closedCopy(a)}, raise, 1, false},
		"row removed":       {nil, raise, 1, false},
		"alert smuggled in": {[]*Alert{copyOf(a)}, nil, 1, false},
		"journal gap":       {[]*Alert{copyOf(a)}, []Entry{{ID: 2, Do: DoTake}}, 0, true},
		"undo of nothing":   {[]*Alert{copyOf(a)}, append(slices.Clone(raise), Entry{ID: 2, Do: DoUndo, Undoes: 1}), 0, true},
	} {
		got, mended, err := Restore(c.alerts, rows(c.rows))
		if len(mended) != c.mended || (err != nil) != c.fails {
			t.Errorf("%s: mended %v, error %v", name, mended, err)
		}
		if err == nil && len(c.alerts) > 0 {
			if n, _ := got.Alert(id); n.State != StateNew {
				t.Errorf("%s: restored as %s", name, n.Standing())
			}
		}
	}
}

// machineRow is the journal of a board with one alert.
func (b *Board) machineRow(t *testing.T) []Entry {
	t.Helper()
	e := Entry{ID: 1, At: t0, By: machine, Do: DoRaise, From: []State{""}, To: StateNew}
	for id := range b.nodes {
		e.On = append(e.On, AlertVersion{ID: id})
	}
	return []Entry{e}
}

func copyOf(a Alert) *Alert { return &a }

func closedCopy(a Alert) *Alert {
	a.State, a.Verdict = StateClosed, VerdictBenign
	return &a
}

func BenchmarkAlerts100k(b *testing.B) {
	board := NewBoard()
	for i := range 100_000 {
		if _, err := board.Raise(hit(ruleBrute, "root", fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255), i, t0, ""), t0); err != nil {
			b.Fatal(err)
		}
	}
	board.Alerts()
	b.ResetTimer()
	for i := range b.N {
		n := i % 100_000
		h := hit(ruleBrute, "root", fmt.Sprintf("10.%d.%d.%d", n>>16, n>>8&255, n&255), 200_000+i, t0, "")
		if _, err := board.Raise(h, t0); err != nil {
			b.Fatal(err)
		}
		if list, _ := board.Alerts(); len(list) != 100_000 {
			b.Fatal(len(list))
		}
	}
}

func BenchmarkRaise(b *testing.B) {
	board := NewBoard()
	for i := range b.N {
		if _, err := board.Raise(hit(ruleBrute, "root", "10.0.0.1", i, t0, "failure"), t0); err != nil {
			b.Fatal(err)
		}
	}
}
