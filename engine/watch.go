package engine

import (
	"sync"
	"sync/atomic"
	"time"
)

// watchers are the channels poked when anything changed. Each holds one poke: a
// screen that is slow is told once, not often.
type watchers struct {
	mu   sync.Mutex
	list map[chan struct{}]struct{}
}

// Changed returns a channel of capacity one that is poked when anything changed,
// and a function that ends it.
func (e *Engine) Changed() (<-chan struct{}, func()) {
	c := make(chan struct{}, 1)
	e.watch.mu.Lock()
	defer e.watch.mu.Unlock()
	if e.watch.list == nil {
		e.watch.list = map[chan struct{}]struct{}{}
	}
	e.watch.list[c] = struct{}{}
	return c, func() {
		e.watch.mu.Lock()
		defer e.watch.mu.Unlock()
		delete(e.watch.list, c)
	}
}

func (w *watchers) poke() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.list {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// rate is records per second, over the last few seconds.
type rate struct {
	n    atomic.Uint64
	last uint64
	at   time.Time
	per  atomic.Uint64 // hundredths
}

// turn reads the counter once a second and says whether the rate changed.
func (r *rate) turn(now time.Time) bool {
	n := r.n.Load()
	span := now.Sub(r.at).Seconds()
	if r.at.IsZero() || span <= 0 {
		r.at, r.last = now, n
		return false
	}
	per := uint64(100 * float64(n-r.last) / span)
	r.at, r.last = now, n
	return r.per.Swap(per) != per
}

func (r *rate) value() float64 { return float64(r.per.Load()) / 100 }
