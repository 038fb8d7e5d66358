package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"bartizan/agent/agentpb"
	"bartizan/event"
	"bartizan/sources"
)

// Question is what agents are asked to look for in their own files.
type Question struct {
	Query    string    // in the filter language, without lists
	From, To time.Time // event times in [From, To); zero is open
	Streams  []string  // ids; none is all
	Matches  int       // of each agent; 0 is what an agent allows, at most MaxSearchMatches
	Bytes    int64     // of records of each agent; likewise
	Within   time.Duration
}

// Found is one record an agent found. Its reference names the same source that
// the record would have come from had it been followed.
type Found struct {
	Agent  string // name in its certificate
	Stream string
	Record sources.Record
	Time   time.Time // of the event, as the agent read it
}

// Answer says how one agent did.
type Answer struct {
	Agent       string    // its name, or its address while nobody answered there
	Err         error     // nil: it searched
	Unreachable bool      // with Err: it could not be asked
	Done, Total int64     // bytes on disk
	Oldest      time.Time // how far back it could see; zero: it has nothing
	Matches     int
	Stopped     string   // by which limit it was stopped early; "" is not
	Problems    []string // files it could not read, in its words
	Over        bool     // nothing more comes of it
}

// Whole says whether the agent searched everything it was asked for.
func (a *Answer) Whole() bool { return a.Err == nil && a.Stopped == "" && len(a.Problems) == 0 }

// Summary is the answers of all agents asked, in the order they were asked.
type Summary []Answer

// Counts returns how many agents searched, could not be reached, and failed
// while they searched; those that still search are none of these.
func (s Summary) Counts() (searched, unreachable, failed int) {
	for i := range s {
		switch {
		case !s[i].Over:
		case s[i].Err == nil:
			searched++
		case s[i].Unreachable:
			unreachable++
		default:
			failed++
		}
	}
	return searched, unreachable, failed
}

// String says it in words: "37 of 40 searched, 3 unreachable".
func (s Summary) String() string {
	searched, unreachable, failed := s.Counts()
	text := fmt.Sprintf("%d of %d searched", searched, len(s))
	if unreachable > 0 {
		text += fmt.Sprintf(", %d unreachable", unreachable)
	}
	if failed > 0 {
		text += fmt.Sprintf(", %d failed", failed)
	}
	return text
}

// How long an agent has to be there, and beyond its limit to say its last word.
const (
	reachWithin = 15 * time.Second
	lastWord    = 15 * time.Second
	fanOut      = 64 // agents that are asked at the same time
)

// SearchAll asks every peer and merges what they find as it arrives. found and
// progress are called by one goroutine at a time; when found returns false the
// search is called off everywhere. Peers must be running. progress may be nil; it
// gets the answers as they stand, which it must not keep.
func SearchAll(ctx context.Context, peers []*Peer, q Question, found func(Found) bool, progress func(Summary)) Summary {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var mu sync.Mutex
	all := make(Summary, len(peers))
	for i, p := range peers {
		all[i] = Answer{Agent: p.display()}
	}
	turns := make(chan struct{}, fanOut)
	var wg sync.WaitGroup
	for i, p := range peers {
		wg.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			a := p.Search(ctx, q, func(f Found) bool {
				mu.Lock()
				defer mu.Unlock()
				if ctx.Err() == nil && !found(f) {
					cancel()
				}
				return ctx.Err() == nil
			}, func(a Answer) {
				mu.Lock()
				defer mu.Unlock()
				if all[i] = a; progress != nil {
					progress(all)
				}
			})
			mu.Lock()
			defer mu.Unlock()
			a.Over = true
			if all[i] = a; progress != nil {
				progress(all)
			}
		})
	}
	wg.Wait()
	return all
}

// Search asks the agent. It waits for the connection that Run makes, but not
// beyond its first failure. found is called for every record as it arrives; false
// calls the search off. Nothing that breaks a bound is believed.
func (p *Peer) Search(ctx context.Context, q Question, found func(Found) bool, progress func(Answer)) Answer {
	a := Answer{Agent: p.display()}
	s, err := p.present(ctx)
	if err != nil {
		a.Err, a.Unreachable = err, ctx.Err() == nil // called off is not unreachable
		return a
	}
	a.Agent = p.display()
	within := q.Within
	if within <= 0 || within > agentpb.MaxSearchSeconds*time.Second {
		within = agentpb.MaxSearchSeconds * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, within+lastWord)
	defer cancel()
	stop := context.AfterFunc(s.ended, cancel)
	defer stop()
	g := &gathering{peer: p, answer: &a, question: q, found: found, progress: progress}
	g.matches, g.bytes = q.Matches, q.Bytes
	if g.matches <= 0 || g.matches > agentpb.MaxSearchMatches {
		g.matches = agentpb.MaxSearchMatches
	}
	if g.bytes <= 0 || g.bytes > agentpb.MaxSearchBytes {
		g.bytes = agentpb.MaxSearchBytes
	}
	a.Err = g.words(ctx, s, g.run(ctx, s, within))
	return a
}

// display is how the agent is called: by its name once it is known.
func (p *Peer) display() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := p.nameNow(); n != "" {
		return n
	}
	return p.cfg.Address
}

