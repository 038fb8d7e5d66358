package session_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"bartizan/detect/session"
	"bartizan/event"
	"bartizan/sources"
	"bartizan/sources/parse"
)

// parsed reads lines as one source delivers them.
func parsed(t testing.TB, lines ...string) []*event.Event {
	t.Helper()
	s := parse.NewRegistry(parse.Options{}).Stream(sources.Info{ID: "file:test", Kind: "file"})
	var out []*event.Event
	for i, l := range lines {
		var slab parse.Slab
		var e event.Event
		s.Parse(&sources.Record{Raw: []byte(l), Line: int64(i + 1), Seen: time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC), Ref: event.Ref{Source: "file:test"}}, &slab, &e)
		out = append(out, e.Clone())
	}
	return out
}

// auth is a line of auth.log on web-2, so many seconds after three o'clock.
func auth(at int, program string, pid int, message string) string {
	return fmt.Sprintf("%s web-2 %s[%d]: %s", begin.Add(time.Duration(at)*time.Second).Format(time.RFC3339), program, pid, message)
}

// audited is a record of audit's on web-2.
func audited(at int, serial int, kind, rest string) string {
	return fmt.Sprintf("node=web-2 type=%s msg=audit(%d.000:%d): %s", kind, begin.Unix()+int64(at), serial, rest)
}

var begin = time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)

// night is one login with all that an attentive host logs of it.
func night() (syslog, audit []string) {
	syslog = []string{
		auth(0, "sshd", 700, "Connection from 203.0.113.66 port 50022 on 10.0.0.2 port 22 rdomain \"\""),
		auth(1, "sshd", 700, "Accepted publickey for deploy from 203.0.113.66 port 50022 ssh2: ED25519 SHA256:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg"),
		auth(1, "sshd", 700, "pam_unix(sshd:session): session opened for user deploy(uid=1009) by (uid=0)"),
		auth(1, "systemd-logind", 600, "New session 12 of user deploy."),
		auth(1, "sshd", 700, "User child is on pid 730"),
		auth(2, "sshd", 730, "Starting session: shell on pts/1 for deploy from 203.0.113.66 port 50022 id 0"),
		auth(10, "sudo", 801, "  deploy : TTY=pts/1 ; PWD=/home/deploy ; USER=root ; COMMAND=/bin/bash"),
		auth(10, "sudo", 801, "pam_unix(sudo:session): session opened for user root(uid=0) by deploy(uid=1009)"),
		auth(20, "su", 810, "(to postgres) root on pts/1"),
		auth(20, "su", 810, "pam_unix(su:session): session opened for user postgres(uid=70) by root(uid=0)"),
		auth(600, "sshd", 730, "Received disconnect from 203.0.113.66 port 50022:11: disconnected by user"),
		auth(600, "sshd", 730, "Disconnected from user deploy 203.0.113.66 port 50022"),
		auth(600, "sshd", 700, "pam_unix(sshd:session): session closed for user deploy"),
		auth(601, "systemd-logind", 600, "Removed session 12."),
	}
	audit = []string{
		audited(1, 90, "LOGIN", "pid=700 uid=0 old-auid=4294967295 auid=1009 tty=(none) old-ses=4294967295 ses=12 res=1"),
		audited(1, 91, "USER_START", `pid=700 uid=0 auid=1009 ses=12 msg='op=PAM:session_open acct="deploy" exe="/usr/sbin/sshd" hostname=203.0.113.66 addr=203.0.113.66 terminal=ssh res=success'`),
		audited(2, 92, "USER_LOGIN", `pid=700 uid=0 auid=1009 ses=12 msg='op=login id=1009 exe="/usr/sbin/sshd" hostname=203.0.113.66 addr=203.0.113.66 terminal=/dev/pts/1 res=success'`),
		audited(10, 95, "USER_CMD", `pid=801 uid=1009 auid=1009 ses=12 msg='cwd="/home/deploy" cmd="bash" exe="/usr/bin/sudo" terminal=pts/1 res=success'`),
		audited(12, 99, "SYSCALL", `arch=c000003e syscall=59 success=yes exit=0 a0=1 a1=2 a2=3 a3=4 items=2 ppid=801 pid=820 auid=1009 uid=0 gid=0 tty=pts1 ses=12 comm="cat" exe="/usr/bin/cat" key=(null)`),
	}
	return syslog, audit
}

