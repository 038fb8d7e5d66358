package engine

import (
	"context"
	"fmt"

	"bartizan/event"
	"bartizan/sources"
)

// caughtUp is where the past of a source stands when rules have seen it.
const caughtUp = sources.Position("caught up")

// pastOf is under which name the board keeps how far back rules are with a source.
func pastOf(id event.SourceID) event.SourceID { return "past of " + id }

// remaining is a part of a file that rules have yet to go back over, as text.
func (s *span) remaining(to int64) sources.Position {
	return sources.Position(fmt.Sprintf("past1 %d:%d %d %d", s.file.Dev, s.file.Ino, s.from, to))
}

// owe queues a span that only rules shall see, and lets the first commit keep that
// they have not.
func (c *catchUp) owe(s *span) {
	c.owed[pastOf(s.stream.info.ID)] = string(s.remaining(s.to))
	c.add(s)
}

// pastAgain queues what an engine before this one had not gone back over when it
// ended. A file that was replaced meanwhile is not looked for: the header then says
// since when rules have seen everything.
func (e *Engine) pastAgain(st *stream, path string) {
	id := st.info.ID
	at := e.position(pastOf(id))
	if at == "" || at == caughtUp {
		return
	}
	s := &span{stream: st, path: path, epoch: 1}
	_, err := fmt.Sscanf(string(at), "past1 %d:%d %d %d", &s.file.Dev, &s.file.Ino, &s.from, &s.to)
	if err == nil && (s.from < 0 || s.to < s.from) {
		err = fmt.Errorf("%q is no part of a file", at)
	}
	if err == nil {
		f, opened := s.open()
		if err = opened; err == nil {
			_ = f.Close() // opened for reading
		}
	}
	if err != nil {
		e.o.Log.Warn("rules cannot go on with what lay there at first start", "err", err)
		e.past.owed[pastOf(id)] = string(caughtUp)
		e.past.reached(e.o.Now(), true)
		return
	}
	e.past.owe(s)
}

// stands lets the board keep, in one transaction with the hits before it, how far
// back rules are with a source.
func (c *catchUp) stands(ctx context.Context, s *span, at sources.Position) error {
	w := takeWork(sources.Batch{Source: pastOf(s.stream.info.ID), Pos: at}, nil)
	w.past = true
	return c.e.submit(ctx, w)
}
