package engine

import (
	"context"
	"fmt"
	"sync"
	"time"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/query"
	"bartizan/sources"
	"bartizan/sources/parse"
	"bartizan/store"
	"bartizan/triage"
)

// HitMark is one rule's hit on one event in the ring.
type HitMark struct {
	Rule  *detect.Rule
	Alert triage.AlertID
	Why   []query.Match
}

// Status is the engine in one line.
type Status struct {
	DetectedSince time.Time
	Progress      float64
	RingFrom      time.Time
	Rate          float64
	Lost          uint64
	Rules         int
	Refused       int
	RulesOff      int // switched off because they take too much time
	Expired       int // exceptions that have ended
	Sources       int
	SourcesBad    int
	ReadOnly      bool
	Problem       string
}

// Bounds returns the first event held and the one after the last.
func (e *Engine) Bounds() (first, next uint64) { return e.ring.Bounds() }

// reader is what reading one event needs; readers are reused.
type reader struct {
	row  store.Row
	slab parse.Slab
	room []event.Field // of an event that others say more about
}

var readers = sync.Pool{New: func() any { return new(reader) }}

// Read parses the event seq into to, which is the caller's own afterwards.
func (e *Engine) Read(seq uint64, to *event.Event) error {
	r := readers.Get().(*reader)
	defer readers.Put(r)
	if err := e.ring.Read(seq, &r.row); err != nil {
		return err
	}
	e.unpack(r, to)
	*to = *to.Clone()
	return nil
}

// Reparse understands a pinned record again, after the ring has moved on.
func (e *Engine) Reparse(ev triage.Evidence) (*event.Event, error) {
	info := sources.Info{ID: ev.Ref.Source}
	if st := e.feeds.stream(ev.Ref.Source); st != nil {
		info = st.info
	}
	if info.Format == "" && e.o.Registry.Known(ev.Format) {
		info.Format = ev.Format
	}
	var slab parse.Slab
	var out event.Event
	st := e.newStream(info)
	st.preface()
	st.parser.Parse(&sources.Record{Raw: ev.Raw, Ref: ev.Ref, Line: ev.Line, Seen: ev.Time}, &slab, &out)
	e.joins.Annotate(&out, nil)
	return out.Clone(), nil
}

// unpack parses the reader's row into to, whose bytes and fields stay the
// reader's.
func (e *Engine) unpack(r *reader, to *event.Event) {
	r.slab.Reset()
	to.Reset()
	row := &r.row
	switch {
	case row.Lost > 0 || row.Flags&event.FlagNotice != 0:
		to.Raw, to.FormatName, to.Message = row.Raw, "loss", string(row.Raw)
		if row.Lost == 0 {
			to.FormatName = noticeFormat
		}
		if st := e.feeds.stream(row.Ref.Source); st != nil {
			about(st.info, e.host, to)
		}
	default:
		e.o.Registry.Reparse(row.Format, row.Raw, &r.slab, to)
	}
	to.Seq, to.Ref, to.Line, to.Time, to.Seen = row.Seq, row.Ref, row.Line, row.Time, row.Seen
	to.Flags, to.Level, to.Lost, to.Format = row.Flags, row.Level, row.Lost, row.Format
	if to.Raw == nil {
		to.Raw = row.Raw
	}
	e.joins.Annotate(to, &r.room)
}

// Scan calls found with every event in [from, to) that m matches, oldest first
// (newest first when from > to), until found returns false or ctx ends.
func (e *Engine) Scan(ctx context.Context, from, to uint64, m *query.Matcher, found func(seq uint64) bool) error {
	var must [][]byte
	if lits, sound := m.Literals(); sound && len(lits) == 1 {
		must = [][]byte{[]byte(lits[0])}
	}
	r := &reader{}
	var ev event.Event
	return e.ring.Scan(ctx, from, to, must, func(row *store.Row) bool {
		r.row = *row
		e.unpack(r, &ev)
		return !m.Match(&ev) || found(row.Seq)
	})
}

// Hits returns what rules found on that event.
func (e *Engine) Hits(seq uint64) []HitMark {
	marks := e.ring.Marks(seq)
	if len(marks) == 0 {
		return nil
	}
	out := make([]HitMark, len(marks))
	for i, m := range marks {
		out[i] = HitMark{Rule: e.RuleOf(m.Rule), Alert: m.Alert, Why: m.Why}
	}
	return out
}

// RuleOf returns the rule with that id, nil when it is not loaded.
func (e *Engine) RuleOf(id string) *detect.Rule {
	if own := ownRule(id); own != nil {
		return own
	}
	if r := e.rules.Load().set.Rule(id); r != nil {
		return r
	}
	return e.feeds.foreign(id)
}

// Rules returns the rules in use and what was refused.
func (e *Engine) Rules() ([]*detect.Rule, []detect.Refusal) {
	s := e.rules.Load()
	return s.set.Rules(), s.refused
}

// Desk is the board as consoles and scripts use it.
func (e *Engine) Desk() *store.Desk { return e.o.Desk }

// PushFilter asks every agent to send only what matches q.
func (e *Engine) PushFilter(q string) error {
	if name := joinedField(q); name != "" {
		return fmt.Errorf("an agent cannot tell %s, which is only known here, where its records meet others; filter here instead", name)
	}
	for _, p := range e.o.Peers {
		if err := p.SetFilter(q); err != nil {
			return err
		}
	}
	return nil
}

// Status is what the header shows.
func (e *Engine) Status() Status {
	set := e.rules.Load()
	s := Status{
		Rate: e.rate.value(), Rules: len(set.set.Rules()), Refused: len(set.refused), ReadOnly: e.o.ReadOnly,
		Progress: e.past.progress(), DetectedSince: e.past.since(), Problem: e.o.Warning,
	}
	s.RulesOff, s.Expired = len(set.set.Off()), len(set.expired)
	for _, src := range e.Sources() {
		if src.State == event.SourceSkipped {
			continue
		}
		s.Sources++
		s.Lost += src.Lost
		if src.State != event.SourceLive && src.State != event.SourceDone && src.State != event.SourceCatchingUp {
			s.SourcesBad++
		}
	}
	if q := e.windows.Load(); q != nil && s.Problem == "" {
		s.Problem = givenUp(q.counter.Evicted() + q.past.Evicted())
	}
	if e.o.Trouble != nil && s.Problem == "" {
		s.Problem = e.o.Trouble()
	}
	if p := e.problem.Load(); p != nil && *p != "" {
		s.Problem = *p
	}
	var row store.Row
	if first, next := e.ring.Bounds(); first < next && e.ring.Read(first, &row) == nil {
		s.RingFrom = row.Time
	}
	return s
}