// joinsOf is what each record is joined to, as "id" or "id?" where it is doubted.
func joinsOf(x *session.Index, list []*event.Event) []string {
	var out []string
	for _, e := range list {
		var all []string
		for _, j := range x.Joins(e) {
			id := j.Session
			if j.Doubt != "" {
				id += "?"
			}
			all = append(all, id)
		}
		out = append(out, strings.Join(all, " "))
	}
	return out
}

func TestOneLoginIsOneSession(t *testing.T) {
	syslog, audit := night()
	for name, order := range map[string][]string{
		"syslog alone":   syslog,
		"syslog first":   append(slices.Clone(syslog), audit...),
		"audit first":    append(slices.Clone(audit), syslog...),
		"syslog, others": append(append(slices.Clone(syslog), audit...), auth(5, "sshd", 701, "Failed password for root from 198.51.100.7 port 4711 ssh2")),
	} {
		events := parsed(t, order...)
		x := session.New(session.Options{})
		for _, e := range events {
			x.Take(e)
		}
		got := joinsOf(x, events)
		for i, id := range got {
			if failed := strings.Contains(order[i], "Failed password"); failed != (id == "") || !failed && id != got[1] {
				t.Errorf("%s: %q is joined to %q, want %q", name, order[i], id, got[1])
			}
		}
		about, ok := x.Session(got[1])
		if !ok || about.User != "deploy" || about.IP != "203.0.113.66" || about.Port != "50022" || about.Ses != "12" || about.UID != "1009" ||
			!strings.HasPrefix(about.Key, "SHA256:n4bQ") || !slices.Equal(about.TTYs, []string{"pts/1"}) ||
			about.Began.Sub(begin).Round(time.Minute) != 0 || about.Ended.Sub(begin).Round(time.Minute) != 10*time.Minute {
			t.Errorf("%s: the session is %+v", name, about)
		}
	}
}

// TestJoinOfSudo has what a sudo line tells about its session, from a process that
// audit knows to nothing at all.
func TestJoinOfSudo(t *testing.T) {
	in := func(pid, port int, user string, at int) []string {
		return []string{
			auth(at, "sshd", pid, fmt.Sprintf("Accepted password for %s from 203.0.113.66 port %d ssh2", user, port)),
			auth(at, "sshd", pid, fmt.Sprintf("pam_unix(sshd:session): session opened for user %s(uid=1009) by (uid=0)", user)),
		}
	}
	shell := func(pid, port int, tty string) string {
		return auth(3, "sshd", pid, fmt.Sprintf("Starting session: shell on %s for deploy from 203.0.113.66 port %d id 0", tty, port))
	}
	out := func(pid int, at int) string {
		return auth(at, "sshd", pid, "pam_unix(sshd:session): session closed for user deploy")
	}
	sudo := auth(30, "sudo", 900, "  deploy : TTY=pts/1 ; PWD=/ ; USER=root ; COMMAND=/bin/id")
	as := func(user string) string {
		return auth(40, "sudo", 901, "  "+user+" : TTY=pts/1 ; PWD=/ ; USER=nobody ; COMMAND=/bin/id")
	}
	for _, c := range []struct {
		name, want string // want: the process of the login, "?" behind it where it is doubted
		lines      []string
	}{
		{"the only session of the user", "700?", in(700, 5001, "deploy", 0)},
		{"two sessions, one of them on that terminal", "710", append(append(in(700, 5001, "deploy", 0), in(710, 5002, "deploy", 1)...), shell(700, 5001, "pts/0"), shell(710, 5002, "pts/1"))},
		{"two sessions, nothing tells", "710? 700?", append(in(700, 5001, "deploy", 0), in(710, 5002, "deploy", 1)...)},
		{"the other one is over", "710?", append(append(in(700, 5001, "deploy", 0), in(710, 5002, "deploy", 1)...), out(700, 20))},
		{"no session of that user", "", in(700, 5001, "amira", 0)},
		{"a session that is over", "", append(in(700, 5001, "deploy", 0), out(700, 20))},
		{"a session on another terminal", "", append(in(700, 5001, "deploy", 0), shell(700, 5001, "pts/7"))},
		{
			"two sessions, audit knows the process", "710",
			append(append(in(700, 5001, "deploy", 0), in(710, 5002, "deploy", 1)...),
				audited(1, 1, "LOGIN", "pid=710 uid=0 old-auid=4294967295 auid=1009 tty=(none) old-ses=4294967295 ses=4 res=1"),
				audited(30, 2, "USER_CMD", `pid=900 uid=1009 auid=1009 ses=4 msg='cwd="/" cmd="id" exe="/usr/bin/sudo" terminal=pts/1 res=success'`)),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := session.New(session.Options{})
			events := parsed(t, append(c.lines, sudo)...)
			for _, e := range events {
				x.Take(e)
			}
			got := joinsOf(x, events[len(events)-1:])[0]
			var short []string
			for _, id := range strings.Fields(got) {
				_, id, _ = strings.Cut(id, "/")
				pid, rest, _ := strings.Cut(id, "@")
				if strings.HasSuffix(rest, "?") {
					pid += "?"
				}
				short = append(short, pid)
			}
			if s := strings.Join(short, " "); s != c.want {
				t.Errorf("joined to %q, want %q", s, c.want)
			}
		})
	}
	t.Run("as whom somebody became", func(t *testing.T) {
		x := session.New(session.Options{})
		for _, e := range parsed(t, append(in(700, 5001, "deploy", 0), shell(700, 5001, "pts/1"), sudo)...) {
			x.Take(e)
		}
		root := parsed(t, as("root"))
		if got := x.Joins(root[0]); len(got) != 1 || got[0].How != "deploy became root on pts/1" || got[0].Doubt != "" {
			t.Errorf("what root did on that terminal is joined to %+v", got)
		}
		if got := x.Joins(parsed(t, as("amira"))[0]); got != nil {
			t.Errorf("what a stranger did there is joined to %+v", got)
		}
	})
}

