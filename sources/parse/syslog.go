package parse

import (
	"bytes"

	"bartizan/event"
)

// The native names of syslog lines. RFC 3164 and RFC 5424 have no names in the
// text, so these are ours.
var (
	fPriority = known("priority")
	fHost     = known("host")
	fProgram  = known("program")
	fPID      = known("pid")
	fMsgID    = known("msgid")
	fSD       = known("structured_data")
	fMessage  = known("message")
	fEvent    = known("event")
	fUser     = known("user")
	fSrcIP    = known("src_ip")
	fSrcPort  = known("src_port")
	fRepeated = known("repeated")

	fSubprogram = known("subprogram")
)

var syslogAliases = []pair{{ecsHost, fHost}, {ecsProcess, fProgram}, {ecsPID, fPID}}

// scoreSyslog looks at the beginning: a priority, or a stamp with a host and a
// program after it.
func scoreSyslog(b []byte) (int, string) {
	i := priority(b)
	if i > 0 && prefixAt(b, i, "1 ") {
		return 95, "begins with a priority and version 1 (RFC 5424)"
	}
	if i < len(b) && month(b, i) > 0 {
		if _, end := bsdStamp(b[i:]); end > 0 {
			return 80 + min(i, 1)*10, "begins with a stamp as in RFC 3164"
		}
	}
	if i+20 < len(b) && b[i]-'0' <= 9 && b[i+10] == 'T' {
		if _, _, _, end := isoStamp(b[i:]); end > 0 {
			return 75 + min(i, 1)*10, "begins with an RFC 3339 stamp as rsyslog writes it"
		}
	}
	return 0, "begins neither with a priority nor with a stamp of RFC 3164, 3339 or 5424"
}

// priority returns the end of "<n>", n below 192, 0 when there is none.
func priority(b []byte) int {
	if len(b) < 3 || b[0] != '<' {
		return 0
	}
	end := digits(b, 1)
	if end == 1 || end > 4 || end >= len(b) || b[end] != '>' {
		return 0
	}
	return end + 1
}

// readSyslog reads RFC 3164 with its usual stamp or an RFC 3339 one, with or
// without priority, and RFC 5424; then what the program wrote.
func readSyslog(p *pass) bool {
	b := p.text
	i := priority(b)
	level := event.LevelUnknown
	if i > 0 {
		p.addNum(fPriority, 1, i-1)
		pri, _ := number(b[1 : i-1])
		level = syslogLevels[int(pri)&7]
		if prefixAt(b, i, "1 ") {
			return readSyslog5424(p, i+2, level)
		}
	}
	i = p.syslogStamp(i)
	if i < 0 || i >= len(b) || b[i] != ' ' {
		return false
	}
	for i < len(b) && b[i] == ' ' {
		i++
	}
	i = p.hostAndTag(i, len(b) > 0 && b[0] == '<')
	if i < 0 {
		return false
	}
	p.syslogMessage(i, level)
	return true
}

var syslogLevels = [...]event.Level{
	event.LevelEmergency, event.LevelAlert, event.LevelCritical, event.LevelError,
	event.LevelWarning, event.LevelNotice, event.LevelInfo, event.LevelDebug,
}

// syslogStamp reads either stamp at i and returns where it ends.
func (p *pass) syslogStamp(i int) int {
	b := p.text[i:]
	if len(b) < 14 {
		return -1
	}
	if b[0]-'0' <= 9 {
		c, east, zoned, end := isoStamp(b)
		if end < 0 || b[10] != 'T' {
			return -1
		}
		if !zoned {
			p.at(p.slab.zones.in(c, p.spec.zone))
		} else {
			p.at(c.utc(east))
		}
		return i + end
	}
	c, end := bsdStamp(b)
	if end < 0 {
		return -1
	}
	if c.year == 0 {
		c.year = p.yearOf(c.mon, c.day)
	}
	p.at(p.slab.zones.in(c, p.spec.zone))
	return i + end
}

