package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/query"
)

// session is the id of the session that the newest sudo line belongs to.
func (r *running) session() string {
	var e event.Event
	first, next := r.Bounds()
	for seq := next; seq > first; seq-- {
		if r.Read(seq-1, &e) == nil && e.FormatName == "sudo" {
			return e.Text(event.FieldSession)
		}
	}
	return ""
}

// found are the texts of the records that a filter shows.
func (r *running) found(filter string) []string {
	r.t.Helper()
	n, err := query.Parse(filter)
	if err != nil {
		r.t.Fatal(err)
	}
	m, err := query.Compile(n)
	if err != nil {
		r.t.Fatal(err)
	}
	var out []string
	var e event.Event
	first, next := r.Bounds()
	err = r.Scan(context.Background(), first, next, m, func(seq uint64) bool {
		if err := r.Read(seq, &e); err != nil {
			r.t.Error(err)
		}
		_, text, _ := strings.Cut(string(e.Raw), "]: ")
		out = append(out, text)
		return true
	})
	if err != nil {
		r.t.Error(err)
	}
	return out
}

// TestWhatBelongsTogether has a login, what was done in it and what was not: the
// filter finds it by the session, the alert names it, and a restart changes nothing.
func TestWhatBelongsTogether(t *testing.T) {
	b := newBench(t, "auth.log")
	b.rules = []*detect.Rule{rule(t, "shadow", "message: *shadow*")}
	base := time.Now().Add(-time.Hour)
	line := func(sec int, program, text string) string {
		return fmt.Sprintf("%s web-2 %s: %s\n", base.Add(time.Duration(sec)*time.Second).UTC().Format(time.RFC3339), program, text)
	}
	const (
		accepted = "Accepted password for deploy from 203.0.113.66 port 50022 ssh2"
		opened   = "pam_unix(sshd:session): session opened for user deploy(uid=1009) by (uid=0)"
		sudo     = "deploy : TTY=pts/1 ; PWD=/ ; USER=root ; COMMAND=/bin/cat /etc/shadow"
		closed   = "pam_unix(sshd:session): session closed for user deploy"
	)
	b.write("auth.log", line(0, "sshd[700]", accepted)+line(1, "sshd[700]", opened)+
		line(2, "sshd[701]", "Failed password for root from 198.51.100.7 port 4711 ssh2"))
	r := b.start()
	b.write("auth.log", line(9, "sudo[801]", sudo)+line(20, "sshd[700]", closed))
	want := []string{accepted, opened, sudo, closed}
	check := func() string {
		r.until("the hit is on the board", func() bool { return r.count("quick:shadow") == 1 && len(r.lines()) == 5 })
		id := r.session()
		if got := r.found(`session.joined: "` + id + `"`); !slices.Equal(got, want) {
			t.Errorf("the session %q has %q", id, got)
		}
		if s, ok := r.Session(id); !ok || s.User != "deploy" || s.Ended.Sub(s.Began) != 20*time.Second {
			t.Errorf("the session is %+v", s)
		}
		return id
	}
	id := check()
	list, _ := r.Desk().Alerts()
	if !slices.Contains(list[0].Entities, event.Entity{Kind: event.EntitySession, Role: event.RoleJoined, Value: id}) {
		t.Errorf("the alert is about %+v", list[0].Entities)
	}
	r.end()
	r = b.start()
	if again := check(); again != id {
		t.Errorf("after a restart the session is %q, not %q", again, id)
	}
}

// TestAgentsAreNotAskedWhatTheyCannotKnow has a filter that only this engine answers.
func TestAgentsAreNotAskedWhatTheyCannotKnow(t *testing.T) {
	r := newBench(t, "auth.log").start()
	for filter, refused := range map[string]bool{
		"user.name: root": false, "": false, "user.behind: alice": true, "level >= warning and not session.joined: *": true,
	} {
		if err := r.PushFilter(filter); (err != nil) != refused {
			t.Errorf("pushing %q answers %v", filter, err)
		}
	}
}
