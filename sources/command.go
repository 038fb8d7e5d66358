package sources

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"bartizan/event"
)

// maxComplaint is how much of a command's standard error is kept for people.
const maxComplaint = 4 << 10

// killAfter is how long a cancelled command has to end by itself.
const killAfter = 2 * time.Second

// command is the standard output of a program, one record per line.
type command struct {
	id    event.SourceID
	argv  func(from Position) ([]string, error)
	pos   func(o *outbox, s FrameState) Position
	clock Clock
}

// Command returns the standard output of a program as a source, one record per
// line. The program gets a process group of its own, which is ended with the
// source. That the program ends is an error, so that it is started again.
func Command(name string, argv []string) Opened {
	c := &command{id: event.SourceID("command:" + name), clock: SystemClock{}}
	c.argv = func(Position) ([]string, error) { return argv, nil }
	c.pos = func(*outbox, FrameState) Position { return "" }
	return Opened{Info{ID: c.id, Kind: "command", Name: name, Live: true}, c}
}

// Run implements Source.
func (c *command) Run(ctx context.Context, from Position, out chan<- Batch) error {
	argv, err := c.argv(from)
	if err != nil {
		return err
	}
	if len(argv) == 0 {
		return errors.New("no command is given: name a program and its arguments")
	}
	err = c.run(ctx, argv, out)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (c *command) run(ctx context.Context, argv []string, out chan<- Batch) error {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	complaint := &lastBytes{}
	cmd.Stderr = complaint
	cmd.WaitDelay = killAfter // for a child of it that keeps standard error open
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%s cannot be started: %w", argv[0], err)
	}
	f := NewFramer(FrameState{Mode: ModeLines})
	defer f.Close()
	var o *outbox
	o = newOutbox(ctx, out, c.id, c.clock, func() Position { return c.pos(o, f.State()) })
	in := input{Reader: pipe, interrupt: func() { endGroup(cmd.Process.Pid, pipe) }}
	perr := pump(ctx, in, o, f)
	werr := cmd.Wait()
	_ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL) // what is left of the group
	return whyEnded(argv[0], errors.Join(perr, werr), complaint.String())
}

// endGroup asks the process group to end and stops reading from it. It is
// killed when it does not.
func endGroup(pid int, pipe io.Closer) {
	_ = unix.Kill(-pid, unix.SIGTERM) // gone already: fine
	_ = pipe.Close()
}

// whyEnded says in one sentence that and why the program is not running any more.
func whyEnded(name string, err error, complaint string) error {
	line := strings.TrimSpace(complaint)
	if i := strings.LastIndexByte(line, '\n'); i >= 0 {
		line = line[i+1:]
	}
	switch {
	case err != nil && line != "":
		return fmt.Errorf("%s ended (%w): %s", name, err, line)
	case err != nil:
		return fmt.Errorf("%s ended: %w", name, err)
	case line != "":
		return fmt.Errorf("%s ended: %s", name, line)
	}
	return fmt.Errorf("%s ended by itself", name)
}

// lastBytes keeps the last maxComplaint bytes written to it.
type lastBytes struct {
	mu sync.Mutex
	b  []byte
}

// Write implements io.Writer.
func (l *lastBytes) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b = append(l.b, p[max(0, len(p)-maxComplaint):]...)
	l.b = append(l.b[:0], l.b[max(0, len(l.b)-maxComplaint):]...)
	return len(p), nil
}

// String returns what is kept.
func (l *lastBytes) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.b)
}

// Journald returns the systemd journal of this host as a source, read through
// journalctl, one JSON record per entry as journalctl prints it. Without a
// position it begins now, unless args say otherwise (--since=…, --file=…). args
// go to journalctl as they are.
func Journald(args ...string) Opened {
	c := &command{id: "journald", clock: SystemClock{}, pos: cursorOf}
	c.argv = func(from Position) ([]string, error) { return journalctl(from, args, machineID("/etc/machine-id")) }
	return Opened{Info{ID: c.id, Kind: "journald", Name: "systemd journal", Format: "journald", Live: true}, c}
}

// elsewhere are arguments that make journalctl read other journals than this host's.
var elsewhere = []string{"--file=", "--directory=", "--root=", "--image=", "--machine=", "--merge"}

// journalctl builds the command line. A cursor wins over a starting time. Following
// alone shows the newest boot only, and with it what one host wrote: --merge shows
// all, of which machine leaves this host's. machine is "" where it is not known.
func journalctl(from Position, args []string, machine string) ([]string, error) {
	argv := []string{"journalctl", "--output=json", "--follow", "--all", "--quiet", "--no-pager"}
	lines := "--lines=0"
	other := false
	for _, a := range args {
		if slices.ContainsFunc(elsewhere, func(p string) bool { return strings.HasPrefix(a, p) }) {
			other = true
		}
		if strings.HasPrefix(a, "--since=") || strings.HasPrefix(a, "--file=") || strings.HasPrefix(a, "--directory=") {
			lines = "--no-tail"
		}
		if from == "" || !strings.HasPrefix(a, "--since=") {
			argv = append(argv, a)
		}
	}
	switch {
	case other:
		argv = append(argv, "--merge")
	case machine != "":
		argv = append(argv, "--merge", "_MACHINE_ID="+machine)
	}
	if from == "" {
		return append(argv, lines), nil
	}
	if !validCursor(string(from)) {
		return nil, fmt.Errorf("position %.60q is not a cursor of the journal: start without it", string(from))
	}
	return append(argv, "--no-tail", "--after-cursor="+string(from)), nil
}

// machineID returns this host's id as the journal has it, "" where there is none
// (machine-id(5)).
func machineID(path string) string {
	b, err := os.ReadFile(path)
	id := strings.TrimSpace(string(b))
	if err != nil || len(id) != 32 || strings.Trim(id, "0123456789abcdef") != "" {
		return ""
	}
	return id
}

// validCursor says whether s looks like a journal cursor: key=hex pairs.
func validCursor(s string) bool {
	for _, c := range []byte(s) {
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c == '=', c == ';', c == '-':
		default:
			return false
		}
	}
	return len(s) <= 256 && strings.Contains(s, "=")
}

var cursorKey = []byte(`"__CURSOR"`)

// cursorOf takes the cursor out of the newest record of the open batch. Only
// journald itself can write fields with two leading underscores.
func cursorOf(o *outbox, _ FrameState) Position {
	for i := len(o.cargo.records) - 1; i >= 0; i-- {
		raw := o.cargo.records[i].Raw
		at := bytes.Index(raw, cursorKey)
		if at < 0 {
			continue
		}
		rest := bytes.TrimLeft(raw[at+len(cursorKey):], " :")
		if len(rest) == 0 || rest[0] != '"' {
			continue
		}
		if end := bytes.IndexByte(rest[1:], '"'); end >= 0 && validCursor(string(rest[1:end+1])) {
			return Position(rest[1 : end+1])
		}
	}
	return ""
}
