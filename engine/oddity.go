package engine

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"bartizan/event"
	"bartizan/sources"
)

// oddities are what was odd about the times of records and is not judged yet: a
// gap is judged when the other sources of its host have been read so far.
type oddities struct {
	mu   sync.Mutex
	list []openOddity
}

type openOddity struct {
	oddity
	info  sources.Info
	tries int
}

// The bounds of waiting: how many may wait, and for how many looks.
const (
	maxOddities = 256
	maxTries    = 60
)

func (o *oddities) add(info sources.Info, x oddity) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.list) < maxOddities { // so many at once are one thing, and that is told
		o.list = append(o.list, openOddity{oddity: x, info: info})
	}
}

func (o *oddities) take() []openOddity {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := o.list
	o.list = nil
	return out
}

// judgeOddities says what the odd times are that can be judged now. past says
// that nothing older is read any more, so nothing is waited for.
func (e *Engine) judgeOddities(past bool) []*notice {
	var out []*notice
	for _, o := range e.oddness.take() {
		if o.back {
			out = append(out, backNotice(&o))
			continue
		}
		alive, known := e.feeds.spoke(o.info, o.from, o.to)
		if o.tries++; !alive && !known && !past && o.tries < maxTries {
			e.oddness.mu.Lock()
			e.oddness.list = append(e.oddness.list, o)
			e.oddness.mu.Unlock()
			continue
		}
		out = append(out, gapNotice(&o, alive))
	}
	return out
}

func backNotice(o *openOddity) *notice {
	by := o.from.Sub(o.to)
	text := fmt.Sprintf("the records of %s go on at %s after they had reached %s: a clock was set back by %v, or older lines were written in; find out who did it",
		o.info.Name, stampOf(o.to), stampOf(o.from), by.Round(time.Second))
	if d := by - time.Hour; d.Abs() < 2*time.Minute {
		text += " (an hour may be the end of summer time, where stamps have no zone)"
	}
	return &notice{info: o.info, rule: backRule, text: text, time: o.to, ref: o.ref, flags: event.FlagClock}
}

func gapNotice(o *openOddity, alive bool) *notice {
	n := &notice{info: o.info, time: o.to, ref: o.ref, text: fmt.Sprintf(
		"%s has no record between %s and %s (%v), which is longer than usual",
		o.info.Name, stampOf(o.from), stampOf(o.to), o.to.Sub(o.from).Round(time.Second))}
	if alive {
		n.rule = gapRule
		n.text += ", while other logs of its host go on: lines may have been taken out, compare it with them"
	}
	return n
}

func stampOf(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// spoke says whether another source of the same host had records between two
// times; known is false while one has not been read so far.
func (f *feeds) spoke(info sources.Info, from, to time.Time) (yes, known bool) {
	f.mu.RLock()
	others := slices.Clone(f.order)
	f.mu.RUnlock()
	known = true
	for _, fd := range others {
		st := fd.stream
		if st.info.ID == info.ID || st.info.Host != info.Host || st.clock == nil {
			continue
		}
		y, k := st.clock.usual.spoke(from, to)
		yes, known = yes || y, known && k
	}
	return yes, known
}
