package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"bartizan/event"
	"bartizan/query"
)

func TestMain(m *testing.M) {
	if os.Getenv(victimDir) != "" {
		victim()
	}
	goleak.VerifyTestMain(m)
}

var t0 = time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)

func newRing(t testing.TB, budget int64) *Ring {
	t.Helper()
	r, err := NewRing(budget)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func add(t testing.TB, r *Ring, e *event.Event) uint64 {
	t.Helper()
	seq, err := r.Append(e)
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

func TestRingKeepsEveryColumn(t *testing.T) {
	r := newRing(t, MinRing)
	for _, e := range []*event.Event{
		{
			Ref:  event.Ref{Source: "file:/var/log/auth.log", Epoch: 7, File: event.FileID{Dev: 1 << 40, Ino: 1<<63 + 5}, Offset: 1 << 45, Len: 11},
			Line: 1 << 40, Time: t0.Add(123456789), Seen: t0.Add(time.Second), Format: 1 << 31, Level: event.LevelEmergency,
			Flags: event.FlagNoTime | event.FlagLate, Lost: 1 << 50, Raw: []byte("hello \xffworld"),
		},
		{},
		{Time: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), Seen: time.Date(1, 2, 3, 0, 0, 0, 0, time.UTC), Raw: []byte{0}},
	} {
		seq := add(t, r, e)
		var row Row
		if err := r.Read(seq, &row); err != nil {
			t.Fatal(err)
		}
		want := Row{seq, fromNanos(nanos(e.Time)), fromNanos(nanos(e.Seen)), e.Line, e.Lost, e.Ref, e.Format, e.Flags, e.Level, row.Raw}
		if !bytes.Equal(row.Raw, e.Raw) || fmt.Sprint(row) != fmt.Sprint(want) {
			t.Errorf("got  %+v\nwant %+v", row, want)
		}
		if e.Time.IsZero() != row.Time.IsZero() || e.Time.Year() < 2200 && !row.Time.Equal(e.Time) {
			t.Errorf("time %s became %s", e.Time, row.Time)
		}
	}
}

func TestRingBounds(t *testing.T) {
	if _, err := NewRing(1000); err == nil {
		t.Error("a ring of 1000 bytes was made")
	}
	r := newRing(t, MinRing)
	var row Row
	if first, next := r.Bounds(); first != 1 || next != 1 || !errors.Is(r.Read(1, &row), ErrNotYet) {
		t.Errorf("an empty ring reaches from %d to %d", first, next)
	}
	e := &event.Event{Raw: bytes.Repeat([]byte("x"), 1000)}
	for range 5000 {
		add(t, r, e)
	}
	first, next := r.Bounds()
	if next != 5001 || first < 4000 || first > 4300 {
		t.Errorf("5000 rows of 1064 bytes in 1 MiB: %d to %d", first, next)
	}
	if used, budget, _ := r.Usage(); used > budget || budget > MinRing {
		t.Errorf("uses %d of %d", used, budget)
	}
	if err := r.Read(first-1, &row); !errors.Is(err, ErrOverwritten) {
		t.Errorf("before the first: %v", err)
	}
	if err := r.Read(first, &row); err != nil || len(row.Raw) != 1000 {
		t.Errorf("the first: %v", err)
	}
	seq := add(t, r, &event.Event{Raw: bytes.Repeat([]byte("y"), 1<<20)})
	if err := r.Read(seq, &row); err != nil || row.Flags&event.FlagCut == 0 || len(row.Raw) != 128<<10 {
		t.Errorf("a record larger than the ring: %d bytes, flags %b, %v", len(row.Raw), row.Flags, err)
	}
	r.Close()
	if err := r.Read(seq, &row); !errors.Is(err, ErrOverwritten) {
		t.Errorf("after Close: %v", err)
	}
	if _, err := r.Append(e); err == nil {
		t.Error("a closed ring took a row")
	}
}

// TestRingManyOrigins has a new file for every record: they are counted too.
func TestRingManyOrigins(t *testing.T) {
	r := newRing(t, MinRing)
	for i := range 20_000 {
		add(t, r, &event.Event{Ref: event.Ref{Source: event.SourceID(fmt.Sprint("file:", i)), Epoch: uint64(i)}})
	}
	first, next := r.Bounds()
	if rows := next - first; rows > MinRing/(rowSize+originSize) {
		t.Errorf("%d rows with an origin each are held in 1 MiB", rows)
	}
	var row Row
	if err := r.Read(first+5, &row); err != nil || row.Ref.Source != event.SourceID(fmt.Sprint("file:", first+4)) {
		t.Errorf("row %d has source %s, %v", first+5, row.Ref.Source, err)
	}
}

// words are what the model test's records and literals are made of.
var words = []string{"root", "ROOT", "Failed", "failed password", "ok", "", "sk", "\u212aey", "\u017fudo", "é", "root\n", "x", "fai", "led"}

// naive is what a scan with literals must at least show.
func naive(raw []byte, literals [][]byte) bool {
	for _, l := range literals {
		if !strings.Contains(query.Fold(string(raw)), query.Fold(string(l))) {
			return false
		}
	}
	return true
}

func TestRingAgainstModel(t *testing.T) {
	word := rapid.SampledFrom(words)
	rapid.Check(t, func(t *rapid.T) {
		r, err := NewRing(MinRing)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		var all []string // all[i] has Seq i+1
		t.Repeat(map[string]func(*rapid.T){
			"append": func(t *rapid.T) {
				for range rapid.IntRange(1, 40).Draw(t, "rows") {
					raw := strings.Join(rapid.SliceOfN(word, 0, 4).Draw(t, "words"), "")
					if rapid.IntRange(0, 8).Draw(t, "long") == 0 {
						raw += strings.Repeat("-", 20_000)
					}
					all = append(all, raw)
					if seq, err := r.Append(&event.Event{Raw: []byte(raw), Line: int64(len(all))}); err != nil || seq != uint64(len(all)) {
						t.Fatalf("row %d got Seq %d, %v", len(all), seq, err)
					}
				}
			},
			"read": func(t *rapid.T) {
				seq := uint64(rapid.IntRange(0, len(all)+1).Draw(t, "seq"))
				first, next := r.Bounds()
				var row Row
				err := r.Read(seq, &row)
				switch {
				case seq >= next && !errors.Is(err, ErrNotYet), seq < first && !errors.Is(err, ErrOverwritten):
					t.Fatalf("reading %d of [%d,%d): %v", seq, first, next, err)
				case seq >= first && seq < next && (err != nil || string(row.Raw) != all[seq-1] || row.Line != int64(seq)):
					t.Fatalf("reading %d: %v, %q", seq, err, row.Raw)
				}
			},
			"scan": func(t *rapid.T) {
				from := uint64(rapid.IntRange(0, len(all)+2).Draw(t, "from"))
				to := uint64(rapid.IntRange(0, len(all)+2).Draw(t, "to"))
				var literals [][]byte
				for _, w := range rapid.SliceOfN(word, 0, 2).Draw(t, "literals") {
					literals = append(literals, []byte(w))
				}
				checkScan(t, r, all, from, to, literals)
			},
			"": func(t *rapid.T) {
				if first, next := r.Bounds(); int(next) != len(all)+1 || first > next {
					t.Fatalf("bounds %d to %d after %d rows", first, next, len(all))
				}
			},
		})
	})
}

// checkScan compares a scan with a loop: nothing that matches may be left out,
// rows come in order, and plain ASCII rows are left out when they do not match.
func checkScan(t *rapid.T, r *Ring, all []string, from, to uint64, literals [][]byte) {
	var got []uint64
	err := r.Scan(context.Background(), from, to, literals, func(row *Row) bool {
		if string(row.Raw) != all[row.Seq-1] {
			t.Fatalf("row %d holds %q, want %q", row.Seq, row.Raw, all[row.Seq-1])
		}
		got = append(got, row.Seq)
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	lo, hi := min(from, to), max(from, to)
	if from > to {
		slices.Reverse(got)
	}
	if !slices.IsSorted(got) || len(got) > 0 && (got[0] < lo || got[len(got)-1] >= hi) {
		t.Fatalf("scan of [%d,%d) gave %v", lo, hi, got)
	}
	first, next := r.Bounds()
	plain := !slices.ContainsFunc(literals, func(l []byte) bool { return !isASCII(l) })
	for seq := max(lo, first); seq < min(hi, next); seq++ {
		raw := []byte(all[seq-1])
		shown := slices.Contains(got, seq)
		if want := naive(raw, literals); want && !shown || !want && shown && plain && isASCII(raw) {
			t.Fatalf("scan for %q: row %d %q is shown %v, want %v", literals, seq, cutFor(raw), shown, want)
		}
	}
}

func cutFor(b []byte) []byte { return b[:min(len(b), 60)] }

func TestScanStops(t *testing.T) {
	r := newRing(t, MinRing)
	for i := range 9000 {
		add(t, r, &event.Event{Raw: []byte(strconv.Itoa(i))})
	}
	for _, way := range [][2]uint64{{1, 9001}, {9001, 1}} {
		n := 0
		if err := r.Scan(context.Background(), way[0], way[1], nil, func(*Row) bool { n++; return n < 10 }); err != nil || n != 10 {
			t.Errorf("scan %v gave %d rows, %v", way, n, err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		n = 0
		err := r.Scan(ctx, way[0], way[1], nil, func(*Row) bool { n++; cancel(); return true })
		if !errors.Is(err, context.Canceled) || n >= 9000 {
			t.Errorf("a cancelled scan %v gave %d rows, %v", way, n, err)
		}
	}
}

func TestMarks(t *testing.T) {
	r := newRing(t, MinRing)
	for range 1000 {
		add(t, r, &event.Event{Raw: bytes.Repeat([]byte("a"), 300)})
	}
	for _, seq := range []uint64{900, 10, 500, 10} {
		if !r.Mark(seq, Mark{Rule: "r", Alert: "a-1", Why: []query.Match{{Field: "f"}}}) {
			t.Errorf("row %d could not be marked", seq)
		}
	}
	if m := r.Marks(10); len(m) != 1 || m[0].Alert != "a-1" || len(m[0].Why) != 1 {
		t.Errorf("marks of row 10: %+v", m)
	}
	for _, c := range []struct {
		from uint64
		back bool
		want uint64
	}{{1, false, 10}, {10, false, 500}, {500, false, 900}, {900, false, 0}, {900, true, 500}, {2000, true, 900}, {10, true, 0}} {
		if got, ok := r.NextMarked(c.from, c.back); got != c.want || ok != (c.want > 0) {
			t.Errorf("next from %d (back %v): %d %v, want %d", c.from, c.back, got, ok, c.want)
		}
	}
	if r.Mark(1001, Mark{}) || r.Marks(1001) != nil {
		t.Error("a row that is not there was marked")
	}
	for i := range 2 * MaxMarks {
		r.Mark(20, Mark{Rule: fmt.Sprint("r", i)})
	}
	if n := len(r.Marks(20)); n != MaxMarks {
		t.Errorf("%d marks on one row", n)
	}
	for seq := uint64(1); seq <= 1000; seq++ {
		r.Mark(seq, Mark{Rule: "q", Why: []query.Match{{Value: strings.Repeat("v", 2000)}}})
	}
	s := r.pin(1)
	defer r.unpin(s)
	if limit := r.segSize / markShare; s.marks.bytes > limit || s.marks.bytes < limit/2 {
		t.Errorf("marks take %d bytes, limit %d", s.marks.bytes, limit)
	}
	for range 5000 {
		add(t, r, &event.Event{Raw: bytes.Repeat([]byte("a"), 300)})
	}
	if r.Mark(10, Mark{}) || r.Marks(10) != nil {
		t.Error("an overwritten row has marks")
	}
}

func FuzzScan(f *testing.F) {
	for _, w := range words {
		f.Add([]byte("user Root failed password for sKey\n"+w), []byte(w), []byte("o"))
	}
	f.Fuzz(func(t *testing.T, raw, one, two []byte) {
		r := newRing(t, MinRing)
		for _, b := range [][]byte{raw[:len(raw)/2], raw, raw[len(raw)/3:], {}} {
			add(t, r, &event.Event{Raw: b[:min(len(b), 1000)]})
		}
		literals := [][]byte{one, two}
		var got []uint64
		if err := r.Scan(context.Background(), 1, 5, literals, func(row *Row) bool { got = append(got, row.Seq); return true }); err != nil {
			t.Fatal(err)
		}
		var row Row
		for seq := uint64(1); seq < 5; seq++ {
			if err := r.Read(seq, &row); err != nil {
				t.Fatal(err)
			}
			if naive(row.Raw, literals) && !slices.Contains(got, seq) {
				t.Errorf("row %q holds %q and was left out", row.Raw, literals)
			}
		}
	})
}
