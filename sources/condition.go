package sources

import (
	"fmt"

	"bartizan/event"
)

// catchUp is how many unread bytes make a source "catching up".
const catchUp = 1 << 20

// say reports the condition when it changed; the bytes behind at most every
// lookEvery.
func (w *follow) say() {
	c := w.trouble
	for _, g := range w.gens {
		c.Behind += g.unread()
	}
	if c.State == event.SourceStarting && w.begun {
		c.State = event.SourceLive
		if c.Behind > catchUp {
			c.State = event.SourceCatchingUp
		}
		c.Reason = w.restriction()
	}
	same := c.State == w.told.State && c.Reason == w.told.Reason
	if w.report == nil || c == w.told || same && w.now().Sub(w.toldAt) < lookEvery {
		return
	}
	w.report(c)
	w.told, w.toldAt = c, w.now()
}

// restriction says why the file is only looked at now and then, and what its last
// truncation may have destroyed; "" when there is nothing to say.
func (w *follow) restriction() string {
	polled := w.polled()
	switch {
	case w.note == "" || w.now().Sub(w.noted) >= noteFor:
		return polled
	case polled == "":
		return w.note
	}
	return w.note + "; " + polled
}

// polled says why the kernel does not tell about the file, "" when it does.
func (w *follow) polled() string {
	switch {
	case w.net != "":
		return fmt.Sprintf("%s is looked at every %v: it lies on a network file system (%s), which does not tell what other hosts write", w.path, lookEvery, w.net)
	case w.blind != nil:
		return fmt.Sprintf("%s is looked at every %v: %v", w.path, lookEvery, w.blind)
	case wakers.overran():
		return fmt.Sprintf("the kernel's queue of changes ran over, so every file is looked at every %v: raise fs.inotify.max_queued_events", lookEvery)
	}
	return ""
}
