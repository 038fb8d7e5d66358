package ui

import (
	"context"
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"bartizan/detect"
)

// ruleView is everything about one rule: what it is for, what to do when it hits,
// what it counts now, its tests and its text.
type ruleView struct {
	pager
	row    RuleRow
	text   string
	err    error
	asked  bool
	shown  Reload
	filled time.Time
}

func newRuleView(c *Console, r RuleRow) *ruleView { return &ruleView{pager: pager{c: c}, row: r} }

// Title is the crumb.
func (v *ruleView) Title() string { return "rule: " + head(clean(v.row.Rule.Title), 40) }

// Draw shows the page.
func (v *ruleView) Draw(w, h int) string { return strings.Join(v.draw(w, h), "\n") }

// Keys are those of the page, the rule's pivot and switching it on again.
func (v *ruleView) Keys() []Binding {
	out := append(v.keys(),
		Binding{Name: "switch-on", Hint: "switch on", Off: v.noSwitch, Do: func() tea.Cmd { return v.c.switchOn(v.row.Rule.ID, func() {}) }})
	return append(out, Binding{Name: "pivot-rule", Hint: "its records", Do: func() tea.Cmd { return v.c.visit(newRulePage(v.c, v.row.Rule.ID)) }})
}

func (v *ruleView) noSwitch() string {
	if v.row.State != "off" {
		return "the rule is not switched off"
	}
	return ""
}

// Take asks for the rule's text once, and again when the rules were read again.
func (v *ruleView) Take(tea.Msg) tea.Cmd {
	last := v.c.lastReload()
	if now := v.c.now(); v.lines == nil || now.Sub(v.filled) >= rulesEvery || !last.At.Equal(v.shown.At) {
		v.filled = now
		v.find()
	}
	if v.asked && last.At.Equal(v.shown.At) {
		return nil
	}
	v.asked, v.shown = true, last
	j, ok := v.c.opt.Live.(Judge)
	if !ok || v.row.State == "refused" {
		return nil
	}
	id := v.row.Rule.ID
	_, cmd := v.c.spawn(func(context.Context) func() tea.Cmd {
		text, err := j.RuleText(id)
		return func() tea.Cmd {
			v.text, v.err = text, err
			v.build()
			return nil
		}
	})
	return cmd
}

// find takes the rule as it stands now.
func (v *ruleView) find() {
	for _, r := range v.c.ruleRows() {
		if r.Rule.ID == v.row.Rule.ID && r.Rule.File == v.row.Rule.File && r.State != "refused" {
			v.row = r
			break
		}
	}
	v.build()
}

func (v *ruleView) build() {
	var l []line
	l = append(l, v.facts()...)
	l = append(l, v.about()...)
	l = append(l, v.windows()...)
	l = append(l, v.tests()...)
	v.lines = append(l, v.source()...)
}

const factWidth = 10

func (v *ruleView) facts() []line {
	c, sh, r := v.c, v.c.sheet, v.row.Rule
	out := []line{{segs: []segment{{sh.Severity(r.Severity), " " + sh.Badge(r.Severity) + " " + r.Severity.String() + " "}, {sh.Title, " " + clean(r.Title)}}}}
	add := func(name, value string) {
		if value != "" {
			out = append(out, c.pair(name, factWidth, sh.Text, clean(value)))
		}
	}
	out = append(out, c.pair("state", factWidth, c.stateStyle(v.row.State), v.row.State+" "+clean(v.row.Why)))
	add("kind", string(r.Kind))
	add("about", sourceWords(r))
	if v.row.State != "refused" {
		hits := c.pair("hits", factWidth, sh.Accent, count(v.row.Hits)+" since the engine began; Enter shows the records in memory")
		hits.open = func() tea.Cmd { return c.visit(newRulePage(c, r.ID)) }
		out = append(out, hits)
	}
	add("ATT&CK", attackWords(r.Tags))
	add("file", fmt.Sprintf("%s:%d", r.File, r.Line))
	add("id", r.ID)
	add("status", r.Status)
	add("author", r.Author)
	add("grouped by", strings.Join(r.GroupBy, ", "))
	if r.Correlation != nil {
		add("counts", r.Correlation.Words(v.name))
	} else if r.Count > 1 {
		add("counts", fmt.Sprintf("%d within %v", r.Count, r.Within))
	}
	for _, id := range r.Filters {
		add("exception", v.name(id))
	}
	if r.Silent {
		add("hits", "none of its own: it only feeds correlations")
	}
	return out
}

// name is a rule's title where it is loaded.
func (v *ruleView) name(id string) string {
	if r := v.c.opt.Live.RuleOf(id); r != nil && r.Title != "" {
		return r.Title
	}
	return id
}

func (v *ruleView) about() []line {
	c, r := v.c, v.row.Rule
	var out []line
	section := func(name string, texts ...string) {
		first := true
		for _, t := range texts {
			for l := range strings.Lines(strings.TrimSpace(t)) {
				if first {
					out = append(out, c.heading(name))
					first = false
				}
				words := c.words(clean(strings.TrimSpace(l)))
				words.tall = true // to be read, also at the width of a small terminal
				out = append(out, words)
			}
		}
	}
	section("what it finds", r.Description)
	section("what to do first", r.Runbook)
	section("may be harmless", r.FalsePositives...)
	section("see", r.References...)
	return out
}

// maxWindowsShown bounds how many groups of a rule that counts are listed.
const maxWindowsShown = 100

func (v *ruleView) windows() []line {
	c := v.c
	b, ok := c.opt.Live.(Rulebook)
	if !ok || v.row.Windows == 0 {
		return nil
	}
	list := b.Windows(v.row.Rule.ID)
	out := []line{c.heading(plural(len(list), "window") + " being counted, the latest first")}
	for i, w := range list {
		if i == maxWindowsShown {
			return append(out, c.words(fmt.Sprintf("and %d more", len(list)-i)))
		}
		out = append(out, c.windowLine(w))
	}
	return out
}

func (c *Console) windowLine(w detect.Window) line {
	sh := c.sheet
	who := entityWords(w.Group)
	if who == "" {
		who = "everything together"
	}
	st, words := sh.Dim, "counting"
	if w.Firing {
		st, words = sh.Warn, "has hit"
	}
	return line{segs: []segment{
		{st, fmt.Sprintf(" %-8s ", words)},
		{sh.Text, fmt.Sprintf("%6s  ", count(uint64(w.Count)))},
		{sh.Dim, c.clock(w.First, c.now(), false) + " to " + c.clock(w.Last, c.now(), false) + "  "},
		{sh.Accent, who},
	}}
}

func (v *ruleView) tests() []line {
	c, r := v.c, v.row.Rule
	if len(r.Hit)+len(r.Miss) == 0 {
		return nil
	}
	out := []line{c.heading("tests: it must hit, and must miss")}
	for _, t := range r.Hit {
		out = append(out, line{segs: []segment{{c.sheet.Warn, " hit   "}, {c.sheet.Text, clean(strings.TrimSpace(t))}}})
	}
	for _, t := range r.Miss {
		out = append(out, line{segs: []segment{{c.sheet.Good, " miss  "}, {c.sheet.Text, clean(strings.TrimSpace(t))}}})
	}
	return out
}

func (v *ruleView) source() []line {
	c := v.c
	switch {
	case v.err != nil:
		return []line{c.heading("text"), {segs: []segment{{c.sheet.Bad, " " + clean(v.err.Error())}}}}
	case v.text == "":
		return nil
	}
	return append([]line{c.heading("text")}, c.textLines(v.text)...)
}
