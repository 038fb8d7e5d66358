package ui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"bartizan/event"
	"bartizan/triage"
)

// Distrusted folds the journal: what is undone does not count.
func (w *world) Distrusted() []triage.Distrust {
	w.mu.Lock()
	defer w.mu.Unlock()
	undone := map[triage.MoveID]bool{}
	for _, e := range w.journal {
		undone[e.Undoes] = true
	}
	var out []triage.Distrust
	for _, e := range w.journal {
		switch {
		case e.Do == triage.DoDistrust && !undone[e.ID]:
			out = append(out, triage.Distrust{Host: e.Host, Since: e.At, By: e.By.Name, Reason: e.Note})
		case e.Do == triage.DoTrust && !undone[e.ID]:
			out = nil
		}
	}
	return out
}

// hunt is the story with what three agents answer to a search.
func hunt() *world {
	w := story()
	w.files = append(w.files, &event.Event{
		Time: start.Add(-3 * time.Hour), Ref: event.Ref{Source: "agent:web-1/auth", File: event.FileID{Dev: 1, Ino: 7}, Offset: 512}, Line: 12, FormatName: "syslog",
		Raw: []byte("sshd[71]: Accepted publickey for deploy from 203.0.113.9 port 4022"), Native: 1,
		Fields: []event.Field{{Name: "source.ip", Value: event.Value{Str: "203.0.113.9", Pos: 41, End: 52}}},
	})
	w.answers = []Answer{
		{Agent: "web-1", Over: true, Matches: 1, Oldest: start.Add(-30 * time.Hour), Done: 1 << 20, Total: 1 << 20},
		{Agent: "web-2", Over: true, Matches: 1000, Oldest: start.Add(-5 * time.Hour), Done: 4096, Total: 1 << 20, Stopped: "the limit on records", Unread: []string{"auth.log.2.gz: unexpected EOF"}},
		{Agent: "db-1.example.org:7070", Over: true, Problem: "agent db-1.example.org:7070 did not answer within 15s", Unreachable: true},
	}
	return w
}

func TestGoldenAgents(t *testing.T) {
	for _, s := range []struct{ name, keys, typed string }{
		{"hunt", "p i +", ""},
		{"answers", "p i + A", ""},
		{"distrusted", "6 j j D", "its sshd was replaced"},
	} {
		for _, z := range sizes {
			t.Run(fmt.Sprintf("%s-%dx%d", s.name, z.w, z.h), func(t *testing.T) {
				d := newDriver(t, hunt(), nil)
				d.attach(z.w, z.h)
				d.press(s.keys)
				if s.typed != "" {
					d.typed(s.typed)
					d.press("enter")
				}
				checkShape(t, d, z.w, z.h)
				golden(t, fmt.Sprintf("testdata/%s-%dx%d.txt", s.name, z.w, z.h), d.screen())
			})
		}
	}
}

func TestSearchAsksAgents(t *testing.T) {
	w := hunt()
	d := newDriver(t, w, nil)
	d.attach(200, 50)
	d.press("p i A")
	d.sees("no agent was asked")
	d.press("+")
	d.sees("12 records; 1 day further back searched", "2 of 3 agents searched, 1 unreachable, 1 in part (A: each)", "back to")
	d.press("A")
	d.sees("web-2", "1,000 records", "stopped by the limit on records after 4,096 of 1,048,576 bytes", "unexpected EOF", "did not answer within 15s")
	w.around = func(ref event.Ref, n int) ([]*event.Event, []*event.Event, error) {
		if ref.File.Ino != 7 || ref.Offset != 512 {
			return nil, nil, errors.New("asked for another record")
		}
		return []*event.Event{{Raw: []byte("the line before"), Time: start}}, []*event.Event{{Raw: []byte("the line behind"), Time: start}}, nil
	}
	d.press("[ g g enter")
	d.sees("agent:web-1/auth, line 12", "the line before", "the line behind")
	w.around = func(event.Ref, int) ([]*event.Event, []*event.Event, error) {
		return nil, nil, errors.New("agent web-1 was lost while it searched")
	}
	d.press("[ enter")
	d.sees("agent web-1 was lost while it searched")
}

// TestSearchKnowsWhatIsInMemory: a record that an agent finds again is one record.
func TestSearchKnowsWhatIsInMemory(t *testing.T) {
	w := hunt()
	twin := w.files[0].Clone()
	twin.Seq = uint64(len(w.events)) + 1
	w.events = append(w.events, twin)
	d := newDriver(t, w, nil)
	d.press("p i")
	d.sees("12 records in memory")
	d.press("+")
	d.sees("12 records; 1 day further back searched")
}

