package sources

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"

	"bartizan/event"
)

// stepped makes a stepper on d's log whose time stands until it is moved.
func stepped(t *testing.T, d folder, o FileOptions) (*stepper, *jumpClock) {
	t.Helper()
	c := &jumpClock{}
	o.Clock, o.stat, o.Grace = c, c.stat, time.Second
	s := newStepper(t, d.path("log"), o, "")
	t.Cleanup(s.close)
	s.step(t)
	return s, c
}

// got returns all lines sent.
func (s *stepper) got() string {
	var all []string
	for _, sh := range s.sent {
		all = append(all, sh.lines...)
	}
	return strings.Join(all, " ")
}

func (s *stepper) last() Condition { return s.conds[len(s.conds)-1] }

// TestEndlessLine reads a line of 64 MiB: what is held stays small.
func TestEndlessLine(t *testing.T) {
	d := newFolder(t)
	d.add("log", "")
	s, _ := stepped(t, d, FileOptions{})
	piece := strings.Repeat("x", 1<<20)
	for range 64 {
		d.add("log", piece)
		s.step(t)
		if n := len(s.w.gens[0].framer.blk.buf); n > 4*MaxRecord {
			t.Fatalf("the framer holds %d bytes", n)
		}
	}
	d.add("log", "\nnext\n")
	s.step(t)
	s.step(t)
	if got := s.got(); len(got) != MaxRecord+len(" next") {
		t.Errorf("%d bytes came", len(got))
	}
}

// TestWriterMovesOnLate writes to the renamed file long after the grace time:
// while the new file is empty the writer has not moved on.
func TestWriterMovesOnLate(t *testing.T) {
	d := newFolder(t)
	d.add("log", "one\n")
	old := d.open("log")
	defer func() { _ = old.Close() }()
	s, c := stepped(t, d, FileOptions{})
	d.rename("log", "log.1")
	d.add("log", "")
	for range 5 {
		s.step(t)
		c.ahead += time.Hour
	}
	d.put(old, "late\n")
	s.step(t)
	d.add("log", "new\n")
	s.step(t)
	c.ahead += 2 * time.Second
	s.step(t)
	if got := s.got(); got != "one late new" || len(s.w.gens) != 1 {
		t.Errorf("%q came, %d files are held", got, len(s.w.gens))
	}
}

// TestInodeUsedAgain lets a generation that is rotated unseen have the inode of
// one that was read and deleted.
func TestInodeUsedAgain(t *testing.T) {
	d := newFolder(t)
	d.add("log", "one\n")
	s, c := stepped(t, d, FileOptions{})
	d.rename("log", "log.1")
	d.add("log", "two\n")
	s.step(t)
	c.ahead += 2 * time.Second
	s.step(t) // log.1 is let go
	fi, err := os.Stat(d.path("log.1"))
	d.do(err)
	d.remove("log.1")
	var spare []string
	for range 200 { // until the file system gives the number again
		d.add("fresh", "three\n")
		now, err := os.Stat(d.path("fresh"))
		d.do(err)
		if statID(now) == statID(fi) {
			break
		}
		spare = append(spare, d.path("fresh")+time.Now().Format(".150405.000000000"))
		d.do(os.Rename(d.path("fresh"), spare[len(spare)-1]))
	}
	if _, err := os.Stat(d.path("fresh")); errors.Is(err, fs.ErrNotExist) {
		t.Skip("this file system does not use inode numbers again soon")
	}
	d.rename("log", "log.2")
	d.rename("fresh", "log.1")
	d.add("log", "four\n")
	s.step(t)
	if got := s.got(); got != "one two three four" {
		t.Errorf("%q came", got)
	}
}

// TestNetworkFileSystem says that the file is polled, and asks the server each time.
func TestNetworkFileSystem(t *testing.T) {
	d := newFolder(t)
	d.add("log", "one\n")
	opened := 0
	s, _ := stepped(t, d, FileOptions{
		network: func(string) string { return "NFS" },
		Open:    func(p string) (*os.File, error) { opened++; return openRegular(p) },
	})
	before := opened
	d.add("log", "two\n")
	s.step(t)
	if c := s.last(); c.State != event.SourceLive || !strings.Contains(c.Reason, "network file system (NFS)") {
		t.Errorf("%+v", c)
	}
	if s.got() != "one two" || opened <= before {
		t.Errorf("%q came; opened %d times, then %d", s.got(), before, opened)
	}
	if kind := networkFS(d.dir); kind != "" {
		t.Logf("the test's own folder lies on %s", kind)
	}
}

