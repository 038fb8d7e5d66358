package sources

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"bartizan/event"
)

// restore opens what the marks name, under whatever name it has now, and what
// came after it while we were away.
func (w *follow) restore(marks []mark) {
	if marks == nil {
		return
	}
	w.begun = true // a file that appears now is read from its beginning
	w.retarget()
	all, _ := w.siblings(true)
	var since time.Time
	var last event.FileID
	for _, m := range marks {
		if m.done {
			w.finished = append(w.finished, m)
		}
	}
	found := w.reopenAll(marks, all)
	for i, m := range marks {
		w.epoch = max(w.epoch, m.epoch)
		since = time.Unix(0, m.seen)
		if m.done {
			continue
		}
		g := found[i]
		if g == nil {
			w.notFound(m, i == len(marks)-1)
			m.done = true
			w.finished = append(w.finished, m)
			continue
		}
		if fi, err := w.opts.stat(w.path); err == nil && g.id != m.id && statID(fi) == m.id {
			w.noteCopy()
		}
		if m.headLen > 0 { // else it may have been copied and truncated since, and the copy is news
			last = g.id
		}
	}
	rotated := w.endAllButCurrent() || len(marks) > 0 && marks[len(marks)-1].headLen == 0
	if n := len(found); rotated && n > 0 && found[n-1] != nil && found[n-1].id == last {
		w.gap = newGap(last)
	}
	at := slices.IndexFunc(all, func(s sibling) bool { return s.id == last })
	for i, s := range all {
		newer := s.mtime.After(since) || i > at && s.mtime.Equal(since) // clocks tick slower than renames follow each other
		switch {
		case w.holds(s.id):
		case !rotated || !newer || len(marks) == 0:
			w.know(s)
		case w.full || w.crowded(s):
			w.full = true // found again when there is room
		default:
			w.admitSibling(s, all[i+1:])
		}
	}
}

// reopenAll finds the files of all marks; nil where there is none. Those that
// can be told by their bytes choose first: inodes are used again.
func (w *follow) reopenAll(marks []mark, all []sibling) []*generation {
	found := make([]*generation, len(marks))
	for _, empty := range []bool{false, true} {
		for i, m := range marks {
			if m.done || (m.headLen == 0) != empty {
				continue
			}
			if found[i] = w.reopen(m, all, i == len(marks)-1); found[i] != nil {
				w.gens = append(w.gens, found[i]) // so that it is held
			}
		}
	}
	w.gens = w.gens[:0]
	for _, g := range found {
		if g != nil {
			w.gens = append(w.gens, g)
		}
	}
	return found
}

// holds says whether the file is one of the generations.
func (w *follow) holds(id event.FileID) bool {
	for _, g := range w.gens {
		if g.id == id || g.copy != nil && g.copyID == id {
			return true
		}
	}
	return false
}

// endAllButCurrent marks the generations the path does not name any more. It
// says whether the newest is one of them.
func (w *follow) endAllButCurrent() (rotated bool) {
	fi, err := w.opts.stat(w.path)
	rotated = true
	for i, g := range w.gens {
		if err == nil && g.id == statID(fi) && i == len(w.gens)-1 {
			rotated = false
			w.help(g)
			continue
		}
		g.end(w.now())
	}
	return rotated
}

// reopen finds the file of a mark: by inode and head, else by its bytes alone
// (file systems give devices and inodes new numbers, copies have others). An empty
// one that was not the newest is not what the path names: its inode was used again.
func (w *follow) reopen(m mark, all []sibling, newest bool) *generation {
	var paths []string
	if newest || m.headLen > 0 {
		paths = append(paths, w.path)
	}
	for _, s := range all {
		if !s.packed {
			paths = append(paths, s.path)
		}
	}
	for _, strict := range []bool{true, false} {
		for _, p := range paths {
			if g := w.openMark(p, m, strict); g != nil {
				return g
			}
		}
	}
	return w.reopenPacked(m, all)
}

