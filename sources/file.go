package sources

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"bartizan/event"
)

// Start says where a file is begun that has no position yet.
type Start uint8

// The places to start at.
const (
	StartBeginning Start = iota
	StartEnd             // behind the last complete line; a JSON array is read from its beginning all the same
)

// FollowerOwn and FollowerNxadm name the readers of growing files.
const (
	FollowerOwn   = "own"
	FollowerNxadm = "nxadm"
)

// DefaultGrace is how long a rotated file must be quiet before it is let go.
const DefaultGrace = 5 * time.Second

// maxGone is how long a file is held that was deleted and has no successor.
const maxGone = 10 * time.Minute

// FileOptions are how a file is followed. The zero value is fine.
type FileOptions struct {
	ID       event.SourceID
	Start    Start         // where to begin without a position
	Grace    time.Duration // 0 is DefaultGrace
	Clock    Clock         // nil is SystemClock
	Follower string        // FollowerOwn (default) or FollowerNxadm
	NoWake   bool          // look only every 250 ms, do not ask the kernel to tell

	// Open opens path, and every rotated name beside it, for reading; nil takes
	// any regular file. It must not block, must return regular files only, and
	// may refuse: an error that is fs.ErrNotExist means gone, any other is
	// reported and tried again, and nothing of that file is delivered.
	Open func(path string) (*os.File, error)

	stat func(string) (fs.FileInfo, error)   // os.Stat, but for tests
	list func(string) ([]fs.DirEntry, error) // os.ReadDir, but for tests
}

// Condition is how a running source says it is doing.
type Condition struct {
	State  event.SourceState
	Reason string // one sentence when State is not live, or when live with a restriction
	Behind int64  // bytes not read yet, -1 unknown
}

// Reporting is a source that says how it is doing while it runs.
type Reporting interface {
	Source
	// Report sets who is told; before Run. It is called from Run's goroutine.
	Report(func(Condition))
}

var (
	errPolling   = errors.New("the kernel is not asked to tell")
	errNoInotify = errors.New("no inotify instance is free: raise fs.inotify.max_user_instances")
)

// File follows the file a path names through growth, rotation by renaming or
// copying, truncation, deletion and loss of permission. It never ends by itself.
//
// A renamed file is read on until it was quiet for the grace time; generations
// that came and went in between are found among its siblings. A line without
// its end is held until the end arrives, also across a restart. What was cut off
// before it could be read is recovered from the copy beside the file where there
// is one, else delivered as one record with Lost.
type File struct {
	path   string
	opts   FileOptions
	report func(Condition)
}

// NewFile returns a follower of path.
func NewFile(path string, o FileOptions) *File {
	o.Clock = orSystem(o.Clock)
	if o.Grace == 0 {
		o.Grace = DefaultGrace
	}
	if o.Open == nil {
		o.Open = openRegular
	}
	if o.stat == nil {
		o.stat = os.Stat
	}
	if o.list == nil {
		o.list = os.ReadDir
	}
	if o.ID == "" {
		o.ID = event.SourceID("file:" + path)
	}
	return &File{path: path, opts: o}
}

// Report implements Reporting.
func (f *File) Report(fn func(Condition)) { f.report = fn }

