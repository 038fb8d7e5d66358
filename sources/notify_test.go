package sources

import (
	"errors"
	"testing"
	"time"

	"bartizan/event"
)

// heatOf says whether the directory is hot.
func heatOf(dir string) bool {
	wakers.mu.Lock()
	defer wakers.mu.Unlock()
	d := wakers.dirs[dir]
	return d != nil && !d.hot.IsZero()
}

// TestHotDirectory changes a directory so often that the kernel is not asked any
// more, checks that lines still come, and that it is asked again later.
func TestHotDirectory(t *testing.T) {
	d := newFolder(t)
	d.add("log", "")
	s := begin(t, NewFile(d.path("log"), FileOptions{}), "")
	if c := s.state(event.SourceLive); c.Reason != "" {
		t.Skip("no inotify here: " + c.Reason)
	}
	w, other := d.open("log"), d.open("other")
	defer func() { _ = w.Close(); _ = other.Close() }()
	n := 0
	for end := time.Now().Add(deadline); !heatOf(d.dir); n++ {
		if time.Now().After(end) {
			t.Fatalf("%d changes did not make the directory hot", n)
		}
		d.put(w, "x\n")
		d.put(other, "x\n") // equal events that follow each other are one to the kernel
	}
	d.put(w, "last\n")
	s.until("all lines", func() bool { return len(s.lines) == n+1 && s.lines[n] == "last" })
	wakers.heat(time.Now().Add(2 * hotFor))
	if heatOf(d.dir) {
		t.Error("the directory stays hot")
	}
	d.add("log", "after\n")
	s.until("the line after", func() bool { return len(s.lines) == n+2 })
}

// TestWithoutInotify shows what is said when the kernel has no instance left.
func TestWithoutInotify(t *testing.T) {
	w := &waker{}
	u := w.join(false)
	defer w.leave(u)
	w.mu.Lock()
	n := w.notify
	w.notify = nil
	w.mu.Unlock()
	if err := w.watch(u, "/x/log"); !errors.Is(err, errNoInotify) {
		t.Errorf("%v", err)
	}
	w.mu.Lock()
	w.notify = n
	w.mu.Unlock()
	if err := w.watch(u, "/does/not/exist/log"); err == nil {
		t.Error("a directory that is not there is watched")
	}
}
