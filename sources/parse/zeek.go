package parse

import (
	"bytes"
	"strings"

	"bartizan/event"
)

// Zeek's ASCII logs: tab separated, with lines of "#fields" and "#types" before the
// records (Zeek manual, "Zeek Log Formats and Inspection").

var zeekDirectives = [...]string{
	"#separator ", "#set_separator\t", "#empty_field\t", "#unset_field\t", "#path\t",
	"#open\t", "#open ", "#close\t", "#close ", "#fields\t", "#types\t",
}

var (
	zTS        = known("ts")
	zUID       = known("uid")
	zQuery     = known("query")
	zRes       = known("auth_success")
	zStatus    = known("status_code")
	ecsDNSName = known("dns.question.name")
	ecsSHA256  = known("file.hash.sha256")
	logZeek    = event.LogSource{Product: "zeek"}
)

var zeekAliases = []pair{
	{ecsSrcIP, known("id.orig_h")},
	{ecsSrcPort, known("id.orig_p")},
	{ecsDstIP, known("id.resp_h")},
	{ecsDstPort, known("id.resp_p")},
	{ecsSrcIP, known("orig_h")},
	{ecsDstIP, known("resp_h")},
	{ecsSrcIP, known("src")},
	{ecsDstIP, known("dst")},
	{ecsSrcIP, known("host")},
	{ecsTransport, known("proto")},
	{ecsNetBytes, known("orig_bytes")},
	{ecsNetPackets, known("orig_pkts")},
	{ecsSession, zUID},
	{ecsUser, known("user")},
	{ecsUser, known("username")},
	{ecsUser, known("client_username")},
	{ecsDNSName, zQuery},
	{ecsURL, known("uri")},
	{ecsURLDomain, known("host")},
	{ecsURLDomain, known("server_name")},
	{ecsMethod, known("method")},
	{ecsStatus, known("status_code")},
	{ecsUserAgent, known("user_agent")},
	{ecsReferrer, known("referrer")},
	{ecsRespBytes, known("response_body_len")},
	{ecsReqBytes, known("request_body_len")},
	{ecsFile, known("filename")},
	{ecsFile, known("path")},
	{ecsSHA256, known("sha256")},
	{ecsRule, known("note")},
	{ecsErrorText, known("error_msg")},
	// what Sigma's network rules call them
	{known("src_ip"), known("id.orig_h")},
	{known("src_port"), known("id.orig_p")},
	{known("dst_ip"), known("id.resp_h")},
	{known("dst_port"), known("id.resp_p")},
}

var zeekWeb = []pair{
	{w3cMethod, known("method")},
	{w3cURI, known("uri")},
	{w3cStatus, known("status_code")},
	{w3cAgent, known("user_agent")},
	{w3cAgent2, known("user_agent")},
	{w3cReferer, known("referrer")},
	{w3cHost, known("host")},
	{w3cClientIP, known("id.orig_h")},
}

var zeekDNS = []pair{
	{known("record_type"), known("qtype_name")},
	{known("answer"), known("answers")},
	{known("response_code"), known("rcode_name")},
}

func scoreZeek(b []byte) (int, string) {
	if len(b) == 0 || b[0] != '#' {
		return 0, "no #fields line before it"
	}
	for _, d := range zeekDirectives {
		if prefix(b, d) {
			return 97, "a header line of Zeek"
		}
	}
	return 0, "a comment, but none of Zeek's"
}

// readZeek reads one line by the columns that the lines before it named.
func readZeek(p *pass) bool {
	b := p.text
	if len(b) == 0 {
		return false
	}
	p.e.FormatName, p.e.LogSource = "zeek", logZeek
	if b[0] == '#' {
		return p.zeekDirective()
	}
	h := p.columns(readZeekID)
	if h == nil || !p.tabbed(h, "-", "(empty)") {
		return false
	}
	p.e.LogSource = h.log
	p.e.Message = view(b, 0, trimEnd(b))
	p.endNative()
	p.zeekMeaning(h.kind)
	return true
}

