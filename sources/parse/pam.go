package parse

import (
	"bytes"
	"strings"

	"bartizan/event"
)

// The native names of PAM's and su's messages.
var (
	fModule  = known("pam_module")
	fService = known("pam_service")
	fPAMType = known("pam_type")
	fUID     = known("uid")
	fGID     = known("gid")
	fByUID   = known("by_uid")
	fBy      = known("by")
	fRHost   = known("rhost")
	fRUser   = known("ruser")
	fLogname = known("logname")
	fEUID    = known("euid")
	fTarget  = known("target_user")
	pamKeys  = []name{fLogname, fUID, fEUID, fTTY, fRUser, fRHost, fUser}
)

// pam reads "pam_unix(sshd:session): session opened for user x(uid=0) by y(uid=0)"
// and its relatives, whatever program carried them.
func (p *pass) pam() {
	b := p.text
	open, end := bytes.IndexByte(b, '('), bytes.IndexByte(b, ')')
	if open < 0 || end < open {
		return
	}
	p.add(fModule, 0, open)
	if colon := find(b[:end], open, ':'); colon > 0 {
		p.add(fService, open+1, colon)
		p.add(fPAMType, colon+1, end)
	} else {
		p.add(fService, open+1, end)
	}
	i := end + 1
	if prefixAt(b, i, ": ") {
		i += 2
	}
	p.pamSaid(i)
}

var pamPhrases = []phrase{
	{"session opened for user ", "session_opened", succeeded, event.LevelInfo, pamSession},
	{"session closed for user ", "session_closed", neutral, event.LevelInfo, pamSession},
	{"authentication failure; ", "auth_failure", failed, event.LevelWarning, pamPairs},
	{"auth could not identify password for ", "auth_failure", failed, event.LevelWarning, pamBracket},
	{"conversation failed", "auth_failure", failed, event.LevelWarning, nil},
	{"check pass; user unknown", "user_unknown", failed, event.LevelWarning, nil},
	{"bad username ", "user_unknown", failed, event.LevelWarning, pamBracket},
	{"password changed for ", "password_changed", succeeded, event.LevelNotice, pamUser},
	{"account ", "account", neutral, event.LevelWarning, pamUser},
	{"requirement ", "requirement", neutral, event.LevelInfo, pamRequirement},
	{"Consecutive login failures for user ", "account_locked", failed, event.LevelWarning, pamUser},
	{"user ", "user", neutral, event.LevelWarning, pamUser},
}

func (p *pass) pamSaid(i int) {
	p.e.Level = event.LevelInfo
	for k := range pamPhrases {
		s := &pamPhrases[k]
		if !prefixAt(p.text, i, s.text) {
			continue
		}
		p.e.Level = s.level
		p.addWord(fEvent, s.event)
		if s.rest != nil {
			s.rest(p, i+len(s.text))
		}
		p.endNative()
		p.pamAliases()
		if s.outcome != neutral {
			p.outcome(s.outcome == succeeded)
		}
		return
	}
}

func (p *pass) pamAliases() {
	if f := p.has(fRHost); f != nil && isAddr(f.Value.Str) {
		p.alias(ecsSrcIP, fRHost)
	}
	if strings.HasPrefix(p.value(fService), "su") && p.has(fBy) != nil {
		p.alias(ecsUser, fBy) // opened by somebody for somebody else
		p.alias(ecsTarget, fUser)
		p.alias(ecsUserID, fByUID)
	}
	for _, a := range [...]pair{{ecsUser, fUser}, {ecsTarget, fTarget}, {ecsUserID, fUID}, {ecsAction, fEvent}} {
		p.alias(a.to, a.from)
	}
}

