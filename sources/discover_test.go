package sources

import (
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// discoverOnce returns the base names of what a static discovery finds.
func discoverOnce(t *testing.T, opt Options, patterns ...string) ([]string, error) {
	t.Helper()
	var got []string
	err := Discover(context.Background(), patterns, opt, func(o Opened) {
		if o.Info.Live || o.Info.ID == "" || o.Source == nil {
			t.Errorf("opened as %+v", o.Info)
		}
		got = append(got, filepath.Base(o.Info.Path))
	})
	slices.Sort(got)
	return got, err
}

func TestDiscoverStatic(t *testing.T) {
	d := newFolder(t)
	d.do(os.MkdirAll(d.path("sub/deep"), 0o755))
	for name, text := range map[string]string{"a.log": "x\n", "a.log.1": "y\n", "sub/b.json": "{}\n", "sub/deep/c.log": "z\n", "binary": "\x7fELF\x00\x00", "empty": ""} {
		d.add(name, text)
	}
	w := d.open("old.log.2.gz")
	z := gzip.NewWriter(w)
	fmt.Fprintln(z, "zipped")
	d.do(z.Close())
	d.do(w.Close())
	d.do(os.Symlink("a.log", d.path("z-link.log")))
	d.do(os.Link(d.path("a.log"), d.path("z-hard.log")))
	for name, c := range map[string]struct {
		opt      Options
		patterns []string
		want     string
	}{
		"directory":      {Options{}, []string{d.dir}, "a.log a.log.1 b.json c.log empty old.log.2.gz"},
		"glob":           {Options{}, []string{d.path("**/*.log")}, "a.log c.log"},
		"twice":          {Options{}, []string{d.path("a.log"), d.path("*.log"), d.path("z-link.log")}, "a.log"},
		"exclude":        {Options{Exclude: []string{d.path("sub/**")}}, []string{d.path("**/*.{log,json}")}, "a.log"},
		"binary by name": {Options{}, []string{d.path("binary")}, "binary"},
	} {
		got, err := discoverOnce(t, c.opt, c.patterns...)
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, c.want)
		}
	}
	if _, err := discoverOnce(t, Options{}, d.path("nothing"), d.path("a.log")); err == nil || !strings.Contains(err.Error(), "nothing") {
		t.Errorf("a missing path: %v", err)
	}
	if _, err := discoverOnce(t, Options{}, d.path("[a")); err == nil || !strings.Contains(err.Error(), "brackets") {
		t.Errorf("a bad pattern: %v", err)
	}
	if _, err := discoverOnce(t, Options{}, "/dev/null"); err == nil {
		t.Error("a device was opened")
	}
}

// finder is a following discovery that is told when to look again.
type finder struct {
	tick  chan time.Time
	looks chan int
	found []Opened
}

