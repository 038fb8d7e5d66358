package agentpb

import (
	"bartizan/event"
	"bartizan/sources"
)

// Packer gathers records into one wire batch. Columns that would hold only their
// default are left out. It is sent as it is, through Codec, and used again for the
// next batch after Next.
type Packer struct {
	Batch *Batch
	file  event.FileID // of the newest record, as the rest
	epoch uint64
	end   int64 // the offset behind it
	line  int64
}

// NewPacker returns a packer for one Read of a stream; epoch must not be 0.
func NewPacker(stream string, epoch uint64) *Packer {
	return &Packer{Batch: &Batch{Stream: stream, Epoch: epoch, First: 1}}
}

// Empty says whether no record is in the batch.
func (p *Packer) Empty() bool { return len(p.Batch.Lengths) == 0 }

// Room says whether a whole source batch still fits within the bounds.
func (p *Packer) Room() bool {
	return len(p.Batch.Lengths)+sources.MaxRecords <= MaxBatch &&
		len(p.Batch.Blob)+sources.MaxBytes+sources.MaxRecord <= MaxBlob
}

// Next empties the batch; the next record follows the last one in sequence.
func (p *Packer) Next() {
	b := p.Batch
	b.First += uint64(len(b.Lengths))
	b.Blob, b.Lengths, b.Segments = b.Blob[:0], b.Lengths[:0], b.Segments[:0]
	b.Gaps, b.Lines, b.Spans, b.Flags = b.Gaps[:0], b.Lines[:0], b.Spans[:0], b.Flags[:0]
	b.Losses, b.Cuts = b.Losses[:0], b.Cuts[:0]
	b.LeftOut = 0
}

// Add appends one record; its bytes are copied.
func (p *Packer) Add(r *sources.Record) {
	b := p.Batch
	if b.Blob == nil {
		b.Blob = (*blobs{}.Get(0))[:0]
	}
	i := len(b.Lengths)
	if i == 0 || p.elsewhere(r) {
		b.Segments = append(b.Segments, &Segment{
			Index: uint32(i), Device: r.Ref.File.Dev, Inode: r.Ref.File.Ino,
			Generation: r.Ref.Epoch, Offset: r.Ref.Offset, Line: r.Line,
		})
		p.file, p.epoch, p.end, p.line = r.Ref.File, r.Ref.Epoch, r.Ref.Offset-1, r.Line-1
	}
	if r.Line == 0 {
		p.line = -1 // unknown lines have no step
	}
	b.Blob = append(b.Blob, r.Raw...)
	b.Lengths = append(b.Lengths, uint32(len(r.Raw)))
	column(&b.Gaps, i, r.Ref.Offset-p.end, 1)
	column(&b.Lines, i, r.Line-p.line, 1)
	column(&b.Spans, i, int64(r.Ref.Len)-int64(len(r.Raw)), 0)
	column(&b.Flags, i, uint32(r.Flags), 0)
	p.end, p.line = r.Ref.Offset+int64(r.Ref.Len), r.Line
	if r.Lost > 0 {
		b.Losses = append(b.Losses, &Loss{Index: uint32(i), Count: r.Lost})
	}
	if r.Cut != nil {
		b.Cuts = append(b.Cuts, &Cut{Index: uint32(i), Bytes: r.Cut.Bytes, Hash: r.Cut.Hash[:]})
	}
}

// elsewhere says whether r does not follow the newest record in the same file.
func (p *Packer) elsewhere(r *sources.Record) bool {
	return r.Ref.File != p.file || r.Ref.Epoch != p.epoch || (r.Line == 0) != (p.line == 0)
}

// column appends v as entry i of a column, which stays empty as long as all of
// its entries are the default.
func column[T int64 | uint32](col *[]T, i int, v, missing T) {
	if len(*col) > 0 || v != missing {
		*col = extend(*col, i, v, missing)
	}
}

func extend[T int64 | uint32](col []T, i int, v, missing T) []T {
	for len(col) < i {
		col = append(col, missing)
	}
	return append(col, v)
}
