package attach

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// Terminal is a console as the engine sees it.
type Terminal struct {
	Peer  Peer
	Hello Hello
	In    io.Reader       // what the person types; EOF when the console is gone
	Out   io.Writer       // to the terminal
	Sizes <-chan Size     // newest window size, capacity one
	Gone  <-chan struct{} // closed when the console is gone
}

// Handler is the engine's side.
type Handler interface {
	// Console runs one console until it ends or the terminal is gone.
	Console(ctx context.Context, t *Terminal) Exit
	// Call answers one question; each reply is sent as it is made.
	Call(ctx context.Context, p Peer, ask json.RawMessage, reply func(any) error) error
}

// Listen makes the socket at path with that mode, replacing one nobody answers.
func Listen(path string, mode os.FileMode) (net.Listener, error) {
	if c, err := net.DialTimeout("unix", path, time.Second); err == nil {
		_ = c.Close()
		return nil, fmt.Errorf("%s: another engine answers there; attach to it, or stop it first", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s: cannot remove the old socket: %w", path, err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("%s: cannot listen: %w; use a shorter or writable --state", path, err)
	}
	if err := os.Chmod(path, mode); err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("%s: cannot set the socket's mode: %w", path, err)
	}
	return l, nil
}

// Serve answers consoles and questions until ctx ends, then waits for them.
func Serve(ctx context.Context, l net.Listener, h Handler) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	for {
		c, err := l.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("the console socket failed: %w", err)
		}
		wg.Go(func() { serveConn(ctx, c, h) })
	}
}

func serveConn(ctx context.Context, c net.Conn, h Handler) {
	defer func() { _ = c.Close() }()
	w := &wire{Conn: c}
	peer, err := peerOf(c)
	if err != nil {
		_ = w.send(frameError, []byte(err.Error()))
		return
	}
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	kind, body, err := w.receive()
	if err != nil {
		return
	}
	_ = c.SetReadDeadline(time.Time{})
	switch kind {
	case frameHello:
		serveConsole(ctx, w, peer, body, h)
	case frameCall:
		serveCall(ctx, w, peer, body, h)
	default:
		_ = w.send(frameError, []byte("the engine does not understand this client; use the same version of bartizan"))
	}
}

func serveCall(ctx context.Context, w *wire, p Peer, body []byte, h Handler) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // the asker hangs up: stop working for it
		_, _, _ = w.receive()
		cancel()
	}()
	err := h.Call(ctx, p, body, func(v any) error { return w.sendJSON(frameReply, v) })
	if err != nil {
		_ = w.send(frameError, []byte(err.Error()))
		return
	}
	_ = w.send(frameEnd, nil)
}

func serveConsole(ctx context.Context, w *wire, p Peer, body []byte, h Handler) {
	var hello Hello
	if err := decode(body, &hello, "greeting"); err != nil {
		_ = w.send(frameError, []byte(err.Error()))
		return
	}
	if hello.Version != Version {
		_ = w.send(frameError, fmt.Appendf(nil, "the engine speaks console protocol %d and this client %d; restart the engine with the same bartizan", Version, hello.Version))
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	in, typed := io.Pipe()
	sizes := make(chan Size, 1)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		defer func() { _ = typed.Close() }()
		readConsole(w, typed, sizes)
	}()
	exit := h.Console(ctx, &Terminal{Peer: p, Hello: hello, In: in, Out: output{w}, Sizes: sizes, Gone: gone})
	_ = in.Close()
	_ = w.sendJSON(frameExit, exit)
}

// readConsole turns frames into typed bytes and sizes until the console is gone.
func readConsole(w *wire, typed io.Writer, sizes chan Size) {
	for {
		kind, body, err := w.receive()
		if err != nil {
			return
		}
		switch kind {
		case frameInput:
			if _, err := typed.Write(body); err != nil {
				return
			}
		case frameSize:
			var s Size
			if decode(body, &s, "window size") == nil {
				keepNewest(sizes, s)
			}
		}
	}
}

func keepNewest(c chan Size, s Size) {
	select {
	case <-c:
	default:
	}
	c <- s
}

type output struct{ w *wire }

func (o output) Write(b []byte) (int, error) {
	if err := o.w.send(frameOutput, b); err != nil {
		return 0, err
	}
	return len(b), nil
}
