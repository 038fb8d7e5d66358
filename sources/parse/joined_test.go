package parse

import (
	"strings"
	"testing"

	"bartizan/event"
	"bartizan/sources"
)

// joinedCases are records of several lines as sources join them, and what of
// their fields must come out: values of one name are separated by " | ".
var joinedCases = []struct {
	name   string
	lines  []string
	format string
	log    event.LogSource
	want   map[string]string
}{
	{"audit exec", []string{
		`type=SYSCALL msg=audit(1793697242.331:9107): arch=c000003e syscall=59 success=yes exit=0 a0=55d0 a1=55d1 a2=55d2 a3=8 items=2 ppid=2211 pid=2212 auid=1000 uid=0 ses=3 comm="sh" exe="/usr/bin/dash" key="exec"`,
		`type=EXECVE msg=audit(1793697242.331:9107): argc=3 a0="sh" a1="-c" a2=636174202F6574632F736861646F77`,
		`type=CWD msg=audit(1793697242.331:9107): cwd="/root"`,
		`type=PATH msg=audit(1793697242.331:9107): item=0 name="/usr/bin/sh" inode=1 nametype=NORMAL`,
		`type=PATH msg=audit(1793697242.331:9107): item=1 name="/lib64/ld.so" inode=2 nametype=NORMAL`,
		`type=PROCTITLE msg=audit(1793697242.331:9107): proctitle=7368002D6300636174`,
	}, "auditd", logAuditExec, map[string]string{
		"type": "SYSCALL | EXECVE | CWD | PATH | PATH | PROCTITLE", "serial": "9107", "a0": "sh", "a1": "-c", "a2": "cat /etc/shadow", "a3": "", "syscall.a0": "55d0",
		"name": "/usr/bin/sh | /lib64/ld.so", "comm": "sh", "exe": "/usr/bin/dash", "key": "exec", "auid": "1000", "proctitle": "sh -c cat",
		"Image": "/usr/bin/dash", "CommandLine": "sh -c cat /etc/shadow", "User": "root", "ParentProcessId": "2211", "ProcessId": "2212", "CurrentDirectory": "/root",
		"process.executable": "/usr/bin/dash", "process.command_line": "sh -c cat /etc/shadow", "event.outcome": "success", "session.id": "3", "file.path": "/usr/bin/sh",
	}},
	{"audit file", []string{
		`node=web-1 type=SYSCALL msg=audit(1793697242.335:9108): arch=c000003e syscall=257 success=yes exit=3 a0=ffffff9c ppid=1 pid=2213 uid=1000 comm="tee" exe="/usr/bin/tee" UID="amira"`,
		`node=web-1 type=CWD msg=audit(1793697242.335:9108): cwd="/etc/cron.d"`,
		`node=web-1 type=PATH msg=audit(1793697242.335:9108): item=0 name="/etc/cron.d" nametype=PARENT`,
		`node=web-1 type=PATH msg=audit(1793697242.335:9108): item=1 name="./evil" nametype=CREATE`,
		`node=web-1 type=PROCTITLE msg=audit(1793697242.335:9108): proctitle="tee"`,
	}, "auditd", logAuditFile, map[string]string{
		"node": "web-1", "a0": "ffffff9c", "TargetFilename": "/etc/cron.d/evil", "file.path": "/etc/cron.d/evil", "User": "amira", "Image": "/usr/bin/tee", "host.name": "web-1",
	}},
	{"audit connection", []string{
		`type=SYSCALL msg=audit(1793697242.336:9109): arch=c000003e syscall=42 success=no exit=-115 a0=3 ppid=1 pid=2214 uid=1000 comm="nc" exe="/usr/bin/nc"`,
		`type=SOCKADDR msg=audit(1793697242.336:9109): saddr=0200115CCB0071090000000000000000`,
	}, "auditd", logAuditNet, map[string]string{
		"DestinationIp": "203.0.113.9", "DestinationPort": "4444", "destination.ip": "203.0.113.9", "Initiated": "true", "Image": "/usr/bin/nc",
	}},
	{"audit, one record broken", []string{
		`type=SYSCALL msg=audit(1793697242.336:9109): arch=c000003e syscall=2`, `type=PATH msg=audit(x:9109): name="/a"`, `type=CWD msg=audit(1793697242.336:9109): cwd="/"`,
	}, "auditd", logAuditd, map[string]string{"type": "SYSCALL | CWD", "cwd": "/", "name": ""}},
	{"cri", []string{
		`2026-11-03T09:14:02.117Z stdout P {"level":"error","msg":"to`, `2026-11-03T09:14:02.118Z stdout P ken","user":"am`, `2026-11-03T09:14:02.119Z stdout F ira"}`,
	}, "json", event.LogSource{}, map[string]string{"msg": "token", "user": "amira", "stream": "stdout"}},
	{"docker", []string{
		`{"log":"{\"level\":\"error\",\"user\":","stream":"stdout","time":"2026-11-03T09:14:02.117Z"}`, `{"log":"\"amira\"}\n","stream":"stdout","time":"2026-11-03T09:14:02.118Z"}`,
	}, "json", event.LogSource{}, map[string]string{"user": "amira", "stream": "stdout | stdout", "user.name": "amira"}},
	{"sudo", []string{
		"Nov  3 09:14:05 web-1 sudo[811]:    amira : TTY=pts/1 ; PWD=/home/amira ; USER=root ; COMMAND=/usr/bin/find /srv",
		"Nov  3 09:14:05 web-1 sudo[811]:    amira : (command continued) -name x", "Nov  3 09:14:05 web-1 sudo[811]:    amira : (command continued) -print",
	}, "sudo", logSudo, map[string]string{"command": "/usr/bin/find /srv -name x -print", "user": "amira", "runas": "root"}},
	{"a trace behind a stamp", []string{
		"2026-11-03 09:14:02,118 ERROR [worker-3] payment failed", "java.lang.IllegalStateException: no key", "\tat shop.Pay.run(Pay.java:12)",
	}, "text", event.LogSource{}, map[string]string{"message": "ERROR [worker-3] payment failed\njava.lang.IllegalStateException: no key\n\tat shop.Pay.run(Pay.java:12)"}},
	{"postgres", []string{"2026-11-03 09:14:02.118 UTC [811] shop@orders LOG:  statement: SELECT 1", "\tFROM t"}, "postgresql", logPostgres, map[string]string{"user": "shop"}},
}

