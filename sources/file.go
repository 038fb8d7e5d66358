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

	stat    func(string) (fs.FileInfo, error)   // os.Stat, but for tests
	list    func(string) ([]fs.DirEntry, error) // os.ReadDir, but for tests
	network func(string) string                 // networkFS, but for tests
	writer  func(event.FileID) string           // writerOf, but for tests
}

// Condition is how a running source says it is doing.
type Condition struct {
	State  event.SourceState
	Reason string      // one sentence when State is not live, or when live with a restriction
	Flags  event.Flags // FlagVanished: see event.SourceStatus
	Behind int64       // bytes not read yet, -1 unknown
}

// Reporting is a source that says how it is doing while it runs.
type Reporting interface {
	Source
	// Report sets who is told; before Run. It is called from Run's goroutine.
	Report(func(Condition))
}

var (
	errPolling   = errors.New("the kernel is not asked to tell")
	errNoWatch   = errors.New("no inotify watch is free: raise fs.inotify.max_user_watches")
	errNoInotify = errors.New("no inotify instance is free: raise fs.inotify.max_user_instances")
)

// File follows the file a path names through growth, rotation by renaming or
// copying, truncation, deletion and loss of permission. It never ends by itself.
//
// A renamed file is read on until its writer has moved on and it was quiet for
// the grace time; generations that came and went in between are found among its
// siblings, compressed or not, and told where they are gone. A line without
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
	if o.network == nil {
		o.network = networkFS
	}
	if o.writer == nil {
		o.writer = writerOf
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
	u := wakers.join(f.opts.NoWake)
	defer wakers.leave(u)
	w := f.follow(ctx, out, u)
	defer w.close()
	w.restore(marks)
	err = w.loop()
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// follow prepares a run that is woken by u. It must be closed.
func (f *File) follow(ctx context.Context, out chan<- Batch, u *wakeup) *follow {
	w := &follow{ctx: ctx, path: f.path, opts: f.opts, report: f.report, wakeup: u, known: map[event.FileID]print{}, lowest: -1}
	w.out = newOutbox(ctx, out, f.opts.ID, f.opts.Clock, w.position)
	w.out.wake, w.out.during = u.c, w.look
	return w
}

// follow is one run of a File.
type follow struct {
	ctx    context.Context
	path   string
	opts   FileOptions
	out    *outbox
	wakeup *wakeup
	report func(Condition)

	gens     []*generation          // oldest first; the last is current unless it ended
	epoch    uint64                 // newest epoch given
	known    map[event.FileID]print // rotated names that are no news
	listed   time.Time              // modification time of the directory when known was learnt
	switched time.Time              // when the path was last found to name another file, or to be truncated
	learnt   time.Time              // when the rotated names were last learnt
	full     bool                   // there are rotated files that wait for room among gens
	more     bool                   // readAll left something unread
	gap      *gap                   // rotations whose files are not all accounted for yet
	lowest   int                    // the lowest number a rotated file was seen to have, -1 none
	departed []print                // of known files that lost their names, maybe to be compressed
	note     string                 // what is said of the last truncation that lost nothing as far as known
	noted    time.Time
	blank    bool   // nothing of the file was read then: that it was copied and emptied since would not show
	finished []mark // what was read to its end lately
	missing  []loss // what to say is lost before anything else is read
	target   string // where the path leads when links are followed
	begun    bool   // the first look was made: later files are read from their beginning
	looked   time.Time
	blind    error     // why the kernel does not wake us
	watched  time.Time // when it was last asked to
	net      string    // the kind of network file system the file lies on, "" none
	trouble  Condition
	told     Condition
	toldAt   time.Time
}

func (w *follow) now() time.Time { return w.opts.Clock.Now() }

// loop reads, and sleeps when there is nothing to read. It reads before it looks:
// what is about to be truncated does not wait for a directory to be listed.
func (w *follow) loop() error {
	w.look()
	w.say()
	for {
		n, err := w.readAll()
		if err == nil {
			err = w.out.offer()
		}
		if err != nil {
			return err
		}
		w.look()
		more, err := w.readAll()
		if err != nil {
			return err
		}
		w.say()
		if n += more; w.more || n >= blockSize || n > 0 && w.full {
			continue // far behind: what was found meanwhile is read before anything is waited for
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
// that are finished; where that takes long it returns before the end, and more says
// so. It returns how many bytes it took.
func (w *follow) readAll() (int64, error) {
	if err := w.sayMissing(); err != nil {
		return 0, err
	}
	var total int64
	w.more = false
	// What is found meanwhile waits for the next time: where more is always written
	// than was read, rotated files would else never be let go of.
	for i, left := 0, len(w.gens); left > 0 && i < len(w.gens); left-- {
		g := w.gens[i]
		if w.full && g == w.current() {
			break // what is older waits for room
		}
		n, err := w.drain(g)
		total += n
		if err == nil && w.more {
			break // what is newer comes behind it
		}
		switch at := slices.Index(w.gens, g); {
		case at > i: // what was found to come before it is read first
		case err == nil && w.over(g):
			err = w.finish(at)
		default:
			i = at + 1
		}
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// drain reads one generation to its end, or until the path was looked at again:
// then there may be more, and what else is held is seen to before that.
func (w *follow) drain(g *generation) (int64, error) {
	var total int64
	if !w.vet(g) {
		return 0, w.ctx.Err()
	}
	for !g.dead {
		n, changed, err := g.read(w.now())
		switch {
		case err != nil:
			w.trouble = Condition{State: event.SourceRetrying, Reason: w.path + " cannot be read: " + err.Error(), Behind: -1}
			g.dead = g.once
			return total, w.ctx.Err()
		case changed:
			w.truncated(g)
			w.look() // for copies that come before what the file has now
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
			w.more = false
			return total, w.ctx.Err()
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
	if g.bad != nil && g.lost.why == "" {
		g.lost.why = fmt.Sprintf("%s cannot be read beyond byte %d: %v; at least 1 record may be missing, upper bound unknown", g.file.Name(), g.framer.Offset(), g.bad)
	}
	if err == nil && g.lost.why != "" {
		ref.Offset = g.framer.Offset()
		err = w.out.lost(g.lost, ref)
	}
	p := g.print()
	p.grip = g.grip()
	w.known[g.id] = p
	w.done(g)
	w.gens = slices.Delete(w.gens, i, i+1)
	return err
}

// over says whether the generation is finished.
func (w *follow) over(g *generation) bool {
	switch {
	case g.dead:
		return true
	case g.ended.IsZero() || !g.drained:
		return false
	}
	since := later(g.ended, g.grown)
	last := w.gens[len(w.gens)-1]
	if g == last { // deleted, and nothing took its place
		return w.now().Sub(since) >= maxGone
	}
	if !g.once && w.gens[len(w.gens)-2] == g && last.ended.IsZero() {
		if last.framer.Offset() == 0 && g.links() > 0 {
			return false // its writer has not moved on yet
		}
		since = later(since, last.first)
	}
	if len(w.gens) > maxGens/2 { // rotated so fast that there is no room to wait
		return w.now().Sub(since) >= min(w.opts.Grace, lookEvery)
	}
	return w.now().Sub(since) >= w.opts.Grace
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
		if err := w.out.lost(w.missing[0], event.Ref{Source: w.opts.ID, Epoch: w.epoch}); err != nil {
			return err
		}
		w.missing = w.missing[1:]
	}
	return nil
}

// position says where all generations stand that are still being read.
func (w *follow) position() Position {
	w.forgetDone()
	marks := make([]mark, 0, len(w.finished)+len(w.gens))
	marks = append(marks, w.finished...)
	for _, g := range w.gens {
		marks = append(marks, g.mark())
	}
	return filePosition(marks)
}

func (w *follow) close() {
	for _, g := range w.gens {
		g.close()
	}
}
