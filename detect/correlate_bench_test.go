package detect

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"bartizan/event"
)

// BenchmarkCorrelator measures one match of a rule, by what counts it. The matches
// are a millisecond apart, so windows are as full as they can be.
func BenchmarkCorrelator(b *testing.B) {
	wait := where(over(Temporal, "A B"), both(named("A"), none(named("B"))))
	for _, c := range []struct {
		name   string
		rule   *Rule
		groups int
	}{
		{"no window", nil, 1},
		{"event_count", over(EventCount, "A", gte(1000)), 1},
		{"event_count, a group each", over(EventCount, "A", gte(1000)), 1 << 30},
		{"value_count", numbers(ValueCount, gte(1000)), 1},
		{"value_sum", numbers(ValueSum, gte(1e12)), 1},
		{"value_median", numbers(ValueMedian, gte(1e12)), 1},
		{"temporal_ordered", over(TemporalOrdered, "A B C"), 1},
		{"temporal, waiting", wait, 100},
	} {
		b.Run(c.name, func(b *testing.B) {
			base := &Rule{ID: "A", Silent: c.rule != nil}
			rules := []*Rule{base}
			if c.rule != nil {
				rules = append(rules, c.rule)
			}
			cor := NewCorrelator(time.Now, rules)
			e := &event.Event{Raw: []byte("a record of some bytes"), Fields: []event.Field{field("user", "x"), field("n", "5")}, Native: 2}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				e.Time = noon.Add(time.Duration(i) * time.Millisecond)
				e.Seen, e.Ref.Offset = e.Time, int64(i)
				if c.groups > 1 {
					e.Fields[0].Value.Str = fmt.Sprint(i % c.groups)
				}
				e.Fields[1].Value.Str = fmt.Sprint(i * 7919 % 997)
				cor.Take(base, e)
			}
		})
	}
}

// TestCorrelatorMemory fills all caps at once: what is kept is bounded.
func TestCorrelatorMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a second")
	}
	base := &Rule{ID: "A", Silent: true}
	c := NewCorrelator(time.Now, []*Rule{base, over(EventCount, "A", gte(50))})
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	e := &event.Event{Raw: []byte("a record"), Fields: []event.Field{field("user", "")}, Native: 1, Time: noon, Seen: noon}
	for i := range 400_000 {
		e.Fields[0].Value.Str = fmt.Sprintf("user-%d", i/3)
		e.Ref.Offset = int64(i)
		c.Take(base, e)
	}
	used := int64(heap() - before)
	t.Logf("%d states, %d bytes counted, %d evicted: %d MiB", c.States(), c.bytes, c.Evicted(), used>>20)
	if c.States() > MaxStates || c.bytes > MaxStateBytes || used > 40<<20 || c.Evicted() == 0 {
		t.Errorf("%d states, %d bytes counted, %d there", c.States(), c.bytes, used)
	}
	runtime.KeepAlive(c)
}
