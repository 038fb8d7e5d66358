package ui

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"bartizan/event"
	"bartizan/triage"
	"bartizan/ui/style"
)

// table is a page that is one list: sources, rules, journal, entities.
type tablePage struct {
	pager
	title string
	fill  func(t *tablePage) tea.Cmd // makes the lines anew
	more  func() []Binding           // keys of this page alone; may be nil
}

func (t *tablePage) Title() string        { return t.title }
func (t *tablePage) Take(tea.Msg) tea.Cmd { return t.fill(t) }
func (t *tablePage) Draw(w, h int) string { return strings.Join(t.draw(w, h), "\n") }

// Keys are those of every page, and its own.
func (t *tablePage) Keys() []Binding {
	if t.more == nil {
		return t.keys()
	}
	keys := t.keys()
	return append(append(keys[:1:1], t.more()...), keys[1:]...)
}

func newTable(c *Console, title string) *tablePage {
	return &tablePage{pager: pager{c: c}, title: title}
}

// newSources is the page about what is read, and how far.
func newSources(c *Console) *tablePage {
	t := newTable(c, "sources")
	t.more = t.distrusts
	var missing gaps
	t.fill = func(t *tablePage) tea.Cmd {
		lines := []line{c.heading("sources")}
		told := map[string]bool{} // hosts whose mark was explained
		for _, s := range c.snap.sources {
			lines = append(lines, c.sourceLines(s, told)...)
		}
		if len(c.snap.sources) == 0 {
			lines = append(lines, c.words("nothing is read; give a path, or see bartizan doctor"))
		}
		t.lines = append(lines, missing.lines(c)...)
		return missing.ask(c, func() tea.Cmd { return t.fill(t) })
	}
	return t
}

func stateStyle(sh *style.Sheet, s event.SourceState) style.Style {
	switch s {
	case event.SourceLive, event.SourceDone:
		return sh.Good
	case event.SourceStarting, event.SourceCatchingUp, event.SourceSkipped:
		return sh.Warn
	}
	return sh.Bad
}

func (c *Console) sourceLines(s event.SourceStatus, told map[string]bool) []line {
	sh := c.sheet
	name := s.Name
	if name == "" {
		name = string(s.ID)
	}
	nameStyle, width := sh.Text, 32
	segs := []segment{{stateStyle(sh, s.State), " " + style.Pad(s.State.String(), 11) + " "}}
	if _, bad := c.distrust(s.ID); bad {
		nameStyle, width = sh.Bad, 29
		segs = append(segs, segment{sh.Loss, "!!"}, segment{sh.Text, " "})
	}
	segs = append(segs, []segment{
		{nameStyle, style.Pad(tail(clean(name), width, sh.More), width) + " "},
		{sh.Dim, style.Pad(clean(s.Kind)+" "+clean(s.Format), 20) + " "},
		{sh.Text, count(s.Records) + " records"},
	}...)
	if s.Lost > 0 {
		segs = append(segs, segment{sh.Text, "  "}, segment{sh.Loss, "lost " + count(s.Lost)})
	}
	if !s.LastTime.IsZero() {
		segs = append(segs, segment{sh.Dim, "  through " + c.stamp(s.LastTime)})
	}
	if s.Lag >= time.Second {
		segs = append(segs, segment{sh.Warn, "  lag " + s.Lag.Round(time.Second).String()})
	}
	if s.Late > 0 {
		segs = append(segs, segment{sh.Dim, "  " + count(s.Late) + " late"})
	}
	if s.Behind > 0 {
		segs = append(segs, segment{sh.Warn, "  " + count(uint64(s.Behind)) + " bytes to read"})
	}
	l := line{segs: segs, value: string(s.ID), field: "source"}
	l.open = func() tea.Cmd { return c.visit(newValuePage(c, "source", string(s.ID))) }
	return append(append([]line{l}, c.markNote(s, told)...), c.sourceNotes(s)...)
}

// tail is the end of s in at most n columns: of a path the end tells more.
func tail(s string, n int, more string) string {
	w := style.Width(s)
	if w <= n {
		return s
	}
	return more + style.Cut(s, w-n+style.Width(more), w)
}

