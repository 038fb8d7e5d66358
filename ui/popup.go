package ui

import (
	"fmt"

	tea "charm.land/bubbletea/v2"

	"bartizan/detect"
	"bartizan/triage"
	"bartizan/ui/style"
)

// popup is what opens by itself: a new critical alert. For a grace period it
// swallows keys, so that a key meant for the list cannot answer it.
type popup struct {
	alert triage.AlertID
	more  int
}

// announce opens a pop-up for critical alerts that old did not have.
func (c *Console) announce(old snapshot) {
	for _, a := range c.snap.alerts {
		if a.Severity < detect.Critical || a.State != triage.StateNew {
			continue
		}
		if was, ok := old.byID[a.ID]; ok && (was.Version == a.Version || was.Severity >= detect.Critical) {
			continue
		}
		if c.popup != nil {
			c.popup.more++
			continue
		}
		c.popup = &popup{alert: a.ID}
		c.startGrace()
	}
}

// answer takes the keys of an open pop-up: Enter opens the alert, Esc closes the
// pop-up, any other key closes it and goes on to the screen.
func (c *Console) answer(k string) (taken bool, cmd tea.Cmd) {
	id := c.popup.alert
	c.popup = nil
	switch k {
	case "enter":
		return true, c.visit(newDetail(c, id))
	case "esc":
		return true, nil
	}
	return false, nil
}

// overlay draws the pop-up over the lines above the footer.
func (c *Console) overlay(lines []string, foot int) []string {
	if c.popup == nil || len(lines)-foot < 2 {
		return lines
	}
	a, ok := c.snap.byID[c.popup.alert]
	if !ok {
		return lines
	}
	r := style.Row{Width: c.w, Base: c.sheet.Severity(detect.Critical)}
	r.Put(style.Style{}, " "+c.sheet.Badge(a.Severity)+" "+clean(a.Title)+" "+entityWords(a.Group))
	if c.popup.more > 0 {
		r.Put(style.Style{}, fmt.Sprintf(" and %d more", c.popup.more))
	}
	r.Right(style.Style{}, "Enter opens, Esc closes ")
	out := append([]string(nil), lines...)
	out[len(lines)-foot-1] = r.String()
	return out
}
