package ui

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"bartizan/event"
	"bartizan/query"
	"bartizan/ui/list"
	"bartizan/ui/style"
)

// stream is a list of events: all of the ring, those that match a filter, or
// those about one entity in the order of their own time.
type stream struct {
	c      *Console
	live   Live // the ring, with records from files beside it on an entity's page
	name   string
	list   list.List
	within query.Node            // what the page is about; nil is everything
	pick   func(seq uint64) bool // the same, for what no query can say
	filter filter
	search search
	sweep  *sweep    // nil: the ring itself
	order  *timeline // nil: order of arrival
	wrap   bool
	xoff   int
	height int
	hop    *hop

	cache   rowCache
	scratch event.Event
}

// filter is what the person asked to see only.
type filter struct {
	text string
	node query.Node
}

// search is what the person looks for; its matches are marked.
type search struct {
	text  string
	node  query.Node
	match *query.Matcher
}

func newStream(c *Console, name string) *stream {
	return &stream{c: c, live: c.opt.Live, name: name, list: list.List{Follow: true}, height: 1}
}

func (s *stream) rows() rows {
	switch {
	case s.order != nil:
		return s.order
	case s.sweep != nil:
		return s.sweep
	}
	return ringRows{s.c.snap.first, s.c.snap.next}
}

// current returns the event under the cursor.
func (s *stream) current() (uint64, bool) {
	r := s.rows()
	lo, hi := r.bounds()
	if hi <= lo {
		return 0, false
	}
	if s.list.Follow {
		return r.seq(hi - 1), true
	}
	return r.seq(min(max(s.list.Cursor, lo), hi-1)), true
}

// event returns a copy of the event under the cursor, nil when there is none.
func (s *stream) event() *event.Event {
	seq, ok := s.current()
	if !ok {
		return nil
	}
	var e event.Event
	if err := s.live.Read(seq, &e); err != nil {
		return nil
	}
	return e.Clone()
}

// rebuild starts the list anew after what it shows has changed. The row under
// the cursor stays under it when it is still shown.
func (s *stream) rebuild() tea.Cmd {
	anchor := s.c.snap.next
	if seq, ok := s.current(); ok && !s.list.Follow {
		anchor = seq
	}
	offset := s.list.Cursor - s.list.Top
	if s.order != nil {
		s.order.want = anchor
		anchor = s.c.snap.next // newest first; the row is found again by its record
	}
	if s.sweep != nil {
		s.sweep.stop()
	}
	s.sweep = nil
	if s.within == nil && s.pick == nil && s.filter.node == nil {
		s.list.Cursor, s.list.Top = int64(anchor), int64(anchor)-offset
		s.list.Forget(int64(s.c.snap.next))
		return nil
	}
	m, err := query.Compile(both(s.within, s.filter.node))
	if err != nil {
		s.c.complain("the filter cannot be used: %s", clean(err.Error()))
		return nil
	}
	s.sweep = newSweep(s.c, m, anchor)
	s.sweep.pick = s.picker(m)
	if s.order != nil {
		s.order.reset(s)
	}
	s.list.Cursor, s.list.Top = 0, -offset
	return s.sweep.more()
}

// picker joins what no query can say with the filter.
func (s *stream) picker(m *query.Matcher) func(uint64) bool {
	pick, live, filtered := s.pick, s.c.opt.Live, s.filter.node != nil
	if pick == nil || !filtered {
		return pick
	}
	var e event.Event
	return func(seq uint64) bool { return pick(seq) && live.Read(seq, &e) == nil && m.Match(&e) }
}

