package parse

import (
	"bytes"
	"net/netip"

	"bartizan/event"
)

// The names of nginx's variables, which Apache's fields share.
var (
	fRemoteAddr = known("remote_addr")
	fRemoteUser = known("remote_user")
	fRequest    = known("request")
	fReqMethod  = known("request_method")
	fURI        = known("uri")
	fArgs       = known("args")
	fReqURI     = known("request_uri")
	fServerProt = known("server_protocol")
	fStatus     = known("status")
	fBodyBytes  = known("body_bytes_sent")
	fReferer    = known("http_referer")
	fAgent      = known("http_user_agent")
	fXFF        = known("http_x_forwarded_for")
	fServerName = known("server_name")
	fServerPort = known("server_port")
)

// Members of the family of access logs.
const (
	webNginx uint8 = iota
	webApache
)

var webAliases = []pair{
	{ecsUser, fRemoteUser},
	{ecsMethod, fReqMethod},
	{ecsURL, fReqURI},
	{ecsURLPath, fURI},
	{ecsURLQuery, fArgs},
	{ecsURLDomain, fServerName},
	{ecsDstPort, fServerPort},
	{ecsStatus, fStatus},
	{ecsRespBytes, fBodyBytes},
	{ecsReferrer, fReferer},
	{ecsUserAgent, fAgent},
	{w3cMethod, fReqMethod},
	{w3cURI, fReqURI},
	{w3cStem, fURI},
	{w3cStatus, fStatus},
	{w3cAgent, fAgent},
	{w3cAgent2, fAgent},
	{w3cReferer, fReferer},
	{w3cHost, fServerName},
	{w3cClientIP, fRemoteAddr},
}

func scoreWeb(b []byte) (int, string) {
	near := b[:min(len(b), 300)]
	if prefix(b, "[") && tlsClient(b) > 0 {
		return 85, "[dd/Mmm/yyyy:…], a client's address, TLS version and cipher, and a quoted request"
	}
	open := bytes.IndexByte(near, '[')
	if open < 4 {
		return 0, "no [time] after the client's address"
	}
	for ; open > 0; open = find(near, open+1, '[') {
		if _, end := clfStamp(b[open+1:]); end > 0 {
			if prefixAt(b, open+1+end, `] "`) {
				return 85, "a client, [dd/Mmm/yyyy:…] and a quoted request"
			}
			return 0, "[dd/Mmm/yyyy:…] but no quoted request after it"
		}
	}
	return 0, "the brackets do not hold dd/Mmm/yyyy:hh:mm:ss"
}

// readAccess reads nginx's and Apache's combined and common formats: client,
// ident, user, [time], "request", status, bytes, and if they are there "referer",
// "user agent" and further quoted values. A virtual host may stand first.
func readAccess(p *pass) bool {
	b := p.text
	if startsLikeSyslog(b) {
		return false
	}
	if prefix(b, "[") {
		return p.readTLSRequest()
	}
	i, ok := p.webClient(0)
	if !ok {
		return false
	}
	t, end := clfStamp(b[i:])
	if end < 0 || !prefixAt(b, i+end, `] "`) {
		return false
	}
	p.at(t)
	i += end + len(`] "`)
	start := i - 1
	end = quoted(b, i)
	if end < 0 {
		return false
	}
	p.request(i, end)
	i = p.webStatus(end + 1)
	if i < 0 {
		return false
	}
	i = p.webRest(i)
	p.e.FormatName, p.e.LogSource = "nginx", logNginx
	if p.ingress(i) {
		p.e.FormatName = "nginx-ingress"
	} else if p.spec.variant == webApache {
		p.e.FormatName, p.e.LogSource = "apache", logApache
	}
	p.webMeaning(start)
	return true
}

