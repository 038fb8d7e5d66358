package session_test

import (
	"fmt"
	"strings"
	"testing"

	"bartizan/event"
)

// TestAHostHasTwoNames has syslog's short name and audit's full one, in both orders,
// and two hosts whose full names begin alike.
func TestAHostHasTwoNames(t *testing.T) {
	short := login(0, 700, "alice", "203.0.113.66")
	full := func(host string, ses int) []string {
		var out []string
		for _, l := range []string{
			audited(1, 1, "LOGIN", fmt.Sprintf("pid=700 uid=0 old-auid=4294967295 auid=1009 tty=(none) old-ses=4294967295 ses=%d res=1", ses)),
			audited(30, 2, "USER_CMD", fmt.Sprintf(`pid=900 uid=1009 auid=1009 ses=%d msg='cwd="/" cmd="id" exe="/usr/bin/sudo" terminal=pts/1 res=success'`, ses)),
		} {
			out = append(out, strings.Replace(l, "node=web-2 ", "node="+host+" ", 1))
		}
		return out
	}
	sudo := auth(30, "sudo", 900, "  alice : TTY=pts/1 ; PWD=/ ; USER=root ; COMMAND=/bin/id")
	for _, c := range []struct {
		name   string
		before []string
		joined bool // what audit and sudo say with what sshd says
	}{
		{"syslog first", append(append([]string{}, short...), full("web-2.shop.example", 4)...), true},
		{"audit first", append(full("web-2.shop.example", 4), short...), true},
		{"another host", append(append([]string{}, short...), full("web-20.shop.example", 4)...), false},
		{"an address is no name", append(append([]string{}, short...), full("10.0.0.2", 4)...), false},
		{"two hosts of that name, syslog last", append(append(full("web-2.shop.example", 4), full("web-2.bank.example", 5)...), short...), false},
		{"two hosts of that name, syslog between", append(append(full("web-2.shop.example", 4), short...), full("web-2.bank.example", 5)...), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := took(t, c.before...)
			shop := full("web-2.shop.example", 4)[1]
			if !c.joined {
				shop = c.before[len(c.before)-1]
				for _, l := range c.before {
					if strings.Contains(l, "USER_CMD") {
						shop = l
					}
				}
			}
			list := parsed(t, short[0], shop, sudo)
			sshd, audit, line := joinsOf(x, list[:1])[0], joinsOf(x, list[1:2])[0], joinsOf(x, list[2:])[0]
			if audit == "" {
				t.Errorf("audit's record is joined to nothing: %s", list[1].Text("host.name"))
			}
			if c.joined != (sshd == audit) || c.joined && line != sshd {
				t.Errorf("sshd %q, audit %q, sudo %q", sshd, audit, line)
			}
		})
	}
}

// TestNamesAreBounded has a flood of made-up hosts: what it fills is names, and the
// short ones beyond them are joined with no full one.
func TestNamesAreBounded(t *testing.T) {
	x := took(t, login(0, 1, "alice", "203.0.113.66")...)
	e := parsed(t, login(1, 2, "alice", "203.0.113.66")[0])[0]
	for i := range 5000 {
		for j := range e.Fields {
			if e.Fields[j].Name == "host.name" {
				e.Fields[j].Value = event.Value{Str: fmt.Sprintf("h%d.evil.example", i)}
			}
		}
		x.Take(e)
	}
	if n := x.Names(); n > 2048 {
		t.Errorf("%d names are kept", n)
	}
}
