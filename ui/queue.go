package ui

import (
	"cmp"
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"bartizan/event"
	"bartizan/triage"
	"bartizan/ui/list"
)

// sortMode is the order of the queue.
type sortMode int

const (
	byRisk sortMode = iota
	byTime
	bySeverity
	sortModes
)

func (m sortMode) String() string { return [...]string{"by risk", "by time", "by severity"}[m] }

// queue is the list of alerts. Its order stands still: alerts that arrive are
// counted until the person takes them in, and closed ones stay where they are.
// Only before the first key, when nobody can be aiming at a row, is it live.
type queue struct {
	c      *Console
	order  []triage.AlertID
	shown  map[triage.AlertID]bool
	list   list.List
	height int
	sort   sortMode
	marks  map[triage.AlertID]bool
	from   int64 // where v was pressed, -1 nowhere
	saving map[triage.AlertID]string

	look string // searched for, lower case
	xoff int

	closed, background bool // shown too
	arrived, folded    int  // open alerts that are not shown, see recount
}

func newQueue(c *Console) queue {
	return queue{c: c, shown: map[triage.AlertID]bool{}, marks: map[triage.AlertID]bool{}, saving: map[triage.AlertID]string{}, from: -1, height: 1}
}

// open says that an alert still waits for a decision.
func open(a *triage.Alert) bool { return a.State == triage.StateNew || a.State == triage.StateTaken }

// wanted says whether the queue shows a as it is set.
func (q *queue) wanted(a *triage.Alert) bool {
	return (open(a) || q.closed) && (!a.Background || q.background)
}

// update is told that the board changed.
func (q *queue) update() {
	if q.c.touched && len(q.order) > 0 {
		q.recount()
		return
	}
	before := q.order
	q.takeIn()
	if len(before) > 0 && !slices.Equal(before, q.order) || len(before) == 0 && len(q.order) > 0 && q.c.touched {
		q.c.startGrace()
	}
}

// takeIn makes the list anew; the cursor stays with its alert.
func (q *queue) takeIn() {
	under, ok := q.current()
	q.order = q.order[:0:0]
	clear(q.shown)
	for _, a := range q.sorted() {
		if q.wanted(a) {
			q.order = append(q.order, a.ID)
			q.shown[a.ID] = true
		}
	}
	for id := range q.marks {
		if !q.shown[id] {
			delete(q.marks, id)
		}
	}
	q.from = -1
	q.recount()
	if ok && q.c.touched {
		if i := slices.Index(q.order, under.ID); i >= 0 {
			q.list.Shift(int64(i) - q.list.Cursor)
		}
	}
}

func (q *queue) sorted() []*triage.Alert {
	out := slices.Clone(q.c.snap.alerts)
	switch q.sort {
	case byTime:
		slices.SortStableFunc(out, func(a, b *triage.Alert) int { return b.Last.Compare(a.Last) })
	case bySeverity:
		slices.SortStableFunc(out, func(a, b *triage.Alert) int { return cmp.Compare(b.Severity, a.Severity) })
	}
	return out
}

// recount counts the open alerts that the list does not show: those that
// arrived, and the background ones behind the last row.
func (q *queue) recount() {
	q.arrived, q.folded = 0, 0
	for _, a := range q.c.snap.alerts {
		switch {
		case !open(a) || q.shown[a.ID]:
		case a.Background && !q.background:
			q.folded++
		default:
			q.arrived++
		}
	}
}

func (q *queue) len() int64 {
	n := int64(len(q.order))
	if q.folded > 0 {
		n++
	}
	return n
}

// at returns the alert on row i, nil for the row of the background.
func (q *queue) at(i int64) *triage.Alert {
	if i < 0 || i >= int64(len(q.order)) {
		return nil
	}
	return q.c.snap.byID[q.order[i]]
}

func (q *queue) current() (*triage.Alert, bool) {
	a := q.at(q.list.Cursor)
	return a, a != nil
}

// targets are the marked alerts, or the one under the cursor, as shown.
func (q *queue) targets() []*triage.Alert {
	var out []*triage.Alert
	for _, id := range q.order {
		if a := q.c.snap.byID[id]; a != nil && q.marks[id] {
			out = append(out, a)
		}
	}
	if a, ok := q.current(); ok && len(out) == 0 {
		out = append(out, a)
	}
	return out
}

// decided moves on to the next open alert after one was closed or snoozed.
func (q *queue) decided() {
	clear(q.marks)
	q.from = -1
	for i := q.list.Cursor + 1; i < int64(len(q.order)); i++ {
		if a := q.at(i); a != nil && open(a) && q.saving[a.ID] == "" {
			q.list.To(i)
			return
		}
	}
	for i := q.list.Cursor - 1; i >= 0; i-- {
		if a := q.at(i); a != nil && open(a) && q.saving[a.ID] == "" {
			q.list.To(i)
			return
		}
	}
}

