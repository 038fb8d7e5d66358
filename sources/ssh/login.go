package ssh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"bartizan/event"
)

// The bounds on one login.
const (
	loginWithin  = 45 * time.Second
	maxNoise     = 64 << 10 // printed by the login before ours
	maxHello     = 2 << 10
	maxComplaint = 4 << 10
	killAfter    = 2 * time.Second
)

// options make ssh ask nothing, forward nothing and notice a dead connection
// within 45 s. Everything else is the person's configuration.
var options = []string{
	"-T", "-x", "-a", "-o", "BatchMode=yes", "-o", "ConnectTimeout=15", "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=3",
	"-o", "ClearAllForwardings=yes", "-o", "PermitLocalCommand=no", "-o", "RemoteCommand=none",
}

// Gate bounds how many logins are under way at once, so that many hosts are
// started one after the other. The zero Gate bounds nothing.
type Gate chan struct{}

// NewGate returns a gate for n logins at once.
func NewGate(n int) Gate { return make(Gate, max(n, 1)) }

func (g Gate) enter(ctx context.Context) error {
	if g == nil {
		return nil
	}
	select {
	case g <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g Gate) leave() {
	if g != nil {
		<-g
	}
}

// login is one run of the ssh program and the pipes to what it runs over there.
type login struct {
	host  string
	in    *os.File // what comes from there
	out   *os.File // what goes there; closed, the script over there ends
	words []string // of the hello, without its mark

	cmd       *exec.Cmd
	complaint tail4k
	ended     chan struct{}
	err       error // of the process; after ended
	ending    sync.Once
}

// logIn runs a script over there and waits for its hello. ctx ends the program.
func (h *Host) logIn(ctx context.Context, script string, args ...string) (*login, error) {
	if err := h.cfg.Gate.enter(ctx); err != nil {
		return nil, err
	}
	defer h.cfg.Gate.leave()
	l, err := h.start(ctx, command(script, args...))
	if err != nil {
		return nil, err
	}
	line, err := l.hello()
	if err != nil {
		l.end()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, l.why(err)
	}
	l.words = strings.Fields(line)
	return l, nil
}

func (h *Host) start(ctx context.Context, remote string) (*login, error) {
	fromThere, stdout, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	stdin, toThere, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, fromThere.Close(), stdout.Close())
	}
	l := &login{host: h.cfg.Target.Host, in: fromThere, out: toThere, ended: make(chan struct{})}
	l.cmd = exec.Command(h.cfg.Program, append(append([]string{}, options...), "--", l.host, remote)...)
	l.cmd.Stdin, l.cmd.Stdout, l.cmd.Stderr = stdin, stdout, &l.complaint
	l.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	l.cmd.WaitDelay = killAfter // for a child of it that keeps standard error open
	err = l.cmd.Start()
	_, _ = stdin.Close(), stdout.Close() // the program has its own
	if err != nil {
		_, _ = l.in.Close(), l.out.Close()
		return nil, fmt.Errorf("%s cannot be started: %w", h.cfg.Program, err)
	}
	stop := context.AfterFunc(ctx, l.end)
	go func() {
		l.err = l.cmd.Wait()
		stop()
		close(l.ended)
	}()
	return l, nil
}

// hello reads up to the line that says what answered, byte by byte: what follows
// belongs to somebody else.
func (l *login) hello() (string, error) {
	if err := l.in.SetReadDeadline(time.Now().Add(loginWithin)); err != nil {
		return "", err
	}
	var line []byte
	one := make([]byte, 1)
	for n := 0; n < maxNoise; n++ {
		if _, err := l.in.Read(one); err != nil {
			return "", err
		}
		if one[0] != '\n' {
			if len(line) < maxHello {
				line = append(line, one[0])
			}
			continue
		}
		if rest, ok := strings.CutPrefix(string(line), hello); ok {
			return rest, l.in.SetReadDeadline(time.Time{})
		}
		line = line[:0]
	}
	return "", fmt.Errorf("the login at %s prints more than %d bytes before anything else: make its profile quiet", l.host, maxNoise)
}

// end ends the program, from any goroutine: by closing its pipes and asking, then
// by force.
func (l *login) end() {
	l.ending.Do(func() {
		_, _ = l.in.Close(), l.out.Close()
		select {
		case <-l.ended:
			return
		default:
		}
		_ = unix.Kill(-l.cmd.Process.Pid, unix.SIGTERM) // gone already: fine
		go func() {
			force := time.NewTimer(killAfter)
			defer force.Stop()
			select {
			case <-l.ended:
			case <-force.C:
				_ = unix.Kill(-l.cmd.Process.Pid, unix.SIGKILL) // gone already: fine
			}
		}()
	})
}

// wait waits for the program's end, which end brings about.
func (l *login) wait() {
	l.end()
	<-l.ended
}

// code returns what the script ended with, once its output did; -1 when ssh was
// cut off or killed.
func (l *login) code() int {
	late := time.NewTimer(killAfter) // its output is closed, so it is about to end
	defer late.Stop()
	select {
	case <-l.ended:
	case <-late.C:
		l.wait()
		return -1
	}
	var exit *exec.ExitError
	switch {
	case l.err == nil:
		return 0
	case errors.As(l.err, &exit) && exit.Exited():
		return exit.ExitCode()
	}
	return -1
}

// why says in one sentence why the login came to nothing.
func (l *login) why(err error) error {
	code := l.code()
	words := l.complaint.last()
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("%s did not answer within %s", l.host, loginWithin)
	case code == codeMissing:
		return fmt.Errorf("%s does not have the file: %w", l.host, fs.ErrNotExist)
	case code == codeIrregular:
		return fmt.Errorf("on %s this is no regular file", l.host)
	case code == codeDenied:
		return fmt.Errorf("on %s this login may not read the file: %w", l.host, fs.ErrPermission)
	case code == codeReplaced:
		return fmt.Errorf("the file on %s was replaced while it was opened", l.host)
	case code == 255 && words != "":
		return fmt.Errorf("ssh to %s failed: %s", l.host, words)
	case code == 255 || code == -1:
		return fmt.Errorf("the ssh connection to %s was lost", l.host)
	case words != "":
		return fmt.Errorf("%s answered with exit code %d: %s", l.host, code, words)
	case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, os.ErrClosed):
		return fmt.Errorf("the ssh connection to %s broke: %w", l.host, err)
	}
	return fmt.Errorf("the login at %s ended with exit code %d and without an answer: is /bin/sh there?", l.host, code)
}

// The exit codes of the scripts.
const (
	codeRotated   = 10
	codeTruncated = 11
	codeMissing   = 12
	codeIrregular = 13
	codeDenied    = 14
	codeReplaced  = 15
	codeEnd       = 17
)

// tail4k keeps the last bytes written to it.
type tail4k struct {
	mu sync.Mutex
	b  []byte
}

// Write implements io.Writer.
func (t *tail4k) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p[max(0, len(p)-maxComplaint):]...)
	t.b = append(t.b[:0], t.b[max(0, len(t.b)-maxComplaint):]...)
	return len(p), nil
}

// last returns the last line, with what would steer a terminal made visible.
func (t *tail4k) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := strings.TrimSpace(string(t.b))
	s = s[strings.LastIndexByte(s, '\n')+1:]
	return event.EscapeString(strings.TrimSpace(s[:min(len(s), 300)]))
}
