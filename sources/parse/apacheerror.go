package parse

import "bytes"

// The names of what stands before the message of Apache's error log ("ErrorLogFormat"
// in its core documentation).
var (
	apModule = known("module")
	apClient = known("client")
	apPort   = known("client_port")
	apCode   = known("code")
	apRef    = known("referer")
)

var apacheErrorAliases = []pair{
	{ecsSrcIP, apClient},
	{ecsSrcPort, apPort},
	{ecsPID, nePID},
	{ecsErrorCode, apCode},
	{ecsReferrer, apRef},
	{w3cClientIP, apClient},
}

// apacheStamp reads "Wed Nov 03 09:14:02[.123456] 2026" and returns its end.
func apacheStamp(b []byte) (c civil, end int) {
	if len(b) < 24 || b[3] != ' ' || b[7] != ' ' || b[10] != ' ' {
		return c, -1
	}
	c.mon, c.day = month(b, 4), two(b, 8)
	if i := clockTime(b, 11, &c); i > 0 && i+5 <= len(b) && b[i] == ' ' {
		c.year, end = four(b, i+1), i+5
	}
	if c.year <= 0 || !c.valid() {
		return c, -1
	}
	return c, end
}

func scoreApacheError(b []byte) (int, string) {
	if len(b) < 30 || b[0] != '[' || b[4] != ' ' {
		return 0, "does not begin with [Www Mmm dd"
	}
	if _, end := apacheStamp(b[1:]); end > 0 && prefixAt(b, end+1, "] [") {
		return 90, "[Www Mmm dd hh:mm:ss yyyy] and more in brackets"
	}
	return 0, "the first brackets do not hold Www Mmm dd hh:mm:ss yyyy"
}

// readApacheError reads "[time] [module:level] [pid 7:tid 9] [client 192.0.2.1:80]
// text", of Apache 2.4 and 2.2.
func readApacheError(p *pass) bool {
	b := p.text[:trimEnd(p.text)]
	if n, _ := scoreApacheError(b); n == 0 {
		return false
	}
	c, end := apacheStamp(b[1:])
	p.at(p.slab.zones.in(c, p.spec.zone))
	p.e.FormatName, p.e.LogSource = "apache-error", logApacheEr
	i := end + 2
	for prefixAt(b, i, " [") {
		stop := find(b, i, ']')
		if stop < 0 || !p.apachePart(b, i+2, stop) {
			break
		}
		i = stop + 1
	}
	if i == end+2 {
		return false // cut off
	}
	i = skipBlanks(b, i)
	p.e.Level = levelWord(p.value(fLevel))
	p.e.Message = view(b, i, len(b))
	p.add(fMessage, i, len(b))
	if prefixAt(b, i, "AH") {
		if stop := digits(b, i+2); stop > i+2 && prefixAt(b, stop, ": ") {
			p.add(apCode, i, stop)
		}
	}
	if at := bytes.LastIndex(b, []byte(", referer: ")); at > i {
		p.add(apRef, at+len(", referer: "), len(b))
	}
	if waf := isWAF(p.e.Message); waf {
		p.waf(p.has(fMessage).Value)
		p.endNative()
		p.wafNames()
	} else {
		p.endNative()
	}
	p.aliases(apacheErrorAliases)
	return true
}

// apachePart reads one part in brackets; false: it belongs to the message.
func (p *pass) apachePart(b []byte, i, end int) bool {
	switch {
	case prefixAt(b, i, "pid "):
		stop := digits(b, i+4)
		p.addNum(nePID, i+4, stop)
		if prefixAt(b, stop, ":tid ") {
			p.addNum(neTID, stop+5, end)
		}
	case prefixAt(b, i, "client "):
		i += len("client ")
		if p.has(apClient) != nil {
			return true
		}
		from, to, port := hostPort(str(b[i:end]))
		if port < 0 { // Apache writes ::1:80 without brackets
			if last := bytes.LastIndexByte(b[i:end], ':'); last > 0 && isAddr(str(b[i:i+last])) && !isV4(str(b[i:end])) && digits(b, i+last+1) == end && end-(i+last) > 3 {
				to, port = last, last+1
			}
		}
		p.add(apClient, i+from, i+to)
		if port > 0 {
			p.addNum(apPort, i+port, end)
		}
	case prefixAt(b, i, "remote ") || prefixAt(b, i, "unique_id "):
	case p.has(fLevel) == nil:
		colon := find(b[:end], i, ':')
		if colon >= i {
			if colon > i {
				p.add(apModule, i, colon)
			}
			i = colon + 1
		}
		if word(b[:end], i) != end {
			return false
		}
		p.add(fLevel, i, end)
	default:
		return false
	}
	return true
}
