package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// asProgram makes the test binary the program itself: everything these tests
// start, also the engines and agents that bartizan starts, is a process of its own.
const asProgram = "BARTIZAN_TEST_PROGRAM"

func init() {
	if os.Getenv(asProgram) != "" {
		os.Exit(run(os.Args[1:]))
	}
}

// patience is how long a test waits for what must come; a busy machine is slow.
const patience = 15 * time.Second

// bench is a folder with everything one test's processes use.
type bench struct {
	testing.TB
	dir, state, config string
}

// newBench makes the folder. With config "" the config says only what tests need.
func newBench(tb testing.TB, config string) *bench {
	tb.Helper()
	b := &bench{TB: tb, dir: tb.TempDir()}
	b.state, b.config = filepath.Join(b.dir, "s"), filepath.Join(b.dir, "config.toml")
	b.put("config.toml", config)
	tb.Cleanup(b.stopEngine)
	return b
}

func (b *bench) path(name string) string { return filepath.Join(b.dir, name) }

// put makes a file with that text.
func (b *bench) put(name, text string) string {
	b.Helper()
	if err := os.WriteFile(b.path(name), []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	return b.path(name)
}

// add appends lines to a file, as a logger does.
func (b *bench) add(name string, lines ...string) {
	b.Helper()
	f, err := os.OpenFile(b.path(name), os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString(strings.Join(lines, "\n") + "\n")
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		b.Fatal(err)
	}
}

// environ is what every process sees: a terminal, UTC, and nobody's own files.
func (b *bench) environ() []string {
	env := []string{
		asProgram + "=1", "TERM=xterm-256color", "COLORTERM=truecolor", "LANG=C.UTF-8", "TZ=UTC",
		"HOME=" + b.dir, "XDG_CONFIG_HOME=" + b.dir, "XDG_STATE_HOME=" + b.dir, "XDG_RUNTIME_DIR=" + b.dir,
	}
	for _, keep := range []string{"PATH", "TMPDIR", "GOCOVERDIR", "GORACE"} {
		if v, ok := os.LookupEnv(keep); ok {
			env = append(env, keep+"="+v)
		}
	}
	return env
}

// program is the command of one verb.
func (b *bench) program(args ...string) *exec.Cmd {
	b.Helper()
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	if real := os.Getenv("BARTIZAN_BIN"); real != "" {
		self = real
	}
	c := exec.Command(self, args...)
	c.Env, c.Dir = b.environ(), b.dir
	return c
}

// onBoard adds the flags that name this bench's board.
func (b *bench) onBoard(args ...string) []string {
	return append(args, "--state", b.state, "--config", b.config)
}

// output runs a verb to its end and returns what it printed and its exit code.
func (b *bench) output(args ...string) (out string, code int) {
	b.Helper()
	c := b.program(args...)
	got, err := c.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		b.Fatal(err)
	}
	return string(got), c.ProcessState.ExitCode()
}

// must runs a verb that has to succeed.
func (b *bench) must(args ...string) string {
	b.Helper()
	out, code := b.output(args...)
	if code != exitFine {
		b.Fatalf("bartizan %s: exit %d: %s", strings.Join(args, " "), code, out)
	}
	return out
}

// engine is the pid of the board's engine, 0 when there is none.
func (b *bench) engine() int {
	out, code := b.output(b.onBoard("state", "info")...)
	var info struct{ Engine int }
	if code != exitFine || json.Unmarshal([]byte(out), &info) != nil {
		return 0
	}
	return info.Engine
}

// stopEngine ends the board's engine and waits until it is gone.
func (b *bench) stopEngine() {
	if pid := b.engine(); pid > 0 {
		_ = syscall.Kill(pid, syscall.SIGTERM)
		b.gone(pid)
	}
}

// gone waits until the process has ended.
func (b *bench) gone(pid int) {
	b.Helper()
	b.until(fmt.Sprintf("process %d ends", pid), func() bool { return !alive(pid) })
}

// alive tells whether a process runs; one that has ended and only waits for its
// parent does not.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, found := strings.Cut(string(stat), ") ")
	return err != nil || !found || rest[0] != 'Z'
}

// until waits for a condition that nothing announces.
func (b *bench) until(what string, holds func() bool) {
	b.Helper()
	limit, tick := time.After(patience), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-limit:
			b.Fatalf("waited %s in vain: %s", patience, what)
		case <-tick.C:
		}
	}
}

// startAgent runs an agent that serves the files and returns where it listens.
func (b *bench) startAgent(files ...string) string {
	b.Helper()
	b.must("certs", "init", b.path("certs"))
	b.must("certs", "issue", b.path("certs"), "web-1", "127.0.0.1")
	conf := fmt.Sprintf("listen = \"127.0.0.1:0\"\ncerts = %q\n", b.path("certs/web-1"))
	for _, f := range files {
		conf += fmt.Sprintf("[[stream]]\nid = %q\npath = %q\n", strings.TrimSuffix(f, ".log"), b.path(f))
	}
	c := b.program("agent", "-c", b.put("agent.toml", conf))
	out, err := c.StdoutPipe()
	if err == nil {
		c.Stderr, err = os.Create(b.path("agent.err"))
	}
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		_ = c.Wait() // it was told to end
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	at, ok := strings.CutPrefix(strings.TrimSpace(line), listening)
	if !ok {
		b.Fatalf("the agent said %q: %v", line, err)
	}
	return at
}

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
	case <-time.After(patience):
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
	limit := time.After(patience)
	for {
		text, changed := s.look()
		if right(text) {
			return text
		}
		select {
		case <-changed:
		case <-limit:
			s.Fatalf("waited %s in vain for %s; the screen shows\n%s", patience, what, text)
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
	case <-time.After(patience):
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
	limit := time.After(patience)
	for quiet := false; !quiet; {
		_, changed := s.look()
		select {
		case <-changed:
		case <-limit:
			s.Fatalf("the terminal never fell silent within %s", patience)
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
