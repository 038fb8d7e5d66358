package sources

import (
	"fmt"
	"time"

	"bartizan/event"
)

// gap is what is not accounted for yet since the path named another file: between
// the newest generation that was read then and the current one there may be others,
// and each of them must be found or told.
type gap struct {
	last   event.FileID          // the generation that was current before
	admits map[event.FileID]bool // the files found since that the path named in between
	saw    map[event.FileID]bool // those it was seen to name
	until  time.Time             // something is missing; it is told if it still is then: a rotation may be half done
}

// expect notes that old is not the current generation any more.
func (w *follow) expect(old *generation) {
	switch {
	case old == nil:
	case w.gap == nil:
		w.gap = newGap(old.id)
	case w.gap.last != old.id:
		w.gap.saw[old.id] = true
	}
}

func newGap(last event.FileID) *gap {
	return &gap{last: last, admits: map[event.FileID]bool{}, saw: map[event.FileID]bool{}}
}

// expectCopy notes that the current generation was truncated and goes on in a copy.
func (w *follow) expectCopy(id event.FileID) {
	if w.gap == nil {
		w.gap = newGap(id)
	}
}

// waits says whether there is nothing to be judged yet, unless something changes.
func (p *gap) waits(now time.Time) bool { return !p.until.IsZero() && now.Before(p.until) }

// found notes that a generation was found that the path named in between.
func (p *gap) found(id event.FileID) {
	if p != nil {
		p.admits[id] = true
	}
}

// renamed notes that a generation has another identity since it was compressed.
func (p *gap) renamed(was, id event.FileID) {
	if p == nil {
		return
	}
	if p.last == was {
		p.last = id
	}
	for _, set := range []map[event.FileID]bool{p.admits, p.saw} {
		if set[was] {
			delete(set, was)
			set[id] = true
		}
	}
}

// judge says what is missing between the newest generation read before a rotation
// and the current one, now that the directory has come to rest.
func (w *follow) judge(all []sibling, current event.FileID) {
	p, first := w.gap, w.lowest
	w.lowest = lowestNumber(all)
	if first < 0 || w.lowest >= 0 && w.lowest < first {
		first = w.lowest
	}
	if p == nil {
		return
	}
	l := loss{}
	if p.last != current {
		l = w.missingIn(p, all, first)
	}
	switch {
	case l.why == "":
		w.gap = nil
	case p.until.IsZero():
		p.until = w.now().Add(w.opts.Grace)
		w.lowest = first
	case !w.now().Before(p.until):
		w.gap = nil
		w.lose(l)
	default:
		w.lowest = first
	}
}

// unbroken says whether every number up to that of the generation read before has a
// file, each another one: then none is missing even while the directory does not come
// to rest, and where it is rotated on and on the file read before is soon deleted.
func (w *follow) unbroken(all []sibling) bool {
	if w.gap == nil {
		return false
	}
	low, at := 1, nowhere
	ids, numbers := map[event.FileID]bool{}, map[int]bool{}
	for _, s := range all {
		if s.number == 0 || w.lowest == 0 {
			low = 0
		}
		if s.id == w.gap.last {
			at = s.number
		}
	}
	for _, s := range all {
		if s.number >= low && s.number <= at {
			ids[s.id], numbers[s.number] = true, true
		}
	}
	return at >= low && len(ids) == at-low+1 && len(numbers) == len(ids)
}

// missingIn returns the loss of the numbers that no file has, from first on, or of
// all there may have been when even the generation read before is gone.
func (w *follow) missingIn(p *gap, all []sibling, first int) loss {
	at, gone := nowhere, len(p.admits)+len(p.saw)
	for _, s := range all {
		if s.id == p.last {
			at = s.number
		}
		if p.admits[s.id] || p.saw[s.id] {
			gone--
		}
	}
	if at == nowhere && len(p.admits) > 0 {
		return loss{flags: event.FlagVanished, why: fmt.Sprintf(
			"%s was rotated so often that the file read before is deleted: what was written between it and the oldest of the %d files found since may be missing, at least 1 record, upper bound unknown; keep more rotated files",
			w.path, len(p.admits))}
	}
	if at <= first || first < 0 {
		return loss{}
	}
	n := missingNumbers(all, first, at) - gone
	if n <= 0 {
		return loss{}
	}
	return loss{n: uint64(n), flags: event.FlagVanished, why: fmt.Sprintf(
		"%s was rotated and %d generation(s) of it deleted before they were read: at least %d record(s) missing, upper bound unknown", w.path, n, n)}
}

// missingNumbers counts the numbers from first to before end that no file has.
func missingNumbers(all []sibling, first, end int) int {
	have := map[int]bool{}
	for _, s := range all {
		if s.number >= first && s.number < end {
			have[s.number] = true
		}
	}
	return end - first - len(have)
}

// nowhere is the number of a file that is not there; one without a number has -1.
const nowhere = -2

// lowestNumber returns the lowest number of these files, -1 when none has one.
func lowestNumber(all []sibling) int {
	low := -1
	for _, s := range all {
		if s.number >= 0 && (low < 0 || s.number < low) {
			low = s.number
		}
	}
	return low
}
