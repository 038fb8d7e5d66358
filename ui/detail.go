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
)

// detail is everything about one alert: why, the record with what came before
// and after, its fields, entities, related alerts, runbook and history.
type detail struct {
	c        *Console
	id       triage.AlertID
	pager    pager
	version  uint64
	count    uint64
	evidence []triage.Evidence
	journal  []triage.Entry
	parsed   *event.Event // the newest hit, with fields
	before   []*event.Event
	after    []*event.Event
	loaded   bool
	busy     *task
	trouble  string
	judged   judged
	joins    []Join            // what its record belongs to
	marks    []triage.Distrust // as the page shows them
	folded   map[string]bool   // parts of the rule's condition, by their place
	secrets  secrets
}

func newDetail(c *Console, id triage.AlertID) *detail {
	d := &detail{c: c, id: id, pager: pager{c: c}, folded: map[string]bool{}}
	if a, ok := c.snap.byID[id]; ok {
		c.seen[id] = a.Version
	}
	d.secrets = secrets{c: c, page: func() Screen { return d }, build: d.build, about: d.evidenceName}
	d.build()
	return d
}

// Title is the crumb.
func (d *detail) Title() string {
	a := d.alert()
	if a == nil {
		return "alert"
	}
	return head(clean(a.Title), 48)
}

func (d *detail) alert() *triage.Alert { return d.c.snap.byID[d.id] }

// Keys are those of the page and the decisions about this alert.
func (d *detail) Keys() []Binding {
	out := d.c.decides(d.targets, func() {})
	keys := d.pager.keys()
	keys[0].Hint = "open or pivot"
	out = append(keys[:1:1], append(out, keys[1:]...)...)
	out = append(out, Binding{Name: "exclude", Off: d.pager.noField, Do: d.pager.exclude}, d.secrets.binding())
	return append(out, hintSession(d.c.pivots(d.entities, d.rule))...)
}

func (d *detail) targets() []*triage.Alert {
	if a := d.alert(); a != nil {
		return []*triage.Alert{a}
	}
	return nil
}

func (d *detail) entities() []event.Entity {
	if a := d.alert(); a != nil {
		return d.named(a)
	}
	return nil
}

func (d *detail) rule() string {
	if a := d.alert(); a != nil {
		return a.RuleID
	}
	return ""
}

func (d *detail) undoStep() (bool, tea.Cmd) { return d.pager.undoStep() }

// Take loads what the board has on the alert, again when it changed.
func (d *detail) Take(tea.Msg) tea.Cmd {
	a := d.alert()
	if a != nil && !slices.Equal(a.Compromised, d.marks) {
		d.build()
	}
	if a == nil || d.busy != nil || d.loaded && a.Version == d.version && a.Count == d.count {
		return nil
	}
	d.version, d.count = a.Version, a.Count
	d.build()
	t, cmd := d.c.spawn(d.load(a))
	d.busy = t
	return cmd
}

// load reads evidence, history and surroundings outside the key handler.
func (d *detail) load(a *triage.Alert) func(context.Context) func() tea.Cmd {
	live, past, desk, id := d.c.opt.Live, d.c.opt.Past, d.c.opt.Desk, d.id
	return func(ctx context.Context) func() tea.Cmd {
		evidence, err := desk.Evidence(id)
		journal, err2 := desk.Journal(id, undoReach)
		hit := newestHit(evidence)
		parsed := reparse(live, hit, id)
		judged, joins := judgeRecord(ctx, live, a, parsed), joinsOf(live, parsed)
		var before, after []*event.Event
		if hit != nil && !hasContext(evidence) {
			before, after, _ = past.Around(ctx, hit.Ref, hit.Time, triage.ContextLines) // the record itself is enough
		}
		return func() tea.Cmd {
			d.busy, d.loaded, d.trouble = nil, true, ""
			for _, e := range []error{err, err2} {
				if e != nil {
					d.trouble = e.Error()
				}
			}
			d.evidence, d.journal, d.parsed, d.before, d.after, d.judged = evidence, journal, parsed, before, after, judged
			d.joins = joins
			d.c.seen[id] = a.Version
			d.build()
			return d.Take(nil)
		}
	}
}

func newestHit(list []triage.Evidence) *triage.Evidence {
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].Hit {
			return &list[i]
		}
	}
	return nil
}

func hasContext(list []triage.Evidence) bool {
	return slices.ContainsFunc(list, func(e triage.Evidence) bool { return !e.Hit })
}

