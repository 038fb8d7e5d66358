package sources

import (
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"bartizan/event"
)

// input is a reader with what ends it. Without interrupt a Read that blocks is
// left behind when the source is cancelled.
type input struct {
	io.Reader
	interrupt func() // makes Read return
	close     func() // after the last Read
}

// chunk is one read of a stream.
type chunk struct {
	blk *block
	n   int
	err error
}

// pump moves what r delivers into batches until it ends, and then what is left.
// It is for streams whose Read blocks: reading has a goroutine of its own, which
// is unblocked by r.interrupt and has ended when pump returns.
func pump(ctx context.Context, r input, o *outbox, f *Framer) error {
	ctx, cancel := context.WithCancel(ctx)
	chunks := make(chan chunk)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		readChunks(ctx, r, chunks)
	}()
	defer func() {
		cancel()
		if r.interrupt != nil {
			r.interrupt()
			<-ended
		}
		if r.close != nil {
			r.close()
		}
	}()
	ref := event.Ref{Source: o.id, Epoch: 1}
	for {
		c, err := nextChunk(ctx, o, chunks)
		if err != nil {
			return err
		}
		f.Write(c.blk.buf[:c.n])
		c.blk.release()
		if c.err != nil {
			f.Finish()
		}
		if err := o.frames(f, ref, o.clock.Now()); err != nil {
			return err
		}
		if c.err != nil {
			return errors.Join(o.send(), notEOF(c.err))
		}
	}
}

func notEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// nextChunk waits for more bytes and meanwhile sends the open batch when it is due.
func nextChunk(ctx context.Context, o *outbox, chunks <-chan chunk) (chunk, error) {
	select {
	case c := <-chunks: // more is there: fill the batch first
		return c, nil
	default:
	}
	for {
		if err := o.offer(); err != nil {
			return chunk{}, err
		}
		due, idle := o.due()
		select {
		case c := <-chunks:
			return c, nil
		case <-ctx.Done():
			return chunk{}, ctx.Err()
		case <-due:
		case <-idle:
		}
	}
}

func readChunks(ctx context.Context, r io.Reader, chunks chan<- chunk) {
	for {
		b := newBlock(blockSize)
		n, err := r.Read(b.buf)
		select {
		case chunks <- chunk{b, n, err}:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// stream is a source that is read once, from an open reader.
type stream struct {
	id    event.SourceID
	clock Clock
	mode  Mode
	open  func() (input, error)
}

// Run implements Source. A stream cannot be read twice: from only says how many
// bytes and lines came before.
func (s *stream) Run(ctx context.Context, from Position, out chan<- Batch) error {
	state, err := parseStreamPosition(from, s.mode)
	if err != nil {
		return err
	}
	r, err := s.open()
	if err != nil {
		return err
	}
	f := NewFramer(state)
	defer f.Close()
	o := newOutbox(ctx, out, s.id, s.clock, func() Position { return streamPosition(f.State()) })
	err = pump(ctx, r, o, f)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// Stdin returns standard input (or whatever r is) as a source. It ends at the
// end of r. Where r is an *os.File a cancelled Run ends at once; a Read of any
// other reader cannot be interrupted, its goroutine ends with it.
func Stdin(r io.Reader) Opened {
	s := &stream{id: "stdin", clock: SystemClock{}, mode: ModeHead, open: func() (input, error) {
		if f, ok := r.(*os.File); ok {
			return newPolled(f, nil)
		}
		return input{Reader: r}, nil
	}}
	return Opened{Info{ID: s.id, Kind: "stdin", Name: "standard input", Live: true}, s}
}

// FIFO returns the named pipe at path as a source. It is opened for reading and
// writing, so that it does not end when the last writer leaves.
func FIFO(path string) Opened {
	s := &stream{id: event.SourceID("fifo:" + path), clock: SystemClock{}, mode: ModeHead}
	s.open = func() (input, error) {
		f, err := os.OpenFile(path, os.O_RDWR|unix.O_NONBLOCK, 0)
		if err != nil {
			return input{}, err
		}
		return newPolled(f, f)
	}
	return Opened{Info{ID: s.id, Kind: "fifo", Name: path, Path: path, Live: true}, s}
}

// polled reads a descriptor and can be interrupted, whatever the descriptor is.
type polled struct {
	fd     int
	cancel *os.File
}

// newPolled reads f; own, when not nil, is closed in the end.
func newPolled(f *os.File, own io.Closer) (input, error) {
	r, w, err := os.Pipe()
	if err != nil {
		if own != nil {
			err = joinClose(err, own)
		}
		return input{}, err
	}
	closeAll := func() {
		_ = r.Close()
		if own != nil {
			_ = own.Close()
		}
	}
	return input{&polled{int(f.Fd()), r}, func() { _ = w.Close() }, closeAll}, nil
}

// Read implements io.Reader; io.EOF also when it was stopped.
func (p *polled) Read(b []byte) (int, error) {
	for {
		set := []unix.PollFd{{Fd: int32(p.fd), Events: unix.POLLIN}, {Fd: int32(p.cancel.Fd()), Events: unix.POLLIN}}
		if _, err := unix.Poll(set, -1); err != nil && err != unix.EINTR {
			return 0, err
		}
		if set[1].Revents != 0 {
			return 0, io.EOF
		}
		if set[0].Revents == 0 {
			continue
		}
		n, err := unix.Read(p.fd, b)
		switch {
		case err == unix.EINTR || err == unix.EAGAIN:
		case err != nil:
			return 0, err
		case n == 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}

// streamPosition is "stream1" with framing, offset, line and element.
func streamPosition(s FrameState) Position {
	b := append([]byte("stream1 "), byte(s.Mode), ':')
	b = append(strconv.AppendInt(b, s.Offset, 10), ':')
	b = append(strconv.AppendInt(b, s.Line, 10), ':')
	return Position(strconv.AppendInt(b, s.Index, 10))
}

// parseStreamPosition reads what streamPosition wrote; "" begins in mode.
func parseStreamPosition(p Position, mode Mode) (FrameState, error) {
	if p == "" {
		return FrameState{Mode: mode}, nil
	}
	bad := errors.New("position " + strconv.Quote(string(p[:min(len(p), 40)])) + " is not one of a stream: start without it")
	rest, ok := strings.CutPrefix(string(p), "stream1 ")
	part := strings.Split(rest, ":")
	if !ok || len(part) != 4 || len(part[0]) != 1 || !strings.Contains("hloae", part[0]) {
		return FrameState{}, bad
	}
	s := FrameState{Mode: Mode(part[0][0])}
	for i, to := range []*int64{&s.Offset, &s.Line, &s.Index} {
		v, err := strconv.ParseInt(part[i+1], 10, 64)
		if err != nil || v < 0 {
			return FrameState{}, bad
		}
		*to = v
	}
	return s, nil
}
