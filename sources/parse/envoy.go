package parse

import (
	"bytes"
	"strings"

	"bartizan/event"
)

// The names Istio gives Envoy's access log when it is written as JSON; the text
// form gets the same ones.
var (
	evStart    = known("start_time")
	evMethod   = known("method")
	evPath     = known("path")
	evProtocol = known("protocol")
	evCode     = known("response_code")
	evFlags    = known("response_flags")
	evRemote   = known("downstream_remote_address")
	evUpstream = known("upstream_host")
	evAuth     = known("authority")
	evCluster  = known("upstream_cluster")
	evDetails  = known("response_code_details")
	evConnTerm = known("connection_termination_details")
	evFailure  = known("upstream_transport_failure_reason")
	evReceived = known("bytes_received")
	evSent     = known("bytes_sent")
	evDuration = known("duration")
	evUpTime   = known("upstream_service_time")
	evXFF      = known("x_forwarded_for")
	evAgent    = known("user_agent")
	evReqID    = known("request_id")
	evUpLocal  = known("upstream_local_address")
	evDown     = known("downstream_local_address")
	evSNI      = known("requested_server_name")
	evRoute    = known("route_name")
)

// The names of Envoy Gateway's JSON, which are those of the headers.
var (
	evXFFHead    = known("x-forwarded-for")
	evAgentHead  = known("user-agent")
	evOrigPath   = known("x-envoy-origin-path")
	evAuthHead   = known(":authority")
	evPathHead   = known(":path")
	evMethodHead = known(":method")
)

// What follows the response flags: Istio's default adds details and addresses to
// Envoy's own default; older Istio had one quoted value instead of three.
var (
	istioColumns = []name{
		evDetails, evConnTerm, evFailure, evReceived, evSent, evDuration, evUpTime, evXFF, evAgent,
		evReqID, evAuth, evUpstream, evCluster, evUpLocal, evDown, evRemote, evSNI, evRoute,
	}
	istioOldColumns = []name{
		evFailure, evReceived, evSent, evDuration, evUpTime, evXFF, evAgent,
		evReqID, evAuth, evUpstream, evCluster, evUpLocal, evDown, evRemote, evSNI, evRoute,
	}
	envoyColumns = []name{evReceived, evSent, evDuration, evUpTime, evXFF, evAgent, evReqID, evAuth, evUpstream}
)

var envoyAliases = []pair{
	{ecsMethod, evMethod},
	{ecsURL, evPath},
	{ecsStatus, evCode},
	{ecsRespBytes, evSent},
	{ecsReqBytes, evReceived},
	{ecsUserAgent, evAgent},
	{ecsRequestID, evReqID},
	{ecsURLDomain, evAuth},
	{w3cMethod, evMethod},
	{w3cURI, evPath},
	{w3cStatus, evCode},
	{w3cAgent, evAgent},
	{w3cAgent2, evAgent},
	{w3cHost, evAuth},
}

// envoyHeadAliases are those of names that only the JSON form has.
var envoyHeadAliases = []pair{
	{ecsMethod, evMethodHead},
	{ecsURL, evOrigPath},
	{ecsURL, evPathHead},
	{ecsUserAgent, evAgentHead},
	{ecsRequestID, known("x-request-id")},
	{ecsURLDomain, evAuthHead},
	{w3cMethod, evMethodHead},
	{w3cURI, evOrigPath},
	{w3cURI, evPathHead},
	{w3cAgent, evAgentHead},
	{w3cAgent2, evAgentHead},
	{w3cHost, evAuthHead},
}

func scoreEnvoy(b []byte) (int, string) {
	if len(b) < 30 || b[0] != '[' || b[5] != '-' {
		return 0, "does not begin with [yyyy-mm-dd"
	}
	if _, end := envoyStamp(b); end == 0 {
		return 0, "the brackets do not hold a stamp with its zone"
	} else if prefixAt(b, end, `] "`) {
		return 92, "[stamp] and a quoted request, as Envoy writes it"
	}
	return 0, "a stamp in brackets, but no quoted request after it"
}

// envoyStamp reads the stamp after the bracket and returns where it ends, 0 when
// there is none or it names no zone.
func envoyStamp(b []byte) (stamp, int) {
	if len(b) < 30 || b[0] != '[' || b[5] != '-' {
		return stamp{}, 0
	}
	c, east, zoned, end := isoStamp(b[1:])
	if end < 0 || !zoned {
		return stamp{}, 0
	}
	return c.utc(east), end + 1
}

