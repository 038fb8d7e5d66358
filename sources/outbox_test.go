package sources

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"bartizan/event"
)

// outboxTest is an outbox whose batches are taken by the test.
func outboxTest(t *testing.T) (*outbox, chan Batch, *handClock) {
	t.Helper()
	out := make(chan Batch, 10)
	clock := newHandClock()
	n := 0
	o := newOutbox(context.Background(), out, "x", clock, func() Position { n++; return Position(fmt.Sprint(n)) })
	return o, out, clock
}

func put(t *testing.T, o *outbox, n, size int) {
	t.Helper()
	for range n {
		if err := o.add(Record{Raw: make([]byte, size), Seen: o.clock.Now()}, nil); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOutboxSendsAtOnceWhenNothingIsInFlight(t *testing.T) {
	o, out, _ := outboxTest(t)
	put(t, o, 1, 1)
	if err := o.offer(); err != nil || len(out) != 1 {
		t.Fatalf("%d batches, %v", len(out), err)
	}
	put(t, o, 3, 1)
	if err := o.offer(); err != nil || len(out) != 1 {
		t.Fatalf("%d batches while one is in flight, %v", len(out), err)
	}
	_, idle := o.due()
	first := <-out
	first.Done(nil)
	first.Done(nil) // only the first call counts
	<-idle
	if err := o.offer(); err != nil || len(out) != 1 {
		t.Fatalf("%d batches after Done, %v", len(out), err)
	}
	if b := <-out; len(b.Records) != 3 || b.Pos != "2" || o.flight.Load() != 1 {
		t.Errorf("%d records at %q, %d in flight", len(b.Records), b.Pos, o.flight.Load())
	}
}

func TestOutboxFillsWhileBusy(t *testing.T) {
	o, out, clock := outboxTest(t)
	put(t, o, 1, 1)
	_ = o.offer()
	put(t, o, MaxRecords-1, 1)
	_ = o.offer()
	if len(out) != 1 {
		t.Fatal("a batch went before it was full or old")
	}
	put(t, o, 1, 1)
	if len(out) != 2 {
		t.Fatal("a batch of MaxRecords was not sent")
	}
	put(t, o, 2, MaxBytes/2)
	if len(out) != 3 {
		t.Fatal("a batch of MaxBytes was not sent")
	}
	put(t, o, 1, 1)
	due, _ := o.due()
	clock.advance(t, MaxWait)
	<-due
	if _ = o.offer(); len(out) != 4 {
		t.Fatal("a batch that is MaxWait old was not sent")
	}
}

func TestOutboxGivesUpWhenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	o := newOutbox(ctx, make(chan Batch), "x", SystemClock{}, func() Position { return "" })
	put(t, o, 1, 1)
	cancel()
	if err := o.send(); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// TestRecordsStayUntilDone holds batches back and checks that reading on does
// not touch them.
func TestRecordsStayUntilDone(t *testing.T) {
	d := newFolder(t)
	var want [][]byte
	w := d.open("log")
	for i := range 40000 {
		want = append(want, fmt.Appendf(nil, "line %d %s", i, noise(20)))
		want[i] = bytes.ReplaceAll(want[i], newline, []byte(" "))
		_, err := w.Write(append(want[i], '\n'))
		d.do(err)
	}
	d.do(w.Close())
	out := make(chan Batch)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- NewFile(d.path("log"), FileOptions{}).Run(ctx, "", out) }()
	var held []Batch
	i := 0
	for i < len(want) {
		b := <-out
		held = append(held, b)
		i += len(b.Records)
		if len(held) == 7 || i == len(want) {
			checkHeld(t, held, want[:i])
			held = held[:0]
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// checkHeld compares the held batches with the end of want and gives them back.
func checkHeld(t *testing.T, held []Batch, want [][]byte) {
	t.Helper()
	n := 0
	for _, b := range held {
		n += len(b.Records)
	}
	want = want[len(want)-n:]
	for _, b := range held {
		for _, r := range b.Records {
			if !bytes.Equal(r.Raw, want[0]) {
				t.Fatalf("held record became %.60q, was %.60q", r.Raw, want[0])
			}
			want = want[1:]
		}
	}
	for _, b := range held {
		go b.Done(nil) // any goroutine may
	}
}

// TestLatency appends lines to an idle file and measures until they arrive.
func TestLatency(t *testing.T) {
	d := newFolder(t)
	d.add("log", "first\n")
	s := begin(t, NewFile(d.path("log"), FileOptions{}), "")
	s.expect("first")
	if c := s.state(event.SourceLive); c.Reason != "" {
		t.Skip("no inotify here: " + c.Reason)
	}
	start := time.Now()
	const n = 50
	for i := range n {
		d.add("log", "x\n")
		s.until("the line", func() bool { return len(s.lines) == i+2 })
	}
	if each := time.Since(start) / n; each > lookEvery/2 {
		t.Errorf("a line took %v, so nobody was woken", each)
	} else {
		t.Logf("%v from write to delivery", each)
	}
}
