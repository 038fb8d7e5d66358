package ui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"bartizan/event"
)

// aroundLines is how many records a record's page shows on each side of it, and
// aroundWithin how long an agent may take to find them.
const (
	aroundLines  = 5
	aroundWithin = 30 * time.Second
)

// surroundings are the records before and after one, in the file it lies in: here,
// or at an agent.
type surroundings struct {
	asked         bool
	busy          *task
	before, after []*event.Event
	err           error
}

// look reads what lies around the record, once, outside the key handler.
func (v *eventView) look() tea.Cmd {
	if v.near.asked || v.e.Ref.File == (event.FileID{}) || v.e.Lost > 0 || v.e.Flags&event.FlagNotice != 0 {
		return nil
	}
	v.near.asked = true
	past, ref, at := v.c.opt.Past, v.e.Ref, v.e.Time
	t, cmd := v.c.spawn(func(ctx context.Context) func() tea.Cmd {
		ctx, cancel := context.WithTimeout(ctx, aroundWithin)
		defer cancel()
		before, after, err := past.Around(ctx, ref, at, aroundLines)
		return func() tea.Cmd {
			v.near = surroundings{asked: true, before: before, after: after, err: err}
			v.build()
			return nil
		}
	})
	v.near.busy = t
	return cmd
}

// nearLines shows what lies around the record, with the record in its place.
func (v *eventView) nearLines() []line {
	c, n := v.c, &v.near
	if n.err == nil && len(n.before)+len(n.after) == 0 {
		return nil
	}
	out := []line{c.heading("around it, in its file")}
	if n.err != nil {
		return append(out, line{tall: true, segs: []segment{{c.sheet.Warn, " " + clean(n.err.Error())}}})
	}
	add := func(e *event.Event, itself bool) {
		l := c.rawLine(c.clock(e.Time, c.now(), false), e.Raw, nil, itself)
		if !itself {
			l.open = func() tea.Cmd { return c.visit(newEventView(c, e, nil)) }
		}
		out = append(out, l)
	}
	for _, e := range n.before {
		add(e, false)
	}
	add(v.e, true)
	for _, e := range n.after {
		add(e, false)
	}
	return out
}
