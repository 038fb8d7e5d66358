package history

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/sys/unix"

	"bartizan/event"
	"bartizan/sources"
)

// A segment is a head and frames:
//
//	head   "bzspool1", spool's id (8 bytes), generation (8), number of its first record (8),
//	       bytes of records before it (8), CRC-32C of all that (4), zero (4)
//	frame  compressed length (4), CRC-32C of all behind it (4), records (4), length (4),
//	       number of the first record (8), bytes of records before it (8),
//	       earliest and latest time seen in Unix nanoseconds (8, 8), zstd of the records
//	record as uvarints: length, line, flags, lost, epoch, device, inode, cut; as varints:
//	       nanoseconds since the earliest, offset; when cut: 16 bytes of hash; the bytes
//
// Numbers of fixed length are big-endian. A frame whose sum is wrong ends its
// segment.
const (
	segmentMagic  = "bzspool1"
	segmentSuffix = ".spool"
	segmentHead   = 48
	frameHeadSize = 56
	frameText     = 512 << 10                     // how much of records makes a frame
	maxFrame      = 2 * (sources.MaxRecord + 256) // decompressed; one record may be MaxRecord
)

var (
	errNoSegment = errors.New("it is no segment of a spool")
	errTorn      = errors.New("a part of it was not written to its end, or changed")
	castagnoli   = crc32.MakeTable(crc32.Castagnoli)
)

// frameHead is what is known of a frame without decompressing it.
type frameHead struct {
	packed, sum    uint32
	count, length  uint32
	first          uint64
	offset, end    int64 // bytes of records before it; end: also of its own, when written
	oldest, newest time.Time
}

// zstdBoth are one coder and one decoder for all spools.
var zstdBoth = sync.OnceValues(func() (*zstd.Encoder, *zstd.Decoder) {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false))
	if err != nil {
		panic(err) // the options are constants
	}
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(maxFrame))
	if err != nil {
		panic(err)
	}
	return e, d
})

// frameFill returns how many of the records make one frame.
func frameFill(records []sources.Record) int {
	n, size := 0, 0
	for n < len(records) && n < sources.MaxRecords && (n == 0 || size+len(records[n].Raw) <= frameText) {
		size += len(records[n].Raw)
		n++
	}
	return n
}

// appendFrame writes the records and completes the head.
func appendFrame(b []byte, h *frameHead, records []sources.Record) []byte {
	h.oldest, h.newest, h.end = records[0].Seen, records[0].Seen, h.offset
	for i := range records {
		if t := records[i].Seen; t.Before(h.oldest) {
			h.oldest = t
		} else if t.After(h.newest) {
			h.newest = t
		}
	}
	var text []byte
	for i := range records {
		text = appendRecord(text, &records[i], h.oldest)
		h.end += int64(len(records[i].Raw)) + 1
	}
	at := len(b)
	b = append(b, make([]byte, frameHeadSize)...)
	coder, _ := zstdBoth()
	b = coder.EncodeAll(text, b)
	head := b[at:]
	binary.BigEndian.PutUint32(head, uint32(len(head)-frameHeadSize)) //nolint:gosec // a little more than maxFrame at most
	binary.BigEndian.PutUint32(head[8:], h.count)
	binary.BigEndian.PutUint32(head[12:], uint32(len(text))) //nolint:gosec // at most maxFrame
	binary.BigEndian.PutUint64(head[16:], h.first)           //
	binary.BigEndian.PutUint64(head[24:], uint64(h.offset))  //nolint:gosec // never negative
	binary.BigEndian.PutUint64(head[32:], nanos(h.oldest))   //
	binary.BigEndian.PutUint64(head[40:], nanos(h.newest))   //
	binary.BigEndian.PutUint64(head[48:], uint64(h.end))     //nolint:gosec // never negative
	binary.BigEndian.PutUint32(head[4:], crc32.Checksum(head[8:], castagnoli))
	return b
}

