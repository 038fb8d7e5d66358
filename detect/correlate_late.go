package detect

import (
	"math"
	"time"

	"bartizan/event"
)

// maxSources bounds for how many sources a Correlator knows how far they are; those
// beyond are held to be as far as the newest event.
const maxSources = 4096

// progress is how far one source is.
type progress struct {
	newest   int64 // its newest event
	through  int64 // no event older than this will come, as Advance said
	lateness int64
}

// SetLateness makes lateness a matter of each source: of says for a source and the
// name of its format how much older than its own newest event an event may be. A
// window that waits is then judged when every source is past its end by that, so
// that one that is ahead does not close windows on one that is behind. Sources are
// known from their first match or AdvanceSource on, until they are Idle. The
// Lateness field is not looked at any more. Call it before the first event.
func (c *Correlator) SetLateness(of func(source event.SourceID, format string) time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.latenessOf, c.sources = of, map[event.SourceID]*progress{}
}

// AdvanceSource says that no event older than through will come from a source, which
// has records of a format, and returns what hits because of that. Sources whose
// records match no rule should be told too: else their silence is not seen. Without
// SetLateness it does nothing.
func (c *Correlator) AdvanceSource(source event.SourceID, format string, through time.Time) []Completed {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begin()
	if p := c.progressOf(source, format); p != nil {
		p.through = max(p.through, through.UnixNano())
		c.close(c.slowest())
	}
	return c.out
}

// Idle says that a source is not to be waited for until it says something again, and
// returns what hits because of that.
func (c *Correlator) Idle(source event.SourceID) []Completed {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begin()
	if _, known := c.sources[source]; known {
		delete(c.sources, source)
		if len(c.sources) > 0 {
			c.close(c.slowest())
		}
	}
	return c.out
}

// progressOf finds or begins what is known of a source; nil when lateness is the same
// for all, or there are too many sources.
func (c *Correlator) progressOf(source event.SourceID, format string) *progress {
	if c.latenessOf == nil {
		return nil
	}
	p := c.sources[source]
	if p == nil && len(c.sources) < maxSources {
		p = &progress{newest: beginning, through: beginning, lateness: int64(max(c.latenessOf(source, format), 0))}
		c.sources[source] = p
		c.latest = max(c.latest, p.lateness)
	}
	return p
}

// watermark is the time before which no event will come, now that e of time at came.
func (c *Correlator) watermark(e *event.Event, at int64) int64 {
	if c.latenessOf == nil {
		return c.newest - int64(c.Lateness)
	}
	p := c.progressOf(e.Ref.Source, e.FormatName)
	if p != nil {
		p.newest = max(p.newest, at)
	}
	if len(c.closing) == 0 || c.closing[0].anchor+c.closing[0].of.span >= c.newest {
		return beginning // nothing could close, so sources need not be compared
	}
	return c.slowest()
}

// slowest is how far all known sources are.
func (c *Correlator) slowest() int64 {
	least := int64(math.MaxInt64)
	for _, p := range c.sources {
		least = min(least, max(p.newest-p.lateness, p.through))
	}
	if least == math.MaxInt64 {
		return beginning
	}
	return least
}

// late is how late an event of any source may be.
func (c *Correlator) late() int64 {
	if c.latenessOf == nil {
		return int64(c.Lateness)
	}
	return c.latest
}
