package sources

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"bartizan/event"
)

// askEvery is how often the kernel is asked who still writes to a file that lost
// its name: that looks at every descriptor of every process.
const askEvery = 30 * time.Second

// vanished says what is known of a file whose name has been gone for longer than
// a rotation takes, while somebody may still write to it. ok is false when
// nobody does as far as can be seen.
func (w *follow) vanished() (c Condition, ok bool) {
	g := w.newest()
	if g == nil || g.ended.IsZero() || w.now().Sub(g.ended) < w.opts.Grace {
		return Condition{}, false
	}
	if g.asked.IsZero() || w.now().Sub(g.asked) >= askEvery {
		g.asked, g.writer = w.now(), w.opts.writer(g.id)
	}
	who := g.writer
	if who == "" {
		if g.grown.Sub(g.ended) < w.opts.Grace {
			return Condition{}, false
		}
		who = "somebody"
	}
	how := "was renamed"
	if g.links() == 0 {
		how = "was deleted"
	}
	return Condition{State: event.SourceGone, Flags: event.FlagVanished, Reason: fmt.Sprintf(
		"%s %s while %s still writes to it: what is written is read on here, but nobody else will find it; ask who did it",
		w.path, how, who)}, true
}

// newest returns the newest generation that still can grow, nil when there is none.
func (w *follow) newest() *generation {
	if n := len(w.gens); n > 0 && !w.gens[n-1].dead && !w.gens[n-1].once {
		return w.gens[n-1]
	}
	return nil
}

// links returns how many names the file has.
func (g *generation) links() uint64 {
	var st unix.Stat_t
	if err := unix.Fstat(g.fd, &st); err != nil {
		return 1 // unknown: nothing is claimed
	}
	return uint64(st.Nlink) //nolint:unconvert // narrower on other systems
}
