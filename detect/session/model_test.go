package session_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"bartizan/detect/session"
	"bartizan/event"
)

// told is a record with the number of the login it belongs to.
type told struct {
	e     *event.Event
	login int
}

// town is some hosts on which people come and go: what each source delivers, in
// its order. Processes are used again once they are over.
func town(t testing.TB, hosts, logins int) [][]told {
	t.Helper()
	var out [][]told
	n := 0
	for h := range hosts {
		var syslog, audit []string
		var syslogOf, auditOf []int
		host := fmt.Sprint("h", h)
		at := func(sec int) string { return begin.Add(time.Duration(sec) * time.Second).Format(time.RFC3339) }
		say := func(login, sec int, program string, pid int, format string, args ...any) {
			syslog = append(syslog, fmt.Sprintf("%s %s %s[%d]: ", at(sec), host, program, pid)+fmt.Sprintf(format, args...))
			syslogOf = append(syslogOf, login)
		}
		record := func(login, sec int, kind, format string, args ...any) {
			audit = append(audit, fmt.Sprintf("node=%s type=%s msg=audit(%d.000:%d): ", host, kind, begin.Unix()+int64(sec), len(audit)+1)+fmt.Sprintf(format, args...))
			auditOf = append(auditOf, login)
		}
		for k := range logins {
			n++
			from, pid, port, ses, user := k*400, 700+k%3, 5000+n, k+1, fmt.Sprint("u", k%2)
			say(n, from, "sshd", pid, "Accepted password for %s from 203.0.113.9 port %d ssh2", user, port)
			record(n, from, "LOGIN", "pid=%d uid=0 old-auid=4294967295 auid=%d tty=(none) old-ses=4294967295 ses=%d res=1", pid, 1000+k%2, ses)
			say(n, from+1, "sshd", pid, "pam_unix(sshd:session): session opened for user %s(uid=%d) by (uid=0)", user, 1000+k%2)
			record(n, from+20, "USER_CMD", `pid=%d uid=1 auid=%d ses=%d msg='cwd="/" cmd="id" exe="/usr/bin/sudo" terminal=pts/0 res=success'`, 900+k%2, 1000+k%2, ses)
			say(n, from+20, "sudo", 900+k%2, "%s : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/id", user)
			record(n, from+30, "SYSCALL", `arch=c000003e syscall=59 success=yes ppid=1 pid=820 auid=%d uid=0 tty=pts0 ses=%d comm="id" exe="/usr/bin/id"`, 1000+k%2, ses)
			say(n, from+390, "sshd", pid, "pam_unix(sshd:session): session closed for user %s", user)
		}
		for _, s := range []struct {
			lines []string
			of    []int
		}{{syslog, syslogOf}, {audit, auditOf}} {
			var list []told
			for i, e := range parsed(t, s.lines...) {
				list = append(list, told{e, s.of[i]})
			}
			out = append(out, list)
		}
	}
	return out
}

// woven takes the sources in any order, each in its own.
func woven(t *rapid.T, from [][]told) []told {
	rest := slices.Clone(from)
	var out []told
	for len(rest) > 0 {
		i := rapid.IntRange(0, len(rest)-1).Draw(t, "source")
		n := rapid.IntRange(1, len(rest[i])).Draw(t, "records")
		out = append(out, rest[i][:n]...)
		if rest[i] = rest[i][n:]; len(rest[i]) == 0 {
			rest = slices.Delete(rest, i, i+1)
		}
	}
	return out
}

func TestAgainstModel(t *testing.T) {
	sources := town(t, 2, 6)
	rapid.Check(t, func(t *rapid.T) {
		bound := 0
		if rapid.Bool().Draw(t, "small") {
			bound = rapid.IntRange(3000, 30_000).Draw(t, "bytes")
		}
		all := woven(t, sources)
		x, again := session.New(session.Options{MaxBytes: bound}), session.New(session.Options{MaxBytes: bound})
		for _, r := range all {
			x.Take(r.e)
			if s := x.Stats(); bound > 0 && s.Bytes > bound+2000 { // of each kind one fact is always kept
				t.Fatalf("it holds %d bytes of %d", s.Bytes, bound)
			}
		}
		for _, r := range all {
			again.Take(r.e)
		}
		idOf, loginOf := map[int]string{}, map[string]int{}
		for _, r := range all {
			list := x.Joins(r.e)
			if fmt.Sprint(list) != fmt.Sprint(again.Joins(r.e)) {
				t.Fatalf("a replay joins %q otherwise", r.e.Message)
			}
			if len(list) == 0 && bound > 0 {
				continue // forgotten
			}
			if bound > 0 && (len(list) > 1 || list[0].Doubt != "" || list[0].How != "audit's record of the same process" && r.e.FormatName == "sudo") {
				continue // what would tell is forgotten: it says so, or how it knows
			}
			if len(list) != 1 || list[0].Doubt != "" {
				t.Fatalf("%q is joined to %+v", r.e.Message, list)
			}
			id := list[0].Session
			if bound > 0 {
				if n, ok := loginOf[id]; ok && n != r.login {
					t.Fatalf("%q of login %d is joined to %s of login %d", r.e.Message, r.login, id, n)
				}
				loginOf[id] = r.login
				continue
			}
			if had, ok := idOf[r.login]; ok && had != id {
				t.Fatalf("login %d is %s and %s", r.login, had, id)
			}
			if n, ok := loginOf[id]; ok && n != r.login {
				t.Fatalf("%s is login %d and %d", id, n, r.login)
			}
			idOf[r.login], loginOf[id] = id, r.login
		}
		if s := x.Stats(); bound == 0 && (s.Logins != 12 || s.Forgotten != 0) {
			t.Fatalf("12 logins are %+v", s)
		}
	})
}

