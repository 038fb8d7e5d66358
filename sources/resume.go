package sources

import (
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
	"time"

	"bartizan/event"
)

// maxCount is how many bytes are looked through for line ends when a position is
// moved on; beyond it lines have no number until the next file.
const maxCount = 1 << 30

// maxPreface is how much of a file's beginning Preface returns at most.
const maxPreface = 64 << 10

// Resumed is what lies in a file between where its position stands and its end.
type Resumed struct {
	File  event.FileID
	Epoch uint64
	From  int64    // where the position stands
	Line  int64    // 1-based number of the line there, 0 unknown
	To    int64    // behind the last complete line
	Pos   Position // the position moved on to To
}

// Resume finds what was added to the file at path since p, when that is certain:
// the path still names the file p stands in, its first bytes and those before
// the position are what they were, and no other file is still being read. ok is
// false otherwise, and for files that are not read line by line: the source
// itself finds out what happened then, when it is run from p.
func Resume(path string, p Position) (r Resumed, ok bool) {
	marks, err := parseFilePosition(p)
	i := slices.IndexFunc(marks, func(m mark) bool { return !m.done })
	if err != nil || i < 0 || i != len(marks)-1 || marks[i].state.Mode != ModeLines || marks[i].headLen == 0 {
		return Resumed{}, false
	}
	m := &marks[i]
	f, err := openRegular(path)
	if err != nil {
		return Resumed{}, false
	}
	fi, err := f.Stat()
	if err != nil || statID(fi) != m.id || !holdsMark(f, *m) {
		_ = f.Close() // opened for reading: nothing can be lost
		return Resumed{}, false
	}
	end, err := lastBreak(f, fi.Size(), newline, ModeLines)
	if err != nil || end.Offset < m.state.Offset || !endsLine(f, end.Offset) {
		_ = f.Close()
		return Resumed{}, false
	}
	if m.state.Line > 0 {
		end.Line = linesBetween(f, m.state.Offset, end.Offset, m.state.Line)
	}
	r = Resumed{File: m.id, Epoch: m.epoch, From: m.state.Offset, Line: m.state.Line, To: end.Offset}
	g, err := newGeneration(f, end, time.Time{})
	if err != nil {
		return Resumed{}, false
	}
	defer g.close()
	g.epoch = m.epoch
	marks[i] = g.mark()
	r.Pos = filePosition(marks)
	return r, true
}

// holdsMark says whether the file has what was read of it when m was made.
func holdsMark(f *os.File, m mark) bool {
	g := generation{fd: int(f.Fd())}
	near := min(nearLen, m.state.Offset)
	return digestOf(g.peek(0, m.headLen)) == m.head && digestOf(g.peek(m.state.Offset-near, int(near))) == m.near
}

// endsLine says whether a line ends at off: not where a line is so long that its
// beginning was not found.
func endsLine(f io.ReaderAt, off int64) bool {
	var b [1]byte
	_, err := f.ReadAt(b[:], off-1)
	return err == nil && b[0] == '\n'
}

// linesBetween returns the number of the line at to, where that at from is known;
// 0 when it would take too long to count.
func linesBetween(f io.ReaderAt, from, to, line int64) int64 {
	if to-from > maxCount {
		return 0
	}
	buf := make([]byte, 256<<10)
	for from < to {
		n, err := f.ReadAt(buf[:min(int64(len(buf)), to-from)], from)
		line += int64(bytes.Count(buf[:n], newline))
		from += int64(n)
		if err != nil && !errors.Is(err, io.EOF) || n == 0 {
			return 0
		}
	}
	return line
}

// Preface returns the first bytes of the file at path, at most 64 KiB, for who
// reads it from further on and needs the columns named there. Nil when it
// cannot be read or is compressed.
func Preface(path string) []byte {
	f, err := openRegular(path)
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }() // opened for reading: nothing can be lost
	return PrefaceOf(f)
}

// PrefaceOf is Preface for an open file, whose own offset stays.
func PrefaceOf(f io.ReaderAt) []byte {
	b := make([]byte, maxPreface)
	n, err := f.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) || Compression(b[:min(n, magicLen)]) != "" {
		return nil
	}
	return b[:n]
}