// hostAndTag reads "host tag[pid]: " and returns where the message begins, -1
// when this is no syslog line. Where a priority stood before, tag and host may
// be missing.
func (p *pass) hostAndTag(i int, sure bool) int {
	b := p.text
	end := word(b, i)
	if end > i && b[end-1] == ':' { // no host: "kernel: message"
		return p.tag(i, end)
	}
	if end >= len(b) || end == i {
		if !sure {
			return -1
		}
		return i
	}
	p.add(fHost, i, end)
	i = end + 1
	for i < len(b) && b[i] == ' ' {
		i++
	}
	if at := p.tag(i, word(b, i)); at >= 0 {
		return at
	}
	if at := p.spacedTag(i); at >= 0 {
		return at
	}
	if sure || prefixAt(b, i, "message repeated ") || prefixAt(b, i, "last message repeated ") || prefixAt(b, i, "-- MARK --") || isCEF(b[i:]) || isLEEF(b[i:]) {
		return i
	}
	return -1
}

// tag reads "tag[pid]:" in text[i:end] and returns where the message begins.
func (p *pass) tag(i, end int) int {
	b := p.text
	if end-i < 2 || b[end-1] != ':' {
		return p.looseTag(i, end)
	}
	last := end - 1
	if b[last-1] == ']' {
		if open := bytes.LastIndexByte(b[i:last], '['); open > 0 {
			p.add(fProgram, i, i+open)
			p.addNum(fPID, i+open+1, last-1)
			return skipBlanks(b, end)
		}
	}
	p.add(fProgram, i, last)
	return skipBlanks(b, end)
}

// looseTag accepts "tag[pid] message" and tags glued to the message
// ("tag[1]:message").
func (p *pass) looseTag(i, end int) int {
	b := p.text
	open := find(b[:end], i, '[')
	if open <= i {
		return -1
	}
	close := digits(b[:end], open+1)
	if close == open+1 || close >= end || b[close] != ']' {
		return -1
	}
	p.add(fProgram, i, open)
	p.addNum(fPID, open+1, close)
	if close++; close < end && b[close] == ':' {
		close++
	} else if prefixAt(b, close, " (") { // launchd's "name[1] (service[7]): text"
		if to := bytes.Index(b[close:min(len(b), close+160)], []byte("): ")); to > 2 {
			p.add(fSubprogram, close+2, close+to)
			return skipBlanks(b, close+to+2)
		}
	}
	return skipBlanks(b, close)
}

// spacedTag accepts names with blanks, as macOS has them ("Some Helper[7]:").
func (p *pass) spacedTag(i int) int {
	b := p.text[:min(len(p.text), i+80)]
	open := find(b, i, '[')
	if open <= i || !isLetter(b[i]) {
		return -1
	}
	end := digits(b, open+1)
	if end == open+1 || !prefixAt(b, end, "]: ") {
		return -1
	}
	p.add(fProgram, i, open)
	p.addNum(fPID, open+1, end)
	return end + len("]: ")
}

func skipBlanks(b []byte, i int) int {
	for i < len(b) && b[i] == ' ' {
		i++
	}
	return i
}

// readSyslog5424 reads RFC 5424 section 6 after "<pri>1 ".
func readSyslog5424(p *pass, i int, level event.Level) bool {
	b := p.text
	end := word(b, i)
	if end-i > 1 {
		c, east, zoned, n := isoStamp(b[i:end])
		if n < 0 {
			return false
		}
		if !zoned {
			p.at(p.slab.zones.in(c, p.spec.zone))
		} else {
			p.at(c.utc(east))
		}
	}
	for _, n := range [...]name{fHost, fProgram, fPID, fMsgID} {
		i = end + 1
		if i >= len(b) {
			return false
		}
		if end = word(b, i); end-i != 1 || b[i] != '-' {
			p.add(n, i, end)
		}
	}
	i = end + 1
	if i >= len(b) {
		return false
	}
	if b[i] == '-' {
		i++
	} else if i = structured(b, i); i < 0 {
		return false
	} else {
		p.add(fSD, end+1, i)
	}
	i = skipBlanks(b, i)
	if prefixAt(b, i, "\xef\xbb\xbf") {
		i += 3
	}
	p.syslogMessage(i, level)
	return true
}

