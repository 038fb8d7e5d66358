package ui

import (
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

	"bartizan/event"
	"bartizan/triage"
	"bartizan/ui/style"
)

// percent is how much of everything that is searched was looked at.
func (s Searched) percent() int {
	part := s.Done
	for i := range s.Agents {
		part += s.Agents[i].part()
	}
	return int(100 * part / float64(1+len(s.Agents)))
}

func (a *Answer) part() float64 {
	switch {
	case a.Over:
		return 1
	case a.Total <= 0:
		return 0
	}
	return min(float64(a.Done)/float64(a.Total), 1) // its files may grow meanwhile
}

// said is how the agents answered, counted.
type said struct {
	asked, searched, unreachable, failed, stopped int
	least                                         *Answer // the one that sees back the least
}

func (s Searched) said() said {
	out := said{asked: len(s.Agents)}
	for i := range s.Agents {
		a := &s.Agents[i]
		switch {
		case !a.Over:
			continue
		case a.Problem == "":
			out.searched++
		case a.Unreachable:
			out.unreachable++
		default:
			out.failed++
		}
		if a.Stopped != "" || len(a.Unread) > 0 {
			out.stopped++
		}
		if a.Problem == "" && !a.Oldest.IsZero() && (out.least == nil || a.Oldest.After(out.least.Oldest)) {
			out.least = a
		}
	}
	return out
}

// agentWords is the line about the agents: "37 of 40 agents searched, 3 unreachable".
func (p *past) agentWords(c *Console) string {
	if p == nil || len(p.stand.Agents) == 0 {
		return ""
	}
	s := p.stand.said()
	words := fmt.Sprintf("%d of %s searched", s.searched, plural(s.asked, "agent"))
	if s.unreachable > 0 {
		words += fmt.Sprintf(", %d unreachable", s.unreachable)
	}
	if s.failed > 0 {
		words += fmt.Sprintf(", %d failed", s.failed)
	}
	if s.stopped > 0 {
		words += fmt.Sprintf(", %d in part", s.stopped)
	}
	bad := 0
	for i := range p.stand.Agents {
		if _, marked := c.snap.marks[triage.HostOf(event.SourceID("agent:"+p.stand.Agents[i].Agent))]; marked {
			bad++
		}
	}
	if bad > 0 {
		words += fmt.Sprintf(", %d marked compromised", bad)
	}
	words += " (A: each)"
	if s.least != nil {
		words += ", back to " + c.stamp(s.least.Oldest)
	}
	return words
}

// newAnswers is the page about what each agent answered to a search.
func newAnswers(c *Console, p *past) *tablePage {
	t := newTable(c, "answers of the agents")
	t.fill = func(t *tablePage) tea.Cmd {
		lines := []line{c.heading("answers of the agents to the search " + p.far())}
		for i := range p.stand.Agents {
			lines = append(lines, c.answerLines(&p.stand.Agents[i])...)
		}
		t.lines = lines
		return nil
	}
	return t
}

func (c *Console) answerLines(a *Answer) []line {
	sh := c.sheet
	state, st := "searched", sh.Good
	switch {
	case !a.Over:
		state, st = fmt.Sprintf("%d%%", int(100*a.part())), sh.Warn
	case a.Unreachable:
		state, st = "unreachable", sh.Bad
	case a.Problem != "":
		state, st = "failed", sh.Bad
	case a.Stopped != "" || len(a.Unread) > 0:
		state, st = "in part", sh.Warn
	}
	wide, back := 26, " sees back to "
	if c.w < 80 {
		wide, back = 12, " back to " // so that the time is seen
	}
	l := line{value: a.Agent, field: "host", segs: []segment{
		{st, " " + style.Pad(state, 11) + " "}, {sh.Text, style.Pad(tail(clean(a.Agent), wide, sh.More), wide) + " "},
	}}
	if a.Problem == "" || a.Matches > 0 {
		l.segs = append(l.segs, segment{sh.Text, style.Pad(plural(a.Matches, "record"), 13)})
	}
	switch {
	case !a.Oldest.IsZero():
		l.segs = append(l.segs, segment{sh.Dim, back + c.stamp(a.Oldest)})
	case a.Over && a.Problem == "":
		l.segs = append(l.segs, segment{sh.Dim, " it has no records with a time"})
	}
	out := []line{l}
	if m, bad := c.snap.marks[triage.HostOf(event.SourceID("agent:"+a.Agent))]; bad {
		out = append(out, line{tall: true, segs: []segment{{sh.Bad, "             answers " + c.distrustWords(m)}}})
	}
	add := func(text string) {
		out = append(out, line{segs: []segment{{sh.Warn, "             " + clean(text)}}, tall: true})
	}
	if a.Problem != "" {
		add(a.Problem)
	}
	if a.Stopped != "" {
		add(fmt.Sprintf("stopped by %s after %s of %s bytes; narrow the page with f", a.Stopped, count(uint64(a.Done)), count(uint64(a.Total))))
	}
	for _, u := range a.Unread {
		add(u)
	}
	return out
}

// noAnswers says why there is nothing to tell about agents.
func (e *entity) noAnswers() string {
	if p := e.stream.order.past; p == nil || len(p.stand.Agents) == 0 {
		return "no agent was asked; + looks further back, also at agents"
	}
	return ""
}

// far is how far the search went, in words.
func (p *past) far() string {
	if r := reaches()[p.reach]; r > 0 {
		return plural(int(r/(24*time.Hour)), "day") + " further back"
	}
	return "of all files"
}
