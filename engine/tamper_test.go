package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/sources"
	"bartizan/triage"
)

// alertOf waits for the one alert of a rule of ours.
func (r *running) alertOf(id string) *triage.Alert {
	r.t.Helper()
	var found *triage.Alert
	r.until(id+" is on the board", func() bool {
		list, _ := r.Desk().Alerts()
		for _, a := range list {
			if a.RuleID == id {
				found = a
			}
		}
		return found != nil
	})
	return found
}

// following waits until every file is read live.
func (r *running) following() {
	r.t.Helper()
	r.until("all files are followed", func() bool {
		list := r.Sources()
		return len(list) > 0 && !slices.ContainsFunc(list, func(s event.SourceStatus) bool { return s.State != event.SourceLive })
	})
}

// own counts the alerts that Bartizan raised itself.
func (r *running) own() (ids []string) {
	list, _ := r.Desk().Alerts()
	for _, a := range list {
		if strings.HasPrefix(a.RuleID, "self:") {
			ids = append(ids, a.RuleID)
		}
	}
	return ids
}

// quickGrace makes files that lost their name news after a moment.
func quickGrace(o *Options) {
	for i := range o.Files {
		o.Files[i].Source = sources.NewFile(o.Files[i].Info.Path, sources.FileOptions{ID: o.Files[i].Info.ID, Grace: 20 * time.Millisecond})
	}
}

// TestTruncatedUnderTheEngine empties a file that is being read: a row, a loss on the
// sources screen, and an alert about this host and this file.
func TestTruncatedUnderTheEngine(t *testing.T) {
	b := newBench(t, "a.log", "b.log")
	r := b.start()
	r.following()
	b.write("a.log", numbered("before", 0, 20))
	b.write("b.log", numbered("other", 0, 20))
	r.until("the lines are shown", func() bool { return len(r.lines()) == 40 })
	if err := os.Truncate(filepath.Join(b.dir, "a.log"), 0); err != nil {
		t.Fatal(err)
	}
	a := r.alertOf("self:log-cut")
	host, _ := os.Hostname()
	if a.Severity != detect.High || a.Runbook == "" || len(a.Group) < 1 || !strings.Contains(a.Sample, "truncated") || strings.Join(a.Tags, " ") != "attack.defense-evasion attack.t1070 attack.t1070.002" {
		t.Errorf("the alert is %+v", a)
	}
	var group []string
	for _, e := range a.Group {
		group = append(group, e.Value)
	}
	if want := host + " " + filepath.Join(b.dir, "a.log"); strings.Join(group, " ") != want {
		t.Errorf("it is about %q, want %q", group, want)
	}
	loss := r.losses()
	if len(loss) != 1 || loss[0].Flags&event.FlagShrank == 0 || loss[0].Text("host.name") != host || loss[0].Text("file.path") == "" {
		t.Errorf("the rows are %+v", loss)
	}
	r.until("the sources screen says so", func() bool { return r.Status().Lost == 1 })
	for _, s := range r.Sources() {
		if hurt := s.Name == "a.log"; hurt != (s.Lost > 0) || hurt != !s.LastLoss.IsZero() || hurt != strings.Contains(s.LossWhy, "truncated") {
			t.Errorf("status = %+v", s)
		}
	}
	b.write("a.log", numbered("after", 0, 1))
	r.until("it is read on", func() bool { l := r.lines(); return strings.HasSuffix(l[len(l)-1], "after 0000") })
	if ids := r.own(); len(ids) != 1 {
		t.Errorf("alerts: %v", ids)
	}
}

// TestRotationIsNoTampering rotates by copying and truncating, and by renaming, as
// logrotate does: not a word is said.
func TestRotationIsNoTampering(t *testing.T) {
	b := newBench(t, "a.log")
	b.opt = quickGrace
	r := b.start()
	r.following()
	path := filepath.Join(b.dir, "a.log")
	lines := 0
	add := func(what string, n int) {
		b.write("a.log", numbered(what, 0, n))
		lines += n
		r.until(what+" is shown", func() bool { return len(r.lines()) == lines })
	}
	add("first", 30)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".1", text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	add("second", 10)
	if err := os.Rename(path, path+".2"); err != nil {
		t.Fatal(err)
	}
	add("third", 10)
	if ids := r.own(); len(ids) != 0 || len(r.losses()) != 0 {
		t.Errorf("alerts %v, losses %v", ids, r.losses())
	}
}

