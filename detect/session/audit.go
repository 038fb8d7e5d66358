package session

import "strings"

// entrances are the programs whose audit records begin and end a login.
var entrances = map[string]string{
	"sshd": "ssh", "sshd-session": "ssh", "login": "console", "gdm-session-worker": "console", "lightdm": "console", "sddm-helper": "console",
	"cron": "cron", "crond": "cron", "atd": "cron", "systemd": "service", "dropbear": "ssh",
}

func base(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// takeAudit learns from audit's records, which carry the session's number.
func (x *Index) takeAudit(f *facts) {
	ses := numbered(f.v[aSes])
	if ses == "" || ses == "0" {
		return
	}
	host, kind := x.host(f), f.v[aType]
	entrance, enters := entrances[base(f.v[aExe])]
	l := newest(listed(x, x.bySes, host, ses), f.t, f)
	if l != nil && kind == "LOGIN" && f.t-l.learned > before {
		l = nil // the numbers begin anew when a host does
	}
	if l == nil && (kind == "LOGIN" || enters) {
		if l = newest(listed(x, x.byPID, host, f.v[sPID]), f.t, f); l != nil && (l.ses != "" && l.ses != ses || f.t-l.began > before) {
			l = nil
		}
	}
	if l == nil {
		pid := ""
		if kind == "LOGIN" || enters {
			pid = f.v[sPID]
		}
		l = x.begin(f, entrance, pid, ses)
	}
	x.setSes(l, ses, f.t)
	if l.uid == "" {
		l.uid = own(numbered(f.v[aAUID]))
	}
	if l.kind == "" {
		l.kind = entrance
	}
	x.auditSays(l, f, kind, enters)
	x.logins.used.MoveToFront(l.place)
}

// auditSays takes what a record of a session tells about the session itself.
func (x *Index) auditSays(l *login, f *facts, kind string, enters bool) {
	if l.user == "" {
		x.setUser(l, f.v[aAUIDName])
	}
	switch program := base(f.v[aExe]); {
	case kind == "LOGIN":
		x.addPID(l, f.v[sPID])
		l.began = min(l.began, f.t)
	case enters && f.v[aRes] == "success":
		x.addPID(l, f.v[sPID])
		if l.user == "" {
			x.setUser(l, f.v[aAcct])
		}
		x.setPeer(l, f.v[aAddr], "")
		x.addTTY(l, f.v[aTerminal])
		if kind == "USER_END" || kind == "USER_LOGOUT" {
			l.ended = max(l.ended, f.t)
		}
	case program == "sudo" || program == "su":
		x.elevate(elevation{host: l.host, pid: f.v[sPID], ses: l.ses, t: f.t})
		x.addTTY(l, f.v[aTerminal])
		x.addTTY(l, f.v[sTTY])
	default:
		x.addTTY(l, f.v[sTTY])
	}
}
