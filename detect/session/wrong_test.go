package session_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"bartizan/detect/session"
)

// took is an index that has heard the lines.
func took(t testing.TB, lines ...string) *session.Index {
	t.Helper()
	x := session.New(session.Options{})
	for _, e := range parsed(t, lines...) {
		x.Take(e)
	}
	return x
}

// login is what sshd says of one that came in over so many seconds after three.
func login(at, pid int, user, from string) []string {
	return []string{
		auth(at, "sshd", pid, fmt.Sprintf("Accepted password for %s from %s port 50022 ssh2", user, from)),
		auth(at, "sshd", pid, fmt.Sprintf("pam_unix(sshd:session): session opened for user %s(uid=1009) by (uid=0)", user)),
	}
}

// userOf is who the login is of that a line is joined to, "?" behind it where it is
// doubted, "" where it is joined to none.
func userOf(t testing.TB, x *session.Index, line string) string {
	t.Helper()
	var out []string
	for _, j := range x.Joins(parsed(t, line)[0]) {
		a, ok := x.Session(j.Session)
		if !ok {
			t.Fatalf("session %q is not known", j.Session)
		}
		who := a.User
		if j.Doubt != "" {
			who += "?"
		}
		out = append(out, who)
	}
	return strings.Join(out, " ")
}

// TestNobodyIsBlamedForAnother has records that look as if they were of a session
// and are not, or may not be.
func TestNobodyIsBlamedForAnother(t *testing.T) {
	const day = 24 * 3600
	alice := login(0, 700, "alice", "203.0.113.66")
	sudoAt := func(at, pid int, user, tty, as string) string {
		return auth(at, "sudo", pid, fmt.Sprintf("  %s : TTY=%s ; PWD=/ ; USER=%s ; COMMAND=/bin/id", user, tty, as))
	}
	audit := []string{
		audited(1, 1, "LOGIN", "pid=700 uid=0 old-auid=4294967295 auid=1009 tty=(none) old-ses=4294967295 ses=4 res=1"),
		audited(30, 2, "USER_CMD", `pid=900 uid=1009 auid=1009 ses=4 msg='cwd="/" cmd="id" exe="/usr/bin/sudo" terminal=pts/1 res=success'`),
	}
	cron := []string{
		audited(1, 1, "LOGIN", "pid=555 uid=0 old-auid=4294967295 auid=1009 tty=(none) old-ses=4294967295 ses=9 res=1"),
		audited(1, 2, "USER_START", `pid=555 uid=0 auid=1009 ses=9 msg='op=PAM:session_open acct="alice" exe="/usr/sbin/cron" hostname=? addr=? terminal=cron res=success'`),
	}
	for _, c := range []struct {
		name   string
		before []string
		line   string
		want   string
	}{
		{
			"sshd's process number again, from elsewhere", alice,
			auth(day, "sshd", 700, "Failed password for root from 198.51.100.7 port 4711 ssh2"), "",
		},
		{
			"the same connection", alice,
			auth(60, "sshd", 700, "Received disconnect from 203.0.113.66 port 50022:11: disconnected by user"), "alice",
		},
		{
			"sudo's process number again", append(append(append([]string{}, alice...), audit...), auth(60, "sshd", 700, "pam_unix(sshd:session): session closed for user alice"), sudoAt(day, 900, "bob", "pts/3", "root")),
			auth(day, "sudo", 900, "pam_unix(sudo:session): session opened for user root(uid=0) by bob(uid=1010)"), "",
		},
		{
			"a terminal on which another became root yesterday",
			append(append([]string{}, alice...), sudoAt(30, 900, "alice", "pts/1", "root"), auth(60, "sshd", 700, "pam_unix(sshd:session): session closed for user alice")),
			sudoAt(day, 950, "root", "pts/1", "postgres"), "",
		},
		{"no terminal: a job of the same user may run", alice, sudoAt(30, 900, "alice", "unknown", "root"), "alice?"},
		{"nothing but the name", alice, sudoAt(30, 900, "alice", "pts/1", "root"), "alice?"},
		{"a terminal is no cron job's", cron, sudoAt(30, 900, "alice", "pts/1", "root"), ""},
		{
			"the journal's number of another user's session", append(append([]string{}, alice...), audit...),
			fmt.Sprintf(`{"MESSAGE":"backup began","__REALTIME_TIMESTAMP":"%d","_HOSTNAME":"web-2","_AUDIT_SESSION":"4","_AUDIT_LOGINUID":"1010","_PID":"999","SYSLOG_IDENTIFIER":"backup","PRIORITY":"6"}`,
				begin.Add(day*time.Second).UnixMicro()), "",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := userOf(t, took(t, c.before...), c.line); got != c.want {
				t.Errorf("it is said to be of %q, want %q", got, c.want)
			}
		})
	}
}

