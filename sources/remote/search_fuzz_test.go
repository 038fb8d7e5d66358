package remote

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"bartizan/agent/agentpb"
	"bartizan/event"
	"bartizan/sources"
)

// FuzzSearchReply: whatever bytes an agent answers with, what comes out of them
// is within the bounds and under the agent's own name.
func FuzzSearchReply(f *testing.F) {
	for _, r := range []*agentpb.SearchReply{
		{Matches: []*agentpb.Match{{Stream: "logs/a", Raw: []byte("x"), Offset: 1, Span: 1, Line: 1, Time: 1, Flags: 3}}, Progress: &agentpb.SearchProgress{Done: 1, Total: 2, Oldest: 3}},
		{End: &agentpb.SearchEnd{Stop: agentpb.SearchEnd_TIME, Problems: []string{"a", "b"}}},
		{Matches: []*agentpb.Match{{Stream: "\x1b", Offset: -1}}, Progress: &agentpb.SearchProgress{Done: -1, Total: -2}},
	} {
		data, err := proto.Marshal(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var r agentpb.SearchReply
		if proto.Unmarshal(data, &r) != nil {
			return
		}
		n := 0
		g := &gathering{
			peer: &Peer{cfg: Config{Scheme: "agent", Now: time.Now}}, answer: &Answer{Agent: "web-1"}, matches: 3, bytes: 10,
			found: func(x Found) bool {
				n++
				ref := x.Record.Ref
				if ref.Source != event.SourceID("agent:web-1/"+x.Stream) || ref.Offset < 0 || ref.Len < 0 || x.Record.Line < 0 || len(x.Record.Raw) > sources.MaxRecord || checkID(x.Stream) != nil {
					t.Errorf("found %+v", x)
				}
				return true
			},
		}
		err := g.take(&r)
		if err == nil && r.GetEnd() != nil {
			err = g.end(r.GetEnd())
		}
		if err != nil && len(err.Error()) > 1000 {
			t.Errorf("the sentence has %d bytes", len(err.Error()))
		}
		a := g.answer
		if n > 3 || a.Matches != n || a.Done < 0 || a.Done > a.Total || len(a.Problems) > agentpb.MaxProblems {
			t.Errorf("%d found, the answer is %+v", n, a)
		}
	})
}
