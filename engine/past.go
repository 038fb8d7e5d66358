package engine

import (
	"context"
	"time"

	"bartizan/event"
	"bartizan/history"
	"bartizan/query"
	"bartizan/sources"
)

// history searches the files of this engine's sources.
func (e *Engine) history() *history.History {
	return &history.History{Registry: e.o.Registry, Sources: e.feeds.infos}
}

func (f *feeds) infos() []sources.Info {
	f.mu.RLock()
	defer f.mu.RUnlock()
	out := make([]sources.Info, 0, len(f.order))
	for _, fd := range f.order {
		out = append(out, fd.stream.info)
	}
	return out
}

// Search streams events of the files that match q with event times in [from, to).
func (e *Engine) Search(ctx context.Context, q string, from, to time.Time, found func(*event.Event) bool, progress func(float64)) error {
	n, err := query.Parse(q)
	if err != nil {
		return err
	}
	m, err := query.Compile(n)
	if err != nil {
		return err
	}
	return e.history().Search(ctx, m, from, to, found, progress)
}

// Around returns up to n records before and after ref from the file it lies in.
func (e *Engine) Around(ctx context.Context, ref event.Ref, n int) (before, after []*event.Event, err error) {
	return e.history().Around(ctx, ref, n)
}
