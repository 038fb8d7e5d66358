package agent

import (
	"testing"

	"bartizan/agent/agentpb"
	"bartizan/detect"
	"bartizan/event"
	"bartizan/query"
	"bartizan/sources"
	"bartizan/sources/parse"
)

// edgeOf makes rules of one that looks for a word.
func edgeOf(t *testing.T, word string) *Edge {
	t.Helper()
	n, err := query.Parse(word)
	if err != nil {
		t.Fatal(err)
	}
	rules := []*detect.Rule{{ID: word, Title: word, Cond: n}}
	return &Edge{Rules: detect.NewSet(rules), Digest: []byte(word)}
}

// TestEdgeFollowsOtherRules: a Read under way leaves out by the rules of its
// console, and nothing while the agent runs others.
func TestEdgeFollowsOtherRules(t *testing.T) {
	reg := parse.NewRegistry(parse.Options{})
	s := &Server{registry: reg}
	s.SetEdge(edgeOf(t, "alpha"))
	r := &reader{server: s, out: agentpb.NewPacker("x", 1), door: newDoor(&guard{}, "/nowhere")}
	s.edged(r, &agentpb.Open{Stream: "x", Edge: []byte("alpha")}, func() *parse.Stream { return reg.Stream(sources.Info{}) })
	kept := func(line string) bool {
		r.newRules()
		return r.filter.keep(&sources.Record{Raw: []byte(line), Ref: event.Ref{Len: int32(len(line))}})
	}
	kept("the first line shows how the stream is read")
	for _, step := range []struct {
		edge        *Edge
		alpha, beta bool
		on          bool
	}{
		{s.edge.Load(), true, false, true},
		{edgeOf(t, "beta"), true, true, false}, // not what the console runs
		{nil, true, true, false},
		{edgeOf(t, "alpha"), true, false, true},
	} {
		s.SetEdge(step.edge)
		kept("the first line shows how the stream is read")
		if a, b := kept("alpha was here"), kept("beta was here"); a != step.alpha || b != step.beta || r.out.Batch.Edge != step.on {
			t.Errorf("kept %v and %v, edge %v; want %+v", a, b, r.out.Batch.Edge, step)
		}
	}
}
