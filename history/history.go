// Package history searches the logs where they lie: the files that are followed
// and their rotated and compressed generations. It keeps no copy and no index.
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
}

// Search gives found every event that m matches with a time in [from, to) (zero
// is open), newest file first and in a file oldest first, until found returns
// false or ctx ends. progress is told the part of all bytes that was read, and 1
// when everything was. A file last written before from is not read. The error
// joins what could not be read.
func (h *History) Search(ctx context.Context, m *query.Matcher, from, to time.Time, found func(*event.Event) bool, progress func(float64)) error {
	all, bad := h.generations(from)
	s := &search{history: h, progress: progress}
	for _, g := range all {
		s.total += g.size
	}
	s.each = func(e *event.Event) bool {
		if !from.IsZero() && e.Time.Before(from) || !to.IsZero() && !e.Time.Before(to) || !m.Match(e) {
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
	}
	progress(1)
	return errors.Join(bad...)
}

// search is one Search.
type search struct {
	history     *History
	each        func(*event.Event) bool
	progress    func(float64)
	total, done int64 // bytes as they lie on disk
	stopped     bool  // each wants no more
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
		failed <- sources.NewStatic(path, g.info.ID, sources.SystemClock{}).Run(ctx, "", batches)
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
		s.progress(float64(s.done+min(end, st.gen.size)) / float64(max(s.total, 1)))
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
