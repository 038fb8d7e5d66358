package ui

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"bartizan/detect"
	"bartizan/ui/style"
)

// rulesEvery is how often the list of rules is made anew while counts change.
const rulesEvery = time.Second

// rulesPage lists the rules in use: what each finds, where, whether it runs and how
// often it hit, and what the last reading of the rule files changed.
type rulesPage struct {
	pager
	rows   []RuleRow
	made   time.Time
	reload Reload
}

func newRules(c *Console) *rulesPage { return &rulesPage{pager: pager{c: c}} }

// Title is the crumb.
func (p *rulesPage) Title() string { return "rules" }

// Draw shows the page.
func (p *rulesPage) Draw(w, h int) string { return strings.Join(p.draw(w, h), "\n") }

// Keys are those of the list, and switching on again.
func (p *rulesPage) Keys() []Binding {
	out := p.keys()
	return append(out[:1:1], append([]Binding{
		{Name: "switch-on", Hint: "switch on", Off: p.noSwitch, Do: func() tea.Cmd { return p.c.switchOn(p.current().value, p.again) }},
	}, out[1:]...)...)
}

func (p *rulesPage) noSwitch() string {
	for _, r := range p.rows {
		if r.Rule.ID == p.current().value && r.State == "off" {
			return ""
		}
	}
	return "the rule under the cursor is not switched off"
}

func (p *rulesPage) again() { p.made = time.Time{} }

// Take makes the list anew when it is older than a second or the rules were read
// again; the cursor stays on its rule.
func (p *rulesPage) Take(tea.Msg) tea.Cmd {
	last := p.c.lastReload()
	if now := p.c.now(); p.lines != nil && last.At.Equal(p.reload.At) && now.Sub(p.made) < rulesEvery && !now.Before(p.made) {
		return nil
	}
	under := p.current().value
	p.reload, p.made = last, p.c.now()
	p.rows = p.c.ruleRows()
	p.lines = append(p.head(), p.items()...)
	if under != "" {
		if i := slices.IndexFunc(p.lines, func(l line) bool { return l.value == under }); i >= 0 {
			p.list.To(int64(i))
		}
	}
	return nil
}

// ruleStates are the states of a rule in the order of the list: what somebody
// should look at first.
var ruleStates = []string{"off", "refused", "expired", "expensive", "on", "filter", "shown"}

// ruleRows are the rules as the engine tells of them, in the order of the list.
func (c *Console) ruleRows() []RuleRow {
	var out []RuleRow
	if b, ok := c.opt.Live.(Rulebook); ok {
		out = b.RuleRows()
	} else {
		for _, r := range c.rules() {
			out = append(out, RuleRow{Rule: r, State: "on"})
		}
	}
	slices.SortStableFunc(out, func(a, b RuleRow) int {
		return cmp.Or(
			slices.Index(ruleStates, a.State)-slices.Index(ruleStates, b.State),
			int(b.Rule.Severity)-int(a.Rule.Severity),
			strings.Compare(a.Rule.Title, b.Rule.Title),
		)
	})
	return out
}

// rules are all rules where the engine lists them, else those with alerts.
func (c *Console) rules() []*detect.Rule {
	var out []*detect.Rule
	seen := map[string]bool{}
	for _, a := range c.snap.alerts {
		if r := c.opt.Live.RuleOf(a.RuleID); r != nil && !seen[a.RuleID] {
			seen[a.RuleID] = true
			out = append(out, r)
		}
	}
	return out
}

// head counts the rules by state and says what the last reading changed.
func (p *rulesPage) head() []line {
	c := p.c
	n := map[string]int{}
	for _, r := range p.rows {
		n[r.State]++
	}
	words := plural(len(p.rows)-n["refused"], "rule")
	for _, s := range ruleStates {
		if n[s] > 0 {
			words += fmt.Sprintf("%s %s %s", map[bool]string{true: ":", false: ","}[!strings.Contains(words, ":")], count(uint64(n[s])), s)
		}
	}
	out := []line{c.heading(words)}
	if p.reload.Words == "" {
		return out
	}
	st := c.sheet.Dim
	if p.reload.Bad {
		st = c.sheet.Bad
	}
	out = append(out, line{segs: []segment{
		{c.sheet.Dim, " read again " + c.stamp(p.reload.At) + " (" + clean(p.reload.Why) + "): "}, {st, clean(p.reload.Words)},
	}})
	for i, l := range p.reload.Lines {
		if i == maxReloadShown {
			out = append(out, c.words(fmt.Sprintf("  and %d more; the log has them", len(p.reload.Lines)-i)))
			break
		}
		out = append(out, line{segs: []segment{{c.sheet.Text, "   " + clean(l)}}})
	}
	return out
}

