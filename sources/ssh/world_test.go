package ssh

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"bartizan/event"
	"bartizan/sources"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 30 * time.Second

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fakeSSH is a program that runs the command here, as sshd would over there. It
// notes its process and how it was called.
func fakeSSH(t testing.TB) (program, notes string) {
	t.Helper()
	dir := t.TempDir()
	program = filepath.Join(dir, "ssh")
	text := "#!/bin/sh\nfor last; do :; done\necho noise from a profile\necho $$ >> " + dir + "/pids\nexec /bin/sh -c \"$last\"\n"
	check(t, os.WriteFile(program, []byte(text), 0o755))
	return program, dir
}

// far is a host read through ssh, and what came from it.
type far struct {
	t    testing.TB
	dir  string // its logs
	host *Host
	stop func()
	note string

	mu    sync.Mutex
	grown *sync.Cond
	lines map[event.SourceID][]string
	lost  map[event.SourceID][]string
	pos   map[event.SourceID]sources.Position
}

func newFar(t testing.TB, patterns ...string) *far {
	t.Helper()
	f := &far{
		t: t, dir: t.TempDir(), lines: map[event.SourceID][]string{}, lost: map[event.SourceID][]string{},
		pos: map[event.SourceID]sources.Position{},
	}
	f.grown = sync.NewCond(&f.mu)
	program, note := fakeSSH(t)
	f.note = note
	target := Target{Host: "web-1"}
	for _, p := range patterns {
		target.Paths = append(target.Paths, filepath.Join(f.dir, p))
	}
	var err error
	f.host, err = Open(Config{
		Target: target, Program: program, Tail: -1, look: "0.03", list: "0.05",
		Backoff: func(int) time.Duration { return time.Millisecond },
	})
	check(t, err)
	return f
}

// run connects until the function it sets as stop is called; positions stay.
func (f *far) run() {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() {
		if err := f.host.Run(ctx, func(op sources.Opened) { all.Go(func() { f.supervise(ctx, op) }) }); err != nil {
			f.t.Errorf("the host ended with %v", err)
		}
	})
	f.stop = sync.OnceFunc(func() { cancel(); all.Wait() })
	f.t.Cleanup(f.stop)
}

// again is the same host for the next run, as a restarted engine has it.
func (f *far) again() {
	f.stop()
	var err error
	f.host, err = Open(f.host.cfg)
	check(f.t, err)
	f.run()
}

func (f *far) supervise(ctx context.Context, op sources.Opened) {
	for ctx.Err() == nil {
		out, ended := make(chan sources.Batch), make(chan error, 1)
		f.mu.Lock()
		from := f.pos[op.Info.ID]
		f.mu.Unlock()
		go func() { ended <- op.Source.Run(ctx, from, out) }()
		for running := true; running; {
			select {
			case b := <-out:
				f.take(b)
			case err := <-ended:
				running = false
				if err == nil {
					return
				}
			}
		}
	}
}

func (f *far) take(b sources.Batch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range b.Records {
		if r.Lost > 0 {
			f.lost[b.Source] = append(f.lost[b.Source], string(r.Raw))
			continue
		}
		f.lines[b.Source] = append(f.lines[b.Source], string(r.Raw))
	}
	f.pos[b.Source] = b.Pos
	f.grown.Broadcast()
	b.Done(nil)
}

func (f *far) id(name string) event.SourceID {
	return event.SourceID("tail:web-1" + filepath.Join(f.dir, name))
}

// until waits for a condition about what came.
func (f *far) until(what string, ok func() bool) {
	f.t.Helper()
	late := false
	timer := time.AfterFunc(patience, func() {
		f.mu.Lock()
		late = true
		f.grown.Broadcast()
		f.mu.Unlock()
	})
	defer timer.Stop()
	f.mu.Lock()
	defer f.mu.Unlock()
	for !ok() {
		if late {
			for id, l := range f.lines {
				f.t.Logf("%s: %d lines, lost %q, at %s", id, len(l), f.lost[id], f.pos[id])
			}
			f.t.Fatalf("not within %s: %s; status %+v", patience, what, f.host.Status())
		}
		f.grown.Wait()
	}
}

// exactly waits for that many lines and wants them numbered from 0 without a gap.
func (f *far) exactly(name string, n int) {
	f.t.Helper()
	f.until(fmt.Sprintf("%d lines of %s", n, name), func() bool { return len(f.lines[f.id(name)]) >= n })
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, l := range f.lines[f.id(name)] {
		if l != fmt.Sprintf("line %d of the story", i) {
			f.t.Fatalf("line %d is %q", i, l)
		}
	}
	if have := len(f.lines[f.id(name)]); have != n {
		f.t.Fatalf("%d lines came, want %d", have, n)
	}
}

// write appends the lines from..to to a file.
func (f *far) write(name string, from, to int) {
	f.t.Helper()
	file, err := os.OpenFile(filepath.Join(f.dir, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	check(f.t, err)
	writeTo(f.t, file, from, to)
	check(f.t, file.Close())
}

func writeTo(t testing.TB, file *os.File, from, to int) {
	t.Helper()
	var text strings.Builder
	for i := from; i < to; i++ {
		fmt.Fprintf(&text, "line %d of the story\n", i)
	}
	_, err := file.WriteString(text.String())
	check(t, err)
}

func (f *far) rename(from, to string) {
	f.t.Helper()
	check(f.t, os.Rename(filepath.Join(f.dir, from), filepath.Join(f.dir, to)))
}

// killAll kills every ssh there is with a signal that cannot be caught.
func (f *far) killAll() {
	f.t.Helper()
	pids, err := os.ReadFile(filepath.Join(f.note, "pids"))
	check(f.t, err)
	check(f.t, os.WriteFile(filepath.Join(f.note, "pids"), nil, 0o644))
	for _, p := range strings.Fields(string(pids)) {
		pid, err := strconv.Atoi(p)
		check(f.t, err)
		_ = syscall.Kill(pid, syscall.SIGKILL) // those that ended are gone
	}
}
