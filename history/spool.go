package history

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"bartizan/event"
	"bartizan/sources"
)

// The caps of a spool that names none, and the bounds on its segments.
const (
	DefaultSpoolBytes = 256 << 20
	DefaultSpoolAge   = 7 * 24 * time.Hour
	leastSegment      = 64 << 10
	mostSegment       = 8 << 20
	segmentsOf        = 16          // so many make up the cap
	syncEvery         = time.Second // at most so much is lost with the power
)

// SpoolOptions are where a spool lies and what it may grow to.
type SpoolOptions struct {
	Dir      string        // its own; made when it is missing
	MaxBytes int64         // on disk, compressed; 0 is DefaultSpoolBytes
	MaxAge   time.Duration // of what is kept; 0 is DefaultSpoolAge
	// Number gives records references of the spool's own, for sources whose
	// records have no place that lasts.
	Number bool
	Now    func() time.Time
}

// Spool keeps the records of a source that has no file: compressed, checked, in
// segments, of which the oldest are dropped when a cap is reached. It is safe for
// concurrent use; one process at a time has it.
//
// Appending blocks on the disk and fails when that is full. Reading holds up appending for no longer than
// the disk takes to have all of it. What a cap drops before a reader came to
// it, the reader gets as one record that says how many are missing. When
// the power fails, the last second may be gone, but nothing that a reader had; a
// process that is killed loses nothing.
type Spool struct {
	o    SpoolOptions
	lock *os.File

	mu     sync.Mutex
	segs   []*segment // oldest first; the last one is written to, when file is set
	file   *os.File
	id     uint64        // of this spool, for cursors
	gen    uint64        // grows with every opening
	next   uint64        // number of the next record
	offset int64         // bytes of all records before it
	synced time.Time     // when the disk last had everything …
	safe   uint64        // … before this number: readers get no more than no power cut can take
	grown  chan struct{} // closed when there is more
	buf    []byte
}

// segment is one file of a spool.
type segment struct {
	path   string
	gen    uint64
	first  uint64 // number of its first record
	next   uint64 // of the first one behind it
	offset int64  // of that one
	size   int64  // bytes that are whole frames
	oldest time.Time
	newest time.Time // when its last record was seen
}

// OpenSpool opens the spool in a folder, or begins one. What a killed process or a
// power cut left by half is cut off. The error is one sentence.
func OpenSpool(o SpoolOptions) (*Spool, error) {
	if o.MaxBytes <= 0 {
		o.MaxBytes = DefaultSpoolBytes
	}
	if o.MaxAge <= 0 {
		o.MaxAge = DefaultSpoolAge
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("the spool cannot be made: %w", err)
	}
	lock, err := lockSpool(filepath.Join(o.Dir, "lock"))
	if err != nil {
		return nil, err
	}
	s := &Spool{o: o, lock: lock, grown: make(chan struct{})}
	if err := s.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("the spool in %s cannot be read: %w", o.Dir, err), lock.Close())
	}
	s.synced, s.safe = o.Now(), s.next
	s.begin(s.synced)
	s.cap(s.synced)
	return s, nil
}

// load reads what lies in the folder.
func (s *Spool) load() error {
	names, err := filepath.Glob(filepath.Join(escapeGlob(s.o.Dir), "*"+segmentSuffix))
	if err != nil {
		return err
	}
	for i, name := range names { // sorted, so in order
		seg, id, err := readSegment(name, i == len(names)-1)
		if errors.Is(err, errNoSegment) || err == nil && len(s.segs) > 0 && id != s.id {
			err = os.Rename(name, name+".bad") // nobody's records: kept for people to look at
			seg = nil
		}
		if err != nil {
			return err
		}
		if seg == nil {
			continue
		}
		if n := len(s.segs); n > 0 && s.segs[n-1].next > seg.first {
			s.segs[n-1].next = seg.first // what a write that failed left behind
		}
		s.segs, s.id, s.gen, s.next, s.offset = append(s.segs, seg), id, max(s.gen, seg.gen), seg.next, seg.offset
	}
	if len(s.segs) == 0 {
		s.id = rand.Uint64()
	}
	s.gen++
	return nil
}

// begin begins a segment of this opening, which keeps the spool's id and number when
// all before it have been dropped, and removes those that are empty.
func (s *Spool) begin(now time.Time) {
	n := len(s.segs)
	if _, err := s.writable(now); err != nil {
		return // tried again with the first records
	}
	s.segs = slices.DeleteFunc(s.segs, func(seg *segment) bool {
		n--
		return n >= 0 && seg.next == seg.first && os.Remove(seg.path) == nil
	})
}

// Append keeps records, in this order; what it needs is copied. Each says when it was
// seen: that is its age. It returns when a kill of the process cannot lose them. On an
// error the first n are kept, none of the rest.
func (s *Spool) Append(records []sources.Record) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n < len(records) {
		fill := frameFill(records[n:])
		if err := s.append(records[n : n+fill]); err != nil {
			return n, fmt.Errorf("the spool in %s cannot be written: %w", s.o.Dir, err)
		}
		n += fill
	}
	return n, nil
}

