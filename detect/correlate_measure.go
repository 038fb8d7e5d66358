package detect

import (
	"hash/maphash"
	"math"
	"strconv"
	"time"

	"bartizan/event"
)

// maxValues is how many values of one field of one event count.
const maxValues = 16

// measure is one value of an event that a window counts.
type measure struct {
	key uint64
	num float64
}

// timeOf is when e counts as having happened, in Unix nanoseconds.
func (c *Correlator) timeOf(e *event.Event) int64 {
	seen := e.Seen
	if seen.IsZero() {
		seen = c.now()
	}
	if e.Time.IsZero() || e.Time.Sub(seen) > maxAhead {
		return seen.UnixNano()
	}
	if e.Time.Before(time.Unix(0, 0)) {
		return 0
	}
	return e.Time.UnixNano()
}

// measure reads what w counts of e into c.measured; false when e has nothing of it.
func (c *Correlator) measure(w *windowed, m int32, e *event.Event) bool {
	c.measured = c.measured[:0]
	fields := w.members[m].fields
	switch w.cor.Type {
	case EventCount, Temporal, TemporalOrdered:
		c.measured = append(c.measured, measure{})
	case ValueCount:
		c.measureTexts(fields, e)
	default:
		eachValue(e, fields[0], func(v *event.Value) {
			n := v.Num
			if v.Kind != event.KindNumber {
				var err error
				if n, err = strconv.ParseFloat(v.Str, 64); err != nil {
					return
				}
			}
			if !math.IsNaN(n) && !math.IsInf(n, 0) {
				c.measured = append(c.measured, measure{num: n})
			}
		})
	}
	return len(c.measured) > 0
}

// measureTexts reads the values of one field, or of several fields as one value.
func (c *Correlator) measureTexts(fields []string, e *event.Event) {
	if len(fields) == 1 {
		eachValue(e, fields[0], func(v *event.Value) {
			c.measured = append(c.measured, measure{key: maphash.String(c.seed[0], v.Str)})
		})
		return
	}
	c.joined = c.joined[:0]
	for _, f := range fields {
		v, ok := e.Get(f)
		if !ok || v.Kind == event.KindNull {
			return
		}
		c.joined = putText(c.joined, v.Str)
	}
	c.measured = append(c.measured, measure{key: maphash.Bytes(c.seed[0], c.joined)})
}

// eachValue calls f for the values of a field: of native fields, else of aliases, else
// what is known of the event beyond them.
func eachValue(e *event.Event, name string, f func(*event.Value)) {
	n := 0
	for i := range e.Fields {
		if i >= e.Native && n > 0 && e.Fields[i].Name == name {
			return
		}
		if e.Fields[i].Name == name && n < maxValues && e.Fields[i].Value.Kind != event.KindNull && e.Fields[i].Value.Kind != event.KindObject {
			n++
			f(&e.Fields[i].Value)
		}
	}
	if n == 0 {
		for v, next, ok := e.Enriched(name, 0); ok; v, next, ok = e.Enriched(name, next) {
			f(&v)
			if n++; next == 0 || n == maxValues {
				break
			}
		}
	}
}