// zeekMeaning gives what a record of that path (conn, dns, http ...) holds its
// other names, its time and its level.
func (p *pass) zeekMeaning(kind string) {
	if f := p.has(zTS); f != nil {
		p.timeValue(f.Value)
	}
	p.e.Level = event.LevelInfo
	p.aliases(zeekAliases)
	switch kind {
	case "http":
		p.aliases(zeekWeb)
		p.httpStatus(zStatus)
	case "dns":
		p.aliases(zeekDNS)
	case "notice", "intel", "weird", "signatures":
		p.e.Level = event.LevelNotice
	case "ssh":
		switch p.value(zRes) {
		case "T", "true":
			p.outcome(true)
		case "F", "false":
			p.outcome(false)
		}
	}
}

// zeekDirective takes one line that begins with "#". The path comes before the
// fields, the types after them; the header holds all three.
func (p *pass) zeekDirective() bool {
	if n, _ := scoreZeek(p.text); n == 0 {
		return false
	}
	b := p.text[:trimEnd(p.text)]
	if s := p.stream; s != nil && p.off == 0 {
		switch {
		case prefix(b, "#path\t"):
			s.header = p.reg.header(readZeekID, append([]byte("#path\t"), b[6:]...))
		case prefix(b, "#fields\t"):
			if s.header == nil || s.header.reader != readZeekID || !strings.Contains(s.header.text, str(b)) {
				s.header = p.reg.header(readZeekID, []byte(zeekPath(s.header)+string(b)))
			}
		case prefix(b, "#types\t") && s.header != nil && s.header.reader == readZeekID && strings.Contains(s.header.text, "#fields"):
			text, _, _ := strings.Cut(s.header.text, "\t#types")
			if h := p.reg.header(readZeekID, []byte(text+"\t"+string(b))); h != nil {
				s.header = h
			}
		}
	}
	p.headerLine()
	return true
}

// zeekPath is the part of a header that names the log, with a tab after it.
func zeekPath(h *header) string {
	if h == nil || h.reader != readZeekID || h.kind == "" {
		return ""
	}
	return "#path\t" + h.kind + "\t"
}

// zeekHeader reads "#path conn #fields ts uid … #types time string …", separated by
// tabs; the first and the last part may be missing.
func zeekHeader(text []byte) *header {
	words := strings.Split(string(text), "\t")
	h := &header{reader: readZeekID, log: logZeek}
	if len(words) >= 2 && words[0] == "#path" {
		h.kind, words = words[1], words[2:]
	}
	if len(h.kind) > 64 {
		return nil
	}
	h.log = zeekSource(h.kind)
	part := ""
	for _, w := range words {
		switch {
		case w == "#fields" || w == "#types":
			part = w
		case part == "#fields" && len(h.cols) < maxHeaded && w != "":
			h.cols = append(h.cols, column(w))
		case part == "#types" && len(h.lists) < len(h.cols):
			h.lists = append(h.lists, prefix(bytesOf(w), "set[") || prefix(bytesOf(w), "vector["))
		default:
			return nil
		}
	}
	return h
}

// zeekSource routes by the log's name, with Sigma's categories where one fits.
func zeekSource(path string) event.LogSource {
	l := event.LogSource{Product: "zeek", Service: path}
	switch path {
	case "dns":
		l.Category = "dns"
	case "http":
		l.Category = "proxy"
	case "conn":
		l.Category = "firewall"
	}
	return l
}

// maxHeaded bounds the columns of a header line.
const maxHeaded = 512

// tabbed reads as many tab separated values as there are columns, exactly.
func (p *pass) tabbed(h *header, unset, empty string) bool {
	b := p.text[:trimEnd(p.text)]
	if len(h.cols) == 0 || bytes.Count(b, []byte{'\t'}) != len(h.cols)-1 {
		return false
	}
	i := 0
	for k := range h.cols {
		end := find(b, i, '\t')
		if end < 0 {
			end = len(b)
		}
		switch s := str(b[i:end]); {
		case s == unset || s == empty || s == "":
		case k < len(h.lists) && h.lists[k]:
			p.listed(&h.cols[k], i, end)
		default:
			p.addHeaded(&h.cols[k], i, end)
		}
		i = end + 1
	}
	return true
}

