package ui

import (
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"
)

// timeMode is how times of rows are shown.
type timeMode uint8

const (
	timesLocal timeMode = iota
	timesUTC
	timesRelative
	timeModes
)

func (c *Console) nextTimes() tea.Cmd {
	c.times = (c.times + 1) % timeModes
	c.say("times are %s", [...]string{"in " + c.opt.Zone.String(), "in UTC", "relative to now, as of the last change"}[c.times])
	return nil
}

func (c *Console) zone() *time.Location {
	if c.times == timesUTC {
		return time.UTC
	}
	return c.opt.Zone
}

// clock is a row's time in exactly timeWidth(w) columns.
func (c *Console) clock(t, now time.Time, wide bool) string {
	if t.IsZero() {
		return ""
	}
	if c.times == timesRelative {
		return ago(now.Sub(t))
	}
	t, now = t.In(c.zone()), now.In(c.zone())
	switch today := t.YearDay() == now.YearDay() && t.Year() == now.Year(); {
	case wide:
		return t.Format("01-02 15:04:05")
	case today:
		return t.Format("15:04:05")
	}
	return t.Format("02T15:04")
}

// ago is an age in at most eight columns.
func ago(d time.Duration) string {
	switch {
	case d < -time.Minute:
		return "ahead"
	case d < time.Minute:
		return "now"
	case d < time.Hour:
		return fmt.Sprintf("%dm ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh ago", int(d.Hours()))
	}
	return fmt.Sprintf("%dd ago", min(int(d.Hours()/24), 9999))
}
