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
	known    int64 // rules have seen everything before this offset
	past     bool  // for rules only
}

// spanBlock is how much of a file is read at once.
const spanBlock = 1 << 20

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

// read gives the span's lines to each as batches of records, in order.
func (s *span) read(ctx context.Context, each func(sources.Batch) error) error {
	f, err := s.open()
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	line := int64(0)
	if s.from == 0 {
		line = 1
	}
	for at := s.from; at < s.to; {
		buf, err := s.block(f, at)
		if err != nil || len(buf) == 0 {
			return err
		}
		for len(buf) > 0 {
			b, n := s.batch(buf, at, &line)
			if err := errors.Join(ctx.Err(), each(b)); err != nil {
				return err
			}
			buf, at = buf[n:], at+int64(n)
		}
	}
	return nil
}

// block reads whole lines from offset at: at least one, cut at MaxRecord.
func (s *span) block(f io.ReaderAt, at int64) ([]byte, error) {
	want := min(s.to-at, spanBlock)
	buf := make([]byte, want)
	n, err := f.ReadAt(buf, at)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("%s: %w", s.path, err)
	}
	buf = buf[:n]
	if int64(n) == s.to-at {
		return buf, nil
	}
	if end := bytes.LastIndexByte(buf, '\n'); end >= 0 {
		return buf[:end+1], nil
	}
	return buf, nil // a line longer than a block: it is cut here
}

// batch makes records of the first lines of buf and says how many bytes they took.
func (s *span) batch(buf []byte, at int64, line *int64) (sources.Batch, int) {
	b := sources.Batch{Source: s.stream.info.ID}
	now := time.Now()
	used := 0
	for used < len(buf) && len(b.Records) < sources.MaxRecords {
		raw, n, cut := buf[used:], len(buf)-used, at+int64(len(buf)) < s.to
		if i := bytes.IndexByte(raw, '\n'); i >= 0 {
			raw, n, cut = raw[:i], i+1, false
		}
		raw = bytes.TrimSuffix(raw, []byte{'\r'})
		rec := sources.Record{Raw: raw, Seen: now, Line: *line, Ref: event.Ref{
			Source: s.stream.info.ID, Epoch: 1, File: s.file, Offset: at + int64(used), Len: int32(len(raw)),
		}}
		if cut {
			rec.Flags |= event.FlagCut
		}
		used += n
		if *line > 0 {
			*line++
		}
		if len(raw) > 0 {
			b.Records = append(b.Records, rec)
		}
		if at+int64(used) == s.known {
			break // a batch is either known to the rules or not
		}
	}
	return b, used
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
