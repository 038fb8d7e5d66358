package engine

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/sources"
	"bartizan/triage"
)

// TestAlertsAreToldAtLeastOnce: while somebody is told, the board knows of whom it is
// not sure that they were; an engine that finds such alerts tells of them again.
func TestAlertsAreToldAtLeastOnce(t *testing.T) {
	b := newBench(t, "a.log")
	b.rules = []*detect.Rule{rule(t, "boom", "boom")}
	telling, goOn := make(chan triage.AlertID), make(chan struct{})
	b.opt = func(o *Options) {
		o.Alert = func(a *triage.Alert) {
			telling <- a.ID
			<-goOn
		}
	}
	r := b.start()
	b.write("a.log", stamped(time.Now(), "boom"))
	id := <-telling
	untoldNow := func() string {
		all, err := r.db.Positions()
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(all[untold])
	}
	if got := untoldNow(); got != string(id) {
		t.Fatalf("while %s is told, the board says %q", id, got)
	}
	close(goOn)
	r.poll("it was told", func() bool { return untoldNow() == "" })
	r.end()

	r = b.start() // as if the one before had been killed in between
	err := r.Desk().Commit(context.Background(), map[event.SourceID]string{untold: string(id) + " gone "})
	if err != nil {
		t.Fatal(err)
	}
	r.end()
	r = b.start()
	if again := <-telling; again != id {
		t.Errorf("%s was told, %s was to be", again, id)
	}
	r.poll("it was told again", func() bool { return untoldNow() == "" })
	r.end()
	r = b.start()
	b.write("a.log", stamped(time.Now(), "boom again"))
	r.until("it counts on", func() bool { return r.count("quick:boom") == 2 })
	select {
	case id := <-telling:
		t.Errorf("%s was told a third time", id)
	default:
	}
}

// TestUnprintedRecordsAreNotRead: what could not be printed does not count as read,
// and the engine ends with the reason.
func TestUnprintedRecordsAreNotRead(t *testing.T) {
	b := newBench(t, "a.log")
	b.rules = []*detect.Rule{rule(t, "all", "app")}
	var mu sync.Mutex
	seen := map[string]int{}
	printed := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(seen)
	}
	room := 7
	b.opt = func(o *Options) {
		o.Records = func(list []event.Event) error {
			mu.Lock()
			defer mu.Unlock()
			for i := range list {
				if room--; room < 0 {
					return errors.New("no room")
				}
				seen[string(list[i].Raw)]++
			}
			return nil
		}
	}
	r := b.start()
	r.following()
	for i := range 20 {
		b.write("a.log", stamped(time.Now(), fmt.Sprintf("line %04d", i)))
	}
	err := <-r.done
	r.done <- nil
	if err == nil || !strings.Contains(err.Error(), "no room") {
		t.Errorf("it ended with %v", err)
	}
	r.end()
	room = 1000
	r = b.start()
	r.poll("every line is printed", func() bool { return printed() == 20 })
	r.end()
	if n := r.count("quick:all"); n != 20 {
		t.Errorf("%d hits", n)
	}
}

// TestPastGoesOn: what rules had not gone back over is kept with the board, and is
// given up with a word when its file was replaced.
func TestPastGoesOn(t *testing.T) {
	b := newBench(t, "a.log")
	const lines = 4000 // of 500 bytes: four times what is shown
	b.rules = []*detect.Rule{rule(t, "all", "app")}
	b.write("a.log", numbered(strings.Repeat("long ", 100), 0, lines))
	b.opt = func(o *Options) { o.Ring, o.Budget = 1<<20, 0 } // nothing is gone back over
	r := b.start()
	r.following()
	past := pastOf(event.SourceID("file:" + filepath.Join(b.dir, "a.log")))
	stands := func() string {
		all, err := r.db.Positions()
		if err != nil {
			t.Fatal(err)
		}
		return all[past]
	}
	r.poll("it was given up for want of budget", func() bool { return stands() == string(caughtUp) })
	shown := r.count("quick:all")
	if shown == 0 || shown >= lines {
		t.Fatalf("%d lines were shown", shown)
	}
	b.write("a.log", numbered("live", 0, 1))
	r.until("the new line hits", func() bool { return r.count("quick:all") == shown+1 })
	r.end()

	b.opt = func(o *Options) {
		o.Ring = 1 << 20
		end, err := sources.TailPosition(filepath.Join(b.dir, "a.log"), 0)
		id, to, ok := sources.FilePlace(end)
		if err != nil || !ok {
			t.Fatal(end, err)
		}
		s := &span{file: id}
		o.Positions[past] = string(s.remaining(to / 2))
	}
	r = b.start()
	r.until("the first half is gone back over", func() bool { return r.count("quick:all") >= shown+lines/4 })
	r.end()
	b.opt = func(o *Options) { o.Positions[past] = "past1 1:1 0 100" }
	r = b.start()
	r.poll("another file's past is given up", func() bool { return stands() == string(caughtUp) })
}

// poll waits for what the engine does not tell of.
func (r *running) poll(what string, ok func() bool) {
	r.t.Helper()
	late, tick := time.After(20*time.Second), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-late:
			r.t.Fatalf("never %s; status %+v", what, r.Status())
		}
	}
}
