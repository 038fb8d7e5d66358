package agent

import (
	"context"
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"bartizan/agent/agentpb"
	"bartizan/agent/certs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// site is a CA with an agent that serves *.log of a directory.
type site struct {
	t       *testing.T
	ca, dir string
	logs    string
	addr    string
	server  *Server
}

func newSite(t *testing.T, conf func(*Config)) *site {
	t.Helper()
	tmp := t.TempDir()
	s := &site{t: t, ca: filepath.Join(tmp, "ca"), logs: filepath.Join(tmp, "logs")}
	must(t, certs.Init(s.ca, time.Now()))
	dir, err := certs.Issue(s.ca, "web-1", []string{"127.0.0.1"}, time.Now())
	must(t, err)
	s.dir = dir
	must(t, os.Mkdir(s.logs, 0o755))
	c := Config{Certs: dir, Streams: []StreamConfig{{ID: "logs", Path: filepath.Join(s.logs, "*.log")}}, Rescan: 10 * time.Millisecond}
	if conf != nil {
		conf(&c)
	}
	s.server, err = New(c)
	must(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	s.addr = l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.server.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		must(t, <-done)
	})
	return s
}

func (s *site) write(name, text string) {
	s.t.Helper()
	must(s.t, os.WriteFile(filepath.Join(s.logs, name), []byte(text), 0o644))
}

// dial connects with the console certificate in dir ("" is the first console's).
func (s *site) dial(dir string) *grpc.ClientConn {
	s.t.Helper()
	if dir == "" {
		dir = s.ca
	}
	c, err := certs.ClientTLS(dir, time.Now)
	must(s.t, err)
	return s.connect(credentials.NewTLS(c))
}

func (s *site) connect(c credentials.TransportCredentials) *grpc.ClientConn {
	s.t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+s.addr, grpc.WithTransportCredentials(c))
	must(s.t, err)
	s.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// open opens a Read with a first request and returns it.
func (s *site) open(conn *grpc.ClientConn, o *agentpb.Open) grpc.BidiStreamingClient[agentpb.ReadRequest, agentpb.Batch] {
	s.t.Helper()
	call, err := agentpb.NewAgentClient(conn).Read(soon(s.t))
	must(s.t, err)
	must(s.t, call.Send(&agentpb.ReadRequest{Kind: &agentpb.ReadRequest_Open{Open: o}}))
	return call
}

// TestEveryCallIsAuthorised walks the service description, so that a method added
// later is covered: with a certificate of our CA that is not allowed, each one
// answers that it is not, and nothing else is registered.
func TestEveryCallIsAuthorised(t *testing.T) {
	s := newSite(t, func(c *Config) { c.AllowConsoles = []string{"spiffe://bartizan/console/ops-*"} })
	intern, err := certs.IssueConsole(s.ca, "intern", time.Now())
	must(t, err)
	ops, err := certs.IssueConsole(s.ca, "ops-1", time.Now())
	must(t, err)
	refused, let := s.dial(intern), s.dial(ops)
	methods := 0
	for service, info := range s.server.rpc(login{name: "nobody"}).GetServiceInfo() {
		for _, m := range info.Methods {
			methods++
			full := "/" + service + "/" + m.Name
			if err := call(t, refused, full, m.IsClientStream || m.IsServerStream); status.Code(err) != codes.PermissionDenied {
				t.Errorf("%s answered a console that is not allowed with %v", full, err)
			}
			if err := call(t, let, full, m.IsClientStream || m.IsServerStream); status.Code(err) == codes.PermissionDenied {
				t.Errorf("%s refused a console that is allowed: %v", full, err)
			}
		}
	}
	if want := len(agentpb.Agent_ServiceDesc.Methods) + len(agentpb.Agent_ServiceDesc.Streams); methods != want || want < 5 {
		t.Errorf("%d methods are registered, the description has %d", methods, want)
	}
}

// call calls any method with an empty message and returns how it ended.
func call(t *testing.T, conn *grpc.ClientConn, method string, stream bool) error {
	t.Helper()
	ctx := soon(t)
	if !stream {
		return conn.Invoke(ctx, method, &agentpb.StatusRequest{}, &agentpb.StatusReply{})
	}
	cs, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, method)
	if err != nil {
		return err
	}
	_ = cs.SendMsg(&agentpb.StatusRequest{}) // RecvMsg tells what became of it
	_ = cs.CloseSend()                       // so does it of this
	return cs.RecvMsg(&agentpb.StatusReply{})
}

