package agent

import (
	"bytes"
	"errors"
	"io"

	"bartizan/agent/agentpb"
	"bartizan/detect"
	"bartizan/detect/falco"
	"bartizan/event"
	"bartizan/sources/parse"
)

// Edge is the rules an agent runs itself, so that consoles which run the same can
// have only the records that matter to them.
type Edge struct {
	Rules  *detect.Set // linked, without filters: those of a console only take hits away
	Digest []byte      // of the rules as they were read, see detect.Digest
}

// serves says whether a console that runs the rules of digest finds the same with
// what these rules leave over.
func (e *Edge) serves(digest []byte) bool {
	return e != nil && len(digest) > 0 && bytes.Equal(e.Digest, digest)
}

// edge decides for one Read which records a console needs. It keeps
//   - what any rule without a window holds for, those that only feed windows
//     included, and Falco's own alerts;
//   - lines that say what the columns of later records are;
//   - the first record of every way in which the stream is read, so that the
//     console learns to read the rest in the same way.
type edge struct {
	match *detect.Matcher
	hits  []*detect.Rule
	ways  map[event.ParseID]bool
}

// maxWays bounds the ways of reading that are remembered; records of further ones
// are all kept.
const maxWays = 1024

func newEdge(rules *detect.Set) *edge {
	return &edge{match: rules.NewMatcher(), ways: map[event.ParseID]bool{}}
}

func (x *edge) keep(e *event.Event) bool {
	x.hits = x.match.Match(e, x.hits[:0])
	if !x.ways[e.Format] {
		if len(x.ways) < maxWays {
			x.ways[e.Format] = true
		}
		return true
	}
	if len(x.hits) > 0 || e.Flags&event.FlagRawOnly == 0 && len(e.Fields) == 0 {
		return true
	}
	_, _, alert := falco.Intake(e)
	return alert
}

// prefaceBytes is how much of a file's beginning may name its columns.
const prefaceBytes = 16 << 10

// preface shows the parser the beginning of the file, as a console that has read
// all of it has seen it.
func (d *door) preface(s *parse.Stream) {
	f, err := d.guard.open(d.path)
	if err != nil {
		return // the Read says so itself
	}
	defer func() { _ = f.Close() }() // opened for reading: nothing can be lost
	head := make([]byte, prefaceBytes)
	n, err := f.ReadAt(head, 0)
	if err == nil || errors.Is(err, io.EOF) {
		s.Preface(head[:n])
	}
}

// SetEdge makes the agent run other rules from now on, nil for none: Reads under way
// go on with them, or send everything once they are not those of their console.
func (s *Server) SetEdge(e *Edge) { s.edge.Store(e) }

// edging is what a Read needs to follow the agent to other rules.
type edging struct {
	rules  *Edge // that the Read was last judged by
	digest []byte
	plain  *filter // what the console asked for; nil: everything
	stream func() *parse.Stream
}

// edged makes the filter of a Read leave out what no rule needs, if the console
// asks for that and runs the same rules.
func (s *Server) edged(r *reader, open *agentpb.Open, stream func() *parse.Stream) {
	r.edging = edging{rules: s.edge.Load(), digest: open.GetEdge(), plain: r.filter, stream: stream}
	r.applyEdge()
}

// newRules follows the agent to other rules, between two batches.
func (r *reader) newRules() {
	if r.stream == nil {
		return // the stream is never filtered by rules
	}
	if now := r.server.edge.Load(); now != r.rules {
		r.rules = now
		r.applyEdge()
	}
}

func (r *reader) applyEdge() {
	r.out.Batch.Edge = r.rules.serves(r.digest)
	if !r.out.Batch.Edge {
		r.filter = r.plain
		return
	}
	f := &filter{stream: r.stream()}
	if r.plain != nil {
		f.match = r.plain.match
	}
	f.edge = newEdge(r.rules.Rules)
	r.filter = f
	r.preface(f.stream)
}