func follows(t *testing.T, opt Options, patterns ...string) *finder {
	t.Helper()
	f := &finder{tick: make(chan time.Time), looks: make(chan int)}
	opt.Follow, opt.Tick = true, f.tick
	ctx, cancel := context.WithCancel(context.Background())
	opt.Scanned = func(n int, err error) {
		if err != nil {
			t.Error(err)
		}
		select {
		case f.looks <- n:
		case <-ctx.Done():
		}
	}
	done := make(chan error, 1)
	go func() { done <- Discover(ctx, patterns, opt, func(o Opened) { f.found = append(f.found, o) }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	<-f.looks
	return f
}

// again looks once more and returns the base names found so far.
func (f *finder) again() string {
	f.tick <- time.Time{}
	<-f.looks
	var names []string
	for _, o := range f.found {
		names = append(names, filepath.Base(o.Info.Path))
	}
	return strings.Join(names, " ")
}

func TestDiscoverFollows(t *testing.T) {
	d := newFolder(t)
	d.add("a.log", "old\n")
	d.add("a.log.1", "older\n")
	d.do(os.Mkdir(d.path("sub"), 0o755))
	f := follows(t, Options{File: FileOptions{Start: StartEnd, Grace: testGrace}}, d.path("*.log*"), d.path("sub"), d.path("later.txt"))
	if got := f.again(); got != "a.log later.txt" {
		t.Fatalf("found %q", got)
	}
	d.add("b.log", "new\n")
	d.add("sub/s.log", "")
	if got := f.again(); got != "a.log later.txt b.log s.log" {
		t.Fatalf("found %q", got)
	}
	begin(t, f.found[2].Source, "").expect("new") // from its beginning: it appeared later
	d.rename("a.log", "a-20260102.log")
	d.add("a.log", "x\n")
	d.rename("b.log", "c.log") // moved, and still followed by its inode
	d.do(os.Symlink("a.log", d.path("link.log")))
	if got := f.again(); got != "a.log later.txt b.log s.log" {
		t.Fatalf("found %q", got)
	}
	d.add("b.log", "y\n")
	if got := f.again(); got != "a.log later.txt b.log s.log" {
		t.Fatalf("found %q", got)
	}
}

func TestOlderName(t *testing.T) {
	for name, want := range map[string]bool{
		"auth.log": false, "auth.log.1": true, "auth.log.2.gz": true, "auth.log-20260102": true, "app-20260102.log": true,
		"app.log.old": true, "web-01.log": false, "host-10.2.3.4.log": true, "x.zst": true, "messages": false, "access_log": false, "log~": true,
		"0.log": false, "eve.json": false, "v1.2": true,
	} {
		if olderName(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
	for _, c := range []struct {
		base, name string
		want       bool
	}{
		{"auth.log", "auth.log.1", true},
		{"auth.log", "auth-20260102.log", true},
		{"auth.log", "auth.1.log", true},
		{"auth.log", "auth.log.1.gz", false},
		{"auth.log", "auth.log.conf", false},
		{"auth.log", "authority.log", false},
		{"messages", "messages-20260102", true},
		{"0.log", "0.log.20260102-030405", true},
		{"auth.log", "auth.log", false},
		{"auth.log", "auth.log.1.gz", false},
		{"a", "b.1", false},
	} {
		if Rotated(c.base, c.name) != (c.want || c.name == "auth.log.1.gz") {
			t.Errorf("Rotated: %s beside %s: %v", c.name, c.base, c.want)
		}
		if rotatedName(c.base, c.name) != c.want {
			t.Errorf("%s beside %s: %v", c.name, c.base, !c.want)
		}
	}
}

func TestLocal(t *testing.T) {
	d := newFolder(t)
	for _, name := range []string{"/var/log/auth.log", "/var/log/auth.log.1", "/var/log/nginx/access.log", "/var/log/nginx/access.log.2.gz", "/var/log/journal/ab/system.journal"} {
		d.do(os.MkdirAll(filepath.Dir(d.path(name)), 0o755))
		d.add(name, "x\n")
	}
	d.do(os.Symlink("auth.log", d.path("/var/log/secure")))
	bin := t.TempDir()
	t.Setenv("PATH", bin)
	got := Local(d.dir)
	if len(got) != 3 || got[0].Kind != "journald" || got[0].Readable || !strings.Contains(got[0].Reason, "not installed") {
		t.Fatalf("%+v", got)
	}
	if got[1].Path != d.path("/var/log/auth.log") || !got[1].Readable || got[2].Path != d.path("/var/log/nginx/access.log") {
		t.Errorf("%+v", got[1:])
	}
	d.do(os.WriteFile(filepath.Join(bin, "journalctl"), []byte("#!/bin/sh\n"), 0o755))
	if got := Local(d.dir); !got[0].Readable || got[0].Reason != "" {
		t.Errorf("the journal: %+v", got[0])
	}
	if got := Local(t.TempDir()); len(got) != 0 {
		t.Errorf("an empty host has %+v", got)
	}
}

func TestCandidateSaysWhyItIsSkipped(t *testing.T) {
	d := newFolder(t)
	d.add("log", "x\n")
	deny := func(p string) (*os.File, error) {
		return nil, &os.PathError{Op: "open", Path: p, Err: os.ErrPermission}
	}
	d.do(os.Chmod(d.path("log"), 0o640))
	if c := candidate(d.path("log"), deny); c.Readable || !strings.Contains(c.Reason, "permission denied: add yourself to group ") {
		t.Errorf("%+v", c)
	}
	d.do(os.Chmod(d.path("log"), 0o600))
	if c := candidate(d.path("log"), deny); !strings.Contains(c.Reason, "only its owner may read it") {
		t.Errorf("%+v", c)
	}
	if c := candidate(d.dir, openRegular); c.Readable || !strings.Contains(c.Reason, "no regular file") {
		t.Errorf("%+v", c)
	}
}