// TestAnAgentIsNoConsole: even where TLS would let it through, the interceptor does not.
func TestAnAgentIsNoConsole(t *testing.T) {
	s := newSite(t, func(c *Config) { c.AllowConsoles = []string{"*"} })
	for _, id := range []certs.Identity{{Role: certs.RoleAgent, Name: "web-2"}, {}} {
		if s.server.allowed(id) {
			t.Errorf("%s is allowed", id.URI())
		}
	}
	s.server.cfg.AllowConsoles = nil
	if !s.server.allowed(certs.Identity{Role: certs.RoleConsole, Name: "x"}) {
		t.Error("without a list no console of the CA is allowed")
	}
}

func TestPlaintextIsRefused(t *testing.T) {
	s := newSite(t, nil)
	for name, c := range map[string]*tls.Config{"TLS without a certificate": {InsecureSkipVerify: true, NextProtos: []string{"h2"}}} {
		conn := s.connect(credentials.NewTLS(c))
		if _, err := agentpb.NewAgentClient(conn).Hello(soon(t), &agentpb.HelloRequest{}); status.Code(err) != codes.Unavailable {
			t.Errorf("%s: %v", name, err)
		}
	}
	raw, err := net.Dial("tcp", s.addr)
	must(t, err)
	defer func() { _ = raw.Close() }()
	must(t, raw.SetDeadline(time.Now().Add(10*time.Second)))
	_, err = raw.Write([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"))
	must(t, err)
	var answer [512]byte
	n, err := raw.Read(answer[:])
	if err == nil && strings.Contains(string(answer[:n]), "HTTP") || n > 7 {
		t.Errorf("plain HTTP/2 was answered with %q, %v", answer[:n], err)
	}
}

// TestHostileRequests: what a console may not say ends its call with a sentence.
func TestHostileRequests(t *testing.T) {
	s := newSite(t, nil)
	s.write("auth.log", "one\ntwo\n")
	s.server.catalog.scan()
	conn := s.dial("")
	ack := func(stream string, seq uint64) *agentpb.ReadRequest {
		return &agentpb.ReadRequest{Kind: &agentpb.ReadRequest_Ack{Ack: &agentpb.Ack{Stream: stream, Sequence: seq}}}
	}
	open := func(o *agentpb.Open) *agentpb.ReadRequest {
		return &agentpb.ReadRequest{Kind: &agentpb.ReadRequest_Open{Open: o}}
	}
	good := open(&agentpb.Open{Stream: "logs/auth.log"})
	for _, c := range []struct {
		name string
		say  []*agentpb.ReadRequest
		code codes.Code
		want string
	}{
		{"an acknowledgement first", []*agentpb.ReadRequest{ack("logs/auth.log", 1)}, codes.InvalidArgument, "has to open a stream"},
		{"nothing in it", []*agentpb.ReadRequest{{}}, codes.InvalidArgument, "has to open a stream"},
		{"a path for an id", []*agentpb.ReadRequest{open(&agentpb.Open{Stream: filepath.Join(s.logs, "auth.log")})}, codes.NotFound, "no stream"},
		{"a way up", []*agentpb.ReadRequest{open(&agentpb.Open{Stream: "logs/../../ca/ca.key"})}, codes.NotFound, "no stream"},
		{"a malformed filter", []*agentpb.ReadRequest{open(&agentpb.Open{Stream: "logs/auth.log", Filter: "((("})}, codes.InvalidArgument, "filter"},
		{"a filter that reads files", []*agentpb.ReadRequest{open(&agentpb.Open{Stream: "logs/auth.log", Filter: "user in @/etc/passwd"})}, codes.InvalidArgument, "filter"},
		{"a huge filter", []*agentpb.ReadRequest{open(&agentpb.Open{Stream: "logs/auth.log", Filter: strings.Repeat("x", agentpb.MaxFilter+1)})}, codes.InvalidArgument, "at most"},
		{"a huge request", []*agentpb.ReadRequest{open(&agentpb.Open{Stream: strings.Repeat("x", maxRequest+1)})}, codes.ResourceExhausted, "larger than max"},
		{"a cursor that is none", []*agentpb.ReadRequest{open(&agentpb.Open{Stream: "logs/auth.log", Cursor: "rubbish"})}, codes.Aborted, "position"},
		{"a tail of less than nothing", []*agentpb.ReadRequest{open(&agentpb.Open{Stream: "logs/auth.log", TailBytes: -1})}, codes.InvalidArgument, "number of bytes"},
		{"two streams", []*agentpb.ReadRequest{good, good}, codes.InvalidArgument, "only acknowledgements"},
		{"another stream's acknowledgement", []*agentpb.ReadRequest{good, ack("logs/other.log", 1)}, codes.InvalidArgument, "only acknowledgements"},
		{"an acknowledgement of the future", []*agentpb.ReadRequest{good, ack("logs/auth.log", 1<<40)}, codes.InvalidArgument, "before it was sent"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rpc, err := agentpb.NewAgentClient(conn).Read(soon(t))
			must(t, err)
			for _, m := range c.say {
				_ = rpc.Send(m) // Recv tells what became of it
			}
			for err == nil {
				_, err = rpc.Recv()
			}
			if st := status.Convert(err); st.Code() != c.code || !strings.Contains(st.Message(), c.want) {
				t.Errorf("it ended with %v", err)
			}
		})
	}
	headers := metadata.AppendToOutgoingContext(soon(t), "x", strings.Repeat("y", 2*agentpb.MaxHeaders))
	if _, err := agentpb.NewAgentClient(conn).Hello(headers, &agentpb.HelloRequest{}); err == nil {
		t.Error("endless headers were taken")
	}
	if _, err := agentpb.NewAgentClient(conn).Hello(soon(t), &agentpb.HelloRequest{}); err != nil {
		t.Errorf("the connection no longer works: %v", err)
	}
}

// TestPanicEndsOneCall: a fault in one call is that call's error.
func TestPanicEndsOneCall(t *testing.T) {
	s := newSite(t, nil)
	var err error
	func() {
		defer s.server.survive("/x", &err)
		panic("a fault")
	}()
	if status.Code(err) != codes.Internal {
		t.Errorf("the call ended with %v", err)
	}
}

func TestGateCounts(t *testing.T) {
	g := newGate(nil, nil)
	for range maxConnsPerHost {
		if !g.enter("a") {
			t.Fatal("refused below the bound")
		}
	}
	if g.enter("a") || !g.enter("b") {
		t.Error("the bound per host does not hold")
	}
	g.left("a")
	if !g.enter("a") {
		t.Error("refused after one left")
	}
	for i := 0; g.all < maxConns; i++ {
		g.enter("c" + strings.Repeat("x", i))
	}
	if g.enter("new") {
		t.Error("the bound of all connections does not hold")
	}
}

func TestQuotaPerConsole(t *testing.T) {
	q := quota{most: 2 * agentpb.MaxStreams, open: map[string]int{}}
	for range 2 * agentpb.MaxStreams {
		if !q.enter("a") {
			t.Fatal("refused below the bound")
		}
	}
	if q.enter("a") || !q.enter("b") {
		t.Error("the bound per console does not hold")
	}
	q.leave("a")
	if !q.enter("a") {
		t.Error("refused after one was closed")
	}
}

func TestWrongConfig(t *testing.T) {
	good := StreamConfig{Path: "/var/log/*.log"}
	for _, c := range []struct {
		name string
		conf Config
		want string
	}{
		{"relative path", Config{Streams: []StreamConfig{{Path: "var/log"}}}, "absolute"},
		{"way up", Config{Streams: []StreamConfig{{Path: "/var/log/../../etc/*"}}}, "must not go up"},
		{"malformed pattern", Config{Streams: []StreamConfig{{Path: "/var/[log"}}}, "well-formed"},
		{"id twice", Config{Streams: []StreamConfig{{ID: "a", Path: "/a"}, {ID: "a", Path: "/b"}}}, "two patterns"},
		{"unprintable id", Config{Streams: []StreamConfig{{ID: "a\x1b", Path: "/a"}}}, "do not print"},
		{"relative root", Config{Streams: []StreamConfig{good}, Roots: []string{"log"}}, "absolute directory"},
		{"malformed identity", Config{Streams: []StreamConfig{good}, AllowConsoles: []string{"[a"}}, "malformed"},
		{"unknown format", Config{Streams: []StreamConfig{{Path: "/a", Format: "no-such-format"}}}, "no format called"},
		{"no certificates", Config{Streams: []StreamConfig{good}, Certs: t.TempDir()}, "is missing"},
	} {
		if _, err := New(c.conf); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// received collects the records of a Read until ok, acknowledging nothing.
func received(t *testing.T, call grpc.BidiStreamingClient[agentpb.ReadRequest, agentpb.Batch], n int) (lines []string) {
	t.Helper()
	for len(lines) < n {
		b, err := call.Recv()
		must(t, err)
		at := 0
		for _, l := range b.GetLengths() {
			lines = append(lines, string(b.GetBlob()[at:at+int(l)]))
			at += int(l)
		}
	}
	return lines
}
