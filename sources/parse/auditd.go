package parse

import (
	"bytes"
	"strings"

	"bartizan/event"
)

// The names in Linux audit records that we look at; all others keep theirs too.
var (
	auType    = known("type")
	auNode    = known("node")
	auSerial  = known("serial")
	auSuccess = known("success")
	auRes     = known("res")
	auAUID    = known("auid")
	auTitle   = known("proctitle")
	auFrom    = knownAll("addr", "src")
	auTo      = knownAll("raddr", "dst")
)

var auditAliases = []pair{
	{ecsAction, auType},
	{ecsHost, auNode},
	{ecsEventID, auSerial},
	{ecsPID, known("pid")},
	{ecsParentPID, known("ppid")},
	{ecsProcess, known("comm")},
	{ecsExecutable, known("exe")},
	{ecsCwd, known("cwd")},
	{ecsUser, known("acct")},
	{ecsUser, fUser},
	{ecsUser, known("AUID")},
	{ecsUser, known("UID")},
	{ecsCommand, known("cmd")},
	{ecsCommand, auTitle},
}

// auditText are the fields the kernel writes in quotes, or as hex where the text
// holds blanks, quotes or bytes that are not ASCII.
var auditText = map[string]bool{
	"comm": true, "exe": true, "proctitle": true, "cwd": true, "name": true, "cmd": true, "path": true,
	"data": true, "acct": true, "dir": true, "ocomm": true, "old": true, "new": true, "vm": true, "key": true, "grp": true,
}

func scoreAuditd(b []byte) (int, string) {
	i := 0
	if prefix(b, "node=") {
		i = min(word(b, 0)+1, len(b))
	}
	if !prefixAt(b, i, "type=") && !prefixAt(b, i, "audit: type=") {
		return 0, "does not begin with type="
	}
	if bytes.Contains(b[:min(len(b), 400)], []byte("audit(")) {
		return 96, "type= and msg=audit(time:serial)"
	}
	return 15, "type= but no msg=audit( after it"
}

// readAuditd reads one record of the audit log, also in auditd's ENRICHED form
// and as the kernel logs it ("audit: type=1400 audit(…)"), or all records of one
// event where a source joined them.
func readAuditd(p *pass) bool {
	b := p.text[:trimEnd(p.text)]
	if find(b, 0, '\n') >= 0 {
		return p.auditLines(b)
	}
	if !p.auditRecord(b, 0) {
		return false
	}
	p.e.FormatName, p.e.LogSource = "auditd", logAuditd
	p.e.Message = view(b, 0, len(b))
	p.endNative()
	p.auditAliases()
	return true
}

// auditRecord reads the record that begins at i and goes on to the end of b. Node
// and serial are taken from the first one of an event.
func (p *pass) auditRecord(b []byte, i int) bool {
	if prefixAt(b, i, "node=") {
		end := word(b, i)
		if p.has(auNode) == nil {
			p.add(auNode, i+len("node="), end)
		}
		i = end + 1
	}
	if prefixAt(b, i, "audit: ") {
		i += len("audit: ")
	}
	if !prefixAt(b, i, "type=") {
		return false
	}
	end := word(b, i)
	p.add(auType, i+len("type="), end)
	p.audit = view(b, i+len("type="), end)
	if prefixAt(b, end+1, "msg=") {
		end += len("msg=")
	}
	if i = end + 1; !prefixAt(b, i, "audit(") {
		return false
	}
	if i = p.auditStamp(i + len("audit(")); i < 0 {
		return false
	}
	p.pairs(i, len(b), false)
	return true
}

// auditStamp reads "sec.ms:serial):" and returns where the fields begin.
func (p *pass) auditStamp(i int) int {
	b := p.text
	colon, end := find(b, i, ':'), find(b, i, ')')
	if colon < 0 || end < colon {
		return -1
	}
	t, ok := epochText(str(b[i:colon]))
	if !ok {
		return -1
	}
	p.at(t)
	if p.has(auSerial) == nil {
		p.addNum(auSerial, colon+1, end)
	}
	if end++; end < len(b) && b[end] == ':' {
		end++
	}
	return end
}

// pairs reads "key=value key="value" key='pairs'" from i to end; 0x1d begins the
// names an ENRICHED record adds.
func (p *pass) pairs(i, end int, nested bool) {
	b := p.text[:end]
	for n := 0; i < end && n < maxJSONFields; n++ {
		for i < end && (b[i] == ' ' || b[i] == 0x1d || b[i] == ',') {
			i++
		}
		stop := i
		for stop < end && b[stop] != ' ' && b[stop] != '=' && b[stop] != 0x1d {
			stop++
		}
		if stop >= end || b[stop] != '=' {
			i = stop + 1
			continue
		}
		key := b[i:stop]
		i = p.auditValue(key, stop+1, end, nested)
	}
}

