package sources

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"
)

// packedExts are the endings a rotated file gets when it is compressed.
var packedExts = []string{".gz", ".zst", ".xz", ".bz2", ".lz4"}

// unpackedName returns the name a compressed file had before, "" when name is
// not that of a compressed file.
func unpackedName(name string) string {
	for _, ext := range packedExts {
		if plain, ok := strings.CutSuffix(name, ext); ok {
			return plain
		}
	}
	return ""
}

// packed is what a compressed generation holds, read in order only.
type packed struct {
	r   io.ReadCloser
	off int64 // of the next byte r gives
}

// pull returns the bytes at off, which must be where the last ones ended.
func (p *packed) pull(b []byte, off int64) (int, error) {
	if off != p.off {
		return 0, fmt.Errorf("it is compressed and stands at byte %d, not %d", p.off, off)
	}
	n, err := io.ReadAtLeast(p.r, b, 1)
	p.off += int64(n)
	if n > 0 || errors.Is(err, io.EOF) {
		err = nil // what is wrong behind these bytes is found again
	}
	return n, err
}

func (p *packed) close() { _ = p.r.Close() } // opened for reading: nothing can be lost

// beginning returns the first bytes of what f holds, decompressed where it is
// compressed. f stands anywhere afterwards.
func beginning(f *os.File, n int) ([]byte, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	r, err := Decompress(f)
	if err != nil {
		return nil, err
	}
	b := make([]byte, n)
	got, err := io.ReadFull(r, b)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return b[:got], joinClose(err, r)
}

// newPacked takes over a compressed file, standing at s of what it holds. near
// are the bytes before s, at most nearLen. Getting there costs decompressing all
// that comes before.
func newPacked(ctx context.Context, f *os.File, s FrameState, now time.Time) (g *generation, near []byte, err error) {
	head, err := beginning(f, headLen)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	var r io.ReadCloser
	if err == nil {
		r, err = Decompress(f)
	}
	if err != nil {
		return nil, nil, joinClose(err, f)
	}
	if near, err = skipTo(ctx, r, s.Offset); err != nil {
		return nil, nil, errors.Join(joinClose(err, r), f.Close())
	}
	if g, err = newGeneration(f, s, now); err != nil {
		return nil, nil, joinClose(err, r)
	}
	g.packed, g.head, g.near, g.once = &packed{r, s.Offset}, head, nil, true
	return g, near, nil
}

// skipTo reads off bytes and returns the last of them, at most nearLen.
func skipTo(ctx context.Context, r io.Reader, off int64) ([]byte, error) {
	near := make([]byte, min(nearLen, off))
	for left := off - int64(len(near)); left > 0; {
		n, err := io.CopyN(io.Discard, r, min(left, 1<<20))
		if left -= n; err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
	}
	_, err := io.ReadFull(r, near)
	return near, err
}

// admitPacked reads a rotated file that was compressed before it was read, from
// its beginning, before the newer ones. It says what cannot be read.
func (w *follow) admitPacked(s sibling, newer []sibling) {
	f, err := w.openSibling(s)
	if errors.Is(err, fs.ErrNotExist) {
		return // renamed since it was listed: found again under its new name
	}
	if err != nil {
		w.lose(loss{why: s.path + " was rotated away and compressed before it was read, and cannot be opened: " + err.Error()})
		w.know(s)
		return
	}
	g, _, err := newPacked(w.ctx, f, FrameState{}, w.now())
	switch {
	case err != nil:
		w.lose(loss{why: s.path + " was rotated away and compressed before it was read, and cannot be decompressed: " + err.Error() + ": at least 1 record may be missing, upper bound unknown"})
		w.know(s)
	default:
		w.admitOlder(g, newer)
	}
}

// lose says that something is missing, before anything else is read.
func (w *follow) lose(l loss) { w.missing = append(w.missing, l) }
