package remote_test

import (
	"context"
	"math"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"

	"bartizan/agent/agentpb"
	"bartizan/agent/certs"
	"bartizan/event"
)

// liar is an agent with a good certificate that says what a test tells it to.
type liar struct {
	agentpb.UnimplementedAgentServer
	hello   *agentpb.HelloReply
	streams []*agentpb.Stream
	batches []*agentpb.Batch
	headers metadata.MD
}

func (l *liar) Hello(ctx context.Context, _ *agentpb.HelloRequest) (*agentpb.HelloReply, error) {
	if l.headers != nil {
		if err := grpc.SetHeader(ctx, l.headers); err != nil {
			return nil, err
		}
	}
	return l.hello, nil
}

func (l *liar) ListStreams(context.Context, *agentpb.ListStreamsRequest) (*agentpb.ListStreamsReply, error) {
	return &agentpb.ListStreamsReply{Streams: l.streams}, nil
}

func (l *liar) Status(context.Context, *agentpb.StatusRequest) (*agentpb.StatusReply, error) {
	return &agentpb.StatusReply{Clock: math.MinInt64, Problem: strings.Repeat("\x1b[31m", 10_000)}, nil
}

func (l *liar) Read(call grpc.BidiStreamingServer[agentpb.ReadRequest, agentpb.Batch]) error {
	for _, b := range l.batches {
		if err := call.Send(b); err != nil {
			return err
		}
	}
	<-call.Context().Done()
	return nil
}

// serve starts it and returns its address.
func (l *liar) serve(t *testing.T, w *world) string { return serveAs(t, w, l) }

// serveAs starts an agent that answers as l does, with a good certificate.
func serveAs(t *testing.T, w *world, l agentpb.AgentServer) string {
	t.Helper()
	tls, err := certs.ServerTLS(w.host, time.Now)
	check(t, err)
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	g := grpc.NewServer(grpc.Creds(credentials.NewTLS(tls)), grpc.MaxSendMsgSize(math.MaxInt32))
	agentpb.RegisterAgentServer(g, l)
	done := make(chan error, 1)
	go func() { done <- g.Serve(lis) }()
	t.Cleanup(func() {
		g.Stop()
		check(t, <-done)
	})
	return lis.Addr().String()
}

func one(first uint64, text string) *agentpb.Batch {
	return &agentpb.Batch{
		Stream: "s", Epoch: 1, First: first, Blob: []byte(text), Lengths: []uint32{uint32(len(text))},
		Segments: []*agentpb.Segment{{Line: 1}}, Cursor: "c",
	}
}

