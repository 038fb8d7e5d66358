package sources

import (
	"fmt"
	"os"
	"runtime"

	"github.com/nxadm/tail"
)

// nxadmQueue is how many lines nxadm/tail may be ahead of the framer.
const nxadmQueue = 256

// nxadmReader reads the current generation through github.com/nxadm/tail.
//
// That package ends the process when a stat of its path fails, loses what is
// written late to a rotated file and misses a truncation that has regrown. So
// it is given the name of a descriptor that is already open (a stat of that
// cannot fail), it never sees a rotation, and what it delivers is compared with
// the offset that is expected next. Rotated files are drained without it. It
// polls every 250 ms and holds a whole line in memory however long it is.
type nxadmReader struct {
	t     *tail.Tail
	lines chan *tail.Line
	stop  chan struct{}
	ended chan struct{}
	rest  []byte // of a line that did not fit
	start int64  // offset of rest
}

// newNxadmReader begins at off of an open file; wake is called when lines came.
func newNxadmReader(f *os.File, off int64, wake func()) (*nxadmReader, error) {
	name := fmt.Sprintf("/proc/self/fd/%d", f.Fd())
	if runtime.GOOS != "linux" {
		name = f.Name()
	}
	t, err := tail.TailFile(name, tail.Config{
		Location: &tail.SeekInfo{Offset: off}, Follow: true, Poll: true, CompleteLines: true,
		MustExist: true, Logger: tail.DiscardingLogger,
	})
	if err != nil {
		return nil, err
	}
	r := &nxadmReader{t: t, lines: make(chan *tail.Line, nxadmQueue), stop: make(chan struct{}), ended: make(chan struct{})}
	go r.forward(wake)
	return r, nil
}

func (r *nxadmReader) forward(wake func()) {
	defer close(r.ended)
	for l := range r.t.Lines {
		select {
		case r.lines <- l:
			wake()
		case <-r.stop:
			return
		}
	}
}

// pull fills b with the bytes at off, as far as they have come. Lines from
// elsewhere (the package has started over by itself) are passed over.
func (r *nxadmReader) pull(b []byte, off int64) (int, error) {
	n := 0
	for n < len(b) {
		if len(r.rest) == 0 && !r.next() {
			break
		}
		if r.start != off+int64(n) {
			r.rest = nil
			continue
		}
		k := copy(b[n:], r.rest)
		r.rest, r.start = r.rest[k:], r.start+int64(k)
		n += k
	}
	return n, nil
}

// next takes the next line, with its end given back to it.
func (r *nxadmReader) next() bool {
	select {
	case l := <-r.lines:
		if l.Err == nil {
			r.rest = append([]byte(l.Text), '\n')
			r.start = l.SeekInfo.Offset - int64(len(r.rest))
		}
		return true
	default:
		return false
	}
}

// close ends the goroutines; what was not pulled is read again by others.
func (r *nxadmReader) close() {
	close(r.stop)
	r.t.Kill(nil)
	<-r.ended
	_ = r.t.Wait() // why it stopped does not matter any more
}