// TestAProcessNumberIsNotALoginTwice has another user let in by a process of the
// same number before the first login's end was heard.
func TestAProcessNumberIsNotALoginTwice(t *testing.T) {
	first := login(0, 700, "alice", "203.0.113.66")
	x := took(t, append(first, login(60, 700, "mallory", "198.51.100.7")...)...)
	if got := userOf(t, x, first[0]); got != "alice" {
		t.Errorf("alice's login is said to be of %q", got)
	}
}

// TestRolesAreNotBlamedByName has session names that whoever assumes a role chooses.
func TestRolesAreNotBlamedByName(t *testing.T) {
	const a, b = "111122223333", "222233334444"
	toAdmin := call(t, 0, "AssumeRole", iamUser("alice", a, "AKIAEXAMPLEALICE0001"), given("Admin", "work", b, "ASIAEXAMPLEADMIN0001"))
	sso := func(path string) map[string]any {
		who := roleSession("AWSReservedSSO_Admin_0123456789abcdef", "alice", b, "ASIAEXAMPLESSO000001")
		who["sessionContext"].(map[string]any)["sessionIssuer"].(map[string]any)["arn"] = "arn:aws:iam::" + b + ":role/" + path + "AWSReservedSSO_Admin_0123456789abcdef"
		return who
	}
	for _, c := range []struct {
		name    string
		who     map[string]any
		behind  string
		doubted bool
	}{
		{"a key that nobody was seen to get", roleSession("Admin", "work", b, "ASIAEXAMPLEOTHER0001"), "alice", true},
		{"its own key", roleSession("Admin", "work", b, "ASIAEXAMPLEADMIN0001"), "alice", false},
		{"a role named like Identity Center's", sso(""), "", false},
		{"Identity Center's", sso("aws-reserved/sso.amazonaws.com/eu-west-1/"), "alice", false},
		{"a session named like an instance", roleSession("web", "i-0c4f2a1b9d7e83056", a, "ASIAEXAMPLEINSTANCE1"), "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			list := took(t, toAdmin).Joins(parsed(t, call(t, 70, "DeleteTrail", c.who, nil))[0])
			var j session.Join
			if len(list) > 0 {
				j = list[0]
			}
			if j.Behind != c.behind || (j.Doubt != "") != c.doubted {
				t.Errorf("behind it is %q, doubt %q", j.Behind, j.Doubt)
			}
		})
	}
}

// TestWhoWasInThePodIsNotSurelyWhoDidIt has time and a pod alone.
func TestWhoWasInThePodIsNotSurelyWhoDidIt(t *testing.T) {
	x := took(t, kubeExec("a1", "ResponseStarted", "exec", "jane@shop.example", 0, 1, 101))
	e := parsed(t, falcoAlert(40, "shop", "web-1"))[0]
	if list := x.Joins(e); len(list) != 1 || list[0].Doubt == "" {
		t.Errorf("jane is behind what happened in that pod: %+v", list)
	}
	other := strings.Replace(falcoAlert(40, "shop", "web-1"), `"proc.name"`, `"container.name":"sidecar","proc.name"`, 1)
	if list := x.Joins(parsed(t, other)[0]); list != nil {
		t.Errorf("jane was in container app, not in the sidecar: %+v", list)
	}
}

// TestOneProcessDoesNotDriveOutAll has one connection that changes its name all the
// time: what it holds does not grow.
func TestOneProcessDoesNotDriveOutAll(t *testing.T) {
	x := took(t, login(0, 1, "alice", "203.0.113.66")...)
	before := x.Stats().Bytes
	for i := range 2000 {
		for _, e := range parsed(t, auth(1, "sshd", 1, fmt.Sprintf("pam_unix(sshd:session): session opened for user %s%04d(uid=1009) by (uid=0)", strings.Repeat("x", 200), i))) {
			x.Take(e)
		}
	}
	if s := x.Stats(); s.Bytes > before+1000 {
		t.Errorf("one login is counted as %d bytes, %d before", s.Bytes, before)
	}
}
