package parse

import (
	"bytes"

	"bartizan/event"
)

var (
	logELB = event.LogSource{Product: "aws", Category: "webserver", Service: "elb"}
	logNLB = event.LogSource{Product: "aws", Service: "nlb"}
)

// The fields of a Classic Load Balancer's access log ("Access log entries" in its
// guide) that stand before the request and after it.
var (
	elbFirst = knownAll("time", "elb", "client_port", "backend_port", "request_processing_time", "backend_processing_time",
		"response_processing_time", "elb_status_code", "backend_status_code", "received_bytes", "sent_bytes")
	elbLast    = knownAll("user_agent", "ssl_cipher", "ssl_protocol")
	elbBackend = known("backend_port")
)

// nlbColumns are the fields of a Network Load Balancer's access log, which it
// writes for TLS listeners, after its type ("Access log entries" in its guide).
var (
	nlbColumns = knownAll("version", "time", "elb", "listener", "client_port", "destination_port", "connection_time", "tls_handshake_time",
		"received_bytes", "sent_bytes", "incoming_tls_alert", "chosen_cert_arn", "chosen_cert_serial", "tls_cipher", "tls_protocol_version",
		"tls_named_group", "domain_name", "alpn_fe_protocol", "alpn_be_protocol", "alpn_client_preference_list", "tls_connection_creation_time")
	nlbDestination = known("destination_port")
	nlbAlert       = known("incoming_tls_alert")
	nlbCipher      = known("tls_cipher")
	nlbDomain      = known("domain_name")
)

var nlbAliases = []pair{
	{ecsReqBytes, known("received_bytes")},
	{ecsRespBytes, albSent},
	{ecsURLDomain, nlbDomain},
	{ecsErrorCode, nlbAlert},
	{ecsService, known("elb")},
}

func init() {
	for _, n := range knownAll("backend_status_code", "backend_processing_time", "connection_time", "tls_handshake_time") {
		numeric[n.slot] = true
	}
}

func scoreELB(b []byte) (int, string) {
	_, _, zoned, end := isoStamp(b)
	if end < 20 || !zoned || !prefixAt(b, end, " ") {
		return 0, "does not begin with a stamp in UTC"
	}
	name := word(b, end+1)
	if name == end+1 || name >= len(b) {
		return 0, "a stamp, but no balancer after it"
	}
	client := word(b, name+1)
	from, to, port := hostPort(str(b[name+1 : client]))
	if port < 0 || !isAddr(str(b[name+1+from:name+1+to])) || bytes.Count(b[:min(len(b), 400)], []byte{'"'}) < 2 {
		return 0, "a stamp and a name, but no client's address and port and quoted request"
	}
	return 92, "a stamp, a balancer, a client's address with port and a quoted request"
}

// readELB reads one line of a Classic Load Balancer's access log.
func readELB(p *pass) bool {
	b := p.text[:trimEnd(p.text)]
	if n, _ := scoreELB(b); n == 0 {
		return false
	}
	c, east, _, end := isoStamp(b)
	p.add(elbFirst[0], 0, end)
	i := end
	for k := 1; k < len(elbFirst) && i >= 0; k++ {
		i = p.column(&elbFirst[k], i)
	}
	if i < 0 || !prefixAt(b, i, ` "`) {
		return false
	}
	start := i + 1
	if end = quoted(b, start+1); end < 0 {
		return false
	}
	p.at(c.utc(east))
	if !prefixAt(b, start, `"- - - "`) { // of a TCP listener
		p.albRequest(start+1, end)
	}
	i = end + 1
	for k := range elbLast {
		if i = p.column(&elbLast[k], i); i < 0 {
			break
		}
	}
	p.e.FormatName, p.e.LogSource, p.e.Level = "aws-elb", logELB, event.LevelInfo
	p.e.Message = view(b, start, len(b))
	p.endNative()
	p.address(ecsSrcIP, ecsSrcPort, albClient)
	p.address(ecsDstIP, ecsDstPort, elbBackend)
	p.alias(w3cClientIP, ecsSrcIP)
	p.aliases(albAliases)
	p.webQuery()
	p.httpStatus(albStatus)
	return true
}

func scoreNLB(b []byte) (int, string) {
	if !prefix(b, "tls ") && !prefix(b, "tcp ") {
		return 0, "does not begin with tls"
	}
	i := word(b, 4)
	if i <= 4 || i >= len(b) || b[4]-'0' > 9 {
		return 0, "tls, but no version after it"
	}
	if _, _, _, end := isoStamp(b[i+1:]); end > 0 && prefixAt(b, i+1+end, " net/") {
		return 95, "tls, a version, a stamp and a network load balancer"
	}
	return 0, "tls and a version, but no network load balancer"
}

// readNLB reads one line of a Network Load Balancer's access log. Its stamps are
// in UTC without saying so.
func readNLB(p *pass) bool {
	b := p.text[:trimEnd(p.text)]
	if n, _ := scoreNLB(b); n == 0 {
		return false
	}
	p.add(albFirst[0], 0, 3)
	i := 3
	for k := range nlbColumns {
		if i = p.column(&nlbColumns[k], i); i < 0 {
			break
		}
	}
	if p.has(nlbDestination) == nil {
		return false
	}
	if c, _, _, end := isoStamp(bytesOf(p.value(albFirst[1]))); end > 0 {
		p.at(c.utc(0))
	}
	p.e.FormatName, p.e.LogSource, p.e.Level = "aws-nlb", logNLB, event.LevelInfo
	p.e.Message = view(b, 0, len(b))
	p.endNative()
	p.address(ecsSrcIP, ecsSrcPort, albClient)
	p.address(ecsDstIP, ecsDstPort, nlbDestination)
	p.aliases(nlbAliases)
	p.aliasWord(ecsTransport, "tcp")
	ok := nothing(p.value(nlbAlert)) && !nothing(p.value(nlbCipher)) // no cipher: the handshake did not end
	if !ok {
		p.e.Level = event.LevelNotice
	}
	p.outcome(ok)
	return true
}
