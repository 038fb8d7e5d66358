package sources

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"bartizan/event"
)

// look finds out what the path names now. It only opens and remembers; records
// are delivered by readAll, so it may be called while a batch waits to be taken.
func (w *follow) look() {
	w.looked = w.now()
	if len(w.gens) >= maxGens {
		return // downstream has been busy for very long: read what is held first
	}
	w.trouble = Condition{}
	w.revalidate()
	fi, err := w.opts.stat(w.path)
	switch {
	case err == nil:
		w.present(fi)
	case errors.Is(err, fs.ErrNotExist):
		w.gone()
	default:
		w.refused(err)
	}
	w.begun = true
}

// current returns the generation the path names, nil when there is none.
func (w *follow) current() *generation {
	if n := len(w.gens); n > 0 && w.gens[n-1].ended.IsZero() && !w.gens[n-1].dead {
		return w.gens[n-1]
	}
	return nil
}

// present deals with a path that names a file.
func (w *follow) present(fi fs.FileInfo) {
	cur := w.current()
	if cur == nil {
		cur = w.back(statID(fi))
	}
	if cur == nil || cur.id != statID(fi) {
		w.next(cur)
		return
	}
	if fi.Size() == 0 && cur.framer.Offset() == 0 && !fi.ModTime().Equal(cur.mtime) {
		w.switched = w.now() // it may have been filled, copied and emptied since
	}
	if was := cur.size; fi.Size() != was || !fi.ModTime().Equal(cur.mtime) {
		cur.size, cur.mtime = fi.Size(), fi.ModTime()
		w.cutOff(cur, was)
	}
	if learnt := w.learnSiblings(cur.id); learnt && w.current() != nil {
		w.current().sure = w.current().mtime
	}
}

// leave ends the current generation and returns what the path named last: it may have
// been copied and emptied before it was renamed, and then its copy is no other one.
func (w *follow) leave(cur *generation) *generation {
	if fi, err := cur.file.Stat(); err == nil {
		was := cur.size
		cur.size, cur.mtime = fi.Size(), fi.ModTime()
		w.cutOff(cur, was)
	}
	cur = w.current()
	cur.end(w.now())
	return cur
}

// cutOff deals with a current file that changed and had was bytes before: with its
// truncation, and with the loss of its end.
func (w *follow) cutOff(cur *generation, was int64) {
	off := cur.framer.Offset()
	cut := cur.size < was && cur.size >= off && off > 0
	if cut && int64(len(cur.head)) > cur.size {
		cur.head = cur.head[:cur.size]
	}
	if cur.size < off || !cur.intact() {
		w.truncated(cur)
		return
	}
	if cut {
		cur.most = cur.size
		w.lose(loss{flags: event.FlagShrank, why: fmt.Sprintf("%s was cut off at byte %d; it had %d, of which %d had been read: at least 1 record may be missing, upper bound unknown; ask who did it", w.path, cur.size, was, off)})
	}
	cur.most = max(cur.most, cur.size)
	cur.foresee()
}

// back makes a generation current again that came back under its name.
func (w *follow) back(id event.FileID) *generation {
	i := slices.IndexFunc(w.gens, func(g *generation) bool { return g.id == id && !g.dead && !g.once })
	if i < 0 {
		return nil
	}
	g := w.gens[i]
	w.gens = append(slices.Delete(w.gens, i, i+1), g)
	g.ended = time.Time{}
	w.help(g)
	return g
}

// next opens what the path names now and ends the generation before it.
func (w *follow) next(old *generation) {
	f, err := w.opts.Open(w.path)
	if err != nil {
		w.refused(err)
		return
	}
	g, err := w.begin(f, old)
	if err != nil {
		w.refused(err)
		return
	}
	w.retarget()
	if old != nil {
		old = w.leave(old)
	}
	rotated := len(w.gens) > 0 || w.begun
	w.admit(g) // first: a copy of it may be in the making
	if rotated {
		w.switched = w.now()
		w.expect(old)
		all, _ := w.siblings(false) // what it misses is found before the file is begun
		w.admitAll(all, g.id)
	}
	w.help(g)
	if !w.learnSiblings(g.id) && old != nil {
		g.sure = old.sure
	}
}

// help lets nxadm/tail read the current generation where that was asked for.
func (w *follow) help(g *generation) {
	if w.opts.Follower != FollowerNxadm || g.file == nil {
		return
	}
	r, err := newNxadmReader(g.file, g.framer.Offset(), w.wakeup.poke)
	if err != nil {
		w.trouble = Condition{State: event.SourceRetrying, Reason: fmt.Sprintf("%s: nxadm/tail cannot read it (%v), so it is read without", w.path, err)}
		return
	}
	g.nxadm = r
}

