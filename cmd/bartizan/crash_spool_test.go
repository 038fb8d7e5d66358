package main

import (
	"os"
	"syscall"
	"testing"
)

// pipe is a named pipe into which numbered lines are written.
type pipe struct {
	f *os.File
	s *scribe
}

func (g *rig) newPipe(t *testing.T, name string) *pipe {
	t.Helper()
	if err := syscall.Mkfifo(g.path(name), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(g.path(name), os.O_RDWR, 0) // so that it does not break without a reader
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return &pipe{f, &scribe{last: map[string]int{}, from: map[string]uint64{}}}
}

func (p *pipe) write(t *testing.T, n int) {
	t.Helper()
	if err := p.lines(n); err != nil {
		t.Fatal(err)
	}
}

// lines writes n lines; it waits while the pipe is full.
func (p *pipe) lines(n int) error {
	for range n {
		if _, err := p.f.WriteString(p.s.line("pipe") + "\n"); err != nil {
			return err
		}
	}
	return nil
}

// TestSpooledLinesSurvive: what came out of a pipe is at the agent once, and stays
// there when consoles and the agent itself are killed: each console gets every line
// once and in order, whenever it comes, and every hit counts once.
func TestSpooledLinesSurvive(t *testing.T) {
	g := newRig(t, everyFailure)
	p := g.newPipe(t, "pipe")
	g.agentServes("health = \"10s\"\n[spool]\ndir = %q\nmax_bytes = \"1MiB\"\n[[stream]]\nid = \"pipe\"\nfifo = %q\n", g.path("spool"), g.path("pipe"))
	g.startAgent()
	g.startEngine()
	sources := map[string]string{"pipe": "web-1/pipe"}
	for range faults(t, 3) {
		p.write(t, 1+g.r.IntN(300))
		g.await(p.s, sources) // so it is in the spool
		kill(g.engine, syscall.SIGKILL)
		p.write(t, 1+g.r.IntN(300)) // while no console is there
		g.startEngine()
		g.await(p.s, sources)
		kill(g.agent, syscall.SIGKILL)
		g.startAgent()
	}
	p.write(t, 10)
	g.await(p.s, sources)
	p.s.compare(t, g.alerts())
	kill(g.engine, syscall.SIGTERM)
	g.compare(p.s, sources, true)

	kill(g.agent, syscall.SIGKILL)
	g.startAgent()
	g.state = g.path("other") // a console that has never been there
	g.out = &records{path: g.put("other.ndjson", ""), lines: map[string]*arrived{}, ids: map[string]string{}}
	g.args = g.onBoard("watch", "--records", "--agent", g.cable.addr, "--certs", g.path("certs"))
	g.startEngine()
	g.await(p.s, sources)
	p.s.compare(t, g.alerts())
	g.until("the host's health is printed", func() bool { g.out.more(t); return len(g.out.of("web-1/health").numbers) > 0 })
	kill(g.engine, syscall.SIGTERM)
	g.compare(p.s, sources, true)
}
