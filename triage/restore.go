package triage

import (
	"fmt"
	"iter"
)

// Restore makes a board from alerts as they were stored and the journal. Where
// an alert stands is folded from the journal alone; what was stored beside it is
// compared, and every difference is one sentence in mended (at most 100 are
// listed). The error is what reading the journal gave. The alerts are kept and
// changed: the caller gives them away.
func Restore(alerts []*Alert, entries iter.Seq2[Entry, error]) (b *Board, mended []string, err error) {
	b = NewBoard()
	stored := make(map[AlertID]Alert, len(alerts))
	for _, a := range alerts {
		stored[a.ID] = *a
		b.place(a)
	}
	for e, err := range entries {
		if err != nil {
			return nil, nil, err
		}
		if e.ID != b.last+1 {
			return nil, nil, fmt.Errorf("journal row %d is missing: row %d comes next; restore the board from a backup", b.last+1, e.ID)
		}
		if e.Do == DoUndo && b.moves[e.Undoes] == nil {
			return nil, nil, fmt.Errorf("journal row %d undoes row %d, which no undo can be about; restore the board from a backup", e.ID, e.Undoes)
		}
		mended = b.strangers(e, mended)
		b.apply(e)
	}
	for _, n := range b.nodes {
		mended = b.compare(n, stored[n.alert.ID], mended)
	}
	clear(b.changed)
	return b, mended, nil
}

const maxMended = 100

func (b *Board) strangers(e Entry, mended []string) []string {
	for _, v := range e.On {
		if b.nodes[v.ID] == nil && len(mended) < maxMended {
			mended = append(mended, fmt.Sprintf("alert %s stands in journal row %d but not among the alerts: somebody removed it", v.ID.short(), e.ID))
		}
	}
	return mended
}

// place puts a stored alert on the board as it is before its first row.
func (b *Board) place(a *Alert) {
	standing{}.put(a)
	a.Version, a.Notes, a.ActedCount, a.Compromised = 0, 0, 0, nil
	n := &node{alert: a}
	b.nodes[a.ID] = n
	if have := b.newest[a.Fingerprint]; have == nil || have.alert.Episode < a.Episode {
		b.newest[a.Fingerprint] = n
	}
	b.view.touch(n)
}

// compare checks the folded alert against the stored one, and takes over from it
// what the journal does not hold.
func (b *Board) compare(n *node, was Alert, mended []string) []string {
	a := n.alert
	same := standingOf(a) == standingOf(&was) && a.Version == was.Version && a.Notes == was.Notes
	if same {
		a.ActedCount = was.ActedCount
		b.file(n)
		return mended
	}
	if a.State == "" {
		standing{state: StateNew}.put(a)
		a.Version = max(was.Version, 1)
	}
	if len(mended) >= maxMended {
		return mended
	}
	return append(mended, fmt.Sprintf("alert %s was stored as %s (version %d), but by the journal it is %s (version %d)",
		a.ID.short(), was.Standing(), was.Version, a.Standing(), a.Version))
}