// listed adds the elements of a comma separated list as values of one name.
func (p *pass) listed(n *name, i, end int) {
	for i <= end {
		to := find(p.text[:end], i, ',')
		if to < 0 {
			to = end
		}
		p.addHeaded(n, i, to)
		i = to + 1
	}
}

// addHeaded adds text[i:end] as a number where it is one, else as text.
func (p *pass) addHeaded(n *name, i, end int) {
	f := p.open(n)
	p.write(f, i, end)
	if end > i && (p.text[i]-'0' <= 9 || p.text[i] == '-') {
		if x, ok := number(p.text[i:end]); ok {
			f.Value.Kind, f.Value.Num = event.KindNumber, x
		}
	}
}

// zeekLogs are the fields of the logs that rules ask for, beside those of every
// connection (Zeek manual, "Log Files").
var zeekLogs = []struct{ path, fields string }{
	{"conn", "proto service duration orig_bytes resp_bytes conn_state local_orig local_resp missed_bytes history orig_pkts orig_ip_bytes resp_pkts resp_ip_bytes tunnel_parents"},
	{"dns", "proto trans_id rtt query qclass qclass_name qtype qtype_name rcode rcode_name AA TC RD RA Z answers TTLs rejected"},
	{"http", "trans_depth method host uri referrer version user_agent origin request_body_len response_body_len status_code status_msg tags username proxied orig_fuids orig_filenames orig_mime_types resp_fuids resp_filenames resp_mime_types"},
	{"ssl", "version cipher curve server_name resumed last_alert next_protocol established cert_chain_fps subject issuer validation_status ja3 ja3s"},
	{"x509", "id fingerprint certificate.version certificate.serial certificate.subject certificate.issuer certificate.not_valid_before certificate.not_valid_after certificate.key_alg certificate.sig_alg san.dns san.ip"},
	{"ssh", "version auth_success auth_attempts direction client server cipher_alg mac_alg kex_alg host_key_alg host_key"},
	{"smb_files", "fuid action path name size prev_name times.modified"},
	{"smb_mapping", "path service native_file_system share_type"},
	{"dce_rpc", "rtt named_pipe endpoint operation"},
	{"kerberos", "request_type client service success error_msg from till cipher forwardable renewable"},
	{"rdp", "cookie result security_protocol client_channels keyboard_layout client_build client_name desktop_width desktop_height cert_type cert_count"},
	{"ntlm", "username hostname domainname server_nb_computer_name server_dns_computer_name success"},
	{"files", "fuid source depth analyzers mime_type filename duration local_orig is_orig seen_bytes total_bytes md5 sha1 sha256"},
	{"ftp", "user password command arg mime_type file_size reply_code reply_msg"},
	{"smtp", "helo mailfrom rcptto from to reply_to subject path user_agent tls fuids"},
	{"notice", "note msg sub src dst p n actions suppress_for"},
	{"weird", "name addl notice peer source"},
	{"intel", "seen.indicator seen.indicator_type seen.where matched sources"},
	{"tunnel", "tunnel_type action"},
	{"syslog", "proto facility severity message"},
}

// zeekSupplies says what rules find in the logs by name.
func zeekSupplies(f *Format) []Supply {
	out := []Supply{{Format: f.Name, LogSource: logZeek, Names: sorted([]string{ecsHost.text, ecsOutcome.text}), Any: true}}
	for _, l := range zeekLogs {
		s := Supply{Format: f.Name, LogSource: zeekSource(l.path)}
		s.Names = append(strings.Fields("ts uid id.orig_h id.orig_p id.resp_h id.resp_p"), strings.Fields(l.fields)...)
		have := func(n string) bool {
			for _, x := range s.Names {
				if x == n {
					return true
				}
			}
			return false
		}
		for _, t := range [...]struct {
			log     string
			aliases []pair
		}{{l.path, zeekAliases}, {"http", zeekWeb}, {"dns", zeekDNS}} {
			for _, a := range t.aliases {
				if t.log == l.path && have(a.from.text) {
					s.Names = append(s.Names, a.to.text)
				}
			}
		}
		s.Names = sorted(append(s.Names, ecsHost.text, ecsOutcome.text))
		out = append(out, s)
	}
	return out
}
