package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// smallDisk is a file system of its own for a folder, which can be filled.
type smallDisk struct{ dir string }

// mountSmall puts a small file system in a folder; without the right to, the test
// is skipped.
func mountSmall(t *testing.T, dir string) smallDisk {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("bartizan", dir, "tmpfs", 0, "size=4m,mode=0700"); err != nil {
		t.Skipf("a small file system cannot be mounted (%v): run this as root; skipped", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	return smallDisk{dir}
}

// fill leaves no room; free undoes it.
func (d smallDisk) fill(t *testing.T) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(d.dir, "ballast"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	page := make([]byte, 4<<10)
	for {
		if _, err := f.Write(page); errors.Is(err, syscall.ENOSPC) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func (d smallDisk) free(t *testing.T) {
	t.Helper()
	if err := os.Remove(filepath.Join(d.dir, "ballast")); err != nil {
		t.Fatal(err)
	}
}

// saying is how often a file has a text now.
func (b *bench) saying(name, text string) int {
	got, _ := os.ReadFile(b.path(name)) // not there yet: nothing is said
	return strings.Count(string(got), text)
}

// TestFullDiskLosesNothing fills the disk the board lies on, under load; the engine
// waits until there is room, also one that was killed meanwhile: then every hit is
// counted once and every line was printed.
func TestFullDiskLosesNothing(t *testing.T) {
	g := newRig(t, everyFailure)
	disk := mountSmall(t, g.state)
	g.put("near.log", "")
	g.args = append(g.args, g.path("near.log"), "--log", g.path("engine.log"))
	g.startAgent()
	g.startEngine()
	s := g.scribble(g.r.Uint64(), "near.log", "far.log")
	full := 0
	for i := range faults(t, 2) {
		g.answers() // one that begins on a full disk says so and ends
		g.pause(s)
		disk.fill(t)
		before, more := full, s.count.Load()+4000
		g.until("the board is full, or has had room left in its own file", func() bool {
			full = g.saying("engine.log", "reading waits")
			return full > before || s.count.Load() > more
		})
		g.pause(s)
		if i%2 == 0 {
			kill(g.engine, syscall.SIGKILL)
		}
		disk.free(t)
		if i%2 == 0 {
			g.startEngine()
		}
	}
	if full == 0 {
		t.Error("the board never was without room")
	}
	s.stop()
	sources := map[string]string{"near.log": "near.log", "far.log": "web-1/far"}
	g.await(s, sources)
	s.compare(t, g.alerts())
	kill(g.engine, syscall.SIGTERM)
	g.compare(s, sources, true)
	g.must(g.onBoard("audit", "verify")...)
}

// TestFullDiskAtTheAgent fills the disk of the spool: the pipe is not read until there
// is room, and nothing of it is lost.
func TestFullDiskAtTheAgent(t *testing.T) {
	g := newRig(t, everyFailure)
	disk := mountSmall(t, g.path("spool"))
	p := g.newPipe(t, "pipe")
	g.agentServes("[spool]\ndir = %q\nmax_bytes = \"64MiB\"\n[[stream]]\nid = \"pipe\"\nfifo = %q\n", g.path("spool"), g.path("pipe"))
	g.startAgent()
	g.startEngine()
	sources := map[string]string{"pipe": "web-1/pipe"}
	p.write(t, 100)
	g.await(p.s, sources)
	disk.fill(t)
	wrote := make(chan error, 1)
	go func() { wrote <- p.lines(3000) }() // more than a pipe holds
	g.until("the agent says what is wrong", func() bool { return g.saying("agent.err", "no space left") > 0 })
	disk.free(t)
	if err := <-wrote; err != nil {
		t.Fatal(err)
	}
	g.await(p.s, sources)
	p.s.compare(t, g.alerts())
	kill(g.engine, syscall.SIGTERM)
	g.compare(p.s, sources, true)
}