func (p *pass) auditValue(key []byte, i, end int, nested bool) int {
	b := p.text[:end]
	if i >= end {
		return end
	}
	if q := b[i]; q == '"' || q == '\'' {
		stop := find(b, i+1, q)
		if stop < 0 {
			stop = end
		}
		if q == '\'' && !nested && string(key) == "msg" {
			p.pairs(i+1, stop, true)
		} else {
			p.addKey(key, i+1, stop)
		}
		return stop + 1
	}
	stop := i
	for stop < end && b[stop] != ' ' && b[stop] != 0x1d {
		stop++
	}
	if stop-i >= 2 && (stop-i)%2 == 0 && p.hexField(key) && isHex(b[i:stop]) {
		p.addHex(key, i, stop)
	} else {
		p.addKey(key, i, stop)
	}
	return stop
}

// hexField reports whether a field without quotes is hex: text fields, and the
// arguments of EXECVE (in SYSCALL the same names are registers).
func (p *pass) hexField(key []byte) bool {
	if auditText[string(key)] {
		return true
	}
	if len(key) < 2 || key[0] != 'a' || p.audit != "EXECVE" {
		return false
	}
	d := digits(key, 1)
	return d > 1 && (d == len(key) || key[d] == '[')
}

// addKey appends text[from:to] under a name that the record brings along.
func (p *pass) addKey(key []byte, from, to int) *node {
	if p.exec && len(key) == 2 && p.audit == "SYSCALL" {
		if other, ok := auditRegisters[string(key)]; ok {
			key = []byte(other)
		}
	}
	n := p.reg.names.child(p.reg.names.root, key)
	p.addNode(n, from, to)
	return n
}

// addNode appends text[from:to] under a name of the registry's, as a number where
// it is all digits.
func (p *pass) addNode(n *node, from, to int) {
	pos, end := p.span(from, to)
	v := event.Value{Str: view(p.text, from, to), Pos: pos, End: end}
	if digits(p.text[:to], from) == to {
		if x, ok := number(p.text[from:to]); ok {
			v.Kind, v.Num = event.KindNumber, x
		}
	}
	p.put(name{n.name, n.sym, n.slot}, v)
}

// addHex appends the text behind hex digits; a NUL between the words of a
// process title becomes a blank.
func (p *pass) addHex(key []byte, from, to int) {
	n := p.reg.names.child(p.reg.names.root, key)
	src := p.text[from:to]
	buf := p.slab.bytes.take(len(src) / 2)
	title := string(key) == "proctitle"
	for i := range buf {
		c := byte(hexDigit(src[2*i])<<4 | hexDigit(src[2*i+1]))
		if c == 0 && title {
			c = ' '
		}
		buf[i] = c
	}
	pos, end := p.span(from, to)
	p.put(name{n.name, n.sym, n.slot}, event.Value{Str: str(buf), Pos: pos, End: end})
}

func (p *pass) auditAliases() {
	p.e.Level = event.LevelInfo
	kind := p.value(auType)
	switch kind {
	case "EXECVE":
		p.execLine()
	case "PATH":
		p.alias(ecsFile, auName)
	}
	if a := p.value(auAUID); a != "4294967295" && a != "-1" {
		p.alias(ecsUserID, auAUID)
	}
	p.alias(ecsUserID, fUID)
	if s := p.value(auSes); s != "4294967295" && s != "-1" {
		p.alias(ecsSession, auSes)
	}
	p.addrAlias(ecsSrcIP, auFrom)
	p.addrAlias(ecsDstIP, auTo)
	p.aliases(auditAliases)
	p.auditOutcome(kind)
}

var (
	auName = known("name")
	auSes  = known("ses")
	auArgs = knownAll("a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9", "a10", "a11", "a12", "a13", "a14", "a15")
)

// execLine joins the arguments of EXECVE to one command line.
func (p *pass) execLine() {
	n := 0
	for _, a := range auArgs {
		n += len(p.value(a)) + 1
	}
	buf := p.slab.bytes.take(n)[:0]
	for _, a := range auArgs {
		f := p.has(a)
		if f == nil {
			break
		}
		if len(buf) > 0 {
			buf = append(buf, ' ')
		}
		buf = append(buf, f.Value.Str...)
	}
	p.slab.bytes.trim(n - len(buf))
	p.alias(ecsExecutable, auArgs[0])
	p.aliasWord(ecsCommand, str(buf))
}

func (p *pass) auditOutcome(kind string) {
	said := p.value(auSuccess)
	if said == "" {
		said = p.value(auRes)
	}
	switch said {
	case "yes", "success", "1":
		p.outcome(true)
	case "no", "failed", "0":
		p.outcome(false)
		if kind != "SYSCALL" { // a system call may fail for any reason
			p.e.Level = event.LevelWarning
		}
	}
	if kind == "AVC" || kind == "1400" || strings.HasPrefix(kind, "ANOM_") || kind == "SECCOMP" {
		p.e.Level = event.LevelWarning
	}
}
