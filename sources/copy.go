package sources

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"time"
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
	if len(have.head) == 0 {
		return false
	}
	if g.size < off {
		return g.has(have.head[:min(int64(len(have.head)), g.size)], 0)
	}
	return g.has(have.head[:min(int64(len(have.head)), g.size)], 0) && g.has(have.near, off-int64(len(have.near)))
}

// copyOf opens the copy that was made before the file was truncated: a rotated
// name, maybe compressed since, whose first bytes and whose bytes before the
// offset are those that were read. Nil when there is none. Copies that are of no
// use are no news either.
func (w *follow) copyOf(g *generation) *os.File {
	if len(g.head) == 0 || g.packed != nil {
		return nil
	}
	for range 5 { // a rotation that goes on may rename it between listing and opening
		before, settled := w.dirTime()
		if f := w.copyAmong(w.list(), g); f != nil {
			return f
		}
		if after, _ := w.dirTime(); settled && after.Equal(before) {
			break
		}
	}
	return nil
}

func (w *follow) copyAmong(all []sibling, g *generation) *os.File {
	off := g.framer.Offset()
	for _, s := range slices.Backward(all) {
		if s.id == g.id {
			continue
		}
		f, err := w.openSibling(s)
		if err != nil {
			continue
		}
		if w.standsIn(f, g, off) {
			return f
		}
		if b, err := beginning(f, len(g.head)); err == nil && agree(b, g.head, int64(len(b))) {
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
		return agree(first, g.head, off) && c.has(g.near, off-int64(len(g.near)))
	}
	if b, err := beginning(f, len(g.head)); err != nil || !agree(b, g.head, off) {
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
	c.lost = g.lost
	if c.packed != nil || c.size >= g.most { // as much is there as was ever seen
		c.lost = w.between(g, c)
	}
	g.lost = loss{}
	return c
}

// between says what nobody can know: whether something was written after the copy
// was made and before the file was emptied. Where the writer was busy that is
// likely enough for a loss; else it is only noted.
func (w *follow) between(g, c *generation) loss {
	w.noteCopy()
	busy := g.rate.lately(w.now())
	if c.packed == nil {
		busy += max(0, c.size-g.framer.Offset())
	}
	if busy < busyBytes {
		return loss{}
	}
	return loss{why: fmt.Sprintf("%s was copied and truncated while it was being written (%d bytes just before): what came in between is in no file: at least 1 record may be missing, upper bound unknown; rotate by renaming",
		w.path, busy)}
}

// noteCopy notes that the file was copied and truncated.
func (w *follow) noteCopy() {
	w.noted = w.now()
	w.note = fmt.Sprintf("%s was copied and truncated, noticed on %s: all that was seen of it is in the copy; what came in between, if anything, is in no file: rotate by renaming",
		w.path, w.noted.Format(time.DateTime))
}

// vet says whether a generation may be read: what comes before it is there. The
// current one may have been filled, copied and emptied since the last look, and filled
// again. Its first bytes are noted, and then its copies are looked for: where it is
// emptied later still, reading finds other bytes than those.
func (w *follow) vet(g *generation) bool {
	if g.vetted || g.framer.Offset() > 0 || g != w.current() {
		return true
	}
	b := g.peek(0, headLen)
	if len(b) == 0 {
		g.drained = true
		return false
	}
	if bytes.HasPrefix(b, g.head) {
		g.head = b
	}
	at := slices.Index(w.gens, g)
	w.look()
	g.vetted = slices.Index(w.gens, g) == at
	return g.vetted && (!w.full || g != w.current())
}

// noteFor is how long a truncation is noted that lost nothing as far as is known.
const noteFor = time.Hour

// A file that grew by busyBytes in rateSpan or two is busy: a line in the moment
// between copy and truncation is then likely.
const (
	busyBytes = 4 << 10
	rateSpan  = 250 * time.Millisecond
)

// rate counts the bytes that came in the span of now and in the one before it.
type rate struct {
	since        time.Time
	now, earlier int64
}

func (r *rate) add(n int, now time.Time) {
	r.roll(now)
	r.now += int64(n)
}

func (r *rate) roll(now time.Time) {
	switch age := now.Sub(r.since); {
	case age >= 2*rateSpan || age < 0:
		*r = rate{since: now}
	case age >= rateSpan:
		*r = rate{since: r.since.Add(rateSpan), earlier: r.now}
	}
}

// lately returns the bytes of the last one or two spans.
func (r *rate) lately(now time.Time) int64 {
	r.roll(now)
	return r.now + r.earlier
}

// agree says whether a file that begins with b can be a copy of one that begins
// with head, made when that had at least off bytes.
func agree(b, head []byte, off int64) bool {
	n := min(len(b), len(head))
	return n > 0 && int64(n) >= min(off, int64(len(head))) && bytes.Equal(b[:n], head[:n])
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
		f, err := w.openSibling(s)
		if err != nil {
			continue
		}
		head, err := beginning(f, m.headLen)
		if err != nil || digestOf(head) != m.head || m.headLen == 0 && (s.id != m.id || !w.isNews(s)) {
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
