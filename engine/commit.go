package engine

import (
	"context"
	"sync"
	"time"

	"bartizan/event"
	"bartizan/sources"
	"bartizan/triage"
)

// The committer's pace: positions without hits are written once a second, and at
// most maxWaiting batches with hits wait for the disk before reading stops.
const (
	commitEvery = time.Second
	maxWaiting  = 256
)

// committer writes what was raised, with the positions behind it, in one
// transaction after the other, and only then says that batches are done. While
// the disk fails it tries again and the header says so; nothing is given up.
type committer struct {
	e  *Engine
	mu sync.Mutex

	changed   *sync.Cond
	positions map[event.SourceID]string
	waiting   []*work
	tell      []triage.AlertID
	urgent    chan struct{}
	closed    bool
	commits   uint64
	usualAt   time.Time // when what is usual was written last
	owes      bool      // the board says of alerts that they are untold which are not; for once only
}

func newCommitter(e *Engine) *committer {
	c := &committer{e: e, positions: e.past.owed, urgent: make(chan struct{}, 1)}
	c.changed = sync.NewCond(&c.mu)
	if c.tell = e.stillUntold(); len(c.tell) > 0 {
		c.hurry()
	}
	return c
}

// take accepts a finished work. It blocks while too many wait for the disk.
func (c *committer) take(source event.SourceID, pos sources.Position, w *work, tell []triage.AlertID) {
	c.mu.Lock()
	for len(c.waiting) >= maxWaiting && !c.closed {
		c.changed.Wait()
	}
	if source != "" {
		c.positions[source] = string(pos)
	}
	raised := w.raised
	if raised {
		c.waiting = append(c.waiting, w)
		c.tell = append(c.tell, tell...)
	}
	c.mu.Unlock()
	if !raised {
		w.release(nil)
		return
	}
	c.hurry()
}

// note keeps whom to tell once what was raised without a batch is on disk.
func (c *committer) note(tell []triage.AlertID) {
	c.mu.Lock()
	c.tell = append(c.tell, tell...)
	c.mu.Unlock()
	c.hurry()
}

func (c *committer) hurry() {
	select {
	case c.urgent <- struct{}{}:
	default:
	}
}

// wait returns after the next commit; false when there will be none.
func (c *committer) wait() bool {
	c.hurry()
	c.mu.Lock()
	defer c.mu.Unlock()
	for n := c.commits; n == c.commits && !c.closed; {
		c.changed.Wait()
	}
	return !c.closed
}

// close lets run end after a last commit.
func (c *committer) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.changed.Broadcast()
	c.hurry()
}

func (c *committer) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// run commits until closed.
func (c *committer) run() {
	every := time.NewTicker(commitEvery)
	defer every.Stop()
	for !c.isClosed() {
		select {
		case <-c.urgent:
		case <-every.C:
		}
		for c.once() != nil && !c.isClosed() {
			<-every.C
		}
	}
}

// final makes the last commit and says what could not be written.
func (c *committer) final() error {
	err := c.once()
	if err == nil && c.owes {
		err = c.once()
	}
	return err
}

// once writes everything that is there now.
func (c *committer) once() error {
	c.mu.Lock()
	positions, waiting, tell := c.positions, c.waiting, c.tell
	c.positions, c.waiting, c.tell = map[event.SourceID]string{}, nil, nil
	c.mu.Unlock()
	c.owe(positions, tell)
	c.keepUsual(positions)
	err := c.e.o.Desk.Commit(context.Background(), positions)
	if err != nil {
		c.putBack(positions, waiting, tell)
		c.e.say("the board cannot be written, so reading waits: " + err.Error())
		return err
	}
	c.e.say("")
	for _, w := range waiting {
		w.release(nil)
	}
	c.mu.Lock()
	c.commits++
	c.mu.Unlock()
	c.changed.Broadcast()
	c.tellOf(tell)
	c.owes = len(tell) > 0
	return nil
}

// putBack keeps for the next try what could not be written; newer positions win.
func (c *committer) putBack(positions map[event.SourceID]string, waiting []*work, tell []triage.AlertID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for s, p := range positions {
		if _, newer := c.positions[s]; !newer {
			c.positions[s] = p
		}
	}
	c.waiting = append(waiting, c.waiting...)
	c.tell = append(tell, c.tell...)
}

// tellOf tells about alerts that are on disk now.
func (c *committer) tellOf(ids []triage.AlertID) {
	if c.e.o.Alert == nil {
		return
	}
	for _, id := range ids {
		if a, ok := c.e.o.Desk.Alert(id); ok {
			c.e.o.Alert(a)
		}
	}
}
