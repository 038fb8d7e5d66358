package triage

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"bartizan/detect"
	"bartizan/event"
)

func TestHostOf(t *testing.T) {
	for id, want := range map[event.SourceID]string{
		"agent:web-1":             "web-1",
		"agent:web-1/auth":        "web-1",
		"agent:web-1/nginx/a.log": "web-1",
		"ssh:root@web-1/auth":     "web-1",
		"tail:web-1/var/log/x":    "web-1",
		"tail:root@[::1]/var/log": "::1",
		"ssh:[fe80::1%eth0]":      "fe80::1%eth0",
		"file:/var/log/auth.log":  "",
		"stdin":                   "",
		"listen:0.0.0.0:7071":     "",
	} {
		if got := HostOf(id); got != want {
			t.Errorf("%s is of %q, want %q", id, got, want)
		}
	}
}

// fromHost is a hit of a record an agent sent.
func fromHost(host string, n byte) Hit {
	src := event.SourceID("agent:" + host + "/auth")
	return Hit{
		ID: HitID{n}, Rule: &detect.Rule{ID: "r", Title: "r", Severity: detect.High}, Group: []event.Entity{{Kind: event.EntityHost, Value: host}},
		Refs: []event.Ref{{Source: src}}, Event: &event.Event{Ref: event.Ref{Source: src}, Time: t0},
	}
}

func (b *Board) decide(t *testing.T, m Move) Entry {
	t.Helper()
	m.By, m.At = Actor{Name: "anna", UID: 1000}, t0.Add(time.Duration(b.last)*time.Minute)
	e, err := b.Check(m)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Commit(e); err != nil {
		t.Fatal(err)
	}
	return e
}

func marks(t *testing.T, b *Board, id AlertID) (hosts []string) {
	t.Helper()
	a, ok := b.Alert(id)
	if !ok {
		t.Fatal("the alert is gone")
	}
	for _, d := range a.Compromised {
		hosts = append(hosts, d.Host)
	}
	return hosts
}

// TestDistrust: the mark is on alerts there were, on alerts that come, and gone
// when it is undone or taken back; the journal makes the same of it again.
func TestDistrust(t *testing.T) {
	b := NewBoard()
	before, _ := b.Raise(fromHost("web-1", 1), t0)
	other, _ := b.Raise(fromHost("web-2", 2), t0)
	held, _ := b.Alert(before.Alert)
	var rows []Entry
	keep := func(e Entry) Entry { rows = append(rows, e); return e }
	for _, c := range []Change{before, other} {
		rows = append(rows, c.Entries...)
	}
	mark := keep(b.decide(t, Move{Do: DoDistrust, Host: "web-1", Note: "its sshd was replaced"}))
	if got := b.Distrusted(); len(got) != 1 || got[0] != (Distrust{"web-1", mark.At, "anna", "its sshd was replaced"}) {
		t.Fatalf("marked: %+v", got)
	}
	if len(held.Compromised) > 0 {
		t.Error("a snapshot that was handed out changed")
	}
	if got := marks(t, b, before.Alert); !slices.Equal(got, []string{"web-1"}) {
		t.Errorf("the alert there was is marked %q", got)
	}
	if a, _ := b.Alert(before.Alert); a.Version != held.Version {
		t.Error("a decision about the host made decisions about its alerts stale")
	}
	if got := marks(t, b, other.Alert); got != nil {
		t.Errorf("another host's alert is marked %q", got)
	}
	h := fromHost("web-1", 3)
	h.Rule = &detect.Rule{ID: "r2", Title: "r2"}
	later, _ := b.Raise(h, t0)
	rows = append(rows, later.Entries...)
	if got := marks(t, b, later.Alert); !slices.Equal(got, []string{"web-1"}) {
		t.Errorf("an alert that came later is marked %q", got)
	}
	var stored []*Alert
	for _, a := range b.Drain() {
		c := *a
		stored = append(stored, &c)
	}
	again, mended, err := Restore(stored, func(yield func(Entry, error) bool) {
		for _, e := range rows {
			var back Entry
			body, _ := Canonical(e)
			if err := json.Unmarshal(body, &back); err != nil || !yield(back, nil) {
				return
			}
		}
	})
	if err != nil || len(mended) > 0 || len(again.Distrusted()) != 1 || len(marks(t, again, before.Alert)) != 1 || marks(t, again, other.Alert) != nil {
		t.Errorf("from the journal: %v, %q, %+v", err, mended, again.Distrusted())
	}
	undo := b.decide(t, Move{Do: DoUndo, Undoes: mark.ID})
	if len(b.Distrusted()) > 0 || marks(t, b, before.Alert) != nil || undo.Host != "web-1" {
		t.Errorf("undone: %+v, %+v", b.Distrusted(), undo)
	}
	b.decide(t, Move{Do: DoUndo, Undoes: undo.ID})
	if len(b.Distrusted()) != 1 || len(marks(t, b, later.Alert)) != 1 {
		t.Error("undoing the undo did not bring the mark back")
	}
	b.decide(t, Move{Do: DoTrust, Host: "web-1", Note: "built anew"})
	if len(b.Distrusted()) > 0 || marks(t, b, later.Alert) != nil {
		t.Error("the host is trusted again, but marked")
	}
	if _, err := b.Check(Move{Do: DoUndo, Undoes: mark.ID, By: Actor{Name: "anna"}, At: t0}); !errors.Is(err, ErrIllegal) {
		t.Errorf("undone under a later decision: %v", err)
	}
}

func TestDistrustIsRefused(t *testing.T) {
	b := NewBoard()
	c, _ := b.Raise(fromHost("web-1", 1), t0)
	b.decide(t, Move{Do: DoDistrust, Host: "web-9", Note: "why"})
	for name, m := range map[string]Move{
		"no host":      {Do: DoDistrust, Note: "why"},
		"no reason":    {Do: DoDistrust, Host: "web-1", Note: " "},
		"long":         {Do: DoDistrust, Host: string(make([]byte, MaxHost+1)), Note: "why"},
		"no text":      {Do: DoDistrust, Host: "\xff", Note: "why"},
		"an alert":     {Do: DoDistrust, Host: "web-1", Note: "why", On: []AlertVersion{{c.Alert, 1}}},
		"twice":        {Do: DoDistrust, Host: "web-9", Note: "why"},
		"trusted":      {Do: DoTrust, Host: "web-1"},
		"another move": {Do: DoTake, Host: "web-1", On: []AlertVersion{{c.Alert, 1}}},
	} {
		m.By, m.At = Actor{Name: "anna"}, t0
		if _, err := b.Check(m); !errors.Is(err, ErrIllegal) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
