package attach

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/term"
)

// restore undoes what a screen may have switched on, for when the engine died
// before it could: alternate screen, hidden cursor, bracketed paste, focus and
// mouse reports, key protocols, colours, synchronised output.
const restore = "\x1b[?2026l\x1b[<u\x1b[>4m\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1004l\x1b[?2004l\x1b[?1049l\x1b[?25h\x1b[0m"

// envNames are what the engine is told of the person's environment.
var envNames = []string{"TERM", "COLORTERM", "NO_COLOR", "CLICOLOR_FORCE", "LANG", "LC_ALL", "LC_CTYPE", "TERM_PROGRAM", "TMUX", "SSH_CONNECTION", "SSH_TTY", "TZ", "USER", "LOGNAME"}

// Environment returns the part of the environment a console passes on.
func Environment() []string {
	var out []string
	for _, n := range envNames {
		if v, ok := os.LookupEnv(n); ok {
			out = append(out, n+"="+v)
		}
	}
	return out
}

// TTY is the person's terminal. One goroutine reads its keys for the life of the
// process, because a read from a terminal cannot be called off.
type TTY struct {
	*os.File
	keys chan []byte
}

// OpenTTY returns the terminal keys come from: standard input where that is one,
// else the controlling terminal, so that a log may come in on standard input.
func OpenTTY() (*TTY, error) {
	f := os.Stdin
	if !term.IsTerminal(int(f.Fd())) {
		var err error
		if f, err = os.OpenFile("/dev/tty", os.O_RDWR, 0); err != nil {
			return nil, fmt.Errorf("there is no terminal to draw on: %w; use bartizan watch or scan without one", err)
		}
	}
	t := &TTY{File: f, keys: make(chan []byte)}
	go t.read()
	return t, nil
}

func (t *TTY) read() {
	defer close(t.keys)
	for {
		buf := make([]byte, 4096)
		n, err := t.Read(buf)
		if n > 0 {
			t.keys <- buf[:n]
		}
		if err != nil {
			return
		}
	}
}

// Console attaches the terminal to the engine behind the socket until one of
// them ends it. The terminal is always left as it was found. hello.Size and
// hello.Env are filled in here.
func Console(ctx context.Context, socket string, tty *TTY, hello Hello) (Exit, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if err != nil {
		return Exit{}, fmt.Errorf("%s: no engine answers: %w", socket, err)
	}
	defer func() { _ = c.Close() }()
	old, err := term.MakeRaw(int(tty.Fd()))
	if err != nil {
		return Exit{}, fmt.Errorf("%s is not a terminal: %w; use watch or scan without one", tty.Name(), err)
	}
	defer func() { _ = term.Restore(int(tty.Fd()), old) }()
	w := &wire{Conn: c}
	hello.Version, hello.Env, hello.Size = Version, Environment(), sizeOf(tty.File)
	if err := w.sendJSON(frameHello, hello); err != nil {
		return Exit{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	var pumps sync.WaitGroup
	defer pumps.Wait()
	defer cancel()
	defer followTerminal(ctx, w, tty.File)()
	pumps.Go(func() { pumpKeys(ctx, w, tty.keys) })
	exit, err := showOutput(w, tty)
	if err != nil {
		_, _ = io.WriteString(tty, restore)
	}
	return exit, err
}

func sizeOf(tty *os.File) Size {
	w, h, err := term.GetSize(int(tty.Fd()))
	if err != nil || w <= 0 || h <= 0 {
		return Size{80, 24}
	}
	return Size{w, h}
}

// followTerminal passes window changes on and hangs up on SIGHUP and SIGTERM.
func followTerminal(ctx context.Context, w *wire, tty *os.File) (stop func()) {
	sig := make(chan os.Signal, 4)
	signal.Notify(sig, syscall.SIGWINCH, syscall.SIGHUP, syscall.SIGTERM)
	go func() {
		for {
			select {
			case <-ctx.Done():
				_ = w.Close()
				return
			case s := <-sig:
				if s != syscall.SIGWINCH {
					_ = w.Close()
					return
				}
				_ = w.sendJSON(frameSize, sizeOf(tty))
			}
		}
	}()
	return func() { signal.Stop(sig) }
}

// pumpKeys sends what is typed until ctx ends or the terminal is gone.
func pumpKeys(ctx context.Context, w *wire, keys <-chan []byte) {
	for {
		select {
		case <-ctx.Done():
			return
		case b, ok := <-keys:
			if !ok || w.send(frameInput, b) != nil {
				_ = w.Close()
				return
			}
		}
	}
}

// showOutput writes the engine's bytes to the terminal until the exit arrives.
// A line feed becomes carriage return and line feed, as ONLCR would do.
func showOutput(w *wire, tty io.Writer) (Exit, error) {
	for {
		kind, body, err := w.receive()
		if err != nil {
			return Exit{}, errors.New("the engine is gone; its log says why (bartizan doctor names the file)")
		}
		switch kind {
		case frameOutput:
			if _, err := tty.Write(newlines(body)); err != nil {
				return Exit{}, err
			}
		case frameError:
			return Exit{}, errors.New(string(body))
		case frameExit:
			var e Exit
			return e, decode(body, &e, "farewell")
		}
	}
}

// newlines is what a terminal's ONLCR does.
func newlines(b []byte) []byte {
	if !strings.Contains(string(b), "\n") {
		return b
	}
	out := make([]byte, 0, len(b)+64)
	for _, c := range b {
		if c == '\n' {
			out = append(out, '\r')
		}
		out = append(out, c)
	}
	return out
}

// Call asks the engine behind the socket one question and gives every reply to
// each. The error is the engine's own sentence, or that nobody answers
// (errors.Is os.ErrNotExist or ECONNREFUSED).
func Call(ctx context.Context, socket string, ask any, each func(json.RawMessage) error) error {
	c, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	w := &wire{Conn: c}
	if err := w.sendJSON(frameCall, ask); err != nil {
		return err
	}
	for {
		kind, body, err := w.receive()
		switch {
		case err != nil:
			return fmt.Errorf("the engine hung up: %w", err)
		case kind == frameEnd:
			return nil
		case kind == frameError:
			return errors.New(string(body))
		case kind == frameReply:
			if err := each(body); err != nil {
				return err
			}
		}
	}
}

// Ping says whether an engine answers at the socket.
func Ping(socket string) error {
	c, err := net.Dial("unix", socket)
	if err != nil {
		return err
	}
	return c.Close()
}
