package parse

import (
	"strings"
	"testing"
	"time"

	"bartizan/event"
	"bartizan/sources"
)

// formatCase is one made-up record and what must be read out of it. fields are
// "name=value" separated by " | ", native or alias; "!name" must be absent.
type formatCase struct {
	raw    string
	format string
	level  string
	time   string // RFC 3339 with fraction; "" is the record's arrival
	fields string
}

// runCases parses each record as the only one of a source of kind info.
func runCases(t *testing.T, info sources.Info, cases []formatCase) {
	t.Helper()
	for _, c := range cases {
		r := testRegistry()
		var slab, other Slab
		var e event.Event
		r.Stream(info).Parse(&sources.Record{Raw: []byte(c.raw), Seen: seen, Ref: event.Ref{Source: "test"}}, &slab, &e)
		checkEvent(t, &e, []byte(c.raw))
		checkSame(t, r, &other, &e)
		if e.FormatName != c.format || e.Level.String() != c.level {
			t.Errorf("%q\n is %s/%s, want %s/%s", c.raw, e.FormatName, e.Level, c.format, c.level)
		}
		checkTime(t, &e, c)
		for _, f := range strings.Split(c.fields, " | ") {
			checkField(t, &e, f)
		}
	}
}

func checkTime(t *testing.T, e *event.Event, c formatCase) {
	t.Helper()
	want := seen
	if c.time != "" {
		var err error
		if want, err = time.Parse(time.RFC3339Nano, c.time); err != nil {
			t.Fatal(err)
		}
	}
	if !e.Time.Equal(want) {
		t.Errorf("%q\n is at %v, want %v", c.raw, e.Time, want)
	}
	if own := e.Flags&event.FlagNoTime == 0; own != (c.time != "") {
		t.Errorf("%q\n has the flags %b", c.raw, e.Flags)
	}
}

// checkField holds "name=value" against all values of that name.
func checkField(t *testing.T, e *event.Event, want string) {
	t.Helper()
	if want == "" {
		return
	}
	if gone, ok := strings.CutPrefix(want, "!"); ok {
		if v, have := e.Get(gone); have {
			t.Errorf("%q\n has %s=%q, want none", e.Raw, gone, v.Str)
		}
		return
	}
	name, text, _ := strings.Cut(want, "=")
	var have []string
	for i := range e.Fields {
		if e.Fields[i].Name == name {
			if have = append(have, e.Fields[i].Value.Str); e.Fields[i].Value.Str == text {
				return
			}
		}
	}
	t.Errorf("%q\n has %s=%q, want %q", e.Raw, name, have, text)
}

// ssh makes a syslog line of sshd with the year of seen.
func ssh(msg string) string { return "Nov  3 09:14:02 web-1 sshd[2211]: " + msg }

const at = "2026-11-03T09:14:02Z"