// present returns the connection there is, or why there is none.
func (p *Peer) present(ctx context.Context) (*session, error) {
	wait := time.NewTimer(reachWithin)
	defer wait.Stop()
	for {
		p.mu.Lock()
		s, changed, st := p.current, p.changed, p.state
		p.mu.Unlock()
		switch {
		case s != nil:
			return s, nil
		case st.state == event.SourceRetrying:
			return nil, errors.New(st.reason)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-wait.C:
			return nil, fmt.Errorf("agent %s did not answer within %s", p.cfg.Address, reachWithin)
		case <-changed:
		}
	}
}

// gathering is one search at one agent.
type gathering struct {
	peer     *Peer
	answer   *Answer
	question Question
	found    func(Found) bool
	progress func(Answer)
	matches  int // that may still come
	bytes    int64
}

var errEnough = errors.New("called off")

func (g *gathering) run(ctx context.Context, s *session, within time.Duration) error {
	q := g.question
	call, err := s.client.Search(ctx, &agentpb.SearchRequest{
		Query: q.Query, From: nanos(q.From), To: nanos(q.To), Streams: q.Streams,
		MaxMatches: uint32(g.matches), MaxBytes: uint64(g.bytes), MaxSeconds: uint32(max(within/time.Second, 1)),
	})
	if err != nil {
		return err
	}
	for {
		r, err := call.Recv()
		if errors.Is(err, io.EOF) {
			return errors.New("it ended its answer without saying how it went")
		}
		if err != nil {
			return err
		}
		if err := g.take(r); err != nil {
			return err
		}
		if r.GetEnd() != nil {
			return g.end(r.GetEnd())
		}
	}
}

// take believes nothing in the reply: every bound is checked.
func (g *gathering) take(r *agentpb.SearchReply) error {
	for _, m := range r.GetMatches() {
		if err := checkMatch(m); err != nil {
			return err
		}
		if g.matches--; g.matches < 0 {
			return fmt.Errorf("it sent more records than it was asked for")
		}
		if g.bytes < 0 {
			return fmt.Errorf("it sent more bytes than it was asked for")
		}
		g.bytes -= int64(len(m.GetRaw()))
		g.answer.Matches++
		if !g.found(g.record(m)) {
			return errEnough
		}
	}
	if p := r.GetProgress(); p != nil {
		g.answer.Total = max(p.GetTotal(), 0)
		g.answer.Done = min(max(p.GetDone(), 0), g.answer.Total)
		g.answer.Oldest = time.Time{}
		if p.GetOldest() != 0 {
			g.answer.Oldest = time.Unix(0, p.GetOldest())
		}
	}
	if g.progress != nil {
		g.progress(*g.answer)
	}
	return nil
}

func checkMatch(m *agentpb.Match) error {
	if err := checkID(m.GetStream()); err != nil {
		return err
	}
	n := int64(m.GetSpan())
	if len(m.GetRaw()) > sources.MaxRecord || n > math.MaxInt32 || m.GetOffset() < 0 || m.GetOffset() > math.MaxInt64-n || m.GetLine() < 0 {
		return fmt.Errorf("it sent a record of %d bytes at offset %d, line %d, which cannot be", len(m.GetRaw()), m.GetOffset(), m.GetLine())
	}
	return nil
}

func (g *gathering) record(m *agentpb.Match) Found {
	name := g.answer.Agent
	return Found{
		Agent: name, Stream: m.GetStream(), Time: time.Unix(0, m.GetTime()),
		Record: sources.Record{
			Raw: m.GetRaw(), Line: m.GetLine(), Seen: g.peer.cfg.Now(), Flags: agentpb.KnownFlags(m.GetFlags()),
			Ref: event.Ref{
				Source: g.peer.sourceID(name, m.GetStream()), Epoch: m.GetGeneration(), Offset: m.GetOffset(), Len: int32(m.GetSpan()),
				File: event.FileID{Dev: m.GetDevice(), Ino: m.GetInode()},
			},
		},
	}
}

func (g *gathering) end(e *agentpb.SearchEnd) error {
	switch e.GetStop() {
	case agentpb.SearchEnd_COMPLETE:
	case agentpb.SearchEnd_MATCHES:
		g.answer.Stopped = "the limit on records"
	case agentpb.SearchEnd_BYTES:
		g.answer.Stopped = "the limit on bytes"
	case agentpb.SearchEnd_TIME:
		g.answer.Stopped = "the limit on time"
	default:
		return fmt.Errorf("it ended its answer in a way this console does not know (%d)", e.GetStop())
	}
	for _, p := range e.GetProblems()[:min(len(e.GetProblems()), agentpb.MaxProblems)] {
		g.answer.Problems = append(g.answer.Problems, text(p))
	}
	return nil
}

// words says for a person why the search failed.
func (g *gathering) words(ctx context.Context, s *session, err error) error {
	name := g.answer.Agent
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errEnough):
		return err
	case s.ended.Err() != nil:
		return fmt.Errorf("agent %s was lost while it searched: %w", name, context.Cause(s.ended))
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("agent %s did not end its answer in time", name)
	case ctx.Err() != nil:
		return ctx.Err()
	}
	st, isStatus := status.FromError(err)
	switch {
	case !isStatus:
		return fmt.Errorf("agent %s broke the protocol of searches: %w", name, err)
	case st.Code() == codes.Unimplemented:
		return fmt.Errorf("agent %s is too old to search its files: update it", name)
	}
	return fmt.Errorf("agent %s did not search: %.300q", name, st.Message())
}

func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}
