package parse

import (
	"bytes"

	"bartizan/event"
)

// logCisco is the log source of network devices' messages; facilities about logins
// and commands are its service aaa.
var logCisco = event.LogSource{Product: "cisco"}

// The native names of a Cisco message; it has none itself.
var (
	csSeq      = known("sequence")
	csFacility = known("facility")
	csSeverity = known("severity")
	csMnemonic = known("mnemonic")
)

var ciscoAliases = []pair{{ecsHost, fHost}, {ecsUser, fUser}, {ecsSrcIP, fSrcIP}, {ecsCommand, fCommand}, {ecsAction, csMnemonic}, {ecsProvider, csFacility}}

// maxCiscoHead is how far from the beginning the %FACILITY-SEVERITY-MNEMONIC may be.
const maxCiscoHead = 200

// ciscoTag finds "%FACILITY-SEVERITY-MNEMONIC: ", as Cisco's system message guides
// have it; facilities may have dashes of their own.
func ciscoTag(b []byte) (start, sev, end int) {
	head := b[:min(len(b), maxCiscoHead)]
	for at := 0; ; {
		i := bytes.IndexByte(head[at:], '%')
		if i < 0 {
			return -1, 0, 0
		}
		start = at + i
		end, sev = start+1, -1
		for end < len(b) && (b[end]-'A' < 26 || b[end]-'0' <= 9 || b[end] == '_' || b[end] == '-') {
			if b[end] == '-' && end+2 < len(b) && b[end+1]-'0' < 8 && b[end+2] == '-' {
				sev = end + 1
			}
			end++
		}
		if sev > start+2 && end > sev+2 && end < len(b) && b[end] == ':' {
			return start, sev, end
		}
		at = start + 1
	}
}

func scoreCisco(b []byte) (int, string) {
	if start, _, _ := ciscoTag(b); start >= 0 {
		return 96, "a %FACILITY-SEVERITY-MNEMONIC: as network devices write"
	}
	return 0, "no %FACILITY-SEVERITY-MNEMONIC:"
}

// readCisco reads a message of IOS and its relatives: "host seq: stamp: %A-5-B: text",
// host, sequence number and stamp may be missing, a priority may stand before.
func readCisco(p *pass) bool {
	b := p.text
	start, sev, end := ciscoTag(b)
	if start < 0 {
		return false
	}
	p.ciscoHead(priority(b), start)
	p.add(csFacility, start+1, sev-1)
	p.addNum(csSeverity, sev, sev+1)
	p.add(csMnemonic, sev+2, end)
	last := max(trimEnd(b), end+1)
	for end++; end < last && b[end] == ' '; {
		end++
	}
	p.add(fMessage, end, last)
	p.ciscoWords(end, last)
	p.endNative()
	p.e.FormatName, p.e.LogSource = "cisco", logCisco
	p.e.LogSource.Service = ciscoService(p.value(csFacility), b[end:last])
	p.e.Level = syslogLevels[b[sev]-'0']
	p.e.Message = str(b[start:last])
	p.aliases(ciscoAliases)
	return true
}

// ciscoHead reads what stands before the message's tag.
func (p *pass) ciscoHead(i, end int) {
	b := p.text
	for i < end {
		if b[i] == ' ' || b[i] == '*' || b[i] == '.' || b[i] == ':' {
			i++
			continue
		}
		if c, n := bsdStamp(b[i:end]); n > 0 {
			if c.year == 0 {
				c.year = p.yearOf(c.mon, c.day)
			}
			p.at(p.slab.zones.in(c, p.spec.zone))
			i += n
			continue
		}
		next := min(word(b, i), end)
		word := next
		for word > i && b[word-1] == ':' {
			word--
		}
		switch {
		case word > i && digits(b, i) == word:
			p.addNum(csSeq, i, word)
		case word > i && p.has(fHost) == nil && p.has(csSeq) == nil && !p.hasT:
			p.add(fHost, i, word)
		}
		i = max(next, i+1)
	}
}

// ciscoWords takes the user, the address and the command out of the text of the
// messages that name them.
func (p *pass) ciscoWords(from, to int) {
	b := p.text[:to]
	for _, w := range [...]struct {
		before string
		to     name
		rest   bool
	}{
		{"User:", fUser, false},
		{"[user: ", fUser, false},
		{"[Source: ", fSrcIP, false},
		{"logged command:", fCommand, true},
	} {
		i := bytes.Index(b[from:], []byte(w.before))
		if i < 0 || p.has(w.to) != nil {
			continue
		}
		i += from + len(w.before)
		end := len(b)
		if !w.rest {
			end = i
			for end < len(b) && b[end] > ' ' && b[end] != ']' && b[end] != ',' {
				end++
			}
		}
		if end > i {
			p.add(w.to, i, end)
		}
	}
}

// ciscoService is Sigma's service for a facility; a session that failed at TCP is
// told apart by its port.
func ciscoService(facility string, text []byte) string {
	switch facility {
	case "PARSER", "AAA", "AAAA", "SEC_LOGIN", "SSH", "LOGIN", "SYS":
		return "aaa"
	case "BGP":
		return "bgp"
	case "LDP", "TAGCON":
		return "ldp"
	case "TCP", "IP-TCP":
		if bytes.Contains(text, []byte(":646")) {
			return "ldp"
		}
		return "bgp"
	}
	return "syslog"
}
