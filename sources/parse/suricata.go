package parse

import "bartizan/event"

// Suricata's EVE JSON ("EVE JSON Format" in its user guide): one object per line,
// whose event_type says what kind of record it is.

var (
	suKind      = known("event_type")
	suTime      = known("timestamp")
	suFlow      = known("flow_id")
	suSrcIP     = known("src_ip")
	suProto     = known("proto")
	suSig       = known("alert.signature")
	suSeverity  = known("alert.severity")
	suAction    = known("alert.action")
	suEvent     = known("anomaly.event")
	suName      = known("dns.rrname")
	suNameV3    = known("dns.queries.rrname")
	suMethod    = known("http.http_method")
	suURL       = known("http.url")
	suStatus    = known("http.status")
	suAgent     = known("http.http_user_agent")
	suRefer     = known("http.http_refer")
	suSiteName  = known("http.hostname")
	suSNI       = known("tls.sni")
	ecsProtocol = known("network.protocol")
)

var suricataAliases = []pair{
	{ecsSrcIP, suSrcIP},
	{ecsSrcPort, fSrcPort},
	{ecsDstIP, known("dest_ip")},
	{ecsDstPort, known("dest_port")},
	{known("dst_ip"), known("dest_ip")},
	{known("dst_port"), known("dest_port")},
	{ecsProtocol, known("app_proto")},
	{ecsHost, fHost},
	{ecsSession, suFlow},
	{ecsRule, suSig},
	{ecsAction, suAction},
	{ecsAction, suKind},
	{ecsMethod, suMethod},
	{ecsURL, suURL},
	{ecsURLDomain, suSiteName},
	{ecsURLDomain, suSNI},
	{ecsStatus, suStatus},
	{ecsUserAgent, suAgent},
	{ecsReferrer, suRefer},
	{ecsRespBytes, known("http.length")},
	{ecsNetBytes, known("flow.bytes_toserver")},
	{ecsNetPackets, known("flow.pkts_toserver")},
	{ecsFile, known("fileinfo.filename")},
	{ecsSHA256, known("fileinfo.sha256")},
	{ecsMD5, known("fileinfo.md5")},
	{ecsSHA1, known("fileinfo.sha1")},
	{ecsUser, known("smb.ntlmssp.user")},
	{ecsUser, known("ftp.command_data.user")},
	{ecsUser, known("krb5.cname")},
	{ecsDNSName, suName},
	{ecsDNSName, suNameV3},
	{ecsQuestionType, known("dns.rrtype")},
	{ecsQuestionType, known("dns.queries.rrtype")},
	{ecsResponseCode, known("dns.rcode")},
}

// suricataWeb and suricataDNS are what Sigma's proxy and dns rules call them.
var suricataWeb = []pair{
	{w3cMethod, suMethod},
	{w3cURI, suURL},
	{w3cStatus, suStatus},
	{w3cAgent, suAgent},
	{w3cAgent2, suAgent},
	{w3cReferer, suRefer},
	{w3cHost, suSiteName},
	{w3cClientIP, suSrcIP},
}

var suricataDNS = []pair{
	{zQuery, suName},
	{zQuery, suNameV3},
	{sigRecordType, ecsQuestionType},
	{sigAnswer, known("dns.answers.rdata")},
	{sigAnswer, known("dns.rdata")},
	{sigAnswer, known("dns.grouped.A")},
	{sigAnswer, known("dns.grouped.AAAA")},
	{sigAnswer, known("dns.grouped.CNAME")},
	{sigAnswer, known("dns.grouped.TXT")},
	{sigRcode, known("dns.rcode")},
}

var (
	sigRecordType   = known("record_type")
	sigAnswer       = known("answer")
	sigRcode        = known("response_code")
	ecsQuestionType = known("dns.question.type")
	ecsResponseCode = known("dns.response_code")
	ecsMD5          = known("file.hash.md5")
	ecsSHA1         = known("file.hash.sha1")
)

// suricataKinds route by the kind of record, with Sigma's category where it has
// one.
var suricataKinds = map[string]event.LogSource{
	"alert": {Product: "suricata", Service: "alert"}, "anomaly": {Product: "suricata", Service: "anomaly"},
	"dns":  {Product: "suricata", Category: "dns", Service: "dns"},
	"http": {Product: "suricata", Category: "proxy", Service: "http"},
	"flow": {Product: "suricata", Category: "firewall", Service: "flow"}, "netflow": {Product: "suricata", Category: "firewall", Service: "netflow"},
	"drop": {Product: "suricata", Category: "firewall", Service: "drop"},
	"tls":  {Product: "suricata", Service: "tls"}, "ssh": {Product: "suricata", Service: "ssh"}, "smb": {Product: "suricata", Service: "smb"},
	"smtp": {Product: "suricata", Service: "smtp"}, "ftp": {Product: "suricata", Service: "ftp"}, "rdp": {Product: "suricata", Service: "rdp"},
	"krb5": {Product: "suricata", Service: "krb5"}, "fileinfo": {Product: "suricata", Service: "fileinfo"},
}

var logSuricata = event.LogSource{Product: "suricata"}

func isSuricata(p *pass) bool {
	return p.has(suKind) != nil && p.has(suTime) != nil && (p.has(suFlow) != nil || p.has(suSrcIP) != nil && p.has(suProto) != nil || p.value(suKind) == "stats")
}

func readSuricata(p *pass) {
	p.endNative()
	p.timeValue(p.has(suTime).Value)
	kind := p.value(suKind)
	if l, ok := suricataKinds[kind]; ok {
		p.e.LogSource = l
	}
	p.e.Level = event.LevelInfo
	p.aliases(suricataAliases)
	p.transport(suProto)
	about := ""
	switch kind {
	case "alert", "drop":
		p.e.Level = suricataLevel(p.value(suSeverity))
		about = p.value(suSig)
		if a := p.value(suAction); a != "" {
			p.outcome(a == "allowed")
		}
	case "anomaly":
		p.e.Level, about = event.LevelNotice, p.value(suEvent)
	case "http":
		about = p.compose(p.value(suMethod), p.value(suSiteName), p.value(suURL), p.value(suStatus))
		p.pathAliases(suURL)
		p.aliases(suricataWeb)
		p.alias(w3cStem, ecsURLPath)
		p.webQuery()
		p.httpStatus(suStatus)
	case "dns":
		about = p.value(ecsDNSName)
		p.aliases(suricataDNS)
	case "tls":
		about = p.value(suSNI)
	}
	p.e.Message = p.compose(kind, about, p.value(ecsSrcIP), p.value(ecsDstIP))
}

// suricataLevel reads a priority: 1 is the gravest.
func suricataLevel(s string) event.Level {
	switch s {
	case "1":
		return event.LevelError
	case "2":
		return event.LevelWarning
	}
	return event.LevelNotice
}

// transport gives the protocol below the application's in lower case, as ECS has it.
func (p *pass) transport(from name) {
	f := p.has(from)
	if f == nil {
		return
	}
	switch f.Value.Str {
	case "TCP", "6":
		p.aliasWord(ecsTransport, "tcp")
	case "UDP", "17":
		p.aliasWord(ecsTransport, "udp")
	case "ICMP", "1":
		p.aliasWord(ecsTransport, "icmp")
	case "ICMPv6", "IPv6-ICMP", "58":
		p.aliasWord(ecsTransport, "ipv6-icmp")
	case "SCTP", "132":
		p.aliasWord(ecsTransport, "sctp")
	default:
		p.alias(ecsTransport, from)
	}
}
