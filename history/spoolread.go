package history

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"bartizan/event"
	"bartizan/sources"
)

// ErrSpoolClosed ends a reader of a spool that was closed.
var ErrSpoolClosed = errors.New("the spool was closed")

// cursor says what a reader has of the spool with that id: all before number next.
type cursor struct{ id, next uint64 }

// position is the cursor as text.
func (c cursor) position() sources.Position {
	b := append([]byte("spool1 "), strconv.FormatUint(c.id, 16)...)
	return sources.Position(strconv.AppendUint(append(b, ' '), c.next, 10))
}

// parseCursor reads what position wrote; anything else is the beginning.
func parseCursor(p sources.Position) (c cursor, ok bool) {
	part := strings.Split(string(p), " ")
	if len(part) != 3 || part[0] != "spool1" {
		return c, false
	}
	id, bad := strconv.ParseUint(part[1], 16, 64)
	next, worse := strconv.ParseUint(part[2], 10, 62)
	return cursor{id, next}, errors.Join(bad, worse) == nil
}

// SpoolReader reads a spool in order, from a position that its owner keeps. One
// goroutine uses it at a time; there may be many.
type SpoolReader struct {
	s    *Spool
	at   cursor
	loss *sources.Record // due before anything else
	seg  *segment
	file *os.File
	off  int64
}

// Reader returns a reader that goes on behind a position; "" and what is no
// position of a spool is the oldest record kept.
func (s *Spool) Reader(from sources.Position) *SpoolReader {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &SpoolReader{s: s}
	c, ok := parseCursor(from)
	switch {
	case !ok:
		r.at = cursor{s.id, s.first()}
	case c.id != s.id:
		r.at = cursor{s.id, s.first()}
		r.lose(1, "the spool was replaced by another one: at least 1 record is missing")
	default:
		r.at = cursor{c.id, min(c.next, s.next)}
	}
	return r
}

// first is the number of the oldest record kept; mu is held.
func (s *Spool) first() uint64 {
	if len(s.segs) == 0 {
		return s.next
	}
	return s.segs[0].first
}

// lose makes a record that stands for n missing ones.
func (r *SpoolReader) lose(n uint64, why string) {
	now := r.s.o.Now()
	r.loss = &sources.Record{Raw: []byte(why), Seen: now, Lost: n, Ref: event.Ref{
		Epoch: r.s.gen, File: event.FileID{Ino: r.s.id}, Offset: int64(r.at.next), //nolint:gosec // at most 62 bits
	}}
}

// Position is where the reader stands: behind what Next returned last.
func (r *SpoolReader) Position() sources.Position { return r.at.position() }