func valuesOf(e *event.Event, name string) string {
	var out []string
	for _, f := range e.Fields {
		if f.Name == name {
			out = append(out, f.Value.Str)
		}
	}
	return strings.Join(out, " | ")
}

func TestJoinedRecords(t *testing.T) {
	for _, c := range joinedCases {
		raw := strings.Join(c.lines, "\n")
		e := parseOne(t, sources.Info{}, raw)
		if e.FormatName != c.format || e.LogSource != c.log || e.Flags&event.FlagNoTime != 0 && c.name != "" {
			t.Errorf("%s: read as %s of %+v, flags %v", c.name, e.FormatName, e.LogSource, e.Flags)
		}
		for name, want := range c.want {
			if got := valuesOf(e, name); got != want {
				t.Errorf("%s: %s is %q, want %q", c.name, name, got, want)
			}
		}
		reg := testRegistry()
		var slab, again Slab
		var a, b event.Event
		reg.Stream(sources.Info{}).Parse(&sources.Record{Raw: []byte(raw)}, &slab, &a)
		reg.Reparse(a.Format, []byte(raw), &again, &b)
		if x, y := string(AppendJSON(nil, &a, JSONOptions{})), string(AppendJSON(nil, &b, JSONOptions{})); x != y {
			t.Errorf("%s: parsed again it is\n%s, not\n%s", c.name, y, x)
		}
	}
}
