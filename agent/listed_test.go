package agent

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestAwaitTellsOfStreamsAtOnce: who waits for the catalog hears of a stream that
// comes, and of one that is another file, without waiting for the rest of the time;
// of sizes later; and of nothing else.
func TestAwaitTellsOfStreamsAtOnce(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("a.log", "a\n")
	c, err := newCatalog([]StreamConfig{{ID: "logs", Path: filepath.Join(dir, "*.log")}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.scan()
	for _, change := range []struct {
		name string
		wait time.Duration
		make func()
	}{
		{"a stream comes", time.Hour, func() { put("b.log", "b\n") }},
		{"a stream is another file", time.Hour, func() {
			put("c", "other\n")
			if err := os.Rename(filepath.Join(dir, "c"), filepath.Join(dir, "b.log")); err != nil {
				t.Fatal(err)
			}
		}},
		{"a stream goes", time.Hour, func() {
			if err := os.Remove(filepath.Join(dir, "b.log")); err != nil {
				t.Fatal(err)
			}
		}},
		{"a size changes", 60 * time.Millisecond, func() { put("a.log", "longer\n") }},
		{"nothing changes", 3 * time.Millisecond, func() {}},
	} {
		before, _ := c.state()
		told := make(chan error, 1)
		go func() { told <- c.await(t.Context(), before, change.wait) }()
		change.make()
		c.scan()
		select {
		case err := <-told:
			if now, _ := c.state(); err != nil || (now == before) != (change.name == "nothing changes") {
				t.Errorf("%s: told with %v, digest %x after %x", change.name, err, now, before)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%s: not told", change.name)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	now, _ := c.state()
	if err := c.await(gone, now, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("a console that is gone: %v", err)
	}
}

// TestUnchangedFilesAreStillGuarded: a name that was served and then leads
// elsewhere is refused by the next look, whether or not that opens everything.
func TestUnchangedFilesAreStillGuarded(t *testing.T) {
	dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "shadow")
	path := filepath.Join(dir, "a.log")
	for _, p := range []string{path, outside} {
		if err := os.WriteFile(p, []byte("a\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := newCatalog([]StreamConfig{{ID: "a", Path: path}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range lookAnew + 2 {
		c.scan()
		if e := c.find("a"); e == nil || e.refused != "" || e.size != 2 {
			t.Fatalf("%+v", e)
		}
	}
	if err := errors.Join(os.Remove(path), os.Symlink(outside, path)); err != nil {
		t.Fatal(err)
	}
	c.scan()
	if e := c.find("a"); e == nil || e.refused == "" {
		t.Errorf("a link out of the root is served: %+v", e)
	}
}
