package sources

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// world is a log directory, its writers, and what a follower owes of it. A line
// that was destroyed where no follower could have read it is forgiven; every
// other one must come exactly once, however looks, reads, crashes and rotations
// fall between each other.
type world struct {
	t       *rapid.T
	d       folder
	clock   *jumpClock
	opts    FileOptions
	s       *stepper
	n       int
	lines   map[string]*line
	current *gen              // what the path names; nil: nothing
	rotated []*gen            // newest first: log.1, log.2, …
	late    map[*gen]*os.File // writers that have not moved on
	kept    []string          // delivered and committed before the last crash
	rows    int               // loss rows committed before the last crash
	torn    int               // how many lines may have lost their end
	excuses int               // how many loss rows may be there
}

// line is one line that was written whole.
type line struct {
	in       *gen
	forgiven bool
}

// gen is one generation of the log.
type gen struct {
	partial string
	seen    bool // its file was there at a look: the follower has it open
	listed  bool // the follower has looked since it was begun
	packed  bool
	copied  bool // made by copying
}

// keepRotated is how many rotated files there are before the oldest is deleted.
const keepRotated = 6

func newWorld(t *rapid.T, dir string) *world {
	c := &jumpClock{}
	w := &world{t: t, d: folder{t, dir}, clock: c, lines: map[string]*line{}, late: map[*gen]*os.File{}}
	w.opts = FileOptions{Grace: time.Second, Clock: c, stat: c.stat, network: func(string) string { return "" }}
	w.d.add("log.old", "it was there before and is not asked for\n")
	w.d.do(os.Chtimes(w.d.path("log.old"), time.Time{}, time.Now().Add(-time.Hour)))
	w.create()
	w.write(1)
	w.s = newStepper(t, w.d.path("log"), w.opts, "")
	w.look()
	w.s.read(t) // a first position is committed
	return w
}

func (w *world) newLine(g *gen) string {
	w.n++
	l := fmt.Sprintf("%sline %d of the model", g.partial, w.n)
	w.lines[l] = &line{in: g}
	text := l[len(g.partial):] + "\n"
	g.partial = ""
	return text
}

func (w *world) create() {
	if w.current == nil {
		w.d.add("log", "")
		w.current = &gen{}
	}
}

func (w *world) write(n int) {
	w.create()
	var text strings.Builder
	for range n {
		text.WriteString(w.newLine(w.current))
	}
	w.d.add("log", text.String())
}

// begin writes the first part of a line.
func (w *world) begin() {
	w.create()
	w.n++
	part := fmt.Sprintf("part %d ", w.n)
	w.current.partial += part
	w.d.add("log", part)
}

func (w *world) name(i int) string {
	if w.rotated[i].packed {
		return fmt.Sprintf("log.%d.gz", i+1)
	}
	return fmt.Sprintf("log.%d", i+1)
}

// shift makes room for a new log.1.
func (w *world) shift(g *gen) {
	if n := len(w.rotated); n >= keepRotated {
		w.d.remove(w.name(n - 1))
		w.excuses++ // a restart does not find it again
		w.destroy(w.rotated[n-1], !w.rotated[n-1].seen)
		w.rotated = w.rotated[:n-1]
	}
	for i := len(w.rotated) - 1; i >= 0; i-- {
		from := w.name(i)
		w.d.rename(from, strings.Replace(from, fmt.Sprint(i+1), fmt.Sprint(i+2), 1))
	}
	w.rotated = slices.Insert(w.rotated, 0, g)
}

// destroy forgives the lines of g that nobody can read any more: all when it was
// never seen, else those that were not delivered if a crash takes them back.
func (w *world) destroy(g *gen, all bool) {
	all = all || w.s == nil
	w.torn++
	g.seen = g.seen && !all
	for _, l := range w.lines {
		if l.in == g && all {
			l.forgiven = true
		}
	}
	if f := w.late[g]; f != nil {
		_ = f.Close()
		delete(w.late, g)
	}
	g.packed = true // has no name any more
	g.copied = true
}

// rename rotates by renaming; the writer may keep the file open.
func (w *world) rename(keepOpen, create bool) {
	if w.current == nil {
		return
	}
	g := w.current
	if g.partial != "" {
		w.write(1)
	}
	if keepOpen && len(w.late) < 3 {
		w.late[g] = w.d.open("log")
	}
	w.shift(g)
	w.d.rename("log", "log.1")
	w.current = nil
	if create {
		w.create()
	}
}

// writeLate writes to a rotated file its writer still has open.
func (w *world) writeLate() {
	for i, g := range w.rotated {
		if f := w.late[g]; f != nil {
			w.d.put(f, w.newLine(w.rotated[i]))
			return
		}
	}
}

// copyTruncate copies the log beside itself and empties it; torn writes lines in between.
func (w *world) copyTruncate(torn int) {
	if w.current == nil {
		return
	}
	g := w.current
	if g.partial != "" {
		w.write(1)
	}
	w.shift(g)
	w.d.copy("log", "log.1")
	g.copied, g.listed = true, false
	between := &gen{}
	if torn > 0 {
		var text strings.Builder
		for range torn {
			text.WriteString(w.newLine(between))
		}
		w.d.add("log", text.String())
	}
	w.excuses++ // a follower that has read more than the copy holds cannot know how much is missing
	w.destroy(between, true)
	w.d.truncate("log")
	w.current = &gen{seen: g.seen}
}

// truncate empties the log and leaves no copy.
func (w *world) truncate() {
	if w.current == nil {
		return
	}
	if w.current.partial != "" {
		w.write(1)
	}
	w.excuses++
	w.destroy(w.current, true)
	w.d.truncate("log")
	w.current = &gen{}
}

