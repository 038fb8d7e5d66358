package ui

import (
	"context"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"bartizan/event"
	"bartizan/triage"
)

// Distruster is what a Desk may offer besides: the hosts that people hold for
// compromised now.
type Distruster interface {
	Distrusted() []triage.Distrust
}

// distrusted reads the marks anew.
func (s *snapshot) readMarks(d Desk) {
	t, ok := d.(Distruster)
	if !ok {
		return
	}
	list := t.Distrusted()
	s.marks = make(map[string]triage.Distrust, len(list))
	s.marked = ""
	for _, m := range list {
		s.marks[m.Host] = m
		s.marked += m.Host + "\x00"
	}
}

// distrust is the mark on the host that a source's records come from.
func (c *Console) distrust(id event.SourceID) (triage.Distrust, bool) {
	if len(c.snap.marks) == 0 {
		return triage.Distrust{}, false
	}
	m, ok := c.snap.marks[triage.HostOf(id)]
	return m, ok
}

// distrustWords say who holds the host for compromised, since when and why.
func (c *Console) distrustWords(m triage.Distrust) string {
	return fmt.Sprintf("from a host marked compromised since %s by %s: %s", c.full(m.Since), clean(m.By), clean(m.Reason))
}

// distrustOf is the mark on a source's records for copies, nil where there is none.
func (c *Console) distrustOf(id event.SourceID) *triage.Distrust {
	if m, ok := c.distrust(id); ok {
		return &m
	}
	return nil
}

// distrusts is the binding of the sources screen that calls the host under the
// cursor compromised, and takes that back.
func (t *tablePage) distrusts() []Binding {
	host := func() string { return triage.HostOf(event.SourceID(t.source())) }
	hint := "compromised"
	if _, marked := t.c.snap.marks[host()]; marked {
		hint = "trust"
	}
	return []Binding{{
		Name: "distrust", Hint: hint, Do: func() tea.Cmd { return t.c.askDistrust(host()) },
		Off: func() string {
			switch {
			case host() == "":
				return "there is no agent or ssh host under the cursor"
			case t.c.snap.deciding == host():
				return "the last decision about it is still being saved"
			}
			return ""
		},
	}}
}

// source is the source under the cursor: of the line, or of the one it is a note to.
func (t *tablePage) source() string {
	for i := min(int(t.list.Cursor), len(t.lines)-1); i >= 0 && !t.lines[i].head; i-- {
		if t.lines[i].field == "source" {
			return t.lines[i].value
		}
	}
	return ""
}

// askDistrust asks for the reason; the mark is on the host named now, whatever is
// under the cursor then.
func (c *Console) askDistrust(host string) tea.Cmd {
	p := &prompt{kind: "distrust", label: "why is it compromised? ", status: host + ": everything that comes from it will carry the mark; Esc leaves it"}
	do := triage.DoDistrust
	if m, ok := c.snap.marks[host]; ok {
		do = triage.DoTrust
		p.kind, p.label = "trust", "why is it trusted again? "
		p.status = fmt.Sprintf("%s was marked by %s: %s", host, m.By, m.Reason)
	}
	p.enter = func(text string) tea.Cmd {
		if strings.TrimSpace(text) == "" {
			c.say("nothing was decided: a reason is needed")
			return nil
		}
		return c.decideHost(triage.Move{Do: do, Host: host, Note: text})
	}
	return c.ask(p, "")
}

// decideHost sends a move about a host to the board. The screen says that it is
// done once it is on disk.
func (c *Console) decideHost(m triage.Move) tea.Cmd {
	m.By, m.At = c.opt.Actor, c.now()
	c.snap.deciding = m.Host
	desk := c.opt.Desk
	_, cmd := c.spawn(func(context.Context) func() tea.Cmd {
		_, err := desk.Apply(m)
		return func() tea.Cmd {
			c.snap.deciding = ""
			c.refresh()
			switch {
			case err != nil:
				c.complain("not saved: %s", clean(err.Error()))
			case m.Do == triage.DoDistrust:
				c.say("%s is marked compromised; u undoes", clean(m.Host))
			default:
				c.say("%s is trusted again; u undoes", clean(m.Host))
			}
			return c.changed()
		}
	})
	return cmd
}

// markNote is the line about a mark below the first source of its host on a page.
func (c *Console) markNote(s event.SourceStatus, told map[string]bool) []line {
	m, ok := c.distrust(s.ID)
	if !ok || told[m.Host] {
		return nil
	}
	told[m.Host] = true
	return []line{{tall: true, segs: []segment{{c.sheet.Bad, "             " + c.distrustWords(m)}}}}
}