// begin makes a generation of an opened file, at its end when that is asked for.
func (w *follow) begin(f *os.File, old *generation) (*generation, error) {
	var s FrameState
	if old == nil && !w.begun && len(w.gens) == 0 && w.opts.Start == StartEnd {
		var err error
		if s, err = endState(f); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	return newGeneration(f, s, w.now())
}

// admit appends a generation with the next epoch.
func (w *follow) admit(g *generation) {
	w.epoch++
	g.epoch = w.epoch
	w.gens = append(w.gens, g)
}

// retarget asks the kernel to tell about the path and about what it leads to.
func (w *follow) retarget() {
	target, err := filepath.EvalSymlinks(w.path)
	if err != nil {
		target = w.path
	}
	if target != w.target || w.blind != nil {
		w.target, w.listed = target, time.Time{}
		w.blind, w.watched = wakers.watch(w.wakeup, w.path, target), w.now()
		w.net = w.opts.network(filepath.Dir(target))
	}
}

// revalidate makes a network file system ask its server about the file instead
// of its cache: opening does (close-to-open consistency, nfs(5)). It also asks
// the kernel again to tell about changes where it could not before.
func (w *follow) revalidate() {
	if w.net != "" {
		if f, err := w.opts.Open(w.path); err == nil {
			_ = f.Close() // opened for nothing else
		}
	}
	if w.blind != nil && w.target != "" && !w.opts.NoWake && w.now().Sub(w.watched) >= watchAgain {
		w.retarget()
	}
}

// truncated deals with a generation whose file does not hold any more what was
// read of it: the rest is read from the copy if there is one, else it is lost,
// and the file is read again from its beginning.
func (w *follow) truncated(g *generation) {
	i := slices.Index(w.gens, g)
	g.dead = true
	w.switched = w.now() // there may be more than one copy
	fresh := g.emptied(w.now())
	if g.copy = w.copyOf(g); g.copy != nil {
		g.copyID, _ = IDOf(g.copy) // where it fails, reading does too and says so
		w.expectCopy(g.copyID)
	}
	g.lost = loss{flags: event.FlagShrank, why: fmt.Sprintf("%s was truncated or overwritten after %d bytes of it had been read: at least 1 record may be missing, upper bound unknown; ask who did it, log rotation keeps a copy beside it", w.path, g.framer.Offset())}
	w.epoch++
	fresh.epoch = w.epoch
	w.gens = slices.Insert(w.gens, i+1, fresh)
	if fresh.ended.IsZero() {
		w.help(fresh)
	}
}

// gone deals with a path that names nothing. What it named is held and read on:
// the writer may still have it open.
func (w *follow) gone() {
	if cur := w.current(); cur != nil {
		w.expect(w.leave(cur))
	}
	if w.target == "" {
		w.retarget()
	}
	mtime, settled := w.dirTime()
	switch {
	case !w.begun:
		all, _ := w.siblings(false)
		for _, s := range all {
			w.know(s)
		}
	case !mtime.Equal(w.listed):
		all, exact := w.siblings(true)
		if w.admitAll(all, event.FileID{}) && exact && settled {
			w.forget(all)
			w.listed = mtime
		}
	}
	w.trouble = Condition{State: event.SourceGone, Reason: w.path + " does not exist: it is read from its beginning as soon as it does"}
	if c, ok := w.vanished(); ok {
		w.trouble = c
	}
}

// refused deals with a path that may not be looked at or opened.
func (w *follow) refused(err error) {
	if errors.Is(err, fs.ErrNotExist) {
		w.gone()
		return
	}
	w.trouble = Condition{State: event.SourceRetrying, Reason: fmt.Sprintf("%v; it is tried again every %v", err, lookEvery)}
	if errors.Is(err, fs.ErrPermission) {
		w.trouble = Condition{State: event.SourceDenied, Reason: w.path + ": permission denied: " + mend(w.path)}
	}
}

// admitSibling reads a rotated file from its beginning, unless it is a copy of a
// generation that was read already, or what compression made of one. newer are the
// rotated files that came after it.
func (w *follow) admitSibling(s sibling, newer []sibling) {
	if was, ok := w.isDone(s); ok {
		if s.packed {
			w.gap.renamed(was, s.id)
		}
		w.know(s)
		return
	}
	if s.packed {
		if was, ok := w.packedFrom(s); ok {
			w.gap.renamed(was, s.id)
			w.know(s)
			return
		}
		w.admitPacked(s, newer)
		return
	}
	f, err := w.openSibling(s)
	if errors.Is(err, fs.ErrNotExist) {
		return // renamed since it was listed: found again under its new name
	}
	if err != nil {
		w.lose(loss{why: fmt.Sprintf("%s was rotated away before it was read and cannot be opened: %v", s.path, err)})
		w.know(s)
		return
	}
	g, err := newGeneration(f, FrameState{}, w.now())
	if err != nil {
		return
	}
	if slices.ContainsFunc(w.gens, g.copies) {
		g.close()
		return
	}
	w.admitOlder(g, newer)
}

// admitOlder takes in a generation the path does not name any more: before the one
// it names, and before newer ones, found earlier, of which nothing was read yet.
func (w *follow) admitOlder(g *generation, newer []sibling) {
	w.gap.found(g.id)
	g.end(w.now())
	w.epoch++
	g.epoch = w.epoch
	w.insert(g, newer)
}

// insert puts an ended generation before the current one and before newer ones of
// which nothing was read yet.
func (w *follow) insert(g *generation, newer []sibling) {
	at := slices.IndexFunc(w.gens, func(have *generation) bool {
		return have.framer.Offset() == 0 && slices.ContainsFunc(newer, func(s sibling) bool { return s.id == have.id })
	})
	if n := len(w.gens); at < 0 && n > 0 && w.gens[n-1].ended.IsZero() {
		at = n - 1 // the current one stays the last
	}
	if at < 0 {
		at = len(w.gens)
	}
	w.gens = slices.Insert(w.gens, at, g)
}
