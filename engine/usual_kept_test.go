package engine

import (
	"testing"
	"time"

	"bartizan/event"
)

func learntUsual(u *usual, from time.Time, n int, every time.Duration) time.Time {
	for range n {
		u.learn(from, from.Add(every))
		from = from.Add(every)
	}
	return from
}

// TestUsualIsKept: what was learnt is the same after a restart, is not learnt
// twice, and is written only when there is more.
func TestUsualIsKept(t *testing.T) {
	at := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	u := &usual{}
	end := learntUsual(u, at, 400, 2*time.Minute)
	u.learn(end, end.Add(6*time.Minute))
	end = end.Add(6 * time.Minute)
	text := u.text()
	if text == "" || u.text() != "" {
		t.Fatalf("written as %q, and again without news", text)
	}
	c := newClockwork(text)
	want, _ := u.longest()
	if got, ok := c.usual.longest(); !ok || got != want {
		t.Errorf("usual is %v (%v) after the restart, %v before", got, ok, want)
	}
	if yes, known := c.usual.spoke(end.Add(-5*time.Minute), end.Add(-time.Minute)); yes || !known {
		t.Errorf("in its last pause it spoke: %v (%v)", yes, known)
	}
	for i := range 100 { // the same records again, as the ring shows them at the start
		c.see(end.Add(time.Duration(i-100)*2*time.Minute), event.Ref{}, 0)
	}
	if c.usual.text() != "" {
		t.Error("what an engine before had learnt was learnt again")
	}
	c.see(end.Add(time.Minute), event.Ref{}, 0)
	c.see(end.Add(3*time.Minute), event.Ref{}, 0)
	if c.usual.text() == "" {
		t.Error("new records taught nothing")
	}
}

func FuzzReadUsual(f *testing.F) {
	u := &usual{}
	learntUsual(u, time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), 60, 10*time.Minute)
	f.Add(u.text())
	f.Add(`{"weight":[1],"pauses":-1}`)
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		u := readUsual(text)
		if d, ok := u.longest(); ok && (d < usualFloor || d > usualCap) {
			t.Errorf("%v is usual by %q", d, text)
		}
		learntUsual(u, time.Unix(0, 0), 3, time.Second)
	})
}
