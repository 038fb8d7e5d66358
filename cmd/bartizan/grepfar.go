package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"bartizan/agent/agentpb"
	"bartizan/engine"
	"bartizan/event"
	"bartizan/query"
	"bartizan/sources"
	"bartizan/sources/remote"
)

// farGrep is what agents behind --ssh find in their own files, so that these need
// not come over here. The zero one has found nothing.
type farGrep struct {
	a      *app
	peers  []*remote.Peer
	found  []remote.Found // by time; what was printed is cut off
	sum    remote.Summary
	marks  distrusts
	asJSON bool
}

// askFar takes the files of agents out of open and lets those search them. Where an
// agent cannot know what this console knows (a forced format, those and the assets of
// a config) or the query is too long for it, its files are read here.
func (a *app) askFar(ctx context.Context, text string, open []sources.Opened, q remote.Question, failed *failures) (*farGrep, []sources.Opened, error) {
	g := &farGrep{a: a}
	n, err := query.ParseWith(text, readList)
	if err != nil {
		return g, open, exitError{exitUsage, err}
	}
	if q.Query = query.Print(n); len(q.Query) > agentpb.MaxFilter || a.format != "" || a.configFile != "" {
		return g, open, nil
	}
	open = slices.DeleteFunc(open, func(op sources.Opened) bool {
		p := remote.PeerOf(op)
		if p != nil && !slices.Contains(g.peers, p) {
			g.peers = append(g.peers, p)
		}
		return p != nil
	})
	if len(g.peers) == 0 {
		return g, open, nil
	}
	if g.marks, err = a.distrusted(); err != nil {
		return g, open, err
	}
	var full bool
	if g.found, g.sum, full = collect(ctx, g.peers, q); full {
		return g, open, errFull
	}
	_, unreachable, lost := g.sum.Counts()
	failed.n += unreachable + lost // answers says which
	return g, open, nil
}

var errNoMatch = errors.New("the event does not match")

// scan reads what came over here, and prints what agents found between that, by time.
// The options' Event prints what matches, else it returns errNoMatch.
func (g *farGrep) scan(ctx context.Context, out *lineWriter, open []sources.Opened, follow bool, o engine.ScanOptions) (matched bool, err error) {
	matched = len(g.found) > 0
	local := o.Event
	o.Event = func(e *event.Event) error {
		if err := g.before(out, e.Time); err != nil {
			return err
		}
		err := local(e)
		if errors.Is(err, errNoMatch) {
			return nil
		}
		matched = true
		if err != nil || !follow {
			return err
		}
		return out.Flush()
	}
	if err = engine.Scan(ctx, open, o); err == nil {
		err = g.before(out, time.Time{})
	}
	return matched, err
}

// before prints what was found up to that time; the zero time is all of it.
func (g *farGrep) before(out *lineWriter, at time.Time) error {
	n := len(g.found)
	if !at.IsZero() {
		n, _ = slices.BinarySearchFunc(g.found, at, func(f remote.Found, at time.Time) int { return f.Time.Compare(at) })
	}
	for i := range n {
		if err := writeFound(out, &g.found[i], g.asJSON, g.marks); err != nil {
			return err
		}
	}
	g.found = g.found[n:]
	return nil
}

// answers says how each agent did.
func (g *farGrep) answers() error {
	if len(g.peers) == 0 {
		return nil
	}
	return g.a.printAnswers(g.sum, g.asJSON, g.marks)
}
