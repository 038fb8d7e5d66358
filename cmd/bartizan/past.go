package main

import (
	"context"
	"time"

	"bartizan/engine"
	"bartizan/event"
	"bartizan/sources/remote"
	"bartizan/ui"
)

// past shows an engine's searches to the screens, in their words.
type past struct{ engine *engine.Engine }

func (p past) Around(ctx context.Context, ref event.Ref, at time.Time, n int) (before, after []*event.Event, err error) {
	return p.engine.Around(ctx, ref, at, n)
}

func (p past) Search(ctx context.Context, q string, from, to time.Time, found func(*event.Event) bool, progress func(ui.Searched)) error {
	return p.engine.Search(ctx, q, from, to, found, func(s engine.Searched) { progress(shownSearch(s)) })
}

func shownSearch(s engine.Searched) ui.Searched {
	out := ui.Searched{Done: s.Done}
	for i := range s.Agents {
		out.Agents = append(out.Agents, shownAnswer(&s.Agents[i]))
	}
	return out
}

func shownAnswer(a *remote.Answer) ui.Answer {
	out := ui.Answer{
		Agent: a.Agent, Over: a.Over, Unreachable: a.Unreachable, Done: a.Done, Total: a.Total, Oldest: a.Oldest,
		Matches: a.Matches, Stopped: a.Stopped, Unread: a.Problems,
	}
	if a.Over && a.Err != nil {
		out.Problem = a.Err.Error()
	}
	return out
}
