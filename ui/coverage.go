package ui

import (
	"context"
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"bartizan/detect"
	"bartizan/ui/style"
)

// Gap is a log that does not arrive and that rules or people need.
type Gap struct {
	ID      string // of the kind of log
	Where   string // "bucket acme-invoices"
	Names   []string
	More    int // further names
	Log     string
	Why     string
	Mend    string // setting or command
	Then    string // what to mind about it; may be ""
	Lacking string // "17 rules can never match: …"
	Rules   []*detect.Rule
}

// Coverer is what a Live may offer besides: which logs do not arrive. It may take
// a while and is called from tasks.
type Coverer interface {
	// Gaps also counts what may be missing where too little was seen to say so.
	Gaps() (gaps []Gap, early int)
}

// gapsEvery is how often at most the gaps are asked for.
const gapsEvery = 5 * time.Second

// gaps are the logs that do not arrive, as they were last told.
type gaps struct {
	list  []Gap
	early int
	asked time.Time
	busy  bool
	known bool
}

// ask looks them up anew when they are old; then goes on when they are there.
func (g *gaps) ask(c *Console, then func() tea.Cmd) tea.Cmd {
	of, ok := c.opt.Live.(Coverer)
	now := c.now()
	if !ok || g.busy || g.known && now.Sub(g.asked) < gapsEvery && !now.Before(g.asked) {
		return nil
	}
	g.busy, g.asked = true, now
	_, cmd := c.spawn(func(context.Context) func() tea.Cmd {
		list, early := of.Gaps()
		return func() tea.Cmd {
			g.list, g.early, g.busy, g.known = list, early, false, true
			return then()
		}
	})
	return cmd
}

// lines are the section of the sources screen.
func (g *gaps) lines(c *Console) []line {
	if !g.known {
		return nil
	}
	sh := c.sheet
	if len(g.list)+g.early == 0 {
		return []line{c.heading("not arriving"), c.words("nothing that is known to be missing")}
	}
	out := []line{c.heading("not arriving, and rules that can never match (Enter: what mends it)")}
	wide := max(min(c.w/3, 48), 24)
	for _, gap := range g.list {
		rules, st := style.Pad("no rule", 11), sh.Dim
		if n := len(gap.Rules); n > 0 {
			rules, st = style.Pad(plural(n, "rule"), 11), sh.Warn
		}
		out = append(out, line{
			segs: []segment{
				{st, " " + rules + " "},
				{sh.Text, style.Pad(style.Fit(clean(gap.Where), wide-2, sh.More), wide-2) + " "},
				{sh.Accent, clean(gap.Log)},
			},
			open: func() tea.Cmd { return c.visit(newGapPage(c, gap)) },
		})
	}
	if g.early > 0 {
		early := c.words(fmt.Sprintf("%s not seen yet; missing is said when 15 min of records were, or waited for", plural(g.early, "wanted log")))
		early.tall = true
		out = append(out, early)
	}
	return out
}

// newGapPage is everything about one log that does not arrive.
func newGapPage(c *Console, g Gap) *tablePage {
	t := newTable(c, "not arriving: "+head(clean(g.Log), 40))
	t.fill = func(t *tablePage) tea.Cmd {
		if t.lines == nil {
			t.lines = c.gapLines(g)
		}
		return nil
	}
	return t
}

func (c *Console) gapLines(g Gap) []line {
	sh := c.sheet
	tall := func(l line) line { l.tall = true; return l }
	out := []line{
		{segs: []segment{{sh.Title, " not arriving: " + clean(g.Log)}}},
		tall(c.pair("where", 9, sh.Text, clean(g.Where))),
		tall(c.pair("because", 9, sh.Text, clean(g.Why))),
		tall(c.pair("rules", 9, sh.Warn, clean(g.Lacking))),
		c.heading("what would mend it (y f copies it)"),
	}
	mend := tall(c.words(clean(g.Mend)))
	mend.field, mend.value = "mend", g.Mend
	out = append(out, mend)
	if g.Then != "" {
		out = append(out, tall(c.words(clean(g.Then))))
	}
	if len(g.Names)+g.More > 1 {
		names := clean(strings.Join(g.Names, ", "))
		if g.More > 0 {
			names += fmt.Sprintf(" and %d more", g.More)
		}
		out = append(out, c.heading("which"), tall(c.words(names)))
	}
	if len(g.Rules) == 0 {
		return out
	}
	out = append(out, c.heading("rules that wait for it in vain (Enter opens one)"))
	for _, r := range g.Rules {
		out = append(out, line{
			segs: []segment{{sh.Severity(r.Severity), " " + sh.Badge(r.Severity) + " "}, {sh.Text, clean(r.Title)}, {sh.Dim, "  " + clean(r.ID)}},
			open: func() tea.Cmd { return c.visit(newRuleView(c, RuleRow{Rule: r, State: "on"})) }, field: "rule", value: r.ID,
		})
	}
	return out
}
