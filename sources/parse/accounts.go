package parse

import (
	"bytes"

	"bartizan/event"
)

// The native names of account management, cron and systemd messages.
var (
	fGroup = known("group")
	fHome  = known("home")
	fShell = known("shell")
	fUnit  = known("unit")
)

// accountPhrases are what the shadow tools say.
var accountPhrases = []phrase{
	{"new user: ", "user_added", succeeded, event.LevelNotice, accountPairs},
	{"new group: ", "group_added", succeeded, event.LevelNotice, accountPairs},
	{"group added to ", "group_added", succeeded, event.LevelNotice, accountPairs},
	{"failed adding user ", "user_added", failed, event.LevelWarning, accountQuoted},
	{"delete user ", "user_deleted", succeeded, event.LevelNotice, accountQuoted},
	{"removed group ", "group_deleted", succeeded, event.LevelNotice, accountQuoted},
	{"change user ", "user_changed", succeeded, event.LevelNotice, accountQuoted},
	{"add ", "group_member_added", succeeded, event.LevelNotice, accountMember},
	{"delete ", "group_member_removed", succeeded, event.LevelNotice, accountMember},
	{"user ", "", succeeded, event.LevelNotice, accountBy},
	{"password for ", "password_changed", succeeded, event.LevelNotice, accountQuoted},
	{"changed password expiry for ", "password_expiry_changed", succeeded, event.LevelNotice, accountQuoted},
}

var accountAliases = []pair{
	{ecsTarget, fUser}, {ecsGroup, fGroup}, {ecsAction, fEvent}, {ecsUserID, fUID},
}

// accounts reads what useradd, usermod, groupadd and their relatives say.
func (p *pass) accounts(program string) {
	p.e.FormatName, p.e.LogSource, p.e.Level = "accounts", logAuth, event.LevelInfo
	b := p.text
	if prefix(b, "pam_") {
		p.pam()
		return
	}
	for k := range accountPhrases {
		s := &accountPhrases[k]
		if !prefix(b, s.text) {
			continue
		}
		p.e.Level = s.level
		if s.event != "" {
			p.addWord(fEvent, s.event)
		}
		s.rest(p, len(s.text))
		break
	}
	p.endNative()
	p.aliases(accountAliases)
	if p.has(fEvent) != nil {
		p.outcome(p.e.Level != event.LevelWarning)
	}
}

// accountPairs reads "name=x, UID=1001, GID=1001, home=/home/x, shell=/bin/sh".
func accountPairs(p *pass, i int) {
	b := p.text
	group := bytes.HasPrefix(b, []byte("new group")) || bytes.HasPrefix(b, []byte("group"))
	for i < len(b) {
		end := bytes.Index(b[i:], []byte(", "))
		if end < 0 {
			end = len(b) - i
		}
		if eq := find(b[:i+end], i, '='); eq > 0 {
			p.accountPair(str(b[i:eq]), eq+1, i+end, group)
		}
		i += end + 2
	}
}

func (p *pass) accountPair(key string, from, to int, group bool) {
	switch key {
	case "name":
		if group {
			p.add(fGroup, from, to)
		} else {
			p.add(fUser, from, to)
		}
	case "UID":
		p.addNum(fUID, from, to)
	case "GID":
		p.addNum(fGID, from, to)
	case "home":
		p.add(fHome, from, to)
	case "shell":
		p.add(fShell, from, to)
	}
}

// accountQuoted reads "'x' …".
func accountQuoted(p *pass, i int) {
	n := fUser
	if bytes.Contains(p.text[:i], []byte("group")) {
		n = fGroup
	}
	b := p.text
	if i < len(b) && b[i] == '\'' {
		if end := find(b, i+1, '\''); end > 0 {
			p.add(n, i+1, end)
		}
		return
	}
	p.add(n, i, word(b, i))
}

// accountMember reads "'x' to group 'wheel'", "'x' to shadow group 'wheel'" and
// "'x' from group 'wheel'".
func accountMember(p *pass, i int) {
	accountQuoted(p, i)
	const group = "group '"
	b := p.text
	if at := bytes.Index(b[i:], []byte(group)); at >= 0 {
		i += at + len(group)
		if end := find(b, i, '\''); end > 0 {
			p.add(fGroup, i, end)
		}
	}
}

// accountBy reads gpasswd's "x added by amira to group wheel" and "x removed by
// amira from group wheel".
func accountBy(p *pass, i int) {
	b := p.text
	end := word(b, i)
	switch {
	case prefixAt(b, end, " added by "):
		p.addWord(fEvent, "group_member_added")
	case prefixAt(b, end, " removed by "):
		p.addWord(fEvent, "group_member_removed")
	default:
		p.e.Level = event.LevelInfo
		return
	}
	p.add(fUser, i, end)
	if at := bytes.Index(b[end:], []byte(" by ")); at >= 0 {
		by := end + at + len(" by ")
		p.add(fBy, by, word(b, by))
	}
	if at := bytes.Index(b[end:], []byte(" group ")); at >= 0 {
		g := end + at + len(" group ")
		p.add(fGroup, g, word(b, g))
	}
	p.alias(ecsUser, fBy)
}