func TestSSHD(t *testing.T) {
	runCases(t, sources.Info{}, []formatCase{
		{
			ssh("Failed password for root from 203.0.113.9 port 40022 ssh2"), "sshd", "warning", at,
			"event=failed_password | user=root | src_ip=203.0.113.9 | src_port=40022 | method=password | event.outcome=failure | user.name=root | source.ip=203.0.113.9 | host.name=web-1 | process.pid=2211 | !invalid_user",
		},
		{
			ssh("Failed password for invalid user a from 192.0.2.66 port 1 ssh2 from 203.0.113.9 port 40022 ssh2"), "sshd", "warning", at,
			"user=a from 192.0.2.66 port 1 ssh2 | src_ip=203.0.113.9 | invalid_user=true",
		},
		{
			ssh("Failed keyboard-interactive/pam for amira from 2001:db8::9 port 1 ssh2"), "sshd", "warning", at,
			"event=failed_keyboard_interactive | src_ip=2001:db8::9 | source.ip=2001:db8::9",
		},
		{
			ssh("Accepted password for amira from 203.0.113.9 port 40022 ssh2"), "sshd", "info", at,
			"event=accepted_password | user=amira | event.outcome=success | event.action=accepted_password",
		},
		{
			ssh("Accepted publickey for amira from 198.51.100.7 port 5022 ssh2: ED25519 SHA256:Zm9vYmFy"), "sshd", "info", at,
			"event=accepted_publickey | method=publickey | key_type=ED25519 | fingerprint=SHA256:Zm9vYmFy | source.user.key=SHA256:Zm9vYmFy",
		},
		{
			strings.Replace(ssh("Invalid user oracle from 203.0.113.9 port 40022"), "sshd[", "sshd-session[", 1), "sshd", "warning", at,
			"event=invalid_user | user=oracle | src_ip=203.0.113.9 | program=sshd-session",
		},
		{ssh("Invalid user  from 203.0.113.9"), "sshd", "warning", at, "event=invalid_user | src_ip=203.0.113.9"},
		{
			ssh("Connection closed by authenticating user root 203.0.113.9 port 40022 [preauth]"), "sshd", "info", at,
			"event=connection_closed | user=root | src_ip=203.0.113.9 | preauth=true | !event.outcome",
		},
		{
			ssh("Connection closed by invalid user port 22 203.0.113.9 port 40022 [preauth]"), "sshd", "info", at,
			"user=port 22 | src_ip=203.0.113.9 | src_port=40022 | invalid_user=true",
		},
		{ssh("Connection reset by 203.0.113.9 port 40022"), "sshd", "info", at, "event=connection_reset | src_ip=203.0.113.9 | !preauth"},
		{ssh("Disconnected from user amira 203.0.113.9 port 40022"), "sshd", "info", at, "event=disconnected | user=amira"},
		{
			ssh("Received disconnect from 203.0.113.9 port 40022:11: disconnected by user"), "sshd", "info", at,
			"event=received_disconnect | src_port=40022 | reason=disconnected by user",
		},
		{
			ssh("error: maximum authentication attempts exceeded for invalid user pi from 203.0.113.9 port 9 ssh2 [preauth]"), "sshd", "warning", at,
			"event=max_auth_exceeded | user=pi | src_ip=203.0.113.9 | event.outcome=failure",
		},
		{
			ssh("Disconnecting authenticating user root 203.0.113.9 port 9: Too many authentication failures [preauth]"), "sshd", "warning", at,
			"event=disconnecting | user=root | reason=Too many authentication failures | preauth=true",
		},
		{
			ssh("Connection from 203.0.113.9 port 40022 on 198.51.100.1 port 22 rdomain \"\""), "sshd", "info", at,
			"event=connection | src_ip=203.0.113.9 | dst_ip=198.51.100.1 | destination.port=22",
		},
		{
			ssh("Unable to negotiate with 203.0.113.9 port 9: no matching host key type found. Their offer: ssh-dss [preauth]"), "sshd", "warning", at,
			"event=negotiation_failed | reason=no matching host key type found. Their offer: ssh-dss",
		},
		{ssh("Bad protocol version identification 'GET / from 192.0.2.1' from 203.0.113.9 port 9"), "sshd", "warning", at, "event=bad_protocol | src_ip=203.0.113.9"},
		{
			ssh("User amira from 203.0.113.9 not allowed because not listed in AllowUsers"), "sshd", "warning", at,
			"event=user_not_allowed | user=amira | src_ip=203.0.113.9 | reason=not listed in AllowUsers",
		},
		{ssh("Timeout before authentication for connection from 203.0.113.9 to 198.51.100.1, pid = 7"), "sshd", "warning", at, "event=timeout_preauth | src_ip=203.0.113.9"},
		{ssh("drop connection #4 from [203.0.113.9]:5511 on [198.51.100.1]:22 penalty: failed authentication"), "sshd", "warning", at, "event=drop_connection | src_ip=203.0.113.9 | src_port=5511"},
		{
			ssh("pam_unix(sshd:session): session opened for user amira(uid=1000) by (uid=0)"), "sshd", "info", at,
			"event=session_opened | user=amira | uid=1000 | pam_service=sshd | event.outcome=success | user.name=amira",
		},
		{
			ssh("pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.9  user=root"), "sshd", "warning", at,
			"event=auth_failure | rhost=203.0.113.9 | source.ip=203.0.113.9 | user.name=root | !logname",
		},
		{ssh("message repeated 2 times: [ Failed password for root from 203.0.113.9 port 1 ssh2]"), "sshd", "warning", at, "event=failed_password | repeated=2 | src_ip=203.0.113.9"},
		{ssh("Starting session: shell on pts/0 for amira from 203.0.113.9 port 2 id 0"), "sshd", "info", at, "event=session_started | user=amira | tty=pts/0"},
		{ssh("refused connect from host.example (203.0.113.9)"), "sshd", "warning", at, "event=refused_connect | src_ip=203.0.113.9"},
		{ssh("some sentence nobody has written yet"), "sshd", "info", at, "message=some sentence nobody has written yet | !event"},
	})
}

