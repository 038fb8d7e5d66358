package store

import (
	"encoding/binary"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"bartizan/event"
)

// rowSize is the bytes of one row's columns; they grow from the end of a
// segment while raw bytes grow from its beginning.
const rowSize = 64

// originSize is what one origin is counted as; origins lie in the Go heap.
const originSize = 128

// The columns' places in a row.
const (
	colTime, colSeen, colLine, colOffset, colLost = 0, 8, 16, 24, 32
	colAt, colLen, colRefLen, colFormat, colFrom  = 40, 44, 48, 52, 56
	colFlags, colLevel, colPlain                  = 60, 62, 63
)

// segment is one block of the ring. Rows below count are immutable until the
// last holder lets go, so readers need no lock.
type segment struct {
	base    uint64
	mem     []byte
	count   atomic.Uint32
	refs    atomic.Int32 // 1 for the ring itself, 1 for every reader; 0 is gone
	rawEnd  int          // writer's
	rows    int          // writer's
	origins atomic.Pointer[[]origin]
	places  map[origin]uint32 // writer's: where each origin is
	marks   markTable
}

// origin is the part of a reference that records of one file share.
type origin struct {
	source event.SourceID
	epoch  uint64
	file   event.FileID
}

func newSegment(mem []byte, base uint64) *segment {
	s := &segment{base: base, mem: mem, places: map[origin]uint32{}}
	s.refs.Store(1)
	s.origins.Store(&[]origin{})
	return s
}

// hold adds a reader, unless the segment is gone already.
func (s *segment) hold() bool {
	for {
		n := s.refs.Load()
		if n == 0 {
			return false
		}
		if s.refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// fits reports whether a record of n bytes, perhaps of a new origin, has room.
func (s *segment) fits(n int) bool {
	extra := (len(*s.origins.Load()) + 1) * originSize
	return s.rawEnd+n+(s.rows+1)*rowSize+extra <= len(s.mem)
}

func (s *segment) columns(i uint32) []byte {
	at := len(s.mem) - (int(i)+1)*rowSize
	return s.mem[at : at+rowSize : at+rowSize]
}

// append writes the row and publishes it.
func (s *segment) append(e *event.Event, raw []byte, flags event.Flags) {
	c, le := s.columns(uint32(s.rows)), binary.LittleEndian
	copy(s.mem[s.rawEnd:], raw)
	le.PutUint64(c[colTime:], uint64(nanos(e.Time)))
	le.PutUint64(c[colSeen:], uint64(nanos(e.Seen)))
	le.PutUint64(c[colLine:], uint64(e.Line))
	le.PutUint64(c[colOffset:], uint64(e.Ref.Offset))
	le.PutUint64(c[colLost:], e.Lost)
	le.PutUint32(c[colAt:], uint32(s.rawEnd))
	le.PutUint32(c[colLen:], uint32(len(raw)))
	le.PutUint32(c[colRefLen:], uint32(e.Ref.Len))
	le.PutUint32(c[colFormat:], uint32(e.Format))
	le.PutUint32(c[colFrom:], s.origin(&e.Ref))
	le.PutUint16(c[colFlags:], uint16(flags))
	c[colLevel], c[colPlain] = byte(e.Level), 0
	if isASCII(raw) {
		c[colPlain] = 1
	}
	s.rawEnd += len(raw)
	s.rows++
	s.count.Store(uint32(s.rows))
}

// origin finds or adds the row's origin.
func (s *segment) origin(ref *event.Ref) uint32 {
	want := origin{ref.Source, ref.Epoch, ref.File}
	if i, ok := s.places[want]; ok {
		return i
	}
	all := append(*s.origins.Load(), want) // readers hold shorter views of the same array
	s.origins.Store(&all)
	i := uint32(len(all) - 1)
	s.places[want] = i
	return i
}

// raw is the row's bytes, a view into the segment.
func (s *segment) raw(c []byte) []byte {
	at, n := binary.LittleEndian.Uint32(c[colAt:]), binary.LittleEndian.Uint32(c[colLen:])
	return s.mem[at : at+n : at+n]
}

// row fills r from row i; Raw is a view into the segment.
func (s *segment) row(i uint32, r *Row) {
	c, le := s.columns(i), binary.LittleEndian
	from := (*s.origins.Load())[le.Uint32(c[colFrom:])]
	r.Seq = s.base + uint64(i)
	r.Time = fromNanos(int64(le.Uint64(c[colTime:])))
	r.Seen = fromNanos(int64(le.Uint64(c[colSeen:])))
	r.Line = int64(le.Uint64(c[colLine:]))
	r.Lost = le.Uint64(c[colLost:])
	r.Ref = event.Ref{
		Source: from.source, Epoch: from.epoch, File: from.file,
		Offset: int64(le.Uint64(c[colOffset:])), Len: int32(le.Uint32(c[colRefLen:])),
	}
	r.Format = event.ParseID(le.Uint32(c[colFormat:]))
	r.Flags = event.Flags(le.Uint16(c[colFlags:]))
	r.Level = event.Level(c[colLevel])
	r.Raw = s.raw(c)
}

const noTime = math.MinInt64

var earliest, latest = time.Unix(0, math.MinInt64+1), time.Unix(0, math.MaxInt64)

// nanos is the time as one number; the zero time has its own.
func nanos(t time.Time) int64 {
	switch {
	case t.IsZero():
		return noTime
	case t.Before(earliest):
		return noTime + 1
	case t.After(latest):
		return math.MaxInt64
	}
	return t.UnixNano()
}

func fromNanos(n int64) time.Time {
	if n == noTime {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

// isASCII reports whether no byte has its top bit set, eight at a time.
func isASCII(b []byte) bool {
	for len(b) >= 8 {
		if binary.LittleEndian.Uint64(b)&0x8080808080808080 != 0 {
			return false
		}
		b = b[8:]
	}
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

// markTable is the hit marks of one segment.
type markTable struct {
	mu    sync.RWMutex
	byRow map[uint32][]Mark
	order []uint32 // the marked rows, ascending
	bytes int
}
