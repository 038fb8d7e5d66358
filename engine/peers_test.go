package engine

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"bartizan/agent"
	"bartizan/agent/certs"
	"bartizan/event"
	"bartizan/sources/remote"
)

// farSide is a host with an agent that a bench's engines dial.
type farSide struct {
	t        *testing.T
	ca, logs string
	addr     string
	name     string
	tail     int64
	server   *agent.Server
}

// newFar starts an agent that serves *.log of a folder of its own; now is its clock.
func newFar(t *testing.T, b *bench, name string, now func() time.Time) *farSide {
	t.Helper()
	ok := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	f := &farSide{t: t, ca: filepath.Join(b.dir, "ca"), logs: filepath.Join(b.dir, name), name: name, tail: -1}
	if _, err := os.Stat(f.ca); err != nil {
		ok(certs.Init(f.ca, time.Now()))
	}
	ok(os.Mkdir(f.logs, 0o700))
	host, err := certs.Issue(f.ca, name, []string{"127.0.0.1"}, time.Now())
	ok(err)
	s, err := agent.New(agent.Config{
		Certs: host, Now: now, Rescan: 20 * time.Millisecond,
		Streams: []agent.StreamConfig{{ID: "logs", Path: filepath.Join(f.logs, "*.log")}},
	})
	ok(err)
	f.server = s
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ok(err)
	f.addr = l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	t.Cleanup(func() { cancel(); ok(<-done) })
	return f
}

// dial makes the engine read the agent.
func (f *farSide) dial(o *Options) {
	f.t.Helper()
	tls, err := certs.ClientTLS(f.ca, time.Now)
	if err != nil {
		f.t.Fatal(err)
	}
	p, err := remote.Dial(remote.Config{
		Address: f.addr, TLS: tls, Tail: f.tail, Every: 20 * time.Millisecond, Now: time.Now,
		Backoff: func(int) time.Duration { return 5 * time.Millisecond },
	})
	if err != nil {
		f.t.Fatal(err)
	}
	o.Peers = append(o.Peers, p)
}

// ask searches and returns what was found, by time, and the last word.
func (r *running) ask(q string, from, to time.Time) (found []string, last Searched) {
	r.t.Helper()
	err := r.Search(r.t.Context(), q, from, to, func(e *event.Event) bool {
		found = append(found, fmt.Sprintf("%s %s %s", e.Time.UTC().Format(time.RFC3339), e.Ref.Source, e.Message))
		return true
	}, func(s Searched) { last = s })
	if err != nil {
		r.t.Fatal(err)
	}
	slices.Sort(found)
	return found, last
}

func at(day int, text string) string {
	return time.Date(2026, 11, day, 2, 0, 0, 0, time.UTC).Format(time.RFC3339) + " host " + text + "\n"
}

// TestSearchAsksAgents: what lies in files here and at agents is found in one
// search, and the answer says who could not be asked.
func TestSearchAsksAgents(t *testing.T) {
	b := newBench(t, "auth.log")
	one, two := newFar(t, b, "web-1", nil), newFar(t, b, "web-2", nil)
	b.write("auth.log", at(18, "sshd[1]: from 203.0.113.9 here"))
	b.write("web-1/a.log", at(3, "sshd[1]: from 203.0.113.9 on one")+at(4, "sshd[1]: from 198.51.100.1 on one"))
	b.write("web-1/a.log.1", at(1, "sshd[1]: from 203.0.113.9 on one, rotated"))
	b.write("web-2/b.log", at(2, "sshd[1]: from 203.0.113.9 on two")+at(19, "sshd[1]: from 203.0.113.9 too late"))
	b.opt = func(o *Options) {
		one.dial(o)
		two.dial(o)
		dead := *one
		dead.addr = "127.0.0.1:1"
		dead.dial(o)
	}
	r := b.start()
	r.until("the agents' records", func() bool { return len(r.lines()) >= 5 })
	found, last := r.ask(`"203.0.113.9"`, time.Time{}, time.Date(2026, 11, 19, 0, 0, 0, 0, time.UTC))
	want := []string{"rotated", "web-2/logs", "web-1/logs", "auth.log"}
	if len(found) != len(want) {
		t.Fatalf("found %q", found)
	}
	for i, w := range want {
		if !strings.Contains(found[i], w) {
			t.Errorf("record %d is %q, want %q", i, found[i], w)
		}
	}
	if s := last.Agents.String(); s != "2 of 3 searched, 1 unreachable" {
		t.Errorf("the answer is %q: %+v", s, last.Agents)
	}
	for _, a := range last.Agents {
		if a.Err == nil && a.Oldest.IsZero() {
			t.Errorf("%s does not say how far back it can see", a.Agent)
		}
	}
	// One source of one agent: nobody else is asked, and it is called what the agent calls it.
	found, last = r.ask(`source: "agent:web-2/logs/b.log" and "203.0.113.9"`, time.Time{}, time.Time{})
	if len(found) != 2 || len(last.Agents) != 1 || last.Agents[0].Agent != "web-2" {
		t.Errorf("of one source: %q, %+v", found, last.Agents)
	}
	if found, last = r.ask(`source: "file:`+b.files[0]+`" and "203.0.113.9"`, time.Time{}, time.Time{}); len(last.Agents) != 0 {
		t.Errorf("agents were asked for a file of this host: %q", found)
	}
	// Enough: the search ends everywhere.
	n := 0
	if err := r.Search(t.Context(), "*", time.Time{}, time.Time{}, func(*event.Event) bool { n++; return false }, func(Searched) {}); err != nil || n != 1 {
		t.Errorf("%d records after the first was enough, %v", n, err)
	}
}