// webMeaning gives the second names of an access log's line, whose message begins
// at start.
func (p *pass) webMeaning(start int) {
	p.endNative()
	if isAddr(p.value(fRemoteAddr)) {
		p.alias(ecsSrcIP, fRemoteAddr)
	} else {
		p.alias(ecsSrcDomain, fRemoteAddr)
	}
	p.aliases(webAliases)
	p.aliases(ingressAliases)
	p.address(ecsDstIP, ecsDstPort, inAddr)
	if isAddr(p.value(fServerName)) {
		p.alias(ecsDstIP, fServerName)
	}
	p.webQuery()
	p.e.Message = view(p.text, start, trimEnd(p.text))
	p.httpStatus(fStatus)
}

// startsLikeSyslog tells an access log line that came through syslog, where a
// stamp and a host stand before it.
func startsLikeSyslog(b []byte) bool {
	if len(b) < 4 {
		return false
	}
	if b[0] == '<' || b[3] == ' ' && month(b, 0) > 0 {
		return true
	}
	_, _, _, end := isoStamp(b)
	return end > 0
}

// webClient reads "[vhost[:port] ]client ident user [" and returns where the stamp
// begins. The user may hold blanks, so it reaches to the last " [".
func (p *pass) webClient(i int) (int, bool) {
	b := p.text
	end := word(b, i)
	open := find(b, end, '[')
	if open < 0 || end >= len(b) || open == end || end == i {
		return 0, false
	}
	if p.vhostFirst(i, end, open) {
		p.vhost(i, end)
		i = end + 1
		end = word(b, i)
	}
	from, to, end := listedClient(b, i, end, open)
	p.add(fRemoteAddr, from, to)
	ident := word(b, end+1)
	if ident >= open {
		return open + 1, open == end+1 && isAddr(str(b[from:to]))
	}
	for open+1 < len(b) && b[open+1]-'0' > 9 { // a user called "[x"
		next := find(b, open+1, '[')
		if next < 0 {
			return 0, false
		}
		open = next
	}
	if open > ident+2 {
		p.add(fRemoteUser, ident+1, open-1)
	}
	return open + 1, true
}

// vhostFirst tells whether text[i:end] is a virtual host and the client comes after
// it: an address after what is none, or one word more than ident and user need.
func (p *pass) vhostFirst(i, end, open int) bool {
	b := p.text
	next := word(b, end+1)
	if next >= open || next <= end+1 || b[i] == '"' || b[end-1] == ',' {
		return false
	}
	if isListed(b[end+1:next]) && !isListed(b[i:end]) || b[next-1] == ',' {
		return true
	}
	return !prefixAt(b, end+1, "- ") && prefixAt(b, next, " - ") && next+3 < open
}

// vhost adds "name", "name:port" or an address.
func (p *pass) vhost(i, end int) {
	_, to, port := hostPort(str(p.text[i:end]))
	if port <= 0 || digits(p.text[:end], i+port) != end {
		p.add(fServerName, i, end)
		return
	}
	p.add(fServerName, i, i+to)
	p.addNum(fServerPort, i+port, end)
}

// listedClient returns where the client at b[i:end] stands and where ident begins
// after it. Of a list of addresses, as proxies forward it, the first public one is
// the client, else the first.
func listedClient(b []byte, i, end, open int) (from, to, after int) {
	if b[i] == '"' {
		i++
	}
	if end <= i || b[end-1] != ',' {
		return i, end, end
	}
	from, to = i, end-1
	found := isPublic(b[from:to])
	for end < open && b[end-1] == ',' {
		i, end = end+1, word(b, end+1)
		stop := end
		for stop > i && (b[stop-1] == ',' || b[stop-1] == '"') {
			stop--
		}
		if !found && isPublic(b[i:stop]) {
			from, to, found = i, stop, true
		}
	}
	if next := word(b, end+1); next < open && isListed(b[end+1:next]) { // the proxy itself
		end = next
	}
	return from, to, end
}

// isPublic reports whether b is an address that is not somebody's own.
func isPublic(b []byte) bool {
	a, err := netip.ParseAddr(str(b))
	return err == nil && !a.Unmap().IsPrivate() && !a.IsLoopback() && !a.IsLinkLocalUnicast() && !a.IsUnspecified()
}

