package agent

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"bartizan/agent/agentpb"
	"bartizan/sources"
	"bartizan/sources/parse"
)

// When a batch is sent: at once while nothing is unacknowledged, otherwise when
// it has fillRecords or fillBytes or is fillWait old. A batch without records
// only moves the cursor, so it may wait longer.
const (
	fillRecords = 128
	fillBytes   = 64 << 10
	fillWait    = time.Millisecond
	moveWait    = 250 * time.Millisecond
)

// How much may be unacknowledged before the reader stops.
const (
	windowBytes   = 4 << 20
	windowBatches = 512
)

var errReadEnded = errors.New("the console went away before it acknowledged")

// Read serves one stream to one console.
func (s *Server) Read(call grpc.BidiStreamingServer[agentpb.ReadRequest, agentpb.Batch]) error {
	who := caller(call.Context())
	if !s.quota.enter(who) {
		return status.Errorf(codes.ResourceExhausted, "%s has %d streams open, which is the most", who, 2*agentpb.MaxStreams)
	}
	defer s.quota.leave(who)
	s.readers.Add(1)
	defer s.readers.Add(-1)
	r, err := s.opened(call)
	if err != nil {
		return err
	}
	if err := call.SendHeader(nil); err != nil { // tells the console that it is open
		return err
	}
	return r.run(call.Context())
}

// opened reads the first request and prepares what it asks for.
func (s *Server) opened(call grpc.BidiStreamingServer[agentpb.ReadRequest, agentpb.Batch]) (*reader, error) {
	first, err := call.Recv()
	if err != nil {
		return nil, err
	}
	open := first.GetOpen()
	if open == nil || len(open.GetCursor()) > agentpb.MaxCursor || len(open.GetFilter()) > agentpb.MaxFilter {
		return nil, status.Error(codes.InvalidArgument, "the first request has to open a stream, with a cursor and filter of at most 16 KiB")
	}
	e := s.find(open.GetStream())
	if e == nil {
		return nil, status.Errorf(codes.NotFound, "there is no stream %.80q here (any more)", open.GetStream())
	}
	if e.refused != "" {
		return nil, status.Error(codes.PermissionDenied, e.refused)
	}
	info := e.info(s.host)
	f, err := newFilter(open.GetFilter(), s.registry, info)
	if err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "the filter cannot be used: %v", err)
	}
	r := &reader{
		server: s, call: call, filter: f, from: sources.Position(open.GetCursor()),
		door: newDoor(&s.catalog.guard, e.path), out: agentpb.NewPacker(e.id, s.epochs.Add(1)),
	}
	if e.path == "" {
		return r, s.unfiled(r, e, open)
	}
	s.edged(r, open, func() *parse.Stream { return s.registry.Stream(info) })
	r.source = r.follower(info.ID)
	return r, r.begin(open.GetTailBytes())
}

// begin finds out where a Read without a cursor begins. The console gets that
// as the first cursor, so that a Read which breaks early begins there again.
func (r *reader) begin(tail int64) error {
	if tail < 0 {
		return status.Errorf(codes.InvalidArgument, "tail_bytes is %d: it is a number of bytes, or 0 for the beginning", tail)
	}
	if r.from != "" || tail == 0 {
		return nil
	}
	var err error
	if r.from, err = r.tail(tail); err != nil {
		return status.Error(codes.PermissionDenied, err.Error())
	}
	r.out.Batch.Cursor, r.opening = string(r.from), r.from != ""
	return nil
}

// reader is one Read: its own source, what is gathered and what is unacknowledged.
// Only the goroutine of run touches it.
type reader struct {
	server *Server
	call   grpc.BidiStreamingServer[agentpb.ReadRequest, agentpb.Batch]
	source sources.Source
	from   sources.Position
	filter *filter
	*door
	edging

	opening bool // the first batch is due at once: it says where the Read began

	out   *agentpb.Packer
	moved bool          // out has content or a newer cursor
	taken []func(error) // Done of the source batches in out
	held  int           // bytes those hold on to
	since time.Time     // when out got its first content
	sent  []flight      // in order
	bytes int           // held by sent
	acked uint64
}

// flight is a batch that was sent and not yet acknowledged.
type flight struct {
	last  uint64 // its last record
	bytes int    // that it holds on to at the source
	done  []func(error)
}

func (r *reader) run(outer context.Context) error {
	ctx, cancel := context.WithCancel(outer)
	in, acks, ended := make(chan sources.Batch), make(chan uint64), make(chan error, 1)
	go func() { ended <- r.source.Run(ctx, r.from, in) }()
	broken := make(chan error, 1)
	go func() { broken <- r.listen(ctx, acks) }()
	err, over := r.serve(ctx, in, acks, broken, ended)
	cancel()
	for !over {
		select {
		case b := <-in:
			b.Done(errReadEnded)
		case end := <-ended:
			over = true
			if end != nil {
				r.server.cfg.Log.Warn("a source failed while its Read ended", "stream", r.out.Batch.Stream, "error", end)
			}
		}
	}
	r.abandon()
	return err
}

