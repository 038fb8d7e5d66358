package ui

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"bartizan/event"
	"bartizan/query"
	"bartizan/triage"
	"bartizan/ui/style"
)

// why shows which predicate matched where.
func (d *detail) why(a *triage.Alert) []line {
	c, sh := d.c, d.c.sheet
	out, n := []line{c.heading("why")}, 6
	for _, m := range a.Why {
		n = max(n, min(style.Width(clean(m.Field)), 40))
	}
	for _, m := range a.Why {
		where := ""
		if m.Pos >= 0 && m.End > m.Pos {
			where = fmt.Sprintf("  bytes %d to %d", m.Pos, m.End)
		}
		field := m.Field
		if field == "" {
			field = "record"
		}
		value, secret := c.maskField(m.Field, head(m.Value, 200))
		asked, told := c.maskField("", head(m.Predicate, 200))
		l := line{segs: []segment{
			{sh.Dim, " " + style.Pad(clean(field), n) + " "},
			{sh.Text, clean(asked)},
			{sh.Dim, "  matched "},
			{sh.Match, clean(value)},
			{sh.Dim, where},
		}, field: m.Field, value: m.Value, secret: secret || told}
		if m.Field != "" && m.Value != "" {
			l.open = func() tea.Cmd { return c.pivotValue(m.Field, m.Value) }
		}
		out = append(out, l)
	}
	if len(a.Why) == 0 {
		out = append(out, c.words("the rule gave no reason"))
	}
	return out
}

// record is the newest hit with what came before and after it; the matching
// bytes are marked in the record itself.
func (d *detail) record(a *triage.Alert) []line {
	c := d.c
	out := []line{c.heading("record, with what came before and after")}
	if d.trouble != "" {
		out = append(out, line{segs: []segment{{c.sheet.Bad, " " + clean(d.trouble)}}})
	}
	ev := d.around()
	if len(ev) == 0 {
		raw := c.rawLine("", []byte(a.Sample), a.Why, true)
		raw.tall = true
		return append(out, raw)
	}
	newest := firstByte(newestHit(ev))
	for _, e := range ev {
		stamp := c.clock(e.Time, c.now(), false)
		out = append(out, c.rawLine(stamp, e.Raw, e.Why, e.Hit))
		out[len(out)-1].tall = e.Hit && firstByte(&e) == newest
	}
	if hits := countHits(d.evidence); hits > 1 {
		out = append(out, line{segs: []segment{{c.sheet.Dim, fmt.Sprintf(" %d hits are pinned as evidence", hits)}}})
	}
	return out
}

// firstByte tells one record from another that reads the same.
func firstByte(e *triage.Evidence) *byte {
	if e == nil || len(e.Raw) == 0 {
		return nil
	}
	return &e.Raw[0]
}

func countHits(list []triage.Evidence) int {
	n := 0
	for _, e := range list {
		if e.Hit {
			n++
		}
	}
	return n
}

// around is the newest hit among its neighbours: pinned ones, or those that
// still lie where the record came from.
func (d *detail) around() []triage.Evidence {
	at := -1
	for i, e := range d.evidence {
		if e.Hit {
			at = i
		}
	}
	if at < 0 {
		return nil
	}
	if len(d.before)+len(d.after) > 0 {
		var out []triage.Evidence
		for _, e := range d.before {
			out = append(out, triage.Evidence{Time: e.Time, Raw: e.Raw})
		}
		out = append(out, d.evidence[at])
		for _, e := range d.after {
			out = append(out, triage.Evidence{Time: e.Time, Raw: e.Raw})
		}
		return out
	}
	return d.evidence[max(at-triage.ContextLines, 0):min(at+triage.ContextLines+1, len(d.evidence))]
}

// rawCut is how many bytes of a record a page shows in one line.
const rawCut = 8 << 10

