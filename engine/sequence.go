package engine

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/store"
	"bartizan/triage"
)

// gather is how many works may be put on the board before the disk is asked.
const gather = 64

// sequencer gives events their order: it belongs to one goroutine. It appends to
// the ring, counts windows, raises hits and hands batches to the committer.
type sequencer struct {
	e       *Engine
	counter *detect.Correlator
	past    *detect.Correlator // windows over older records are counted apart
	nth     uint64             // of the newest rule set a work came with
	explain *detect.Matcher
	commit  *committer
	row     store.Row
	after   []afterwards
	told    []triage.AlertID

	stop      func() // ends the reading
	unprinted error  // why records cannot be printed
}

// afterwards is a hit that still waits for the records that follow it.
type afterwards struct {
	alert  triage.AlertID
	nth    uint64
	source event.SourceID
	got    []triage.Evidence
}

// maxAfterwards bounds the hits that wait for what follows them.
const maxAfterwards = 1024

func newSequencer(e *Engine) *sequencer {
	q := &sequencer{
		e: e, counter: detect.NewCorrelator(e.o.Now, nil), past: detect.NewCorrelator(e.o.Now, nil),
		commit: newCommitter(e),
	}
	q.counter.SetLateness(e.lateness)
	q.past.Lateness = max(q.past.Lateness, e.o.CatchUp) // the past is read newest first, one file after the other
	return q
}

// sequence runs until e.works is closed; what it has is on disk then. stop ends
// the reading when the pipeline cannot go on.
func (e *Engine) sequence(ctx context.Context, begin []start, begun func(), stop func()) error {
	q := newSequencer(e)
	q.stop = stop
	e.windows.Store(q)
	var wg sync.WaitGroup
	wg.Go(q.commit.run)
	from := e.o.Now()
	err := q.show(ctx, begin)
	e.past.reachedAtLeast(from)
	begun()
	if err == nil {
		q.all(e.works)
	} else {
		stop()
		for w := range e.works {
			w.release(err)
		}
	}
	q.commit.close()
	wg.Wait()
	return errors.Join(err, q.unprinted, q.commit.final())
}

// all takes works until there are no more.
func (q *sequencer) all(works <-chan *work) {
	idle := time.NewTicker(time.Second)
	defer idle.Stop()
	for {
		select {
		case <-idle.C:
			q.advance()
		case n := <-q.e.own:
			q.note(n)
		case w, ok := <-works:
			if !ok {
				q.rest()
				return
			}
			q.take(w)
			q.more(works)
			q.e.watch.poke()
		}
	}
}

// rest says what is still to be said when nothing is read any more.
func (q *sequencer) rest() {
	for len(q.e.own) > 0 {
		q.note(<-q.e.own)
	}
	for _, n := range q.e.judgeOddities(true) {
		q.note(n)
	}
}

// more takes what waits already, up to a bound, before anybody is told.
func (q *sequencer) more(works <-chan *work) {
	for range gather {
		select {
		case w, ok := <-works:
			if !ok {
				return
			}
			q.take(w)
		default:
			return
		}
	}
}

// found raises a finding of our own.
func (q *sequencer) found(f store.Found) []triage.Change {
	changes := q.raise(f)
	for _, c := range changes {
		if !c.Known {
			q.e.tally(f.Hit.Rule, nil)
		}
		q.tell(c)
	}
	q.commit.note(q.told)
	q.told = nil
	q.e.watch.poke()
	return changes
}

// judge raises windows that time completed and says whether there were any.
func (q *sequencer) judge(done []detect.Completed) bool {
	for i := range done {
		for _, c := range q.raise(store.Found{Hit: makeHit(q.explain, nil, &done[i])}) {
			if !c.Known {
				q.e.tally(done[i].Rule, nil)
			}
			q.tell(c)
		}
	}
	return len(done) > 0
}

// givenUp says in one sentence what counting rules may miss because the bound on
// windows was reached n times; "" is nothing.
func givenUp(n uint64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d counting windows were given up at the bound of %d groups or %d MiB: rules that count may have missed something; group them by less", n, detect.MaxStates, detect.MaxStateBytes>>20)
}

// tell notes which alerts somebody must hear of once they are on disk.
func (q *sequencer) tell(c triage.Change) {
	if c.Raised {
		q.told = append(q.told, c.Alert)
	}
	q.told = append(q.told, c.Reraised...)
}

// take puts one work's events in order behind all that came before.
func (q *sequencer) take(w *work) {
	if w.last {
		w.raised = q.judge(q.past.Flush()) || w.raised
	}
	for i := range w.events {
		q.one(w, i)
	}
	q.finish(w)
}

