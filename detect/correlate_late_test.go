package detect

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"bartizan/event"
)

// absent is a correlation that waits: A without B within ten seconds.
func absent() []*Rule {
	return []*Rule{
		{ID: "A", Silent: true},
		{ID: "B", Silent: true},
		{ID: "another", Silent: true},
		{ID: "W", Correlation: &Correlation{
			Type: Temporal, Rules: []string{"A", "B"}, Span: 10 * time.Second, GroupBy: []string{"user"},
			Expr: &Expr{Op: ExprAnd, Parts: []Expr{{Rule: "A"}, {Op: ExprNot, Parts: []Expr{{Rule: "B"}}}}},
		}},
	}
}

// TestLatenessPerSource: a source that is ahead does not close windows on one that
// is behind, each by its own lateness.
func TestLatenessPerSource(t *testing.T) {
	rules := absent()
	start := func() (*Correlator, func(rule int, source string, at int) int) {
		c := NewCorrelator(func() time.Time { return noon }, rules)
		c.SetLateness(func(_ event.SourceID, format string) time.Duration {
			if format == "cloudtrail" {
				return 15 * time.Minute
			}
			return 5 * time.Second
		})
		nth := int64(0)
		return c, func(rule int, source string, at int) int {
			nth++
			e := &event.Event{
				Time: noon.Add(time.Duration(at) * time.Second), Seen: noon.Add(24 * time.Hour), FormatName: source,
				Ref: event.Ref{Source: event.SourceID(source), Offset: nth}, Fields: []event.Field{field("user", "x")}, Native: 1,
			}
			return len(c.Take(rules[rule], e))
		}
	}
	at := func(s int) time.Time { return noon.Add(time.Duration(s) * time.Second) }

	_, take := start()
	if n := take(0, "syslog", 0) + take(2, "syslog", 15); n != 0 {
		t.Errorf("judged before its lateness was over: %d", n)
	}
	if n := take(2, "syslog", 16); n != 1 {
		t.Errorf("one source, past the end by its lateness: %d hits", n)
	}

	c, take := start()
	take(0, "syslog", 0)
	if n := take(2, "cloudtrail", 20) + take(2, "syslog", 600); n != 0 {
		t.Errorf("judged while a slow source may still bring something: %d", n)
	}
	if take(1, "cloudtrail", 3); c.Skipped() != 0 {
		t.Error("what a slow source brings late is skipped")
	}
	if n := len(c.AdvanceSource("cloudtrail", "cloudtrail", at(595))); n != 0 {
		t.Errorf("hits though the other rule matched: %d", n)
	}

	c, take = start()
	take(0, "syslog", 0)
	take(2, "cloudtrail", 20)
	take(2, "syslog", 600)
	if n := len(c.AdvanceSource("cloudtrail", "cloudtrail", at(10))) + len(c.AdvanceSource("syslog", "syslog", at(700))); n != 0 {
		t.Errorf("judged at its very end: %d", n)
	}
	if n := len(c.AdvanceSource("cloudtrail", "cloudtrail", at(11))); n != 1 {
		t.Errorf("the slow source is past the end: %d hits", n)
	}

	c, take = start()
	take(0, "syslog", 0)
	take(2, "cloudtrail", 20)
	take(2, "syslog", 50)
	if n := len(c.Idle("never seen")); n != 0 {
		t.Errorf("an unknown source is idle: %d hits", n)
	}
	if n := len(c.Idle("cloudtrail")); n != 1 {
		t.Errorf("the slow source is idle: %d hits", n)
	}
	take(0, "syslog", 60)
	take(2, "cloudtrail", 60)
	if n := len(c.Advance(at(71))); n != 1 {
		t.Errorf("advancing all at once: %d hits", n)
	}
}

// TestLatenessPerSourceIsBounded: sources beyond the bound are not waited for.
func TestLatenessPerSourceIsBounded(t *testing.T) {
	c := NewCorrelator(func() time.Time { return noon }, absent())
	c.SetLateness(func(event.SourceID, string) time.Duration { return -time.Second })
	for i := range maxSources + 100 {
		c.AdvanceSource(event.SourceID(fmt.Sprint(i)), "x", noon)
	}
	if len(c.sources) != maxSources || c.late() != 0 {
		t.Errorf("%d sources known, lateness %d", len(c.sources), c.late())
	}
	plain := NewCorrelator(func() time.Time { return noon }, absent())
	if plain.AdvanceSource("a", "x", noon) != nil || plain.Idle("a") != nil || plain.sources != nil {
		t.Error("without lateness per source something is remembered of sources")
	}
}

// TestHostileStreamsStayBounded: whatever an attacker writes into groups and records,
// what is kept stays under the bound, also on the heap.
func TestHostileStreamsStayBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a second")
	}
	long := strings.Repeat("x", 300_000)
	for name, c := range map[string]struct {
		rules []*Rule
		n     int
		event func(i int, e *event.Event)
	}{
		"long values in groups": {[]*Rule{{ID: "A", Count: 3, Within: time.Hour, GroupBy: []string{"user"}}}, 600, func(i int, e *event.Event) {
			e.Fields[0].Value.Str = long + fmt.Sprint(i)
		}},
		"long records in one window that waits": {absent(), 600, func(i int, e *event.Event) {
			e.Raw = []byte(long)
			e.Time = noon.Add(time.Duration(i) * 10 * time.Millisecond)
		}},
		"long records that each wait": {absent(), 600, func(i int, e *event.Event) {
			e.Raw = []byte(long)
			e.Time = noon.Add(time.Duration(i) * time.Second)
			e.Fields[0].Value.Str = fmt.Sprint(i)
		}},
		"many values": {[]*Rule{{ID: "A", Silent: true}, {ID: "V", Correlation: &Correlation{
			Type: ValueCount, Rules: []string{"A"}, Span: time.Hour, Fields: []string{"n"}, GroupBy: []string{"user"}, Bounds: []Bound{{BoundGte, 1000}},
		}}}, 60_000, func(i int, e *event.Event) {
			e.Fields[0].Value.Str = fmt.Sprint(i % 100)
			e.Fields[1].Value.Str = fmt.Sprint(i)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			heap := func() int64 {
				var m runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&m)
				return int64(m.HeapAlloc)
			}
			cor := NewCorrelator(func() time.Time { return noon }, c.rules)
			before := heap()
			for i := range c.n {
				e := &event.Event{Time: noon, Seen: noon.Add(time.Hour), Ref: event.Ref{Offset: int64(i)}, Fields: []event.Field{field("user", "u"), field("n", "1")}, Native: 2}
				c.event(i, e)
				cor.Take(c.rules[0], e)
			}
			if used := heap() - before; cor.bytes > MaxStateBytes+maxCopied+1<<20 || used > MaxStateBytes+12<<20 {
				t.Errorf("%d bytes counted, %d used, in %d groups", cor.bytes, used, cor.States())
			} else {
				t.Logf("%.1f MiB counted, %.1f used, %d groups, %d evicted", float64(cor.bytes)/(1<<20), float64(used)/(1<<20), cor.States(), cor.Evicted())
			}
			for _, d := range cor.Flush() {
				if d.Event == nil || len(d.Refs) == 0 {
					t.Errorf("a window that waited has no event: %+v", d)
				}
			}
			runtime.KeepAlive(cor)
		})
	}
}
