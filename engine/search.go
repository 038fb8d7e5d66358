package engine

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"bartizan/event"
	"bartizan/history"
	"bartizan/query"
	"bartizan/sources"
	"bartizan/sources/parse"
	"bartizan/sources/remote"
)

// agentMatches is how many records one agent may find, so that a single loud host
// does not hide what the others have.
const agentMatches = 1000

// Searched says how a search of the past stands.
type Searched struct {
	Done   float64        // of the files on this host, 0..1
	Agents remote.Summary // every agent that is asked, in one order
}

// asked is a Peer whose hosts can be asked to search their own files.
type asked interface{ Agents() []*remote.Peer }

// agents are those that can be asked now: dialled ones, ones that called, hosts
// read through ssh.
func (e *Engine) agents() []*remote.Peer {
	var out []*remote.Peer
	for _, p := range e.o.Peers {
		if a, ok := p.(asked); ok {
			out = append(out, a.Agents()...)
		}
	}
	return out
}

// agentOf returns the agent that has the source, and the name of its stream there.
func (e *Engine) agentOf(source event.SourceID) (*remote.Peer, string) {
	for _, p := range e.agents() {
		if stream, ok := p.StreamOf(source); ok {
			return p, stream
		}
	}
	return nil, ""
}

// Search streams events with event times in [from, to) that match q, of the files
// of this host and of those of all agents at the same time, as they are found.
// found and progress are called by one goroutine at a time; false from found, and
// the end of ctx, end the search everywhere. The error is about the query or about
// the files of this host; how each agent did stands in the last progress.
func (e *Engine) Search(ctx context.Context, q string, from, to time.Time, found func(*event.Event) bool, progress func(Searched)) error {
	n, err := query.Parse(q)
	if err != nil {
		return err
	}
	m, err := query.Compile(n)
	if err != nil {
		return err
	}
	s := &search{engine: e, found: found, progress: progress, readers: map[event.SourceID]*parse.Stream{}}
	ctx, s.cancel = context.WithCancel(ctx)
	defer s.cancel()
	peers, question := e.question(n, from, to)
	var wg sync.WaitGroup
	if len(peers) > 0 {
		wg.Go(func() { s.stands(remote.SearchAll(ctx, peers, question, s.agent, s.stands)) })
	}
	err = e.history().Search(ctx, m, from, to, s.local, s.done)
	wg.Wait()
	if s.enough {
		return nil
	}
	return err
}

// question says whom to ask for what. A query about one source is asked of nobody
// else: what a console calls a source, an agent calls otherwise.
func (e *Engine) question(n query.Node, from, to time.Time) ([]*remote.Peer, remote.Question) {
	q := remote.Question{Query: query.Print(n), From: from, To: to, Matches: agentMatches}
	rest, source := bySource(n)
	if source == "" {
		return e.agents(), q
	}
	p, stream := e.agentOf(event.SourceID(source))
	if p == nil {
		return nil, q
	}
	q.Query, q.Streams = query.Print(rest), []string{stream}
	return []*remote.Peer{p}, q
}

// bySource takes the source a query names out of it; "" is none.
func bySource(n query.Node) (rest query.Node, source string) {
	all, ok := n.(query.And)
	if !ok {
		all = query.And{n}
	}
	for i, part := range all {
		if p, ok := part.(*query.Pred); ok && p.Field == "source" && p.Op == query.OpEqual {
			return slices.Delete(slices.Clone(all), i, i+1), p.Value
		}
	}
	return n, ""
}

// search is one search under way.
type search struct {
	engine *Engine
	cancel context.CancelFunc

	mu       sync.Mutex
	found    func(*event.Event) bool
	progress func(Searched)
	now      Searched
	enough   bool
	readers  map[event.SourceID]*parse.Stream // of what agents found
	slab     parse.Slab
	event    event.Event
}

func (s *search) local(e *event.Event) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.take(e)
}

func (s *search) agent(f remote.Found) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.take(s.understand(&f))
}

func (s *search) take(e *event.Event) bool {
	if !s.enough && !s.found(e) {
		s.enough = true
		s.cancel()
	}
	return !s.enough
}

func (s *search) done(part float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now.Done = part
	s.progress(s.now)
}

func (s *search) stands(all remote.Summary) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now.Agents = slices.Clone(all)
	s.progress(s.now)
}

// understand parses what an agent found, the way its source is read when it is
// followed. Its time is the agent's word: that knows the file around it.
func (s *search) understand(f *remote.Found) *event.Event {
	id := f.Record.Ref.Source
	r := s.readers[id]
	if r == nil {
		r = s.engine.readerOf(sources.Info{ID: id, Kind: "agent", Name: f.Agent + "/" + f.Stream, Host: f.Agent})
		s.readers[id] = r
	}
	s.slab.Reset()
	s.event.Reset()
	r.Parse(&f.Record, &s.slab, &s.event)
	s.event.Time = f.Time
	return &s.event
}

// readerOf makes a parser for records of a source out of their order: with what was
// learnt of it, where it is read already.
func (e *Engine) readerOf(info sources.Info) *parse.Stream {
	st := e.feeds.stream(info.ID)
	if st == nil {
		return e.o.Registry.Stream(info)
	}
	info = st.info
	if name := st.formatName(); info.Format == "" && e.o.Registry.Known(name) {
		info.Format = name
	}
	p := e.o.Registry.Stream(info)
	p.Preface(st.begins())
	return p
}

// Around returns up to n records before and after ref, whose time is at, from the
// file it lies in: here, or at the agent that has it.
func (e *Engine) Around(ctx context.Context, ref event.Ref, at time.Time, n int) (before, after []*event.Event, err error) {
	before, after, err = e.history().Around(ctx, ref, n)
	if !errors.Is(err, history.ErrNoFile) {
		return before, after, err
	}
	p, stream := e.agentOf(ref.Source)
	if p == nil || ref.File == (event.FileID{}) {
		return nil, nil, err
	}
	b, a, err := p.Around(ctx, stream, ref, at, n)
	s := &search{engine: e, readers: map[event.SourceID]*parse.Stream{}}
	for i := range b {
		before = append(before, s.understand(&b[i]).Clone())
	}
	for i := range a {
		after = append(after, s.understand(&a[i]).Clone())
	}
	return before, after, err
}
