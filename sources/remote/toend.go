package remote

import (
	"context"
	"errors"
	"fmt"
	"time"

	"bartizan/event"
	"bartizan/sources"
)

// Reach waits for the connection that Run makes. The error is why its first attempt
// failed, or that ctx ended.
func (p *Peer) Reach(ctx context.Context) error {
	for {
		p.mu.Lock()
		s, changed, st := p.current, p.changed, p.state
		p.mu.Unlock()
		switch {
		case s != nil:
			return nil
		case st.state == event.SourceRetrying:
			return errors.New(st.reason)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// A stream without news for lineWait has a last line that its writer did not end;
// one that owes more than such a line is given up after owedWait.
const (
	lineWait = 3 * time.Second
	owedWait = time.Minute
)

// ToEnd makes a source of a Peer one that ends where its file ended when it was
// listed first; any other source stays as it is.
func ToEnd(op sources.Opened) sources.Opened {
	if s, ok := op.Source.(*stream); ok {
		op.Source = &ending{s}
		op.Info.Live = false
	}
	return op
}

// PeerOf is the agent that a source of ToEnd is read from, which can be asked to search
// it instead; nil where there is none.
func PeerOf(op sources.Opened) *Peer {
	if e, ok := op.Source.(*ending); ok {
		return e.stream.peer
	}
	return nil
}

type ending struct{ stream *stream }

// Run implements sources.Source.
func (e *ending) Run(outer context.Context, from sources.Position, out chan<- sources.Batch) error {
	first := e.stream.first
	if first.size <= 0 || first.file == (event.FileID{}) {
		return nil // nothing was written yet, or it is no file
	}
	ctx, cancel := context.WithCancel(outer)
	in, ended := make(chan sources.Batch), make(chan struct{})
	var failure error // once ended is closed
	go func() { failure = e.stream.Run(ctx, from, in); close(ended) }()
	defer func() {
		cancel()
		for over := false; !over; {
			select {
			case b := <-in:
				b.Done(context.Canceled)
			case <-ended:
				over = true
			}
		}
	}()
	quiet := time.NewTimer(lineWait)
	defer quiet.Stop()
	last, at := time.Now(), int64(0)
	for {
		select {
		case <-ended:
			return failure
		case <-outer.Done():
			return nil
		case <-quiet.C:
			owed := first.size - at
			switch {
			case at > 0 && owed < sources.MaxRecord:
				return nil
			case time.Since(last) > owedWait:
				return fmt.Errorf("%s stopped %d bytes before its end: the agent sends no more", e.stream.info.Name, owed)
			}
		case b := <-in:
			if n := len(b.Records); n > 0 {
				r := b.Records[n-1].Ref
				at = r.Offset + int64(r.Len)
				if r.File != first.file {
					at = first.size // it was rotated: what follows was written later
				}
			}
			last = time.Now()
			select {
			case out <- b:
			case <-outer.Done():
				b.Done(context.Canceled)
				return nil
			}
			if at+2 >= first.size { // a line may end in two bytes
				return nil
			}
		}
		quiet.Reset(lineWait)
	}
}