// rawLine is a record as it was delivered, with what matched marked.
func (c *Console) rawLine(stamp string, raw []byte, why []query.Match, hit bool) line {
	sh := c.sheet
	base, gutter := sh.Dim, "  "
	if hit {
		base, gutter = sh.Text, sh.Point+" "
	}
	text, off := cutRaw(raw, rawCut), 0
	more := len(raw) - len(text)
	bare := text
	text, plain := c.masked(bare)
	if !plain {
		off = -1
	}
	segs := []segment{{sh.Accent, " " + gutter}}
	if stamp != "" {
		segs = append(segs, segment{sh.Dim, style.Pad(stamp, 9)})
	}
	segs = append(segs, paint(text, base, []layer{{sh.Match, spansIn(text, off, why)}})...)
	if more > 0 {
		segs = append(segs, segment{sh.Dim, fmt.Sprintf(" (%s more bytes)", count(uint64(more)))})
	}
	return line{segs: segs, raw: raw, secret: !plain || c.clear != nil && c.hasSecret(bare)}
}

func (d *detail) entityLines(a *triage.Alert) []line {
	out := []line{d.c.heading("about (Enter or p and the letter or digit)")}
	for i, e := range d.named(a) {
		out = append(out, d.c.entityLine(i, e))
	}
	return out
}

// named are the alert's entities, and what its newest hit was joined with since.
func (d *detail) named(a *triage.Alert) []event.Entity {
	out := alertEntities(a)
	if d.parsed == nil {
		return out
	}
	for _, e := range d.parsed.Entities(nil) {
		if e.Role == event.RoleJoined && !slices.ContainsFunc(out, func(o event.Entity) bool { return sameEntity(o, e) }) {
			out = append(out, e)
		}
	}
	return out
}

func (c *Console) entityLine(i int, e event.Entity) line {
	sh, digit := c.sheet, " "
	if i < 9 {
		digit = fmt.Sprint(i + 1)
	}
	role := e.Role.String()
	if e.Role == event.RoleObserver {
		role = "seen at"
	}
	return line{
		segs:  []segment{{sh.Key, " " + digit}, {sh.Dim, " " + style.Pad(kindName(e.Kind), 10) + " "}, {sh.Accent, clean(e.Value)}, {sh.Dim, "  " + role}},
		open:  func() tea.Cmd { return c.pivot(e) },
		value: e.Value, ent: &e, field: firstField(e.Kind),
	}
}

func firstField(k event.EntityKind) string {
	if names := event.EntityFields(k); len(names) > 0 {
		return names[0]
	}
	return ""
}

func (d *detail) fieldLines() []line {
	if d.parsed == nil {
		return nil
	}
	out := []line{d.c.heading("fields of the newest hit")}
	return append(out, d.c.fieldLines(d.parsed)...)
}

// maxFields bounds how many fields a page lists.
const maxFields = 512

// fieldLines lists the fields of an event, native ones first.
func (c *Console) fieldLines(e *event.Event) []line {
	var out []line
	n := 12
	for _, f := range e.Fields {
		n = max(n, min(style.Width(clean(f.Name)), max(32, c.w/4)))
	}
	for i, f := range e.Fields {
		if i == maxFields {
			out = append(out, c.words(fmt.Sprintf("%d more fields", len(e.Fields)-i)))
			break
		}
		name := c.sheet.Dim
		if i >= e.Native {
			name = c.sheet.Accent
		}
		value, secret := c.maskField(f.Name, head(f.Value.Str, 2048))
		out = append(out, line{
			segs:  []segment{{name, " " + style.Pad(clean(f.Name), n) + " "}, {c.sheet.Text, clean(value)}},
			field: f.Name, value: f.Value.Str, secret: secret,
			open: func() tea.Cmd { return c.pivotValue(f.Name, f.Value.Str) },
		})
	}
	return out
}

func (d *detail) runbook(a *triage.Alert) []line {
	c := d.c
	out := []line{c.heading("runbook")}
	text := a.Runbook
	rule := c.opt.Live.RuleOf(a.RuleID)
	if rule != nil && text == "" {
		text = rule.Runbook
	}
	if text == "" {
		text = "the rule has no runbook"
	}
	words := c.words(clean(text))
	words.tall = true
	out = append(out, words)
	if rule == nil {
		return out
	}
	for _, f := range rule.FalsePositives {
		out = append(out, c.pair("may be", 9, c.sheet.Text, clean(f)))
	}
	for _, f := range rule.References {
		out = append(out, c.pair("see", 9, c.sheet.Text, clean(f)))
	}
	return out
}

