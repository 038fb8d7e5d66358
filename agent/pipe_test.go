package agent

import (
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"bartizan/agent/agentpb"
)

// TestLoginEndsWithItsPipe: a login is served over one connection, may ask for
// what is configured and nothing else, and the agent ends with the connection.
func TestLoginEndsWithItsPipe(t *testing.T) {
	dir := t.TempDir()
	s, err := New(Config{Login: "amira", Streams: []StreamConfig{{ID: "logs", Path: filepath.Join(dir, "*.log")}}})
	must(t, err)
	near, far := net.Pipe()
	done := make(chan error, 1)
	go func() { done <- s.ServeConn(context.Background(), far) }()
	conn, err := grpc.NewClient("passthrough:///pipe", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(agentpb.Codec())),
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) { return near, nil }))
	must(t, err)
	client := agentpb.NewAgentClient(conn)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_, err = client.ListStreams(ctx, &agentpb.ListStreamsRequest{})
	must(t, err)
	_, err = client.Status(ctx, &agentpb.StatusRequest{})
	must(t, err)
	call, err := client.Read(ctx)
	must(t, err)
	must(t, call.Send(&agentpb.ReadRequest{Kind: &agentpb.ReadRequest_Open{Open: &agentpb.Open{Stream: "/etc/passwd"}}}))
	if _, err := call.Recv(); status.Code(err) != codes.NotFound {
		t.Errorf("a path for an id: %v", err)
	}
	must(t, conn.Close())
	must(t, near.Close())
	select {
	case err := <-done:
		must(t, err)
	case <-ctx.Done():
		t.Fatal("the agent goes on without its pipe")
	}
}

// TestLoginServesNoNetwork: without certificates nothing from the network comes
// in, and with them no pipe does.
func TestLoginServesNoNetwork(t *testing.T) {
	s, err := New(Config{Login: "amira"})
	must(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	if err := s.Serve(context.Background(), l); err == nil || !strings.Contains(err.Error(), "serves no network") {
		t.Errorf("a listener: %v", err)
	}
	if err := s.Dial(context.Background(), "127.0.0.1:1", func() float64 { return 0 }); err == nil || !strings.Contains(err.Error(), "needs certificates") {
		t.Errorf("a call: %v", err)
	}
	x := newSite(t, nil)
	near, far := net.Pipe()
	defer func() { _, _ = near.Close(), far.Close() }()
	if err := x.server.ServeConn(context.Background(), far); err == nil {
		t.Error("an agent with certificates served a pipe")
	}
}

// TestConsoleThatIsCalledIsChecked: who is called has to show the certificate of a
// console of this CA, whatever it answers.
func TestConsoleThatIsCalledIsChecked(t *testing.T) {
	x := newSite(t, nil) // an agent, in the place of a console
	said := make(chan string, 100)
	s, err := New(Config{Certs: x.dir, Log: slog.New(slog.NewTextHandler(lines(said), nil))})
	must(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- s.Dial(ctx, x.addr, func() float64 { return 0 }) }()
	for {
		line := <-said
		if strings.Contains(line, "serving") {
			t.Fatalf("it served: %s", line)
		}
		if strings.Contains(line, "no trust between this agent and a console") && strings.Contains(line, "spiffe://bartizan/console") {
			break
		}
	}
	cancel()
	must(t, <-done)
}

// lines is a writer that sends what is written.
type lines chan string

// Write implements io.Writer.
func (l lines) Write(p []byte) (int, error) {
	select {
	case l <- string(p):
	default: // enough
	}
	return len(p), nil
}

func TestPausesBetweenCalls(t *testing.T) {
	for n, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		long, short := backoff(n, 0), backoff(n, 0.999)
		if long != want*time.Second || short >= long || short < long/2 {
			t.Errorf("before attempt %d: %v to %v, want at most %v", n, short, long, want*time.Second)
		}
	}
}