// show merges what lies in files already by event time, so that the stream
// begins in order; then the sources go on live, as their records arrive.
func (q *sequencer) show(ctx context.Context, begin []start) error {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	var h laneHeap
	for i := range begin {
		b := &begin[i]
		if b.show == nil {
			continue
		}
		q.e.past.total.Add(b.show.to - b.show.from)
		l := &lane{works: make(chan *work, 1)}
		wg.Go(func() {
			defer close(l.works)
			err := q.e.showSpan(ctx, b, func(w *work) error {
				select {
				case l.works <- w:
					return nil
				case <-ctx.Done():
					w.release(ctx.Err())
					return ctx.Err()
				}
			})
			if err != nil && ctx.Err() == nil {
				q.e.o.Log.Warn("reading what lies there", "err", err)
				b.pos = b.back // the source reads it again: hits are known, records are not skipped
			}
			q.e.past.done.Add(b.show.to - b.show.from)
		})
		h = append(h, l)
	}
	h = slices.DeleteFunc(h, func(l *lane) bool { return !l.next(ctx, q.finish) })
	heap.Init(&h)
	for n := 0; len(h) > 0; n++ {
		q.one(h[0].head, h[0].at)
		if h[0].next(ctx, q.finish) {
			heap.Fix(&h, 0)
		} else {
			heap.Pop(&h)
		}
		if n%4096 == 0 {
			q.e.watch.poke()
		}
	}
	q.e.watch.poke()
	return ctx.Err()
}

// one numbers the event, shows it and raises what rules found on it.
func (q *sequencer) one(w *work, i int) {
	e := &w.events[i]
	if !w.past {
		seq, err := q.e.ring.Append(e)
		if err != nil {
			q.e.say(err.Error())
		}
		e.Seq = seq
		q.e.rate.n.Add(1)
	}
	q.follow(e)
	q.e.joins.Take(e)
	if w.next < len(w.found) && w.found[w.next].at == i {
		e = annotated(q.e.joins, e)
	}
	for ; w.next < len(w.found) && w.found[w.next].at == i; w.next++ {
		q.hit(w, &w.found[w.next], e)
	}
}

// hit raises what a rule found, unless its window is not full.
func (q *sequencer) hit(w *work, f *found, e *event.Event) {
	q.use(w)
	counter := q.counter
	if w.past {
		counter = q.past
	}
	for _, d := range counter.Take(f.rule, e) {
		q.completed(w, f, &d, e)
	}
}

// completed raises one hit: of a rule on e, or of a window that e or time completed.
func (q *sequencer) completed(w *work, f *found, d *detect.Completed, e *event.Event) {
	h := makeHit(q.explain, f, d)
	if f.rule.Kind == detect.KindFalco {
		q.e.feeds.remember(f.rule)
	}
	changes := q.raise(store.Found{Hit: h, Before: q.before(w, e)})
	for _, c := range changes {
		if !w.past {
			q.e.ring.Mark(d.Event.Seq, store.Mark{Rule: d.Rule.ID, Alert: c.Alert, Why: h.Why})
		}
		if c.Known {
			continue
		}
		q.e.tally(d.Rule, e)
		w.raised = true
		q.tell(c)
		q.await(c, e)
	}
}

// raise puts the hit on the board, waiting when the disk is too far behind.
func (q *sequencer) raise(f store.Found) []triage.Change {
	for {
		changes, err := q.e.o.Desk.Raise([]store.Found{f})
		if !errors.Is(err, store.ErrBacklog) {
			if err != nil {
				q.e.say(err.Error())
			}
			return changes
		}
		q.e.say(err.Error())
		if !q.commit.wait() {
			return nil
		}
	}
}

// use follows to newer rule sets; a work that was matched with an older one, by
// another worker, is still counted by the rules it was matched with.
func (q *sequencer) use(w *work) {
	if w.rules != nil {
		q.swap(w.rules, w.nth)
	}
}

// swap goes on with a rule set unless it has it, or a newer one, already.
func (q *sequencer) swap(rules *detect.Set, nth uint64) {
	if q.explain != nil && nth <= q.nth {
		return
	}
	q.counter.Swap(rules.Rules())
	q.past.Swap(rules.Rules())
	q.nth, q.explain = nth, rules.NewMatcher()
}

// finish hands the batch on: at once when nothing was raised, else once it is on
// disk.
func (q *sequencer) finish(w *work) {
	if !q.print(w) {
		w.release(q.unprinted) // its hits are on the board and known when it comes again
		return
	}
	source, pos := w.batch.Source, w.batch.Pos
	if pos == "" {
		source = ""
	}
	q.commit.take(source, pos, w, q.told)
	q.told = nil
}
