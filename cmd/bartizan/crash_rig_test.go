package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// faults is how many faults a crash test makes: BARTIZAN_CRASHES, or so few that
// it takes seconds.
func faults(t *testing.T, few int) int {
	t.Helper()
	if n, err := strconv.Atoi(os.Getenv("BARTIZAN_CRASHES")); err == nil && n > 0 {
		return n
	}
	if testing.Short() {
		return max(few/2, 1)
	}
	return few
}

// chance is this run's own randomness, or that of BARTIZAN_SEED, which a failed
// run has named.
func chance(t *testing.T) *rand.Rand {
	t.Helper()
	seed := uint64(time.Now().UnixNano()) //nolint:gosec // any number will do
	if s, err := strconv.ParseUint(os.Getenv("BARTIZAN_SEED"), 10, 64); err == nil {
		seed = s
	}
	t.Logf("BARTIZAN_SEED=%d makes the same choices", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// rig is an engine, an agent and the cable between them, while numbered lines
// are written to the files both read.
type rig struct {
	*bench
	r      *rand.Rand
	cable  *cable
	agent  *exec.Cmd
	engine *exec.Cmd
	args   []string // of the engine
	out    *records
}

// newRig prepares everything; nothing runs yet. The agent serves far.log.
func newRig(t *testing.T, config string) *rig {
	g := &rig{bench: newBench(t, config), r: chance(t), cable: newCable(t)}
	g.patience = 2 * patience // after many faults there is much to catch up with
	g.must("certs", "init", g.path("certs"))
	g.must("certs", "issue", g.path("certs"), "web-1", "127.0.0.1")
	g.put("far.log", "")
	g.agentServes("[[stream]]\nid = \"far\"\npath = %q\n", g.path("far.log"))
	g.out = &records{path: g.put("records.ndjson", ""), lines: map[string]*arrived{}, ids: map[string]string{}}
	g.args = g.onBoard("watch", "--records", "--agent", g.cable.addr, "--certs", g.path("certs"))
	t.Cleanup(func() {
		for _, c := range []*exec.Cmd{g.engine, g.agent} {
			if c != nil && c.ProcessState == nil {
				kill(c, syscall.SIGKILL)
			}
		}
	})
	return g
}

func (g *rig) agentServes(streams string, args ...any) {
	conf := fmt.Sprintf("listen = \"127.0.0.1:0\"\ncerts = %q\n", g.path("certs/web-1"))
	g.put("agent.toml", conf+fmt.Sprintf(streams, args...))
}

// startAgent starts the agent, on another port each time, and connects the cable.
func (g *rig) startAgent() {
	g.Helper()
	c := g.program("agent", "-c", g.path("agent.toml"))
	out, err := c.StdoutPipe()
	if err == nil {
		c.Stderr, err = os.OpenFile(g.path("agent.err"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	}
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		g.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	at, ok := strings.CutPrefix(strings.TrimSpace(line), listening)
	if !ok {
		said, _ := os.ReadFile(g.path("agent.err"))
		g.Fatalf("the agent said %q: %v, %s", line, err, said)
	}
	g.cable.to(at)
	g.agent = c
}

// startEngine starts the engine; what it prints follows what the one before printed.
func (g *rig) startEngine() {
	g.Helper()
	c := g.program(g.args...)
	out, err := os.OpenFile(g.out.path, os.O_APPEND|os.O_RDWR, 0)
	if err != nil {
		g.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	if err := newLine(out); err != nil {
		g.Fatal(err)
	}
	c.Stdout = out
	if c.Stderr, err = os.OpenFile(g.path("watch.err"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600); err != nil {
		g.Fatal(err)
	}
	if err := c.Start(); err != nil {
		g.Fatal(err)
	}
	g.engine = c
}

// newLine ends a line that a killed process did not write to its end.
func newLine(f *os.File) error {
	at, err := f.Seek(-1, io.SeekEnd)
	if err != nil {
		return nil // it is empty
	}
	last := make([]byte, 1)
	if _, err := f.ReadAt(last, at); err != nil || last[0] == '\n' {
		return err
	}
	_, err = f.WriteString("\n")
	return err
}

// kill signals a process and waits for it.
func kill(c *exec.Cmd, s syscall.Signal) {
	_ = c.Process.Signal(s)
	_ = c.Wait() // it was told to end
}

// numbered is a line about which a rule hits every third time.
func numberedLine(n int) (line, from string) {
	if n%3 != 0 {
		return logLine("CRON[%d]: (root) CMD (job n%07d)", 1000+n%30000, n), ""
	}
	from = fmt.Sprintf("203.0.113.%d", 1+n%addresses)
	return logLine("sshd[%d]: Failed password for n%07d from %s port %d ssh2", 1000+n%30000, n, from, 1024+n%60000), from
}

// scribe writes numbered lines to files until it is stopped, some of them in two
// pieces.
type scribe struct {
	count atomic.Int64 // lines of all files
	stop  func()

	err  error
	last map[string]int    // by file
	from map[string]uint64 // failures by address
}

func (b *bench) scribble(seed uint64, files ...string) *scribe {
	s := &scribe{last: map[string]int{}, from: map[string]uint64{}}
	over := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { s.err = s.write(b, rand.New(rand.NewPCG(seed, 1)), over, files) })
	s.stop = sync.OnceFunc(func() { close(over); wg.Wait() })
	b.Cleanup(s.stop)
	return s
}

func (s *scribe) write(b *bench, r *rand.Rand, over <-chan struct{}, files []string) error {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for i := 0; ; i++ {
		name := files[i%len(files)]
		var text []byte
		for range 1 + r.IntN(6) {
			text = append(append(text, s.line(name)...), '\n')
		}
		f, err := os.OpenFile(b.path(name), os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
		if err != nil {
			return err
		}
		cut := r.IntN(len(text))
		for _, part := range [][]byte{text[:cut], text[cut:]} {
			if _, err := f.Write(part); err != nil {
				return err
			}
		}
		if err := f.Close(); err != nil {
			return err
		}
		select {
		case <-over:
			return nil
		case <-tick.C:
		}
	}
}

// records is standard output of all engines of a rig.
type records struct {
	path  string
	at    int64
	rest  []byte
	torn  int
	twice int
	lines map[string]*arrived // by source
	ids   map[string]string   // raw record by id
	bad   []string
}

// arrived is what came of one source, each id once, in the order of first arrival.
type arrived struct {
	numbers []int
	lost    uint64
}

var numberIn = regexp.MustCompile(`\bn(\d{7})\b`)

// more reads what was printed since the last time.
func (o *records) more(t testing.TB) {
	t.Helper()
	f, err := os.Open(o.path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.NewSectionReader(f, o.at, 1<<40))
	if err != nil {
		t.Fatal(err)
	}
	o.at += int64(len(text))
	o.rest = append(o.rest, text...)
	for {
		line, rest, ok := bytes.Cut(o.rest, []byte("\n"))
		if !ok {
			return
		}
		o.rest = rest
		o.line(line)
	}
}

func (o *records) line(text []byte) {
	var w watched
	if len(text) == 0 {
		return
	}
	if json.Unmarshal(text, &w) != nil {
		o.torn++ // by a kill: it comes again
		return
	}
	if raw, known := o.ids[w.ID]; known {
		if o.twice++; raw != w.Raw {
			o.bad = append(o.bad, fmt.Sprintf("id %s is %q and %q", w.ID, raw, w.Raw))
		}
		return
	}
	o.ids[w.ID] = w.Raw
	a := o.lines[string(w.Source)]
	if a == nil {
		a = &arrived{}
		o.lines[string(w.Source)] = a
	}
	if a.lost += w.Lost; w.Lost > 0 {
		return
	}
	n := -1
	if m := numberIn.FindStringSubmatch(w.Raw); m != nil {
		n, _ = strconv.Atoi(m[1]) // seven digits
	}
	a.numbers = append(a.numbers, n)
}

// of returns what came of the source whose id ends so.
func (o *records) of(suffix string) *arrived {
	for id, a := range o.lines {
		if strings.HasSuffix(id, suffix) {
			return a
		}
	}
	return &arrived{}
}

// await waits until as many lines of every file have arrived as were written.
func (g *rig) await(s *scribe, sources map[string]string) {
	g.Helper()
	g.until("every line is printed", func() bool {
		g.out.more(g)
		for file, source := range sources {
			if len(g.out.of(source).numbers) < s.last[file] {
				return false
			}
		}
		return true
	})
}

// compare holds what was printed against what was written: each line once by its
// id, in order, none missing.
func (g *rig) compare(s *scribe, sources map[string]string, ordered bool) {
	g.Helper()
	g.out.more(g)
	for file, source := range sources {
		a := g.out.of(source)
		seen := map[int]int{}
		for i, n := range a.numbers {
			if seen[n]++; ordered && n != i+1 {
				g.Errorf("%s: line %d came as number %d", file, n, i+1)
				break
			}
		}
		for n := 1; n <= s.last[file]; n++ {
			if seen[n] != 1 {
				g.Errorf("%s: line %d came under %d ids", file, n, seen[n])
				break
			}
		}
		if len(a.numbers) != s.last[file] || a.lost > 0 {
			g.Errorf("%s: %d lines were written, %d came, %d are said to be lost", file, s.last[file], len(a.numbers), a.lost)
		}
	}
	for _, text := range g.out.bad {
		g.Error(text)
	}
	g.Logf("%d lines; %d printed again, %d torn by a kill", s.count.Load(), g.out.twice, g.out.torn)
}