// sourceNotes are what there is to say beside the one line of a source.
func (c *Console) sourceNotes(s event.SourceStatus) []line {
	sh := c.sheet
	var out []line
	add := func(st style.Style, text string) {
		out = append(out, line{segs: []segment{{st, "             " + text}}, tall: true})
	}
	if s.Reason != "" {
		why := clean(s.Reason)
		if !s.NextTry.IsZero() {
			why += "; next try " + c.stamp(s.NextTry)
		}
		add(stateStyle(sh, s.State), why)
	}
	if !s.Quiet.IsZero() {
		add(sh.Bad, "silent since "+c.stamp(s.Quiet)+", for "+c.now().Sub(s.Quiet).Round(time.Second).String())
	}
	if !s.LastLoss.IsZero() {
		st := sh.Dim
		if c.lostLately(s) {
			st = sh.Loss
		}
		add(st, "last loss "+c.stamp(s.LastLoss)+": "+clean(s.LossWhy))
	}
	if p := s.Peer; p != nil && s.Kind == "agent" && !strings.Contains(s.Name, "/") { // the agent itself, not each of its streams
		text := fmt.Sprintf("agent %s at %s, version %s, protocol %d", clean(p.Identity), clean(p.Address), clean(p.Version), p.Protocol)
		if !p.CertEnds.IsZero() {
			text += ", certificate ends " + p.CertEnds.In(c.opt.Zone).Format(time.DateOnly)
		}
		add(sh.Dim, text)
		if skew := max(p.Skew, -p.Skew); skew >= 500*time.Millisecond {
			add(sh.Warn, "its clock is "+p.Skew.Round(time.Millisecond).String()+" from ours; times are shown as it wrote them")
		}
	}
	return out
}

// journalRows is how many rows of the journal the page shows at first, and how many
// more each time older ones are asked for.
const journalRows = 1000

// newJournal is the page about all decisions, newest first.
func newJournal(c *Console) *tablePage {
	t := newTable(c, "journal")
	var gen uint64
	var busy, loaded bool
	rows := journalRows
	older := func() tea.Cmd {
		if !busy {
			rows, loaded = rows+journalRows, false
		}
		return t.fill(t)
	}
	t.fill = func(t *tablePage) tea.Cmd {
		if busy || loaded && gen == c.snap.gen {
			return nil
		}
		busy, gen = true, c.snap.gen
		desk, rows := c.opt.Desk, rows
		_, cmd := c.spawn(func(context.Context) func() tea.Cmd {
			entries, err := desk.Journal("", rows)
			return func() tea.Cmd {
				busy, loaded = false, true
				t.lines = c.journalLines(entries, err, older)
				return t.fill(t)
			}
		})
		return cmd
	}
	return t
}

// journalLines shows rows of the journal; older is called for more of them.
func (c *Console) journalLines(entries []triage.Entry, err error, older func() tea.Cmd) []line {
	lines := []line{c.heading("journal, newest first")}
	if err != nil {
		return append(lines, line{segs: []segment{{c.sheet.Bad, " " + clean(err.Error())}}})
	}
	for _, e := range slices.Backward(entries) {
		l := c.entryLine(e)
		if len(e.On) > 0 {
			id := e.On[0].ID
			l.open = func() tea.Cmd { return c.visit(newDetail(c, id)) }
			if a, ok := c.snap.byID[id]; ok {
				l.segs = append(l.segs, segment{c.sheet.Dim, "  " + clean(a.Title)})
			}
		}
		lines = append(lines, l)
	}
	switch {
	case len(entries) == 0:
		lines = append(lines, c.words("nobody has decided anything yet"))
	case entries[0].ID > 1:
		more := c.words(fmt.Sprintf("%s older; Enter shows more, bartizan audit export prints all", plural(int(entries[0].ID-1), "row")))
		more.open = older
		lines = append(lines, more)
	}
	return lines
}

// newEntities is the page about everybody the open alerts name, worst first.
func newEntities(c *Console) *tablePage {
	t := newTable(c, "entities")
	t.fill = func(t *tablePage) tea.Cmd {
		lines := []line{c.heading("entities of open alerts, by the risk of their alerts")}
		for _, s := range c.suspects() {
			l := c.entityLine(9, s.ent)
			l.segs = append(l.segs[1:], segment{c.sheet.Text, fmt.Sprintf("  %s, highest risk %d", plural(s.alerts, "alert"), s.risk)})
			lines = append(lines, l)
		}
		if len(lines) == 1 {
			lines = append(lines, c.words("no open alert names anybody"))
		}
		t.lines = lines
		return nil
	}
	return t
}

type suspect struct {
	ent          event.Entity
	alerts, risk int
}

func (c *Console) suspects() []suspect {
	type who struct {
		kind  event.EntityKind
		value string
	}
	at := map[who]int{}
	var out []suspect
	for _, a := range c.snap.alerts {
		if !open(a) || a.Background {
			continue
		}
		for _, e := range alertEntities(a) {
			i, ok := at[who{e.Kind, e.Value}]
			if !ok {
				i = len(out)
				at[who{e.Kind, e.Value}] = i
				out = append(out, suspect{ent: e})
			}
			out[i].alerts++
			out[i].risk = max(out[i].risk, a.Risk)
		}
	}
	slices.SortStableFunc(out, func(a, b suspect) int {
		if a.risk != b.risk {
			return b.risk - a.risk
		}
		return b.alerts - a.alerts
	})
	return out
}
