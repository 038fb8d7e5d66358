package parse

import "bytes"

// albColumns are the fields of an Application Load Balancer's access log ("Access
// log entries" in its guide) that stand before the request and after it.
var (
	albFirst = knownAll("type", "time", "elb", "client_port", "target_port", "request_processing_time", "target_processing_time",
		"response_processing_time", "elb_status_code", "target_status_code", "received_bytes", "sent_bytes")
	albLast = knownAll("user_agent", "ssl_cipher", "ssl_protocol", "target_group_arn", "trace_id", "domain_name", "chosen_cert_arn",
		"matched_rule_priority", "request_creation_time", "actions_executed", "redirect_url", "error_reason")
	albClient, albTarget = known("client_port"), known("target_port")
	albStatus, albSent   = known("elb_status_code"), known("sent_bytes")
	albTypes             = [...]string{"http ", "https ", "h2 ", "grpcs ", "ws ", "wss "}
)

func init() {
	for _, n := range knownAll("elb_status_code", "target_status_code", "received_bytes", "sent_bytes", "matched_rule_priority",
		"request_processing_time", "target_processing_time", "response_processing_time") {
		numeric[n.slot] = true
	}
}

var albAliases = []pair{
	{ecsMethod, fReqMethod},
	{ecsURL, fReqURI},
	{ecsURLPath, fURI},
	{ecsURLQuery, fArgs},
	{ecsURLDomain, fServerName},
	{ecsStatus, albStatus},
	{ecsRespBytes, albSent},
	{ecsReqBytes, known("received_bytes")},
	{ecsUserAgent, evAgent},
	{ecsTrace, known("trace_id")},
	{w3cMethod, fReqMethod},
	{w3cURI, fReqURI},
	{w3cStem, fURI},
	{w3cStatus, albStatus},
	{w3cAgent, evAgent},
	{w3cAgent2, evAgent},
	{w3cHost, fServerName},
}

func scoreALB(b []byte) (int, string) {
	for _, t := range albTypes {
		if !prefix(b, t) {
			continue
		}
		if _, _, zoned, end := isoStamp(b[len(t):]); end > 0 && zoned && prefixAt(b, len(t)+end, " ") {
			if at := bytes.IndexByte(b[:min(len(b), 400)], '"'); at > 0 {
				return 92, "a request type, a stamp and a quoted request"
			}
		}
	}
	return 0, "does not begin with http, https, h2, grpcs, ws or wss and a stamp"
}

// readALB reads one line of an Application Load Balancer's access log.
func readALB(p *pass) bool {
	b := p.text[:trimEnd(p.text)]
	if n, _ := scoreALB(b); n == 0 {
		return false
	}
	end := word(b, 0)
	p.add(albFirst[0], 0, end)
	c, east, _, _ := isoStamp(b[end+1:])
	p.at(c.utc(east))
	i := end
	for k := 1; k < len(albFirst) && i >= 0; k++ {
		i = p.column(&albFirst[k], i)
	}
	if i < 0 || !prefixAt(b, i, ` "`) {
		return false
	}
	start := i + 1
	if end = quoted(b, start+1); end < 0 {
		return false
	}
	p.albRequest(start+1, end)
	i = end + 1
	for k := range albLast {
		if i = p.column(&albLast[k], i); i < 0 {
			break
		}
	}
	p.e.FormatName, p.e.LogSource = "aws-alb", logALB
	p.e.Message = view(b, start, len(b))
	p.endNative()
	p.address(ecsSrcIP, ecsSrcPort, albClient)
	p.address(ecsDstIP, ecsDstPort, albTarget)
	p.alias(w3cClientIP, ecsSrcIP)
	p.aliases(albAliases)
	p.webQuery()
	p.httpStatus(albStatus)
	return true
}

// albRequest reads "GET https://shop.example:443/path?x=1 HTTP/1.1": the balancer
// writes every target with scheme and host.
func (p *pass) albRequest(i, end int) {
	b := p.text
	p.add(fRequest, i, end)
	sp := find(b[:end], i, ' ')
	last := bytes.LastIndexByte(b[i:end], ' ')
	if sp <= i || last < 0 || !isToken(b[i:sp]) {
		return
	}
	p.add(fReqMethod, i, sp)
	to := i + last
	if to <= sp {
		to = end
	} else {
		p.add(fServerProt, to+1, end)
	}
	from := sp + 1
	if at := bytes.Index(b[from:to], []byte("://")); at > 0 {
		host := from + at + 3
		path := find(b[:to], host, '/')
		if path < 0 {
			path = to
		}
		_, stop, _ := hostPort(str(b[host:path]))
		p.add(fServerName, host, host+stop)
		from = path
	}
	p.target(fReqURI, fURI, fArgs, from, to)
}