func (s *Spool) append(records []sources.Record) error {
	if s.lock == nil {
		return fs.ErrClosed
	}
	now := s.o.Now()
	seg, err := s.writable(now)
	if err != nil {
		return err
	}
	h := frameHead{count: uint32(len(records)), first: s.next, offset: s.offset} //nolint:gosec // at most MaxRecords
	if s.o.Number {
		records = s.numbered(records)
	}
	s.buf = appendFrame(s.buf[:0], &h, records)
	if _, err := s.file.WriteAt(s.buf, seg.size); err != nil {
		return errors.Join(err, s.undo(seg))
	}
	if now.Sub(s.synced) >= syncEvery {
		if err := s.file.Sync(); err != nil {
			return errors.Join(err, s.undo(seg))
		}
		s.synced, s.safe = now, s.next+uint64(len(records))
	}
	s.next += uint64(len(records))
	s.offset = h.end
	if seg.size == segmentHead {
		seg.oldest = h.oldest
	}
	seg.size, seg.next, seg.offset, seg.newest = seg.size+int64(len(s.buf)), s.next, s.offset, h.newest
	close(s.grown)
	s.grown = make(chan struct{})
	s.cap(now)
	return nil
}

// numbered gives records the places they have in the spool.
func (s *Spool) numbered(records []sources.Record) []sources.Record {
	out := make([]sources.Record, len(records))
	at := s.offset
	for i, r := range records {
		r.Ref = event.Ref{Epoch: s.gen, File: event.FileID{Ino: s.id}, Offset: at, Len: int32(len(r.Raw))} //nolint:gosec // at most MaxRecord
		at += int64(len(r.Raw)) + 1                                                                        // as if each were a line of a file
		out[i] = r
	}
	return out
}

// undo takes back what a failed write left of itself. Where that fails too, the next
// records go to another segment, and what is behind size counts for nobody.
func (s *Spool) undo(seg *segment) error {
	if err := s.file.Truncate(seg.size); err == nil {
		return nil
	}
	f := s.file
	s.file = nil
	return f.Close()
}

// leave ends the writing to the last segment.
func (s *Spool) leave() error {
	if s.file == nil {
		return nil
	}
	if err := s.sync(); err != nil {
		return err
	}
	f := s.file
	s.file = nil
	return f.Close()
}

// sync makes the disk have everything; mu is held.
func (s *Spool) sync() error {
	if s.file == nil || s.safe == s.next {
		return nil
	}
	if err := s.file.Sync(); err != nil {
		return err
	}
	s.safe = s.next
	return nil
}

// writable returns the segment to write to, a new one when that is due.
func (s *Spool) writable(now time.Time) (*segment, error) {
	if s.file != nil {
		seg := s.segs[len(s.segs)-1]
		full := seg.size >= min(max(s.o.MaxBytes/segmentsOf, leastSegment), mostSegment)
		old := seg.next > seg.first && now.Sub(seg.oldest) >= s.o.MaxAge/segmentsOf
		if !full && !old {
			return seg, nil
		}
		if err := s.leave(); err != nil {
			return nil, err
		}
	}
	seg := &segment{path: segmentPath(s.o.Dir, s.next, s.gen), gen: s.gen, first: s.next, next: s.next, size: segmentHead, offset: s.offset, oldest: now, newest: now}
	f, err := createSegment(seg, s.id)
	if errors.Is(err, fs.ErrExist) { // a write to it failed; nobody has read anything of it
		s.gen++
		return s.writable(now)
	}
	if err != nil {
		return nil, err
	}
	s.file, s.segs = f, append(s.segs, seg)
	return seg, nil
}

// cap drops the oldest segments while they are too much or too old.
func (s *Spool) cap(now time.Time) {
	var total int64
	for _, seg := range s.segs {
		total += seg.size
	}
	for len(s.segs) > 0 {
		seg := s.segs[0]
		active := s.file != nil && len(s.segs) == 1
		if active || total <= s.o.MaxBytes && now.Sub(seg.newest) < s.o.MaxAge {
			return
		}
		if err := os.Remove(seg.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return // tried again with the next records
		}
		total -= seg.size
		s.segs = s.segs[1:]
	}
}

// Trim drops what has become too old; for spools that grow seldom.
func (s *Spool) Trim() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cap(s.o.Now())
}

// Usage is how many bytes the spool has on disk, and which records.
func (s *Spool) Usage() (bytes int64, first, next uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	first = s.next
	for i, seg := range s.segs {
		if bytes += seg.size; i == 0 {
			first = seg.first
		}
	}
	return bytes, first, s.next
}

// Close writes everything to the disk and lets others have the spool. Readers end
// when they want more.
func (s *Spool) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lock == nil {
		return nil
	}
	err := errors.Join(s.leave(), s.lock.Close())
	s.lock = nil
	close(s.grown)
	s.grown = make(chan struct{})
	return err
}
