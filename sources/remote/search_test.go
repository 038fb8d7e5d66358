package remote_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"bartizan/agent"
	"bartizan/agent/agentpb"
	"bartizan/agent/certs"
	"bartizan/sources"
	"bartizan/sources/remote"
)

// running keeps peers connected until the test ends.
func running(t *testing.T, peers ...*remote.Peer) []*remote.Peer {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for _, p := range peers {
		all.Go(func() {
			if err := p.Run(ctx, func(sources.Opened) {}); err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(func() { cancel(); all.Wait() })
	return peers
}

// another starts one more agent of this world's CA, called name, with one log.
func (w *world) another(t *testing.T, name, log string) string {
	t.Helper()
	dir, err := certs.Issue(w.certs, name, []string{"127.0.0.1"}, time.Now())
	check(t, err)
	logs := filepath.Join(t.TempDir(), name)
	check(t, os.Mkdir(logs, 0o755))
	check(t, os.WriteFile(filepath.Join(logs, "auth.log"), []byte(log), 0o644))
	s, err := agent.New(agent.Config{Certs: dir, Streams: []agent.StreamConfig{{ID: "logs", Path: filepath.Join(logs, "*.log")}}})
	check(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	t.Cleanup(func() { cancel(); check(t, <-done) })
	return l.Addr().String()
}

func (w *world) peer(t *testing.T, addr string) *remote.Peer {
	t.Helper()
	p, err := remote.Dial(w.config(addr))
	check(t, err)
	return p
}

// TestSearchOfAFleet: what agents find is one stream, and the summary says who was
// searched, who was not there, and how far back each could see.
func TestSearchOfAFleet(t *testing.T) {
	w := newWorld(t)
	var peers []*remote.Peer
	var want []string
	for i := range 5 {
		line := fmt.Sprintf("2026-11-%02dT02:00:00Z h%d sshd[1]: Failed password for root from 203.0.113.9 port %d ssh2", i+1, i, i)
		want = append(want, line)
		peers = append(peers, w.peer(t, w.another(t, fmt.Sprintf("h%d", i), line+"\n2026-11-20T00:00:00Z h sshd[2]: Server listening on :: port 22.\n")))
	}
	for range 2 {
		peers = append(peers, w.peer(t, closedPort(t)))
	}
	running(t, peers...)
	var got, names []string
	sum := remote.SearchAll(t.Context(), peers, remote.Question{Query: "source.ip: 203.0.113.9"}, func(f remote.Found) bool {
		got, names = append(got, string(f.Record.Raw)), append(names, string(f.Record.Ref.Source))
		if f.Time.UTC().Format(time.DateOnly) != string(f.Record.Raw[:10]) {
			t.Errorf("%s is said to be of %s", f.Record.Raw, f.Time)
		}
		return true
	}, nil)
	slices.Sort(got)
	slices.Sort(names)
	if !slices.Equal(got, want) {
		t.Errorf("they found %q", got)
	}
	if names[0] != "agent:h0/logs/auth.log" || names[4] != "agent:h4/logs/auth.log" {
		t.Errorf("the sources are %q", names)
	}
	if sum.String() != "5 of 7 searched, 2 unreachable" {
		t.Errorf("the summary is %q", sum)
	}
	for i := range 5 {
		if a := sum[i]; a.Agent != fmt.Sprintf("h%d", i) || !a.Whole() || a.Matches != 1 || a.Oldest.UTC().Day() != i+1 || a.Done != a.Total {
			t.Errorf("answer %d is %+v", i, a)
		}
	}
	if a := sum[6]; !a.Unreachable || !strings.Contains(a.Err.Error(), "cannot reach the agent") {
		t.Errorf("the answer of nobody is %+v", a)
	}
}

// TestSearchCalledOffEarly: who calls off before an agent was reached learns nothing
// about the agent.
func TestSearchCalledOffEarly(t *testing.T) {
	p := newWorld(t).peer(t, "127.0.0.1:1")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if a := p.Search(ctx, remote.Question{Query: "*"}, func(remote.Found) bool { return true }, nil); a.Err == nil || a.Unreachable {
		t.Errorf("the answer is %+v", a)
	}
}

// TestSearchCalledOff: when the person has seen enough every agent stops.
func TestSearchCalledOff(t *testing.T) {
	w := newWorld(t)
	log := strings.Repeat("2026-11-20T00:00:00Z h sshd[2]: Server listening on :: port 22.\n", 50_000)
	peers := running(t, w.peer(t, w.another(t, "h0", log)), w.peer(t, w.another(t, "h1", log)))
	n := 0
	sum := remote.SearchAll(t.Context(), peers, remote.Question{Query: "*"}, func(remote.Found) bool { n++; return n < 10 }, nil)
	if n != 10 {
		t.Errorf("%d records were found after the tenth was enough", n)
	}
	for _, a := range sum {
		if a.Err == nil || a.Unreachable {
			t.Errorf("the answer is %+v", a)
		}
	}
	again := peers[0].Search(t.Context(), remote.Question{Query: "*", Matches: 3}, func(remote.Found) bool { return true }, nil)
	if again.Err != nil || again.Matches != 3 || again.Stopped != "the limit on records" {
		t.Errorf("the search behind it gave %+v", again)
	}
}

// lied is an agent whose searches say what a test tells them to.
type lied struct {
	liar
	replies []*agentpb.SearchReply
	fail    error
}

func (l *lied) Search(_ *agentpb.SearchRequest, call grpc.ServerStreamingServer[agentpb.SearchReply]) error {
	for _, r := range l.replies {
		if err := call.Send(r); err != nil {
			return err
		}
	}
	return l.fail
}

// TestHostileAnswers: what an agent may not say about a search ends the search with
// a sentence; nothing of it arrives.
func TestHostileAnswers(t *testing.T) {
	good := func() *agentpb.Match { return &agentpb.Match{Stream: "s", Raw: []byte("good"), Line: 1, Span: 4} }
	match := func(f func(*agentpb.Match)) []*agentpb.SearchReply {
		m := good()
		f(m)
		return []*agentpb.SearchReply{{Matches: []*agentpb.Match{m}}, {End: &agentpb.SearchEnd{}}}
	}
	for _, c := range []struct {
		name    string
		replies []*agentpb.SearchReply
		fail    error
		want    string
	}{
		{"no end", nil, nil, "without saying how it went"},
		{"a fault", nil, errors.New("\x1b]0;x\x07"), `did not search: "\x1b]0;x\a"`},
		{"too old", nil, status.Error(codes.Unimplemented, "x"), "too old"},
		{"a stream with escapes", match(func(m *agentpb.Match) { m.Stream = "\x1b[2J" }), nil, "do not print"},
		{"a stream without a name", match(func(m *agentpb.Match) { m.Stream = "" }), nil, "no usable id"},
		{"an offset before the file", match(func(m *agentpb.Match) { m.Offset = -1 }), nil, "which cannot be"},
		{"an offset at its very end", match(func(m *agentpb.Match) { m.Offset = math.MaxInt64 }), nil, "which cannot be"},
		{"a line before the first", match(func(m *agentpb.Match) { m.Line = -1 }), nil, "which cannot be"},
		{"a span without an end", match(func(m *agentpb.Match) { m.Span = math.MaxUint32 }), nil, "which cannot be"},
		{"a record too long", match(func(m *agentpb.Match) { m.Raw = make([]byte, sources.MaxRecord+1) }), nil, "which cannot be"},
		{"more than asked for", []*agentpb.SearchReply{{Matches: []*agentpb.Match{good(), good(), good(), good()}}}, nil, "more records than"},
		{"an end of the future", []*agentpb.SearchReply{{End: &agentpb.SearchEnd{Stop: 99}}}, nil, "does not know"},
		{"an oversized reply", []*agentpb.SearchReply{{Matches: []*agentpb.Match{{Stream: strings.Repeat("x", agentpb.MaxMessage)}}}}, nil, "larger than max"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			l := &lied{liar: liar{hello: &agentpb.HelloReply{Protocol: 1, ProtocolMin: 1}}, replies: c.replies, fail: c.fail}
			peers := running(t, w.peer(t, serveAs(t, w, l)))
			n := 0
			var a remote.Answer
			for end := time.Now().Add(20 * time.Second); time.Now().Before(end); { // it answers nothing else, so the connection may end before the search
				if a = peers[0].Search(t.Context(), remote.Question{Query: "*", Matches: 3}, func(remote.Found) bool { n++; return true }, nil); !a.Unreachable {
					break
				}
			}
			if a.Err == nil || !strings.Contains(a.Err.Error(), c.want) || len(a.Err.Error()) > 600 {
				t.Errorf("the answer is %+v", a)
			}
			if n > 3 || c.name != "more than asked for" && n > 0 {
				t.Errorf("%d records arrived", n)
			}
		})
	}
}

// TestLiesAboutProgress: no number an agent gives can be more than itself.
func TestLiesAboutProgress(t *testing.T) {
	w := newWorld(t)
	l := &lied{liar: liar{hello: &agentpb.HelloReply{Protocol: 1, ProtocolMin: 1}}, replies: []*agentpb.SearchReply{
		{Progress: &agentpb.SearchProgress{Done: math.MaxInt64, Total: -5, Oldest: math.MinInt64}},
		{End: &agentpb.SearchEnd{Problems: slices.Repeat([]string{strings.Repeat("\x1b", 5000)}, 100)}},
	}}
	peers := running(t, w.peer(t, serveAs(t, w, l)))
	a := peers[0].Search(t.Context(), remote.Question{Query: "*"}, func(remote.Found) bool { return true }, nil)
	if a.Err != nil || a.Done != 0 || a.Total != 0 || len(a.Problems) > agentpb.MaxProblems || len(a.Problems[0]) > agentpb.MaxText {
		t.Errorf("the answer is %+v", a)
	}
}
