package ui

import (
	"context"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"bartizan/detect"
	"bartizan/triage"
)

// decides are the triage bindings of a screen. Targets are the alerts as they
// are shown now; a move is bound to exactly these and their versions.
func (c *Console) decides(targets func() []*triage.Alert, decided func()) []Binding {
	d := decider{c, targets, decided}
	out := []Binding{
		{Name: "take", Hint: "take", Off: d.off, Do: func() tea.Cmd { return d.move("take", triage.Move{Do: triage.DoTake}) }},
	}
	for i, v := range triage.Verdicts {
		b := Binding{Name: "close-" + dashed(v.Name), Off: d.off, Do: func() tea.Cmd { return d.close(v.Verdict) }}
		if i == 0 {
			b.Hint = lower(v.Words)
		}
		out = append(out, b)
	}
	for _, s := range snoozes() {
		out = append(out, Binding{Name: "snooze-" + s.name, Off: d.off, Do: func() tea.Cmd {
			return d.move("snooze", triage.Move{Do: triage.DoSnooze, Until: c.now().Add(s.d)})
		}})
	}
	return append(out,
		Binding{Name: "repeat", Off: d.noRepeat, Do: func() tea.Cmd { return d.close(c.verdict) }},
		Binding{Name: "note", Hint: "note", Off: d.off, Do: d.note},
		Binding{Name: "reopen", Off: d.noReopen, Do: func() tea.Cmd { return d.move("reopen", triage.Move{Do: triage.DoReopen}) }},
		Binding{Name: "runbook", Off: d.off, Do: d.runbook},
		c.exceptions(targets),
	)
}

type decider struct {
	c       *Console
	targets func() []*triage.Alert
	decided func()
}

func (d decider) off() string {
	list := d.targets()
	if len(list) == 0 {
		return "there is no alert under the cursor"
	}
	for _, a := range list {
		if d.c.queue.saving[a.ID] != "" {
			return "the last decision about it is still being saved"
		}
	}
	return ""
}

func (d decider) noReopen() string {
	for _, a := range d.targets() {
		if open(a) {
			return "it is open already"
		}
	}
	return d.off()
}

// noRepeat keeps "." from closing what nobody looked at, or what is too bad to
// be closed by a habit of the fingers.
func (d decider) noRepeat() string {
	if d.c.verdict == triage.VerdictNone {
		return "there is no verdict to repeat yet; a and a letter gives one"
	}
	for _, a := range d.targets() {
		if a.Severity >= detect.High {
			return "a verdict is never repeated on a high or critical alert; a and a letter gives one"
		}
		if _, ok := d.c.seen[a.ID]; !ok {
			return "a verdict is never repeated on an alert that was not looked at; Enter opens it"
		}
	}
	return d.off()
}

func (d decider) close(v triage.Verdict) tea.Cmd {
	d.c.verdict = v
	return d.move("close", triage.Move{Do: triage.DoClose, Verdict: v})
}

// note asks for the text first; it will be bound to the alerts shown now.
func (d decider) note() tea.Cmd {
	list := d.targets()
	p := &prompt{kind: "note", label: "note: ", status: "on " + rawSubject(list)}
	p.enter = func(text string) tea.Cmd {
		if strings.TrimSpace(text) == "" {
			return nil
		}
		return d.c.apply("note", triage.Move{Do: triage.DoNote, Note: text}, list)
	}
	return d.c.ask(p, "")
}

func (d decider) runbook() tea.Cmd {
	a := d.targets()[0]
	if s, ok := d.c.places.now().(*detail); ok && s.id == a.ID {
		s.pager.jump("runbook")
		return nil
	}
	s := newDetail(d.c, a.ID)
	cmd := d.c.visit(s)
	s.pager.jump("runbook")
	return cmd
}

func (d decider) move(words string, m triage.Move) tea.Cmd {
	cmd := d.c.apply(words, m, d.targets())
	if m.Do == triage.DoClose || m.Do == triage.DoSnooze {
		d.decided()
	}
	return cmd
}

// apply sends a move on the alerts of list to the board. Until it answers, their
// rows say so; the screen never claims what is not on disk.
func (c *Console) apply(words string, m triage.Move, list []*triage.Alert) tea.Cmd {
	if len(list) == 0 {
		return nil
	}
	m.By, m.At = c.opt.Actor, c.now()
	for _, a := range list {
		m.On = append(m.On, triage.AlertVersion{ID: a.ID, Version: a.Version})
		c.queue.saving[a.ID] = words
	}
	desk, what := c.opt.Desk, subject(list)
	_, cmd := c.spawn(func(context.Context) func() tea.Cmd {
		_, err := desk.Apply(m)
		return func() tea.Cmd { return c.applied(m, what, err) }
	})
	return cmd
}

func (c *Console) applied(m triage.Move, what string, err error) tea.Cmd {
	for _, v := range m.On {
		delete(c.queue.saving, v.ID)
	}
	c.refresh()
	if err != nil {
		c.complain("not saved: %s", clean(err.Error()))
		return c.changed()
	}
	c.say("%s %s; u undoes", moveWords(m), what)
	return c.changed()
}

func moveWords(m triage.Move) string {
	switch m.Do {
	case triage.DoTake:
		return "took"
	case triage.DoClose:
		return "closed as " + strings.ReplaceAll(m.Verdict.String(), "_", " ")
	case triage.DoSnooze:
		return "snoozed"
	case triage.DoNote:
		return "noted on"
	case triage.DoReopen:
		return "reopened"
	}
	return "undid a decision on"
}

// subject names the alerts of a move, fit for the screen.
func subject(list []*triage.Alert) string { return clean(rawSubject(list)) }

func rawSubject(list []*triage.Alert) string {
	if len(list) == 1 {
		return head(list[0].Title, 60)
	}
	return fmt.Sprintf("%d alerts", len(list))
}
