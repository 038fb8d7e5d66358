package engine

import (
	"container/heap"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"bartizan/detect"
	"bartizan/detect/falco"
	"bartizan/event"
	"bartizan/query"
	"bartizan/sources"
	"bartizan/sources/parse"
)

// ScanOptions say how to read sources to their end.
type ScanOptions struct {
	Rules    *detect.Set // nil: only parse
	Registry *parse.Registry
	Falco    detect.Severity // Falco's own alerts are hits from this severity on
	From, To time.Time       // event times kept; zero is open
	Now      func() time.Time
	// Event is called with every event in merged order, before its hits; may be nil.
	Event func(e *event.Event) error
	// Hit is called with every hit; h.Event is valid during the call. May be nil.
	Hit func(h *detect.Hit) error
	// Failed is told about a source that could not be read; the others go on.
	Failed func(info sources.Info, err error)
	// AsTheyCome gives events as they arrive, for sources that follow.
	AsTheyCome bool
}

// scanWidth is how many sources are read at the same time and merged by event
// time; the next ones follow in the order given.
const scanWidth = 64

// Scan reads every source to its end, or until ctx ends, merging them by event
// time. It stops at the first error of Event or Hit; an error after everything was
// read says that windows were given up at their bound.
func Scan(ctx context.Context, open []sources.Opened, o ScanOptions) error {
	s := &scan{o: o, counter: detect.NewCorrelator(o.Now, nil)}
	if o.Rules != nil {
		s.explain = o.Rules.NewMatcher()
		s.counter.Swap(o.Rules.Rules())
	}
	for len(open) > 0 {
		n := min(len(open), scanWidth)
		if err := s.some(ctx, open[:n]); err != nil {
			return err
		}
		open = open[n:]
	}
	if err := s.hits(nil, s.counter.Flush()); err != nil {
		return err
	}
	if lost := givenUp(s.counter.Evicted()); lost != "" {
		return errors.New(lost)
	}
	return nil
}

func (s *scan) hits(f *found, done []detect.Completed) error {
	if s.o.Hit == nil {
		return nil
	}
	for i := range done {
		h := makeHit(s.explain, f, &done[i])
		if err := s.o.Hit(&h); err != nil {
			return err
		}
	}
	return nil
}

type scan struct {
	o       ScanOptions
	counter *detect.Correlator
	explain *detect.Matcher
}

// lane is one source's parsed works in order, and where its head stands.
type lane struct {
	works chan *work
	head  *work
	at    int
}

func (l *lane) event() *event.Event { return &l.head.events[l.at] }

// some merges up to scanWidth sources.
func (s *scan) some(ctx context.Context, open []sources.Opened) error {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	if s.o.AsTheyCome {
		shared := &lane{works: make(chan *work)}
		var readers sync.WaitGroup
		for _, op := range open {
			readers.Go(func() { s.read(ctx, op, shared.works) })
		}
		wg.Go(func() { readers.Wait(); close(shared.works) })
		return s.merge(ctx, []*lane{shared})
	}
	lanes := make([]*lane, len(open))
	for i, op := range open {
		l := &lane{works: make(chan *work, 1)}
		lanes[i] = l
		wg.Go(func() { s.read(ctx, op, l.works); close(l.works) })
	}
	return s.merge(ctx, lanes)
}

// read runs one source and parses its batches into works.
func (s *scan) read(ctx context.Context, op sources.Opened, works chan<- *work) {
	batches := make(chan sources.Batch, 1)
	var failed error
	go func() {
		defer close(batches)
		failed = op.Source.Run(ctx, "", batches)
	}()
	st := &stream{info: op.Info, parser: s.o.Registry.Stream(op.Info)}
	k := &worker{falco: s.o.Falco}
	if s.o.Rules != nil {
		k.use(s.o.Rules)
	}
	for b := range batches {
		w := takeWork(b, st)
		w.replay = s.o.Rules == nil
		k.do(w)
		select {
		case works <- w:
		case <-ctx.Done():
			w.release(ctx.Err())
		}
	}
	if failed != nil && ctx.Err() == nil && s.o.Failed != nil {
		s.o.Failed(op.Info, failed)
	}
}

// merge takes the oldest head again and again; a lane without a head is waited
// for, so the order is by event time as far as each source is in order itself.
func (s *scan) merge(ctx context.Context, lanes []*lane) error {
	done := func(w *work) { w.release(nil) }
	var h laneHeap
	defer func() {
		for _, l := range h {
			l.head.release(context.Canceled)
		}
	}()
	for _, l := range lanes {
		if l.next(ctx, done) {
			h = append(h, l)
		}
	}
	heap.Init(&h)
	for len(h) > 0 {
		l := h[0]
		if err := s.take(l.head, l.at); err != nil {
			return err
		}
		if l.next(ctx, done) {
			heap.Fix(&h, 0)
		} else {
			heap.Pop(&h)
		}
	}
	return ctx.Err()
}

// next moves to the lane's next event, waiting for one; false at the end. Works
// that were gone through are given to finished.
func (l *lane) next(ctx context.Context, finished func(*work)) bool {
	if l.head != nil {
		if l.at++; l.at < len(l.head.events) {
			return true
		}
		finished(l.head)
		l.head = nil
	}
	for {
		select {
		case <-ctx.Done():
			return false
		case w, ok := <-l.works:
			if !ok {
				return false
			}
			if len(w.events) == 0 {
				finished(w)
				continue
			}
			l.head, l.at = w, 0
			return true
		}
	}
}

// take gives out one event and its hits.
func (s *scan) take(w *work, at int) error {
	e := &w.events[at]
	if !s.o.From.IsZero() && e.Time.Before(s.o.From) || !s.o.To.IsZero() && !e.Time.Before(s.o.To) {
		return nil
	}
	if s.o.Event != nil {
		if err := s.o.Event(e); err != nil {
			return err
		}
	}
	if s.o.Hit == nil {
		return nil
	}
	for i := range w.found {
		f := &w.found[i]
		if f.at != at {
			continue
		}
		if err := s.hits(f, s.counter.Take(f.rule, e)); err != nil {
			return err
		}
	}
	return nil
}

// makeHit makes the hit of what is completed; f is what a worker found, nil when
// only time passed.
func makeHit(m *detect.Matcher, f *found, d *detect.Completed) detect.Hit {
	var why []query.Match
	if f != nil && f.rule == d.Rule {
		if why = f.why; why == nil && d.Rule.Cond != nil {
			why = m.Explain(d.Rule, d.Event)
		}
	}
	if said, ok := falco.Said(d.Rule, d.Event); ok {
		why = append(slices.Clip(why), said)
	}
	return d.Hit(why)
}

// laneHeap orders lanes by the time of their heads, then by order of opening.
type laneHeap []*lane

func (h laneHeap) Len() int           { return len(h) }
func (h laneHeap) Less(i, j int) bool { return h[i].event().Time.Before(h[j].event().Time) }
func (h laneHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *laneHeap) Push(x any)        { *h = append(*h, x.(*lane)) }
func (h *laneHeap) Pop() any {
	old := *h
	l := old[len(old)-1]
	*h = old[:len(old)-1]
	return l
}
