package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
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
const patience = 60 * time.Second

// bench is a folder with everything one test's processes use.
type bench struct {
	testing.TB
	dir, state, config string
	patience           time.Duration
}

// newBench makes the folder. With config "" the config says only what tests need.
func newBench(tb testing.TB, config string) *bench {
	tb.Helper()
	b := &bench{TB: tb, dir: tb.TempDir(), patience: patience}
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
	limit, tick := time.After(b.patience), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-limit:
			b.Fatalf("waited %s in vain: %s", b.patience, what)
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
