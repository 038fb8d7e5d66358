package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"bartizan/engine"
	"bartizan/event"

	"golang.org/x/term"
)

// progress tells a person at a terminal, on standard error, how far a long work
// is. Into a pipe it says nothing.
type progress struct {
	events, bytes atomic.Int64
	ended         chan struct{}
	done          sync.WaitGroup
}

// startProgress begins to tell, five times a second, until stop.
func (a *app) startProgress(what string) *progress {
	p := &progress{ended: make(chan struct{})}
	f, ok := a.err.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return p
	}
	p.done.Go(func() {
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-p.ended:
				_, _ = fmt.Fprint(a.err, "\r\x1b[K")
				return
			case <-tick.C:
				_, _ = fmt.Fprintf(a.err, "\r\x1b[K%s: %d events, %d MiB; ctrl-c ends it with what is known by then", what, p.events.Load(), p.bytes.Load()>>20)
			}
		}
	})
	return p
}

func (p *progress) stop() {
	close(p.ended)
	p.done.Wait()
}

// errStopped says that a person ended a work before it was done.
var errStopped = errors.New("stopped before the end: the figures are of what was read until then")

// eachEvent reads what the paths name to its end, merged by event time, and calls
// do with every event; it is valid during the call. Whoever stops it by ctrl-c
// gets errStopped, after which what was found until then is worth printing; so it
// is when a source could not be read.
func (a *app) eachEvent(ctx context.Context, what string, paths []string, do func(*event.Event) error) error {
	reg, err := a.registry()
	if err != nil {
		return err
	}
	open, failed, err := a.openStatic(ctx, reg, paths)
	if err != nil {
		return err
	}
	from, to, err := a.window(time.Now())
	if err != nil {
		return err
	}
	p := a.startProgress(what)
	err = engine.Scan(ctx, open, engine.ScanOptions{
		Registry: reg, From: from, To: to, Now: time.Now, Failed: failed.add,
		Event: func(e *event.Event) error {
			if failed.missing(e) {
				return nil
			}
			p.events.Add(1)
			p.bytes.Add(int64(len(e.Raw)) + 1)
			return do(e)
		},
	})
	p.stop()
	if ctx.Err() != nil {
		err = errStopped
	}
	return errors.Join(err, failed.err())
}
