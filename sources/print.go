package sources

import (
	"bytes"
	"os"
	"time"
)

// print is what is remembered of a rotated file from which nothing is expected:
// that its inode has another file by now shows in its bytes.
type print struct {
	head  []byte // its first bytes, at most headLen
	size  int64
	mtime time.Time
}

// print takes the print of a generation that was read.
func (g *generation) print() print {
	return print{head: bytes.Clone(g.head), size: g.size, mtime: g.mtime}
}

// printOf takes the print of a rotated file nobody reads here.
func (w *follow) printOf(s sibling) print {
	p := print{size: s.size, mtime: s.mtime}
	f, err := w.opts.Open(s.path)
	if err != nil {
		return p // its inode must do
	}
	defer func() { _ = f.Close() }() // opened for reading: nothing can be lost
	p.head, _ = headOf(f)
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
	if !ok || p.size == s.size && p.mtime.Equal(s.mtime) {
		return ok
	}
	now := w.printOf(s)
	if len(p.head) == 0 && s.size > 0 || !bytes.HasPrefix(now.head, p.head) {
		delete(w.known, s.id)
		return false
	}
	w.known[s.id] = print{p.head, s.size, s.mtime}
	return true
}

// know remembers that nothing is expected from a rotated file.
func (w *follow) know(s sibling) {
	if _, ok := w.known[s.id]; !ok || !w.isKnown(s) {
		w.known[s.id] = w.printOf(s)
	}
}
