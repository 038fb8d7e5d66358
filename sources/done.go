package sources

import (
	"slices"
	"time"

	"bartizan/event"
)

// maxDone bounds how many finished generations a position names, and doneSpare
// is how much older than the current file they must be to be left out.
const (
	maxDone   = 32
	doneSpare = time.Second
)

// done remembers a finished generation for as long as a restart could take it,
// or a copy of it, for one that nobody has read: file times are not exact
// enough to tell that alone.
func (w *follow) done(g *generation) {
	if g.head == nil || g.framer.Offset() == 0 {
		return
	}
	if g.file != nil {
		if fi, err := g.file.Stat(); err == nil {
			g.mtime, g.sure = fi.ModTime(), fi.ModTime()
		}
	}
	m := g.mark()
	m.done = true
	w.finished = append(w.finished, m)
	w.finished = w.finished[max(0, len(w.finished)-maxDone):]
}

// forgetDone leaves out the finished generations that are older than the current
// one by so much that nobody can mistake them.
func (w *follow) forgetDone() {
	if len(w.finished) == 0 || len(w.gens) == 0 {
		return
	}
	since := w.gens[len(w.gens)-1].sure.Add(-doneSpare).UnixNano()
	w.finished = slices.DeleteFunc(w.finished, func(m mark) bool { return m.seen < since })
}

// isDone says whether a rotated file is one of the finished generations, or a
// copy of one or of its beginning, compressed or not, and which of them.
func (w *follow) isDone(s sibling) (was event.FileID, ok bool) {
	for _, m := range w.finished {
		if w.isMark(s, m) {
			return m.id, true
		}
	}
	return was, false
}

// isNews says whether a rotated file is none of the finished generations.
func (w *follow) isNews(s sibling) bool {
	_, done := w.isDone(s)
	return !done
}

func (w *follow) isMark(s sibling, m mark) bool {
	if m.headLen == 0 {
		return false // that would fit any file
	}
	f, err := w.openSibling(s)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }() // opened for reading: nothing can be lost
	if head, err := beginning(f, m.headLen); err != nil || digestOf(head) != m.head {
		return false
	}
	if _, err := f.Seek(0, 0); err != nil {
		return false
	}
	r, err := Decompress(f)
	if err != nil {
		return false
	}
	near, err := skipTo(w.ctx, r, m.state.Offset)
	_ = r.Close() // opened for reading: nothing can be lost
	return err != nil || m.near == (digest{}) || digestOf(near) == m.near
}
