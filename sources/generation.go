package sources

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"bartizan/event"
)

// loss says in words what is missing; "" nothing is. Flags say what kind it is.
type loss struct {
	why   string
	flags event.Flags
	n     uint64 // at least so many records; 0 is one
}

// generation is one file that a path named at some time, held open so that a
// rename or a deletion cannot take its unread bytes away.
type generation struct {
	file   *os.File
	fd     int
	id     event.FileID
	epoch  uint64
	framer *Framer
	nxadm  *nxadmReader // reads instead of us; nil is usual
	packed *packed      // it is compressed, and this is what it holds; nil is usual
	head   []byte       // its first bytes, at most headLen, whether they were read or only seen
	near   []byte       // the bytes before the read offset, at most nearLen

	size    int64     // when last looked at
	most    int64     // the largest size it was seen to have
	mtime   time.Time // when last looked at
	sure    time.Time // the rotated names that are older than this were dealt with
	rate    rate      // how fast it grew lately
	ended   time.Time // when the path stopped naming it; zero: it is the current one
	first   time.Time // when it first gave bytes here
	grown   time.Time // when it last gave bytes
	drained bool      // was read to its end since it was last known to grow
	dead    bool      // nothing more will come: truncated, or a copy that was drained
	once    bool      // dead as soon as it is drained
	vetted  bool      // what comes before it was looked for after its first bytes were there
	copy    *os.File  // of what was truncated here, to be read on
	copyID  event.FileID
	lost    loss      // what is missing behind its last record
	bad     error     // why it cannot be read further
	proven  time.Time // its modification time when it was last compared with what was read
	asked   time.Time // when it was last asked who writes to it
	writer  string    // who does, "" unknown
}

// statID returns device and inode.
func statID(fi fs.FileInfo) event.FileID {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return event.FileID{}
	}
	return event.FileID{Dev: uint64(st.Dev), Ino: st.Ino} //nolint:unconvert // Dev is int32 on Darwin
}