// cron reads "(root) CMD (run-parts /etc/cron.hourly)".
func (p *pass) cron() {
	p.e.FormatName, p.e.LogSource, p.e.Level = "cron", logCron, event.LevelInfo
	b := p.text
	if prefix(b, "pam_") {
		p.pam()
		return
	}
	end := bytes.IndexByte(b, ')')
	if end < 2 || b[0] != '(' {
		return
	}
	p.add(fUser, 1, end)
	i := skipBlanks(b, end+1)
	open := find(b, i, '(')
	if open < 0 || b[len(b)-1] != ')' {
		return
	}
	switch string(bytes.TrimRight(b[i:open], " ")) {
	case "CMD":
		p.addWord(fEvent, "command")
		p.add(fCommand, open+1, len(b)-1)
	case "RELOAD":
		p.addWord(fEvent, "reload")
	case "BEGIN EDIT":
		p.addWord(fEvent, "edit_begin")
	case "END EDIT":
		p.addWord(fEvent, "edit_end")
	case "REPLACE":
		p.addWord(fEvent, "replace")
	case "LIST":
		p.addWord(fEvent, "list")
	default:
		p.addWord(fEvent, "other")
	}
	p.endNative()
	for _, a := range [...]pair{{ecsUser, fUser}, {ecsCommand, fCommand}, {ecsAction, fEvent}} {
		p.alias(a.to, a.from)
	}
}

// systemdPhrases are what the manager says about units, and logind about people.
var systemdPhrases = []phrase{
	{"Started ", "started", succeeded, event.LevelInfo, unitName},
	{"Starting ", "starting", neutral, event.LevelInfo, unitName},
	{"Stopped ", "stopped", neutral, event.LevelInfo, unitName},
	{"Stopping ", "stopping", neutral, event.LevelInfo, unitName},
	{"Finished ", "finished", succeeded, event.LevelInfo, unitName},
	{"Failed to start ", "failed", failed, event.LevelError, unitName},
	{"Reloading.", "reloading", neutral, event.LevelInfo, nil},
	{"Reloaded ", "reloaded", neutral, event.LevelInfo, unitName},
	{"New session ", "session_opened", succeeded, event.LevelInfo, logindUser},
	{"Removed session ", "session_closed", neutral, event.LevelInfo, nil},
	{"Created slice ", "slice_created", neutral, event.LevelDebug, unitName},
	{"Removed slice ", "slice_removed", neutral, event.LevelDebug, unitName},
}

var fSession = known("session")

// systemd reads what the service manager and logind say.
func (p *pass) systemd() {
	p.e.FormatName, p.e.Level = "systemd", event.LevelInfo
	b := p.text
	if prefix(b, "pam_") {
		p.pam()
		return
	}
	for k := range systemdPhrases {
		s := &systemdPhrases[k]
		if !prefix(b, s.text) {
			continue
		}
		p.addWord(fEvent, s.event)
		p.e.Level = s.level
		if s.rest != nil {
			s.rest(p, len(s.text))
		}
		p.endNative()
		for _, a := range [...]pair{{ecsService, fUnit}, {ecsUser, fUser}, {ecsSession, fSession}, {ecsAction, fEvent}} {
			p.alias(a.to, a.from)
		}
		if s.outcome != neutral {
			p.outcome(s.outcome == succeeded)
		}
		return
	}
	if end := bytes.Index(b, []byte(": ")); end > 0 && bytes.IndexByte(b[:end], ' ') < 0 {
		p.add(fUnit, 0, end)
		if bytes.Contains(b[end:], []byte("Failed")) || bytes.Contains(b[end:], []byte("failed")) {
			p.e.Level = event.LevelWarning
		}
	}
}

// unitName reads "ssh.service - OpenBSD Secure Shell server." or only a
// description.
func unitName(p *pass, i int) {
	end := len(p.text)
	if at := bytes.Index(p.text[i:], []byte(" - ")); at > 0 {
		end = i + at
	}
	for end > i && p.text[end-1] == '.' {
		end--
	}
	p.add(fUnit, i, end)
}

// logindUser reads "7 of user amira.".
func logindUser(p *pass, i int) {
	b := p.text
	end := word(b, i)
	p.add(fSession, i, end)
	const of = " of user "
	if prefixAt(b, end, of) {
		i = end + len(of)
		end = word(b, i)
		if end > i && b[end-1] == '.' {
			end--
		}
		p.add(fUser, i, end)
	}
}
