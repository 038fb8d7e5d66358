package sources

import (
	"os"
	"slices"

	"bartizan/event"
)

// copies says whether the file is a copy of have, or of its beginning because it
// is still being made: all its bytes are there, or, where have was emptied since,
// they are those that were read of it.
func (g *generation) copies(have *generation) bool {
	if g.size == 0 || have.packed != nil {
		return false
	}
	if !have.dead && have.file != nil {
		head := g.peek(0, int(min(g.size, headLen)))
		end := g.peek(max(0, g.size-nearLen), int(min(g.size, nearLen)))
		if len(head) > 0 && have.has(head, 0) && have.has(end, g.size-int64(len(end))) {
			return true
		}
		if have.intact() && !have.shrunk() {
			return false
		}
	}
	off := have.framer.Offset()
	if off == 0 || len(have.head) == 0 {
		return false
	}
	if g.size < off {
		return g.has(have.head[:min(int64(len(have.head)), g.size)], 0)
	}
	return g.has(have.head, 0) && g.has(have.near, off-int64(len(have.near)))
}

// copyOf opens the copy that was made before the file was truncated: a rotated
// name, maybe compressed since, whose first bytes and whose bytes before the
// offset are those that were read. Nil when there is none. Copies that are of no
// use are no news either.
func (w *follow) copyOf(g *generation) *os.File {
	off := g.framer.Offset()
	if len(g.head) == 0 || g.packed != nil {
		return nil
	}
	all, _ := w.siblings()
	for _, s := range slices.Backward(all) {
		if s.id == g.id {
			continue
		}
		f, err := w.opts.Open(s.path)
		if err != nil {
			continue
		}
		if w.standsIn(f, g, off) {
			return f
		}
		if holdsBeginning(f, g.head) {
			w.know(s)
		}
		_ = f.Close() // opened for reading: nothing can be lost
	}
	return nil
}

// standsIn says whether f, or what it holds compressed, has the bytes that were
// read of g up to off.
func (w *follow) standsIn(f *os.File, g *generation, off int64) bool {
	first, err := headOf(f)
	if err != nil || len(first) == 0 {
		return false
	}
	if Compression(first) == "" {
		c := generation{fd: int(f.Fd())}
		return c.has(g.head, 0) && c.has(g.near, off-int64(len(g.near)))
	}
	if !holdsBeginning(f, g.head) {
		return false
	}
	if _, err = f.Seek(0, 0); err != nil {
		return false
	}
	r, err := Decompress(f)
	if err != nil {
		return false
	}
	near, err := skipTo(w.ctx, r, off)
	return joinClose(err, r) == nil && string(near) == string(g.near)
}

// inherit returns the copy of a truncated generation, standing behind the last
// record delivered, nil when there is none.
func (w *follow) inherit(g *generation) *generation {
	if g.copy == nil {
		return nil
	}
	c, err := w.openCopy(g.copy, g.framer.State())
	g.copy = nil
	if err != nil {
		return nil
	}
	c.epoch, c.once, c.ended = g.epoch, true, w.now()
	if c.packed != nil || c.size >= g.most {
		g.lost = loss{} // as much is there as was ever seen
	}
	c.lost, g.lost = g.lost, loss{}
	return c
}

// openCopy makes a generation of a copy, plain or compressed, that stands at s.
func (w *follow) openCopy(f *os.File, s FrameState) (*generation, error) {
	first, err := headOf(f)
	if err == nil && Compression(first) != "" {
		g, _, err := newPacked(w.ctx, f, s, w.now())
		return g, err
	}
	return newGeneration(f, s, w.now())
}

// reopenPacked finds what a mark names inside a rotated file that was compressed
// since. That costs decompressing all that was read of it.
func (w *follow) reopenPacked(m mark, all []sibling) *generation {
	for _, s := range slices.Backward(all) {
		if !s.packed || w.holds(s.id) {
			continue
		}
		f, err := w.opts.Open(s.path)
		if err != nil {
			continue
		}
		head, err := beginning(f, m.headLen)
		if err != nil || digestOf(head) != m.head || m.headLen == 0 && s.id != m.id {
			_ = f.Close() // opened for reading: nothing can be lost
			continue
		}
		g, near, err := newPacked(w.ctx, f, m.state, w.now())
		if err != nil {
			continue
		}
		if digestOf(near) == m.near || m.near == (digest{}) && g.id == m.id {
			g.epoch = m.epoch
			return g
		}
		g.close()
	}
	return nil
}

// admitPacked reads a compressed generation from its beginning, unless it holds
// what a generation at hand has.
func (w *follow) admitPacked(s sibling) {
	f, err := w.opts.Open(s.path)
	if err != nil {
		w.missing = append(w.missing, loss{flags: event.FlagVanished, why: s.path + " was rotated away and compressed before it was read, and cannot be opened: " + err.Error()})
		return
	}
	for _, have := range w.gens {
		if len(have.head) > 0 && w.standsIn(f, have, have.framer.Offset()) {
			_ = f.Close() // opened for reading: nothing can be lost
			return
		}
	}
	g, _, err := newPacked(w.ctx, f, FrameState{}, w.now())
	if err != nil {
		w.missing = append(w.missing, loss{why: s.path + " was rotated away and compressed before it was read, and cannot be decompressed: " + err.Error()})
		return
	}
	w.admitOlder(g)
}