// maxRelated bounds the list of alerts about the same entities.
const maxRelated = 20

// related are the other alerts about the same entities.
func (d *detail) related(a *triage.Alert) []line {
	c := d.c
	out := []line{c.heading("related alerts")}
	mine := alertEntities(a)
	for _, o := range c.snap.alerts {
		if o.ID == a.ID {
			continue
		}
		shared, ok := sharedEntity(mine, alertEntities(o))
		if !ok {
			continue
		}
		if len(out) > maxRelated {
			return append(out, c.words("and more; p and a letter show all about one entity"))
		}
		out = append(out, c.alertLine(o, "same "+kindName(shared.Kind)+" "+clean(shared.Value)))
	}
	if len(out) == 1 {
		out = append(out, c.words("no other alert names any of these"))
	}
	return out
}

func sharedEntity(a, b []event.Entity) (event.Entity, bool) {
	for _, e := range a {
		if e.Role != event.RoleObserver && slices.ContainsFunc(b, func(o event.Entity) bool { return o.Kind == e.Kind && o.Value == e.Value }) {
			return e, true
		}
	}
	return event.Entity{}, false
}

// alertLine is an alert on a page about something else.
func (c *Console) alertLine(a *triage.Alert, why string) line {
	sh := c.sheet
	st, words := c.queue.stateWords(a)
	segs := []segment{
		{sh.Severity(a.Severity), " " + sh.Badge(a.Severity)},
		{sh.Dim, " " + style.Pad(c.clock(a.Last, c.now(), false), 9)},
		{st, style.Pad(words, 14) + " "},
	}
	if len(a.Compromised) > 0 {
		segs = append(segs, segment{sh.Loss, "!!"}, segment{sh.Text, " "})
	}
	return line{
		segs: append(segs, segment{sh.Text, clean(a.Title)}, segment{sh.Dim, "  " + why}),
		open: func() tea.Cmd { return c.visit(newDetail(c, a.ID)) },
	}
}

func (d *detail) history() []line {
	out := []line{d.c.heading("history")}
	for _, e := range d.journal {
		out = append(out, d.c.entryLine(e))
	}
	if len(d.journal) == 0 {
		out = append(out, d.c.words("nobody has decided anything yet"))
	}
	return out
}

// entryLine is one row of the journal.
func (c *Console) entryLine(e triage.Entry) line {
	sh := c.sheet
	what := string(e.Do)
	if e.Verdict != triage.VerdictNone {
		what += " " + strings.ReplaceAll(e.Verdict.String(), "_", " ")
	}
	if !e.Until.IsZero() {
		what += " until " + c.full(e.Until)
	}
	if e.Undoes != 0 {
		what += fmt.Sprintf(" of #%d", e.Undoes)
	}
	who := clean(e.By.Name)
	if e.By.Claimed != "" {
		who += " (" + clean(e.By.Claimed) + ")"
	}
	about := "  " + plural(len(e.On), "alert")
	if e.Do == triage.DoReveal {
		about = ""
	}
	if e.Host != "" {
		about = "  host " + clean(e.Host)
	}
	segs := []segment{
		{sh.Dim, fmt.Sprintf(" %5d %s ", e.ID, c.full(e.At))},
		{sh.Accent, style.Pad(who, 16) + " "},
		{sh.Text, clean(what)},
		{sh.Dim, about},
	}
	if e.Note != "" {
		segs = append(segs, segment{sh.Text, "  " + clean(e.Note)})
	}
	return line{segs: segs}
}

func (p *pager) noField() string {
	l := p.current()
	if l.field == "" || l.value == "" {
		return "there is no value under the cursor to exclude"
	}
	if l.secret {
		return secretInFilter
	}
	return ""
}

func (p *pager) exclude() tea.Cmd {
	l := p.current()
	return p.c.exclude(l.field, l.value)
}
