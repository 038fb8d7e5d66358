package parse

import (
	"bytes"

	"bartizan/event"
)

// QRadar's Log Event Extended Format (IBM's "LEEF format guide"):
// "LEEF:1.0|vendor|product|version|id|key=value<tab>…"; in 2.0 a sixth part names
// what stands between the pairs, as itself or as x09.

var leefHead = knownAll("leefVersion", "deviceVendor", "deviceProduct", "deviceVersion", "deviceEventId")

var (
	leefCat  = known("cat")
	leefSev  = known("sev")
	leefTime = known("devTime")
	leefID   = leefHead[4]
)

var leefAliases = []pair{
	{ecsSrcIP, known("src")},
	{ecsSrcPort, known("srcPort")},
	{ecsDstIP, known("dst")},
	{ecsDstPort, known("dstPort")},
	{ecsUser, known("usrName")},
	{ecsUser, known("accountName")},
	{ecsHost, known("identHostName")},
	{ecsHost, known("devName")},
	{ecsURL, known("url")},
	{ecsRoles, known("role")},
	{ecsFile, known("filePath")},
	{ecsNetBytes, known("srcBytes")},
	{ecsNetPackets, known("srcPackets")},
	{ecsAction, cefAct},
	{ecsAction, known("action")},
	{ecsAction, leefID},
	{ecsRule, known("policy")},
	{known("src_ip"), known("src")},
	{known("dst_ip"), known("dst")},
	{known("dst_port"), known("dstPort")},
}

var logLEEF = event.LogSource{Service: "leef"}

func isLEEF(b []byte) bool {
	return prefix(b, "LEEF:1.0|") || prefix(b, "LEEF:2.0|") || prefix(b, "LEEF:1|") || prefix(b, "LEEF:2|")
}

func scoreLEEF(b []byte) (int, string) {
	if isLEEF(b) && bytes.Count(b[:min(len(b), 1024)], []byte{'|'}) >= 5 {
		return 97, "LEEF: and five parts between |"
	}
	return 0, "does not begin with LEEF:1.0| or LEEF:2.0|"
}

func readLEEF(p *pass) bool {
	b := p.text[:trimEnd(p.text)]
	if !isLEEF(b) {
		return false
	}
	i := len("LEEF:")
	two := b[i] == '2'
	for k := range leefHead {
		end := find(b, i, '|')
		if end < 0 {
			return false
		}
		p.add(leefHead[k], i, end)
		i = end + 1
	}
	sep := byte('\t')
	if two {
		sep, i = leefDelimiter(b, i)
	}
	p.leefPairs(b, i, sep)
	p.e.FormatName, p.e.LogSource = "leef", logLEEF
	p.endNative()
	if f := p.has(leefTime); f != nil {
		p.cefTime(f.Value.Str)
	}
	p.vendorMeaning(leefAliases, cefVendor, leefSev, cefProto)
	p.e.Message = p.compose(p.value(leefID), p.value(leefCat), p.value(cefMsg), p.value(ecsUser), p.value(ecsSrcIP))
	return true
}

// leefDelimiter reads the sixth part of a 2.0 record, which may be missing.
func leefDelimiter(b []byte, i int) (sep byte, next int) {
	end := find(b[:min(len(b), i+8)], i, '|')
	if end < 0 {
		return '\t', i
	}
	d := b[i:end]
	if prefix(d, "0x") {
		d = d[1:]
	}
	switch {
	case len(d) == 0:
		return '\t', end + 1
	case len(d) == 1:
		return d[0], end + 1
	case len(d) <= 5 && d[0] == 'x' && isHex(d[1:]):
		v := 0
		for _, c := range d[1:] {
			v = v<<4 | hexDigit(c)
		}
		return byte(v), end + 1
	}
	return '\t', i
}

func (p *pass) leefPairs(b []byte, i int, sep byte) {
	for n := 0; i < len(b) && n < maxJSONFields; n++ {
		end := find(b, i, sep)
		if end < 0 {
			end = len(b)
		}
		from := skipBlanks(b[:end], i)
		if k := find(b[:end], from, '='); k > from && k-from <= 64 && k+1 < end {
			p.addKey(b[from:k], k+1, end)
		}
		i = end + 1
	}
}
