package history

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"

	"bartizan/event"
	"bartizan/sources"
)

// spoolWorld is a spool, its model and some readers with cursors of their own.
type spoolWorld struct {
	dir     string
	now     time.Time
	s       *Spool
	all     []string // every record ever kept, by number; what a crash took is cut off
	readers []struct {
		at   sources.Position
		next uint64 // by the model
		new  bool   // has no cursor
	}
	serial int
}

const (
	modelBytes = 300 << 10
	modelAge   = time.Hour
)

func (w *spoolWorld) open(t *rapid.T) {
	s, err := OpenSpool(SpoolOptions{Dir: w.dir, MaxBytes: modelBytes, MaxAge: modelAge, Number: true, Now: func() time.Time { return w.now }})
	if err != nil {
		t.Fatal(err)
	}
	w.s = s
	if _, _, next := s.Usage(); next > uint64(len(w.all)) {
		t.Fatalf("%d records are kept, %d were", next, len(w.all))
	} else {
		w.all = w.all[:next] // a crash may have taken the end
	}
	for i := range w.readers {
		w.readers[i].next = min(w.readers[i].next, uint64(len(w.all)))
	}
}

func (w *spoolWorld) append(t *rapid.T) {
	var list []sources.Record
	for range rapid.IntRange(1, 40).Draw(t, "records") {
		w.serial++
		raw := fmt.Sprintf("%d %x", w.serial, bytes.Repeat([]byte{byte(w.serial), byte(w.serial * 7), byte(w.serial >> 5)}, rapid.IntRange(0, 600).Draw(t, "size")))
		list = append(list, sources.Record{Raw: []byte(raw), Seen: w.now, Line: int64(w.serial)})
		w.all = append(w.all, raw)
	}
	if _, err := w.s.Append(list); err != nil {
		t.Fatal(err)
	}
	for i := range w.readers {
		if w.readers[i].new { // what was dropped before it first came is none of its losses
			_, first, _ := w.s.Usage()
			w.readers[i].next = max(w.readers[i].next, first)
		}
	}
}

// read lets one reader take some of what there is.
func (w *spoolWorld) read(t *rapid.T) {
	c := &w.readers[rapid.IntRange(0, len(w.readers)-1).Draw(t, "reader")]
	if _, first, _ := w.s.Usage(); c.new {
		c.next = max(c.next, first)
	}
	r := w.s.Reader(c.at)
	defer r.Close()
	for range rapid.IntRange(1, 30).Draw(t, "batches") {
		records, wait, err := r.try()
		if err != nil {
			t.Fatal(err)
		}
		if len(records) == 0 && wait != never {
			break
		}
		for i := range records {
			rec := &records[i]
			if rec.Lost > 0 {
				c.next += rec.Lost
				continue
			}
			if c.next >= uint64(len(w.all)) || w.all[c.next] != string(rec.Raw) {
				t.Fatalf("number %d of %d is %.40q", c.next, len(w.all), rec.Raw)
			}
			c.next++
		}
		if len(records) > 0 {
			c.at, c.new = r.Position(), false
		}
	}
}

