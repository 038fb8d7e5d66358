package ui

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"bartizan/event"
	"bartizan/query"
	"bartizan/triage"
	"bartizan/ui/style"
)

// entity is a page about one thing: every record that names it, from all
// sources, at the record's own time, and the alerts about it.
type entity struct {
	c      *Console
	title  string
	ent    event.Entity // Value "" when the page is about a field's value or a rule
	rule   string
	stream *stream
	alerts []*triage.Alert
	gen    uint64
	focus  pane
	pager  pager  // of the alerts
	login  string // the session the page is about, where records were joined to one
}

func (c *Console) newPage(title string, node query.Node, pick func(uint64) bool) *entity {
	e := &entity{c: c, title: title, focus: paneStream, pager: pager{c: c}}
	e.stream = newStream(c, "records")
	e.stream.within, e.stream.pick = node, pick
	e.stream.order = &timeline{}
	e.stream.list.Follow = true
	return e
}

func newEntity(c *Console, ent event.Entity) *entity {
	e := c.newPage(kindName(ent.Kind)+" "+head(clean(ent.Value), 64), entityNode(ent), nil)
	e.ent = ent
	if s, ok := sessionOf(c.opt.Live, ent.Value); ok && ent.Kind == event.EntitySession {
		e.login, e.title = s.ID, "session "+head(clean(s.Words), 64)
		e.stream.order.done = &deeds{}
	}
	return e
}

// newValuePage is a page about all records with a value in a field.
func newValuePage(c *Console, field, value string) *entity {
	return c.newPage(clean(field)+" "+head(clean(value), 64), &query.Pred{Field: field, Op: query.OpEqual, Value: value}, nil)
}

// newRulePage is a page about all records a rule hit.
func newRulePage(c *Console, id string) *entity {
	live := c.opt.Live
	title := "rule " + head(clean(id), 48)
	if r := live.RuleOf(id); r != nil {
		title = "rule " + head(clean(r.Title), 48)
	}
	e := c.newPage(title, nil, func(seq uint64) bool {
		return slices.ContainsFunc(live.Hits(seq), func(h HitMark) bool { return h.Rule != nil && h.Rule.ID == id })
	})
	e.rule = id
	return e
}

// Title is the crumb.
func (e *entity) Title() string { return e.title }

// Keys are those of the focused pane and of the time window.
func (e *entity) Keys() []Binding {
	swap := func() tea.Cmd { e.focus = 1 - e.focus; return nil }
	out := []Binding{
		{Name: "narrow", Hint: "narrow", Do: func() tea.Cmd { return e.zoom(-1) }},
		{Name: "widen", Do: func() tea.Cmd { return e.zoom(1) }},
		{Name: "answers", Off: e.noAnswers, Do: func() tea.Cmd { return e.c.visit(newAnswers(e.c, e.stream.order.past)) }},
	}
	if e.focus == paneStream {
		return append(append(e.stream.keys(), out...), Binding{Name: "next-pane", Hint: "alerts", Do: swap}, Binding{Name: "previous-pane", Do: swap})
	}
	for _, b := range e.pager.keys() {
		if b.Name != "next-pane" && b.Name != "previous-pane" {
			out = append(out, b)
		}
	}
	return append(out, Binding{Name: "next-pane", Hint: "records", Do: swap}, Binding{Name: "previous-pane", Do: swap})
}

func (e *entity) undoStep() (bool, tea.Cmd) {
	if e.callOff() {
		return true, nil
	}
	if done, cmd := e.stream.undoStep(); done {
		return true, cmd
	}
	if e.stream.order.window > 0 {
		e.stream.order.window = 0
		e.stream.order.sort(e.stream)
		return true, nil
	}
	return false, nil
}

// Take looks for more records and for alerts that changed.
func (e *entity) Take(tea.Msg) tea.Cmd {
	if e.gen != e.c.snap.gen || e.pager.lines == nil {
		e.gen = e.c.snap.gen
		e.findAlerts()
	}
	if e.stream.sweep == nil {
		return e.stream.rebuild()
	}
	return e.stream.take()
}

func (e *entity) findAlerts() {
	e.alerts = e.alerts[:0:0]
	lines := []line{}
	for _, a := range e.c.snap.alerts {
		if e.names(a) {
			e.alerts = append(e.alerts, a)
			lines = append(lines, e.c.alertLine(a, entityWords(a.Group)))
		}
	}
	e.pager.lines = lines
}

