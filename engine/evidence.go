package engine

import (
	"bytes"

	"bartizan/event"
	"bartizan/triage"
)

// lookBack is how many rows of the ring are looked at for what came before a hit.
const lookBack = 256

// before returns up to ContextLines records of the same source just before e,
// oldest first. They are copies.
func (q *sequencer) before(w *work, e *event.Event) []triage.Evidence {
	var out []triage.Evidence
	if w.past {
		return out
	}
	first, _ := q.e.ring.Bounds()
	for seq := e.Seq; seq > first && seq+lookBack > e.Seq && len(out) < triage.ContextLines; {
		seq--
		if q.e.ring.Read(seq, &q.row) != nil {
			break
		}
		if q.row.Ref.Source == e.Ref.Source {
			raw := bytes.Clone(q.row.Raw)
			out = append([]triage.Evidence{{Ref: q.row.Ref.Sealed(raw), Line: q.row.Line, Time: q.row.Time, Raw: raw, Format: e.FormatName}}, out...)
		}
	}
	return out
}

// await asks for the records that will follow the hit.
func (q *sequencer) await(c triage.Change, e *event.Event) {
	if len(q.after) >= maxAfterwards {
		q.e.o.Desk.Pin(q.after[0].alert, q.after[0].nth, q.after[0].got)
		q.after = q.after[1:]
	}
	q.after = append(q.after, afterwards{alert: c.Alert, nth: c.Nth, source: e.Ref.Source})
}

// follow gives e to the hits that wait for what follows them.
func (q *sequencer) follow(e *event.Event) {
	if len(q.after) == 0 {
		return
	}
	keep := q.after[:0]
	for _, a := range q.after {
		if a.source == e.Ref.Source {
			raw := bytes.Clone(e.Raw)
			a.got = append(a.got, triage.Evidence{Ref: e.Ref.Sealed(raw), Line: e.Line, Time: e.Time, Raw: raw, Format: e.FormatName})
		}
		if len(a.got) == triage.ContextLines {
			q.e.o.Desk.Pin(a.alert, a.nth, a.got)
			continue
		}
		keep = append(keep, a)
	}
	q.after = keep
}
