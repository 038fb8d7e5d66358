package store

import (
	"fmt"
	"testing"

	"bartizan/triage"
)

// crowd puts n alerts on a desk, committed.
func crowd(b *testing.B, d *Desk, n int) []triage.AlertID {
	b.Helper()
	var ids []triage.AlertID
	for i := 0; i < n; i += 500 {
		var list []Found
		for j := i; j < i+500; j++ {
			list = append(list, found(fmt.Sprintf("10.%d.%d.%d", j>>16, j>>8&255, j&255), j))
		}
		for _, c := range raise(b, d, list...) {
			ids = append(ids, c.Alert)
		}
		if err := d.Commit(b.Context(), nil); err != nil {
			b.Fatal(err)
		}
	}
	return ids
}

// BenchmarkDesk100k is a desk with 100,000 alerts: one move after the other with
// the list read after each, a bulk move, and opening the board again.
func BenchmarkDesk100k(b *testing.B) {
	dir := b.TempDir()
	d, db := openDesk(b, dir)
	ids := crowd(b, d, 100_000)
	b.Run("apply+alerts", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			m := closing(d, anna, ids[i])
			apply(b, d, m)
			if list, _ := d.Alerts(); len(list) != len(ids) {
				b.Fatal(len(list))
			}
		}
	})
	b.Run("alerts", func(b *testing.B) {
		for b.Loop() {
			d.Alerts()
		}
	})
	b.Run("apply1000", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			m := closing(d, anna, ids[50_000+1000*(i%40):][:1000]...)
			m.Do, m.Note = triage.DoNote, "one for all"
			apply(b, d, m)
		}
	})
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			_, db := openDesk(b, dir)
			if err := db.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkRaiseCommit is what a batch of hits on one busy alert costs.
func BenchmarkRaiseCommit(b *testing.B) {
	d, _ := openDesk(b, b.TempDir())
	i := 0
	for b.Loop() {
		var list []Found
		for range 100 {
			list = append(list, found("10.0.0.1", i))
			i++
		}
		raise(b, d, list...)
		if err := d.Commit(b.Context(), nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(100, "hits/op")
}
