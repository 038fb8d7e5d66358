package history

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"bartizan/sources"
)

// TestSpoolWhoseFileWasDeleted: a segment that somebody has removed is told as
// missing records, and neither reading nor searching waits for it.
func TestSpoolWhoseFileWasDeleted(t *testing.T) {
	s := openSpool(t, t.TempDir())
	for i := range 3 {
		keep(t, s, record(fmt.Sprint("record ", i)))
	}
	must(t, os.Remove(s.segs[len(s.segs)-1].path))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	r := s.Reader("")
	defer r.Close()
	got, err := r.Next(ctx)
	if err != nil || len(got) != 1 || got[0].Lost != 3 {
		t.Fatalf("read %v, %v", got, err)
	}
	var lost uint64
	if err := s.Each(ctx, time.Time{}, func(r *sources.Record) bool { lost += r.Lost; return true }); err != nil || lost != 3 {
		t.Errorf("searching said that %d are missing, %v", lost, err)
	}
}