func (e *entity) names(a *triage.Alert) bool {
	if e.rule != "" {
		return a.RuleID == e.rule
	}
	if e.ent.Value == "" {
		return false
	}
	return slices.ContainsFunc(alertEntities(a), func(o event.Entity) bool { return sameEntity(o, e.ent) })
}

// windows are the widths of the time window; 0 is everything in memory.
func windows() []time.Duration {
	return []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour, 0}
}

// zoom narrows or widens the window around the record under the cursor; from
// the widest on it looks into the files.
func (e *entity) zoom(step int) tea.Cmd {
	w, o := windows(), e.stream.order
	i := slices.Index(w, o.window) + step
	if i < 0 {
		e.c.say("the window is as narrow as it gets")
		return nil
	}
	if i >= len(w) {
		return e.lookBack()
	}
	if o.window == 0 {
		o.center = o.under(e.stream)
	}
	o.window = w[i]
	o.sort(e.stream)
	return nil
}

// Draw shows the counts by source, the alerts and the records.
func (e *entity) Draw(w, h int) string {
	sh := e.c.sheet
	out := []string{style.Fit(" "+e.summary(), w, sh.More)}
	if agents := e.stream.order.past.agentWords(e.c); agents != "" && h >= 8 {
		out = append(out, (&style.Row{Width: w}).Put(sh.Accent, " "+style.Fit(agents, w-1, sh.More)).String())
	}
	out = append(out, e.sessionRows(w, h)...)
	rows := min(len(e.pager.lines), max(h/4, 1))
	if h < 8 && e.focus == paneStream {
		rows = 0
	}
	if rows > 0 || e.focus == paneAlerts {
		out = append(out, paneTitle(sh, w, e.focus == paneAlerts, plural(len(e.alerts), "alert"), ""))
		out = append(out, e.pager.draw(w, max(rows, 1))...)
		if e.focus != paneAlerts && rows > 0 {
			out = out[:len(out)-rows]
			for i := range rows {
				out = append(out, e.pager.row(e.pager.lines[min(int(e.pager.list.Top)+i, len(e.pager.lines)-1)], w, false)...)
			}
		}
	}
	out = append(out, e.stream.draw(w, h-len(out), e.focus == paneStream)...)
	return strings.Join(out[:min(len(out), max(h, 0))], "\n")
}

// maxOrdered bounds how many records are put in the order of their own time.
const maxOrdered = 50_000

// moment is one record on a timeline.
type moment struct {
	at  int64 // event time, nanoseconds since 1970
	seq uint64
	src event.SourceID
	in  event.FileID // the file it lies in, and where: the same place is the same record
	off int64
	did *deed // on the page of a session
}

func momentOf(e *event.Event) moment {
	return moment{e.Time.UnixNano(), e.Seq, event.SourceID(strings.Clone(string(e.Ref.Source))), e.Ref.File, e.Ref.Offset, nil}
}

// place is where a record lies, whether it came from memory, a file or an agent.
type place struct {
	at  int64
	src event.SourceID
	in  event.FileID
	off int64
}

// timeline puts the records of a sweep in the order of their own time.
type timeline struct {
	all    []moment // everything found, by time
	shown  []moment // those in the window
	window time.Duration
	center int64
	full   bool
	past   *past // nil: the files were not searched
	count  map[event.SourceID]int
	want   uint64 // the record that was under the cursor before all began anew
	have   map[place]bool
	done   *deeds // what was done, on the page of a session
}

func (t *timeline) bounds() (int64, int64) { return 0, int64(len(t.shown)) }
func (t *timeline) seq(pos int64) uint64   { return t.shown[pos].seq }

func (t *timeline) pos(seq uint64) int64 {
	return int64(max(slices.IndexFunc(t.shown, func(m moment) bool { return m.seq == seq }), 0))
}

// reset begins anew with the stream's sweep.
func (t *timeline) reset(s *stream) {
	t.all, t.shown, t.full = nil, nil, false
	t.past.forget(s.c)
	t.past = nil
	t.count, t.have = map[event.SourceID]int{}, map[place]bool{}
	if t.done != nil {
		t.done = &deeds{}
	}
	s.live = s.c.opt.Live
	s.sweep.grown = func(seqs []uint64) tea.Cmd { return t.read(s, seqs) }
}

