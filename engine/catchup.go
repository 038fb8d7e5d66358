package engine

import (
	"context"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"bartizan/event"
	"bartizan/sources"
)

// How much of what lies there already is shown at start, over all files together
// and at least of each; and how much of an old position's past is shown again.
const (
	showAll   = 64 << 20
	showEach  = 1 << 20
	showAgain = 512 << 10
	pastBlock = 8 << 20
)

// catchUp is the run of the rules over the last hours, before what the ring
// shows: newest first, in the background, with progress.
type catchUp struct {
	e     *Engine
	mu    sync.Mutex
	queue []*span
	more  chan struct{}

	total, done atomic.Int64
	budget      atomic.Int64
	oldest      atomic.Int64 // event time everything since which rules have seen, Unix nanoseconds
	limited     atomic.Bool  // some source has older records that no rule has seen

	owed map[event.SourceID]string // for the first commit: where the past of sources stands
}

func (c *catchUp) init(e *Engine) {
	c.e, c.more, c.owed = e, make(chan struct{}, 1), map[event.SourceID]string{}
	c.budget.Store(e.o.Budget)
}

// progress is 1 when everything was caught up with.
func (c *catchUp) progress() float64 {
	total := c.total.Load()
	if total == 0 {
		return 1
	}
	return min(float64(c.done.Load())/float64(total), 1)
}

// since is the time from which on rules have seen every source.
func (c *catchUp) since() time.Time {
	if n := c.oldest.Load(); n != 0 {
		return time.Unix(0, n).UTC()
	}
	return time.Time{}
}

// reached notes the oldest event a source was understood from. Where older
// records were left out, the latest such time counts; else the earliest.
func (c *catchUp) reached(t time.Time, older bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, old := t.UnixNano(), c.oldest.Load()
	switch {
	case old == 0, older && (!c.limited.Load() || n > old), !older && !c.limited.Load() && n < old:
		c.oldest.Store(n)
	}
	if older {
		c.limited.Store(true)
	}
}

// reachedAtLeast notes when the engine began, where nothing lay there before.
func (c *catchUp) reachedAtLeast(began time.Time) {
	c.oldest.CompareAndSwap(0, began.UnixNano())
}

// add queues a span that only rules shall see.
func (c *catchUp) add(s *span) {
	s.past = true
	c.total.Add(s.to - s.from)
	c.mu.Lock()
	c.queue = append(c.queue, s)
	c.mu.Unlock()
	select {
	case c.more <- struct{}{}:
	default:
	}
}

func (c *catchUp) next() *span {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) == 0 {
		return nil
	}
	s := c.queue[0]
	c.queue = c.queue[1:]
	return s
}

// run works the queue off until ctx ends.
func (c *catchUp) run(ctx context.Context) {
	for {
		any := false
		for s := c.next(); s != nil && ctx.Err() == nil; s = c.next() {
			c.back(ctx, s)
			any = true
		}
		if any && ctx.Err() == nil {
			end := takeWork(sources.Batch{}, nil)
			end.past, end.last = true, true
			_ = c.e.submit(ctx, end) // only fails when ctx ended
		}
		select {
		case <-ctx.Done():
			return
		case <-c.more:
		}
	}
}

// back runs rules over the span in blocks, the newest first, until it reaches
// records older than the limit or the budget is spent.
func (c *catchUp) back(ctx context.Context, s *span) {
	limit := c.e.o.Now().Add(-c.e.o.CatchUp)
	f, err := s.open()
	if err != nil {
		c.e.o.Log.Warn("catching up", "err", err)
		c.done.Add(s.to - s.from)
		return
	}
	defer func() { _ = f.Close() }()
	to, oldest, counted := s.to, time.Time{}, int64(0)
	for to > s.from && ctx.Err() == nil {
		from, err := lineStart(f, max(to-pastBlock, s.from), to)
		if err != nil || from >= to {
			break
		}
		if c.budget.Add(from-to) < 0 {
			break
		}
		part := *s
		part.from, part.to = from, to
		first, err := c.block(ctx, &part)
		if err != nil {
			c.e.o.Log.Warn("catching up", "err", err)
			break
		}
		if c.stands(ctx, s, s.remaining(from)) != nil {
			break // ctx ended
		}
		c.done.Add(s.to - to - counted) // the last block counts when it is known how far back that is
		counted, to = s.to-to, from
		if oldest = first; !first.IsZero() && first.Before(limit) {
			break
		}
	}
	if ctx.Err() == nil {
		_ = c.stands(ctx, s, caughtUp) // only fails when ctx ended: then it goes on at next start
	}
	if !oldest.IsZero() {
		c.reached(oldest, to > s.from)
	}
	c.done.Add(s.to - s.from - counted)
	c.e.watch.poke()
}

