package sources

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

// lookEvery is the longest a follower goes without looking at its file.
const lookEvery = 250 * time.Millisecond

// A directory with more than hotEvents changes in lookEvery costs more to be told
// about than to look at: for hotFor its files are looked at instead, every
// hotLook for each of them, but at least every hotMost. It is so for twice as long,
// up to hottest, when it turns out to be as busy as before.
const (
	hotEvents = 500
	hotFor    = 2 * time.Second
	hottest   = 16 * time.Second
	hotLook   = 250 * time.Microsecond
	hotMost   = 20 * hotLook
)

// watchAgain is how often the kernel is asked again to tell about a directory
// when it could not; sayOverrun is how long it is said that its queue ran over.
const (
	watchAgain = time.Minute
	sayOverrun = time.Minute
)

// waker wakes followers: when the kernel reports a change in their directories,
// and every lookEvery in any case. One inotify instance and one goroutine serve
// the whole process, because the number of instances is limited per user. Both
// end with the last follower.
type waker struct {
	mu     sync.Mutex
	dirs   map[string]*watched
	all    map[*wakeup]bool
	notify *fsnotify.Watcher
	add    func(dir string) error // notify.Add, but for tests
	stop   chan struct{}
	ended  chan struct{}
	alarm  *alarm       // of run; nil before anything was hot
	over   atomic.Int64 // when the kernel's queue last ran over, Unix nanoseconds
}

// watched is a directory the kernel tells about.
type watched struct {
	users map[*wakeup]bool
	n     int           // changes since the last tick
	hot   time.Time     // until when the kernel is not asked; zero: it is
	heat  time.Duration // how long it was not asked the last time; 0: it was not busy since
	asked bool          // the kernel was asked all the time since the last tick
}

// wakeup is one follower's place at the waker.
type wakeup struct {
	c     chan struct{} // poked, capacity one
	dirs  []string
	names map[string]bool // base names that matter; others wake nobody
	quiet bool            // only by the clock
}

var wakers = &waker{}

// join adds a follower; it must leave.
func (w *waker) join(quiet bool) *wakeup {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.all) == 0 {
		w.start()
	}
	u := &wakeup{c: make(chan struct{}, 1), quiet: quiet}
	w.all[u] = true
	return u
}

func (w *waker) start() {
	w.all, w.dirs = map[*wakeup]bool{}, map[string]*watched{}
	w.stop, w.ended = make(chan struct{}), make(chan struct{})
	n, err := fsnotify.NewWatcher()
	if err != nil {
		n = nil // every follower then says that it is polling
	}
	w.notify = n
	if n != nil {
		w.add = n.Add
	}
	go w.run(n, w.stop, w.ended)
}

// watch makes changes of the named files wake u, instead of what it watched
// before. The error says why the kernel does not tell; the clock still does.
func (w *waker) watch(u *wakeup, paths ...string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forget(u)
	u.names = map[string]bool{}
	if u.quiet {
		return errPolling
	}
	if w.notify == nil {
		return errNoInotify
	}
	for _, p := range paths {
		dir := filepath.Dir(p)
		u.names[filepath.Base(p)] = true
		if w.dirs[dir] == nil {
			if err := w.add(dir); err != nil {
				return watchError(dir, err)
			}
			w.dirs[dir] = &watched{users: map[*wakeup]bool{}}
		}
		w.dirs[dir].users[u] = true
		u.dirs = append(u.dirs, dir)
	}
	return nil
}

// forget ends u's watches. The lock is held.
func (w *waker) forget(u *wakeup) {
	for _, dir := range u.dirs {
		d := w.dirs[dir]
		if d == nil {
			continue
		}
		delete(d.users, u)
		if len(d.users) == 0 {
			delete(w.dirs, dir)
			_ = w.notify.Remove(dir) // not watched while hot, or gone with its directory
		}
	}
	u.dirs = nil
}

// leave removes u. After the last one nothing runs any more.
func (w *waker) leave(u *wakeup) {
	w.mu.Lock()
	w.forget(u)
	delete(w.all, u)
	if len(w.all) > 0 {
		w.mu.Unlock()
		return
	}
	close(w.stop)
	ended := w.ended
	w.mu.Unlock()
	<-ended
}

func (w *waker) run(n *fsnotify.Watcher, stop, ended chan struct{}) {
	defer close(ended)
	defer w.cool()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var events <-chan fsnotify.Event
	var errs <-chan error
	if n != nil {
		defer func() { _ = n.Close() }()
		events, errs = n.Events, n.Errors
	}
	var fast <-chan time.Time
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
			w.pokeAll()
			fast = w.heat(time.Now())
			w.calm()
		case <-fast:
			fast = w.pokeHot()
		case err := <-errs:
			if err != nil { // something happened, unknown where
				w.over.Store(time.Now().UnixNano())
				w.pokeAll()
			}
		case e := <-events:
			if w.poke(filepath.Dir(e.Name), filepath.Base(e.Name)) {
				fast = w.heat(time.Now())
			}
		}
	}
}

// overran says whether the kernel's queue of changes ran over lately.
func (w *waker) overran() bool {
	at := w.over.Load()
	return at != 0 && time.Since(time.Unix(0, at)) < sayOverrun
}

// watchError says what is short when a directory cannot be watched (inotify(7)).
func watchError(dir string, err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return errNoWatch
	}
	return fmt.Errorf("%s cannot be watched: %w", dir, err)
}

// poke wakes who waits for name in dir. True: there are too many changes in dir.
func (w *waker) poke(dir, name string) (busy bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	d := w.dirs[dir]
	if d == nil {
		return false
	}
	d.n++
	for u := range d.users {
		if u.names[name] {
			u.poke()
		}
	}
	return d.n > hotEvents && d.hot.IsZero()
}

// heat stops being told about busy directories and begins again with those that
// have been hot for long enough. It returns when to look at the hot ones.
func (w *waker) heat(now time.Time) <-chan time.Time {
	w.mu.Lock()
	for dir, d := range w.dirs {
		switch {
		case d.hot.IsZero() && d.n > hotEvents:
			d.heat = min(max(2*d.heat, hotFor), hottest)
			d.hot = now.Add(d.heat)
			_ = w.notify.Remove(dir) // gone with its directory already
		case !d.hot.IsZero() && now.After(d.hot) && w.add(dir) == nil:
			d.hot = time.Time{}
		}
	}
	w.mu.Unlock()
	return w.pokeHot()
}

// calm begins to count changes anew.
func (w *waker) calm() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, d := range w.dirs {
		if d.hot.IsZero() && d.n < hotEvents/2 && d.asked {
			d.heat = 0
		}
		d.n, d.asked = 0, d.hot.IsZero()
	}
}

// pokeHot wakes who waits for files in hot directories and returns when to do
// it again, nil when there are none.
func (w *waker) pokeHot() <-chan time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	files := 0
	for _, d := range w.dirs {
		if d.hot.IsZero() {
			continue
		}
		files += len(d.users)
		for u := range d.users {
			u.poke()
		}
	}
	if files == 0 {
		return nil
	}
	if w.alarm == nil {
		w.alarm = newAlarm()
	}
	return w.alarm.after(min(time.Duration(files)*hotLook, hotMost))
}

func (w *waker) pokeAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for u := range w.all {
		u.poke()
	}
}

func (u *wakeup) poke() {
	select {
	case u.c <- struct{}{}:
	default:
	}
}

// cool gives back what hot directories need.
func (w *waker) cool() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.alarm != nil {
		w.alarm.close()
		w.alarm = nil
	}
}
