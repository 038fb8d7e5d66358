package sources

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	rotation     = flag.Bool("rotation", false, "measure all followers under rotation, for docs/rotation.md with -update")
	rotationReps = flag.Int("rotation.reps", 20, "repetitions of each case")
	rotationTime = flag.Duration("rotation.time", 2400*time.Millisecond, "how long each repetition writes")
	update       = flag.Bool("update", false, "write what was measured to docs/rotation.md")
)

// manner is a way to rotate a log while somebody writes to it.
type manner struct {
	name  string
	every time.Duration
	late  time.Duration // the writer keeps the old file for so long
	copy  bool
}

var manners = []manner{
	{"rename", 600 * time.Millisecond, 0, false},
	{"rename, late writers", 600 * time.Millisecond, 100 * time.Millisecond, false},
	{"copy and truncate", 600 * time.Millisecond, 0, true},
	{"rename, rapid", 50 * time.Millisecond, 0, false},
}

// runners are the followers that are measured, ours first.
var runners = []struct {
	name string
	open func(path string) Source
}{
	{"ours", func(p string) Source { return NewFile(p, FileOptions{}) }},
	{"nxadm/tail, wrapped", func(p string) Source { return NewFile(p, FileOptions{Follower: FollowerNxadm}) }},
	{"nxadm/tail, bare", func(p string) Source { return bareNxadm(p, StartBeginning) }},
	{"tail -F", func(p string) Source { return tailF(p, StartBeginning) }},
}

// numbered is the line with a number: its bytes follow from it, so that a
// mangled one shows.
func numbered(n int) string {
	return fmt.Sprintf("%09d web-01 sshd[%d]: Failed password for invalid user u%d from 203.0.113.%d port %d ssh2 #%09d", n, n%32768, n%977, n%256, n%65536, n)
}

// numberOf returns the number of a whole line, -1 when it is not whole.
func numberOf(line []byte) int {
	if len(line) < 9 {
		return -1
	}
	n, err := strconv.Atoi(string(line[:9]))
	if err != nil || n < 0 || string(line) != numbered(n) {
		return -1
	}
	return n
}

// count is what became of the lines of one or more runs.
type count struct{ lines, lost, doubled, split, told, worst, runs int }

func (c *count) add(o count) {
	c.lines, c.lost, c.doubled, c.split, c.told = c.lines+o.lines, c.lost+o.lost, c.doubled+o.doubled, c.split+o.split, c.told+o.told
	c.worst = max(c.worst, o.lost)
	c.runs++
}

// tallier counts what one follower delivers.
type tallier struct {
	mu     sync.Mutex
	seen   map[int]int
	split  int
	told   int
	newest time.Time
}

// runSource runs a source and gives each batch to take, until it is stopped.
func runSource(src Source, take func(Batch)) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	out, ended := make(chan Batch), make(chan error, 1)
	gone := make(chan struct{})
	go func() { ended <- src.Run(ctx, "", out); close(gone) }()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case b := <-out:
				take(b)
			case <-gone:
				return
			}
		}
	}()
	return func() error { cancel(); err := <-ended; <-done; return err }
}

func (c *tallier) take(b Batch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.newest = time.Now()
	for i := range b.Records {
		r := &b.Records[i]
		switch n := numberOf(r.Raw); {
		case r.Lost > 0:
			c.told++
		case n < 0:
			c.split++
		default:
			c.seen[n]++
		}
	}
	b.Done(nil)
}

func (c *tallier) has(n int) bool { c.mu.Lock(); defer c.mu.Unlock(); return c.seen[n] > 0 }

// settled says whether all lines came, or none for a while.
func (c *tallier) settled(n int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.seen) == n && time.Since(c.newest) > 300*time.Millisecond || time.Since(c.newest) > 1500*time.Millisecond
}

func (c *tallier) count(n int) count {
	r := count{lines: n, split: c.split, told: c.told}
	for i := range n {
		switch k := c.seen[i]; {
		case k == 0:
			r.lost++
		case k > 1:
			r.doubled += k - 1
		}
	}
	return r
}

// writer writes numbered lines at a rate, rotating as told.
type writer struct {
	d    folder
	m    manner
	rate int
	n    int
	f    *os.File
}

// write brings the file up to where it must be at this time.
func (w *writer) write(elapsed time.Duration) {
	var b strings.Builder
	for want := int(elapsed.Seconds() * float64(w.rate)); w.n < want; w.n++ {
		b.WriteString(numbered(w.n) + "\n")
	}
	if b.Len() > 0 {
		w.d.put(w.f, b.String())
	}
}

// run writes for a time and returns how many lines there are.
func (w *writer) run(most time.Duration) int {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	began := time.Now()
	var copying sync.WaitGroup
	var moveOn time.Time // when the writer opens the new file
	for next := w.m.every; ; {
		<-tick.C
		now := time.Since(began)
		w.write(now)
		if !moveOn.IsZero() && !time.Now().Before(moveOn) {
			w.d.do(w.f.Close())
			w.f, moveOn = w.d.open("log"), time.Time{}
		}
		if now >= most {
			break
		}
		if now < next {
			continue
		}
		next += w.m.every
		if w.m.copy {
			copying.Add(1)
			go func() { defer copying.Done(); w.copyTruncate() }()
			continue
		}
		rotate(w.d, 60)
		w.d.add("log", "")
		moveOn = time.Now().Add(w.m.late)
	}
	copying.Wait()
	w.d.do(w.f.Close())
	return w.n
}

