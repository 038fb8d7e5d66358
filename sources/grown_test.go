package sources

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// TestWrittenAfterLetGo appends to a rotated file that was let go of, and has what was
// added read once at the next rotation, in the file it belongs to.
func TestWrittenAfterLetGo(t *testing.T) {
	d := newFolder(t)
	d.add("log", "one\n")
	s, c := stepped(t, d, FileOptions{})
	first, epoch := s.w.current().id, s.w.current().epoch
	shift(d, 9)
	d.add("log", "two\n")
	s.settle(t, c)
	if s.w.holds(first) {
		t.Fatal("it was not let go of")
	}
	want := "one two"
	for i, late := range []string{"late", "later"} {
		d.add(fmt.Sprintf("log.%d", i+1), late+"\n")
		shift(d, 9)
		d.add("log", "next\n")
		s.look()
		if !slices.ContainsFunc(s.w.gens, func(g *generation) bool { return g.id == first && g.epoch == epoch }) {
			t.Error("what was added is not read in the file it belongs to")
		}
		s.settle(t, c)
		want += " " + late + " next"
		c.ahead += time.Minute
		s.settle(t, c)
	}
	if got, lost := s.got(), s.losses(); got != want || len(lost) > 0 {
		t.Errorf("%q came, want %q, told %q", got, want, lost)
	}
}
