package parse

import "bartizan/event"

// Caddy's access log ("log" in its Caddyfile documentation); v2.0 to v2.6 had
// remote_addr, or remote_ip without client_ip.
var (
	caddyLogger = known("logger")
	caddyClient = known("request.client_ip")
	caddyRemote = known("request.remote_ip")
	caddyOld    = known("request.remote_addr")
	caddyMethod = known("request.method")
	caddyURI    = known("request.uri")
	caddyHost   = known("request.host")
	caddyAgent  = known("request.headers.User-Agent")
	caddyRef    = known("request.headers.Referer")
	caddyUser   = known("user_id")
	caddySize   = known("size")
	caddyTime   = known("ts")
	caddyMsg    = known("msg")
)

var caddyAliases = []pair{
	{ecsSrcIP, caddyClient},
	{ecsSrcIP, caddyRemote},
	{ecsSrcPort, known("request.remote_port")},
	{ecsUser, caddyUser},
	{ecsMethod, caddyMethod},
	{ecsURL, caddyURI},
	{ecsURLDomain, caddyHost},
	{ecsStatus, fStatus},
	{ecsRespBytes, caddySize},
	{ecsReqBytes, known("bytes_read")},
	{ecsUserAgent, caddyAgent},
	{ecsReferrer, caddyRef},
	{w3cMethod, caddyMethod},
	{w3cURI, caddyURI},
	{w3cStatus, fStatus},
	{w3cAgent, caddyAgent},
	{w3cAgent2, caddyAgent},
	{w3cReferer, caddyRef},
	{w3cHost, caddyHost},
	{w3cClientIP, caddyClient},
	{w3cClientIP, caddyRemote},
}

func isCaddy(p *pass) bool {
	if !prefix(bytesOf(p.value(caddyLogger)), "http.") {
		return false
	}
	return p.has(caddyURI) != nil && p.has(fStatus) != nil || isWAF(p.value(caddyMsg))
}

// readCaddy reads a request, or what the firewall inside Caddy says about one.
func readCaddy(p *pass) {
	if f := p.has(caddyTime); f != nil {
		p.timeValue(f.Value)
	}
	if f := p.has(caddyMsg); f != nil && isWAF(f.Value.Str) {
		p.waf(f.Value)
		p.e.Message, p.e.Level = f.Value.Str, levelWord(p.value(fLevel))
		p.endNative()
		p.alias(ecsSrcIP, wafClient)
		p.wafNames()
		return
	}
	p.endNative()
	p.address(ecsSrcIP, ecsSrcPort, caddyOld)
	p.jsonWeb(caddyAliases, caddyURI, fStatus)
	p.e.Message = p.compose(p.value(caddyMethod), p.value(caddyURI), p.value(fStatus))
}

// Traefik's access log as JSON ("Access Logs" in its documentation).
var (
	traefikClient = known("ClientHost")
	traefikStatus = known("DownstreamStatus")
	traefikPath   = known("RequestPath")
	traefikMethod = known("RequestMethod")
	traefikAgent  = known("request_User-Agent")
	traefikRef    = known("request_Referer")
	traefikHost   = known("RequestHost")
	traefikStart  = known("StartUTC")
	traefikTime   = known("time")
)

var traefikAliases = []pair{
	{ecsSrcIP, traefikClient},
	{ecsSrcPort, known("ClientPort")},
	{ecsUser, known("ClientUsername")},
	{ecsMethod, traefikMethod},
	{ecsURL, traefikPath},
	{ecsURLDomain, traefikHost},
	{ecsService, known("ServiceName")},
	{ecsStatus, traefikStatus},
	{ecsRespBytes, known("DownstreamContentSize")},
	{ecsUserAgent, traefikAgent},
	{ecsReferrer, traefikRef},
	{w3cMethod, traefikMethod},
	{w3cURI, traefikPath},
	{w3cStatus, traefikStatus},
	{w3cAgent, traefikAgent},
	{w3cAgent2, traefikAgent},
	{w3cReferer, traefikRef},
	{w3cHost, traefikHost},
	{w3cClientIP, traefikClient},
}

func isTraefik(p *pass) bool { return p.has(traefikClient) != nil && p.has(traefikStatus) != nil }

func readTraefik(p *pass) {
	for _, n := range [...]name{traefikStart, traefikTime} {
		if f := p.has(n); f != nil && p.timeValue(f.Value) {
			break
		}
	}
	p.endNative()
	p.jsonWeb(traefikAliases, traefikPath, traefikStatus)
	p.e.Message = p.compose(p.value(traefikMethod), p.value(traefikPath), p.value(traefikStatus))
}

// jsonWeb gives an access log's record in JSON the names of all access logs.
func (p *pass) jsonWeb(table []pair, uri, status name) {
	p.aliases(table)
	p.pathAliases(uri)
	p.alias(w3cStem, ecsURLPath)
	p.webQuery()
	p.httpStatus(status)
	if p.e.Level == event.LevelUnknown {
		p.e.Level = event.LevelInfo
	}
}