// Run implements Source.
func (f *File) Run(ctx context.Context, from Position, out chan<- Batch) error {
	marks, err := parseFilePosition(from)
	if err != nil {
		return err
	}
	w := &follow{ctx: ctx, path: f.path, opts: f.opts, report: f.report, known: map[event.FileID]bool{}}
	w.out = newOutbox(ctx, out, f.opts.ID, f.opts.Clock, w.position)
	w.wakeup = wakers.join(f.opts.NoWake)
	defer wakers.leave(w.wakeup)
	defer w.close()
	w.out.wake, w.out.during = w.wakeup.c, w.look
	w.restore(marks)
	err = w.loop()
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// follow is one run of a File.
type follow struct {
	ctx    context.Context
	path   string
	opts   FileOptions
	out    *outbox
	wakeup *wakeup
	report func(Condition)

	gens     []*generation // oldest first; the last is current unless it ended
	epoch    uint64        // newest epoch given
	known    map[event.FileID]bool
	listed   time.Time // modification time of the directory when known was learnt
	switched time.Time // when the path was last found to name another file
	missing  []string  // what to say is lost before anything else is read
	target   string    // where the path leads when links are followed
	begun    bool      // the first look was made: later files are read from their beginning
	looked   time.Time
	blind    error // why the kernel does not wake us
	trouble  Condition
	told     Condition
	toldAt   time.Time
}

func (w *follow) now() time.Time { return w.opts.Clock.Now() }

// loop reads, and sleeps when there is nothing to read.
func (w *follow) loop() error {
	for {
		w.look()
		n, err := w.readAll()
		if err != nil {
			return err
		}
		w.say()
		if n > 0 {
			continue
		}
		if err := w.rest(); err != nil {
			return err
		}
	}
}

// rest waits until something may have changed. An open batch is sent as soon as
// nothing is in flight or it is old enough.
func (w *follow) rest() error {
	if err := w.out.offer(); err != nil {
		return err
	}
	due, idle := w.out.due()
	select {
	case <-w.ctx.Done():
		return w.ctx.Err()
	case <-w.wakeup.c:
	case <-due:
	case <-idle:
	}
	return w.out.offer()
}

// readAll reads every generation to its end, oldest first, and lets go of those
// that are finished. It returns how many bytes it took.
func (w *follow) readAll() (int64, error) {
	if err := w.sayMissing(); err != nil {
		return 0, err
	}
	var total int64
	for i := 0; i < len(w.gens); {
		g := w.gens[i]
		n, err := w.drain(g)
		total += n
		if err == nil && w.over(g) {
			err = w.finish(i)
		} else {
			i++
		}
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// drain reads one generation to its end.
func (w *follow) drain(g *generation) (int64, error) {
	var total int64
	for !g.dead {
		n, changed, err := g.read(w.now())
		switch {
		case err != nil:
			w.trouble = Condition{event.SourceRetrying, w.path + " cannot be read: " + err.Error(), -1}
			return total, w.ctx.Err()
		case changed:
			w.truncated(g)
			return total, nil
		case n == 0:
			g.dead = g.once
			return total, w.ctx.Err()
		}
		total += int64(n)
		if err := w.out.frames(g.framer, g.ref(w.opts.ID), w.now()); err != nil {
			return total, err
		}
		if w.now().Sub(w.looked) >= lookEvery {
			w.look()
			w.say()
		}
		if w.ctx.Err() != nil {
			return total, w.ctx.Err()
		}
	}
	return total, nil
}

// finish lets go of a generation from which nothing more is expected. Where a
// copy holds the rest of it, that takes its place; else its last line without an
// end is delivered, and what is missing behind it is said.
func (w *follow) finish(i int) error {
	g := w.gens[i]
	defer g.close()
	if c := w.inherit(g); c != nil {
		w.gens[i] = c
		return nil
	}
	ref := g.ref(w.opts.ID)
	g.framer.Finish()
	err := w.out.frames(g.framer, ref, w.now())
	if err == nil && g.lost != "" {
		ref.Offset = g.framer.Offset()
		err = w.out.lost(1, g.lost, ref)
	}
	w.known[g.id] = true
	w.gens = slices.Delete(w.gens, i, i+1)
	return err
}

// inherit returns the copy of a truncated generation, standing behind the last
// record delivered, nil when there is none.
func (w *follow) inherit(g *generation) *generation {
	if g.copy == nil {
		return nil
	}
	c, err := newGeneration(g.copy, g.framer.State(), w.now())
	g.copy = nil
	if err != nil {
		return nil
	}
	c.epoch, c.once, c.ended, g.lost = g.epoch, true, w.now(), ""
	return c
}

// over says whether the generation is finished.
func (w *follow) over(g *generation) bool {
	switch {
	case g.dead:
		return true
	case g.ended.IsZero() || !g.drained:
		return false
	}
	quiet := w.now().Sub(later(g.ended, g.grown))
	if g == w.gens[len(w.gens)-1] { // deleted, and nothing took its place
		return quiet >= maxGone
	}
	return quiet >= w.opts.Grace
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// sayMissing delivers what was found lost before reading began.
func (w *follow) sayMissing() error {
	for len(w.missing) > 0 {
		if err := w.out.lost(1, w.missing[0], event.Ref{Source: w.opts.ID, Epoch: w.epoch}); err != nil {
			return err
		}
		w.missing = w.missing[1:]
	}
	return nil
}

// position says where all generations stand that are still being read.
func (w *follow) position() Position {
	marks := make([]mark, 0, len(w.gens))
	for _, g := range w.gens {
		marks = append(marks, g.mark())
	}
	return filePosition(marks)
}

// catchUp is how many unread bytes make a source "catching up".
const catchUp = 1 << 20

// say reports the condition when it changed; the bytes behind at most every
// lookEvery.
func (w *follow) say() {
	c := w.trouble
	for _, g := range w.gens {
		c.Behind += g.unread()
	}
	if c.State == event.SourceStarting && w.begun {
		c.State = event.SourceLive
		if c.Behind > catchUp {
			c.State = event.SourceCatchingUp
		}
		if w.blind != nil {
			c.Reason = fmt.Sprintf("%s is looked at every %v: %v", w.path, lookEvery, w.blind)
		}
	}
	same := c.State == w.told.State && c.Reason == w.told.Reason
	if w.report == nil || c == w.told || same && w.now().Sub(w.toldAt) < lookEvery {
		return
	}
	w.report(c)
	w.told, w.toldAt = c, w.now()
}

func (w *follow) close() {
	for _, g := range w.gens {
		g.close()
	}
}