// reparse finds the fields of the newest hit: by parsing the pinned record again
// where the engine offers it, else among the newest rows of the ring.
func reparse(live Live, hit *triage.Evidence, id triage.AlertID) *event.Event {
	if r, ok := live.(Reparser); ok && hit != nil {
		if e, err := r.Reparse(*hit); err == nil {
			return e
		}
	}
	first, next := live.Bounds()
	var e event.Event
	for seq := next; seq > first && next-seq < sweepChunk; seq-- {
		for _, h := range live.Hits(seq - 1) {
			if h.Alert == id && live.Read(seq-1, &e) == nil {
				return e.Clone()
			}
		}
	}
	return nil
}

// Draw shows the page.
func (d *detail) Draw(w, h int) string { return strings.Join(d.pager.draw(w, h), "\n") }

// build makes the lines of the page anew; the cursor stays on its line.
func (d *detail) build() { d.secrets.during(d.fill) }

func (d *detail) fill() {
	a := d.alert()
	if a == nil {
		d.pager.lines = []line{d.c.words("this alert is no longer on the board")}
		return
	}
	var l []line
	d.marks = a.Compromised
	l = append(l, d.facts(a)...)
	l = append(l, d.c.joinLines(d.joins)...)
	l = append(l, d.why(a)...)
	l = append(l, d.record(a)...)
	l = append(l, d.entityLines(a)...)
	l = append(l, d.c.knownLines(d.parsed)...)
	l = append(l, d.condition()...)
	l = append(l, d.fieldLines()...)
	l = append(l, d.runbook(a)...)
	l = append(l, d.related(a)...)
	l = append(l, d.history()...)
	d.pager.lines = l
}

func (d *detail) facts(a *triage.Alert) []line {
	c, sh := d.c, d.c.sheet
	st, words := c.queue.stateWords(a)
	if a.State == triage.StateClosed && a.Owner != "" {
		words += " by " + clean(a.Owner)
	}
	out := []line{
		{segs: []segment{{sh.Severity(a.Severity), " " + sh.Badge(a.Severity) + " " + a.Severity.String() + " "}, {sh.Title, " " + clean(a.Title)}}},
		c.pair("state", 9, st, words),
		c.pair("seen", 9, sh.Text, fmt.Sprintf("%s, first %s, last %s", times2(a.Count), c.full(a.First), c.full(a.Last))),
		c.pair("risk", 9, sh.Text, riskWords(a)),
		c.pair("rule", 9, sh.Text, c.ruleWords(a.RuleID)),
	}
	out[4].open = func() tea.Cmd { return c.visit(newRulePage(c, a.RuleID)) }
	out[4].field, out[4].value = "rule", a.RuleID
	if len(a.Tags) > 0 {
		out = append(out, c.pair("ATT&CK", 9, sh.Text, clean(attackWords(a.Tags))))
	}
	out = append(out, c.pair("sources", 9, sh.Text, clean(joinSources(a.Sources))))
	for _, m := range a.Compromised {
		mark := c.pair("", 9, sh.Bad, clean(m.Host)+": "+c.distrustWords(m))
		mark.tall = true
		out = append(out, mark)
	}
	out = append(out, c.pair("id", 9, sh.Dim, clean(string(a.ID))))
	if a.Previous != "" {
		prev := c.pair("before", 9, sh.Accent, clean(string(a.Previous)))
		prev.open = func() tea.Cmd { return c.visit(newDetail(c, a.Previous)) }
		out = append(out, prev)
	}
	return out
}

// ruleWords is a rule's title and id.
func (c *Console) ruleWords(id string) string {
	if r := c.opt.Live.RuleOf(id); r != nil && r.Title != "" {
		return clean(r.Title) + " (" + clean(id) + ")"
	}
	return clean(id)
}

func times2(n uint64) string {
	if n == 1 {
		return "once"
	}
	return count(n) + " times"
}

// attackWords writes tags as people quote them: "attack.t1110.001" is T1110.001.
func attackWords(tags []string) string {
	var out []string
	for _, t := range tags {
		rest, ok := strings.CutPrefix(t, "attack.")
		switch {
		case !ok:
			out = append(out, t)
		case len(rest) > 1 && rest[0] == 't' && rest[1] >= '0' && rest[1] <= '9':
			out = append(out, strings.ToUpper(rest))
		default:
			out = append(out, strings.ReplaceAll(strings.ReplaceAll(rest, "-", " "), "_", " "))
		}
	}
	return strings.Join(out, ", ")
}

func joinSources(list []event.SourceID) string {
	var out []string
	for _, s := range list {
		out = append(out, string(s))
	}
	return strings.Join(out, ", ")
}

// full is a complete time in the shown zone.
func (c *Console) full(t time.Time) string {
	if t.IsZero() {
		return "unknown"
	}
	return t.In(c.zone()).Format("2006-01-02 15:04:05 MST")
}
