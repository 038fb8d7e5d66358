package parse

import (
	"bytes"
	"strings"

	"bartizan/event"
)

// HAProxy's HTTP log ("8.2.3. HTTP log format" in its configuration manual).
var (
	haFrontend = known("frontend_name")
	haBackend  = known("backend_name")
	haServer   = known("server_name")
	haTimes    = known("timers")
	haState    = known("termination_state")
	haPort     = known("remote_port")
	haCaptured = known("captured")
	haMode     = known("mode")
	haDstAddr  = known("server_addr")
	haDstPort  = known("server_port")
)

var haAliases = []pair{
	{ecsSrcIP, fRemoteAddr},
	{ecsSrcPort, haPort},
	{ecsDstIP, haDstAddr},
	{ecsDstPort, haDstPort},
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
		return p.haConnect(b) || p.depth > 0 && readAccess(p)
	}
	end := word(b, 0)
	_, to, port := hostPort(str(b[:end]))
	c, n := haStamp(b[end+2:])
	p.at(p.slab.zones.in(c, p.spec.zone))
	p.add(fRemoteAddr, 0, to)
	p.addNum(haPort, port, end)
	i := p.column(&haFrontend, end+2+n+1)
	i = p.haBackend(i)
	for n := 0; n < 2 && i > 0 && !isTimers(b, i+1); n++ { // a captured value of a log-format of their own
		i = p.column(&haCaptured, i)
	}
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

// isTimers tells "0/0/1/12/13", where a time that never ended is -1, a total that
// is not yet known has "+".
func isTimers(b []byte, i int) bool {
	slashes := 0
	end := word(b, min(i, len(b)))
	for k := i; k < end; k++ {
		switch c := b[k]; {
		case c == '/':
			slashes++
		case c-'0' > 9 && c != '-' && c != '+':
			return false
		}
	}
	return slashes > 0
}

// haConnect reads what HAProxy logs where no log format is set: "Connect from
// 192.0.2.1:4001 to 192.0.2.9:443 (frontend/HTTP)".
func (p *pass) haConnect(b []byte) bool {
	if !prefix(b, "Connect from ") {
		return false
	}
	from := len("Connect from ")
	end := word(b, from)
	if !prefixAt(b, end, " to ") {
		return false
	}
	to := end + len(" to ")
	stop := word(b, to)
	slash := find(b, stop, '/')
	if !prefixAt(b, stop, " (") || slash < 0 || b[len(b)-1] != ')' {
		return false
	}
	p.haPeer(fRemoteAddr, haPort, from, end)
	p.haPeer(haDstAddr, haDstPort, to, stop)
	p.add(haFrontend, stop+2, slash)
	p.add(haMode, slash+1, len(b)-1)
	p.e.FormatName, p.e.LogSource, p.e.Level = "haproxy", logHAProxy, event.LevelInfo
	p.e.Message = view(b, 0, len(b))
	p.endNative()
	p.aliases(haAliases)
	return true
}

// haPeer adds an address and its port, which stand at text[from:end]. An IPv6
// address has no brackets there: the port is behind the last colon.
func (p *pass) haPeer(addr, port name, from, end int) {
	colon := bytes.LastIndexByte(p.text[from:end], ':')
	if colon < 0 {
		p.add(addr, from, end)
		return
	}
	p.add(addr, from, from+colon)
	p.addNum(port, from+colon+1, end)
}