// TestRemovedWhileWritten deletes a file that its writer, this process, has open.
func TestRemovedWhileWritten(t *testing.T) {
	b := newBench(t, "a.log")
	b.opt = quickGrace
	r := b.start()
	r.following()
	path := filepath.Join(b.dir, "a.log")
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(numbered("before", 0, 3)); err != nil {
		t.Fatal(err)
	}
	r.until("the lines are shown", func() bool { return len(r.lines()) == 3 })
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	written := 0
	r.until("the alert rose", func() bool { // it is still written to for longer than a rotation takes
		if _, err := f.WriteString(numbered("after", written, written+1)); err != nil {
			t.Fatal(err)
		}
		written++
		return len(r.own()) > 0
	})
	a := r.alertOf("self:log-removed")
	if !strings.Contains(a.Sample, "was deleted while") || a.Count != 1 {
		t.Errorf("the alert is %q, %d times", a.Sample, a.Count)
	}
	rows := 0
	for _, l := range r.lines() {
		if strings.Contains(l, "was deleted while") {
			rows++
		}
	}
	if rows != 1 {
		t.Errorf("the stream is %q", r.lines())
	}
	r.until("what was written is read on", func() bool {
		return slices.ContainsFunc(r.lines(), func(l string) bool { return strings.HasSuffix(l, fmt.Sprintf("after %04d", written-1)) })
	})
}

// TestLinesTakenOut starts over a log from which three hours are missing, beside one
// that goes on, and one that is as quiet as it always is.
func TestLinesTakenOut(t *testing.T) {
	b := newBench(t, "cut.log", "whole.log", "rare.log")
	base := time.Now().Add(-20 * time.Hour).Truncate(time.Second)
	write := func(name string, every time.Duration, without func(time.Duration) bool) {
		var text strings.Builder
		for d := time.Duration(0); d < 19*time.Hour; d += every {
			if !without(d) {
				text.WriteString(stamped(base.Add(d), "tick"))
			}
		}
		b.write(name, text.String())
	}
	never := func(time.Duration) bool { return false }
	hole := func(d time.Duration) bool { return d > 12*time.Hour && d < 15*time.Hour }
	write("cut.log", 5*time.Minute, hole)
	write("whole.log", 5*time.Minute, never)
	write("rare.log", 4*time.Hour, never)
	r := b.start()
	a := r.alertOf("self:time-gap")
	if !strings.Contains(a.Sample, "cut.log has no record between") || a.Count != 1 || a.Severity != detect.Medium {
		t.Errorf("the alert is %q, %d times", a.Sample, a.Count)
	}
	if ids := r.own(); len(ids) != 1 {
		t.Errorf("alerts: %v", ids)
	}
	r.end()
	r = b.start()
	r.until("all is read", func() bool { return r.Status().Progress == 1 && len(r.lines()) > 300 })
	if n, count := r.alertsOf("self:time-gap"); n != 1 || count != 1 {
		t.Errorf("after a restart: %d alerts, %d times", n, count)
	}

	alone := newBench(t, "cut.log") // nothing shows that the host was alive meanwhile
	b.dir, b.files, alone.t = alone.dir, alone.files, t
	write("cut.log", 5*time.Minute, hole)
	r = alone.start()
	r.until("the gap is a row", func() bool {
		l := r.lines()
		return len(l) > 0 && strings.Contains(l[len(l)-1], "cut.log has no record between")
	})
	if ids := r.own(); len(ids) != 0 {
		t.Errorf("alerts: %v", ids)
	}
}

// TestClockSetBack writes records that go on ten minutes earlier: one alert, and what
// follows is not late.
func TestClockSetBack(t *testing.T) {
	b := newBench(t, "a.log")
	r := b.start()
	r.following()
	now := time.Now().Truncate(time.Second)
	var text strings.Builder
	for i := range 20 {
		text.WriteString(stamped(now.Add(time.Duration(i)*time.Second), "before"))
	}
	b.write("a.log", text.String())
	r.until("the first are shown", func() bool { return len(r.lines()) == 20 })
	text.Reset()
	for i := range 20 {
		text.WriteString(stamped(now.Add(time.Duration(i)*time.Second-10*time.Minute), "after"))
	}
	b.write("a.log", text.String())
	a := r.alertOf("self:clock-back")
	if !strings.Contains(a.Sample, "had reached") || a.Count != 1 || len(a.Group) > 1 {
		t.Errorf("the alert is %q, %d times, about %v", a.Sample, a.Count, a.Group)
	}
	var late int
	first, next := r.Bounds()
	for seq := first; seq < next; seq++ {
		var e event.Event
		if err := r.Read(seq, &e); err != nil {
			t.Fatal(err)
		}
		if e.Flags&event.FlagLate != 0 {
			late++
		}
	}
	if want := backRun; late != want || r.Sources()[0].Late != uint64(want) {
		t.Errorf("%d records are late, the source says %d, want %d", late, r.Sources()[0].Late, want)
	}
}