func TestSyslog(t *testing.T) {
	runCases(t, sources.Info{}, []formatCase{
		{"<86>Nov  3 09:14:02 web-1 app[9]: started", "syslog", "info", at, "priority=86 | host=web-1 | program=app | pid=9 | message=started"},
		{"2026-11-03T10:14:02.5+01:00 web-1 app: started", "syslog", "", "2026-11-03T09:14:02.5Z", "program=app | !pid"},
		{"2026-11-03T09:14:02.123456789Z web-1 postfix/smtpd[7]: connect from x", "syslog", "", "2026-11-03T09:14:02.123456789Z", "program=postfix/smtpd | process.name=postfix/smtpd"},
		{
			"<165>1 2026-11-03T09:14:02.003Z web-1 evntslog 1370 ID47 [ex@32473 iut=\"3\" q=\"a]\\\"b\"] \ufeffhello", "syslog", "notice", "2026-11-03T09:14:02.003Z",
			"program=evntslog | pid=1370 | msgid=ID47 | message=hello",
		},
		{"<34>1 2026-11-03T09:14:02Z - - - - - x", "syslog", "critical", at, "message=x | !host"},
		{"<38>1 2026-11-03T09:14:02Z web-1 sshd 7 - - Failed password for root from 203.0.113.9 port 1 ssh2", "sshd", "warning", at, "event=failed_password"},
		{"Dec 31 23:59:59 web-1 app: last year", "syslog", "", "2025-12-31T23:59:59Z", ""},
		{"Nov  3 2025 09:14:02 web-1 app: with a year", "syslog", "", "2025-11-03T09:14:02Z", ""},
		{"Nov  3 09:14:02 web-1 Some Helper[77]: macOS", "syslog", "", at, "program=Some Helper | pid=77"},
		{"Nov  3 09:14:02 web-1 last message repeated 3 times", "syslog", "", at, "message=last message repeated 3 times"},
		{"Nov  3 09:14:02 web-1 nginx: 203.0.113.9 - - [03/Nov/2026:09:14:01 +0000] \"GET /x HTTP/1.1\" 500 1 \"-\" \"-\"", "nginx", "error", at, "program=nginx | status=500 | source.ip=203.0.113.9 | host.name=web-1"},
		{"Nov  3 09:14:02 web-1 app[1]: {\"level\":\"error\",\"msg\":\"boom\",\"user\":\"amira\"}", "json", "error", at, "msg=boom | user.name=amira | program=app"},
		{"Nov  3 09:14:02 web-1 falco: 09:14:02.000000001: Critical Shell spawned (user=root command=sh)", "falco", "critical", at, "user=root | command=sh"},
	})
}