// TestHostileAgent: each lie ends the connection with a sentence; the lines before
// it stay, nothing after it arrives.
func TestHostileAgent(t *testing.T) {
	change := func(f func(*agentpb.Batch)) []*agentpb.Batch {
		b := one(2, "evil")
		f(b)
		return []*agentpb.Batch{one(1, "good"), b}
	}
	for _, c := range []struct {
		name string
		lie  func(*liar)
		want string
	}{
		{"a protocol of the future", func(l *liar) { l.hello = &agentpb.HelloReply{Protocol: 99, ProtocolMin: 98} }, "speaks protocol 98 to 99"},
		{"endless headers", func(l *liar) { l.headers = metadata.Pairs("x", strings.Repeat("y", 1<<20)) }, "broke"},
		{"an id with escapes", func(l *liar) { l.streams[0].Id = "\x1b]52;c;x\x07" }, "do not print"},
		{"an id with bidi controls", func(l *liar) { l.streams[0].Id = "a\u202eb" }, "do not print"},
		{"an id without an end", func(l *liar) { l.streams[0].Id = strings.Repeat("x", 10_000) }, "no usable id"},
		{"an empty id", func(l *liar) { l.streams[0].Id = "" }, "no usable id"},
		{"an id twice", func(l *liar) { l.streams = append(l.streams, l.streams[0]) }, "twice"},
		{"too many streams", func(l *liar) { l.streams = make([]*agentpb.Stream, agentpb.MaxStreams+1) }, "streams where"},
		{"another stream", func(l *liar) { l.batches = change(func(b *agentpb.Batch) { b.Stream = "other" }) }, `is of the stream \"other\"`},
		{"another epoch", func(l *liar) { l.batches = change(func(b *agentpb.Batch) { b.Epoch = 2 }) }, "epoch changed"},
		{"no epoch", func(l *liar) { l.batches = change(func(b *agentpb.Batch) { b.Epoch = 0 }) }, "epoch changed"},
		{"a stream of another host", func(l *liar) { l.batches = change(func(b *agentpb.Batch) { b.Stream = "../db-1/s" }) }, `is of the stream \"../db-1/s\"`},
		{"the sequence's end", func(l *liar) { l.batches = change(func(b *agentpb.Batch) { b.First = math.MaxUint64 }) }, "came where 2 was next"},
		{"a line before the first", func(l *liar) { l.batches = change(func(b *agentpb.Batch) { b.Segments[0].Line = -1 }) }, "before its file"},
		{"an offset at its very end", func(l *liar) {
			l.batches = change(func(b *agentpb.Batch) { b.Segments[0].Offset = math.MaxInt64 })
		}, "record 0 lies at offset"},
		{"a span without an end", func(l *liar) {
			l.batches = change(func(b *agentpb.Batch) { b.Spans = []int64{math.MaxInt64 - 4} })
		}, "record 0 lies at offset"},
		{"a span before its record", func(l *liar) { l.batches = change(func(b *agentpb.Batch) { b.Spans = []int64{-5} }) }, "record 0 lies at offset"},
		{"a step to before the line", func(l *liar) {
			l.batches = change(func(b *agentpb.Batch) {
				b.Blob, b.Lengths, b.Lines = []byte("ab"), []uint32{1, 1}, []int64{1, math.MinInt64}
			})
		}, "record 1 lies at offset"},
		{"no file", func(l *liar) { l.batches = change(func(b *agentpb.Batch) { b.Segments = nil }) }, "which file it is from"},
		{"a column too short", func(l *liar) { l.batches = change(func(b *agentpb.Batch) { b.Gaps = []int64{1, 1} }) }, "a column has 2 entries"},
		{"a loss beyond the batch", func(l *liar) {
			l.batches = change(func(b *agentpb.Batch) { b.Losses = []*agentpb.Loss{{Index: 7, Count: 1}} })
		}, "a loss is marked"},
		{"a cut with half a hash", func(l *liar) {
			l.batches = change(func(b *agentpb.Batch) { b.Cuts = []*agentpb.Cut{{Hash: make([]byte, 8)}} })
		}, "a cut of 0 bytes"},
		{"sequence backwards", func(l *liar) { l.batches = change(func(b *agentpb.Batch) { b.First = 1 }) }, "sequence 1 came where 2 was next"},
		{"sequence with a gap", func(l *liar) { l.batches = change(func(b *agentpb.Batch) { b.First = 3 }) }, "sequence 3 came where 2 was next"},
		{"bytes for nobody", func(l *liar) { l.batches = change(func(b *agentpb.Batch) { b.Blob = append(b.Blob, 'x') }) }, "came with 5 bytes"},
		{"a record too long", func(l *liar) {
			l.batches = change(func(b *agentpb.Batch) { b.Blob = make([]byte, 1<<20+1); b.Lengths[0] = 1<<20 + 1 })
		}, "a record has 1048577 bytes"},
		{"an oversized message", func(l *liar) {
			l.batches = change(func(b *agentpb.Batch) { b.Blob = make([]byte, 8<<20); b.Lengths[0] = 8 << 20 })
		}, "a message is larger than"},
		{"a cursor without an end", func(l *liar) {
			l.batches = change(func(b *agentpb.Batch) { b.Cursor = strings.Repeat("x", 1<<20) })
		}, "a cursor has"},
		{"offsets before the file", func(l *liar) { l.batches = change(func(b *agentpb.Batch) { b.Segments[0].Offset = -1 }) }, "before its file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			l := &liar{
				hello:   &agentpb.HelloReply{Protocol: 1, ProtocolMin: 1, Version: strings.Repeat("v", 1<<20), Name: "somebody-else"},
				streams: []*agentpb.Stream{{Id: "s", Live: true, Size: math.MaxInt64}},
			}
			c.lie(l)
			conf := w.config(l.serve(t, w))
			conf.Backoff = func(int) time.Duration { return time.Hour }
			con := newConsole(t, conf)
			con.run()
			want := strings.ReplaceAll(c.want, `\"`, `"`)
			st := con.status("the sentence "+want, func(st []event.SourceStatus) bool {
				return st[0].State == event.SourceRetrying && strings.Contains(st[0].Reason, want)
			})
			con.stop()
			for _, lines := range con.lines {
				if len(lines) != 1 || lines[0] != "good" {
					t.Errorf("%q arrived", lines)
				}
			}
			if st[0].Name != "web-1" && st[0].Name != conf.Address || len(st[0].Peer.Version) > agentpb.MaxText || len(st[0].Reason) > 1000 {
				t.Errorf("the status is %+v %+v", st[0], st[0].Peer)
			}
		})
	}
}

