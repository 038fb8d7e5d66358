package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"sort"
)

// Scan calls fn with the rows in [from, to), oldest first, or in [to, from),
// newest first, when from > to, until fn returns false or ctx ends (its error is
// returned). Rows that are overwritten meanwhile are left out; rows not there
// yet end it.
//
// literals, when given, must all occur in a row for fn to see it, letters of
// either case. fn is still called with rows that do not hold them where only a
// full match can tell (folds between ASCII and other scripts): the check leaves
// out, it does not prove. The row and its Raw are views: valid during the call
// only, while the writer goes on elsewhere.
func (r *Ring) Scan(ctx context.Context, from, to uint64, literals [][]byte, fn func(row *Row) bool) error {
	f := newFilter(literals)
	if from > to {
		return r.scanBack(ctx, to, from, f, fn)
	}
	row := Row{}
	for from < to {
		s, at, end := r.span(from, to)
		if s == nil {
			return nil
		}
		going := s.scan(at, end, f, &row, fn)
		from = s.base + uint64(end)
		r.unpin(s)
		if !going {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// span holds the segment that has from, or the oldest one after it, and returns
// its rows [at, end) below to. nil: there is none.
func (r *Ring) span(from, to uint64) (s *segment, at, end uint32) {
	for {
		first, next := r.Bounds()
		from, to = max(from, first), min(to, next)
		if from >= to {
			return nil, 0, 0
		}
		if s = r.pin(from); s == nil {
			continue // dropped just now: Bounds has moved on
		}
		end = uint32(min(to-s.base, uint64(s.count.Load())))
		return s, uint32(from - s.base), end
	}
}

// scanBack walks segment by segment from the newest; within one it scans chunks
// forward and gives them out backward.
func (r *Ring) scanBack(ctx context.Context, from, to uint64, f filter, fn func(row *Row) bool) error {
	const chunk = 4096
	var found []uint32
	row := Row{}
	for from < to {
		first, next := r.Bounds()
		from, to = max(from, first), min(to, next)
		if from >= to {
			return nil
		}
		s := r.pin(to - 1)
		if s == nil {
			continue
		}
		end := uint32(to - s.base)
		at := uint32(max(from, s.base, to-min(to, chunk)) - s.base)
		found = found[:0]
		s.scan(at, end, f, &row, func(row *Row) bool { found = append(found, uint32(row.Seq-s.base)); return true })
		going := true
		for i := len(found) - 1; i >= 0 && going; i-- {
			s.row(found[i], &row)
			going = fn(&row)
		}
		to = s.base + uint64(at)
		r.unpin(s)
		if !going {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// scan gives fn the rows [at, end) that pass f; false when fn had enough.
func (s *segment) scan(at, end uint32, f filter, row *Row, fn func(row *Row) bool) bool {
	if at >= end {
		return true
	}
	f.begin()
	lo := binary.LittleEndian.Uint32(s.columns(at)[colAt:])
	last := s.columns(end - 1)
	hi := binary.LittleEndian.Uint32(last[colAt:]) + binary.LittleEndian.Uint32(last[colLen:])
	block := s.mem[lo:hi]
	for at < end {
		held := false
		if f.first != nil {
			if at, held = s.skip(&f, block, lo, at, end); at >= end {
				return true
			}
		}
		c := s.columns(at)
		if f.admits(s.raw(c), c[colPlain] == 1, held) {
			s.row(at, row)
			if !fn(row) {
				return false
			}
		}
		at++
	}
	return true
}

// skip returns the first row from at on that may pass: the next one that holds
// the rarest literal, or an earlier one that is not plain ASCII.
func (s *segment) skip(f *filter, block []byte, lo, at, end uint32) (row uint32, held bool) {
	start := int(binary.LittleEndian.Uint32(s.columns(at)[colAt:]) - lo)
	found := end
	for {
		pos := f.first.next(block, start)
		if pos < 0 {
			break
		}
		want := lo + uint32(pos)
		i := at + uint32(sort.Search(int(end-at), func(i int) bool {
			return binary.LittleEndian.Uint32(s.columns(at + uint32(i))[colAt:]) > want
		})) - 1
		c := s.columns(i)
		stop := binary.LittleEndian.Uint32(c[colAt:]) + binary.LittleEndian.Uint32(c[colLen:])
		if want+uint32(len(f.first.fold)) <= stop {
			found, held = i, true
			break
		}
		start = pos + 1 // half in one row, half in the next: no match
	}
	if f.exotic {
		for i := at; i < found; i++ {
			if s.columns(i)[colPlain] == 0 {
				return i, false
			}
		}
	}
	return found, held
}

// filter is the literal pre-check of one scan.
type filter struct {
	all    []*literal
	first  *literal // the rarest, searched for across whole segments
	exotic bool     // some literal has a letter that other scripts fold to
}

func newFilter(texts [][]byte) filter {
	f := filter{}
	for _, t := range texts {
		l := newLiteral(asciiRun(t))
		if l == nil {
			continue
		}
		f.all = append(f.all, l)
		f.exotic = f.exotic || l.exotic
		if f.first == nil || l.weight < f.first.weight {
			f.first = l
		}
	}
	return f
}

// begin forgets what was found in the block before.
func (f *filter) begin() {
	if f.first != nil {
		f.first.reset()
	}
}

// admits reports whether the row may hold all literals; held says that it holds
// the first.
func (f *filter) admits(raw []byte, plain, held bool) bool {
	for _, l := range f.all {
		if held && l == f.first {
			continue
		}
		if !l.in(raw) && (plain || !l.exotic || !foldsToASCII(raw)) {
			return false
		}
	}
	return true
}

// foldsToASCII reports whether raw holds one of the two characters outside
// ASCII that Unicode folds to an ASCII letter: U+017F (s) and U+212A (k).
func foldsToASCII(raw []byte) bool {
	return bytes.Contains(raw, []byte("\u017f")) || bytes.Contains(raw, []byte("\u212a"))
}

// asciiRun is the longest piece of t that is all ASCII: other letters fold in
// ways a search over bytes cannot follow.
func asciiRun(t []byte) []byte {
	var best []byte
	for len(t) > 0 {
		n := 0
		for n < len(t) && t[n] < 0x80 {
			n++
		}
		if n > len(best) {
			best = t[:n]
		}
		t = t[min(n+1, len(t)):]
	}
	return best
}
