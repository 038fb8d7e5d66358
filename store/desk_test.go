package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/query"
	"bartizan/triage"
)

var rule = &detect.Rule{ID: "r-brute", Kind: detect.KindSigma, Title: "Many failed logins", Severity: detect.Medium}

var anna = triage.Actor{Name: "anna", UID: 1000, LoginUID: 1000, Session: 3, Claimed: "192.0.2.1"}

func fixed() time.Time { return t0 }

// found is the nth record of a log, a hit about the address.
func found(ip string, nth int) Found {
	raw := fmt.Appendf(nil, "record %d \xff from %s", nth, ip)
	ref := event.Ref{Source: "file:/var/log/auth.log", Offset: int64(nth) * 100, Len: int32(len(raw))}.Sealed(raw)
	e := &event.Event{Ref: ref, Line: int64(nth), Time: t0.Add(time.Duration(nth) * time.Millisecond), Raw: raw, FormatName: "syslog"}
	return Found{Hit: triage.Hit{
		ID: detect.NewHitID(rule.ID, []event.Ref{ref}), Rule: rule, Refs: []event.Ref{ref}, Event: e, Count: 1,
		Why:   []query.Match{{Field: "ip", Predicate: "ip: *", Value: ip, Pos: 1, End: 2}},
		Group: []event.Entity{{Kind: event.EntityIP, Role: event.RoleActor, Value: ip}},
	}}
}

func openDB(t testing.TB, dir string) *DB {
	t.Helper()
	db, err := Open(dir, fixed)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() }) // a test may have closed it
	return db
}

func openDesk(t testing.TB, dir string) (*Desk, *DB) {
	t.Helper()
	db := openDB(t, dir)
	board, mended, err := db.Load()
	if err != nil || len(mended) > 0 {
		t.Fatalf("loading: %v, mended %v", err, mended)
	}
	return NewDesk(db, board, fixed), db
}

