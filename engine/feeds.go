package engine

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/sources"
)

// feeds are the open sources and how each is doing.
type feeds struct {
	mu     sync.RWMutex
	byID   map[event.SourceID]*feed
	order  []*feed
	seenAs map[string]*detect.Rule // rules made from Falco's alerts, by id
}

type feed struct {
	stream *stream
	status event.SourceStatus // as the supervisor reported it last
}

// maxForeign bounds how many rules made from alerts are remembered for display.
const maxForeign = 4096

func (f *feeds) init() {
	f.byID, f.seenAs = map[event.SourceID]*feed{}, map[string]*detect.Rule{}
}

func (f *feeds) stream(id event.SourceID) *stream {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if fd := f.byID[id]; fd != nil {
		return fd.stream
	}
	return nil
}

// add returns the feed of a source, and false when it is already open.
func (f *feeds) add(st *stream) (*feed, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fd := f.byID[st.info.ID]; fd != nil {
		return fd, false
	}
	fd := &feed{stream: st, status: event.SourceStatus{ID: st.info.ID, Kind: st.info.Kind, Name: st.info.Name, Behind: -1}}
	f.byID[st.info.ID] = fd
	f.order = append(f.order, fd)
	return fd, true
}

// report keeps the source's status and says whether more than its counts changed:
// records that arrive are told of as they arrive.
func (f *feeds) report(id event.SourceID, s event.SourceStatus) (news bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fd := f.byID[id]
	if fd == nil {
		return false
	}
	old := fd.status
	fd.status = s
	old.Records, old.Bytes, old.LastTime, old.LastSeen, old.Lag = s.Records, s.Bytes, s.LastTime, s.LastSeen, s.Lag
	return old != s
}

// remember keeps a rule that was made from an alert, so that screens can show it.
func (f *feeds) remember(r *detect.Rule) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.seenAs) < maxForeign {
		f.seenAs[r.ID] = r
	}
}

func (f *feeds) foreign(id string) *detect.Rule {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.seenAs[id]
}

// open starts a source where it stands, unless it is open already: at its saved
// position, or at its beginning.
func (e *Engine) open(ctx context.Context, wg *sync.WaitGroup, op sources.Opened) {
	st, from := e.newStream(op.Info), e.position(op.Info.ID)
	if from != "" {
		st.preface()
	}
	if _, isNew := e.feeds.add(st); isNew {
		e.goOn(ctx, wg, op, from)
	}
}

// goOn runs a source from that position until ctx ends.
func (e *Engine) goOn(ctx context.Context, wg *sync.WaitGroup, op sources.Opened, from sources.Position) {
	e.watch.poke()
	wg.Go(func() {
		e.foreword(ctx, op, from)
		sources.Supervise(ctx, op, from, e.lane(op.Info.ID), func(s event.SourceStatus) {
			if e.feeds.report(op.Info.ID, s) {
				e.watch.poke()
			}
		})
	})
}

// prefaced is a source of another host that is read from further on than its file's
// beginning, and can say how that begins.
type prefaced interface {
	Preface(ctx context.Context, from sources.Position) []byte
}

// foreword lets the stream see the beginning of a file on another host.
func (e *Engine) foreword(ctx context.Context, op sources.Opened, from sources.Position) {
	p, ok := op.Source.(prefaced)
	st := e.feeds.stream(op.Info.ID)
	if !ok || st == nil {
		return
	}
	if head := p.Preface(ctx, from); head != nil {
		st.head.Store(&head)
		st.preface()
	}
}

// position is how far the board has a source.
func (e *Engine) position(id event.SourceID) sources.Position {
	return sources.Position(e.o.Positions[id])
}

// Sources lists all sources and peers: those read first, then those skipped.
func (e *Engine) Sources() []event.SourceStatus {
	var out []event.SourceStatus
	remote := map[event.SourceID]bool{}
	for _, p := range e.o.Peers {
		for _, s := range p.Status() {
			remote[s.ID] = true
			out = append(out, e.known(s))
		}
	}
	e.feeds.mu.RLock()
	for _, fd := range e.feeds.order {
		if !remote[fd.status.ID] {
			out = append(out, fd.stream.fill(fd.status))
		}
	}
	e.feeds.mu.RUnlock()
	slices.SortStableFunc(out, func(a, b event.SourceStatus) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return append(out, e.o.Skipped...)
}

// known adds what the pipeline knows to what a peer says of its stream.
func (e *Engine) known(s event.SourceStatus) event.SourceStatus {
	if st := e.feeds.stream(s.ID); st != nil {
		return st.fill(s)
	}
	return s
}

// fill adds what parsing learnt: format, newest event time, lag.
func (st *stream) fill(s event.SourceStatus) event.SourceStatus {
	if f := st.format.Load(); f != nil {
		s.Format = *f
	}
	if n := st.newest.Load(); n != 0 {
		s.LastTime = time.Unix(0, n).UTC()
	}
	if n := st.seen.Load(); n != 0 {
		s.LastSeen = time.Unix(0, n).UTC()
		s.Lag = max(s.LastSeen.Sub(s.LastTime), 0)
	}
	s.Records, s.Late = max(s.Records, st.records.Load()), st.late.Load()
	if l := st.loss.Load(); l != nil {
		s.LastLoss, s.LossWhy = l.at, l.why
	}
	if q := st.silent.Load(); q != nil && s.State == event.SourceLive {
		s.State, s.Reason = event.SourceSilent, q.why
	}
	if s.State == event.SourceSilent {
		s.Quiet = s.LastSeen
	}
	return s
}
