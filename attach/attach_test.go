package attach

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// deaf is a handler whose parts a test fills in.
type deaf struct {
	console func(context.Context, *Terminal) Exit
	call    func(context.Context, Peer, json.RawMessage, func(any) error) error
}

func (d deaf) Console(ctx context.Context, t *Terminal) Exit { return d.console(ctx, t) }
func (d deaf) Call(ctx context.Context, p Peer, q json.RawMessage, r func(any) error) error {
	return d.call(ctx, p, q, r)
}

// serving listens on a socket of its own and serves h until the test ends.
func serving(t *testing.T, h Handler) (socket string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "attach") // a test's own folder may be too long a name for a socket
	if err != nil {
		t.Fatal(err)
	}
	socket = filepath.Join(dir, "s")
	l, err := Listen(socket, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, l, h) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		_ = os.RemoveAll(dir)
	})
	return socket
}

// TestCallsStreamReplies asks and gets every reply, then the engine's own error.
func TestCallsStreamReplies(t *testing.T) {
	socket := serving(t, deaf{call: func(_ context.Context, p Peer, q json.RawMessage, reply func(any) error) error {
		if p.UID != os.Getuid() || p.PID != os.Getpid() {
			t.Errorf("the kernel said %+v", p)
		}
		if string(q) == `"fail"` {
			return errors.New("the engine has a reason")
		}
		return errors.Join(reply(1), reply(2))
	}})
	var got []string
	each := func(m json.RawMessage) error { got = append(got, string(m)); return nil }
	if err := Call(t.Context(), socket, "go", each); err != nil || strings.Join(got, " ") != "1 2" {
		t.Errorf("got %v, %v", got, err)
	}
	if err := Call(t.Context(), socket, "fail", each); err == nil || err.Error() != "the engine has a reason" {
		t.Errorf("error = %v", err)
	}
	if err := Call(t.Context(), socket+"x", "go", each); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("nobody answers: %v", err)
	}
}

// TestCallIsCalledOff hangs up on a question that takes long.
func TestCallIsCalledOff(t *testing.T) {
	asked, over := make(chan struct{}), make(chan struct{})
	socket := serving(t, deaf{call: func(ctx context.Context, _ Peer, _ json.RawMessage, _ func(any) error) error {
		close(asked)
		<-ctx.Done()
		close(over)
		return ctx.Err()
	}})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	if err := Call(ctx, socket, "wait", nil); err == nil {
		t.Error("the call came back without an error")
	}
	<-over
}

// TestOneSocketOneEngine refuses a second listener and replaces a dead one.
func TestOneSocketOneEngine(t *testing.T) {
	socket := serving(t, deaf{})
	if _, err := Listen(socket, 0o600); err == nil || !strings.Contains(err.Error(), "another engine") {
		t.Errorf("a second engine: %v", err)
	}
	dead := socket + ".dead"
	l, err := net.Listen("unix", dead)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = l.Close()
	l, err = Listen(dead, 0o600)
	if err != nil {
		t.Fatalf("a dead socket was not replaced: %v", err)
	}
	_ = l.Close()
}

// dial opens a raw console connection.
func dial(t *testing.T, socket string, first byte, body any) *wire {
	t.Helper()
	c, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	w := &wire{Conn: c}
	if err := w.sendJSON(first, body); err != nil {
		t.Fatal(err)
	}
	return w
}

// TestConsoleIsAPipe passes keys, sizes and output, and tells when it is gone.
func TestConsoleIsAPipe(t *testing.T) {
	gone := make(chan struct{})
	socket := serving(t, deaf{console: func(_ context.Context, c *Terminal) Exit {
		buf := make([]byte, 3)
		if _, err := io.ReadFull(c.In, buf); err != nil {
			t.Error(err)
		}
		size := <-c.Sizes
		_, _ = c.Out.Write([]byte("saw " + string(buf)))
		<-c.Gone
		close(gone)
		return Exit{Reason: map[bool]string{true: "detached"}[size.Width == 132]}
	}})
	w := dial(t, socket, frameHello, Hello{Version: Version, Size: Size{80, 24}})
	_ = w.send(frameInput, []byte("abc"))
	_ = w.sendJSON(frameSize, Size{132, 43})
	if kind, body, err := w.receive(); err != nil || kind != frameOutput || string(body) != "saw abc" {
		t.Errorf("got %c %q %v", kind, body, err)
	}
	_ = w.Close()
	<-gone
}

// TestStrangersAreRefused sends what is no console of ours.
func TestStrangersAreRefused(t *testing.T) {
	socket := serving(t, deaf{console: func(context.Context, *Terminal) Exit {
		t.Error("a stranger got a console")
		return Exit{}
	}})
	for name, send := range map[string]func(*wire) error{
		"old version": func(w *wire) error { return w.sendJSON(frameHello, Hello{Version: Version + 1}) },
		"no JSON":     func(w *wire) error { return w.send(frameHello, []byte("{")) },
		"other frame": func(w *wire) error { return w.send('Q', nil) },
	} {
		c, err := net.Dial("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		w := &wire{Conn: c}
		if err := send(w); err != nil {
			t.Fatal(err)
		}
		if kind, body, err := w.receive(); err != nil || kind != frameError || len(body) == 0 {
			t.Errorf("%s: got %c %q %v", name, kind, body, err)
		}
		_ = c.Close()
	}
	w := dial(t, socket, frameInput, nil) // then a frame that claims 4 GiB
	_, _ = w.Write([]byte{frameHello, 0xff, 0xff, 0xff, 0xff})
	if _, _, err := w.receive(); err != nil {
		t.Errorf("no sentence for a wrong first frame: %v", err)
	}
}

func TestNewlines(t *testing.T) {
	for in, want := range map[string]string{"": "", "a": "a", "a\nb": "a\r\nb", "\n\n": "\r\n\r\n"} {
		if got := string(newlines([]byte(in))); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

func FuzzReceive(f *testing.F) {
	f.Add([]byte{frameOutput, 0, 0, 0, 1, 'x'})
	f.Add([]byte{frameHello, 0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{1, 2})
	f.Fuzz(func(t *testing.T, b []byte) {
		a, c := net.Pipe()
		go func() { _, _ = a.Write(b); _ = a.Close() }()
		w := &wire{Conn: c}
		for {
			_, body, err := w.receive()
			if err != nil {
				break
			}
			if len(body) > len(b) {
				t.Errorf("a body of %d bytes out of %d", len(body), len(b))
			}
		}
		_ = c.Close()
	})
}
