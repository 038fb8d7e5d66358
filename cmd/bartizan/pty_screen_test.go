package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// screen is a terminal with a program on it.
type screen struct {
	*bench
	pty  *os.File
	cmd  *exec.Cmd
	done chan struct{} // the program has ended and all it wrote was read

	mu      sync.Mutex
	emu     *vt.Emulator
	raw     bytes.Buffer // every byte the program wrote, while keep
	keep    bool
	bytes   int64
	changed chan struct{} // closed and replaced with every write
}

// console starts the program on a terminal of its own, as its session's leader.
func (b *bench) console(w, h int, args ...string) *screen {
	b.Helper()
	return b.onTerminal(w, h, b.program(b.onBoard(args...)...))
}

// onTerminal starts a command on a terminal of its own; a standard input it has
// already stays.
func (b *bench) onTerminal(w, h int, c *exec.Cmd) *screen {
	b.Helper()
	master, slave := b.openTerminal(w, h)
	if c.Stdin == nil {
		c.Stdin = slave
	}
	c.Stdout, c.Stderr = slave, slave
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 1}
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	_ = slave.Close()
	s := &screen{bench: b, pty: master, cmd: c, done: make(chan struct{}), emu: vt.NewEmulator(w, h), keep: true, changed: make(chan struct{})}
	drained := make(chan struct{})
	go func() { defer close(drained); _, _ = io.Copy(io.Discard, s.emu) }() // its answers go nowhere
	go func() {
		defer close(s.done)
		s.read() // ends when nobody holds the terminal's far end, or with the near one
		_ = c.Wait()
	}()
	b.Cleanup(func() {
		s.hangUp()
		if in, ok := s.emu.InputPipe().(io.Closer); ok {
			_ = in.Close()
		}
		<-drained
	})
	return s
}

// openTerminal makes a terminal of that size. Its near end can be closed while
// it is read from.
func (b *bench) openTerminal(w, h int) (near, far *os.File) {
	b.Helper()
	opened, far, err := pty.Open()
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = opened.Close() }() // a second descriptor stays
	if err := pty.Setsize(opened, &pty.Winsize{Rows: uint16(h), Cols: uint16(w)}); err != nil {
		b.Fatal(err)
	}
	fd, err := unix.FcntlInt(opened.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err == nil {
		err = syscall.SetNonblock(fd, true)
	}
	if err != nil {
		b.Fatal(err)
	}
	return os.NewFile(uintptr(fd), "terminal"), far
}

// resize makes the terminal larger or smaller, as a window manager does.
func (s *screen) resize(w, h int) {
	s.Helper()
	s.mu.Lock()
	s.emu.Resize(w, h)
	s.mu.Unlock()
	conn, err := s.pty.SyscallConn()
	if err == nil {
		err = conn.Control(func(fd uintptr) {
			err = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Row: uint16(h), Col: uint16(w)})
		})
	}
	if err != nil {
		s.Fatal(err)
	}
}

// read is the terminal's own work.
func (s *screen) read() {
	buf := make([]byte, 32<<10)
	for {
		n, err := s.pty.Read(buf)
		if n > 0 {
			s.mu.Lock()
			_, _ = s.emu.Write(buf[:n])
			s.bytes += int64(n)
			if s.keep {
				s.raw.Write(buf[:n])
			}
			close(s.changed)
			s.changed = make(chan struct{})
			s.mu.Unlock()
		}
		if err != nil {
			return
		}
	}
}

// hangUp takes the terminal away, as a dropped connection does, and waits for
// the program to end.
func (s *screen) hangUp() {
	_ = s.pty.Close()
	select {
	case <-s.done:
	case <-time.After(s.patience):
		_ = s.cmd.Process.Kill()
		<-s.done
		s.Error("the console outlived its terminal")
	}
}

// look returns what the terminal shows and a channel that is closed when more
// was written.
func (s *screen) look() (text string, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	lines := strings.Split(s.emu.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " \r")
	}
	return strings.Join(lines, "\n"), s.changed
}

// waitUntil waits until what the terminal shows is right.
func (s *screen) waitUntil(what string, right func(text string) bool) string {
	s.Helper()
	limit := time.After(s.patience)
	for {
		text, changed := s.look()
		if right(text) {
			return text
		}
		select {
		case <-changed:
		case <-limit:
			s.Fatalf("waited %s in vain for %s; the screen shows\n%s", s.patience, what, text)
		}
	}
}

func (s *screen) waitFor(text string) string {
	s.Helper()
	return s.waitUntil(fmt.Sprintf("%q", text), func(now string) bool { return strings.Contains(now, text) })
}

func (s *screen) waitGone(text string) string {
	s.Helper()
	return s.waitUntil(fmt.Sprintf("%q to go", text), func(now string) bool { return !strings.Contains(now, text) })
}

// waitEnd waits for the program to end and returns what the terminal shows then.
func (s *screen) waitEnd() string {
	s.Helper()
	select {
	case <-s.done:
	case <-time.After(s.patience):
		text, _ := s.look()
		s.Fatalf("the program did not end; the screen shows\n%s", text)
	}
	text, _ := s.look()
	return text
}

// idleBytes counts what the terminal is sent within some seconds of a quiet that
// has begun when 1.5 seconds brought nothing: the rate in the header
// is that of the last second.
func (s *screen) idleBytes(seconds int) (n int64, wrote string) {
	s.Helper()
	limit := time.After(s.patience)
	for quiet := false; !quiet; {
		_, changed := s.look()
		select {
		case <-changed:
		case <-limit:
			s.Fatalf("the terminal never fell silent within %s", s.patience)
		case <-time.After(1500 * time.Millisecond):
			quiet = true
		}
	}
	s.mu.Lock()
	before, at := s.bytes, s.raw.Len()
	s.mu.Unlock()
	<-time.After(time.Duration(seconds) * time.Second)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytes - before, s.raw.String()[at:]
}

// press types keys.
func (s *screen) press(keys string) {
	s.Helper()
	if _, err := s.pty.WriteString(keys); err != nil {
		s.Fatal(err)
	}
}

// decide types the keys of a decision, and again when the console held them back
// because rows had just moved by themselves.
func (s *screen) decide(keys, done string) {
	s.Helper()
	s.press(keys)
	held := func(now string) bool { return strings.Contains(now, "press it again") }
	text := s.waitUntil("a decision", func(now string) bool { return strings.Contains(now, done) || held(now) })
	if held(text) {
		<-time.After(time.Second) // longer than the grace period
		s.press(keys)
		s.waitFor(done)
	}
}