// structured returns the end of RFC 5424 structured data at i, -1 when it is none.
func structured(b []byte, i int) int {
	for i < len(b) && b[i] == '[' {
		for i++; i < len(b) && b[i] != ']'; i++ {
			if b[i] == '"' {
				if i = quoted(b, i+1); i < 0 {
					return -1
				}
			}
		}
		if i >= len(b) {
			return -1
		}
		i++
	}
	if i < len(b) && b[i] != ' ' {
		return -1
	}
	return i
}

// syslogMessage reads what the program wrote from text[i:] on.
func (p *pass) syslogMessage(i int, level event.Level) {
	p.narrow(i, trimEnd(p.text))
	p.add(fMessage, 0, len(p.text))
	p.e.Message = str(p.text)
	p.e.FormatName, p.e.LogSource = "syslog", logSyslog
	p.unrepeat()
	p.program(p.value(fProgram))
	if p.native < 0 {
		p.endNative()
	}
	if level > p.e.Level { // the louder of what was said and how it was said
		p.e.Level = level
	}
	p.aliases(syslogAliases)
}

// trimEnd returns where b ends without line ends and blanks.
func trimEnd(b []byte) int {
	n := len(b)
	for n > 0 && (b[n-1] == '\n' || b[n-1] == '\r' || b[n-1] == ' ') {
		n--
	}
	return n
}

// narrow makes text[from:to] the text.
func (p *pass) narrow(from, to int) {
	from = min(from, len(p.text))
	p.text = p.text[from:max(from, to)]
	if p.off >= 0 {
		p.off += int32(from)
	}
}

// unrepeat unpacks rsyslog's "message repeated 3 times: [ … ]".
func (p *pass) unrepeat() {
	const head = "message repeated "
	b := p.text
	if !prefix(b, head) {
		return
	}
	end := digits(b, len(head))
	open := end + len(" times: [")
	if end == len(head) || !prefixAt(b, end, " times: [") || b[len(b)-1] != ']' || open >= len(b) {
		return
	}
	p.addNum(fRepeated, len(head), end)
	p.narrow(skipBlanks(b, open), len(b)-1)
}

// program reads the message by the program that wrote it.
func (p *pass) program(who string) {
	b := p.text
	switch who {
	case "sshd", "sshd-session", "sshd-auth":
		p.sshd()
		return
	case "sudo":
		p.sudo()
		return
	case "su":
		p.su()
		return
	case "CRON", "cron", "crond", "/usr/sbin/cron", "anacron", "crontab", "atd":
		p.cron()
		return
	case "useradd", "usermod", "userdel", "groupadd", "groupmod", "groupdel", "gpasswd", "passwd", "chage", "chpasswd":
		p.accounts(who)
		return
	case "systemd", "systemd-logind", "init":
		p.systemd()
		return
	}
	if len(b) == 0 {
		return
	}
	switch {
	case who == "kernel":
		p.kernel()
	case isCEF(b) || who == "CEF":
		p.embed(readCEFID)
	case isLEEF(b):
		p.embed(readLEEFID)
	case isEventXML(b):
		p.embed(readEventXMLID)
	case prefix(b, "pam_"):
		p.e.FormatName, p.e.LogSource = "pam", logAuth
		p.pam()
	case b[0] == '{':
		p.embed(readJSONID)
	case who == "nginx" || prefix(bytesOf(who), "apache") || who == "httpd":
		p.embed(readWeb)
	case who == "haproxy":
		p.embed(readHAProxyID)
	case who == "falco":
		p.embed(readFalcoID)
	case prefix(b, "type=") || prefix(b, "audit: type=") || prefix(b, "node="):
		p.embed(readAuditdID)
	}
}