func (w *follow) openMark(path string, m mark, strict bool) *generation {
	f, err := w.opts.Open(path)
	if err != nil {
		return nil
	}
	g, err := newGeneration(f, m.state, w.now())
	if err != nil {
		return nil
	}
	sameInode := g.id.Ino == m.id.Ino && (!strict || g.id.Dev == m.id.Dev)
	sameBytes := g.size >= m.state.Offset && digestOf(g.peek(0, m.headLen)) == m.head && digestOf(g.near) == m.near
	if w.holds(g.id) || !sameBytes || !sameInode && (strict || m.headLen == 0) || m.headLen == 0 && !w.isNews(sibling{path: path}) {
		g.close()
		return nil
	}
	g.epoch = m.epoch
	return g
}

// notFound says what is missing when the file of a mark is nowhere.
func (w *follow) notFound(m mark, newest bool) {
	if m.drained && !newest {
		return
	}
	w.missing = append(w.missing, loss{flags: event.FlagVanished, why: fmt.Sprintf(
		"%s was rotated away, truncated or deleted while nobody read it, after %d bytes: at least 1 record may be missing, upper bound unknown; look for an older copy of it and scan that",
		w.path, m.state.Offset)})
}

// endState returns where the last complete line of f ends.
func endState(f *os.File) (FrameState, error) {
	fi, err := f.Stat()
	if err != nil {
		return FrameState{}, err
	}
	return tailState(f, fi.Size(), 0)
}

// TailPosition returns where to begin to read the last n bytes of the file at
// path, moved on to the next line (or the next JSON object that begins a line).
// It is the beginning when the file is not longer than that, or when it is one
// JSON array: those can only be read from the front. Lines read from there have
// no number.
func TailPosition(path string, n int64) (Position, error) {
	f, err := openRegular(path)
	if err != nil {
		return "", err
	}
	return TailOf(f, n)
}

// TailOf is TailPosition for an open regular file, which it closes.
func TailOf(f *os.File, n int64) (Position, error) {
	fi, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("%s: %w", f.Name(), joinClose(err, f))
	}
	s, err := tailState(f, fi.Size(), n)
	if err != nil {
		return "", fmt.Errorf("%s: %w", f.Name(), joinClose(err, f))
	}
	g, err := newGeneration(f, s, time.Time{})
	if err != nil {
		return "", err
	}
	defer g.close()
	g.epoch = 1
	return filePosition([]mark{g.mark()}), nil
}

// tailState finds where the last n of size bytes begin.
func tailState(f io.ReaderAt, size, n int64) (FrameState, error) {
	head := make([]byte, min(size, maxHead))
	if _, err := f.ReadAt(head, 0); err != nil && err != io.EOF {
		return FrameState{}, err
	}
	mode, _ := decideHead(head, true)
	if size <= n || mode == ModeArray || mode == ModeEnvelope {
		return FrameState{}, nil
	}
	sep := newline
	if mode == ModeObjects {
		sep = []byte("\n{")
	}
	if n == 0 {
		return lastBreak(f, size, sep, mode)
	}
	at, err := nextBreak(f, size-n-1, size, sep)
	if err != nil || at == size && mode == ModeObjects {
		return FrameState{}, err
	}
	return FrameState{Mode: mode, Offset: at}, nil
}

// nextBreak returns the offset behind the next line end at or after off, size when there is none.
func nextBreak(f io.ReaderAt, off, size int64, sep []byte) (int64, error) {
	buf := make([]byte, 64<<10)
	for off < size {
		n, err := f.ReadAt(buf[:min(int64(len(buf)), size-off)], off)
		if i := bytes.Index(buf[:n], sep); i >= 0 {
			return off + int64(i) + 1, nil
		}
		if err != nil && err != io.EOF {
			return 0, err
		}
		if n < len(sep) {
			break
		}
		off += int64(n - len(sep) + 1)
	}
	return size, nil
}

// lastBreak returns the state behind the last line end, so that a line still
// being written is read as a whole.
func lastBreak(f io.ReaderAt, size int64, sep []byte, mode Mode) (FrameState, error) {
	if mode == ModeObjects {
		sep = []byte("}\n")
	}
	buf := make([]byte, min(size, MaxRecord))
	if _, err := f.ReadAt(buf, size-int64(len(buf))); err != nil && err != io.EOF {
		return FrameState{}, err
	}
	at := bytes.LastIndex(buf, sep)
	if at < 0 {
		return FrameState{Mode: mode, Offset: size}, nil
	}
	return FrameState{Mode: mode, Offset: size - int64(len(buf)) + int64(at+len(sep))}, nil
}
