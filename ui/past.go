package ui

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"

	"bartizan/event"
	"bartizan/query"
)

// keptBase is where the numbers of records begin that came from files: far
// beyond what a ring will ever count to.
const keptBase = 1 << 62

// maxKept bounds how many records from files a page keeps.
const maxKept = 2000

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

// past is the search of an entity's page in what is no longer in memory.
type past struct {
	reach    int           // index into reaches of the latest search
	oldest   time.Time     // where the ring began at the first of these searches
	progress atomic.Uint64 // float64 bits, 0..1
	task     *task
	err      error
	cut      bool
}

// reaches are how far back each further search looks before the ring's oldest
// record; 0 is as far as there are files.
func reaches() []time.Duration { return []time.Duration{24 * time.Hour, 7 * 24 * time.Hour, 0} }

// lookBack searches the files before what is in memory, further each time.
func (e *entity) lookBack() tea.Cmd {
	s, c := e.stream, e.c
	p := s.order.past
	switch {
	case s.pick != nil:
		c.say("what rules hit is only known of what is in memory")
		return nil
	case p != nil && p.task != nil:
		c.say("still searching")
		return nil
	case p != nil && p.reach == len(reaches())-1:
		c.say("this is all there is")
		return nil
	}
	next := &past{oldest: c.snap.status.RingFrom}
	if p != nil {
		next.reach, next.oldest = p.reach+1, p.oldest
	} else if next.oldest.IsZero() {
		next.oldest = c.now()
	}
	s.order.past = next
	from, to := next.span()
	q, store := query.Print(both(s.within, s.filter.node)), c.opt.Past
	t, cmd := c.spawn(func(ctx context.Context) func() tea.Cmd {
		var found []*event.Event
		err := store.Search(ctx, q, from, to, func(ev *event.Event) bool {
			found = append(found, ev.Clone())
			return len(found) < maxKept
		}, func(done float64) { next.progress.Store(math.Float64bits(done)) })
		return func() tea.Cmd { return e.keep(next, found, err) }
	})
	next.task = t
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

// keep puts what was found into the order of the page.
func (e *entity) keep(p *past, found []*event.Event, err error) tea.Cmd {
	if e.stream.order.past != p {
		return nil
	}
	p.task, p.err, p.cut = nil, err, len(found) >= maxKept
	var kept []*event.Event
	if k, ok := e.stream.live.(keptLive); ok {
		kept = k.kept
	}
	kept = kept[:len(kept):len(kept)]
	var got []moment
	for _, ev := range found {
		ev.Seq = keptBase + uint64(len(kept))
		kept = append(kept, ev)
		got = append(got, moment{ev.Time.UnixNano(), ev.Seq, event.SourceID(strings.Clone(string(ev.Ref.Source)))})
	}
	e.stream.live = keptLive{e.c.opt.Live, kept}
	e.stream.order.add(e.stream, got)
	if err != nil {
		e.c.complain("the search in the files stopped: %s", clean(err.Error()))
	}
	return nil
}

// words say how far the files were searched.
func (p *past) words() string {
	if p == nil {
		return "; + looks further back, in the files"
	}
	far := "all files"
	if r := reaches()[p.reach]; r > 0 {
		far = plural(int(r.Hours()/24), "day") + " further back"
	}
	switch {
	case p.task != nil:
		return fmt.Sprintf("; searching %s, %d%%", far, int(100*math.Float64frombits(p.progress.Load())))
	case p.cut:
		return "; " + far + ": only the first " + count(maxKept) + " found are shown"
	}
	return "; " + far + " searched"
}
