package ui

import (
	"context"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"bartizan/event"
)

// pivotKind is one letter after p.
type pivotKind struct {
	letter rune
	name   string
	words  string
	kind   event.EntityKind
	rule   bool
}

func pivotKinds() []pivotKind {
	return []pivotKind{
		{'u', "user", "user", event.EntityUser, false},
		{'i', "ip", "address", event.EntityIP, false},
		{'h', "host", "host", event.EntityHost, false},
		{'k', "key", "key or credential", event.EntityKey, false},
		{'s', "session", "session", event.EntitySession, false},
		{'c', "container", "container or pod", event.EntityContainer, false},
		{'w', "workload", "workload or service account", event.EntityWorkload, false},
		{'b', "bucket", "bucket", event.EntityBucket, false},
		{'q', "request", "request or trace id", event.EntityRequest, false},
		{'x', "hash", "hash", event.EntityHash, false},
		{'r', "rule", "rule", 0, true},
	}
}

// snooze is one key after z.
type snooze struct {
	key, name, words string
	d                time.Duration
}

func snoozes() []snooze {
	return []snooze{
		{"1", "1h", "1 hour", time.Hour},
		{"4", "4h", "4 hours", 4 * time.Hour},
		{"8", "8h", "8 hours", 8 * time.Hour},
		{"d", "1d", "1 day", 24 * time.Hour},
	}
}

func dashed(s string) string { return strings.ReplaceAll(s, "_", "-") }
func lower(s string) string  { return strings.ToLower(s) }

// global are the bindings that work on every screen.
func (c *Console) global() []Binding {
	out := []Binding{
		{Name: "undo-step", Do: c.undoStep},
		{Name: "back", Do: func() tea.Cmd { c.places.move(-1); return c.changed() }, Off: c.places.noBack},
		{Name: "forward", Do: func() tea.Cmd { c.places.move(1); return c.changed() }, Off: c.places.noForward},
		{Name: "time", Do: c.nextTimes},
		{Name: "undo", Do: c.undo},
		{Name: "palette", Hint: "commands", Do: c.openPalette},
		{Name: "help", Hint: "help", Do: func() tea.Cmd { return c.visit(newHelp(c)) }},
		{Name: "leave", Do: c.leaveScreen},
		{Name: "redraw", Do: func() tea.Cmd { return tea.ClearScreen }},
		{Name: "suspend", Do: c.suspend, Off: c.noSuspend},
		{Name: "detach", Do: func() tea.Cmd { return c.leave(Detached) }},
		{Name: "quit", Do: c.askQuit},
		{Name: "push-filter", Do: c.pushFilter},
		{Name: "reload-rules", Off: c.noReload, Do: c.reloadRules},
	}
	return append(out, c.screenKeys()...)
}

func (c *Console) screenKeys() []Binding {
	return []Binding{
		{Name: "alerts", Do: func() tea.Cmd { return c.home.show(paneAlerts) }},
		{Name: "stream", Do: func() tea.Cmd { return c.home.show(paneStream) }},
		{Name: "entities", Do: func() tea.Cmd { return c.visit(newEntities(c)) }},
		{Name: "sources", Do: func() tea.Cmd { return c.visit(newSources(c)) }},
		{Name: "rules", Do: func() tea.Cmd { return c.visit(newRules(c)) }},
		{Name: "journal", Do: func() tea.Cmd { return c.visit(newJournal(c)) }},
	}
}

// stepper is a screen that has steps of its own to undo.
type stepper interface {
	undoStep() (done bool, cmd tea.Cmd)
}

func (c *Console) undoStep() tea.Cmd {
	if s, ok := c.places.now().(stepper); ok {
		if done, cmd := s.undoStep(); done {
			return cmd
		}
	}
	c.places.move(-1)
	return c.changed()
}

func (c *Console) leaveScreen() tea.Cmd {
	if c.places.at == 0 {
		return c.leave(Detached)
	}
	c.places.move(-1)
	return c.changed()
}

func (c *Console) suspend() tea.Cmd {
	c.opt.OnSuspend()
	return nil
}

func (c *Console) noSuspend() string {
	if c.opt.OnSuspend == nil {
		return "this terminal cannot be suspended from here; q detaches and bartizan comes back to it"
	}
	return ""
}

// pushFilter asks agents to send only what the stream's filter matches.
func (c *Console) pushFilter() tea.Cmd {
	text, live := c.home.stream.filter.text, c.opt.Live
	_, cmd := c.spawn(func(context.Context) func() tea.Cmd {
		err := live.PushFilter(text)
		return func() tea.Cmd {
			switch {
			case err != nil:
				c.complain("agents did not take the filter: %s", clean(err.Error()))
			case text == "":
				c.say("agents send everything again")
			default:
				c.say("agents now send only %s", clean(c.opt.Mask.MaskString(text)))
			}
			return nil
		}
	})
	return cmd
}