func raise(t testing.TB, d *Desk, list ...Found) []triage.Change {
	t.Helper()
	c, err := d.Raise(list)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func commit(t testing.TB, d *Desk, pos string) {
	t.Helper()
	if err := d.Commit(context.Background(), map[event.SourceID]string{"file:/var/log/auth.log": pos}); err != nil {
		t.Fatal(err)
	}
}

func closing(d *Desk, by triage.Actor, ids ...triage.AlertID) triage.Move {
	m := triage.Move{Do: triage.DoClose, Verdict: triage.VerdictBenign, By: by, At: t0}
	for _, id := range ids {
		a, _ := d.Alert(id)
		m.On = append(m.On, triage.AlertVersion{ID: id, Version: a.Version})
	}
	return m
}

func apply(t testing.TB, d *Desk, m triage.Move) triage.MoveID {
	t.Helper()
	id, err := d.Apply(m)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// standing is every alert in words, sorted: what two boards are compared by.
func standing(d *Desk) string {
	list, _ := d.Alerts()
	var out []string
	for _, a := range list {
		out = append(out, fmt.Sprintf("%s %s v%d n%d %q", a.ID, a.Standing(), a.Version, a.Count, a.Sample))
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

func TestDeskSurvivesRestart(t *testing.T) {
	dir := t.TempDir()
	d, db := openDesk(t, dir)
	var pokes atomic.Int32
	d.Notify(func() { pokes.Add(1) })
	c := raise(t, d, found("10.0.0.1", 1), found("10.0.0.2", 2), found("10.0.0.1", 3), found("10.0.0.1", 3))
	if !c[0].Raised || c[2].Alert != c[0].Alert || c[2].Nth != 2 || !c[3].Known {
		t.Fatalf("changes %+v", c)
	}
	commit(t, d, "300")
	move := apply(t, d, closing(d, anna, c[0].Alert))
	if pokes.Load() != 2 {
		t.Errorf("poked %d times", pokes.Load())
	}
	before := standing(d)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	d, db = openDesk(t, dir)
	if after := standing(d); after != before || !strings.Contains(after, "closed as benign by anna") {
		t.Errorf("was\n%s\nis\n%s", before, after)
	}
	if pos, err := db.Positions(); err != nil || pos["file:/var/log/auth.log"] != "300" {
		t.Errorf("positions %v, %v", pos, err)
	}
	if again := raise(t, d, found("10.0.0.1", 3)); !again[0].Known || again[0].Alert != c[0].Alert {
		t.Errorf("a hit of the earlier run was counted again: %+v", again)
	}
	j, err := d.Journal(c[0].Alert, 10)
	if err != nil || len(j) != 2 || j[0].Do != triage.DoRaise || j[1].ID != move || j[1].By != anna || j[1].Verdict != triage.VerdictBenign {
		t.Errorf("journal %+v, %v", j, err)
	}
	apply(t, d, triage.Move{Do: triage.DoUndo, Undoes: d.LastMove("anna"), By: anna, At: t0})
	if a, _ := d.Alert(c[0].Alert); a.State != triage.StateNew {
		t.Errorf("after undoing across the restart: %s", a.Standing())
	}
	if all, err := d.Journal("", 2); err != nil || len(all) != 2 || all[1].Do != triage.DoUndo {
		t.Errorf("the newest two rows: %+v, %v", all, err)
	}
	if p, err := db.Verify(); err != nil || p.Rows != 4 {
		t.Errorf("verify: %+v, %v", p, err)
	}
}

func TestEvidenceIsPinned(t *testing.T) {
	d, _ := openDesk(t, t.TempDir())
	var id triage.AlertID
	for i := range 100 {
		f := found("10.0.0.1", 10*i+5)
		for j := range 5 {
			raw := fmt.Appendf(nil, "before %d", 10*i+j)
			f.Before = append(f.Before, triage.Evidence{Ref: event.Ref{Source: "file:/var/log/auth.log", Offset: int64(10*i+j) * 100}.Sealed(raw), Raw: raw, Time: f.Hit.Event.Time.Add(time.Duration(j-5) * time.Microsecond)})
		}
		c := raise(t, d, f)
		id = c[0].Alert
		raw := []byte("after")
		d.Pin(id, c[0].Nth, []triage.Evidence{{Raw: raw, Ref: event.Ref{Source: "file:/var/log/auth.log", Offset: int64(10*i+6) * 100}.Sealed(raw), Time: f.Hit.Event.Time.Add(1)}})
		clear(f.Hit.Event.Raw) // the batch is gone
		if i%30 == 0 {
			commit(t, d, "")
		}
	}
	for range 2 { // waiting for the disk, then on it
		list, err := d.Evidence(id)
		if err != nil {
			t.Fatal(err)
		}
		hits := 0
		for i, e := range list {
			if e.Ref.Hash != (event.Ref{}.Sealed(e.Raw)).Hash {
				t.Fatalf("record %q does not have the hash it was sealed with", e.Raw)
			}
			if i > 0 && e.Time.Before(list[i-1].Time) {
				t.Fatalf("record %d is older than the one before", i)
			}
			if e.Hit {
				hits++
				if len(e.Why) != 1 || e.Format != "syslog" || e.Line == 0 {
					t.Errorf("evidence %+v", e)
				}
			}
		}
		if first := string(list[0].Raw); first != "before 2" {
			t.Errorf("the first record is %q", first)
		}
		if last := list[len(list)-2]; !bytes.HasPrefix(last.Raw, []byte("record 995")) {
			t.Errorf("the last hit is %q", last.Raw)
		}
		commit(t, d, "")
		if hits < 2*triage.MaxEvidence || len(list) < 5*hits {
			t.Errorf("%d hits among %d records", hits, len(list))
		}
	}
	list, err := d.Evidence(id)
	if err != nil || len(list) != 2*triage.MaxEvidence*5 {
		t.Errorf("%d records on disk, want the first and last %d with 3 before and 1 after: %v", len(list), triage.MaxEvidence, err)
	}
}

func TestEvidenceIsBounded(t *testing.T) {
	d, _ := openDesk(t, t.TempDir())
	var id triage.AlertID
	for i := range 300 {
		f := found("10.0.0.1", i)
		f.Hit.Event.Raw = bytes.Repeat([]byte("x"), 2*MaxPinned)
		id = raise(t, d, f)[0].Alert
	}
	if d.pending.bytes > MaxPendingBytes+MaxPinned*maxPinnedList {
		t.Errorf("%d bytes of evidence wait", d.pending.bytes)
	}
	commit(t, d, "")
	list, err := d.Evidence(id)
	if err != nil || len(list) != 2*triage.MaxEvidence || len(list[0].Raw) != MaxPinned {
		t.Errorf("%d records, %v", len(list), err)
	}
}

func TestSecondOfTwoIsRefused(t *testing.T) {
	d, _ := openDesk(t, t.TempDir())
	id := raise(t, d, found("10.0.0.1", 1))[0].Alert
	bob := triage.Actor{Name: "bob", UID: 1001}
	var wg sync.WaitGroup
	errs := make(chan error, 2)
	for _, m := range []triage.Move{closing(d, anna, id), closing(d, bob, id)} {
		wg.Add(1)
		go func() {
			defer wg.Done()
			_, err := d.Apply(m)
			errs <- err
		}()
	}
	wg.Wait()
	one, two := <-errs, <-errs
	if one == nil {
		one, two = two, one
	}
	if two != nil || !errors.Is(one, triage.ErrStale) || !strings.Contains(one.Error(), "changed since you saw it: now closed as benign by ") {
		t.Errorf("errors: %v and %v", one, two)
	}
}

func TestManyAtOnce(t *testing.T) {
	dir := t.TempDir()
	d, db := openDesk(t, dir)
	var wg sync.WaitGroup
	work := func(f func(i int)) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range 60 {
				f(i)
			}
		}()
	}
	work(func(i int) { raise(t, d, found(fmt.Sprint("10.0.0.", i%7), i), found("10.0.1.1", 1000+i)) })
	work(func(i int) { commit(t, d, fmt.Sprint(i)) })
	for _, who := range []string{"anna", "bob"} {
		work(func(i int) {
			list, _ := d.Alerts()
			if len(list) == 0 {
				return
			}
			a := list[i%len(list)]
			m := triage.Move{Do: triage.DoTake, By: triage.Actor{Name: who}, At: t0, On: []triage.AlertVersion{{ID: a.ID, Version: a.Version}}}
			if _, err := d.Apply(m); err != nil && !errors.Is(err, triage.ErrStale) && !errors.Is(err, triage.ErrIllegal) {
				t.Errorf("%s: %v", who, err)
			}
		})
	}
	work(func(int) {
		if list, _ := d.Alerts(); len(list) > 0 {
			if _, err := d.Evidence(list[0].ID); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
	commit(t, d, "end")
	before := standing(d)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	d, db = openDesk(t, dir)
	if after := standing(d); after != before {
		t.Errorf("was\n%s\nis\n%s", before, after)
	}
	if _, err := db.Verify(); err != nil {
		t.Error(err)
	}
}

func TestWakeIsWritten(t *testing.T) {
	dir := t.TempDir()
	d, db := openDesk(t, dir)
	id := raise(t, d, found("10.0.0.1", 1))[0].Alert
	m := closing(d, anna, id)
	m.Do, m.Verdict, m.Until = triage.DoSnooze, 0, t0.Add(time.Minute)
	apply(t, d, m)
	if n, err := d.Wake(context.Background()); n != 0 || err != nil {
		t.Errorf("woke %d early, %v", n, err)
	}
	d.now = func() time.Time { return t0.Add(time.Hour) }
	if n, err := d.Wake(context.Background()); n != 1 || err != nil {
		t.Errorf("woke %d, %v", n, err)
	}
	if seq, _, _ := db.Head(); seq != 3 {
		t.Errorf("the journal has %d rows on disk", seq)
	}
}
