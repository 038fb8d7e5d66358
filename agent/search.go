package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"bartizan/agent/agentpb"
	"bartizan/event"
	"bartizan/history"
	"bartizan/sources"
)

// The bounds on searches. What reads files at the same time takes at most as many
// cores; a search that waits for its console gives its turn away.
const (
	searchTurns  = 2 // searches that read at the same time, of all consoles
	searchesPer  = 4 // searches of one console at the same time
	searchGather = 64 << 10
	searchTell   = time.Second // between replies that only say how far it is
)

var errTime = errors.New("the search took as long as it may")

// Search looks through the files that streams are made of, their rotated generations
// and the spools of streams without a file, and sends what matches.
func (s *Server) Search(req *agentpb.SearchRequest, call grpc.ServerStreamingServer[agentpb.SearchReply]) error {
	who := caller(call.Context())
	if !s.searches.enter(who) {
		return status.Errorf(codes.ResourceExhausted, "%s has %d searches running here, which is the most: wait for one or call it off", who, searchesPer)
	}
	defer s.searches.leave(who)
	f, err := s.searched(req)
	if err != nil {
		return err
	}
	f.call, f.out = call, &agentpb.SearchReply{}
	return f.run(call.Context())
}

// searched checks the request.
func (s *Server) searched(req *agentpb.SearchRequest) (*finding, error) {
	if len(req.GetQuery()) > agentpb.MaxFilter || len(req.GetStreams()) > agentpb.MaxStreams {
		return nil, status.Errorf(codes.InvalidArgument, "a search has a query of at most %d bytes and names at most %d streams", agentpb.MaxFilter, agentpb.MaxStreams)
	}
	m, err := compileQuery(req.GetQuery())
	if err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "the query cannot be used: %v", err)
	}
	f := &finding{
		server: s, names: map[event.SourceID]string{}, query: history.Query{Match: m, From: moment(req.GetFrom()), To: moment(req.GetTo())},
		matches: bounded(int64(req.GetMaxMatches()), agentpb.MaxSearchMatches),
		bytes:   bounded(int64(min(req.GetMaxBytes(), agentpb.MaxSearchBytes)), agentpb.MaxSearchBytes),
		within:  time.Duration(bounded(int64(req.GetMaxSeconds()), agentpb.MaxSearchSeconds)) * time.Second,
	}
	wanted := map[string]bool{}
	for _, id := range req.GetStreams() {
		if s.find(id) == nil {
			return nil, status.Errorf(codes.NotFound, "there is no stream %.80q here (any more)", id)
		}
		wanted[id] = true
	}
	for _, e := range s.catalog.list() {
		switch {
		case len(wanted) > 0 && !wanted[e.id]:
		case e.refused != "":
			f.refused = append(f.refused, fmt.Errorf("%s was not searched: %s", e.id, e.refused))
		default:
			info := e.info(s.host)
			f.names[info.ID] = e.id
			f.infos = append(f.infos, info)
		}
	}
	for _, k := range s.kept {
		if len(wanted) == 0 || wanted[k.entry.id] {
			f.spool(k, s.host)
		}
	}
	return f, nil
}

// spool adds a stream that has no file. The journal is no spool of ours: that it was
// left out is said.
func (f *finding) spool(k *kept, host string) {
	spool := k.spool.Load()
	switch {
	case k.entry.conf.Journald:
		f.refused = append(f.refused, fmt.Errorf("%s was not searched: it is the journal: ask journalctl there", k.entry.id))
	case spool == nil:
		f.refused = append(f.refused, fmt.Errorf("%s was not searched: its spool is not open %s", k.entry.id, k.problem()))
	default:
		info := k.info(host)
		f.names[info.ID] = k.entry.id
		f.kept = append(f.kept, history.Kept{Info: info, Spool: spool})
	}
}

// moment is a time on the wire; 0 is none.
func moment(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns)
}

func bounded(asked, most int64) int64 {
	if asked <= 0 {
		return most
	}
	return min(asked, most)
}

// finding is one search. Only the goroutine of run touches it.
type finding struct {
	server *Server
	call   grpc.ServerStreamingServer[agentpb.SearchReply]
	query  history.Query
	infos  []sources.Info
	kept   []history.Kept            // what has no file
	names  map[event.SourceID]string // stream ids

	refused []error // streams that are not served

	matches, bytes int64 // that may still be sent
	within         time.Duration

	out   *agentpb.SearchReply
	held  int // bytes of matches in out
	told  time.Time
	ended agentpb.SearchEnd_Stop
	err   error // the console went away
}