// remove deletes the log; what was seen of it is held open.
func (w *world) remove() {
	if w.current == nil {
		return
	}
	if w.current.partial != "" {
		w.write(1)
	}
	w.d.remove("log")
	w.excuses++ // a restart does not find it again
	w.destroy(w.current, !w.current.seen)
	w.current = nil
}

// pack compresses one rotated file that no writer has open.
func (w *world) pack(i int) {
	if i >= len(w.rotated) || w.rotated[i].packed || w.late[w.rotated[i]] != nil || !w.rotated[i].listed && w.s != nil {
		return
	}
	w.d.pack("gzip", w.name(i), w.name(i)+".gz")
	w.rotated[i].packed = true
}

func (w *world) look() {
	w.s.look()
	for _, g := range append(slices.Clone(w.rotated), w.current) {
		if g != nil {
			g.seen, g.listed = true, true
		}
	}
}

func (w *world) step() { w.look(); w.s.read(w.t) }

// pause lets the grace time pass, for writers that have moved on.
func (w *world) pause() {
	for g, f := range w.late {
		_ = f.Close()
		delete(w.late, g)
	}
	w.step()
	w.clock.ahead += 2 * time.Second
	w.step()
}

// crash ends the follower after the pipeline has committed only some of what it
// sent; away happens before it is started again.
func (w *world) crash(commit int, away func()) {
	sent := w.s.sent
	k := len(sent) - min(commit, len(sent)-1)
	for _, sh := range sent[:k] {
		w.kept = append(w.kept, sh.lines...)
		w.rows += len(sh.lost)
	}
	from := sent[k-1].pos
	have := map[string]bool{}
	for _, l := range w.kept {
		have[l] = true
	}
	for text, l := range w.lines { // what was destroyed cannot be read a second time
		if l.in.packed && l.in.copied && !have[text] && !slices.Contains(w.rotated, l.in) {
			l.forgiven = true
		}
	}
	w.s.close()
	w.s = nil
	away()
	w.excuses++
	w.s = newStepper(w.t, w.d.path("log"), w.opts, from)
	w.look()
	w.s.read(w.t)
	if len(w.s.sent) == 0 {
		w.s.sent = append(w.s.sent, shipment{pos: from})
	}
}

// check says whether everything owed came exactly once; at the end nothing may
// be missing, before it nothing may be doubled.
func (w *world) check(end bool) {
	w.t.Helper()
	defer func(n int) { w.torn = n }(w.torn)
	count := map[string]int{}
	rows := w.rows
	for _, l := range w.kept {
		count[l]++
	}
	for _, sh := range w.s.sent {
		rows += len(sh.lost)
		for _, l := range sh.lines {
			count[l]++
		}
	}
	for text, n := range count {
		if w.lines[text] == nil && strings.HasPrefix(text, "part ") && w.torn > 0 {
			w.torn -= n
			continue // the beginning of a line that was destroyed
		}
		if w.lines[text] == nil {
			w.t.Fatalf("nobody wrote %q", text)
		}
		if n > 1 {
			w.t.Fatalf("%q came %d times", text, n)
		}
	}
	for text, l := range w.lines {
		if end && !l.forgiven && count[text] == 0 {
			w.t.Fatalf("%q never came", text)
		}
	}
	if rows > w.excuses {
		w.t.Fatalf("%d losses were told where %d may be", rows, w.excuses)
	}
}

func (w *world) close() {
	for _, f := range w.late {
		_ = f.Close()
	}
	if w.s != nil {
		w.s.close()
	}
}

// playWorld is one random history.
func playWorld(rt *rapid.T) {
	dir, err := os.MkdirTemp("", "bartizan-model")
	if err != nil {
		rt.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	w := newWorld(rt, dir)
	defer w.close()
	num := func(rt *rapid.T, most int) int { return rapid.IntRange(0, most).Draw(rt, "n") }
	actions := map[string]func(*rapid.T){
		"write":         func(rt *rapid.T) { w.write(1 + num(rt, 30)) },
		"begin":         func(*rapid.T) { w.begin() },
		"rename":        func(rt *rapid.T) { w.rename(rapid.Bool().Draw(rt, "open"), rapid.Bool().Draw(rt, "create")) },
		"late":          func(*rapid.T) { w.writeLate() },
		"copy truncate": func(rt *rapid.T) { w.copyTruncate(max(0, num(rt, 8)-4)) },
		"truncate":      func(*rapid.T) { w.truncate() },
		"delete":        func(*rapid.T) { w.remove() },
		"pack":          func(rt *rapid.T) { w.pack(1 + num(rt, 3)) },
		"look":          func(*rapid.T) { w.look() },
		"read":          func(rt *rapid.T) { w.s.read(rt) },
		"step":          func(*rapid.T) { w.step() },
		"pause":         func(*rapid.T) { w.pause() },
		"crash":         func(rt *rapid.T) { w.crash(num(rt, 4), func() {}) },
		"away": func(rt *rapid.T) {
			w.crash(num(rt, 2), func() {
				for range 1 + num(rt, 2) {
					w.write(1 + num(rt, 5))
					w.rename(false, true)
				}
				if rapid.Bool().Draw(rt, "pack") {
					w.pack(num(rt, 2))
				}
			})
		},
		"": func(rt *rapid.T) { w.t = rt; w.check(false) },
	}
	rt.Repeat(actions)
	w.t = rt
	if w.current != nil && w.current.partial != "" {
		w.write(1)
	}
	w.pause()
	w.create()
	w.write(1)
	w.pause()
	w.pause()
	w.check(true)
}

// TestFollowerModel plays random histories; FuzzFollow plays more of them.
func TestFollowerModel(t *testing.T) { rapid.Check(t, playWorld) }

func FuzzFollow(f *testing.F) { f.Fuzz(rapid.MakeFuzz(playWorld)) }