// TestNameComesFromTheCertificate: what an agent says of itself changes nothing.
func TestNameComesFromTheCertificate(t *testing.T) {
	w := newWorld(t)
	l := &liar{
		hello:   &agentpb.HelloReply{Protocol: 1, ProtocolMin: 1, Name: "db-1"},
		streams: []*agentpb.Stream{{Id: "s", Live: true}}, batches: []*agentpb.Batch{one(1, "x")},
	}
	c := newConsole(t, w.config(l.serve(t, w)))
	c.run()
	c.wait("agent:web-1/s", "a record under the certificate's name", atLeast(1))
}

// TestHarmlessLies: what an agent may say, but should not be believed in, neither
// breaks the console nor gets beyond its bounds.
func TestHarmlessLies(t *testing.T) {
	for _, c := range []struct {
		name string
		lie  func(*liar)
	}{
		{"a clock before all time", func(l *liar) { l.hello.Clock = math.MinInt64; l.batches[0].Clock = math.MinInt64 }},
		{"a clock behind all time", func(l *liar) { l.hello.Clock = math.MaxInt64; l.batches[0].Clock = math.MaxInt64 }},
		{"names with escapes", func(l *liar) { l.hello.Name, l.hello.Version = "\x1b]0;x\x07", "\x1b[2J" }},
		{"a format there is not", func(l *liar) { l.streams[0].Format = "\x1b[31m" + strings.Repeat("x", 1<<20) }},
		{"sizes below nothing", func(l *liar) { l.streams[0].Size = math.MinInt64 }},
		{"everything left out", func(l *liar) { l.batches[0].LeftOut = math.MaxUint64 }},
		{"everything lost", func(l *liar) { l.batches[0].Losses = []*agentpb.Loss{{Count: math.MaxUint64}, {Count: math.MaxUint64}} }},
		{"flags there are not", func(l *liar) { l.batches[0].Flags = []uint32{math.MaxUint32} }},
		{"rules it was not asked to run", func(l *liar) { l.batches[0].Edge = true }},
		{"a refusal of another stream without an end", func(l *liar) {
			l.streams = append(l.streams, &agentpb.Stream{Id: "t", Refused: strings.Repeat("\x1b", 1<<20)})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			l := &liar{
				hello:   &agentpb.HelloReply{Protocol: 1, ProtocolMin: 1},
				streams: []*agentpb.Stream{{Id: "s", Live: true, Size: 10}}, batches: []*agentpb.Batch{one(1, "x")},
			}
			c.lie(l)
			con := newConsole(t, w.config(l.serve(t, w)))
			con.run()
			con.wait("agent:web-1/s", "the record", atLeast(1))
			st := con.status("a stream that is read", func(st []event.SourceStatus) bool { return len(st) > 1 && st[1].Records == 1 })
			for _, s := range st {
				if len(s.Reason)+len(s.Format)+len(s.Name)+len(s.Peer.Version) > 4*agentpb.MaxText || s.Peer.Identity != "spiffe://bartizan/agent/web-1" || s.Lag < 0 || s.Behind < -1 {
					t.Errorf("the status is %+v %+v", s, s.Peer)
				}
			}
			con.stop()
			if n := len(con.lines["agent:web-1/s"]); n != 1 {
				t.Errorf("%d records arrived", n)
			}
		})
	}
}