func (f *finding) run(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, f.within, errTime)
	defer cancel()
	if err := f.turn(ctx); err != nil {
		return err
	}
	defer f.rest()
	h := &history.History{
		Registry: f.server.registry, Open: f.server.catalog.guard.open,
		Sources: func() []sources.Info { return f.infos }, Kept: func() []history.Kept { return f.kept },
	}
	f.told = time.Now()
	err := h.Find(ctx, f.query, f.found, f.progress)
	switch {
	case f.err != nil:
		return f.err
	case errors.Is(context.Cause(ctx), errTime):
		f.ended = agentpb.SearchEnd_TIME
	case ctx.Err() != nil:
		return status.FromContextError(ctx.Err()).Err()
	}
	f.out.End = &agentpb.SearchEnd{Stop: f.ended, Problems: problems(err, f.refused)}
	return f.send()
}

// turn waits until this search may read.
func (f *finding) turn(ctx context.Context) error {
	select {
	case f.server.turns <- struct{}{}:
		return nil
	case <-ctx.Done():
		if errors.Is(context.Cause(ctx), errTime) {
			return status.Error(codes.ResourceExhausted, "other searches kept this agent busy for as long as this one may take: ask again")
		}
		return status.FromContextError(ctx.Err()).Err()
	}
}

func (f *finding) rest() { <-f.server.turns }

// found takes a match; false ends the search.
func (f *finding) found(e *event.Event) bool {
	f.out.Matches = append(f.out.Matches, &agentpb.Match{
		Stream: f.names[e.Ref.Source], Raw: e.Raw, Device: e.Ref.File.Dev, Inode: e.Ref.File.Ino, Generation: e.Ref.Epoch,
		Offset: e.Ref.Offset, Span: uint32(max(e.Ref.Len, 0)), Line: e.Line, Time: e.Time.UnixNano(), Flags: uint32(e.Flags),
	})
	f.held += len(e.Raw)
	f.matches--
	f.bytes -= int64(len(e.Raw))
	switch {
	case f.matches <= 0:
		f.ended = agentpb.SearchEnd_MATCHES
		return false
	case f.bytes <= 0:
		f.ended = agentpb.SearchEnd_BYTES
		return false
	}
	if f.held >= searchGather || len(f.out.Matches) >= agentpb.MaxBatch {
		f.err = f.send()
	}
	return f.err == nil
}

// progress tells the console how far the search is: with what was found in the
// last records at once, otherwise every second.
func (f *finding) progress(p history.Progress) {
	if f.err != nil {
		return
	}
	f.out.Progress = &agentpb.SearchProgress{Done: p.Done, Total: p.Total}
	oldest := p.Oldest
	if p.Older && (oldest.IsZero() || oldest.After(f.query.From)) {
		oldest = f.query.From // it could see further, and was not asked to
	}
	if !oldest.IsZero() {
		f.out.Progress.Oldest = oldest.UnixNano()
	}
	if now := time.Now(); len(f.out.Matches) > 0 || now.Sub(f.told) >= searchTell {
		f.err = f.send()
		f.told = now
	}
}

// send sends what was gathered. While the console takes nothing, others read.
func (f *finding) send() error {
	f.rest()
	err := f.call.Send(f.out)
	f.out = &agentpb.SearchReply{Progress: f.out.GetProgress()}
	f.held = 0
	f.server.turns <- struct{}{}
	return err
}

// sentence makes text fit for the wire, whatever file names are in it.
func sentence(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), agentpb.MaxText)], "\uFFFD")
}

// problems lists the sentences of a joined error and further ones; of too many
// the last says how many there are.
func problems(err error, more []error) []string {
	var all interface{ Unwrap() []error }
	list := []error{err}
	if errors.As(err, &all) {
		list = all.Unwrap()
	}
	var out []string
	rest := 0
	for _, e := range slices.Concat(list, more) {
		switch {
		case e == nil:
		case len(out) == agentpb.MaxProblems:
			rest++
		default:
			out = append(out, sentence(e.Error()))
		}
	}
	if rest > 0 {
		out[len(out)-1] = fmt.Sprintf("and %d further files were not searched, or not to their end", rest+1)
	}
	return out
}
