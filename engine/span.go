package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"bartizan/event"
	"bartizan/sources"
)

// span is a part of a file that lies there already, read line by line: what the
// ring shows at start, or what rules have to catch up with.
type span struct {
	stream   *stream
	path     string
	file     event.FileID
	from, to int64 // bytes; both at the beginning of a line
	epoch    uint64
	known    int64 // rules have seen everything before this offset
	past     bool  // for rules only

	knownLine int64 // number of the line there, 0 unknown
}

// open opens the file and makes sure that it is the one the span is about.
func (s *span) open() (*os.File, error) {
	f, err := os.Open(s.path)
	if err != nil {
		return nil, err
	}
	id, err := sources.IDOf(f)
	if err == nil && id != s.file {
		err = errors.New("it is another file now")
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("%s: %w", s.path, err)
	}
	return f, nil
}

// read gives the span's records to each in batches, in order: the same records
// that the source itself would find there.
func (s *span) read(ctx context.Context, each func(sources.Batch) error) error {
	f, err := s.open()
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	if s.from < s.known {
		if err := s.part(ctx, f, sources.FrameState{Offset: s.from}, s.known, each); err != nil {
			return err
		}
		return s.part(ctx, f, sources.FrameState{Offset: s.known, Line: s.knownLine}, s.to, each)
	}
	return s.part(ctx, f, sources.FrameState{Offset: s.from}, s.to, each)
}

// part reads from a state to an offset. What rules know and what they do not are
// two parts, so a batch is either or.
func (s *span) part(ctx context.Context, f io.ReaderAt, from sources.FrameState, to int64, each func(sources.Batch) error) error {
	from.Mode = sources.ModeLines
	framer := sources.NewFramer(from)
	defer framer.Close()
	framer.Bound(from.Offset, to)
	for at := from.Offset; at < to; at = framer.Offset() {
		room := framer.Space()
		n, err := f.ReadAt(room[:min(int64(len(room)), to-at)], at)
		if err != nil && err != io.EOF {
			return fmt.Errorf("%s: %w", s.path, err)
		}
		framer.Commit(n)
		if n == 0 || at+int64(n) >= to {
			framer.Finish()
		}
		if err := s.frames(ctx, framer, each); err != nil || n == 0 {
			return err
		}
	}
	return nil
}

// frames gives out what the framer has.
func (s *span) frames(ctx context.Context, framer *sources.Framer, each func(sources.Batch) error) error {
	var records []sources.Record
	size, now := 0, time.Now()
	send := func() error {
		text := make([]byte, 0, size) // the framer uses its own bytes again
		for i := range records {
			text = append(text, records[i].Raw...)
			records[i].Raw = text[len(text)-len(records[i].Raw):]
		}
		b := sources.Batch{Source: s.stream.info.ID, Records: records}
		records, size = nil, 0
		return errors.Join(ctx.Err(), each(b))
	}
	for fr, ok := framer.Next(); ok; fr, ok = framer.Next() {
		if len(fr.Raw) == 0 {
			continue
		}
		size += len(fr.Raw)
		records = append(records, sources.Record{Raw: fr.Raw, Line: fr.Line, Seen: now, Flags: fr.Flags, Cut: fr.Cut, Ref: event.Ref{
			Source: s.stream.info.ID, Epoch: s.epoch, File: s.file, Offset: fr.Offset, Len: int32(len(fr.Raw)),
		}})
		if len(records) == sources.MaxRecords {
			if err := send(); err != nil {
				return err
			}
		}
	}
	if len(records) == 0 {
		return nil
	}
	return send()
}

// ends says whether the record is the last of the span.
func (s *span) ends(r event.Ref) bool {
	return r.Offset+int64(r.Len)+2 >= s.to // a line may end in two bytes
}

// lineStart returns the beginning of the first line at or after offset at.
func lineStart(f io.ReaderAt, at, limit int64) (int64, error) {
	if at <= 0 {
		return 0, nil
	}
	buf := make([]byte, 64<<10)
	for at--; at < limit; {
		n, err := f.ReadAt(buf[:min(int64(len(buf)), limit-at)], at)
		if i := bytes.IndexByte(buf[:n], '\n'); i >= 0 {
			return at + int64(i) + 1, nil
		}
		at += int64(n)
		if err != nil && err != io.EOF {
			return 0, err
		}
		if n == 0 {
			break
		}
	}
	return limit, nil
}
