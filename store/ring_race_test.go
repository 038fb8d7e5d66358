package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"sync"
	"testing"

	"bartizan/event"
)

// TestRingReadersBesideWriter is for the race detector: every row proves by its
// own content that it is whole.
func TestRingReadersBesideWriter(t *testing.T) {
	r := newRing(t, MinRing)
	const rows = 60_000
	stop := make(chan struct{})
	var readers sync.WaitGroup
	reader := func(look func(first, next uint64)) {
		readers.Add(1)
		go func() {
			defer readers.Done()
			for {
				look(r.Bounds())
				select {
				case <-stop:
					return
				default:
				}
			}
		}()
	}
	check := func(row *Row) {
		if n := binary.BigEndian.Uint64(row.Raw); n != row.Seq || row.Line != int64(row.Seq) || len(row.Raw) != 8+int(row.Seq%97) {
			t.Errorf("row %d says it is %d, with %d bytes", row.Seq, n, len(row.Raw))
		}
	}
	reader(func(first, _ uint64) {
		var row Row
		if err := r.Read(first, &row); err == nil {
			check(&row)
		}
	})
	reader(func(_, next uint64) {
		var row Row
		if err := r.Read(next-1, &row); err == nil {
			check(&row)
		}
	})
	for _, back := range []bool{false, true} {
		reader(func(first, next uint64) {
			if back {
				first, next = next, first
			}
			_ = r.Scan(context.Background(), first, next, nil, func(row *Row) bool { check(row); return true })
		})
	}
	reader(func(first, next uint64) {
		r.Mark(first, Mark{Rule: "r"})
		r.Mark(next-1, Mark{Rule: "r"})
		for _, m := range r.Marks(next - 1) {
			if m.Rule != "r" {
				t.Errorf("mark %+v", m)
			}
		}
		r.NextMarked(first, false)
	})
	buf := make([]byte, 200)
	for i := uint64(1); i <= rows; i++ {
		binary.BigEndian.PutUint64(buf, i)
		add(t, r, &event.Event{Raw: buf[:8+i%97], Line: int64(i), Ref: event.Ref{Epoch: i / 1000}})
	}
	close(stop)
	readers.Wait()
	if used, budget, _ := r.Usage(); used > budget {
		t.Errorf("uses %d of %d", used, budget)
	}
}

// TestSlowReaderDoesNotStallWriter holds a row while the ring turns over twice.
func TestSlowReaderDoesNotStallWriter(t *testing.T) {
	r := newRing(t, MinRing)
	e := &event.Event{Raw: bytes.Repeat([]byte("a"), 500)}
	add(t, r, e)
	err := r.Scan(context.Background(), 1, 2, nil, func(row *Row) bool {
		for range 6000 {
			add(t, r, &event.Event{Raw: bytes.Repeat([]byte("b"), 500)})
		}
		if first, _ := r.Bounds(); first < 3000 {
			t.Errorf("the writer waited: the ring still begins at %d", first)
		}
		if !bytes.Equal(row.Raw, e.Raw) {
			t.Error("the row under the reader's eyes changed")
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
}
