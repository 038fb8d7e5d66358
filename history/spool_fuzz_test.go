package history

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"bartizan/sources"
)

// FuzzSpoolSegment opens and reads whatever lies where a segment should: it ends,
// and memory stays bounded.
func FuzzSpoolSegment(f *testing.F) {
	dir := f.TempDir()
	s := openSpool(f, dir)
	for i := range 4 {
		keep(f, s, []sources.Record{{Raw: fmt.Append(nil, "record ", i), Line: int64(i), Seen: time.Now()}, {Raw: []byte("x"), Seen: time.Now(), Cut: &sources.Cut{Bytes: 1}}})
	}
	names, err := filepath.Glob(filepath.Join(dir, "*"+segmentSuffix))
	must(f, err)
	good, err := os.ReadFile(names[0])
	must(f, err)
	f.Add(good)
	f.Add(good[:len(good)-3])
	f.Add(good[:segmentHead])
	f.Add([]byte(segmentMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		must(t, os.WriteFile(segmentPath(dir, 0, 1), b, 0o600))
		s := openSpool(t, dir)
		keep(t, s, record("last"))
		got := drain(t, s.Reader(""))
		if len(got) == 0 || string(got[len(got)-1].Raw) != "last" {
			t.Errorf("what was appended is not there: %.200v", got)
		}
	})
}

// FuzzSpoolFrame reads whatever stands where a frame should: what comes of it is no
// more than the frame says, and written again it is the same.
func FuzzSpoolFrame(f *testing.F) {
	h := frameHead{count: 2}
	list := append(record("one"), record("two")...)
	list[1].Cut = &sources.Cut{Bytes: 7}
	good := appendFrame(nil, &h, list)
	f.Add(good, uint8(2))
	f.Add(good[:20], uint8(1))
	f.Add([]byte{}, uint8(0))
	f.Fuzz(func(t *testing.T, b []byte, count uint8) {
		if head, packed, err := readFrame(bytes.NewReader(b), 0, int64(len(b)), true); err == nil {
			_, _ = head.records(packed)
		}
		coder, _ := zstdBoth()
		h := frameHead{count: uint32(count), length: uint32(len(b)), oldest: time.Unix(7, 0)} //nolint:gosec // of a test
		got, err := h.records(coder.EncodeAll(b, nil))
		if err != nil {
			return
		}
		if len(got) != int(count) {
			t.Errorf("%d records of %d", len(got), count)
		}
		if count == 0 {
			return
		}
		again := frameHead{count: uint32(count)}
		_, packed, err := readFrame(bytes.NewReader(appendFrame(nil, &again, got)), 0, 1<<40, false)
		if err != nil || packed != nil {
			t.Errorf("written again it cannot be read: %v", err)
		}
	})
}