// both joins two predicates of which either may be missing.
func both(a, b query.Node) query.Node {
	switch {
	case a == nil && b == nil:
		return query.And{}
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return query.And{a, b}
}

// take looks for more when the snapshot changed.
func (s *stream) take() tea.Cmd {
	if s.sweep != nil {
		return s.sweep.more()
	}
	return nil
}

// Keys of a stream; also those of the pane on the alerts screen.
func (s *stream) keys() []Binding {
	out := []Binding{
		{Name: "open", Hint: "fields", Off: s.noRow, Do: s.open},
		{Name: "filter", Hint: "filter", Do: s.askFilter},
		{Name: "search", Hint: "search", Do: s.askSearch},
		{Name: "follow", Hint: s.followHint(), Do: s.toggleFollow},
		{Name: "next-hit", Hint: "next hit", Do: func() tea.Cmd { return s.hopTo(1, nil) }},
		{Name: "previous-hit", Do: func() tea.Cmd { return s.hopTo(-1, nil) }},
		{Name: "next", Off: s.noSearch, Do: func() tea.Cmd { return s.hopTo(1, s.search.node) }},
		{Name: "previous", Off: s.noSearch, Do: func() tea.Cmd { return s.hopTo(-1, s.search.node) }},
		{Name: "fields", Off: s.noRow, Do: s.open},
		{Name: "wrap", Do: func() tea.Cmd { s.wrap = !s.wrap; return nil }},
		{Name: "left", Do: func() tea.Cmd { s.xoff = max(s.xoff-8, 0); return nil }, Off: s.noSide},
		{Name: "right", Do: func() tea.Cmd { s.xoff = min(s.xoff+8, 1<<16); return nil }, Off: s.noSide},
		{Name: "goto-time", Do: s.askTime},
		{Name: "exclude", Off: func() string { return "open the fields of the row (Enter) and choose the value to exclude" }, Do: func() tea.Cmd { return nil }},
	}
	out = append(out, s.moves()...)
	out = append(out, s.c.pivots(s.entities, s.ruleUnder)...)
	return append(out, s.c.copies(s.copied)...)
}

func (s *stream) moves() []Binding {
	out := moves(&s.list, &s.height)
	for i := range out {
		switch out[i].Name {
		case "bottom":
			out[i].Do = func() tea.Cmd { s.list.Follow = true; return nil }
		case "top":
			out[i].Do = func() tea.Cmd { lo, _ := s.rows().bounds(); s.list.To(lo); return nil }
		}
	}
	return out
}

func (s *stream) followHint() string {
	if s.list.Follow {
		return "pause"
	}
	return "follow"
}

func (s *stream) toggleFollow() tea.Cmd {
	s.list.Follow = !s.list.Follow
	return nil
}

func (s *stream) noRow() string {
	if _, ok := s.current(); !ok {
		return "there is no record yet"
	}
	return ""
}

func (s *stream) noSearch() string {
	if s.search.match == nil {
		return "nothing is searched for; / begins a search"
	}
	return ""
}

func (s *stream) noSide() string {
	if s.wrap {
		return "rows are wrapped; w shows them in one line again"
	}
	return ""
}

func (s *stream) open() tea.Cmd {
	e := s.event()
	if e == nil {
		s.c.complain("this record is no longer in memory")
		return nil
	}
	return s.c.visit(newEventView(s.c, e, s.live.Hits(e.Seq)))
}

func (s *stream) entities() []event.Entity {
	if e := s.event(); e != nil {
		return e.Entities(nil)
	}
	return nil
}

func (s *stream) ruleUnder() string {
	if seq, ok := s.current(); ok {
		return ruleOf(s.live.Hits(seq))
	}
	return ""
}

// ruleOf is the id of the first rule among hits that is still loaded.
func ruleOf(hits []HitMark) string {
	for _, h := range hits {
		if h.Rule != nil {
			return h.Rule.ID
		}
	}
	return ""
}

// undoStep takes back the latest of sideways, search and filter.
func (s *stream) undoStep() (done bool, cmd tea.Cmd) {
	switch {
	case s.hop != nil:
		s.stopHop("search stopped")
	case s.search.text != "":
		s.search = search{}
	case s.filter.text != "":
		s.filter = filter{}
		return true, s.rebuild()
	case s.xoff > 0:
		s.xoff = 0
	default:
		return false, nil
	}
	return true, nil
}

// draw returns at most h lines: a title and rows.
func (s *stream) draw(w, h int, focus bool) []string {
	if h <= 0 {
		return nil
	}
	s.height = max(h-1, 1)
	s.cache.use(rowLook{
		w: w, xoff: s.xoff, wrap: s.wrap, times: s.c.times, sheet: s.c.sheet,
		search: s.search.text, day: dayOf(s.c.now(), s.c.times, s.c.zone()), marked: s.c.snap.marked,
	})
	r := s.rows()
	lo, hi := r.bounds()
	s.list.Fit(lo, hi, s.height, s.heights(r))
	out := []string{s.title(w, focus)}
	from, to := s.list.Visible()
	for pos := from; pos < to && len(out) < h; pos++ {
		// While following, the newest row is the current one and needs no bar,
		// which would have to be drawn twice for every new row.
		out = append(out, s.eventRow(r.seq(pos), focus && !s.list.Follow && pos == s.list.Cursor)...)
	}
	if hi <= lo && h > 1 {
		out = append(out, s.c.sheet.Dim.Text(style.Fit(" "+s.emptyWords(), w, s.c.sheet.More)))
	}
	return out[:min(len(out), h)]
}

func (s *stream) heights(r rows) list.Heights {
	if !s.wrap {
		return nil
	}
	return func(pos int64) int { return len(s.eventRow(r.seq(pos), false)) }
}

func (s *stream) emptyWords() string {
	switch {
	case s.sweep != nil && s.sweep.looked() < 1:
		return "looking"
	case s.filter.text != "":
		return "nothing in memory matches; Esc takes the filter away"
	case s.sweep != nil:
		return "nothing about it is in memory"
	}
	return "no record yet; sources (6) shows what is read"
}

// title says what the list shows and how far it has looked.
func (s *stream) title(w int, focus bool) string {
	sh := s.c.sheet
	parts := []string{s.name}
	if s.list.Follow {
		parts = append(parts, "following")
	} else {
		parts = append(parts, "paused")
	}
	if s.filter.text != "" {
		parts = append(parts, "filter "+clean(s.c.opt.Mask.MaskString(s.filter.text)))
	}
	if s.sweep != nil {
		parts = append(parts, s.sweepWords())
	}
	if s.search.text != "" {
		parts = append(parts, "search "+clean(s.search.text))
	}
	_, hi := s.rows().bounds()
	right := ""
	if n := s.list.New(hi); n > 0 && !s.list.Follow {
		right = fmt.Sprintf("%s %s new (G) ", sh.Down, count(uint64(n)))
	}
	return paneTitle(sh, w, focus, strings.Join(parts, " "+sh.Sep+" "), right)
}

func (s *stream) sweepWords() string {
	lo, hi := s.rows().bounds()
	words := count(uint64(hi-lo)) + " of " + count(s.c.snap.next-s.c.snap.first)
	if done := s.sweep.looked(); done < 1 && s.sweep.busy != nil {
		words += fmt.Sprintf(", %d%% looked at", int(done*100))
	}
	return words
}

// paneTitle is a rule with a name in it; the focused pane's is stronger.
func paneTitle(sh *style.Sheet, w int, focus bool, text, right string) string {
	r := style.Row{Width: w}
	st, lead := sh.Dim, sh.Rule+sh.Rule+" "
	if focus {
		st, lead = sh.Title, sh.Rule+sh.Point+" "
	}
	r.Put(sh.Border, lead).Put(st, style.Fit(text, max(w-style.Width(right)-6, 4), sh.More)).Put(sh.Border, " ")
	if n := r.Left() - style.Width(right) - 1; n > 0 {
		r.Put(sh.Border, strings.Repeat(sh.Rule, n)+" ")
	}
	return r.Put(sh.Key, right).String()
}