// TestAroundAtAnAgent: what lies beside a record of an agent is read there.
func TestAroundAtAnAgent(t *testing.T) {
	b := newBench(t)
	f := newFar(t, b, "web-1", nil)
	var text string
	for i := range 20 {
		text += at(3, fmt.Sprintf("app: line %02d", i))
	}
	b.write("web-1/a.log", text)
	b.opt = f.dial
	r := b.start()
	r.until("all records", func() bool { return len(r.lines()) == 20 })
	first, _ := r.Bounds()
	var e event.Event
	if err := r.Read(first+10, &e); err != nil {
		t.Fatal(err)
	}
	before, after, err := r.Around(t.Context(), e.Ref, e.Time, 2)
	var got []string
	for _, e := range append(before, after...) {
		got = append(got, e.Message)
	}
	if err != nil || strings.Join(got, "|") != "line 08|line 09|line 11|line 12" {
		t.Errorf("around %q: %q, %v", e.Message, got, err)
	}
	e.Ref.Offset++
	if _, _, err := r.Around(t.Context(), e.Ref, e.Time, 2); err == nil {
		t.Error("a record that is not there has neighbours")
	}
}

// TestColumnsAfterARestart: a file at an agent names its columns once; an engine
// that goes on in the middle of it knows them.
func TestColumnsAfterARestart(t *testing.T) {
	for name, tail := range map[string]int64{"resumed": -1, "from its tail": 200} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			f := newFar(t, b, "web-1", nil)
			b.opt = f.dial
			const head = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n" +
				"#fields\tts\tuid\tid.orig_h\tid.resp_h\n#types\ttime\tstring\taddr\taddr\n"
			row := func(n int) string { return fmt.Sprintf("1793700000.%06d\tC%d\t203.0.113.9\t10.0.0.%d\n", n, n, n) }
			text := head
			for i := range 20 {
				text += row(i)
			}
			b.write("web-1/conn.log", text)
			if tail < 0 {
				r := b.start()
				r.until("the first rows", func() bool { return strings.Contains(strings.Join(r.lines(), "\n"), "C19") })
				r.until("the position", func() bool {
					pos, err := r.db.Positions()
					return err == nil && pos["agent:web-1/logs/conn.log"] != ""
				})
				r.end()
			} else {
				f.tail = tail
			}
			r := b.start()
			b.write("web-1/conn.log", row(77))
			r.until("the new row", func() bool { return strings.Contains(strings.Join(r.lines(), "\n"), "C77") })
			_, next := r.Bounds()
			var e event.Event
			if err := r.Read(next-1, &e); err != nil {
				t.Fatal(err)
			}
			if v, ok := e.Get("id.resp_h"); !ok || v.Str != "10.0.0.77" || e.FormatName != "zeek" {
				t.Errorf("%q was read as %s, with id.resp_h %q", e.Raw, e.FormatName, v.Str)
			}
		})
	}
}

const inOrder = `title: Word one
id: one
name: one
logsource: {product: linux}
detection: {w: [alpha], condition: w}
level: low
---
title: Word two
id: two
name: two
logsource: {product: linux}
detection: {w: [omega], condition: w}
level: low
---
title: One and then two
id: both
correlation:
  type: temporal_ordered
  rules: [one, two]
  timespan: 10m
level: high
`

// TestTwoAgentsOneTime: what a slow agent sends last and what happened first are one
// story; its late row says so; its clock is measured and changes no record's time.
func TestTwoAgentsOneTime(t *testing.T) {
	rules := newRuleDir(t)
	rules.write("a.yml", inOrder)
	b := newBench(t)
	const ahead = 90 * time.Second
	slow, quick := newFar(t, b, "web-1", func() time.Time { return time.Now().Add(ahead) }), newFar(t, b, "web-2", nil)
	b.opt = func(o *Options) { rules.options(o); slow.dial(o); quick.dial(o) }
	r := b.start()
	begin := time.Now().Add(-5 * time.Minute).Truncate(time.Second)
	b.write("web-2/b.log", stamped(begin.Add(time.Minute), "omega"))
	r.until("the quick agent's record", func() bool { return len(r.lines()) == 1 })
	b.write("web-1/a.log", stamped(begin, "alpha"))
	r.until("the slow agent's record", func() bool { return len(r.lines()) == 2 })
	r.until("the story in its own order", func() bool { n, _ := r.alertsOf("both"); return n == 1 })
	b.write("web-1/a.log", stamped(begin.Add(-time.Hour), "long ago"))
	r.until("the late row", func() bool { return len(r.lines()) == 3 })
	_, next := r.Bounds()
	var e event.Event
	if err := r.Read(next-1, &e); err != nil {
		t.Fatal(err)
	}
	if e.Flags&event.FlagLate == 0 || !e.Time.Equal(begin.Add(-time.Hour)) {
		t.Errorf("the late row is at %v, flags %v", e.Time, e.Flags)
	}
	var peers, late int
	for _, s := range r.Sources() {
		switch {
		case s.ID == "agent:web-1":
			peers++
			if off := s.Peer.Skew - ahead; off.Abs() > 10*time.Second {
				t.Errorf("the slow agent's clock is said to be %v from ours, and is %v", s.Peer.Skew, ahead)
			}
		case s.ID == "agent:web-2":
			peers++
			if s.Peer.Skew.Abs() > 10*time.Second {
				t.Errorf("the quick agent's clock is said to be %v from ours", s.Peer.Skew)
			}
		case s.Late > 0:
			late++
		}
	}
	if peers != 2 || late != 1 {
		t.Errorf("%d agents, %d sources with late rows", peers, late)
	}
}