func nanos(t time.Time) uint64 {
	return uint64(t.UnixNano()) //nolint:gosec // its bits
}

func appendRecord(b []byte, r *sources.Record, oldest time.Time) []byte {
	var cut uint64
	if r.Cut != nil {
		cut = uint64(max(r.Cut.Bytes, 0)) + 1 //nolint:gosec // not negative
	}
	for _, v := range []uint64{
		uint64(len(r.Raw)), uint64(max(r.Line, 0)), uint64(r.Flags), r.Lost, //nolint:gosec // not negative
		r.Ref.Epoch, r.Ref.File.Dev, r.Ref.File.Ino, cut,
	} {
		b = binary.AppendUvarint(b, v)
	}
	b = binary.AppendVarint(b, int64(r.Seen.Sub(oldest)))
	b = binary.AppendVarint(b, r.Ref.Offset)
	if r.Cut != nil {
		b = append(b, r.Cut.Hash[:]...)
	}
	return append(b, r.Raw...)
}

// readFrame reads the frame at an offset of a segment that ends at end; at its end
// the error is io.EOF, and errTorn where no whole frame is.
func readFrame(f io.ReaderAt, at, end int64, payload bool) (h frameHead, packed []byte, err error) {
	if at == end {
		return h, nil, io.EOF
	}
	head := make([]byte, frameHeadSize)
	if at+frameHeadSize > end || readAll(f, head, at) != nil {
		return h, nil, errTorn
	}
	h.packed, h.sum = binary.BigEndian.Uint32(head), binary.BigEndian.Uint32(head[4:])
	h.count, h.length = binary.BigEndian.Uint32(head[8:]), binary.BigEndian.Uint32(head[12:])
	h.first = binary.BigEndian.Uint64(head[16:])
	h.offset, h.end = int64(binary.BigEndian.Uint64(head[24:])), int64(binary.BigEndian.Uint64(head[48:])) //nolint:gosec // checked below
	h.oldest, h.newest = unnano(head[32:]), unnano(head[40:])
	if h.packed > maxFrame || h.length > maxFrame || h.count == 0 || h.count > sources.MaxRecords || h.offset < 0 || h.end < h.offset ||
		at+frameHeadSize+int64(h.packed) > end {
		return h, nil, errTorn
	}
	if !payload {
		return h, nil, nil
	}
	packed = make([]byte, h.packed)
	if readAll(f, packed, at+frameHeadSize) != nil || crc32.Update(crc32.Checksum(head[8:], castagnoli), castagnoli, packed) != h.sum {
		return h, nil, errTorn
	}
	return h, packed, nil
}

func unnano(b []byte) time.Time {
	return time.Unix(0, int64(binary.BigEndian.Uint64(b))) //nolint:gosec // its bits
}

// readAll fills b from an offset.
func readAll(f io.ReaderAt, b []byte, at int64) error {
	if n, err := f.ReadAt(b, at); n < len(b) {
		return err
	}
	return nil
}

// records unpacks a frame. They have no source yet.
func (h *frameHead) records(packed []byte) ([]sources.Record, error) {
	_, decoder := zstdBoth()
	text, err := decoder.DecodeAll(packed, make([]byte, 0, h.length))
	if err != nil || len(text) != int(h.length) {
		return nil, errTorn
	}
	out := make([]sources.Record, 0, h.count)
	for range h.count {
		r, rest, ok := h.record(text)
		if !ok {
			return nil, errTorn
		}
		out, text = append(out, r), rest
	}
	if len(text) > 0 {
		return nil, errTorn
	}
	return out, nil
}