// block runs rules over one block, oldest record first, and returns the time of
// its first record.
func (c *catchUp) block(ctx context.Context, s *span) (first time.Time, err error) {
	k := c.e.newWorker()
	st := &stream{info: s.stream.info, parser: c.e.o.Registry.Stream(s.stream.info), odd: s.stream.odd}
	if s.stream.clock != nil {
		st.clock = &clockwork{usual: s.stream.clock.usual}
	}
	if s.from > 0 {
		st.preface()
	}
	err = s.read(ctx, func(b sources.Batch) error {
		w := takeWork(b, st)
		w.past = true
		k.do(w)
		if first.IsZero() && len(w.events) > 0 {
			first = w.events[0].Time
		}
		return c.e.submit(ctx, w)
	})
	return first, err
}

// submit gives a work to the sequencer.
func (e *Engine) submit(ctx context.Context, w *work) error {
	select {
	case e.works <- w:
		return nil
	case <-ctx.Done():
		w.release(ctx.Err())
		return ctx.Err()
	}
}

// start is where a source begins: what to show of what lies there, and the
// position to follow from afterwards.
type start struct {
	show *span // nil: nothing
	pos  sources.Position
	back sources.Position // where to follow from instead when it cannot be shown
}

// startOf decides where a source begins. A file with a saved position goes on
// there; a new one shows its end, and leaves the rest to the catching up.
func (e *Engine) startOf(op sources.Opened, st *stream, share int64) start {
	saved := e.position(op.Info.ID)
	if op.Info.Kind != "file" || !op.Info.Live || op.Info.Path == "" {
		return start{pos: saved}
	}
	st.preface()
	if saved != "" {
		r, ok := sources.Resume(op.Info.Path, saved)
		e.pastAgain(st, op.Info.Path)
		if !ok {
			return start{pos: saved} // rotated or changed meanwhile: the source finds its way and says what is lost
		}
		s := &span{stream: st, path: op.Info.Path, file: r.File, epoch: r.Epoch, to: r.To, known: r.From, knownLine: r.Line}
		s.from = e.tailStart(s, max(r.To-max(r.From-showAgain, 0), share))
		return start{show: s, pos: r.Pos, back: saved}
	}
	end, err := sources.TailPosition(op.Info.Path, 0)
	if err != nil {
		return start{} // the source itself will say what is wrong
	}
	id, to, ok := sources.FilePlace(end)
	if !ok {
		return start{}
	}
	s := &span{stream: st, path: op.Info.Path, file: id, epoch: 1, to: to}
	s.from = e.tailStart(s, share)
	if s.from > 0 {
		e.past.owe(&span{stream: st, path: s.path, file: id, epoch: 1, to: s.from})
	}
	back, err := sources.TailPosition(op.Info.Path, share)
	if err != nil {
		back = "" // the beginning: what is read twice hits once
	}
	return start{show: s, pos: end, back: back}
}

// preface lets the stream see the beginning of its file: it may be read from
// further on, and columns may be named there.
func (st *stream) preface() { st.parser.Preface(st.begins()) }

// begins returns how its file begins, as far as that is known.
func (st *stream) begins() []byte {
	if st.info.Kind == "file" && st.info.Path != "" {
		return sources.Preface(st.info.Path)
	}
	if head := st.head.Load(); head != nil {
		return *head
	}
	return nil
}

// tailStart returns the beginning of the line that begins the last n bytes.
func (e *Engine) tailStart(s *span, n int64) int64 {
	if s.to <= n {
		return 0
	}
	f, err := os.Open(s.path)
	if err != nil {
		return s.to
	}
	defer func() { _ = f.Close() }()
	at, err := lineStart(f, s.to-n, s.to)
	if err != nil {
		return s.to
	}
	return at
}

// showSpan parses what lies there already and gives it out in order.
func (e *Engine) showSpan(ctx context.Context, b *start, each func(*work) error) error {
	k, s := e.newWorker(), b.show
	var first time.Time
	end := b.pos
	if s.from > s.known {
		end = "" // rules have yet to catch up with what is before
	}
	err := s.read(ctx, func(b sources.Batch) error {
		if n := len(b.Records); n > 0 && s.ends(b.Records[n-1].Ref) {
			b.Pos = end
		}
		w := takeWork(b, s.stream)
		w.replay = len(b.Records) > 0 && b.Records[0].Ref.Offset < s.known
		k.do(w)
		if first.IsZero() && len(w.events) > 0 {
			first = w.events[0].Time
		}
		return each(w)
	})
	if s.from == 0 && !first.IsZero() {
		e.past.reached(first, false)
	}
	return err
}

// share is how much of each of n files is shown at start.
func (e *Engine) share(n int) int64 {
	all := min(int64(showAll), e.ringBudget()/2)
	return max(all/int64(max(n, 1)), min(showEach, all))
}

func (e *Engine) ringBudget() int64 {
	_, budget, _ := e.ring.Usage()
	return budget
}
