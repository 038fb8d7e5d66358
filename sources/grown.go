package sources

import "bytes"

// grip is what it takes to read on in a file that was let go of: rotated, quiet for the
// grace time, and written to once more by a program that kept it open.
type grip struct {
	state FrameState // behind the last record; its offset is 0 where it is not read on
	epoch uint64
	near  []byte // the bytes before the offset, at most nearLen
}

// grip says where a generation that was read to its end can be read on: in a plain
// file that is cut into lines or objects, of which nothing is missing.
func (g *generation) grip() grip {
	s := g.framer.State()
	whole := !g.dead && g.packed == nil && g.bad == nil && g.lost.why == "" && s.Offset == g.framer.Offset()
	if !whole || s.Mode != ModeLines && s.Mode != ModeObjects {
		return grip{}
	}
	return grip{s, g.epoch, bytes.Clone(g.near)}
}

// regrown says whether a rotated file that was let go of has grown since, and reads it
// on from there. Where there is no room for it that is for a later look.
func (w *follow) regrown(s sibling) bool {
	p, ok := w.known[s.id]
	if !ok || p.grip.state.Offset == 0 || s.size <= p.grip.state.Offset {
		return false
	}
	if w.crowded(s) {
		return true
	}
	f, err := w.openSibling(s)
	if err != nil {
		return false // the next look finds it, or its name is gone
	}
	g, err := newGeneration(f, p.grip.state, w.now())
	if err != nil {
		return false
	}
	if !bytes.HasPrefix(g.head, p.head) || !bytes.Equal(g.near, p.grip.near) {
		g.close() // another file, or overwritten
		return false
	}
	g.epoch = p.grip.epoch
	g.end(w.now())
	w.insert(g, nil)
	return true
}
