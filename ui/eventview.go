package ui

import (
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"bartizan/event"
	"bartizan/query"
	"bartizan/triage"
)

// eventView is one record with all its fields, kept as it was when it was opened.
type eventView struct {
	c       *Console
	e       *event.Event
	hits    []HitMark
	pager   pager
	secrets secrets
	marks   string // as the page shows them
	near    surroundings
}

func newEventView(c *Console, e *event.Event, hits []HitMark) *eventView {
	v := &eventView{c: c, e: e, hits: hits, pager: pager{c: c}}
	v.pager.copyOf = v.copied
	v.secrets = secrets{c: c, page: func() Screen { return v }, build: v.build, about: func() (string, *triage.AlertVersion) { return recordName(e.Ref, e.Line), nil }}
	v.build()
	return v
}

// Title is the crumb.
func (v *eventView) Title() string { return fmt.Sprintf("record %d", v.e.Seq) }

// Keys are those of the page, pivots and excluding.
func (v *eventView) Keys() []Binding {
	out := v.pager.keys()
	out[0].Hint = "open or pivot"
	out = append(out, Binding{Name: "exclude", Hint: "exclude", Off: v.pager.noField, Do: v.pager.exclude}, v.secrets.binding())
	return append(out, hintSession(v.c.pivots(func() []event.Entity { return v.e.Entities(nil) }, v.rule))...)
}

func (v *eventView) rule() string { return ruleOf(v.hits) }

func (v *eventView) undoStep() (bool, tea.Cmd) { return v.pager.undoStep() }

// Take asks once for what lies around the record; that itself stays as it was.
func (v *eventView) Take(tea.Msg) tea.Cmd {
	if v.marks != v.c.snap.marked {
		v.build()
	}
	return v.look()
}

// Draw shows the page.
func (v *eventView) Draw(w, h int) string { return strings.Join(v.pager.draw(w, h), "\n") }

func (v *eventView) build() { v.secrets.during(v.fill) }

func (v *eventView) fill() {
	c, e, sh := v.c, v.e, v.c.sheet
	v.marks = c.snap.marked
	var why []query.Match
	for _, h := range v.hits {
		why = append(why, h.Why...)
	}
	source := clean(string(e.Ref.Source))
	if e.Line > 0 {
		source += fmt.Sprintf(", line %d", e.Line)
	}
	l := []line{
		c.pair("time", 9, sh.Text, c.full(e.Time)+flagWords(e)),
		c.pair("seen", 9, sh.Dim, c.full(e.Seen)),
		c.pair("source", 9, sh.Text, source),
	}
	if m, bad := c.distrust(e.Ref.Source); bad {
		mark := c.pair("", 9, sh.Bad, c.distrustWords(m))
		mark.tall = true
		l = append(l, mark)
	}
	l = append(l, []line{
		c.pair("format", 9, sh.Text, clean(e.FormatName)),
		c.pair("level", 9, sh.Level(e.Level), e.Level.String()),
	}...)
	for _, h := range v.hits {
		if h.Rule == nil {
			l = append(l, c.words("hit by a rule that is no longer loaded"))
			continue
		}
		hit := line{
			segs: []segment{{sh.Severity(h.Rule.Severity), " " + sh.Badge(h.Rule.Severity) + " hit by " + clean(h.Rule.Title)}},
			open: func() tea.Cmd { return c.visit(newDetail(c, h.Alert)) },
		}
		if h.Alert == "" {
			hit.open = func() tea.Cmd { return c.visit(newRulePage(c, h.Rule.ID)) }
		}
		l = append(l, hit)
	}
	l = append(l, c.joinLines(joinsOf(c.opt.Live, e))...)
	raw := c.rawLine("", e.Raw, why, true)
	raw.tall = true
	l = append(l, c.heading("record"), raw)
	l = append(l, v.nearLines()...)
	l = append(l, c.heading("about (Enter or p and the letter or digit)"))
	for i, ent := range e.Entities(nil) {
		l = append(l, c.entityLine(i, ent))
	}
	l = append(l, c.knownLines(e)...)
	l = append(l, c.heading("fields (Enter pivots, ! excludes)"))
	v.pager.lines = append(l, c.fieldLines(e)...)
}

func flagWords(e *event.Event) string {
	var out string
	for _, f := range []struct {
		flag  event.Flags
		words string
	}{
		{event.FlagLate, "late"},
		{event.FlagCut, "cut: longer than a record may be"},
		{event.FlagClock, "its own clock cannot be right, so this is when it was seen"},
		{event.FlagNoTime, "it carries no time, so this is when it was seen"},
		{event.FlagRawOnly, "no format recognised it"},
		{event.FlagShrank, "truncated or overwritten, and no copy of the rest lies beside it"},
		{event.FlagVanished, "deleted or replaced before it was read, or while its writer has it open"},
		{event.FlagNotice, "no record: Bartizan says this about the source"},
	} {
		own := e.Lost > 0 || e.Flags&event.FlagNotice != 0
		if own && f.flag&(event.FlagNoTime|event.FlagRawOnly|event.FlagClock) != 0 {
			continue // it is ours: that goes without saying
		}
		if e.Flags&f.flag != 0 {
			out += "  (" + f.words + ")"
		}
	}
	return out
}

// eventJSON is an event as it is copied, its secrets hidden.
func (c *Console) eventJSON(e *event.Event) any {
	fields := map[string]any{}
	for _, f := range e.Fields[:min(max(e.Native, 0), len(e.Fields))] {
		if f.Value.Kind == event.KindObject {
			continue
		}
		value := c.opt.Mask.MaskField(f.Name, f.Value.Str)
		switch have := fields[f.Name].(type) {
		case nil:
			fields[f.Name] = value
		case []string:
			fields[f.Name] = append(have, value)
		case string:
			fields[f.Name] = []string{have, value}
		}
	}
	return struct {
		Time   time.Time      `json:"time"`
		Source event.SourceID `json:"source"`
		Line   int64          `json:"line,omitempty"`
		Format string         `json:"format"`
		Level  string         `json:"level,omitempty"`
		Raw    string         `json:"raw"`
		Fields map[string]any `json:"fields"`

		Compromised *triage.Distrust `json:"compromised,omitempty"`
	}{e.Time, e.Ref.Source, e.Line, e.FormatName, e.Level.String(), c.opt.Mask.MaskString(string(e.Raw)), fields, c.distrustOf(e.Ref.Source)}
}

func (v *eventView) copied() copied {
	x := v.pager.copied()
	x.raw, x.secretRaw = string(v.e.Raw), v.c.withheld(v.e.Raw)
	if x.json == nil {
		x.json = v.c.eventJSON(v.e)
	}
	return x
}
