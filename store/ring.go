package store

import (
	"errors"
	"fmt"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"bartizan/event"
)

// The ring's bounds.
const (
	DefaultRing = 256 << 20 // bytes, columns included
	MinRing     = 1 << 20
	maxSegment  = 4 << 20
)

// ErrOverwritten says that the ring has moved on and no longer holds the row.
var ErrOverwritten = errors.New("this record is no longer in memory")

// ErrNotYet says that no row with that Seq has been appended.
var ErrNotYet = errors.New("there is no such record yet")

// Row is one record as the ring holds it: raw bytes and a few columns. Its
// fields are parsed again when somebody asks: parsing is a pure function of
// (Raw, Format). Times are UTC with the nanosecond; what lies outside the years
// 1678 to 2261 is moved to the nearest of them.
type Row struct {
	Seq        uint64
	Time, Seen time.Time
	Line       int64
	Lost       uint64
	Ref        event.Ref // Hash is zero: Sealed(Raw) makes it again
	Format     event.ParseID
	Flags      event.Flags
	Level      event.Level
	Raw        []byte
}

// Ring holds the newest records, bounded in bytes. One goroutine appends; any
// number read. Readers hold a segment while they look at it; the writer never
// waits for them: it takes fresh memory instead, so a slow reader costs at most
// one segment.
type Ring struct {
	segSize  int
	segments int
	next     atomic.Uint64              // Seq of the next row
	list     atomic.Pointer[[]*segment] // oldest first; the last is written to
	cut      atomic.Uint64              // rows too long for a segment, cut
	mu       sync.Mutex                 // guards free and closed
	free     [][]byte
	closed   bool
}

// NewRing makes a ring of at most budget bytes (0 is DefaultRing, at least
// MinRing). The memory is taken as it fills.
func NewRing(budget int64) (*Ring, error) {
	if budget == 0 {
		budget = DefaultRing
	}
	if budget < MinRing {
		return nil, fmt.Errorf("a ring of %d bytes is too small: give it at least %d", budget, MinRing)
	}
	size := min(int(budget/4), max(int(budget/64), maxSegment))
	size -= size % 4096
	r := &Ring{segSize: size, segments: int(budget / int64(size))}
	r.next.Store(1)
	r.list.Store(&[]*segment{})
	return r, nil
}

// Append takes a copy of the event and returns the Seq it gave it, from 1. Only
// one goroutine may call it. A record longer than half a segment (at least
// 128 KiB, usually 2 MiB) is cut and flagged. The error is that there is no
// memory, or that the ring is closed; the event was not taken then.
func (r *Ring) Append(e *event.Event) (uint64, error) {
	seq := r.next.Load()
	list := *r.list.Load()
	raw, flags := e.Raw, e.Flags
	if limit := r.segSize / 2; len(raw) > limit {
		raw, flags = raw[:limit], flags|event.FlagCut
		r.cut.Add(1)
	}
	if len(list) == 0 || !list[len(list)-1].fits(len(raw)) {
		s, err := r.turn(list, seq)
		if err != nil {
			return 0, err
		}
		s.append(e, raw, flags)
	} else {
		list[len(list)-1].append(e, raw, flags)
	}
	r.next.Store(seq + 1)
	return seq, nil
}

// turn begins a new segment, dropping the oldest when the budget is used up.
func (r *Ring) turn(list []*segment, seq uint64) (*segment, error) {
	if len(list) >= r.segments {
		oldest := list[0]
		list = list[1:]
		r.publish(list)
		r.unpin(oldest)
	}
	mem, err := r.memory()
	if err != nil {
		return nil, err
	}
	s := newSegment(mem, seq)
	r.publish(append(list[:len(list):len(list)], s))
	return s, nil
}

func (r *Ring) publish(list []*segment) { r.list.Store(&list) }

// memory takes a free block or a new one from the system.
func (r *Ring) memory() ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, errors.New("the ring is closed")
	}
	if n := len(r.free); n > 0 {
		mem := r.free[n-1]
		r.free = r.free[:n-1]
		return mem, nil
	}
	mem, err := allocate(r.segSize)
	if err != nil {
		return nil, fmt.Errorf("no memory for %d more bytes of records: %w; give the ring a smaller budget", r.segSize, err)
	}
	return mem, nil
}

// unpin lets go of a segment; the last one out returns its memory.
func (r *Ring) unpin(s *segment) {
	if s.refs.Add(-1) != 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed && len(r.free) == 0 {
		r.free = append(r.free, s.mem)
		return
	}
	_ = release(s.mem) // nothing can be done about memory the system will not take back
}

// pin finds the segment of seq and holds it. It is nil when it is gone or not
// there yet.
func (r *Ring) pin(seq uint64) *segment {
	for {
		list := *r.list.Load()
		i := sort.Search(len(list), func(i int) bool { return list[i].base > seq }) - 1
		if i < 0 {
			return nil
		}
		if list[i].hold() {
			return list[i]
		}
	}
}

// Bounds returns the first Seq held and the one after the last: 1, 1 when empty.
func (r *Ring) Bounds() (first, next uint64) {
	next = r.next.Load()
	list := *r.list.Load()
	if len(list) == 0 {
		return next, next
	}
	return min(list[0].base, next), next
}

// Read copies the row into row, whose Raw is reused when it is large enough.
// The error is ErrOverwritten or ErrNotYet.
func (r *Ring) Read(seq uint64, row *Row) error {
	if seq >= r.next.Load() {
		return ErrNotYet
	}
	s := r.pin(seq)
	if s == nil {
		return ErrOverwritten
	}
	defer r.unpin(s)
	raw := row.Raw[:0]
	s.row(uint32(seq-s.base), row)
	row.Raw = append(raw, row.Raw...)
	return nil
}

// Usage says how many bytes the ring's blocks take, what its budget of blocks
// is, and how many records were cut.
func (r *Ring) Usage() (used, budget int64, cut uint64) {
	return int64(len(*r.list.Load())) * int64(r.segSize), int64(r.segments) * int64(r.segSize), r.cut.Load()
}

// Close gives the memory back; blocks that readers hold follow when they let go.
// Reading afterwards answers ErrOverwritten. Append must not be running.
func (r *Ring) Close() {
	r.mu.Lock()
	r.closed = true
	free := r.free
	r.free = nil
	r.mu.Unlock()
	for _, mem := range free {
		_ = release(mem) // see unpin
	}
	for _, s := range *r.list.Swap(&[]*segment{}) {
		r.unpin(s)
	}
}
