package engine

import (
	"context"
	"encoding/binary"
	"hash/maphash"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// How rule files are watched: a change is acted on when nothing more has changed
// for ruleSettle. Where the system tells of changes a look every pollTold is for
// what it does not tell (network folders); else one every pollAlone.
const (
	ruleSettle = 300 * time.Millisecond
	pollTold   = 15 * time.Second
	pollAlone  = 2 * time.Second

	clockGrain = 20 * time.Millisecond // how far behind a clock file systems stamp

	maxWatched   = 4096   // folders the system is asked to tell about
	maxSignature = 60_000 // files and folders looked at; what is beyond is not noticed
)

// fileChanged is why rules are read again without anybody asking.
const fileChanged = "a rule file changed"

// ruleWatch notices changes of the files and folders rules came from.
type ruleWatch struct {
	log    *slog.Logger
	seed   maphash.Seed
	system *fsnotify.Watcher // nil: only looks
	told   map[string]bool   // folders it tells about
	whole  map[string]bool   // folders in which every file counts
	files  map[string]bool   // single files that count
	newest time.Time         // of the last look: when anything changed last
	all    bool              // the system tells of every folder
}

// watchRules reads the rules again whenever a file they come from changes, until
// ctx ends.
func (e *Engine) watchRules(ctx context.Context) {
	if e.o.LoadRules == nil {
		return
	}
	w := newRuleWatch(e.o.Log)
	defer w.close()
	e.followRules(ctx, w)
}

func newRuleWatch(log *slog.Logger) *ruleWatch {
	w := &ruleWatch{log: log, seed: maphash.MakeSeed(), told: map[string]bool{}, whole: map[string]bool{}, files: map[string]bool{}}
	s, err := fsnotify.NewWatcher()
	if err != nil {
		log.Warn("rule files are only looked at every "+pollAlone.String(), "err", err)
		return w
	}
	w.system = s
	return w
}

func (w *ruleWatch) close() {
	if w.system != nil {
		_ = w.system.Close() // it only tells
	}
}

// WatchRules calls changed whenever a file below the places has changed, until ctx
// ends. It is for who runs rules without an engine.
func WatchRules(ctx context.Context, log *slog.Logger, places func() []string, changed func()) {
	w := newRuleWatch(log)
	defer w.close()
	seen := w.look(places())
	for w.wait(ctx) {
		if now := w.settled(ctx, places, seen); now != seen && ctx.Err() == nil {
			seen = now
			changed()
		}
	}
}

func (e *Engine) followRules(ctx context.Context, w *ruleWatch) {
	seen := w.look(e.rulePlaces())
	if !e.o.RulesRead.IsZero() && !w.newest.Before(e.o.RulesRead.Add(-clockGrain)) {
		e.Reload(fileChanged) // while they were read for the start, or since
	}
	for w.wait(ctx) {
		if e.rules.Load().expiryDue(e.o.Now()) {
			e.Reload("an exception expired")
		}
		now := w.settled(ctx, e.rulePlaces, seen)
		if now == seen || ctx.Err() != nil {
			continue
		}
		seen = now // before the reading: what changes meanwhile is seen in the next look
		e.Reload(fileChanged)
	}
}

// settled looks until nothing changes any more, since somebody may still be writing;
// at once where nothing changed since seen.
func (w *ruleWatch) settled(ctx context.Context, places func() []string, seen uint64) uint64 {
	now := w.look(places())
	for now != seen && pause(ctx, ruleSettle) {
		next := w.look(places())
		if next == now {
			break
		}
		now = next
	}
	return now
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// wait returns when it is time for a look; false when ctx ended.
func (w *ruleWatch) wait(ctx context.Context) bool {
	every := pollAlone
	var events <-chan fsnotify.Event
	var failed <-chan error
	if w.system != nil {
		events, failed = w.system.Events, w.system.Errors
		if w.all {
			every = pollTold
		}
	}
	t := time.NewTimer(every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case ev := <-events:
			if w.matters(ev) {
				return true
			}
		case err := <-failed: // events may have been lost: look
			w.log.Warn("watching rule files", "err", err)
			return true
		case <-t.C:
			return true
		}
	}
}

// matters says whether what the system tells is about a rule file; a log may lie
// beside it.
func (w *ruleWatch) matters(ev fsnotify.Event) bool {
	name := filepath.Clean(ev.Name)
	if ev.Has(fsnotify.Remove) || ev.Has(fsnotify.Rename) {
		delete(w.told, name) // what comes in its place is watched anew
	}
	return w.files[name] || w.whole[name] || w.whole[filepath.Dir(name)]
}

// look returns a number that changes with any file below the places, and asks the
// system to tell about folders it has not been asked about.
func (w *ruleWatch) look(places []string) uint64 {
	var h maphash.Hash
	h.SetSeed(w.seed)
	left := maxSignature
	w.newest = time.Time{}
	w.all = true
	for _, p := range places {
		p = filepath.Clean(p)
		_, _ = h.WriteString(p) // never fails
		if st, err := os.Stat(p); err != nil || !st.IsDir() {
			w.files[p] = true
			if _, missing := os.Stat(filepath.Dir(p)); missing == nil {
				w.tell(filepath.Dir(p))
			}
			w.sign(&h, p, st)
			continue
		}
		if to, err := filepath.EvalSymlinks(p); err == nil && to != p { // a link to a folder is not walked
			w.files[p] = true
			w.tell(filepath.Dir(p))
			p = to
		}
		_ = filepath.WalkDir(p, func(path string, d fs.DirEntry, err error) error { // what cannot be read is said by the loader
			if left--; left < 0 {
				return fs.SkipAll
			}
			if err != nil {
				return nil
			}
			st, err := os.Stat(path)
			if d.IsDir() {
				w.whole[path] = true
				w.tell(path)
			}
			if err == nil {
				w.sign(&h, path, st)
			}
			return nil
		})
	}
	return h.Sum64()
}

// sign adds a file or folder, nil when it is not there, to the signature.
func (w *ruleWatch) sign(h *maphash.Hash, path string, st fs.FileInfo) {
	_, _ = h.WriteString(path) // never fails
	if st == nil {
		return
	}
	if st.ModTime().After(w.newest) {
		w.newest = st.ModTime()
	}
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:], uint64(st.Size()))
	binary.LittleEndian.PutUint64(b[8:], uint64(st.ModTime().UnixNano()))
	_, _ = h.Write(b[:])
}

// tell asks the system to tell about changes in a folder.
func (w *ruleWatch) tell(dir string) {
	if w.told[dir] {
		return
	}
	if w.system == nil || len(w.told) >= maxWatched || w.system.Add(dir) != nil {
		w.all = false
		return
	}
	w.told[dir] = true
}
