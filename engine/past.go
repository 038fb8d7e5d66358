package engine

import (
	"bartizan/history"
	"bartizan/sources"
)

// history searches the files of this engine's sources.
func (e *Engine) history() *history.History {
	return &history.History{Registry: e.o.Registry, Sources: e.feeds.infos, Kept: e.spools.kept}
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