// copyTruncate is what another process does while the writer goes on.
func (w *writer) copyTruncate() {
	for i := 20; i > 0; i-- {
		_ = os.Rename(w.d.path(fmt.Sprintf("log.%d", i)), w.d.path(fmt.Sprintf("log.%d", i+1))) // most are not there
	}
	w.d.copy("log", "log.1")
	w.d.truncate("log")
}

// nowhere counts the lines that are in no file any more.
func (w *writer) nowhere() int {
	seen := map[int]bool{}
	entries, err := os.ReadDir(w.d.dir)
	w.d.do(err)
	for _, e := range entries {
		b, err := os.ReadFile(w.d.path(e.Name()))
		w.d.do(err)
		for line := range strings.Lines(string(b)) {
			seen[numberOf([]byte(strings.TrimSuffix(line, "\n")))] = true
		}
	}
	lost := 0
	for i := range w.n {
		if !seen[i] {
			lost++
		}
	}
	return lost
}

// rotationRun writes once and lets all followers read the same files. It returns
// what each counted, and how many lines the rotation itself destroyed.
func rotationRun(t *testing.T, m manner, rate int, most time.Duration, n int) ([]count, int) {
	d := newFolder(t)
	w := &writer{d: d, m: m, rate: rate, f: d.open("log")}
	d.put(w.f, numbered(0)+"\n")
	w.n = 1
	all := make([]*tallier, n)
	for i := range all {
		all[i] = &tallier{seen: map[int]int{}}
		stop := runSource(runners[i].open(d.path("log")), all[i].take)
		defer func() {
			if err := stop(); err != nil && i < 2 {
				t.Errorf("%s ended with %v", runners[i].name, err)
			}
		}()
	}
	wait(t, "the first line", func() bool { return !slices.ContainsFunc(all, func(c *tallier) bool { return !c.has(0) }) })
	lines := w.run(most)
	wait(t, "the followers to be done", func() bool {
		return !slices.ContainsFunc(all, func(c *tallier) bool { return !c.settled(lines) })
	})
	var counts []count
	for _, c := range all {
		c.mu.Lock()
		counts = append(counts, c.count(lines))
		c.mu.Unlock()
	}
	return counts, w.nowhere()
}

// wait looks every few milliseconds until ok.
func wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(2 * deadline); !ok(); {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// TestRotationUnderLoad counts what followers lose, double and split while a log
// is rotated under a writer. With -rotation it measures all of them as often as
// the table in docs/rotation.md says; else it checks ours in short runs.
func TestRotationUnderLoad(t *testing.T) {
	if *rotation {
		measureRotation(t)
		return
	}
	for _, m := range manners {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m.every = min(m.every, 200*time.Millisecond)
			counts, destroyed := rotationRun(t, m, 2000, 700*time.Millisecond, 2)
			for i, c := range counts {
				if c.lost > destroyed || c.doubled > 0 || !m.copy && c.split > 0 {
					t.Errorf("%s: %+v; the rotation itself destroyed %d", runners[i].name, c, destroyed)
				}
				if c.lost > 0 && c.told == 0 {
					t.Errorf("%s lost %d lines and told nothing", runners[i].name, c.lost)
				}
			}
		})
	}
}

func measureRotation(t *testing.T) {
	var rows []string
	for _, m := range manners {
		for _, rate := range []int{5000, 20000} {
			sums := make([]count, len(runners))
			var destroyed, worst int
			for range *rotationReps {
				counts, gone := rotationRun(t, m, rate, *rotationTime, len(runners))
				for i, c := range counts {
					sums[i].add(c)
				}
				destroyed, worst = destroyed+gone, max(worst, gone)
			}
			row := fmt.Sprintf("| %s | %s |", m.name, thousands(rate))
			for i := range sums {
				row += " " + sums[i].cell() + " |"
			}
			if destroyed > 0 {
				row += fmt.Sprintf(" %s (most %d); ours told of %d |", thousands(destroyed), worst, sums[0].told)
			} else {
				row += " 0 |"
			}
			t.Logf("%s of %s lines", row, thousands(sums[0].lines))
			rows = append(rows, row)
			if !m.copy && cmp.Or(sums[0].lost, sums[0].doubled, sums[0].split) != 0 {
				t.Errorf("ours, %s: %+v", m.name, sums[0])
			}
		}
	}
	head := "| rotation | lines/s |"
	for _, r := range runners {
		head += " " + r.name + " |"
	}
	head += " destroyed by the rotation itself |\n|---|---|---|---|---|---|---|\n"
	page(t, "load", fmt.Sprintf("%d repetitions of %v each; lost (most in one run) / doubled / split, sums of all repetitions.\n\n%s%s\n",
		*rotationReps, *rotationTime, head, strings.Join(rows, "\n")))
}

func (c count) cell() string {
	if c.lost == 0 {
		return fmt.Sprintf("0 / %s / %s", thousands(c.doubled), thousands(c.split))
	}
	return fmt.Sprintf("%s (%s) / %s / %s", thousands(c.lost), thousands(c.worst), thousands(c.doubled), thousands(c.split))
}

func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// rotationPage is where the measured tables lie, each between its own marks.
const rotationPage = "../docs/rotation.md"

// page writes a section of the page when that is asked for.
func page(t *testing.T, section, text string) {
	t.Helper()
	if !*update {
		return
	}
	b, err := os.ReadFile(rotationPage)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- "+section+" -->\n", "<!-- end of "+section+" -->\n"
	before, rest, ok := strings.Cut(string(b), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no section %q: put its two marks in", rotationPage, section)
	}
	if err := os.WriteFile(rotationPage, []byte(before+begin+text+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}