// TestNumbersAreUsedAgain has a process and a session number of another boot.
func TestNumbersAreUsedAgain(t *testing.T) {
	login := func(at int, user string, uid int) []string {
		return []string{
			auth(at, "sshd", 700, fmt.Sprintf("Accepted password for %s from 203.0.113.66 port 50022 ssh2", user)),
			audited(at, at, "LOGIN", fmt.Sprintf("pid=700 uid=0 old-auid=4294967295 auid=%d tty=(none) old-ses=4294967295 ses=1 res=1", uid)),
			audited(at+30, at+1, "SYSCALL", fmt.Sprintf(`arch=c000003e syscall=59 success=yes ppid=1 pid=820 auid=%d uid=0 tty=pts0 ses=1 comm="id" exe="/usr/bin/id"`, uid)),
		}
	}
	events := parsed(t, append(login(0, "amira", 1001), login(7200, "bruno", 1002)...)...)
	x := session.New(session.Options{})
	for _, e := range events {
		x.Take(e)
	}
	got := joinsOf(x, events)
	if got[0] == "" || got[3] == "" || got[0] == got[3] || got[0] != got[2] || got[3] != got[5] {
		t.Errorf("two logins with the same numbers are joined as %q", got)
	}
	if a, _ := x.Session(got[3]); a.User != "bruno" {
		t.Errorf("the second login is %+v", a)
	}
}

func TestJournalKnowsTheSession(t *testing.T) {
	syslog, audit := night()
	events := parsed(t, append(syslog[:3], audit[:2]...)...)
	x := session.New(session.Options{})
	for _, e := range events {
		x.Take(e)
	}
	entry := parsed(t, fmt.Sprintf(`{"MESSAGE":"backup of the shop began","__REALTIME_TIMESTAMP":"%d","_HOSTNAME":"web-2","_AUDIT_SESSION":"12","_PID":"999","SYSLOG_IDENTIFIER":"backup","PRIORITY":"6"}`,
		begin.Add(time.Minute).UnixMicro()))
	if got, want := joinsOf(x, entry)[0], joinsOf(x, events[:2])[1]; got != want || got == "" {
		t.Errorf("a journal entry of session 12 is joined to %q, want %q", got, want)
	}
}

func TestAnnotate(t *testing.T) {
	syslog, _ := night()
	events := parsed(t, syslog...)
	x := session.New(session.Options{})
	for _, e := range events {
		x.Take(e)
	}
	e, plain := events[6], len(events[6].Fields)
	var room []event.Field
	x.Annotate(e, &room)
	if v := e.Text(event.FieldSession); v == "" || v != x.Joins(e)[0].Session || len(e.Fields) != plain+1 || e.Text(event.FieldDoubt) != "" {
		t.Errorf("the sudo line has %q and %d fields more", v, len(e.Fields)-plain)
	}
	other := parsed(t, `203.0.113.9 - - [01/Mar/2026:03:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "curl/8"`)[0]
	if n := len(other.Fields); n == 0 {
		t.Fatal("the web line has no fields")
	} else if x.Annotate(other, &room); len(other.Fields) != n {
		t.Error("a web line was annotated")
	}
}
