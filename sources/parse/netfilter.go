package parse

import (
	"bytes"

	"bartizan/event"
)

// What the kernel says: packets that iptables, nftables and ufw log ("LOG" in
// iptables-extensions(8), "log" in nft(8)): a prefix, then IN= OUT= SRC= DST= LEN=
// PROTO= SPT= DPT= and bare flags.

var (
	nfUptime = known("uptime")
	nfPrefix = known("prefix")
	nfFlags  = known("flags")
	nfIn     = known("IN")
	nfProto  = known("PROTO")
)

var netfilterAliases = []pair{
	{ecsSrcIP, known("SRC")},
	{ecsSrcPort, known("SPT")},
	{ecsDstIP, known("DST")},
	{ecsDstPort, known("DPT")},
	{ecsNetBytes, known("LEN")},
	{known("observer.ingress.interface.name"), nfIn},
	{known("observer.egress.interface.name"), known("OUT")},
	{known("src_ip"), known("SRC")},
	{known("src_port"), known("SPT")},
	{known("dst_ip"), known("DST")},
	{known("dst_port"), known("DPT")},
}

var logNetfilter = event.LogSource{Product: "linux", Category: "firewall", Service: "iptables"}

// netfilterWords are the words of prefixes by which people tell what became of the
// packet.
var netfilterWords = []struct {
	word, action string
	ok           bool
}{
	{"BLOCK", "block", false},
	{"DROP", "drop", false},
	{"DENY", "deny", false},
	{"DENIED", "deny", false},
	{"REJECT", "reject", false},
	{"INVALID", "drop", false},
	{"ALLOW", "allow", true},
	{"ACCEPT", "accept", true},
	{"PASS", "pass", true},
}

// kernel reads a line of the kernel's: its uptime, and a packet or an audit record.
func (p *pass) kernel() {
	b := p.text
	i := kernelUptime(b)
	if i > 0 {
		from := 1
		for b[from] == ' ' {
			from++
		}
		p.addNum(nfUptime, from, bytes.IndexByte(b[:i], ']'))
	}
	switch {
	case prefixAt(b, i, "audit: type="):
		p.narrow(i, len(b))
		p.embed(readAuditdID)
	default:
		if at := packetAt(b, i); at >= 0 {
			p.packet(i, at)
		}
	}
}

// kernelUptime returns where the message begins behind "[12345.678901] ".
func kernelUptime(b []byte) int {
	if len(b) < 6 || b[0] != '[' {
		return 0
	}
	i := skipBlanks(b, 1)
	end := digits(b, i)
	if end == i || end >= len(b) || b[end] != '.' {
		return 0
	}
	if end = digits(b, end+1); !prefixAt(b, end, "] ") {
		return 0
	}
	return end + 2
}

// packetAt returns where "IN=" of a logged packet stands, -1 where there is none.
func packetAt(b []byte, i int) int {
	limit := min(len(b), i+160)
	for i < limit {
		at := bytes.Index(b[i:limit], []byte("IN="))
		if at < 0 {
			return -1
		}
		if at += i; at == 0 || !isLetter(b[at-1]) {
			rest := b[at:]
			if bytes.Contains(rest, []byte(" OUT=")) && bytes.Contains(rest, []byte(" SRC=")) && bytes.Contains(rest, []byte(" DST=")) {
				return at
			}
			return -1
		}
		i = at + 3
	}
	return -1
}

// packet reads a logged packet whose prefix stands at text[from:at].
func (p *pass) packet(from, at int) {
	b := p.text[:trimEnd(p.text)]
	end := at
	for end > from && (b[end-1] == ' ' || b[end-1] == ':') {
		end--
	}
	p.addSome(nfPrefix, from, end)
	for i, n := at, 0; i < len(b) && n < 64; n++ {
		i = skipBlanks(b, i)
		stop := word(b, i)
		if eq := find(b[:stop], i, '='); eq > i {
			if eq+1 < stop {
				p.addKey(b[i:eq], eq+1, stop)
			}
		} else if stop > i && stop-i <= 16 {
			p.add(nfFlags, i, stop)
		}
		i = stop
	}
	p.e.FormatName, p.e.LogSource, p.e.Level = "netfilter", logNetfilter, event.LevelInfo
	p.e.Message = view(b, from, len(b))
	p.endNative()
	p.aliases(netfilterAliases)
	p.transport(nfProto)
	p.packetFate(b[from:end])
}

func (p *pass) packetFate(prefix []byte) {
	var up [48]byte
	n := copy(up[:], prefix)
	for i := range up[:n] {
		if up[i]-'a' < 26 {
			up[i] -= 'a' - 'A'
		}
	}
	for i := range netfilterWords {
		if w := &netfilterWords[i]; bytes.Contains(up[:n], bytesOf(w.word)) {
			p.aliasWord(ecsAction, w.action)
			p.outcome(w.ok)
			if !w.ok {
				p.e.Level = event.LevelNotice
			}
			return
		}
	}
}
