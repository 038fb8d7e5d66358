package parse

import (
	"bytes"

	"bartizan/event"
)

// sshAccepted reads "password for amira from 192.0.2.1 port 22 ssh2: ED25519
// SHA256:…". The user exists, so the name cannot hold " from ".
func sshAccepted(p *pass, i int) {
	b := p.text
	end := word(b, i)
	p.addWord(fEvent, methodEvent("accepted_", str(b[i:end])))
	p.add(fMethod, i, end)
	if !prefixAt(b, end, " for ") {
		return
	}
	i = end + len(" for ")
	from := bytes.Index(b[i:], bFrom)
	if from < 0 {
		return
	}
	p.add(fUser, i, i+from)
	end = p.addrPort(i + from + len(bFrom))
	if prefixAt(b, end, " ssh2: ") {
		sshKey(p, end+len(" ssh2: "))
	}
}

// sshKey reads "ED25519 SHA256:…", or the older "RSA 3a:bc:…".
func sshKey(p *pass, i int) {
	end := word(p.text, i)
	fp := end + 1
	if fp >= len(p.text) {
		return
	}
	p.add(fKeyType, i, end)
	p.add(fFingerprint, fp, word(p.text, fp))
}

// sshFailed reads "password for [invalid user ]x from 192.0.2.1 port 22 ssh2".
func sshFailed(p *pass, i int) {
	b := p.text
	end := word(b, i)
	verb := "failed_"
	if b[0] == 'P' {
		verb = "postponed_"
	}
	p.addWord(fEvent, methodEvent(verb, str(b[i:end])))
	p.add(fMethod, i, end)
	if prefixAt(b, end, " for ") {
		sshUserFrom(p, end+len(" for "))
	}
}

// sshUserFrom reads "[invalid user ]x from 192.0.2.1[ port 22]…". The user's name
// is whatever the client sent, blanks and " from 192.0.2.9 port 1" included, so
// the last " from " counts.
func sshUserFrom(p *pass, i int) {
	b := p.text
	for _, w := range [...]string{"invalid user ", "illegal user "} {
		if prefixAt(b, i, w) {
			i += len(w)
			p.put(fInvalidUser, event.Value{Str: "true", Pos: -1, End: -1, Kind: event.KindBool})
		}
	}
	from := bytes.LastIndex(b[i:], bFrom)
	if from < 0 {
		if prefixAt(b, i, "from ") { // an empty name
			p.addrPort(i + len("from "))
		} else {
			p.add(fUser, i, word(b, i))
		}
		return
	}
	p.add(fUser, i, i+from)
	end := p.addrPort(i + from + len(bFrom))
	if prefixAt(b, end, " ssh2: ") {
		sshKey(p, end+len(" ssh2: "))
	} else if prefixAt(b, end, " not allowed because ") {
		p.add(fReason, end+len(" not allowed because "), len(b))
	}
}

// addrPort reads "192.0.2.1 port 22" or "192.0.2.1" at i and returns its end.
func (p *pass) addrPort(i int) int {
	b := p.text
	end := word(b, i)
	to := end
	for to > i && (b[to-1] == ':' || b[to-1] == ',' || b[to-1] == ';') {
		to--
	}
	if isAddr(str(b[i:to])) {
		p.add(fSrcIP, i, to)
	} else if to > i {
		p.add(fSrcHost, i, to)
	}
	if prefixAt(b, end, " port ") {
		i = end + len(" port ")
		if end = digits(b, i); end > i {
			p.addNum(fSrcPort, i, end)
		}
	}
	return end
}

var fSrcHost = known("src_host")

// sshPeer reads "[authenticating user x |invalid user x |user x ]192.0.2.1 port
// 22[:11: reason][ [preauth]]". A user's name may hold blanks, so the address is
// found from the last " port ".
func sshPeer(p *pass, i int) {
	b := p.text
	for _, w := range [...]string{"authenticating user ", "invalid user ", "user "} {
		if prefixAt(b, i, w) {
			if w[0] == 'a' {
				p.put(fAuthing, event.Value{Str: "true", Pos: -1, End: -1, Kind: event.KindBool})
			}
			if w[0] == 'i' {
				p.put(fInvalidUser, event.Value{Str: "true", Pos: -1, End: -1, Kind: event.KindBool})
			}
			i = p.peerUser(i + len(w))
			break
		}
	}
	end := p.addrPort(i)
	if end < len(b) && b[end] == ':' {
		end++
		if d := digits(b, end); d > end && d < len(b) && b[d] == ':' {
			end = d + 1
		}
		end = skipBlanks(b, end)
		p.add(fReason, end, reasonEnd(b))
	}
}