// isListed reports whether b is an address, perhaps the first of a list.
func isListed(b []byte) bool {
	if len(b) > 0 && b[0] == '"' {
		b = b[1:]
	}
	if n := len(b); n > 0 && b[n-1] == ',' {
		b = b[:n-1]
	}
	return isAddr(str(b))
}

// request reads "GET /path?args HTTP/1.1"; anything else (TLS bytes, scans) stays
// only as the whole request.
func (p *pass) request(i, end int) {
	b := p.text
	p.add(fRequest, i, end)
	sp := find(b[:end], i, ' ')
	if sp <= i || !isToken(b[i:sp]) {
		return
	}
	p.add(fReqMethod, i, sp)
	last := bytes.LastIndexByte(b[sp+1:end], ' ')
	to := end
	if last >= 0 && prefixAt(b, sp+1+last+1, "HTTP/") {
		to = sp + 1 + last
		p.add(fServerProt, to+1, end)
	}
	p.target(fReqURI, fURI, fArgs, sp+1, to)
}

// target splits a request target into path and query.
func (p *pass) target(whole, path, query name, i, end int) {
	b := p.text
	if i > end {
		return
	}
	p.add(whole, i, end)
	if q := find(b[:end], i, '?'); q >= 0 {
		p.add(path, i, q)
		p.add(query, q+1, end)
		return
	}
	p.add(path, i, end)
}

func isToken(b []byte) bool {
	for _, c := range b {
		if c < 'A' || c > 'Z' && c < 'a' && c != '_' || c > 'z' {
			if c != '-' {
				return false
			}
		}
	}
	return true
}

// webStatus reads ` 200 512` after the request.
func (p *pass) webStatus(i int) int {
	b := p.text
	if i+4 > len(b) || b[i] != ' ' {
		return -1
	}
	i++
	end := word(b, i)
	if d := digits(b, i); d != end || end-i != 3 {
		if end-i != 1 || b[i] != '-' {
			return -1
		}
	}
	p.addNum(fStatus, i, end)
	if end+1 >= len(b) {
		return len(b)
	}
	i = end + 1
	end = word(b, i)
	for end > i && (b[end-1] == '\r' || b[end-1] == '\n') {
		end--
	}
	if b[i]-'0' <= 9 {
		p.addNum(fBodyBytes, i, end)
	}
	return end
}

var webExtras = [...]name{fReferer, fAgent, fXFF}

// webRest reads the quoted values after the byte count and returns where they end.
// Traefik writes a referer that is not there without quotation marks.
func (p *pass) webRest(i int) int {
	b := p.text
	for _, n := range webExtras {
		i = skipBlanks(b, i)
		if n.slot == fReferer.slot && prefixAt(b, i, `- "`) {
			i++
			continue
		}
		if i >= len(b) || b[i] != '"' {
			return i
		}
		end := quoted(b, i+1)
		if end < 0 {
			p.add(n, i+1, len(b))
			return len(b)
		}
		p.add(n, i+1, end)
		i = end + 1
	}
	return i
}

// webQuery gives the query its W3C name twice: alone, and with the path, because
// Sigma's rules write both under cs-uri-query.
func (p *pass) webQuery() {
	p.alias(w3cQuery, ecsURLQuery)
	i := p.slots[w3cURI.slot]
	if i == 0 {
		return
	}
	p.put(w3cQuery, p.fields[i-1].Value)
}

// httpStatus sets level and outcome by the response's status.
func (p *pass) httpStatus(n name) {
	f := p.has(n)
	if f == nil {
		return
	}
	switch s := f.Value.Num; {
	case s >= 500:
		p.e.Level = event.LevelError
	case s >= 400:
		p.e.Level = event.LevelWarning
	case s > 0:
		p.e.Level = event.LevelInfo
	default:
		return
	}
	p.outcome(f.Value.Num < 400)
}
