// Package history searches the logs where they lie: the files that are followed
// and their rotated and compressed generations. It keeps no index, and no copy but of
// what has no file: that goes into a spool, see Spool.
//
// A search reads files from disk for as long as it takes; it is called off by its
// context and says how far it is. Nothing is lost here: a file that cannot be
// read, or not to its end, is part of the error, after all others were searched.
package history

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"bartizan/event"
	"bartizan/query"
	"bartizan/sources"
	"bartizan/sources/parse"
)

// History searches the files of some sources.
type History struct {
	Registry *parse.Registry
	Sources  func() []sources.Info // those that have a Path are searched
	// Open opens a file for reading, when not every file may be read that lies
	// where a source's path or its rotated names lead; nil opens any.
	Open func(path string) (*os.File, error)
	Kept func() []Kept // sources that have no file; nil: there are none
}

// Query is what Find looks for.
type Query struct {
	Match    *query.Matcher
	From, To time.Time // event times in [From, To); zero is open
}

// Progress says how far a search is.
type Progress struct {
	Done, Total int64     // bytes as they lie on disk
	Oldest      time.Time // event time of the oldest record read so far; zero: none had one
	Older       bool      // there are files older than Query.From, which are not read
}

// Search gives found every event that m matches with a time in [from, to) (zero
// is open), newest file first and in a file oldest first, until found returns
// false or ctx ends. progress is told the part of all bytes that was read, and 1
// when everything was. A file last written before from is not read. The error
// joins what could not be read.
func (h *History) Search(ctx context.Context, m *query.Matcher, from, to time.Time, found func(*event.Event) bool, progress func(float64)) error {
	whole := false
	err := h.Find(ctx, Query{m, from, to}, found, func(p Progress) {
		if whole = p.Done == p.Total; !whole {
			progress(float64(p.Done) / float64(p.Total))
		}
	})
	if whole && ctx.Err() == nil {
		progress(1)
	}
	return err
}

// Find is Search with more to tell: progress is called after every batch of
// records and at the end of every file.
func (h *History) Find(ctx context.Context, q Query, found func(*event.Event) bool, progress func(Progress)) error {
	all, older, bad := h.generations(q.From)
	s := &search{history: h, report: progress, Progress: Progress{Older: older}}
	for _, g := range all {
		s.Total += g.size
	}
	spools, bytes := h.kept()
	s.Total += bytes
	s.each = func(e *event.Event) bool {
		if e.Flags&event.FlagNoTime == 0 && (s.Oldest.IsZero() || e.Time.Before(s.Oldest)) {
			s.Oldest = e.Time
		}
		if !q.From.IsZero() && e.Time.Before(q.From) || !q.To.IsZero() && !e.Time.Before(q.To) || !q.Match.Match(e) {
			return true
		}
		return found(e.Clone())
	}
	for _, g := range all {
		if err := s.file(ctx, g); err != nil && ctx.Err() == nil {
			bad = append(bad, err)
		}
		if s.stopped || ctx.Err() != nil {
			return cmp.Or(ctx.Err(), errors.Join(bad...))
		}
		s.done += g.size
		s.Done = s.done
		progress(s.Progress)
	}
	bad = append(bad, s.spools(ctx, spools, q)...)
	if len(all)+len(spools) == 0 {
		progress(s.Progress)
	}
	return cmp.Or(ctx.Err(), errors.Join(bad...))
}

// search is one Find.
type search struct {
	Progress
	history *History
	each    func(*event.Event) bool
	report  func(Progress)
	done    int64 // bytes of the files that were read
	stopped bool  // each wants no more
}

// file reads one generation to its end, or until each returns false. Records that
// stand for missing ones say why the file could not be read on.
func (s *search) file(ctx context.Context, g generation) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	path, err := s.history.whereabouts(g)
	if err != nil {
		return err
	}
	batches := make(chan sources.Batch)
	failed := make(chan error, 1)
	go func() {
		failed <- s.history.static(path, g.info.ID).Run(ctx, "", batches)
		close(batches)
	}()
	st := &reading{stream: s.history.Registry.Stream(g.info), gen: g}
	var bad error
	for b := range batches {
		if bad == nil && !s.stopped && ctx.Err() == nil {
			bad = s.batch(st, b.Records)
		}
		b.Done(nil)
		if bad != nil || s.stopped {
			cancel()
		}
	}
	if err := <-failed; err != nil && bad == nil {
		bad = fmt.Errorf("%s could not be searched to its end: %w", path, err)
	}
	return bad
}

func (h *History) static(path string, id event.SourceID) *sources.Static {
	s := sources.NewStatic(path, id, sources.SystemClock{})
	if h.Open != nil {
		s.OpenWith(h.Open)
	}
	return s
}

// batch gives the records to each, and says how far the search is.
func (s *search) batch(st *reading, records []sources.Record) error {
	for i := range records {
		r := &records[i]
		switch {
		case r.Ref.File != st.gen.id:
			return fmt.Errorf("%s was rotated away while it was searched: search again", st.gen.path)
		case r.Lost > 0:
			return errors.New(string(r.Raw))
		}
		if s.stopped = !s.each(st.event(r)); s.stopped {
			return nil
		}
	}
	if n := len(records); n > 0 {
		end := records[n-1].Ref.Offset + int64(records[n-1].Ref.Len)
		s.Done = s.done + min(end, st.gen.size)
		s.report(s.Progress)
	}
	return nil
}

// reading turns the records of one file into events.
type reading struct {
	stream *parse.Stream
	gen    generation
	slab   parse.Slab
	last   event.Event
}

// event returns the record as an event that is valid until the next call. What
// lay there already was seen when the file was last written at the latest: that
// is the time of records without one, and gives stamps without a year theirs. A
// file whose own time was set back is not believed.
func (r *reading) event(rec *sources.Record) *event.Event {
	now := rec.Seen
	if now.IsZero() || rec.Ref.Offset < r.gen.size || r.gen.rotated {
		rec.Seen = r.gen.mod
	}
	r.parse(rec)
	if r.last.Flags&event.FlagClock != 0 {
		rec.Seen = now
		r.parse(rec)
	}
	return &r.last
}

func (r *reading) parse(rec *sources.Record) {
	r.slab.Reset()
	r.stream.Parse(rec, &r.slab, &r.last)
}
