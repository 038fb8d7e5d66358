package ui

import (
	"context"
	"fmt"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"bartizan/event"
	"bartizan/query"
)

// keptBase is where the numbers of records begin that came from files: far
// beyond what a ring will ever count to.
const keptBase = 1 << 62

// The bounds on what a page keeps of records from files and agents.
const (
	maxKept      = 5000
	maxKeptBytes = 64 << 20
	keptEvery    = 100 * time.Millisecond // between two looks at what was found
)

// keptLive is the ring with records from files beside it.
type keptLive struct {
	Live
	kept []*event.Event
}

// Read returns a kept record, or one of the ring.
func (k keptLive) Read(seq uint64, e *event.Event) error {
	if seq < keptBase {
		return k.Live.Read(seq, e)
	}
	*e = *k.kept[seq-keptBase].Clone()
	return nil
}

// Hits knows nothing of kept records: rules may have seen them in another life.
func (k keptLive) Hits(seq uint64) []HitMark {
	if seq < keptBase {
		return k.Live.Hits(seq)
	}
	return nil
}

// past is the search of an entity's page in what is no longer in memory: the files
// of this host and those of its agents.
type past struct {
	reach  int       // index into reaches of the latest search
	oldest time.Time // where the ring began at the first of these searches
	task   *task     // nil: it is over
	drain  *task
	off    bool // the person called it off
	err    error
	cut    bool
	stand  Searched // as the screen shows it
	kept   int      // of this search

	mu    sync.Mutex
	got   []*event.Event // found and not yet on the screen
	bytes int
	now   Searched
	told  time.Time
	over  bool
	news  chan struct{} // of capacity one
}

// reaches are how far back each further search looks before the ring's oldest
// record; 0 is as far as there are files.
func reaches() []time.Duration { return []time.Duration{24 * time.Hour, 7 * 24 * time.Hour, 0} }

// lookBack searches before what is in memory, further each time; a search that was
// called off is made again.
func (e *entity) lookBack() tea.Cmd {
	s, c := e.stream, e.c
	p := s.order.past
	switch {
	case s.pick != nil:
		c.say("what rules hit is only known of what is in memory")
		return nil
	case e.login != "":
		c.say("what belongs to a session is only known of what is in memory")
		return nil
	case p != nil && p.task != nil:
		c.say("still searching; Esc calls it off")
		return nil
	case p != nil && p.reach == len(reaches())-1 && !p.off:
		c.say("this is all there is")
		return nil
	}
	next := &past{oldest: c.snap.status.RingFrom, news: make(chan struct{}, 1)}
	switch {
	case p != nil && p.off:
		next.reach, next.oldest = p.reach, p.oldest
	case p != nil:
		next.reach, next.oldest = p.reach+1, p.oldest
	case next.oldest.IsZero():
		next.oldest = c.now()
	}
	s.order.past = next
	from, to := next.span()
	q, store := query.Print(both(s.within, s.filter.node)), c.opt.Past
	t, cmd := c.spawn(func(ctx context.Context) func() tea.Cmd {
		err := store.Search(ctx, q, from, to, next.found, next.progress)
		next.end()
		return func() tea.Cmd { return e.searched(next, err) }
	})
	next.task = t
	return tea.Batch(cmd, e.drain(next))
}

// found keeps a record for the screen; false: there are enough.
func (p *past) found(ev *event.Event) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got = append(p.got, ev.Clone())
	p.bytes += len(ev.Raw)
	p.kept++
	p.tell()
	p.cut = p.kept >= maxKept || p.bytes >= maxKeptBytes
	return !p.cut
}

func (p *past) progress(s Searched) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = s
	p.tell()
}

// tell lets the screen look, unless it just did.
func (p *past) tell() {
	if now := time.Now(); now.Sub(p.told) >= keptEvery {
		p.told = now
		p.poke()
	}
}

func (p *past) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
	p.poke()
}

func (p *past) poke() {
	select {
	case p.news <- struct{}{}:
	default:
	}
}

// drain waits for what was found and puts it on the page, until the search is over.
func (e *entity) drain(p *past) tea.Cmd {
	t, cmd := e.c.spawn(func(ctx context.Context) func() tea.Cmd {
		select {
		case <-p.news:
		case <-ctx.Done():
		}
		return func() tea.Cmd {
			if !e.take(p) {
				return e.drain(p)
			}
			return nil
		}
	})
	p.drain = t
	return cmd
}

// span is what a search covers: from its reach to what was searched before.
func (p *past) span() (from, to time.Time) {
	if r := reaches()[p.reach]; r > 0 {
		from = p.oldest.Add(-r)
	}
	if p.reach == 0 {
		return from, p.oldest
	}
	return from, p.oldest.Add(-reaches()[p.reach-1])
}

// take puts what was found into the order of the page; over: nothing more comes.
func (e *entity) take(p *past) (over bool) {
	p.mu.Lock()
	found := p.got
	p.got = nil
	p.stand, over = p.now, p.over
	p.mu.Unlock()
	if e.stream.order.past != p {
		return true
	}
	var kept []*event.Event
	if k, ok := e.stream.live.(keptLive); ok {
		kept = k.kept
	}
	kept = kept[:len(kept):len(kept)]
	var got []moment
	for _, ev := range found {
		ev.Seq = keptBase + uint64(len(kept))
		kept = append(kept, ev)
		got = append(got, momentOf(ev))
	}
	if len(got) > 0 {
		e.stream.live = keptLive{e.c.opt.Live, kept}
		e.stream.order.add(e.stream, got)
	}
	return over
}

// searched ends a search.
func (e *entity) searched(p *past, err error) tea.Cmd {
	e.take(p)
	if e.stream.order.past != p {
		return nil
	}
	p.task = nil
	if p.off {
		return nil
	}
	if p.err = err; err != nil {
		e.c.complain("the search in the files stopped: %s", clean(err.Error()))
	}
	return nil
}

// callOff ends a search under way; what it found stays.
func (e *entity) callOff() bool {
	p := e.stream.order.past
	if p == nil || p.task == nil || p.off {
		return false
	}
	p.off = true
	p.task.cancel()
	e.c.say("the search was called off; + makes it again")
	return true
}

// forget gives up the search, whatever it finds.
func (p *past) forget(c *Console) {
	if p != nil {
		c.drop(p.task)
		c.drop(p.drain)
	}
}

// words say how far the files were searched.
func (p *past) words() string {
	if p == nil {
		return "; + looks further back"
	}
	far := "all files"
	if r := reaches()[p.reach]; r > 0 {
		far = plural(int(r.Hours()/24), "day") + " further back"
	}
	switch {
	case p.off:
		return fmt.Sprintf("; the search %s was called off at %d%%", far, p.stand.percent())
	case p.task != nil:
		return fmt.Sprintf("; searching %s, %d%%, Esc stops", far, p.stand.percent())
	case p.cut:
		return "; " + far + ": only the first " + count(uint64(p.kept)) + " found are shown"
	}
	return "; " + far + " searched"
}
