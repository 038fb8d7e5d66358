package remote_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"

	"bartizan/agent/agentpb"
	"bartizan/sources/remote"
)

// slow is an agent that answers a search when it is let.
type slow struct {
	liar
	let chan struct{}
}

func (s *slow) Search(_ *agentpb.SearchRequest, call grpc.ServerStreamingServer[agentpb.SearchReply]) error {
	select {
	case <-s.let:
	case <-call.Context().Done():
		return call.Context().Err()
	}
	return call.Send(&agentpb.SearchReply{
		Matches: []*agentpb.Match{{Stream: "s", Raw: []byte("from 203.0.113.9, late"), Line: 1, Span: 22}}, End: &agentpb.SearchEnd{},
	})
}

// TestSearchOfForty: of forty agents, one that is not there and one that is slow,
// nobody waits for the last two. The log says how long it took.
func TestSearchOfForty(t *testing.T) {
	const agents = 40
	w := newWorld(t)
	late := &slow{liar: liar{hello: &agentpb.HelloReply{Protocol: 1, ProtocolMin: 1}}, let: make(chan struct{})}
	peers := []*remote.Peer{w.peer(t, closedPort(t)), w.peer(t, serveAs(t, w, late))}
	log := strings.Repeat("2026-11-20T00:00:00Z h sshd[2]: Server listening on :: port 22.\n", 5000) +
		"2026-11-20T02:00:00Z h sshd[1]: Failed password for root from 203.0.113.9 port 7 ssh2\n"
	for i := range agents {
		peers = append(peers, w.peer(t, w.another(t, fmt.Sprintf("h%02d", i), log)))
	}
	running(t, peers...)
	for _, p := range peers[1:] {
		if err := p.Reach(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	var first, most time.Duration
	release := sync.OnceFunc(func() { most = time.Since(began); close(late.let) })
	found := 0
	sum := remote.SearchAll(t.Context(), peers, remote.Question{Query: `"203.0.113.9"`, Within: patience}, func(remote.Found) bool {
		if found++; found == 1 {
			first = time.Since(began)
		}
		return true
	}, func(s remote.Summary) {
		if searched, unreachable, _ := s.Counts(); searched == agents && unreachable == 1 {
			release()
		}
	})
	if s := sum.String(); s != "41 of 42 searched, 1 unreachable" || found != agents+1 {
		t.Errorf("%s, %d records found", s, found)
	}
	t.Logf("first record after %v, all of %d agents (%d bytes each) after %v, with the slow one after %v",
		first.Round(time.Millisecond), agents, len(log), most.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
}
