package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"bartizan/agent/agentpb"
	"bartizan/event"
	"bartizan/sources"
)

// errReplaced ends a read whose filter is no longer the wanted one.
var errReplaced = errors.New("the filter was replaced")

// stream is one stream of the agent as a source. Its counters are guarded by
// the peer's mutex.
type stream struct {
	peer      *Peer
	id        string
	info      sources.Info
	announced bool
	first     listedFile
	report    func(sources.Condition) // may be nil
	counters
}

func (s *stream) announce() sources.Opened {
	s.announced = true
	return sources.Opened{Info: s.info, Source: s}
}

// Report implements sources.Reporting.
func (s *stream) Report(fn func(sources.Condition)) { s.report = fn }

// Run reads the stream from a position on. While there is no connection it waits
// for the peer to make one, and goes on where it was; so it does when the filter
// changes. What the agent refuses for this stream alone is an error.
func (s *stream) Run(ctx context.Context, from sources.Position, out chan<- sources.Batch) error {
	if len(from) > agentpb.MaxCursor {
		return fmt.Errorf("the position of %s has %d bytes and cannot be one", s.info.Name, len(from))
	}
	var session *session
	for {
		var err error
		if session, err = s.peer.connected(ctx, session); err != nil {
			return nil // cancelled
		}
		r := &read{stream: s, session: session, filter: s.peer.wanted(), cursor: from, out: out}
		err = r.run(ctx)
		from = r.cursor
		switch {
		case ctx.Err() != nil || errors.Is(err, io.EOF) && !s.info.Live:
			return nil
		case errors.Is(err, io.EOF):
			err = fmt.Errorf("agent %s ended stream %.80q, which has no end", s.info.Host, s.id)
		case errors.Is(err, errReplaced):
			session = nil // the same one will do
			continue
		}
		s.note(event.SourceRetrying, err.Error())
		if !session.over(ctx, r.code) {
			return err
		}
	}
}

// read is one Read call.
type read struct {
	stream  *stream
	session *session
	filter  *filter
	cursor  sources.Position // after the last batch that was handed on
	out     chan<- sources.Batch
	call    grpc.BidiStreamingClient[agentpb.ReadRequest, agentpb.Batch]
	expect  *agentpb.Expectation
	acks    *acks
	code    codes.Code // what the call ended with
}

func (r *read) run(outer context.Context) error {
	ctx, cancel := context.WithCancelCause(outer)
	defer cancel(nil)
	call, err := r.session.client.Read(ctx)
	if err != nil {
		return r.reason(ctx, err)
	}
	r.call, r.acks = call, newAcks(cancel)
	r.expect = agentpb.Expect(r.stream.id)
	opened := call.Send(&agentpb.ReadRequest{Kind: &agentpb.ReadRequest_Open{Open: &agentpb.Open{
		Stream: r.stream.id, Cursor: string(r.cursor), Filter: r.filter.text, TailBytes: max(r.stream.peer.cfg.Tail, 0), Edge: r.filter.edge,
	}}})
	if opened != nil && !errors.Is(opened, io.EOF) { // EOF: Recv knows more
		return r.reason(ctx, opened)
	}
	finished := make(chan struct{}, 2)
	go func() { r.watch(ctx, cancel); finished <- struct{}{} }()
	go func() { r.acks.send(ctx, r.stream.id, call); finished <- struct{}{} }()
	err = r.reason(ctx, r.receive(ctx))
	cancel(err)
	<-finished
	<-finished
	return err
}

// watch ends the call when the connection or the filter is over.
func (r *read) watch(ctx context.Context, cancel context.CancelCauseFunc) {
	select {
	case <-ctx.Done():
	case <-r.session.ended.Done():
		cancel(context.Cause(r.session.ended))
	case <-r.filter.replaced:
		cancel(errReplaced)
	}
}

func (r *read) receive(ctx context.Context) error {
	if _, err := r.call.Header(); err == nil { // else Recv knows more
		r.stream.note(event.SourceLive, "")
	}
	for {
		in := agentpb.NewIncoming()
		err := r.call.RecvMsg(in)
		if status.Code(err) == codes.ResourceExhausted && strings.Contains(err.Error(), "larger than max") {
			return r.broken(fmt.Errorf("a message is larger than %d bytes", agentpb.MaxMessage))
		}
		if err != nil {
			return err
		}
		now := r.stream.peer.cfg.Now()
		records, err := r.expect.Records(in, r.stream.info.ID, now)
		if err != nil {
			return r.broken(err)
		}
		b := sources.Batch{
			Source: r.stream.info.ID, Records: records, Pos: sources.Position(in.Batch.GetCursor()),
			Done: r.acks.expect(r.expect.Last(), in),
		}
		got := tallyOf(&in.Batch, records, now) // Done gives the memory back
		select {
		case r.out <- b:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		r.cursor = b.Pos
		r.stream.received(got)
	}
}

// broken drops the whole connection: who breaks the protocol once is not believed.
func (r *read) broken(err error) error {
	err = fmt.Errorf("agent %s broke the protocol in stream %.80q: %w", r.stream.info.Host, r.stream.id, err)
	r.session.drop(err)
	return err
}

// reason prefers why we ended the call to what the call says about it, and the
// loss of the whole connection to both.
func (r *read) reason(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if errors.Is(err, io.EOF) {
		return err
	}
	if st, ok := status.FromError(err); ok && st.Code() != codes.OK {
		r.code = st.Code()
		return fmt.Errorf("agent %s, stream %.80q: %.300q", r.stream.info.Host, r.stream.id, st.Message())
	}
	return err
}