func TestPrivilege(t *testing.T) {
	line := func(s string) string { return "Nov  3 09:14:02 web-1 " + s }
	runCases(t, sources.Info{}, []formatCase{
		{
			line("sudo:    amira : TTY=pts/1 ; PWD=/home/amira ; USER=root ; COMMAND=/bin/sh -c id ; echo USER=x"), "sudo", "info", at,
			"event=command | user=amira | tty=pts/1 | pwd=/home/amira | runas=root | command=/bin/sh -c id ; echo USER=x | user.target.name=root | process.command_line=/bin/sh -c id ; echo USER=x | USER=root | event.outcome=success",
		},
		{
			line("sudo: mallory : user NOT in sudoers ; TTY=pts/2 ; PWD=/ ; USER=root ; COMMAND=/bin/bash"), "sudo", "warning", at,
			"event=not_in_sudoers | user=mallory | runas=root | event.outcome=failure | reason=user NOT in sudoers",
		},
		{line("sudo[81]: amira : 3 incorrect password attempts ; TTY=pts/1 ; PWD=/ ; USER=root ; COMMAND=/bin/cat"), "sudo", "warning", at, "event=auth_failure | attempts=3"},
		{line("sudo: amira : command not allowed ; PWD=/ ; USER=root ; COMMAND=/bin/vi"), "sudo", "warning", at, "event=command_not_allowed"},
		{line("sudo: amira : (command continued) --more words"), "sudo", "info", at, "event=command_continued | command=--more words"},
		{line("sudo: pam_unix(sudo:session): session opened for user root(uid=0) by amira(uid=1000)"), "sudo", "info", at, "event=session_opened | user.name=amira | user.target.name=root"},
		{line("su[9]: (to root) amira on pts/1"), "su", "notice", at, "event=switched_user | target_user=root | user.name=amira | user.target.name=root"},
		{line("su[9]: FAILED SU (to root) amira on pts/1"), "su", "warning", at, "event=auth_failure | event.outcome=failure"},
		{line("su[9]: Successful su for root by amira"), "su", "notice", at, "user=amira | target_user=root"},
		{line("CRON[7]: (root) CMD (echo (a) b)"), "cron", "info", at, "event=command | user.name=root | command=echo (a) b"},
		{line("CRON[7]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)"), "cron", "info", at, "event=session_opened"},
		{line("useradd[9]: new user: name=svc2, UID=0, GID=0, home=/root, shell=/bin/bash, from=/dev/pts/1"), "accounts", "notice", at, "event=user_added | user=svc2 | uid=0 | user.target.name=svc2"},
		{line("gpasswd[9]: user guest added by root to group docker"), "accounts", "notice", at, "event=group_member_added | user=guest | by=root | group=docker | user.name=root | user.target.name=guest | group.name=docker"},
		{line("gpasswd[9]: user guest removed by root from group docker"), "accounts", "notice", at, "event=group_member_removed | user=guest | by=root | group=docker | user.name=root | event.action=group_member_removed"},
		{line("gpasswd[9]: user of the month is removed by hand from group photos"), "accounts", "info", at, ""},
		{line("usermod[9]: add 'svc2' to group 'wheel'"), "accounts", "notice", at, "event=group_member_added | user=svc2 | group=wheel | group.name=wheel"},
		{line("groupadd[9]: new group: name=ops, GID=1009"), "accounts", "notice", at, "event=group_added | group=ops"},
		{line("userdel[9]: delete user 'svc2'"), "accounts", "notice", at, "event=user_deleted | user=svc2"},
		{line("passwd[9]: pam_unix(passwd:chauthtok): password changed for amira"), "accounts", "notice", at, "event=password_changed | user=amira"},
		{line("systemd[1]: Failed to start nginx.service - A web server."), "systemd", "error", at, "event=failed | unit=nginx.service | event.outcome=failure"},
		{line("systemd-logind[5]: New session 7 of user amira."), "systemd", "info", at, "session=7 | user.name=amira | session.id=7"},
		{line("login[5]: pam_unix(login:session): session closed for user amira"), "pam", "info", at, "event=session_closed | user=amira"},
	})
}

func TestSigmaLogSources(t *testing.T) {
	for _, f := range testRegistry().Formats() {
		e := parseOne(t, sources.Info{Format: f.Name}, f.Example)
		want, part := f.LogSource, func(want, have string) bool { return want == "" || want == have }
		if !part(want.Product, e.LogSource.Product) || !part(want.Category, e.LogSource.Category) || !part(want.Service, e.LogSource.Service) {
			t.Errorf("%s: log source %+v, want %+v", f.Name, e.LogSource, want)
		}
	}
	k := parseOne(t, sources.Info{}, benchLine("k8saudit", 0))
	if k.LogSource != (event.LogSource{Product: "kubernetes", Category: "application", Service: "audit"}) {
		t.Errorf("Kubernetes audit is %+v", k.LogSource)
	}
}