// pamSession reads "x(uid=0) by y(uid=1000)" or "x by (uid=0)".
func pamSession(p *pass, i int) {
	b := p.text
	end := i
	for end < len(b) && b[end] != ' ' && b[end] != '(' {
		end++
	}
	p.add(fUser, i, end)
	const uid = "(uid="
	if prefixAt(b, end, uid) {
		d := digits(b, end+len(uid))
		p.addNum(fUID, end+len(uid), d)
		end = d + 1
	}
	if !prefixAt(b, end, " by ") {
		return
	}
	i = end + len(" by ")
	end = i
	for end < len(b) && b[end] != '(' && b[end] != ' ' {
		end++
	}
	if end > i {
		p.add(fBy, i, end)
	}
	if prefixAt(b, end, uid) {
		p.addNum(fByUID, end+len(uid), digits(b, end+len(uid)))
	}
}

// pamPairs reads "logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.1  user=x".
// Empty values stay away.
func pamPairs(p *pass, i int) {
	b := p.text
	for i < len(b) {
		i = skipBlanks(b, i)
		end := word(b, i)
		eq := find(b[:end], i, '=')
		if eq > i && eq+1 < end {
			for _, n := range pamKeys {
				if n.text == str(b[i:eq]) {
					p.addNum(n, eq+1, end)
				}
			}
		}
		i = end
	}
	if f := p.has(fRHost); f != nil && isAddr(f.Value.Str) && p.has(fSrcIP) == nil {
		p.put(fSrcIP, f.Value)
	}
}

func pamUser(p *pass, i int) { p.add(fUser, i, word(p.text, i)) }

// pamRequirement reads pam_succeed_if's `"uid >= 1000" not met by user "x"`.
func pamRequirement(p *pass, i int) {
	const by = ` by user "`
	if at := bytes.LastIndex(p.text[i:], []byte(by)); at >= 0 {
		i += at + len(by)
		if end := find(p.text, i, '"'); end > i {
			p.add(fUser, i, end)
		}
	}
}

// pamBracket reads "[x]".
func pamBracket(p *pass, i int) {
	if end := find(p.text, i, ']'); end > 0 && p.text[i] == '[' {
		p.add(fUser, i+1, end)
	}
}

var suPhrases = []phrase{
	{"FAILED SU (to ", "auth_failure", failed, event.LevelWarning, suTo},
	{"FAILED su for ", "auth_failure", failed, event.LevelWarning, suFor},
	{"FAILED su (to ", "auth_failure", failed, event.LevelWarning, suTo},
	{"Successful su for ", "switched_user", succeeded, event.LevelNotice, suFor},
	{"(to ", "switched_user", succeeded, event.LevelNotice, suTo},
	{"BAD SU ", "auth_failure", failed, event.LevelWarning, nil},
}

// su reads what su(1) says: "(to root) amira on pts/0", "FAILED SU (to root) …",
// "Successful su for root by amira".
func (p *pass) su() {
	p.e.FormatName, p.e.LogSource, p.e.Level = "su", logAuth, event.LevelInfo
	if prefix(p.text, "pam_") {
		p.pam()
		return
	}
	for k := range suPhrases {
		s := &suPhrases[k]
		if !prefix(p.text, s.text) {
			continue
		}
		p.e.Level = s.level
		p.addWord(fEvent, s.event)
		if s.rest != nil {
			s.rest(p, len(s.text))
		}
		p.endNative()
		p.pamAliases()
		p.outcome(s.outcome == succeeded)
		return
	}
}

// suTo reads "root) amira on pts/0".
func suTo(p *pass, i int) {
	b := p.text
	end := find(b, i, ')')
	if end < 0 {
		return
	}
	p.add(fTarget, i, end)
	i = skipBlanks(b, end+1)
	end = word(b, i)
	p.add(fUser, i, end)
	if prefixAt(b, end, " on ") {
		p.add(fTTY, end+4, word(b, end+4))
	}
}

// suFor reads "root by amira".
func suFor(p *pass, i int) {
	end := word(p.text, i)
	p.add(fTarget, i, end)
	if prefixAt(p.text, end, " by ") {
		p.add(fUser, end+4, word(p.text, end+4))
	}
}
