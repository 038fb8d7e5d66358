package ssh

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"bartizan/event"
	"bartizan/sources"
	"bartizan/sources/remote"
)

// maxFailures is how often in a row a file may fail without a record in between
// before who reads it to its end gives up.
const maxFailures = 5

// Reading is what a host has to read once.
type Reading struct {
	Open    []sources.Opened
	Refused []event.SourceStatus // files that are there and cannot be read
	Note    string               // one sentence when there is no agent over there
	Stop    func()               // ends the connection; call it after the last Run
}

// Once connects and lists what the host has: from its beginning to where it ends
// now, or followed from its beginning. A connection that is lost is made again and
// goes on where it was. A Host is used for Once or for Run, not both.
func (h *Host) Once(ctx context.Context, follow bool) (r Reading, err error) {
	h.cfg.once = !follow
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	r.Stop = sync.OnceFunc(func() { cancel(); all.Wait() })
	defer func() {
		if err != nil {
			r.Stop()
		}
	}()
	asAgent, toTail := context.WithCancel(ctx)
	h.mu.Lock()
	h.toTail = toTail
	h.mu.Unlock()
	var mu sync.Mutex
	listed := make(chan struct{})
	all.Go(func() {
		defer close(listed)
		_ = h.peer.Run(asAgent, func(op sources.Opened) { // its only error is none
			mu.Lock()
			defer mu.Unlock()
			r.Open = append(r.Open, h.ended(op, follow))
		})
	})
	reach, reached := context.WithCancel(ctx)
	all.Go(func() {
		select {
		case <-listed:
			reached()
		case <-reach.Done():
		}
	})
	err = h.peer.Reach(reach)
	reached()
	if err == nil {
		mu.Lock()
		defer mu.Unlock()
		for _, s := range h.Status()[1:] {
			if s.State == event.SourceSkipped {
				r.Refused = append(r.Refused, s)
			}
		}
		return r, nil
	}
	if ctx.Err() != nil {
		return r, ctx.Err()
	}
	h.mu.Lock()
	tail := h.mode == withTail
	h.mu.Unlock()
	if !tail {
		return r, err
	}
	<-listed
	if err = h.listOnce(ctx, func(op sources.Opened) { r.Open = append(r.Open, h.ended(op, follow)) }); err != nil {
		return r, err
	}
	st := h.Status()
	r.Note, r.Refused = fmt.Sprintf("%s: %s", h.cfg.Target.Host, st[0].Reason), st[1:]
	return r, nil
}

// ended makes the source one that has an end.
func (h *Host) ended(op sources.Opened, follow bool) sources.Opened {
	op = h.about(op)
	if follow {
		return op
	}
	if t, ok := op.Source.(*tail); ok {
		op.Source, op.Info.Live = &once{t}, false
	}
	return remote.ToEnd(op)
}

// listOnce reads one list of the host's files.
func (h *Host) listOnce(ctx context.Context, found func(sources.Opened)) error {
	h.cfg.list = "0"
	l, err := h.ask(ctx)
	if err != nil {
		return err
	}
	defer l.wait()
	lines := bufio.NewScanner(l.in)
	lines.Buffer(make([]byte, 0, 4096), 8<<10)
	for lines.Scan() {
		if lines.Text() == "." {
			return nil
		}
		h.listen(lines.Text(), found)
	}
	return l.why(lines.Err())
}

// once reads a file to where it ends, over as many connections as that takes.
type once struct{ *tail }

// Run implements sources.Source.
func (o *once) Run(ctx context.Context, from sources.Position, out chan<- sources.Batch) error {
	for failed := 0; ; failed++ {
		pos, moved, err := o.part(ctx, from, out)
		if moved {
			failed = 0
		}
		from = pos
		switch {
		case err == nil || errors.Is(err, errEnd) || ctx.Err() != nil:
			return nil
		case failed >= maxFailures:
			return err
		}
		wait := time.NewTimer(o.host.cfg.Backoff(failed))
		select {
		case <-ctx.Done():
		case <-wait.C:
		}
		wait.Stop()
	}
}

// part reads over one connection and returns how far it came.
func (o *once) part(ctx context.Context, from sources.Position, out chan<- sources.Batch) (pos sources.Position, moved bool, err error) {
	pos = from
	in, ended := make(chan sources.Batch), make(chan error, 1)
	go func() { ended <- o.tail.Run(ctx, from, in) }()
	for {
		select {
		case err := <-ended:
			return pos, moved, err
		case b := <-in:
			pos, moved = b.Pos, true
			select {
			case out <- b:
			case <-ctx.Done():
				b.Done(ctx.Err())
				return pos, moved, <-ended
			}
		}
	}
}
