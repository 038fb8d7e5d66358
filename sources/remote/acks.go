package remote

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc"

	"bartizan/agent/agentpb"
)

// acks turns the Done calls of batches, in whatever order they come, into
// cumulative acknowledgements.
type acks struct {
	broken context.CancelCauseFunc // ends the read when a batch was not committed
	kick   chan struct{}

	mu      sync.Mutex
	pending []*receipt // in order of arrival
	last    *receipt   // newest that may be acknowledged
}

type receipt struct {
	sequence uint64
	cursor   string
	called   atomic.Bool // Done was: only the first call counts
	done     bool        // and it was fine
}

func newAcks(broken context.CancelCauseFunc) *acks {
	return &acks{broken: broken, kick: make(chan struct{}, 1)}
}

// expect returns the Done of the next batch, whose last record is sequence. It
// releases the batch.
func (a *acks) expect(sequence uint64, in *agentpb.Incoming) func(error) {
	r := &receipt{sequence: sequence, cursor: in.Batch.GetCursor()}
	a.mu.Lock()
	a.pending = append(a.pending, r)
	a.mu.Unlock()
	return func(err error) {
		if r.called.Swap(true) {
			return
		}
		in.Release()
		if err != nil {
			a.broken(fmt.Errorf("a batch could not be taken: %w", err))
			return
		}
		a.done(r)
	}
}

func (a *acks) done(r *receipt) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r.done = true
	n := 0
	for n < len(a.pending) && a.pending[n].done {
		a.last = a.pending[n]
		n++
	}
	if n == 0 {
		return
	}
	a.pending = append(a.pending[:0], a.pending[n:]...)
	select {
	case a.kick <- struct{}{}:
	default: // the sender has not come round yet and will take the newest
	}
}

// send writes acknowledgements until ctx ends or the call is over.
func (a *acks) send(ctx context.Context, stream string, call grpc.BidiStreamingClient[agentpb.ReadRequest, agentpb.Batch]) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.kick:
		}
		a.mu.Lock()
		r := a.last
		a.mu.Unlock()
		err := call.Send(&agentpb.ReadRequest{Kind: &agentpb.ReadRequest_Ack{Ack: &agentpb.Ack{
			Stream: stream, Sequence: r.sequence, Cursor: r.cursor,
		}}})
		if err != nil {
			return // the receiving side learns why
		}
	}
}