// read learns the times of the records found, outside the key handler.
func (t *timeline) read(s *stream, seqs []uint64) tea.Cmd {
	if len(seqs) == 0 || t.full {
		return nil
	}
	sweep, live, deeds := s.sweep, s.c.opt.Live, t.done != nil
	_, cmd := s.c.spawn(func(context.Context) func() tea.Cmd {
		var e event.Event
		got := make([]moment, 0, len(seqs))
		for _, seq := range seqs {
			if live.Read(seq, &e) == nil {
				m := momentOf(&e)
				m.seq = seq
				if deeds {
					d := deedOf(&e)
					m.did = &d
				}
				got = append(got, m)
			}
		}
		return func() tea.Cmd {
			if s.sweep == sweep {
				t.add(s, got)
			}
			return nil
		}
	})
	return cmd
}

func (t *timeline) add(s *stream, got []moment) {
	got = slices.DeleteFunc(got, t.known)
	if room := maxOrdered - len(t.all); len(got) > room {
		got, t.full = got[:room], true
	}
	for _, m := range got {
		t.count[m.src]++
		if m.did != nil && t.done != nil {
			t.done.add(*m.did)
		}
	}
	t.all = append(t.all, got...)
	slices.SortStableFunc(t.all, func(a, b moment) int {
		if a.at != b.at {
			return int(min(max(a.at-b.at, -1), 1))
		}
		return int(min(max(int64(a.seq)-int64(b.seq), -1), 1))
	})
	t.sort(s)
}

// known says whether the record is on the page already: what is in memory may be
// found in its file too.
func (t *timeline) known(m moment) bool {
	p := place{m.at, m.src, m.in, m.off}
	if (m.in == event.FileID{}) {
		return false
	}
	if t.have[p] {
		return true
	}
	t.have[p] = true
	return false
}

// sort makes the window anew and keeps the cursor on its record.
func (t *timeline) sort(s *stream) {
	under, had := uint64(0), false
	if i := s.list.Cursor; i >= 0 && i < int64(len(t.shown)) {
		under, had = t.shown[i].seq, true
	}
	t.shown = t.all
	if t.window > 0 {
		half := int64(t.window) / 2
		from := sort.Search(len(t.all), func(i int) bool { return t.all[i].at >= t.center-half })
		to := sort.Search(len(t.all), func(i int) bool { return t.all[i].at > t.center+half })
		t.shown = t.all[from:to]
	}
	if s.list.Follow {
		return
	}
	if i := slices.IndexFunc(t.shown, func(m moment) bool { return m.seq == t.want }); i >= 0 {
		s.list.To(int64(i))
		t.want = 0
	} else if had {
		s.list.Shift(t.pos(under) - s.list.Cursor)
	}
}

// under is the time of the record under the cursor.
func (t *timeline) under(s *stream) int64 {
	if len(t.shown) == 0 {
		return s.c.now().UnixNano()
	}
	i := min(max(s.list.Cursor, 0), int64(len(t.shown)-1))
	return t.shown[i].at
}

// summary is the window, how far was searched, and the counts by source, most first.
func (e *entity) summary() string {
	t, c := e.stream.order, e.c
	var names []event.SourceID
	for id := range t.count {
		names = append(names, id)
	}
	slices.SortFunc(names, func(a, b event.SourceID) int {
		if t.count[a] != t.count[b] {
			return t.count[b] - t.count[a]
		}
		return strings.Compare(string(a), string(b))
	})
	words := plural(len(t.all), "record")
	if t.full {
		words = "the newest " + words
	}
	if t.past == nil {
		words += " in memory"
	}
	if e.stream.pick == nil && e.login == "" && t.window == 0 {
		words += t.past.words()
	}
	if t.window > 0 {
		words += fmt.Sprintf(", %s around %s (- +)", shortDuration(t.window), c.stamp(time.Unix(0, t.center)))
	}
	for _, id := range names {
		words += fmt.Sprintf("  %s %s", shortSource(id), count(uint64(t.count[id])))
	}
	return words
}

func shortDuration(d time.Duration) string {
	if d < time.Hour {
		return plural(int(d.Minutes()), "minute")
	}
	return plural(int(d.Hours()), "hour")
}
