package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bartizan/agent"
	"bartizan/agent/agentpb"
	"bartizan/agent/certs"
	"bartizan/sources/remote"
	"bartizan/sources/ssh"
)

// serveOver names, in the environment of this test's binary, the logs it serves as
// an agent over standard input and output instead of running tests.
const serveOver = "BARTIZAN_TEST_SERVES"

// serveStdio is what ssh reaches on a host that has bartizan.
func serveStdio(pattern string) error {
	s, err := agent.New(agent.Config{
		Login: "ops", Now: time.Now, Rescan: 20 * time.Millisecond,
		Streams: []agent.StreamConfig{{ID: "logs", Path: pattern}},
	})
	if err != nil {
		return err
	}
	return s.ServeConn(context.Background(), agentpb.StdPipe())
}

// sshTo makes the engine read a host through an ssh that finds what answer, a line of
// shell, runs.
func (b *bench) sshTo(o *Options, host, answer string, paths ...string) {
	b.t.Helper()
	dir := b.t.TempDir()
	program := filepath.Join(dir, "ssh")
	if err := os.WriteFile(program, []byte("#!/bin/sh\nfor last; do :; done\n"+answer+"\n"), 0o700); err != nil {
		b.t.Fatal(err)
	}
	h, err := ssh.Open(ssh.Config{
		Target: ssh.Target{Host: host, Paths: paths}, Program: program, Tail: -1, Now: time.Now, Every: 20 * time.Millisecond,
		Backoff: func(int) time.Duration { return 5 * time.Millisecond },
	})
	if err != nil {
		b.t.Fatal(err)
	}
	o.Peers = append(o.Peers, h)
}

// listening makes the engine take the calls of agents, and returns where once it does.
func (f *farSide) listening(o *Options) <-chan string {
	f.t.Helper()
	trust, err := certs.Open(certs.ConsoleFiles(f.ca), time.Now)
	if err != nil {
		f.t.Fatal(err)
	}
	bound := make(chan string, 1)
	l, err := remote.Listen(remote.ListenConfig{
		Address: "127.0.0.1:0", TLS: trust.Server(), Listening: func(at string) { bound <- at },
		Peers: remote.Config{Tail: -1, Every: 20 * time.Millisecond, Backoff: func(int) time.Duration { return 5 * time.Millisecond }},
	})
	if err != nil {
		f.t.Fatal(err)
	}
	o.Peers = append(o.Peers, l)
	return bound
}

// call lets the agent call a console until the test ends.
func (f *farSide) call(at string) {
	f.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f.server.Dial(ctx, at, rand.Float64) }()
	f.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			f.t.Errorf("the agent ended with %v", err)
		}
	})
}

// TestSearchAsksAgentsThatCall: an agent that called in is asked as one that is
// dialled, and one that comes later is asked the next time.
func TestSearchAsksAgentsThatCall(t *testing.T) {
	b := newBench(t)
	one, two := newFar(t, b, "web-1", nil), newFar(t, b, "web-2", nil)
	b.write("web-1/a.log", at(3, "sshd[1]: from 203.0.113.9 on one"))
	b.write("web-1/a.log.1", at(1, "sshd[1]: from 203.0.113.9 on one, rotated"))
	b.write("web-2/b.log", at(2, "sshd[1]: from 203.0.113.9 on two"))
	var bound <-chan string
	b.opt = func(o *Options) { bound = one.listening(o) }
	r := b.start()
	where := <-bound
	one.call(where)
	r.until("the first agent's record", func() bool { return len(r.lines()) == 1 })
	found, last := r.ask(`"203.0.113.9"`, time.Time{}, time.Time{})
	if len(found) != 2 || !strings.Contains(found[0], "agent:web-1/logs/a.log from 203.0.113.9 on one, rotated") || last.Agents.String() != "1 of 1 searched" {
		t.Errorf("found %q, %+v", found, last.Agents)
	}
	two.call(where)
	r.until("the second agent's record", func() bool { return len(r.lines()) == 2 })
	found, last = r.ask(`"203.0.113.9"`, time.Time{}, time.Time{})
	if len(found) != 3 || last.Agents.String() != "2 of 2 searched" {
		t.Errorf("found %q, %+v", found, last.Agents)
	}
	found, last = r.ask(`source: "agent:web-2/logs/b.log"`, time.Time{}, time.Time{})
	if len(found) != 1 || len(last.Agents) != 1 || last.Agents[0].Agent != "web-2" {
		t.Errorf("of one source: %q, %+v", found, last.Agents)
	}
}

// TestSearchAsksAgentsBehindSSH: an agent that ssh reaches is asked; a host where
// there is none says so at once.
func TestSearchAsksAgentsBehindSSH(t *testing.T) {
	b := newBench(t)
	for _, dir := range []string{"with", "without"} {
		if err := os.Mkdir(filepath.Join(b.dir, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	b.write("with/a.log", at(3, "sshd[1]: from 203.0.113.9 behind ssh"))
	b.write("with/a.log.1", at(1, "sshd[1]: from 203.0.113.9 behind ssh, rotated"))
	b.write("without/b.log", at(2, "sshd[1]: from 203.0.113.9 with tail"))
	with, without := filepath.Join(b.dir, "with", "*.log"), filepath.Join(b.dir, "without", "b.log")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b.opt = func(o *Options) {
		b.sshTo(o, "with", fmt.Sprintf("echo bartizan1 agent\n%s='%s' exec '%s'", serveOver, with, self), with)
		b.sshTo(o, "without", `PATH=/usr/bin:/bin HOME=/nowhere exec /bin/sh -c "$last"`, without)
	}
	r := b.start()
	r.until("both records", func() bool { return len(r.lines()) == 2 })
	found, last := r.ask(`"203.0.113.9"`, time.Time{}, time.Time{})
	if len(found) != 2 || !strings.Contains(found[0], "behind ssh, rotated") || last.Agents.String() != "1 of 2 searched, 1 unreachable" {
		t.Fatalf("found %q, %+v", found, last.Agents)
	}
	if a := last.Agents[0]; a.Agent != "with" || !a.Whole() || a.Oldest.UTC().Day() != 1 {
		t.Errorf("the agent's answer is %+v", a)
	}
	if a := last.Agents[1]; a.Err == nil || !strings.Contains(a.Err.Error(), "without cannot search its files: there is no bartizan on it") {
		t.Errorf("the other answer is %+v", a)
	}
	// A hit of it names the source it is read as, so that Around finds its neighbours.
	for _, s := range r.Sources() {
		if strings.HasPrefix(string(s.ID), "ssh:with/") {
			found, last = r.ask(fmt.Sprintf("source: %q", s.ID), time.Time{}, time.Time{})
			if len(found) != 2 || len(last.Agents) != 1 {
				t.Errorf("of %s: %q, %+v", s.ID, found, last.Agents)
			}
			return
		}
	}
	t.Errorf("there is no source of the agent: %+v", r.Sources())
}
