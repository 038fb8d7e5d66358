package sources

import (
	"fmt"
	"os"
	"slices"
	"strings"
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
	owed    int               // at least so many must be there after the next step
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
	filled  bool // it had something in it then
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
	g.copied = true
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
	if w.current.filled {
		w.owed = w.losses() + 1
	}
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
	if i >= len(w.rotated) || w.rotated[i].packed || w.late[w.rotated[i]] != nil {
		return
	}
	w.d.pack("gzip", w.name(i), w.name(i)+".gz")
	w.rotated[i].packed = true
}

func (w *world) look() {
	w.s.look()
	for _, g := range append(slices.Clone(w.rotated), w.current) {
		if g != nil {
			g.seen = g.seen || !g.packed
		}
	}
	if fi, err := os.Stat(w.d.path("log")); err == nil && w.current != nil {
		w.current.filled = fi.Size() > 0
	}
}

// step looks and reads: a truncation is told by then.
func (w *world) step() {
	w.look()
	w.s.read(w.t)
	if n := w.losses(); n < w.owed {
		w.t.Fatalf("%d losses were told where a truncation makes it %d", n, w.owed)
	}
	w.owed = 0
}

// losses counts the loss rows that came since the last crash.
func (w *world) losses() (n int) {
	for _, sh := range w.s.sent {
		n += len(sh.lost)
	}
	return n
}

// rest lets the directory be left alone for a while, so that it can be judged.
func (w *world) rest() {
	w.clock.rest = true
	w.step()
	w.step()
	w.clock.rest = false
}

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
	w.s, w.owed = nil, 0
	away()
	w.excuses++
	w.s = newStepper(w.t, w.d.path("log"), w.opts, from)
	w.look()
	w.s.read(w.t)
	if len(w.s.sent) == 0 {
		w.s.sent = append(w.s.sent, shipment{pos: from})
	}
}
