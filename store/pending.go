package store

import (
	"slices"

	"bartizan/triage"
)

// take adds alerts as they stand now.
func (p *pending) take(alerts []*triage.Alert) {
	if p.alerts == nil {
		p.alerts = make(map[triage.AlertID]*triage.Alert, len(alerts))
	}
	for _, a := range alerts {
		p.alerts[a.ID] = a
	}
}

// pin adds a record; now and then it drops what the alert's bounds do not keep.
func (p *pending) pin(r Pinned) {
	if p.evidence == nil {
		p.evidence = map[triage.AlertID][]Pinned{}
	}
	list := p.evidence[r.Alert]
	if len(list) >= maxPinnedList || p.bytes > MaxPendingBytes/4 && len(list) > 2*triage.MaxEvidence {
		list = p.trim(list, r.Nth)
	}
	r = r.own()
	p.bytes += r.size()
	p.evidence[r.Alert] = append(list, r)
}

// maxPinnedList is twice what one alert's first and last records with their
// context can be: trimming then costs little per record.
const maxPinnedList = 2 * 2 * triage.MaxEvidence * (1 + 2*triage.ContextLines)

// trim drops what is neither among the first nor the last of count hits.
func (p *pending) trim(list []Pinned, count uint64) []Pinned {
	return slices.DeleteFunc(list, func(o Pinned) bool {
		gone := o.trimmed(count)
		if gone {
			p.bytes -= o.size()
		}
		return gone
	})
}

// fill puts what is pending before what the batch has of its own: a move's
// alerts come last and win.
func (p *pending) fill(tx *Batch) {
	raised := make([]*triage.Alert, 0, len(p.alerts)+len(tx.Raised))
	for _, a := range p.alerts {
		raised = append(raised, a)
	}
	tx.Raised = append(raised, tx.Raised...)
	tx.Hits = append(slices.Clone(p.hits), tx.Hits...)
	tx.Entries = append(slices.Clone(p.entries), tx.Entries...)
	for _, list := range p.evidence {
		tx.Evidence = append(tx.Evidence, untrimmed(list)...)
	}
}

// untrimmed is the records of one alert worth writing.
func untrimmed(list []Pinned) []Pinned {
	count := uint64(0)
	for _, r := range list {
		count = max(count, r.Nth)
	}
	out := make([]Pinned, 0, len(list))
	for _, r := range list {
		if !r.trimmed(count) {
			out = append(out, r)
		}
	}
	return out
}

func (b *Batch) isEmpty() bool {
	return len(b.Raised)+len(b.Hits)+len(b.Evidence)+len(b.Positions)+len(b.Entries) == 0
}

// putBack returns what could not be written to before what came meanwhile.
func (p *pending) putBack(old pending) {
	for id, a := range p.alerts {
		if old.alerts == nil {
			old.alerts = map[triage.AlertID]*triage.Alert{}
		}
		old.alerts[id] = a
	}
	old.hits = append(old.hits, p.hits...)
	old.entries = append(old.entries, p.entries...)
	for _, list := range p.evidence {
		for _, r := range list {
			old.pin(r)
		}
	}
	*p = old
}