// crash ends the process without a word; then the end of what it wrote may be
// missing.
func (w *spoolWorld) crash(t *rapid.T, torn bool) {
	_ = w.s.lock.Close() // the system does that
	if w.s.file != nil {
		_ = w.s.file.Close()
	}
	if torn {
		last := w.s.segs[len(w.s.segs)-1]
		cut := rapid.Int64Range(0, min(w.unsafe(t, last), 3000)).Draw(t, "cut")
		if err := os.Truncate(last.path, last.size-cut); err != nil {
			t.Fatal(err)
		}
		if rapid.Bool().Draw(t, "garbage") {
			f, err := os.OpenFile(last.path, os.O_APPEND|os.O_WRONLY, 0)
			if err == nil {
				_, err = f.WriteString(strings.Repeat("\x00\x01garbage", int(cut)/16))
				err = errors.Join(err, f.Close())
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	w.open(t)
}

// unsafe is how many bytes at the end of a segment the disk may not have.
func (w *spoolWorld) unsafe(t *rapid.T, seg *segment) int64 {
	f, err := os.Open(seg.path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	at := int64(segmentHead)
	for at < seg.size {
		h, _, err := readFrame(f, at, seg.size, false)
		if err != nil {
			t.Fatal(err)
		}
		if h.first >= w.s.safe {
			break
		}
		at += frameHeadSize + int64(h.packed)
	}
	return seg.size - at
}

// TestSpoolModel: whatever is appended, read, crashed and capped, every reader gets
// every record once and in order, and the exact number of those that caps took.
func TestSpoolModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "spool")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
		w := &spoolWorld{dir: dir, now: time.Date(2026, 11, 4, 11, 0, 0, 0, time.UTC)}
		w.readers = make([]struct {
			at   sources.Position
			next uint64
			new  bool
		}, 3)
		for i := range w.readers {
			w.readers[i].new = true
		}
		w.open(t)
		t.Repeat(map[string]func(*rapid.T){
			"append": w.append,
			"read":   w.read,
			"kill":   func(t *rapid.T) { w.crash(t, false) },
			"power":  func(t *rapid.T) { w.crash(t, true) },
			"close": func(t *rapid.T) {
				if err := w.s.Close(); err != nil {
					t.Fatal(err)
				}
				w.open(t)
			},
			"wait": func(t *rapid.T) {
				w.now = w.now.Add(time.Duration(rapid.IntRange(0, 60).Draw(t, "minutes")) * time.Minute)
				w.s.Trim()
			},
			"": func(t *rapid.T) {
				if used, _, _ := w.s.Usage(); used > modelBytes+2*leastSegment {
					t.Fatalf("%d bytes are used", used)
				}
			},
		})
		if err := w.s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func openSpool(t testing.TB, dir string) *Spool {
	t.Helper()
	s, err := OpenSpool(SpoolOptions{Dir: dir})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

func keep(t testing.TB, s *Spool, records []sources.Record) {
	t.Helper()
	if n, err := s.Append(records); err != nil || n != len(records) {
		t.Fatalf("%d of %d were kept: %v", n, len(records), err)
	}
}

func record(text string) []sources.Record {
	return []sources.Record{{Raw: []byte(text), Seen: time.Now()}}
}

// drain returns what a reader gets without waiting.
func drain(t testing.TB, r *SpoolReader) (out []sources.Record) {
	t.Helper()
	for {
		records, wait, err := r.try()
		must(t, err)
		if out = append(out, records...); len(records) == 0 && wait != never {
			return out
		}
	}
}

func TestSpoolKeepsAllOfARecord(t *testing.T) {
	s := openSpool(t, t.TempDir())
	at := time.Now().Truncate(0)
	want := []sources.Record{
		{Raw: []byte("plain"), Seen: at},
		{Raw: []byte{}, Seen: at.Add(-time.Hour), Line: 9, Flags: event.FlagLate},
		{Raw: bytes.Repeat([]byte("x"), sources.MaxRecord), Seen: at, Cut: &sources.Cut{Bytes: 5, Hash: [16]byte{1, 2}}, Flags: event.FlagCut},
		{Raw: []byte("3 are missing"), Seen: at.Add(time.Second), Lost: 3},
		{Raw: []byte("\xff\x00"), Seen: at, Ref: event.Ref{Epoch: 1 << 60, File: event.FileID{Dev: 3, Ino: 1 << 63}, Offset: 77, Len: 2}},
	}
	keep(t, s, want)
	got := drain(t, s.Reader(""))
	if len(got) != len(want) {
		t.Fatalf("%d records: %.200v", len(got), got)
	}
	for i, g := range got {
		w := want[i]
		w.Ref.Len = int32(len(w.Raw))
		if !bytes.Equal(g.Raw, w.Raw) || !g.Seen.Equal(w.Seen) || g.Line != w.Line || g.Flags != w.Flags || g.Lost != w.Lost || g.Ref != w.Ref ||
			(g.Cut == nil) != (w.Cut == nil) || g.Cut != nil && *g.Cut != *w.Cut {
			t.Errorf("record %d came back as %.80v", i, g)
		}
	}
}

func TestSpoolBelongsToOne(t *testing.T) {
	dir := t.TempDir()
	s := openSpool(t, dir)
	if _, err := OpenSpool(SpoolOptions{Dir: dir}); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a second opening: %v", err)
	}
	must(t, s.Close())
	if _, err := s.Append(record("x")); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("a closed spool took a record: %v", err)
	}
	if _, err := s.Reader("").Next(t.Context()); !errors.Is(err, ErrSpoolClosed) {
		t.Errorf("a closed spool is read: %v", err)
	}
	openSpool(t, dir)
}

// TestSpoolReaderWaits: a reader gets what comes while it waits, and ends with its
// context.
func TestSpoolReaderWaits(t *testing.T) {
	s := openSpool(t, t.TempDir())
	got := make(chan string)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	out := make(chan sources.Batch)
	go func() { ended <- s.Source("command:x").Run(ctx, "", out) }()
	go func() {
		for b := range out {
			for _, r := range b.Records {
				got <- fmt.Sprint(r.Ref.Source, " ", string(r.Raw))
			}
		}
	}()
	for i := range 3 {
		keep(t, s, record(fmt.Sprint(i)))
		if text := <-got; text != fmt.Sprint("command:x ", i) {
			t.Errorf("record %d came as %q", i, text)
		}
	}
	cancel()
	must(t, <-ended)
	close(out)
}

// TestSpoolDamage: bytes that changed cost the rest of their segment, and its
// reader is told how many that are.
func TestSpoolDamage(t *testing.T) {
	dir := t.TempDir()
	s := openSpool(t, dir)
	for i := range 10 {
		keep(t, s, record(fmt.Sprint("record ", i)))
	}
	must(t, s.Close())
	s = openSpool(t, dir) // another segment follows
	keep(t, s, record("after"))
	names, err := filepath.Glob(filepath.Join(dir, "*"+segmentSuffix))
	must(t, err)
	b, err := os.ReadFile(names[0])
	must(t, err)
	b[len(b)/2] ^= 1
	must(t, os.WriteFile(names[0], b, 0o600))
	kept, lost := 0, uint64(0)
	for _, r := range drain(t, s.Reader("")) {
		if lost += r.Lost; r.Lost == 0 {
			kept++
		}
	}
	if kept+int(lost) != 11 || lost < 3 || lost > 7 {
		t.Errorf("%d kept, %d lost", kept, lost)
	}
}

func TestSpoolReplaced(t *testing.T) {
	s, other := openSpool(t, t.TempDir()), openSpool(t, t.TempDir())
	keep(t, s, record("one"))
	keep(t, other, record("two"))
	r := s.Reader("")
	drain(t, r)
	got := drain(t, other.Reader(r.Position()))
	if len(got) != 2 || got[0].Lost != 1 || string(got[1].Raw) != "two" {
		t.Errorf("with a foreign position: %.200v", got)
	}
	if got = drain(t, other.Reader("1795250507")); len(got) != 1 || string(got[0].Raw) != "two" {
		t.Errorf("with no position: %.200v", got)
	}
}

// TestSpoolOnAFullDisk: what does not fit is refused whole, and later records follow
// what was there. The limit on the size of files stands for the disk.
func TestSpoolOnAFullDisk(t *testing.T) {
	if os.Getenv("BARTIZAN_SMALL_FS") == "" {
		t.Skip("BARTIZAN_SMALL_FS names no small file system; skipped")
	}
	dir := filepath.Join(os.Getenv("BARTIZAN_SMALL_FS"), "spool")
	s := openSpool(t, dir)
	kept := 0
	for ; kept < 1<<20; kept++ {
		_, err := s.Append(record(fmt.Sprintf("%d %x", kept, time.Now().UnixNano())))
		if errors.Is(err, syscall.ENOSPC) {
			break
		}
		must(t, err)
	}
	if got := drain(t, s.Reader("")); len(got) != kept {
		t.Errorf("%d of %d records are there", len(got), kept)
	}
}

func TestSpoolEach(t *testing.T) {
	now := time.Date(2026, 11, 4, 11, 0, 0, 0, time.UTC)
	dir := t.TempDir()
	for i := range 5 { // a segment each
		s, err := OpenSpool(SpoolOptions{Dir: dir, Now: func() time.Time { return now }})
		must(t, err)
		keep(t, s, []sources.Record{{Raw: fmt.Append(nil, i), Seen: now}})
		must(t, s.Close())
		now = now.Add(time.Minute)
	}
	s, err := OpenSpool(SpoolOptions{Dir: dir, Now: func() time.Time { return now }})
	must(t, err)
	defer func() { must(t, s.Close()) }()
	for _, c := range []struct {
		from time.Time
		most int
		want string
	}{
		{time.Time{}, 9, "01234"}, {now.Add(-3 * time.Minute), 9, "234"}, {now, 9, ""}, {time.Time{}, 2, "01"},
	} {
		got := ""
		must(t, s.Each(t.Context(), c.from, func(r *sources.Record) bool {
			got += string(r.Raw)
			return len(got) < c.most
		}))
		if got != c.want {
			t.Errorf("from %v: %q, want %q", c.from, got, c.want)
		}
	}
}