// maxReloadShown bounds how many changes of the last reading are listed.
const maxReloadShown = 8

func (p *rulesPage) items() []line {
	out := make([]line, 0, len(p.rows))
	for _, r := range p.rows {
		out = append(out, p.c.ruleLine(r))
		if r.Why != "" && loud(r.State) {
			out = append(out, line{segs: []segment{{p.c.stateStyle(r.State), strings.Repeat(" ", stateColumn) + clean(r.Why)}}})
		}
	}
	return out
}

// stateColumn is where titles begin.
const stateColumn = 14

// loud says that a state is one that somebody should look at.
func loud(state string) bool { return state == "off" || state == "refused" || state == "expired" }

func (c *Console) stateStyle(state string) style.Style {
	switch state {
	case "off", "refused":
		return c.sheet.Bad
	case "expensive", "expired":
		return c.sheet.Warn
	case "on":
		return c.sheet.Good
	}
	return c.sheet.Dim
}

// hitsColumn is how wide the counts of hits are.
const hitsColumn = 14

// ruleLine is one rule of the list.
func (c *Console) ruleLine(r RuleRow) line {
	sh := c.sheet
	wide := min(max(c.w-stateColumn-hitsColumn-1, 16), 64)
	title, badge := r.Rule.Title, segment{sh.Severity(r.Rule.Severity), " " + sh.Badge(r.Rule.Severity) + " "}
	if r.State == "refused" || r.Rule.Filter != nil {
		badge = segment{sh.Dim, "    "}
	}
	if r.State == "refused" {
		title = r.Rule.File
	}
	hits := ""
	if r.Hits > 0 {
		hits = plural(int(r.Hits), "hit")
	}
	segs := []segment{
		badge,
		{c.stateStyle(r.State), style.Pad(r.State, 9) + " "},
		{sh.Text, style.Pad(style.Fit(clean(title), wide, sh.More), wide)},
		{sh.Accent, fmt.Sprintf(" %*s  ", hitsColumn-2, hits)},
		{sh.Dim, style.Pad(style.Fit(clean(sourceWords(r.Rule)), 20, sh.More), 20) + " "},
	}
	if r.Windows > 0 {
		segs = append(segs, segment{sh.Dim, plural(r.Windows, "window") + " "})
	}
	if r.Why != "" && !loud(r.State) {
		segs = append(segs, segment{c.stateStyle(r.State), clean(r.Why) + " "})
	}
	segs = append(segs, segment{sh.Dim, clean(attackWords(r.Rule.Tags))})
	return line{segs: segs, field: "rule", value: r.Rule.ID, open: func() tea.Cmd { return c.visit(newRuleView(c, r)) }}
}

// sourceWords is what events a rule is about.
func sourceWords(r *detect.Rule) string {
	words := strings.Trim(r.LogSource.Product+"/"+r.LogSource.Category+"/"+r.LogSource.Service, "/")
	words = strings.ReplaceAll(words, "//", "/")
	if words == "" {
		return string(r.Kind)
	}
	return words
}

func (c *Console) lastReload() Reload {
	if b, ok := c.opt.Live.(Rulebook); ok {
		return b.LastReload()
	}
	return Reload{}
}

func (c *Console) noReload() string {
	if _, ok := c.opt.Live.(Rulebook); !ok {
		return "this engine cannot read its rules again"
	}
	return ""
}

// reloadRules reads the rule files again, in a task, and says what changed.
func (c *Console) reloadRules() tea.Cmd {
	b, by := c.opt.Live.(Rulebook), c.opt.Actor
	c.say("reading the rules again")
	_, cmd := c.spawn(func(context.Context) func() tea.Cmd {
		r := b.Reload(by)
		return func() tea.Cmd {
			c.refresh()
			c.tellReload(r)
			return c.changed()
		}
	})
	return cmd
}

// tellReload says in the footer what reading the rules changed.
func (c *Console) tellReload(r Reload) {
	if r.Bad {
		c.complain("rules: %s; 7 says where", clean(r.Words))
		return
	}
	c.say("rules: %s", clean(r.Words))
}

// switchOn lets a rule run again that was switched off for its time.
func (c *Console) switchOn(id string, then func()) tea.Cmd {
	b := c.opt.Live.(Rulebook)
	_, cmd := c.spawn(func(context.Context) func() tea.Cmd {
		err := b.SwitchOn(id)
		return func() tea.Cmd {
			if err != nil {
				c.complain("%s", clean(err.Error()))
				return nil
			}
			then()
			c.refresh()
			c.say("the rule runs again")
			return c.changed()
		}
	})
	return cmd
}
