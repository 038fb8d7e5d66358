package session

import (
	"fmt"
	"slices"

	"bartizan/event"
)

// maxBecame bounds how often in a row somebody may have become somebody else.
const maxBecame = 4

// match is a login a record belongs to, or may belong to.
type match struct {
	logins [4]*login // the first n
	n      int
	how    string // why it is joined, for people
	doubt  string // why it is only probable
}

func (m *match) one(l *login, how string) {
	if l != nil {
		m.logins[0], m.n, m.how = l, 1, how
	}
}

// findLogin says which login a record of a host's logs belongs to.
func (x *Index) findLogin(f *facts, m *match) {
	host := x.host(f)
	if ses := numbered(f.v[jSes]); ses != "" {
		if m.one(newest(listed(x, x.bySes, host, ses), f.t, f), "the journal's number of the session"); m.n > 0 {
			return
		}
	}
	switch f.e.FormatName {
	case "sshd":
		m.one(x.sshOf(f), "sshd's process or connection")
	case "systemd":
		n := f.v[sLogind]
		if n == "" {
			n = logindEnd(f.e.Message)
		}
		if n != "" {
			m.one(newest(listed(x, x.bySes, host, n), f.t, nil), "logind's number of the session")
		}
	case "auditd":
		if ses := numbered(f.v[aSes]); ses != "" {
			m.one(newest(listed(x, x.bySes, host, ses), f.t, f), "audit's number of the session")
		}
	case "sudo", "su":
		x.findElevation(f, host, m)
	}
}

// findElevation joins a line of sudo or su: by audit's record of the same process,
// else by user and terminal.
func (x *Index) findElevation(f *facts, host string, m *match) {
	audited, said := x.elevated(f, host)
	if audited != nil {
		if m.one(newest(listed(x, x.bySes, host, audited.ses), audited.t, nil), "audit's record of the same process"); m.n > 0 {
			return
		}
	}
	if f.v[sModule] == "" {
		x.findUser(host, f.v[sUser], terminal(f.v[sTTY]), f.t, f.t, maxBecame, m)
	} else if said != nil {
		x.findUser(host, said.user, said.tty, said.t, said.t, maxBecame, m)
	}
}

// elevated is what audit and what sudo or su said last of the process of f. Only the
// end of what somebody did as another may be long after its beginning; and what one
// of them said of an earlier process of that number is not the other's.
func (x *Index) elevated(f *facts, host string) (audited, said *elevation) {
	if f.v[sPID] == "" {
		return nil, nil
	}
	ends := f.v[sModule] != "" && f.v[sEvent] != "session_opened"
	for _, v := range listed(x, x.bySudo, host, f.v[sPID]) {
		last := &said
		if v.ses != "" {
			last = &audited
		}
		if v.t <= f.t+slack && (ends || apart(v.t, f.t) <= opened) && (*last == nil || v.t >= (*last).t) {
			*last = v
		}
	}
	if audited != nil && said != nil && apart(audited.t, said.t) > opened {
		if audited.t < said.t {
			return nil, said
		}
		return audited, nil
	}
	return audited, said
}

// findUser joins by user and terminal. Where the user never logged in but was
// become on that terminal, it joins who became them. The login has to be running at t
// and still, or already, at now.
func (x *Index) findUser(host, user, tty string, t, now int64, depth int, m *match) {
	var there, elsewhere []*login
	for _, l := range listed(x, x.byUser, host, user) {
		switch {
		case !l.running(t) || !l.running(now) || tty != "" && (l.kind == "cron" || l.kind == "service"):
		case tty != "" && contains(l.ttys, tty):
			there = append(there, l)
		case len(l.ttys) == 0 || tty == "":
			elsewhere = append(elsewhere, l)
		}
	}
	if len(there) > 0 {
		m.several(there, "the same user on "+tty, fmt.Sprintf("%d sessions of %s on %s were open on %s", len(there), user, host, tty))
		return
	}
	if v := x.became(host, user, tty, t); v != nil && depth > 0 {
		if x.findUser(host, v.user, tty, v.t, now, depth-1, m); m.n > 0 {
			m.how = v.user + " became " + user + " on " + tty
			return
		}
	}
	if len(elsewhere) > 0 {
		m.several(elsewhere, "the only session of "+user+" on "+host+" then",
			fmt.Sprintf("%d sessions of %s were open on %s and nothing tells which", len(elsewhere), user, host))
		if m.doubt == "" {
			m.doubt = "nothing but the name of " + user + " ties it to that session"
		}
	}
}

// became is the newest elevation to user on the terminal before t.
func (x *Index) became(host, user, tty string, t int64) *elevation {
	var best *elevation
	if tty == "" {
		return nil
	}
	for _, v := range listed(x, x.byTTY, host, tty) {
		if v.runas == user && v.user != user && v.t <= t && (best == nil || v.t > best.t) {
			best = v
		}
	}
	return best
}

// several are the logins it may be, the last one begun first.
func (m *match) several(list []*login, how, doubt string) {
	slices.SortFunc(list, func(a, b *login) int {
		if a.began != b.began {
			return int(min(max(b.began-a.began, -1), 1))
		}
		if a.id < b.id {
			return -1
		}
		return 1
	})
	m.n, m.how = copy(m.logins[:], list), how
	if len(list) > 1 {
		m.how, m.doubt = "", doubt
	}
}

// Concerns says whether joins know anything about records of e's format.
func Concerns(e *event.Event) bool { return familyOf(e.FormatName) != strange }
