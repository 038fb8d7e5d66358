package ui

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"bartizan/event"
	"bartizan/triage"
	"bartizan/ui/style"
)

// knownLines lists what is known of the event beyond its record, with what says it;
// nothing when nothing is.
func (c *Console) knownLines(e *event.Event) []line {
	if e == nil || e.More == nil {
		return nil
	}
	facts := e.More.About(e)
	if len(facts) == 0 {
		return nil
	}
	out, n, m := []line{c.heading("known beyond the record")}, 12, 0
	for _, f := range facts {
		n = max(n, style.Width(clean(f.Name)))
		m = max(m, min(style.Width(clean(f.Value)), 32))
	}
	for _, f := range facts {
		shown, secret := c.maskField(f.Name, head(f.Value, 256))
		value := c.sheet.Text
		if loudFact(f) {
			value = c.sheet.Bad
		}
		out = append(out, line{
			segs: []segment{
				{c.sheet.Accent, " " + style.Pad(clean(f.Name), n) + " "},
				{value, style.Pad(clean(shown), m)},
				{c.sheet.Dim, "  " + clean(f.From)},
			},
			field: f.Name, value: f.Value, secret: secret,
			open: func() tea.Cmd { return c.pivotValue(f.Name, f.Value) },
		})
	}
	return out
}

// loudFact reports whether a fact should be seen first: what much depends on, and
// what comes from outside.
func loudFact(f event.Fact) bool {
	at := event.EnrichedAt(f.Name)
	if at < 0 {
		return false
	}
	switch event.EnrichedNames()[at].Leaf {
	case "asset.criticality":
		return f.Value == "high" || f.Value == "critical"
	case "own":
		return f.Value == "false"
	}
	return false
}

// riskWords is an alert's risk; where a list of assets raised it, with all its parts.
func riskWords(a *triage.Alert) string {
	words := fmt.Sprintf("%d of 100", a.Risk)
	if a.Criticality > 0 {
		words += ": " + strings.Join(triage.RiskWhy(a), ", ")
	}
	return words
}
