package detect

import "container/heap"

// wait puts a match into a window that is judged when it closes. Counts go by
// windows one behind the other, each from the first match after the last; what
// must be absent is asked for the span from every match.
func (c *Correlator) wait(g *group, m int32, d *Completed) {
	if d.at < g.closed && !g.of.absence {
		c.skipped++
		return
	}
	c.add(g, m, d)
	switch {
	case d.at < g.closed: // too late to begin a window, not too late to be there
	case g.place < 0:
		if d.at-g.closed > g.of.span {
			g.firing = false
		}
		g.anchor = d.at
		heap.Push(&c.closing, g)
	case d.at < g.anchor:
		g.anchor = d.at
		heap.Fix(&c.closing, g.place)
	}
	if g.of.absence {
		g.forget(min(g.anchor, d.at) - g.of.span)
	}
	c.trim(g)
}

// close judges the windows that ended before a time.
func (c *Correlator) close(before int64) {
	for len(c.closing) > 0 && c.closing[0].anchor+c.closing[0].of.span < before {
		g := c.closing[0]
		done := c.judgeClosed(g)
		c.reopen(g)
		c.settle(g)
		if done != nil {
			c.nth++ // not the event at hand
			c.event = nil
			c.deliver(done, 1)
		}
	}
}

// judgeClosed returns the hit of a window that has ended, nil for none.
func (c *Correlator) judgeClosed(g *group) *Completed {
	w := g.of
	from, to := g.from(g.anchor), g.from(g.anchor+w.span+1)
	if from == to { // the cap took its marks
		g.firing = false
		return nil
	}
	value, ok := c.judge(w, g.marks[from:to], g.marks[g.from(g.anchor-w.span):to])
	fire := ok && !g.firing
	g.firing = ok
	if !fire {
		return nil
	}
	proof := g.proofAt(to - 1)
	return g.completed(from, to, to-1, value, &Completed{Event: proof.event, Refs: proof.refs})
}

// reopen moves to the group's next window, if something is there already.
func (c *Correlator) reopen(g *group) {
	last := g.anchor
	g.closed = last + 1
	if !g.of.absence {
		g.closed = last + g.of.span + 1
		g.forget(g.closed)
	}
	next := g.from(g.closed)
	if next == len(g.marks) {
		heap.Remove(&c.closing, g.place)
		return
	}
	if g.anchor = g.marks[next].at; g.anchor-g.closed > g.of.span {
		g.firing = false
	}
	if g.of.absence {
		g.forget(g.anchor - g.of.span)
	}
	heap.Fix(&c.closing, g.place)
}
