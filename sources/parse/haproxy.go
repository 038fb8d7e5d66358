package parse

import (
	"bytes"
	"strings"
)

// HAProxy's HTTP log ("8.2.3. HTTP log format" in its configuration manual).
var (
	haFrontend = known("frontend_name")
	haBackend  = known("backend_name")
	haServer   = known("server_name")
	haTimes    = known("timers")
	haState    = known("termination_state")
	haPort     = known("remote_port")
)

var haAliases = []pair{
	{ecsSrcIP, fRemoteAddr},
	{ecsSrcPort, haPort},
	{ecsService, haBackend},
	{ecsMethod, fReqMethod},
	{ecsURL, fReqURI},
	{ecsURLPath, fURI},
	{ecsURLQuery, fArgs},
	{ecsStatus, fStatus},
	{ecsRespBytes, fBodyBytes},
	{w3cMethod, fReqMethod},
	{w3cURI, fReqURI},
	{w3cStem, fURI},
	{w3cStatus, fStatus},
	{w3cClientIP, fRemoteAddr},
}

// haStamp reads "dd/Mmm/yyyy:hh:mm:ss.mmm".
func haStamp(b []byte) (c civil, end int) {
	if len(b) < 20 || b[2] != '/' || b[6] != '/' || b[11] != ':' {
		return c, -1
	}
	c = civil{year: four(b, 7), mon: month(b, 3), day: two(b, 0)}
	end = clockTime(b, 12, &c)
	if c.year < 0 || !c.valid() {
		return c, -1
	}
	return c, end
}

func scoreHAProxy(b []byte) (int, string) {
	end := word(b, 0)
	if _, _, port := hostPort(str(b[:end])); port < 0 {
		return 0, "does not begin with address:port"
	}
	if !prefixAt(b, end, " [") {
		return 0, "no [time] after address:port"
	}
	if _, n := haStamp(b[end+2:]); n > 0 && prefixAt(b, end+2+n, "] ") {
		return 90, "address:port and [dd/Mmm/yyyy:hh:mm:ss.mmm]"
	}
	return 0, "the brackets do not hold dd/Mmm/yyyy:hh:mm:ss.mmm"
}

// readHAProxy reads `192.0.2.1:4001 [time] frontend backend/server 1/2/3/4/5 200 91
// - - ---- 1/1/0/0/0 0/0 "GET / HTTP/1.1"`, with captured headers in braces before
// the request or without. What HAProxy logs in the Common Log Format is an access
// log like others.
func readHAProxy(p *pass) bool {
	b := p.text[:trimEnd(p.text)]
	if n, _ := scoreHAProxy(b); n == 0 {
		return p.depth > 0 && readAccess(p)
	}
	end := word(b, 0)
	_, to, port := hostPort(str(b[:end]))
	c, n := haStamp(b[end+2:])
	p.at(p.slab.zones.in(c, p.spec.zone))
	p.add(fRemoteAddr, 0, to)
	p.addNum(haPort, port, end)
	i := p.column(&haFrontend, end+2+n+1)
	i = p.haBackend(i)
	i = p.column(&haTimes, i)
	if i < 0 || i+4 > len(b) {
		return false
	}
	p.e.FormatName, p.e.LogSource = "haproxy", logHAProxy
	p.e.Message = view(b, end+2+n+2, len(b))
	http := strings.Count(p.value(haTimes), "/") == 4
	if http {
		i = p.webStatus(i)
	} else { // TCP: no status
		status := word(b, i+1)
		p.addNum(fBodyBytes, i+1, status)
		i = status
	}
	p.haRest(i, http)
	p.endNative()
	p.aliases(haAliases)
	p.webQuery()
	p.httpStatus(fStatus)
	return true
}

func (p *pass) haBackend(i int) int {
	b := p.text
	if i < 0 || i+1 >= len(b) || b[i] != ' ' {
		return -1
	}
	end := word(b, i+1)
	slash := find(b[:end], i+1, '/')
	if slash < 0 {
		return -1
	}
	p.add(haBackend, i+1, slash)
	p.add(haServer, slash+1, end)
	return end
}

// haRest reads the state of the session, which in HTTP's log stands behind two
// captured cookies, and the request, which comes last.
func (p *pass) haRest(i int, http bool) {
	b := p.text[:trimEnd(p.text)]
	cookies := 0
	if http {
		cookies = 2
	}
	for k := 0; k <= cookies && i >= 0 && i < len(b); k++ {
		from := skipBlanks(b, i)
		i = word(b, from)
		if k == cookies {
			p.add(haState, from, i)
		}
	}
	if i < 0 || i >= len(b) || b[len(b)-1] != '"' {
		return
	}
	if open := bytes.Index(b[i:], []byte(` "`)); open >= 0 && i+open+2 <= len(b)-1 {
		p.request(i+open+2, len(b)-1)
	}
}