// readEnvoy reads Envoy's default access log line, also in Istio's longer form.
func readEnvoy(p *pass) bool {
	b := p.text
	t, end := envoyStamp(b)
	if end == 0 || !prefixAt(b, end, `] "`) {
		return false
	}
	p.at(t)
	p.add(evStart, 1, end)
	start := end + 2
	i := start + 1
	if end = quoted(b, i); end < 0 {
		return false
	}
	p.envoyRequest(i, end)
	i = p.column(&evCode, end+1)
	i = p.column(&evFlags, i)
	if i < 0 || p.has(evCode).Value.Kind != event.KindNumber && p.value(evCode) != "-" {
		return false
	}
	columns := istioColumns
	if at := skipBlanks(b, i); at < len(b) && b[at] == '"' {
		columns = istioOldColumns
	} else if at < len(b) && b[at]-'0' <= 9 {
		columns = envoyColumns
	}
	for k := range columns {
		if i = p.column(&columns[k], i); i < 0 {
			break
		}
	}
	p.e.FormatName, p.e.LogSource = "envoy", logEnvoy
	p.e.Message = view(b, start, trimEnd(b))
	p.envoyAliases(nil)
	return true
}

// envoyRequest reads "GET /path HTTP/1.1"; raw TCP has "- - -".
func (p *pass) envoyRequest(i, end int) {
	b := p.text
	sp := find(b[:end], i, ' ')
	if sp < 0 {
		return
	}
	p.add(evMethod, i, sp)
	last := bytes.LastIndexByte(b[sp+1:end], ' ')
	if last < 0 {
		p.add(evPath, sp+1, end)
		return
	}
	p.add(evPath, sp+1, sp+1+last)
	p.add(evProtocol, sp+2+last, end)
}

// column reads a blank and one value, quoted or not, and returns its end, -1 when
// the line is over.
func (p *pass) column(n *name, i int) int {
	b := p.text
	if i < 0 || i+1 >= len(b) || b[i] != ' ' {
		return -1
	}
	i++
	if b[i] == '"' {
		end := i + 2
		if end >= len(b) || b[end] != '"' || b[i+1] == '\\' || b[i+1] == '"' { // else one byte, mostly "-"
			end = quoted(b, i+1)
		}
		if end < 0 {
			return -1
		}
		p.set(n, i+1, end)
		return end + 1
	}
	end := word(b, i)
	for end > i && (b[end-1] == '\n' || b[end-1] == '\r') {
		end--
	}
	f := p.set(n, i, end)
	if b[i]-'0' <= 9 && numeric[n.slot%maxSlots] {
		if x, ok := number(b[i:end]); ok {
			f.Value.Kind, f.Value.Num = event.KindNumber, x
		}
	}
	return end
}

// numeric are the columns of text formats that hold numbers.
var numeric = func() (m [maxSlots]bool) {
	for _, n := range []name{evCode, evReceived, evSent, evDuration, evUpTime} {
		m[n.slot] = true
	}
	return m
}()

// envoyAliases are shared by the text and the JSON form, which has more.
func (p *pass) envoyAliases(more []pair) {
	p.endNative()
	p.address(ecsSrcIP, ecsSrcPort, evRemote)
	p.address(ecsDstIP, ecsDstPort, evUpstream)
	if p.has(evRemote) == nil {
		p.claimed()
	}
	if f := p.has(ecsSrcIP); f != nil {
		p.put(w3cClientIP, f.Value)
	}
	p.aliases(envoyAliases)
	p.aliases(more)
	p.pathAliases(ecsURL)
	p.alias(w3cStem, ecsURLPath)
	p.webQuery()
	p.httpStatus(evCode)
}

// claimed takes the first address of x_forwarded_for, for logs that do not name the
// peer: it is what the client, or the proxy before, says.
func (p *pass) claimed() {
	for _, n := range [...]name{evXFF, evXFFHead} {
		f := p.has(n)
		if f == nil {
			continue
		}
		v := f.Value
		end := strings.IndexByte(v.Str, ',')
		if end < 0 {
			end = len(v.Str)
		}
		if a, b, _ := hostPort(v.Str[:end]); isAddr(v.Str[a:b]) {
			p.aliasPart(ecsSrcIP, v, a, b)
		}
	}
}

// address splits "192.0.2.1:80" under an address and a port.
func (p *pass) address(ip, port, from name) {
	f := p.has(from)
	if f == nil {
		return
	}
	v := f.Value
	a, b, c := hostPort(v.Str)
	if !isAddr(v.Str[a:b]) {
		return
	}
	p.aliasPart(ip, v, a, b)
	if c > 0 {
		p.aliasPart(port, v, c, len(v.Str))
	}
}

func isEnvoyJSON(p *pass) bool {
	return p.has(evCode) != nil && (p.has(evFlags) != nil || p.has(evUpstream) != nil || p.has(evCluster) != nil)
}

// readEnvoyJSON reads the JSON form that Istio's meshConfig switches on.
func readEnvoyJSON(p *pass) {
	if f := p.has(evStart); f != nil {
		p.timeValue(f.Value)
	}
	p.envoyAliases(envoyHeadAliases)
	path, _, _ := strings.Cut(p.value(evPath), " ")
	p.e.Message = p.compose(p.value(evMethod), path, p.value(evProtocol), p.value(evCode), p.value(evFlags), p.value(evDetails))
}
