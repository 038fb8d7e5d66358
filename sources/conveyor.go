package sources

import (
	"context"
	"errors"
	"io"

	"bartizan/event"
)

// Conveyor moves the bytes of a file that is read elsewhere, and may be cut off
// at any byte, into batches.
type Conveyor struct {
	ID        event.SourceID
	Ref       event.Ref  // what all records have in common: file and epoch
	State     FrameState // where the first byte lies
	Position  func(FrameState) Position
	Reader    io.Reader
	Interrupt func() // makes a Read that blocks return
	// Complete is asked at the end of the bytes whether they are all there are of
	// this file: then what is left is a record. Otherwise it is read again.
	Complete func(error) bool
}

// Run delivers until the bytes end, ctx is cancelled (its error) or reading
// fails, and returns where it stands: behind the newest record delivered.
func (c Conveyor) Run(ctx context.Context, out chan<- Batch) (FrameState, error) {
	f := NewFramer(c.State)
	defer f.Close()
	o := newOutbox(ctx, out, c.ID, SystemClock{}, func() Position { return c.Position(f.State()) })
	inner, cancel := context.WithCancel(ctx)
	chunks := make(chan chunk)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		readChunks(inner, input{Reader: c.Reader}, chunks)
	}()
	err := c.move(ctx, o, f, chunks)
	cancel()
	c.Interrupt()
	<-ended
	return f.State(), err
}

func (c Conveyor) move(ctx context.Context, o *outbox, f *Framer, chunks <-chan chunk) error {
	ref := c.Ref
	ref.Source = c.ID
	for {
		in, err := nextChunk(ctx, o, chunks)
		if err != nil {
			return err
		}
		f.Write(in.blk.buf[:in.n])
		in.blk.release()
		if in.err != nil && c.Complete(in.err) {
			f.Finish()
		}
		if err := o.frames(f, ref, o.clock.Now()); err != nil {
			return err
		}
		if in.err != nil {
			return errors.Join(o.send(), notEOF(in.err))
		}
	}
}