// slowPast finds one record and then waits until it is called off.
type slowPast struct{ *world }

func (s slowPast) Search(ctx context.Context, _ string, _, _ time.Time, found func(*event.Event) bool, progress func(Searched)) error {
	progress(Searched{Agents: []Answer{{Agent: "web-1", Done: 1, Total: 2}}})
	found(s.files[0])
	<-ctx.Done()
	return ctx.Err()
}

func TestSearchIsCalledOff(t *testing.T) {
	w := hunt()
	d := newDriver(t, w, func(o *Options) { o.Past = slowPast{w} })
	d.attach(120, 40)
	d.press("p i")
	d.handle(keyMsg("+"))
	d.await("progress", func() bool { return strings.Contains(d.screen(), "searching 1 day further back, 25%, Esc stops") })
	d.press("esc")
	d.sees("12 records", "was called off at 25%", "0 of 1 agent searched")
}

func TestCompromisedHost(t *testing.T) {
	w := hunt()
	w.raise("ee0001", "Odd process", 3, 50, "message", "kube-probe")
	d := newDriver(t, w, nil)
	d.attach(120, 40)
	d.press("6 D")
	d.sees("there is no agent or ssh host under the cursor")
	d.press("j j D")
	d.sees("web-1: everything that comes from it will carry the mark")
	d.press("enter")
	d.sees("a reason is needed")
	d.press("D")
	d.typed("its sshd was replaced")
	d.press("enter")
	d.sees("web-1 is marked compromised; u undoes", "!! web-1/envoy", "from a host marked compromised since 2026-11-21 02:16:00 UTC by ana: its sshd was replaced")
	if e := w.journal[len(w.journal)-1]; e.Do != triage.DoDistrust || e.Host != "web-1" || len(e.On) != 0 {
		t.Fatalf("the journal has %+v", e)
	}
	d.press("9")
	d.sees("distrust  host web-1  its sshd was replaced")
	d.press("2")
	d.sees("!web-1/envoy")
	d.press("k enter")
	d.sees("marked compromised since")
	d.press("p i +")
	d.press("2 2 6 j j D")
	d.sees("web-1 was marked by ana: its sshd was replaced")
	d.typed("built anew")
	d.press("enter")
	d.sees("web-1 is trusted again")
	d.misses("!! web-1")
	d.press("u")
	d.sees("undid trust of host web-1", "!! web-1/envoy")
}

// TestMarkIsToldOnce: the sentence about a host stands below its first source only.
func TestMarkIsToldOnce(t *testing.T) {
	w := hunt()
	w.sources = append(w.sources, event.SourceStatus{ID: "agent:web-1/auth", Kind: "agent", Name: "web-1/auth", State: event.SourceLive})
	d := newDriver(t, w, nil)
	d.attach(120, 40)
	d.press("6 j j D")
	d.typed("its sshd was replaced")
	d.press("enter")
	if n := strings.Count(d.screen(), "from a host marked compromised"); n != 1 {
		t.Errorf("it stands there %d times:\n%s", n, d.screen())
	}
	if n := strings.Count(d.screen(), "!! "); n < 2 {
		t.Errorf("only %d sources carry the mark:\n%s", n, d.screen())
	}
}

// TestJournalGoesOn: a journal longer than a page says so and shows the rest.
func TestJournalGoesOn(t *testing.T) {
	w := story()
	for i := range journalRows + 5 {
		w.journal = append(w.journal, triage.Entry{ID: triage.MoveID(i + 1), At: start, By: triage.Actor{Name: "ana"}, Do: triage.DoReveal, Note: fmt.Sprintf("record %d.", i+1)})
	}
	d := newDriver(t, w, nil)
	d.press("9 G")
	d.sees("record 6.", "5 rows older; Enter shows more")
	d.press("enter G")
	d.sees("record 1.")
	d.misses("older;")
}

// TestQueueMarksCompromisedHosts: an alert with records from a marked host has the
// mark in every list of alerts.
func TestQueueMarksCompromisedHosts(t *testing.T) {
	w := story()
	id := w.alerts[0].ID
	w.set(id, func(a *triage.Alert) {
		a.Compromised = []triage.Distrust{{Host: "web-1", Since: start, By: "ana", Reason: "its sshd was replaced"}}
	})
	for _, z := range sizes {
		d := newDriver(t, w, nil)
		d.attach(z.w, z.h)
		d.sees("!! " + w.alerts[0].Title[:10])
		if strings.Count(d.screen(), "!! ") != 1 {
			t.Errorf("other alerts have it too:\n%s", d.screen())
		}
		d.press("p i")
		d.sees("!! " + w.alerts[0].Title[:10])
	}
}