// openRegular opens path for reading and refuses anything but a regular file.
// It does not block on a named pipe.
func openRegular(path string) (*os.File, error) {
	if fi, err := os.Stat(path); err == nil && !fi.Mode().IsRegular() {
		return nil, notRegular(path) // opening a device may do something
	}
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	fi, err := f.Stat()
	if err == nil && !fi.Mode().IsRegular() {
		err = notRegular(path)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func notRegular(path string) error {
	return fmt.Errorf("%s is no regular file: name a file, a pipe or a directory", path)
}

// newGeneration takes the file over, standing at s. Epoch is set by the follower.
func newGeneration(f *os.File, s FrameState, now time.Time) (*generation, error) {
	fi, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	g := &generation{file: f, fd: int(f.Fd()), id: statID(fi), framer: NewFramer(s), grown: now}
	g.size, g.most, g.mtime, g.sure = fi.Size(), fi.Size(), fi.ModTime(), fi.ModTime()
	g.head = g.peek(0, int(min(headLen, g.size)))
	g.near = g.peek(max(0, s.Offset-nearLen), int(min(nearLen, s.Offset)))
	return g, nil
}

// peek returns up to n bytes at off.
func (g *generation) peek(off int64, n int) []byte {
	b := make([]byte, n, max(n, nearLen))
	got, err := pread(g.fd, b, off)
	if err != nil {
		return b[:0]
	}
	return b[:got]
}

// pread reads once at off, again only when a signal interrupted it.
func pread(fd int, b []byte, off int64) (int, error) {
	for {
		n, err := unix.Pread(fd, b, off)
		if err != unix.EINTR {
			return max(n, 0), err
		}
	}
}

// read takes the next bytes into the framer. changed: the file no longer holds
// what was read before, so it was truncated or overwritten; nothing was taken.
func (g *generation) read(now time.Time) (n int, changed bool, err error) {
	buf, off := g.framer.Space(), g.framer.Offset()
	n, err = g.pull(buf, off)
	g.bad = err
	if err != nil || n == 0 {
		g.drained = true
		return 0, err == nil && g.shrunk(), err
	}
	if g.packed == nil && !g.intact() {
		if n = g.older(buf[:n], off); n == 0 {
			return 0, true, nil
		}
	}
	g.drained = false
	if g.first.IsZero() {
		g.first = now
	}
	g.grown = now
	g.rate.add(n, now)
	g.learn(buf[:n], off)
	g.framer.Commit(n)
	return n, false, nil
}

// shrunk says whether the file is shorter than what was read of it, or as long
// and another one.
func (g *generation) shrunk() bool {
	if g.packed != nil || g.file == nil {
		return false
	}
	fi, err := g.file.Stat()
	if err != nil || fi.Size() > g.framer.Offset() {
		return false
	}
	same := fi.ModTime().Equal(g.proven)
	if g.proven = fi.ModTime(); time.Since(g.proven) < dirSettled {
		g.proven = time.Time{} // the next write may leave the same time
	}
	return fi.Size() < g.framer.Offset() || !same && !g.intact()
}

// pull returns the bytes at off.
func (g *generation) pull(b []byte, off int64) (int, error) {
	if g.packed != nil {
		return g.packed.pull(b, off)
	}
	if g.nxadm != nil {
		return g.nxadm.pull(b, off)
	}
	return pread(g.fd, b, off)
}

// end notes that the path names another file now: what is still written to this
// one is read without help.
func (g *generation) end(now time.Time) {
	g.ended = now
	g.release()
}

// emptied takes the file out of a generation that was truncated and returns the
// one that begins in it.
func (g *generation) emptied(now time.Time) *generation {
	fresh := &generation{file: g.file, fd: g.fd, id: g.id, framer: NewFramer(FrameState{}), grown: now, size: g.size, mtime: g.mtime, sure: g.sure, ended: g.ended}
	if fi, err := g.file.Stat(); err == nil {
		fresh.size, fresh.mtime = fi.Size(), fi.ModTime()
	}
	fresh.most = fresh.size
	fresh.foresee()
	g.file = nil // the new generation closes it
	g.release()
	return fresh
}

func (g *generation) release() {
	if g.nxadm != nil {
		g.nxadm.close()
		g.nxadm = nil
	}
}

// foresee looks at the first bytes before they are read: a file that is emptied
// while downstream is busy is told by them.
func (g *generation) foresee() {
	if want := int(min(headLen, g.size)); len(g.head) < want {
		if b := g.peek(0, want); len(b) > len(g.head) && bytes.HasPrefix(b, g.head) {
			g.head = b
		}
	}
}

// intact says whether the first bytes and the bytes before the read offset are
// still what they were: false after truncation, also when it has regrown since.
func (g *generation) intact() bool {
	var b [headLen]byte
	return g.same(b[:len(g.head)], g.head, 0) &&
		g.same(b[:len(g.near)], g.near, g.framer.Offset()-int64(len(g.near)))
}

// older returns how many of the bytes b, read at off, were read before the file was
// overwritten, and so count. A read goes on while a file is truncated and written
// again: what is at the end of b and in the file now came later.
func (g *generation) older(b []byte, off int64) int {
	now := make([]byte, len(b))
	n, err := pread(g.fd, now, off)
	if err != nil || n < len(b) {
		return len(b)
	}
	for n > 0 && b[n-1] == now[n-1] {
		n--
	}
	return n
}

// has says whether the file has exactly b at off now.
func (g *generation) has(b []byte, off int64) bool {
	return g.same(make([]byte, len(b)), b, off)
}

func (g *generation) same(room, want []byte, off int64) bool {
	if len(want) == 0 {
		return true
	}
	n, err := pread(g.fd, room, off)
	return err == nil && bytes.Equal(room[:n], want)
}

// learn keeps the first bytes and the newest bytes of what was read at off.
func (g *generation) learn(b []byte, off int64) {
	if have := int64(len(g.head)); off <= have && have < min(headLen, off+int64(len(b))) {
		g.head = append(g.head[:off:off], b[:min(int64(len(b)), headLen-off)]...)
	}
	if len(b) < nearLen {
		g.near = append(g.near, b...)
		b = g.near[max(0, len(g.near)-nearLen):]
	}
	g.near = append(g.near[:0], b[max(0, len(b)-nearLen):]...)
}

// mark says where the generation stands, for a position.
func (g *generation) mark() mark {
	s := g.framer.State()
	m := mark{id: g.id, epoch: g.epoch, state: s, drained: g.drained || g.dead, seen: g.sure.UnixNano()}
	head := g.head[:min(int64(len(g.head)), s.Offset)]
	m.headLen, m.head = len(head), digestOf(head)
	switch {
	case g.packed != nil: // they are not at hand; its inode must do
	case s.Offset == g.framer.Offset():
		m.near = digestOf(g.near)
	default:
		m.near = digestOf(g.peek(max(0, s.Offset-nearLen), int(min(nearLen, s.Offset))))
	}
	return m
}

// ref is the part of a reference that all its records share.
func (g *generation) ref(id event.SourceID) event.Ref {
	return event.Ref{Source: id, Epoch: g.epoch, File: g.id}
}

// unread returns how many bytes the file has beyond the read offset.
func (g *generation) unread() int64 {
	if g.packed != nil {
		return 0 // unknown
	}
	return max(0, g.size-g.framer.Offset())
}

// close gives file and buffer back.
func (g *generation) close() {
	g.release()
	g.framer.Close()
	if g.packed != nil {
		g.packed.close()
	}
	for _, f := range []*os.File{g.file, g.copy} {
		if f != nil {
			_ = f.Close() // opened for reading: nothing can be lost
		}
	}
}
