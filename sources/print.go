package sources

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"time"

	"bartizan/event"
)

// print is what is remembered of a rotated file from which nothing is expected:
// that its inode has another file by now shows in its bytes, and so does that
// another file is what compression made of it.
type print struct {
	id    event.FileID
	raw   []byte // the first bytes of the file itself where it is compressed
	head  []byte // the first bytes of what it holds, at most headLen
	near  []byte // the last bytes of it, at most nearLen
	size  int64  // of what it holds; 0 unknown
	disk  int64  // of the file
	mtime time.Time
	grip  grip
}

// maxDeparted bounds the prints that are kept of files that lost their names.
const maxDeparted = 64

// quickSize is from where on a compressed file is taken for the print whose
// beginning and modification time it has, without decompressing all of it.
const quickSize = 32 << 20

// print takes the print of a generation: what its file or copy has, or where that
// was overwritten or is compressed, what was read of it.
func (g *generation) print() print {
	p := print{id: g.id, head: bytes.Clone(g.head), near: bytes.Clone(g.near), size: g.framer.Offset(), disk: g.size, mtime: g.mtime}
	f := g.file
	if g.copy != nil {
		f = g.copy
	}
	if f == nil {
		return p
	}
	fi, err := f.Stat()
	if err != nil {
		return p
	}
	p.id, p.disk, p.mtime = statID(fi), fi.Size(), fi.ModTime()
	if g.packed != nil {
		p.raw, _ = headOf(f)
	} else if p.disk >= p.size {
		p.take(f)
	}
	return p
}

// prints takes the print of a generation and, where its file was emptied and written
// again, which reading will find out, that of what is there now.
func (g *generation) prints() []print {
	p := g.print()
	if g.file == nil || g.packed != nil || g.dead || g.intact() {
		return []print{p}
	}
	now := p
	now.take(g.file)
	return []print{p, now}
}

// take reads what the print has of a plain file.
func (p *print) take(f *os.File) {
	g := generation{fd: int(f.Fd())}
	p.size = p.disk
	p.head = g.peek(0, int(min(headLen, p.size)))
	p.near = g.peek(max(0, p.size-nearLen), int(min(nearLen, p.size)))
}

// begins returns the first bytes of the file itself.
func (p *print) begins() []byte {
	if p.raw != nil {
		return p.raw
	}
	return p.head
}

// printOf takes the print of a rotated file nobody reads here.
func (w *follow) printOf(s sibling) print {
	p := print{id: s.id, disk: s.size, mtime: s.mtime}
	f, err := w.openSibling(s)
	if err != nil {
		return p // its inode must do
	}
	defer func() { _ = f.Close() }() // opened for reading: nothing can be lost
	if s.packed {                    // decompressing every old log at the start would take long
		p.raw, _ = headOf(f)
	} else {
		p.take(f)
	}
	return p
}

// headOf returns a file's first bytes as they lie on the disk.
func headOf(f *os.File) ([]byte, error) {
	b := make([]byte, headLen)
	n, err := pread(int(f.Fd()), b, 0)
	return b[:n], err
}

// isKnown says whether a rotated file is one from which nothing is expected. An
// inode that was freed and used again is another file; one that was empty and
// has grown has something to say.
func (w *follow) isKnown(s sibling) bool {
	p, ok := w.known[s.id]
	if !ok || p.disk == s.size && p.mtime.Equal(s.mtime) {
		return ok
	}
	now := w.printOf(s)
	if was, is := p.begins(), now.begins(); len(was) == 0 && s.size > 0 || !bytes.HasPrefix(is, was) {
		delete(w.known, s.id)
		return false
	}
	if s.packed {
		now.head, now.near, now.size = p.head, p.near, p.size
	}
	w.known[s.id] = now
	return true
}

// know remembers that nothing is expected from a rotated file.
func (w *follow) know(s sibling) {
	if _, ok := w.known[s.id]; !ok || !w.isKnown(s) {
		w.known[s.id] = w.printOf(s)
	}
}

// forget drops the prints of files that are not among these any more, so that
// their inodes are free for others. What they were is kept for a while.
func (w *follow) forget(all []sibling) {
	for id, p := range w.known {
		if slices.ContainsFunc(all, func(s sibling) bool { return s.id == id }) {
			continue
		}
		delete(w.known, id)
		w.depart(p)
	}
}

func (w *follow) depart(p print) {
	w.departed = append(w.departed, p)
	w.departed = w.departed[max(0, len(w.departed)-maxDeparted):]
}

// packedFrom returns the file that a compressed one was made of, if it is one that
// was read, is being read or is known.
func (w *follow) packedFrom(s sibling) (was event.FileID, ok bool) {
	f, err := w.openSibling(s)
	if err != nil {
		return was, false
	}
	defer func() { _ = f.Close() }() // opened for reading: nothing can be lost
	head, err := beginning(f, headLen)
	if err != nil || len(head) == 0 {
		return was, false
	}
	for _, g := range w.gens {
		for _, p := range g.prints() {
			if p.id != s.id && w.holdsPrint(f, s, head, p, g.file) {
				return p.id, true
			}
		}
	}
	for _, p := range w.known {
		if p.id != s.id && w.holdsPrint(f, s, head, p, nil) {
			return p.id, true
		}
	}
	for _, p := range w.departed {
		if w.holdsPrint(f, s, head, p, nil) {
			return p.id, true
		}
	}
	return was, false
}

// holdsPrint says whether f, which decompresses to something that begins with
// head, holds what the print is of, or the beginning of it because more was
// written to the file, which is still open as from, after it had been compressed.
func (w *follow) holdsPrint(f *os.File, s sibling, head []byte, p print, from *os.File) bool {
	if p.size == 0 || !agree(head, p.head, 0) {
		return false
	}
	if p.size >= quickSize && s.mtime.Unix() == p.mtime.Unix() {
		return true
	}
	if _, err := f.Seek(0, 0); err != nil {
		return false
	}
	r, err := Decompress(f)
	if err != nil {
		return false
	}
	near, n, err := lastOf(w.ctx, r, p.size)
	if joinClose(err, r) != nil {
		return false
	}
	if n < p.size && from != nil {
		g := generation{fd: int(from.Fd())}
		return g.has(near, n-int64(len(near)))
	}
	return n < p.size || bytes.HasSuffix(near, p.near)
}

// lastOf reads up to most bytes and returns the last of them, at most nearLen, and
// how many there were.
func lastOf(ctx context.Context, r io.Reader, most int64) (near []byte, n int64, err error) {
	buf := make([]byte, nearLen+32<<10)
	for n < most {
		got, err := io.ReadFull(r, buf[len(near):len(near)+int(min(32<<10, most-n))])
		n += int64(got)
		all := buf[:len(near)+got]
		near = append(buf[:0], all[max(0, len(all)-nearLen):]...)
		switch {
		case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) && got == 0:
			return near, n, nil
		case err == nil:
			err = ctx.Err()
		}
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, 0, err
		}
	}
	return near, n, nil
}