// listen passes acknowledgements on until the console is gone.
func (r *reader) listen(ctx context.Context, acks chan<- uint64) error {
	for {
		m, err := r.call.Recv()
		if errors.Is(err, io.EOF) {
			return status.Error(codes.Canceled, "the console closed the stream")
		}
		if err != nil {
			return err
		}
		if m.GetAck() == nil || m.GetAck().GetStream() != r.out.Batch.Stream {
			return status.Error(codes.InvalidArgument, "only acknowledgements of this stream may follow the first request")
		}
		select {
		case acks <- m.GetAck().GetSequence():
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// serve moves records until the source ends (over) or the call does.
func (r *reader) serve(ctx context.Context, in <-chan sources.Batch, acks <-chan uint64, broken, ended <-chan error) (err error, over bool) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	if r.opening {
		if err := r.send(); err != nil {
			return err, false
		}
	}
	for {
		wait := r.wait(time.Now())
		if wait <= 0 {
			if err := r.send(); err != nil {
				return err, false
			}
			continue
		}
		timer.Reset(wait)
		source := in
		if r.full() || !r.out.Room() {
			source = nil
		}
		select {
		case b := <-source:
			r.take(&b)
		case seq := <-acks:
			if err := r.acknowledge(seq); err != nil {
				return err, false
			}
		case <-timer.C:
		case err := <-broken:
			return err, false
		case err := <-r.refused:
			return status.Error(codes.PermissionDenied, err.Error()), false
		case err := <-ended:
			return r.finish(err), true
		case <-ctx.Done():
			return status.FromContextError(ctx.Err()).Err(), false
		}
	}
}

// wait returns how long the batch may still be filled; 0 sends it now.
func (r *reader) wait(now time.Time) time.Duration {
	switch {
	case !r.moved || r.full():
		return time.Hour
	case r.out.Empty():
		return moveWait - now.Sub(r.since)
	case len(r.sent) == 0, len(r.out.Batch.Lengths) >= fillRecords, len(r.out.Batch.Blob) >= fillBytes, !r.out.Room():
		return 0
	}
	return fillWait - now.Sub(r.since)
}

// full says whether as much is unacknowledged as may be.
func (r *reader) full() bool { return r.bytes >= windowBytes || len(r.sent) >= windowBatches }

// take gathers the records of a source batch that are wanted.
func (r *reader) take(b *sources.Batch) {
	r.newRules()
	if !r.moved {
		r.since = time.Now()
	}
	kept, held := 0, 0
	for i := range b.Records {
		held += len(b.Records[i].Raw)
		if r.filter.keep(&b.Records[i]) {
			r.out.Add(&b.Records[i])
			kept++
		}
	}
	left := uint64(len(b.Records) - kept)
	r.out.Batch.LeftOut += left
	r.server.leftOut.Add(left)
	r.out.Batch.Cursor, r.moved = string(b.Pos), true
	if kept == 0 {
		b.Done(nil) // there is nothing in it to wait for
		return
	}
	r.taken = append(r.taken, b.Done)
	r.held += held
}

// send sends what was gathered. It blocks while the console takes nothing.
func (r *reader) send() error {
	b := r.out.Batch
	b.Clock = r.server.cfg.Now().UnixNano()
	n := uint64(len(b.Lengths))
	if err := r.call.SendMsg(r.out); err != nil {
		return err
	}
	r.server.records.Add(n)
	r.sent = append(r.sent, flight{last: b.First + n - 1, bytes: r.held, done: r.taken})
	r.bytes += r.held
	r.taken, r.held = nil, 0
	r.out.Next()
	r.moved = false
	r.settle() // without records there is nothing to acknowledge
	return nil
}

// acknowledge takes in that everything up to seq is committed at the console.
func (r *reader) acknowledge(seq uint64) error {
	if seq >= r.out.Batch.First {
		return status.Errorf(codes.InvalidArgument, "sequence %d was acknowledged before it was sent", seq)
	}
	r.acked = max(r.acked, seq)
	r.settle()
	return nil
}

// settle tells the source about the batches that are committed.
func (r *reader) settle() {
	n := 0
	for n < len(r.sent) && r.sent[n].last <= r.acked {
		for _, done := range r.sent[n].done {
			done(nil)
		}
		r.bytes -= r.sent[n].bytes
		n++
	}
	r.sent = append(r.sent[:0], r.sent[n:]...)
}

// finish sends what is left of a source that ended, with its reason if it failed.
func (r *reader) finish(failure error) error {
	if r.moved {
		if err := r.send(); err != nil {
			return err
		}
	}
	if failure != nil {
		return status.Error(codes.Aborted, failure.Error())
	}
	return nil
}

// abandon gives back what nobody will acknowledge any more.
func (r *reader) abandon() {
	for _, f := range append(r.sent, flight{done: r.taken}) {
		for _, done := range f.done {
			done(errReadEnded)
		}
	}
}