// TestVanished deletes and renames a log whose writer goes on.
func TestVanished(t *testing.T) {
	for what, gone := range map[string]func(folder){
		"was deleted": func(d folder) { d.remove("log") },
		"was renamed": func(d folder) { d.rename("log", "elsewhere") },
	} {
		d := newFolder(t)
		d.add("log", "one\n")
		writer := "\"sshd\" (pid 7)"
		s, c := stepped(t, d, FileOptions{writer: func(event.FileID) string { return writer }})
		gone(d)
		s.step(t)
		if x := s.last(); x.State != event.SourceGone || x.Flags != 0 {
			t.Errorf("%s, at once: %+v", what, x)
		}
		c.ahead += 2 * time.Second
		s.step(t)
		if x := s.last(); x.Flags != event.FlagVanished || !strings.Contains(x.Reason, what+" while \"sshd\" (pid 7) still writes") {
			t.Errorf("%s: %+v", what, x)
		}
		writer = ""
		c.ahead += time.Minute
		s.step(t)
		if x := s.last(); x.State != event.SourceGone || x.Flags != 0 {
			t.Errorf("%s, and its writer ended: %+v", what, x)
		}
		d.add("log", "two\n")
		s.step(t)
		if x := s.last(); x.State != event.SourceLive || s.got() != "one two" {
			t.Errorf("%s, and back: %+v, %q", what, x, s.got())
		}
	}
}

// TestShrunk truncates a log: the loss says what kind it is.
func TestShrunk(t *testing.T) {
	d := newFolder(t)
	d.add("log", "one\ntwo\n")
	s, _ := stepped(t, d, FileOptions{})
	d.truncate("log")
	s.step(t)
	s.step(t)
	if s.flags() != event.FlagShrank {
		t.Errorf("flags %b", s.flags())
	}
}

// TestQueueOverrun makes the kernel's queue of changes run over.
func TestQueueOverrun(t *testing.T) {
	d := newFolder(t)
	d.add("log", "one\n")
	s := begin(t, NewFile(d.path("log"), FileOptions{}), "")
	if c := s.state(event.SourceLive); c.Reason != "" {
		t.Skip("no inotify here: " + c.Reason)
	}
	wakers.mu.Lock()
	errs := wakers.notify.Errors
	wakers.mu.Unlock()
	errs <- fsnotify.ErrEventOverflow
	defer wakers.over.Store(0)
	s.until("that it is said", func() bool {
		return strings.Contains(s.conds[len(s.conds)-1].Reason, "fs.inotify.max_queued_events")
	})
	d.add("log", "two\n")
	s.expect("one", "two")
}

// TestNoWatchFree follows a file in a directory for which no watch is left.
func TestNoWatchFree(t *testing.T) {
	w := &waker{}
	u := w.join(false)
	defer w.leave(u)
	w.mu.Lock()
	w.add = func(dir string) error { return &fs.PathError{Op: "watch", Path: dir, Err: syscall.ENOSPC} }
	w.mu.Unlock()
	if err := w.watch(u, filepath.Join(t.TempDir(), "log")); !errors.Is(err, errNoWatch) {
		t.Errorf("%v", err)
	}
}

// TestRegrownPastItsCopy copies and truncates a log that grows past its old size
// before the next look: all of it is in the copy, so nothing is said to be lost.
func TestRegrownPastItsCopy(t *testing.T) {
	d := newFolder(t)
	d.add("log", "one\ntwo\n")
	s, _ := stepped(t, d, FileOptions{})
	s.step(t)
	d.add("log.1", "one\ntwo\n")
	d.do(os.Truncate(d.path("log"), 0))
	d.add("log", "three, which is longer than both\nfour\n")
	for range 4 {
		s.step(t)
	}
	if got := s.got(); got != "one two three, which is longer than both four" {
		t.Errorf("%q came", got)
	}
	for _, sh := range s.sent {
		for _, r := range sh.lost {
			t.Errorf("said to be lost: %s", r.Raw)
		}
	}
}

// TestTornRead overwrites a file while it is being read: what was read first is of
// before, the rest is not, and only the first counts.
func TestTornRead(t *testing.T) {
	d := newFolder(t)
	d.add("log", "one\ntwo\nthree\n")
	for _, c := range []struct {
		now, read string
		want      int
	}{
		{"", "one\ntwo\nthree\n", 14},
		{"1\n", "one\ntwo\nthree\n", 14},
		{"ONE\nTWO\nTHREE\n", "one\ntwo\nthree\n", 13}, // the last line end may be either's: the copy has it too
		{"ONE\nTWO\nTHREE\nFOUR\n", "one\ntwo\nTHREE\n", 7},
		{"ONE\nTWO\nTHREE\nFOUR\n", "ONE\nTWO\nTHREE\n", 0},
	} {
		d.do(os.WriteFile(d.path("log"), []byte(c.now), 0o644))
		f, err := os.Open(d.path("log"))
		d.do(err)
		g := generation{fd: int(f.Fd())}
		if got := g.older([]byte(c.read), 0); got != c.want {
			t.Errorf("%d bytes of %q count where the file has %q, want %d", got, c.read, c.now, c.want)
		}
		d.do(f.Close())
	}
}
