package agentpb

import (
	"fmt"
	"math"
	"time"

	"bartizan/event"
	"bartizan/sources"
)

// knownFlags are the flags a source may set; others are ignored.
const knownFlags = event.FlagLate | event.FlagCut | event.FlagClock | event.FlagRawOnly | event.FlagNoTime |
	event.FlagShrank | event.FlagVanished

// KnownFlags returns the flags of a record that came over the wire.
func KnownFlags(f uint32) event.Flags { return event.Flags(f) & knownFlags }

// Expectation is what the next batch of one Read has to look like.
type Expectation struct {
	stream string
	epoch  uint64 // 0 until the first batch
	first  uint64
}

// Expect returns the expectation of a Read of stream that was just opened.
func Expect(stream string) *Expectation { return &Expectation{stream: stream, first: 1} }

// Last returns the sequence of the newest record taken, 0 before the first.
func (x *Expectation) Last() uint64 { return x.first - 1 }

// Records checks a batch against the expectation and the bounds, and returns its
// records as views into the batch's blob; they are said to be of source id and
// seen when the caller says. Nothing in the batch is believed: every
// column is checked before anything is allocated by it.
func (x *Expectation) Records(in *Incoming, id event.SourceID, seen time.Time) ([]sources.Record, error) {
	b := &in.Batch
	if err := x.check(b); err != nil {
		return nil, err
	}
	if err := checkColumns(b); err != nil {
		return nil, err
	}
	d := decoder{batch: b, out: in.room(len(b.GetLengths()))}
	for i := range d.out {
		if err := d.record(i, id, seen); err != nil {
			return nil, err
		}
	}
	for _, l := range b.GetLosses() {
		d.out[l.GetIndex()].Lost = l.GetCount()
	}
	for _, c := range b.GetCuts() {
		cut := &sources.Cut{Bytes: c.GetBytes()}
		copy(cut.Hash[:], c.GetHash())
		d.out[c.GetIndex()].Cut = cut
	}
	x.epoch, x.first = b.GetEpoch(), b.GetFirst()+uint64(len(d.out))
	return d.out, nil
}

func (x *Expectation) check(b *Batch) error {
	switch {
	case b.GetStream() != x.stream:
		return fmt.Errorf("a batch is of the stream %.80q", b.GetStream())
	case x.epoch != 0 && b.GetEpoch() != x.epoch || b.GetEpoch() == 0:
		return fmt.Errorf("the epoch changed from %d to %d within one read", x.epoch, b.GetEpoch())
	case b.GetFirst() != x.first:
		return fmt.Errorf("sequence %d came where %d was next", b.GetFirst(), x.first)
	case len(b.GetCursor()) > MaxCursor:
		return fmt.Errorf("a cursor has %d bytes where %d are allowed", len(b.GetCursor()), MaxCursor)
	}
	return nil
}

func checkColumns(b *Batch) error {
	n := len(b.GetLengths())
	if n > MaxBatch {
		return fmt.Errorf("a batch has %d records where %d are allowed", n, MaxBatch)
	}
	if len(b.GetBlob()) > MaxBlob {
		return fmt.Errorf("a batch has %d bytes where %d are allowed", len(b.GetBlob()), MaxBlob)
	}
	total := uint64(0)
	for _, l := range b.GetLengths() {
		if l > sources.MaxRecord {
			return fmt.Errorf("a record has %d bytes where %d are allowed", l, sources.MaxRecord)
		}
		total += uint64(l)
	}
	if total != uint64(len(b.GetBlob())) {
		return fmt.Errorf("records of %d bytes in all came with %d bytes", total, len(b.GetBlob()))
	}
	for _, c := range []int{len(b.GetGaps()), len(b.GetLines()), len(b.GetFlags()), len(b.GetSpans())} {
		if c != 0 && c != n {
			return fmt.Errorf("a column has %d entries for %d records", c, n)
		}
	}
	return checkMarks(b, n)
}

// checkMarks checks what refers to records by index.
func checkMarks(b *Batch, n int) error {
	if segs := b.GetSegments(); n > 0 && (len(segs) == 0 || segs[0].GetIndex() != 0) {
		return fmt.Errorf("a batch does not say which file it is from")
	}
	for i, s := range b.GetSegments() {
		if int64(s.GetIndex()) >= int64(n) || i > 0 && s.GetIndex() <= b.GetSegments()[i-1].GetIndex() {
			return fmt.Errorf("segment %d begins at record %d of %d", i, s.GetIndex(), n)
		}
		if s.GetOffset() < 0 || s.GetLine() < 0 {
			return fmt.Errorf("segment %d begins before its file does", i)
		}
	}
	for _, c := range b.GetCuts() {
		if int64(c.GetIndex()) >= int64(n) || c.GetBytes() < 0 || len(c.GetHash()) != 16 {
			return fmt.Errorf("a cut of %d bytes is marked at record %d of %d", c.GetBytes(), c.GetIndex(), n)
		}
	}
	for _, l := range b.GetLosses() {
		if int64(l.GetIndex()) >= int64(n) {
			return fmt.Errorf("a loss is marked at record %d of %d", l.GetIndex(), n)
		}
	}
	return nil
}

// decoder walks the columns of a checked batch.
type decoder struct {
	batch   *Batch
	out     []sources.Record
	segment int   // of the record before, plus one
	blob    int   // where the next record's bytes begin
	end     int64 // of the record before, in its file
	line    int64 // of the record before
}

func (d *decoder) record(i int, id event.SourceID, seen time.Time) error {
	b := d.batch
	n := int(b.GetLengths()[i])
	offset, line := d.end+at(b.GetGaps(), i, 1), d.line
	if line > 0 {
		line += at(b.GetLines(), i, 1)
	}
	if s := b.GetSegments(); d.segment < len(s) && int(s[d.segment].GetIndex()) == i {
		offset, line = s[d.segment].GetOffset(), s[d.segment].GetLine()
		d.segment++
	}
	span := int64(n) + at(b.GetSpans(), i, 0)
	if offset < 0 || line < 0 || span < 0 || span > math.MaxInt32 || offset > math.MaxInt64-span {
		return fmt.Errorf("record %d lies at offset %d, line %d, with %d bytes", i, offset, line, span)
	}
	seg := b.GetSegments()[d.segment-1]
	d.out[i] = sources.Record{
		Raw: b.GetBlob()[d.blob : d.blob+n : d.blob+n],
		Ref: event.Ref{
			Source: id, Epoch: seg.GetGeneration(), Offset: offset, Len: int32(span),
			File: event.FileID{Dev: seg.GetDevice(), Ino: seg.GetInode()},
		},
		Line: line, Seen: seen,
	}
	if f := b.GetFlags(); len(f) > 0 {
		d.out[i].Flags = KnownFlags(f[i])
	}
	d.blob, d.end, d.line = d.blob+n, offset+span, line
	return nil
}

func at(column []int64, i int, missing int64) int64 {
	if len(column) == 0 {
		return missing
	}
	return column[i]
}