func (q *queue) keys() []Binding {
	c := q.c
	out := []Binding{
		{Name: "new", Hint: q.newHint(), Off: q.noNew, Do: q.takeInKey},
		{Name: "open", Hint: "look", Off: q.noOpen, Do: q.open},
		{Name: "sort", Do: q.nextSort},
		{Name: "show-closed", Do: func() tea.Cmd { q.closed = !q.closed; q.takeIn(); return nil }},
		{Name: "mark", Off: q.none, Do: q.mark},
		{Name: "mark-range", Off: q.none, Do: q.markRange},
		{Name: "mark-all", Off: q.none, Do: q.markAll},
		{Name: "filter", Do: func() tea.Cmd { c.home.focus = paneStream; return c.home.stream.askFilter() }},
		{Name: "search", Do: q.askSearch},
		{Name: "next", Off: q.noSearch, Do: func() tea.Cmd { return q.hop(1) }},
		{Name: "previous", Off: q.noSearch, Do: func() tea.Cmd { return q.hop(-1) }},
		{Name: "left", Do: func() tea.Cmd { q.xoff = max(q.xoff-8, 0); return nil }},
		{Name: "right", Do: func() tea.Cmd { q.xoff = min(q.xoff+8, 1<<12); return nil }},
	}
	out = append(out, c.decides(q.targets, q.decided)...)
	out = append(out, moves(&q.list, &q.height)...)
	out = append(out, c.pivots(q.entities, q.ruleUnder)...)
	return append(out, c.copies(q.copied)...)
}

func (q *queue) newHint() string {
	if n := q.arrived; n > 0 {
		return fmt.Sprintf("%d new", n)
	}
	return ""
}

func (q *queue) noNew() string {
	if q.arrived == 0 {
		return "nothing new has arrived"
	}
	return ""
}

func (q *queue) takeInKey() tea.Cmd {
	n := q.arrived
	q.takeIn()
	q.c.say("took in %s", plural(n, "new alert"))
	return nil
}

func (q *queue) noOpen() string {
	if q.len() == 0 {
		return "there is no alert"
	}
	return ""
}

func (q *queue) none() string {
	if _, ok := q.current(); !ok {
		return "there is no alert under the cursor"
	}
	return ""
}

func (q *queue) open() tea.Cmd {
	if a, ok := q.current(); ok {
		return q.c.visit(newDetail(q.c, a.ID))
	}
	q.background = true
	q.takeIn()
	q.c.say("background alerts are shown; Esc folds them again")
	return nil
}

func (q *queue) nextSort() tea.Cmd {
	q.sort = (q.sort + 1) % sortModes
	q.takeIn()
	q.list.To(0)
	q.c.say("sorted %s", q.sort)
	return nil
}

func (q *queue) mark() tea.Cmd {
	if a, _ := q.current(); q.marks[a.ID] {
		delete(q.marks, a.ID)
	} else {
		q.marks[a.ID] = true
	}
	q.list.Move(1)
	return nil
}

func (q *queue) markRange() tea.Cmd {
	if q.from < 0 {
		q.from = q.list.Cursor
		q.c.say("v again marks from here to there")
		return nil
	}
	for i := min(q.from, q.list.Cursor); i <= max(q.from, q.list.Cursor); i++ {
		if a := q.at(i); a != nil {
			q.marks[a.ID] = true
		}
	}
	q.from = -1
	return nil
}

func (q *queue) markAll() tea.Cmd {
	if len(q.marks) >= len(q.order) {
		clear(q.marks)
		return nil
	}
	for _, id := range q.order {
		q.marks[id] = true
	}
	return nil
}

// undoStep takes back marks, then the unfolded background, then closed ones.
func (q *queue) undoStep() bool {
	switch {
	case q.look != "":
		q.look = ""
	case q.xoff > 0:
		q.xoff = 0
	case q.from >= 0:
		q.from = -1
	case len(q.marks) > 0:
		clear(q.marks)
	case q.background:
		q.background = false
		q.takeIn()
	case q.closed:
		q.closed = false
		q.takeIn()
	default:
		return false
	}
	return true
}

func (q *queue) entities() []event.Entity {
	if a, ok := q.current(); ok {
		return alertEntities(a)
	}
	return nil
}

func (q *queue) ruleUnder() string {
	if a, ok := q.current(); ok {
		return a.RuleID
	}
	return ""
}

// alertEntities are what the alert is grouped by, then all others.
func alertEntities(a *triage.Alert) []event.Entity {
	out := slices.Clone(a.Group)
	for _, e := range a.Entities {
		if !slices.ContainsFunc(out, func(h event.Entity) bool { return h.Kind == e.Kind && h.Value == e.Value }) {
			out = append(out, e)
		}
	}
	return out
}

func (q *queue) copied() copied {
	a, ok := q.current()
	if !ok {
		return copied{}
	}
	return alertCopied(q.c, a)
}