// TestBound has an attacker who logs in ever anew, and keys given out ever anew.
func TestBound(t *testing.T) {
	const bound = 64 << 10
	x := session.New(session.Options{MaxBytes: bound})
	e := parsed(t, auth(0, "sshd", 700, "Accepted password for deploy from 203.0.113.66 port 50022 ssh2"))[0]
	pid := slices.IndexFunc(e.Fields, func(f event.Field) bool { return f.Name == "process.pid" })
	grant := parsed(t, call(t, 0, "AssumeRole", iamUser("alice", "1", "AKIA"), given("Admin", "work", "2", "KEY")))[0]
	key := slices.IndexFunc(grant.Fields, func(f event.Field) bool { return f.Name == "responseElements.credentials.accessKeyId" })
	exec := parsed(t, kubeExec("a1", "ResponseStarted", "exec", "jane", 0, 1, 101))[0]
	id := slices.IndexFunc(exec.Fields, func(f event.Field) bool { return f.Name == "auditID" })
	for i := range 3000 {
		e.Fields[pid].Value.Str = fmt.Sprint(i)
		grant.Fields[key].Value.Str = fmt.Sprint("ASIA", i)
		exec.Fields[id].Value.Str = fmt.Sprint("a", i)
		for _, e := range []*event.Event{e, grant, exec} {
			x.Take(e)
		}
		if s := x.Stats(); s.Bytes > bound {
			t.Fatalf("%d bytes are held", s.Bytes)
		}
	}
	s := x.Stats()
	if s.Forgotten == 0 || s.Logins+s.Credentials+s.Execs > bound/100 || s.Logins == 0 {
		t.Errorf("after 9,000 facts it holds %+v", s)
	}
	if list := x.Joins(e); len(list) != 1 {
		t.Errorf("the newest login is joined to %+v", list)
	}
}

func BenchmarkTake(b *testing.B) {
	login, audit := night()
	for _, c := range []struct {
		name string
		e    *event.Event
	}{
		{"nginx", parsed(b, `203.0.113.9 - - [01/Mar/2026:03:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "curl/8"`)[0]},
		{"failed-password", parsed(b, auth(5, "sshd", 701, "Failed password for root from 198.51.100.7 port 4711 ssh2"))[0]},
		{"cloudtrail", parsed(b, call(b, 9, "ListBuckets", iamUser("alice", "1", "AKIA"), nil))[0]},
		{"accepted", parsed(b, login[1])[0]},
		{"audit-syscall", parsed(b, audit[4])[0]},
	} {
		b.Run(c.name, func(b *testing.B) {
			x := session.New(session.Options{})
			b.ReportAllocs()
			for b.Loop() {
				x.Take(c.e)
			}
		})
	}
}

func BenchmarkAnnotate(b *testing.B) {
	login, audit := night()
	x := session.New(session.Options{})
	for _, e := range parsed(b, append(append([]string{}, login...), audit...)...) {
		x.Take(e)
	}
	for _, c := range []struct {
		name string
		e    *event.Event
	}{
		{"nginx", parsed(b, `203.0.113.9 - - [01/Mar/2026:03:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "curl/8"`)[0]},
		{"sshd", parsed(b, login[1])[0]},
		{"audit-syscall", parsed(b, audit[4])[0]},
		{"sudo", parsed(b, login[6])[0]},
		{"role", parsed(b, call(b, 9, "ListBuckets", roleSession("Admin", "work", "2", "ASIAX"), nil))[0]},
	} {
		b.Run(c.name, func(b *testing.B) {
			var room []event.Field
			fields := c.e.Fields
			b.ReportAllocs()
			for b.Loop() {
				c.e.Fields = fields
				x.Annotate(c.e, &room)
			}
		})
	}
}
