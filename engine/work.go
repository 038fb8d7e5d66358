package engine

import (
	"sync"
	"sync/atomic"
	"time"

	"bartizan/detect"
	"bartizan/detect/falco"
	"bartizan/event"
	"bartizan/query"
	"bartizan/sources"
	"bartizan/sources/parse"
)

// found is one rule on one event of a work.
type found struct {
	at   int // index into events
	rule *detect.Rule
	why  []query.Match // nil: asked for only when the hit is raised
}

// work is one batch on its way through the pipeline: parsed, matched, numbered,
// committed. Its events live in its slab until release.
type work struct {
	batch  sources.Batch
	stream *stream
	slab   parse.Slab
	events []event.Event
	found  []found
	rules  *detect.Set
	nth    uint64 // of the rule set, see ruleSet
	next   int    // how many of found were raised
	raised bool   // something of it waits for the disk
	replay bool   // only fill the ring: rules have seen these records before
	past   bool   // only run rules: these records are older than the ring
	last   bool   // no records any more from the past: its windows can be judged
}

// stream is what the pipeline knows of one source.
type stream struct {
	info    sources.Info
	parser  *parse.Stream
	records atomic.Uint64
	bytes   atomic.Uint64
	newest  atomic.Int64 // event time of the newest record, Unix nanoseconds
	seen    atomic.Int64 // when it arrived
	format  atomic.Pointer[string]
	late    atomic.Uint64
	loss    atomic.Pointer[lossSeen]
	silent  atomic.Pointer[silence]
	clock   *clockwork // nil: times are not watched
	odd     func(oddity)
	head    atomic.Pointer[[]byte] // how a file on another host begins
}

// lossSeen is the newest loss of a source.
type lossSeen struct {
	at  time.Time
	why string
}

var workPool = sync.Pool{New: func() any { return new(work) }}

func takeWork(b sources.Batch, s *stream) *work {
	w := workPool.Get().(*work)
	w.batch, w.stream, w.replay, w.past, w.last = b, s, false, false, false
	w.next, w.raised = 0, false
	return w
}

// release tells the source that the batch is done and reuses the work. The
// events of the batch are invalid from here on.
func (w *work) release(err error) {
	if w.batch.Done != nil {
		w.batch.Done(err)
	}
	w.slab.Reset()
	clear(w.found)
	w.batch, w.stream, w.rules, w.events, w.found = sources.Batch{}, nil, nil, w.events[:0], w.found[:0]
	workPool.Put(w)
}

// worker parses and matches; it belongs to one goroutine.
type worker struct {
	rules   *detect.Set
	nth     uint64 // of the rule set
	matcher *detect.Matcher
	falco   detect.Severity                 // Falco's own alerts below it are records like any other
	join    func(*detect.Rule) *detect.Rule // adds what is loaded about the rule of an alert from Falco; may be nil
	hits    []*detect.Rule
	host    string // this one's name, for what we say ourselves about its sources
	census  *Census
}

// use switches to another rule set, between two batches.
func (k *worker) use(rules *detect.Set) {
	if rules != k.rules {
		k.rules, k.matcher = rules, rules.NewMatcher()
	}
}

// do turns the batch's records into events and finds what stateless rules hold.
func (k *worker) do(w *work) {
	w.rules, w.nth = k.rules, k.nth
	n := len(w.batch.Records)
	if cap(w.events) < n {
		w.events = make([]event.Event, n)
	}
	w.events = w.events[:n]
	var bytes uint64
	late := latenessOf(w.stream.info, w.stream.formatName())
	before := w.stream.records.Load()
	for i := range w.batch.Records {
		rec, e := &w.batch.Records[i], &w.events[i]
		e.Reset()
		bytes += uint64(len(rec.Raw))
		if rec.Lost > 0 {
			lossEvent(rec, e)
			about(w.stream.info, k.host, e)
			w.found = append(w.found, found{at: i, rule: lossRuleOf(rec.Flags)})
			w.stream.loss.Store(&lossSeen{e.Seen, e.Message})
			continue
		}
		w.stream.parser.Parse(rec, &w.slab, e)
		w.stream.markLate(e)
		w.stream.watchClock(e, late)
		if k.census != nil && due(before+uint64(i)) {
			k.census.See(e, w.stream.info.Host, w.stream.info.Name)
		}
		if !w.replay {
			k.match(w, i)
		}
	}
	w.stream.note(w.events, bytes)
}

func (k *worker) match(w *work, i int) {
	e := &w.events[i]
	if rule, why, ok := falco.Intake(e); ok && rule.Severity >= k.falco {
		if k.join != nil {
			rule = k.join(rule)
		}
		w.found = append(w.found, found{at: i, rule: rule, why: why})
	}
	k.hits = k.matcher.Match(e, k.hits[:0])
	for _, r := range k.hits {
		w.found = append(w.found, found{at: i, rule: r})
	}
}

// lateBy is how far behind the newest record of its source an event may be before
// it is marked late, unless the source's config says otherwise.
const lateBy = 2 * time.Second

// markLate flags an event that is older than what its source delivered before.
func (s *stream) markLate(e *event.Event) {
	late, newest := max(s.info.Lateness, lateBy), s.newest.Load()
	if newest != 0 && e.Flags&event.FlagNoTime == 0 && e.Time.UnixNano() < newest-int64(late) {
		e.Flags |= event.FlagLate
		s.late.Add(1)
	}
}

// watchClock looks at the time of the next record.
func (s *stream) watchClock(e *event.Event, late time.Duration) {
	if s.clock == nil || e.Flags&(event.FlagNoTime|event.FlagClock) != 0 {
		return
	}
	if o, odd := s.clock.see(e.Time, e.Ref, late); odd {
		if o.back {
			s.newest.Store(o.to.UnixNano()) // else all that follows would be late
		}
		s.odd(o)
	}
}

// formatName is the format of the newest record.
func (s *stream) formatName() string {
	if f := s.format.Load(); f != nil {
		return *f
	}
	return ""
}

// note keeps what the sources screen shows.
func (s *stream) note(events []event.Event, bytes uint64) {
	s.records.Add(uint64(len(events)))
	s.bytes.Add(bytes)
	if len(events) == 0 {
		return
	}
	last := &events[len(events)-1]
	s.seen.Store(last.Seen.UnixNano())
	if t := last.Time.UnixNano(); t > s.newest.Load() {
		s.newest.Store(t)
	}
	if f := s.format.Load(); f == nil || *f != last.FormatName {
		name := last.FormatName
		s.format.Store(&name)
	}
}

// lossEvent makes the row that stands for missing records.
func lossEvent(rec *sources.Record, e *event.Event) {
	e.Ref, e.Line, e.Seen, e.Time, e.Lost, e.Raw = rec.Ref, rec.Line, rec.Seen, rec.Seen, rec.Lost, rec.Raw
	e.Flags = rec.Flags | event.FlagNoTime | event.FlagRawOnly
	e.Level, e.FormatName, e.Message = event.LevelWarning, "loss", string(rec.Raw)
	if e.Seen.IsZero() {
		e.Seen, e.Time = time.Now(), time.Now()
	}
}