func (h *frameHead) record(b []byte) (r sources.Record, rest []byte, ok bool) {
	var v [8]uint64
	for i := range v {
		n := 0
		if v[i], n = binary.Uvarint(b); n <= 0 {
			return r, nil, false
		}
		b = b[n:]
	}
	since, n := binary.Varint(b)
	offset, m := binary.Varint(b[max(n, 0):])
	if n <= 0 || m <= 0 || v[0] > sources.MaxRecord || v[1] > 1<<62 || v[2] > 1<<16-1 || v[7] > 1<<62 {
		return r, nil, false
	}
	b = b[n+m:]
	r.Line, r.Flags, r.Lost = int64(v[1]), event.Flags(v[2]), v[3] //nolint:gosec // checked above
	if v[7] > 0 {
		if len(b) < 16 {
			return r, nil, false
		}
		r.Cut = &sources.Cut{Bytes: int64(v[7] - 1)} //nolint:gosec // checked above
		b = b[copy(r.Cut.Hash[:], b):]
	}
	if v[0] > uint64(len(b)) {
		return r, nil, false
	}
	r.Raw, b = b[:v[0]:v[0]], b[v[0]:]
	r.Seen = h.oldest.Add(time.Duration(since))
	r.Ref = event.Ref{Epoch: v[4], File: event.FileID{Dev: v[5], Ino: v[6]}, Offset: offset, Len: int32(v[0])} //nolint:gosec // checked above
	return r, b, true
}

func segmentPath(dir string, first, gen uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%016x-%08x%s", first, gen, segmentSuffix))
}

// createSegment makes an empty segment.
func createSegment(seg *segment, id uint64) (*os.File, error) {
	b := append(make([]byte, 0, segmentHead), segmentMagic...)
	b = binary.BigEndian.AppendUint64(b, id)
	b = binary.BigEndian.AppendUint64(b, seg.gen)
	b = binary.BigEndian.AppendUint64(b, seg.first)
	b = binary.BigEndian.AppendUint64(b, uint64(seg.offset)) //nolint:gosec // never negative
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	b = append(b, 0, 0, 0, 0)
	f, err := os.OpenFile(seg.path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.WriteAt(b, 0)
	if err == nil {
		err = f.Sync() // so that no power cut can make the spool another one
	}
	if err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(seg.path))
	}
	return f, nil
}

// readSegment reads what a segment has; of the last one, which may not have been
// written to its end, every byte, and cuts off what is not whole.
func readSegment(path string, last bool) (seg *segment, id uint64, err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	st, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	head := make([]byte, segmentHead)
	if readAll(f, head, 0) != nil || string(head[:8]) != segmentMagic || binary.BigEndian.Uint32(head[40:]) != crc32.Checksum(head[:40], castagnoli) {
		return nil, 0, errNoSegment
	}
	first := binary.BigEndian.Uint64(head[24:])
	seg = &segment{path: path, gen: binary.BigEndian.Uint64(head[16:]), first: first, next: first, size: segmentHead}
	seg.offset = int64(binary.BigEndian.Uint64(head[32:])) //nolint:gosec // checked below
	seg.oldest, seg.newest = st.ModTime(), st.ModTime()
	if seg.first > 1<<62 || seg.gen > 1<<62 || seg.offset < 0 {
		return nil, 0, errNoSegment
	}
	for {
		h, _, err := readFrame(f, seg.size, st.Size(), last)
		if err != nil || h.first != seg.next {
			break
		}
		if seg.size == segmentHead {
			seg.oldest = h.oldest
		}
		seg.next, seg.offset, seg.newest = seg.next+uint64(h.count), h.end, h.newest
		seg.size += frameHeadSize + int64(h.packed)
	}
	if last && seg.size < st.Size() {
		err = f.Truncate(seg.size)
	}
	if last {
		err = errors.Join(err, f.Sync()) // a killed process may not have
	}
	return seg, binary.BigEndian.Uint64(head[8:]), err
}

// escapeGlob makes a folder's name mean itself in a pattern.
func escapeGlob(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(s)
}

// lockSpool makes sure that nobody else has the spool; it ends with the process.
func lockSpool(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the spool cannot be made: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("the spool in %s is in use by another process: end that or give each its own", filepath.Dir(path)), f.Close())
	}
	return f, nil
}