func reasonEnd(b []byte) int {
	n := len(b)
	if bytes.HasSuffix(b, bPreauth) {
		n = trimEnd(b[:n-len(bPreauth)])
	}
	return n
}

// peerUser reads a user's name before an address and returns where the address
// begins.
func (p *pass) peerUser(i int) int {
	b := p.text
	port := bytes.LastIndex(b[i:], []byte(" port "))
	if port < 0 {
		end := word(b, i)
		p.add(fUser, i, end)
		return min(end+1, len(b))
	}
	addr := i + port
	for addr > i && b[addr-1] != ' ' {
		addr--
	}
	if addr > i {
		p.add(fUser, i, addr-1)
	}
	return addr
}

func sshAddress(p *pass, i int) {
	end := p.addrPort(i)
	if rest := skipBlanks(p.text, end); rest < len(p.text) && p.text[end] == ':' {
		p.add(fReason, skipBlanks(p.text, end+1), reasonEnd(p.text))
	}
}

func sshRoot(p *pass, i int) {
	p.addWord(fUser, "root")
	p.addrPort(i)
}

func sshUserOnly(p *pass, i int) { p.add(fUser, i, reasonEnd(p.text)) }

// sshLastFrom reads "'…' from 192.0.2.1 port 22", whose first part is whatever
// the client sent.
func sshLastFrom(p *pass, i int) {
	if from := bytes.LastIndex(p.text[i:], bFrom); from >= 0 {
		p.addrPort(i + from + len(bFrom))
	}
}

// sshConnection reads "192.0.2.1 port 22 on 198.51.100.7 port 22".
func sshConnection(p *pass, i int) {
	b := p.text
	end := p.addrPort(i)
	if !prefixAt(b, end, " on ") {
		return
	}
	i = end + len(" on ")
	end = word(b, i)
	p.add(fDstIP, i, end)
	if prefixAt(b, end, " port ") {
		i = end + len(" port ")
		p.addNum(fDstPort, i, digits(b, i))
	}
}

// sshTimeout reads "192.0.2.1 port 22" and OpenSSH 9.9's "connection from
// 192.0.2.1 to 198.51.100.7, pid = 7".
func sshTimeout(p *pass, i int) {
	const head = "connection from "
	if prefixAt(p.text, i, head) {
		i += len(head)
	}
	p.addrPort(i)
}

// sshSession reads "shell on pts/0 for amira from 192.0.2.1 port 22 id 0".
func sshSession(p *pass, i int) {
	b := p.text
	if on := bytes.Index(b[i:], []byte(" on ")); on >= 0 {
		tty := i + on + len(" on ")
		p.add(fTTY, tty, word(b, tty))
	}
	if at := bytes.Index(b[i:], []byte(" for ")); at >= 0 {
		sshUserFrom(p, i+at+len(" for "))
	}
}

// sshSubsystem reads "sftp by user amira".
func sshSubsystem(p *pass, i int) {
	const by = " by user "
	if at := bytes.Index(p.text[i:], []byte(by)); at >= 0 {
		i += at + len(by)
		p.add(fUser, i, word(p.text, i))
	}
}

// sshPAM reads "Authentication failure for [illegal user ]x from host".
func sshPAM(p *pass, i int) {
	if at := bytes.Index(p.text[i:], []byte(" for ")); at >= 0 {
		p.add(fReason, i, i+at)
		sshUserFrom(p, i+at+len(" for "))
	}
}

// sshDrop reads "12 from [192.0.2.1]:2233 on [198.51.100.7]:22 penalty: …".
func sshDrop(p *pass, i int) {
	b := p.text
	at := bytes.Index(b[i:], bFrom)
	if at < 0 {
		return
	}
	i += at + len(bFrom)
	end := word(b, i)
	from, to, port := hostPort(str(b[i:end]))
	p.add(fSrcIP, i+from, i+to)
	if port > 0 {
		p.addNum(fSrcPort, i+port, end)
	}
}

// sshReverse reads "host.example [192.0.2.1] failed - …".
func sshReverse(p *pass, i int) {
	b := p.text
	if open := find(b, i, '['); open > 0 {
		if end := find(b, open, ']'); end > 0 && isAddr(str(b[open+1:end])) {
			p.add(fSrcIP, open+1, end)
		}
	}
}

// sshRefused reads TCP wrappers' "host.example (192.0.2.1)".
func sshRefused(p *pass, i int) {
	b := p.text
	if open := bytes.LastIndexByte(b, '('); open > i && b[len(b)-1] == ')' && isAddr(str(b[open+1:len(b)-1])) {
		p.add(fSrcIP, open+1, len(b)-1)
		return
	}
	p.addrPort(i)
}
