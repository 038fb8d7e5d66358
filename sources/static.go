package sources

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"bartizan/event"
)

// Static reads a file once, from its position to its end, decompressed where it
// is compressed. Damage and the caps on decompression end it early: that is
// delivered as a record with Lost.
type Static struct {
	path  string
	id    event.SourceID
	clock Clock
	open  func(path string) (*os.File, error)
}

// NewStatic returns a reader of the file at path.
func NewStatic(path string, id event.SourceID, clock Clock) *Static {
	if id == "" {
		id = event.SourceID("file:" + path)
	}
	return &Static{path, id, orSystem(clock), openRegular}
}

// OpenWith makes it open the file by open, which decides whether it may be read.
// It returns s.
func (s *Static) OpenWith(open func(path string) (*os.File, error)) *Static {
	s.open = open
	return s
}

// Run implements Source.
func (s *Static) Run(ctx context.Context, from Position, out chan<- Batch) error {
	state, err := parseStreamPosition(from, ModeHead)
	if err != nil {
		return err
	}
	file, err := s.open(s.path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	fi, err := file.Stat()
	if err != nil {
		return err
	}
	f := NewFramer(state)
	defer f.Close()
	o := newOutbox(ctx, out, s.id, s.clock, func() Position { return streamPosition(f.State()) })
	o.still = true
	ref := event.Ref{Source: s.id, Epoch: 1, File: statID(fi)}
	if err := s.read(ctx, file, o, f, ref); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

// read sends everything behind the framer's offset.
func (s *Static) read(ctx context.Context, file *os.File, o *outbox, f *Framer, ref event.Ref) error {
	r, bad := s.begin(file, f.Offset())
	if bad == nil {
		defer func() { _ = r.Close() }()
		var err error
		if bad, err = s.copyAll(ctx, r, o, f, ref); err != nil {
			return err
		}
	}
	f.Finish()
	if err := o.frames(f, ref, s.clock.Now()); err != nil {
		return err
	}
	if bad != nil {
		ref.Offset = f.Offset()
		why := fmt.Sprintf("%s cannot be read beyond byte %d: %v; what follows is missing", s.path, ref.Offset, bad)
		if err := o.lost(loss{why: why}, ref); err != nil {
			return err
		}
	}
	return o.send()
}

// begin returns the decompressed file behind off bytes.
func (s *Static) begin(file *os.File, off int64) (io.ReadCloser, error) {
	var magic [magicLen]byte
	n, err := file.ReadAt(magic[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if Compression(magic[:n]) == "" {
		_, err := file.Seek(off, io.SeekStart)
		return io.NopCloser(file), err
	}
	r, err := Decompress(file)
	if err != nil {
		return nil, err
	}
	if _, err := io.CopyN(io.Discard, r, off); err != nil && !errors.Is(err, io.EOF) {
		return nil, joinClose(err, r)
	}
	return r, nil
}

// copyAll moves the file into batches. bad says what is wrong with the file,
// err that nobody takes the batches.
func (s *Static) copyAll(ctx context.Context, r io.Reader, o *outbox, f *Framer, ref event.Ref) (bad, err error) {
	for ctx.Err() == nil {
		n, rerr := r.Read(f.Space())
		f.Commit(n)
		if err := o.frames(f, ref, s.clock.Now()); err != nil {
			return nil, err
		}
		if rerr != nil {
			return notEOF(rerr), nil
		}
		if err := o.offer(); err != nil {
			return nil, err
		}
	}
	return nil, ctx.Err()
}