// Next returns records and waits until there are any. The error is that of ctx,
// ErrSpoolClosed or one of the disk. The records belong to the caller.
func (r *SpoolReader) Next(ctx context.Context) ([]sources.Record, error) {
	for {
		records, wait, err := r.try()
		if err != nil || len(records) > 0 {
			return records, err
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// never is what a reader that need not wait waits for.
var never = func() <-chan struct{} { c := make(chan struct{}); close(c); return c }()

// try reads what there is now; without records, wait says when to try again.
func (r *SpoolReader) try() (records []sources.Record, wait <-chan struct{}, err error) {
	if r.loss != nil {
		records, r.loss = []sources.Record{*r.loss}, nil
		return records, nil, nil
	}
	seg, size, wait, err := r.find()
	if err != nil || seg == nil {
		return nil, wait, err
	}
	if r.seg != seg || r.file == nil {
		r.Close()
		f, err := os.Open(seg.path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, never, r.vanished(seg)
		}
		if err != nil {
			return nil, nil, err
		}
		r.seg, r.file, r.off = seg, f, segmentHead
	}
	return r.frame(size)
}

// find returns the segment that has the next record, and how much of it is whole.
func (r *SpoolReader) find() (seg *segment, size int64, wait <-chan struct{}, err error) {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, seg := range s.segs {
		if seg.next <= r.at.next {
			continue
		}
		if n := seg.first; n > r.at.next {
			r.lose(n-r.at.next, fmt.Sprintf("%d records are missing: the caps of the spool, or damage to it, took them before they were read", n-r.at.next))
			r.at.next = n
			return nil, 0, never, nil
		}
		if r.at.next >= s.safe {
			err = s.sync()
		}
		return seg, seg.size, nil, err
	}
	if s.lock == nil {
		return nil, 0, nil, ErrSpoolClosed
	}
	if s.next > r.at.next { // all is gone
		r.lose(s.next-r.at.next, fmt.Sprintf("%d records are missing: the caps of the spool took them before they were read", s.next-r.at.next))
		r.at.next = s.next
		return nil, 0, never, nil
	}
	return nil, 0, s.grown, nil
}

// frame reads the next frame that has what is wanted.
func (r *SpoolReader) frame(size int64) (records []sources.Record, wait <-chan struct{}, err error) {
	for {
		h, _, err := readFrame(r.file, r.off, size, false)
		if err == nil && h.first+uint64(h.count) <= r.at.next {
			r.off += frameHeadSize + int64(h.packed)
			continue
		}
		if err == nil && h.first <= r.at.next {
			var packed []byte
			if h, packed, err = readFrame(r.file, r.off, size, true); err == nil {
				records, err = h.records(packed)
			}
		}
		if err != nil || len(records) == 0 {
			return nil, never, r.damaged()
		}
		r.off += frameHeadSize + int64(h.packed)
		records = records[r.at.next-h.first:]
		r.at.next = h.first + uint64(h.count)
		return records, nil, nil
	}
}

// vanished skips a segment whose file is not there any more, and says so unless a
// cap has just dropped it: then find knows what is missing.
func (r *SpoolReader) vanished(seg *segment) error {
	r.s.mu.Lock()
	held := slices.Contains(r.s.segs, seg)
	r.s.mu.Unlock()
	if !held {
		return nil
	}
	r.seg = seg
	return r.damaged()
}

// damaged skips the rest of a segment, which says what is missing.
func (r *SpoolReader) damaged() error {
	r.s.mu.Lock()
	n := r.seg.next - r.at.next
	r.s.mu.Unlock()
	r.lose(n, fmt.Sprintf("%d records are missing: %s is damaged", n, r.seg.path))
	r.at.next += n
	return nil
}

// Close gives back what the reader holds.
func (r *SpoolReader) Close() {
	if r.file != nil {
		_ = r.file.Close() // opened for reading
	}
	r.file, r.seg = nil, nil
}

// Source returns what the spool keeps, and what comes, as a source. Its batches need
// no Done: the position is all that says what was taken.
func (s *Spool) Source(id event.SourceID) sources.Source { return &spoolSource{s, id} }

type spoolSource struct {
	s  *Spool
	id event.SourceID
}

// Run implements sources.Source.
func (p *spoolSource) Run(ctx context.Context, from sources.Position, out chan<- sources.Batch) error {
	r := p.s.Reader(from)
	defer r.Close()
	for {
		records, err := r.Next(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("the spool in %s cannot be read: %w", p.s.o.Dir, err)
		}
		for i := range records {
			records[i].Ref.Source = p.id
		}
		b := sources.Batch{Source: p.id, Records: records, Pos: r.Position(), Done: func(error) {}}
		select {
		case out <- b:
		case <-ctx.Done():
			return nil
		}
	}
}

// Each gives the records that are kept now and were seen at from or later to f, the
// oldest first, until it returns false or ctx ends. The times of records before from
// come along where a frame has both.
func (s *Spool) Each(ctx context.Context, from time.Time, f func(*sources.Record) bool) error {
	r := s.Reader("")
	defer r.Close()
	s.mu.Lock()
	end := s.next
	for _, seg := range s.segs {
		if seg.newest.Before(from) {
			r.at.next = seg.next
		}
	}
	s.mu.Unlock()
	for (r.at.next < end || r.loss != nil) && ctx.Err() == nil {
		records, _, err := r.try()
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		for i := range records {
			if !f(&records[i]) {
				return nil
			}
		}
	}
	return ctx.Err()
}
