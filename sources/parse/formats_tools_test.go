package parse

import (
	"fmt"
	"strings"
	"testing"

	"bartizan/event"
	"bartizan/sources"
)

func TestSuricata(t *testing.T) {
	const at = "2026-11-03T09:14:02.118203Z"
	line := func(rest string) string {
		return `{"timestamp":"2026-11-03T10:14:02.118203+0100","flow_id":7,"src_ip":"10.20.1.7","src_port":51234,"dest_ip":"203.0.113.9","dest_port":53,` + rest + `}`
	}
	runCases(t, sources.Info{}, []formatCase{
		{
			line(`"event_type":"alert","proto":"TCP","alert":{"action":"blocked","signature_id":9,"signature":"ACME beacon","severity":2}`), "suricata", "warning", at,
			"source.ip=10.20.1.7 | destination.port=53 | network.transport=tcp | rule.name=ACME beacon | event.action=blocked | event.outcome=failure | session.id=7",
		},
		{line(`"event_type":"alert","proto":"ICMP","alert":{"action":"allowed","signature":"ping","severity":1}`), "suricata", "error", at, "event.outcome=success | network.transport=icmp"},
		{
			line(`"event_type":"dns","proto":"UDP","dns":{"type":"query","rrname":"x.acme.example","rrtype":"TXT"}`), "suricata", "info", at,
			"dns.question.name=x.acme.example | query=x.acme.example | record_type=TXT | event.action=dns",
		},
		{
			line(`"event_type":"dns","proto":"UDP","dns":{"version":3,"type":"response","rcode":"NXDOMAIN","queries":[{"rrname":"y.acme.example","rrtype":"A"}]}`), "suricata", "info", at,
			"query=y.acme.example | response_code=NXDOMAIN | dns.response_code=NXDOMAIN",
		},
		{
			line(`"event_type":"http","proto":"TCP","http":{"hostname":"shop.example","url":"/a?b=1","http_method":"GET","http_user_agent":"curl","status":404}`), "suricata", "warning", at,
			"url.path=/a | url.query=b=1 | cs-method=GET | c-uri=/a?b=1 | sc-status=404 | event.outcome=failure | c-ip=10.20.1.7",
		},
		{line(`"event_type":"tls","proto":"TCP","tls":{"sni":"shop.example"}`), "suricata", "info", at, "url.domain=shop.example"},
	})
	for kind, want := range map[string]event.LogSource{
		"dns": {Product: "suricata", Category: "dns", Service: "dns"}, "flow": {Product: "suricata", Category: "firewall", Service: "flow"}, "mdns": logSuricata,
	} {
		if e := parseOne(t, sources.Info{}, line(`"event_type":"`+kind+`","proto":"UDP"`)); e.LogSource != want {
			t.Errorf("%s comes from %+v", kind, e.LogSource)
		}
	}
}

func TestZeekJSON(t *testing.T) {
	const at = "2026-11-03T09:14:02.118203Z"
	line := func(rest string) string {
		return `{"ts":1793697242.118203,"uid":"C1","id.orig_h":"10.20.1.7","id.orig_p":51234,"id.resp_h":"203.0.113.9","id.resp_p":80` + rest + `}`
	}
	cases := []struct{ rest, path, fields string }{
		{`,"proto":"tcp","conn_state":"SF","orig_bytes":7`, "conn", "network.transport=tcp | network.bytes=7 | dst_port=80"},
		{`,"trans_id":1,"query":"x.acme.example","qtype_name":"A","answers":["192.0.2.1"]`, "dns", "dns.question.name=x.acme.example | record_type=A | answer=192.0.2.1"},
		{`,"trans_depth":1,"method":"GET","host":"shop.example","uri":"/a","status_code":200`, "http", "cs-method=GET | c-uri=/a | event.outcome=success"},
		{`,"auth_attempts":1,"auth_success":false,"client":"SSH-2.0-x"`, "ssh", "event.outcome=failure"},
		{`,"_path":"rdp","cookie":"amira"`, "rdp", "source.ip=10.20.1.7"},
		{`,"_path":"made_up"`, "", "source.ip=10.20.1.7"},
	}
	for _, c := range cases {
		raw := line(c.rest)
		level := "info"
		runCases(t, sources.Info{}, []formatCase{{raw, "zeek-json", level, at, c.fields}})
		if e := parseOne(t, sources.Info{}, raw); e.LogSource != zeekSource(c.path) {
			t.Errorf("%s comes from %+v, want %+v", raw, e.LogSource, zeekSource(c.path))
		}
	}
	runCases(t, sources.Info{}, []formatCase{
		{line(`,"note":"Scan::Port","msg":"7 ports"`), "zeek-json", "notice", at, "rule.name=Scan::Port"},
		{`{"ts":1793697242.118203,"uid":"C1","message":"not Zeek's"}`, "json", "", at, ""},
	})
}

func TestOsquery(t *testing.T) {
	const head = `{"name":"pack_x","hostIdentifier":"web-1","calendarTime":"x","unixTime":"1793697242","decorations":{"username":"amira","host_uuid":"u-1"},`
	runCases(t, sources.Info{}, []formatCase{
		{
			head + `"columns":{"pid":"7","path":"/usr/bin/curl","cmdline":"curl -s x","parent":"6","cwd":"/srv","uid":"1000"},"action":"added"}`, "osquery", "info", "2026-11-03T09:14:02Z",
			"rule.name=pack_x | event.action=added | host.name=web-1 | host.id=u-1 | user.name=amira | process.command_line=curl -s x | process.executable=/usr/bin/curl | process.name=curl | process.parent.pid=6",
		},
		{head + `"snapshot":[{"path":"/etc/passwd"},{"path":"/etc/shadow"}],"action":"snapshot"}`, "osquery", "info", "2026-11-03T09:14:02Z", "event.action=snapshot"},
	})
}

func TestTetragon(t *testing.T) {
	const at, tail = "2026-11-03T09:14:02.1Z", `"node_name":"node-3","time":"2026-11-03T09:14:02.1Z"}`
	const who = `"process":{"exec_id":"e1","pid":7,"uid":0,"cwd":"/srv","binary":"/usr/bin/nc","arguments":"-e /bin/sh","pod":{"namespace":"shop","name":"web-0","container":{"id":"c1","name":"web"}}},"parent":{"binary":"/bin/bash","arguments":"-i","pid":6}`
	probe := func(fn, args string) string {
		return `{"process_kprobe":{` + who + `,"function_name":"` + fn + `","args":[` + args + `],"policy_name":"p1"},` + tail
	}
	cases := []struct {
		formatCase
		log event.LogSource
	}{
		{formatCase{
			`{"process_exec":{` + who + `},` + tail, "tetragon", "info", at,
			"Image=/usr/bin/nc | CommandLine=/usr/bin/nc -e /bin/sh | ParentImage=/bin/bash | ParentCommandLine=/bin/bash -i | ProcessId=7 | CurrentDirectory=/srv | process.name=nc | " +
				"orchestrator.namespace=shop | orchestrator.resource.name=web-0 | orchestrator.resource.type=pods | container.id=c1 | host.name=node-3",
		}, logTetragon},
		{formatCase{`{"process_exit":{` + who + `},` + tail, "tetragon", "info", at, "event.action=exit"}, logTetragonAny},
		{formatCase{
			probe("tcp_connect", `{"sock_arg":{"saddr":"10.20.1.7","sport":51234,"daddr":"203.0.113.9","dport":4444}}`), "tetragon", "notice", at,
			"DestinationIp=203.0.113.9 | DestinationPort=4444 | Initiated=true | Image=/usr/bin/nc | destination.ip=203.0.113.9 | rule.name=p1",
		}, logTetragonNet},
		{formatCase{probe("security_file_permission", `{"file_arg":{"path":"/etc/shadow"}},{"int_arg":2}`), "tetragon", "notice", at, "TargetFilename=/etc/shadow | file.path=/etc/shadow"}, logTetragonFile},
		{formatCase{probe("security_file_permission", `{"file_arg":{"path":"/etc/shadow"}},{"int_arg":4}`), "tetragon", "notice", at, "!TargetFilename | file.path=/etc/shadow"}, logTetragonAny},
	}
	for _, c := range cases {
		runCases(t, sources.Info{}, []formatCase{c.formatCase})
		if e := parseOne(t, sources.Info{}, c.raw); e.LogSource != c.log {
			t.Errorf("%.90s comes from %+v, want %+v", c.raw, e.LogSource, c.log)
		}
	}
}

func TestFindings(t *testing.T) {
	runCases(t, sources.Info{}, []formatCase{
		{
			`{"SchemaVersion":2,"ArtifactName":"acme/web:7","Results":[{"Vulnerabilities":[{"VulnerabilityID":"CVE-1","PkgName":"a","Severity":"LOW"},{"VulnerabilityID":"CVE-2","PkgName":"b","Severity":"HIGH"}]}]}`,
			"trivy", "error", "", "vulnerability.id=CVE-1 | vulnerability.id=CVE-2 | package.name=b | container.image.name=acme/web:7 | vulnerability.severity=HIGH",
		},
		{`{"VulnerabilityID":"CVE-3","PkgName":"a","Severity":"CRITICAL"}`, "trivy", "critical", "", "rule.name=CVE-3"},
		{`{"ArtifactName":"acme/web:7","Results":[{"Target":"web"}]}`, "trivy", "info", "", "!rule.name"},
		{`{"vulnerability":{"id":"CVE-4","severity":"Medium"},"artifact":{"name":"a"}}`, "grype", "warning", "", "rule.name=CVE-4 | package.name=a"},
		{`{"matches":[],"source":{"target":{"userInput":"acme/web:7"}},"descriptor":{"name":"grype","timestamp":"2026-11-03T09:14:02Z"}}`, "grype", "info", "2026-11-03T09:14:02Z", "container.image.name=acme/web:7"},
	})
}

func TestCEFAndLEEF(t *testing.T) {
	const at = "2026-11-03T09:14:02Z"
	runCases(t, sources.Info{}, []formatCase{
		{
			`CEF:0|Ac\|me|Gate|2|47|Bad \\ thing|9|msg=a \= b c request=http://x/?a\=b src=203.0.113.9 rt=Nov 03 2026 09:14:02`, "cef", "critical", at,
			`deviceVendor=Ac|me | name=Bad \ thing | msg=a = b c | url.original=http://x/?a=b | source.ip=203.0.113.9 | rule.name=47`,
		},
		{`CEF: 1|Fortinet|FortiGate|7|13|traffic|Low|src=10.20.1.7 dst=203.0.113.9 dpt=443 proto=6 act=Deny`, "cef", "info", "", "event.outcome=failure | network.transport=tcp | dst_port=443"},
		{`CEF:0|A|B|C|1|n|5|cs1Label=policy name cs1=guests only cn1=`, "cef", "warning", "", "policy name=guests only | cs1=guests only | !cn1"},
		{"Nov  3 09:14:02 gate-1 CEF:0|A|B|C|1|n|8|src=203.0.113.9 suser=amira", "cef", "error", at, "host.name=gate-1 | user.name=amira"},
		{"Nov  3 09:14:02 gate-1 CEF: 0|A|B|C|1|n|8|src=203.0.113.9", "cef", "error", at, "host.name=gate-1 | source.ip=203.0.113.9"},
		{"<134>1 2026-11-03T09:14:02Z gate-1 gated - - - LEEF:1.0|A|B|C|logon|src=203.0.113.9\tusrName=amira\tsev=9", "leef", "critical", at, "user.name=amira | event.action=logon | host.name=gate-1"},
		{"LEEF:2.0|A|B|C|logon|x7C|src=203.0.113.9|dst=10.20.1.7|dstPort=22|action=permit", "leef", "info", "", "destination.port=22"},
		{"LEEF:2.0|A|B|C|logon|src=203.0.113.9\tproto=UDP", "leef", "info", "", "source.ip=203.0.113.9 | network.transport=udp"},
		{"CEF:0|A|B|C", "raw", "", "", ""},
		{"LEEF:2.0|A|B", "raw", "", "", ""},
	})
	if e := parseOne(t, sources.Info{}, "CEF:0|Fortinet|F|7|13|t|1|src=10.0.0.1 dst=203.0.113.9 dpt=443 act=deny"); e.LogSource != (event.LogSource{Product: "fortigate", Category: "firewall", Service: "cef"}) {
		t.Errorf("a firewall's record comes from %+v", e.LogSource)
	}
	long := "CEF:0|A|B|C|1|n|5|" + strings.Repeat("k=v ", 3*maxJSONFields)
	if e := parseOne(t, sources.Info{}, "CEF:0|A|B|C|1|n|5|x=1 "+strings.Repeat("xLabel=y ", 2*maxLabels)); len(e.Fields)-e.Native > maxLabels+10 {
		t.Errorf("%d other names of one record", len(e.Fields)-e.Native)
	}
	if e := parseOne(t, sources.Info{}, long); len(e.Fields) > maxJSONFields+100 {
		t.Errorf("%d fields of one record", len(e.Fields))
	}
}

func TestGELF(t *testing.T) {
	runCases(t, sources.Info{}, []formatCase{
		{
			`{"version":"1.1","host":"web-1","short_message":"no","timestamp":1793697242.5,"level":1,"_user":"amira","_src_ip":"203.0.113.9","_":"x"}`, "gelf", "alert", "2026-11-03T09:14:02.5Z",
			"host.name=web-1 | user.name=amira | user=amira | source.ip=203.0.113.9 | _user=amira",
		},
		{`{"version":"1.1","host":"web-1","short_message":"no"}`, "gelf", "", "", "host.name=web-1"},
	})
}

func TestNetfilter(t *testing.T) {
	const at, packet = "2026-11-03T09:14:02Z", "IN=eth0 OUT= MAC=02:42 SRC=203.0.113.9 DST=10.20.1.7 LEN=60 TTL=54 DF PROTO=TCP SPT=40022 DPT=22 SYN URGP=0"
	line := func(s string) string { return "Nov  3 09:14:02 web-1 kernel: " + s }
	const all = "source.ip=203.0.113.9 | source.port=40022 | destination.ip=10.20.1.7 | destination.port=22 | network.transport=tcp | IN=eth0 | flags=DF | flags=SYN | host.name=web-1"
	runCases(t, sources.Info{}, []formatCase{
		{line("[   12.345678] [UFW BLOCK] " + packet), "netfilter", "notice", at, all + " | uptime=12.345678 | prefix=[UFW BLOCK] | event.action=block | event.outcome=failure"},
		{line("[12.3] iptables-denied: " + packet), "netfilter", "notice", at, all + " | event.action=deny"},
		{line("nft accept: " + packet), "netfilter", "info", at, all + " | event.outcome=success | event.action=accept"},
		{line(packet), "netfilter", "info", at, all + " | !event.outcome | !prefix"},
		{line("[1.2] usb 1-1: new device"), "syslog", "", at, "uptime=1.2 | program=kernel"},
		{line("[1.2] x IN=eth0 and no more"), "syslog", "", at, "!IN"},
		{line("[12.345678] audit: type=1400 audit(1793697242.331:7): apparmor=\"DENIED\" pid=7 comm=\"nc\""), "auditd", "warning", at, "process.pid=7 | event.id=7"},
	})
}

func TestSysmonLinux(t *testing.T) {
	xml := func(id int, data string) string {
		return fmt.Sprintf(`Nov  3 09:14:02 web-1 sysmon: <Event><System><Provider Name="Linux-Sysmon"/><EventID>%d</EventID><Level>4</Level><TimeCreated SystemTime="2026-11-03T09:14:02.118Z"/><Correlation/><Channel>Linux-Sysmon/Operational</Channel><Computer>web-1</Computer></System><EventData>%s</EventData></Event>`, id, data)
	}
	data := func(pairs ...string) (out string) {
		for i := 0; i < len(pairs); i += 2 {
			out += `<Data Name="` + pairs[i] + `">` + pairs[i+1] + `</Data>`
		}
		return out
	}
	const at = "2026-11-03T09:14:02Z" // the line's own stamp comes first
	cases := []struct {
		formatCase
		category string
	}{
		{formatCase{
			xml(1, data("Image", "/usr/bin/nc", "CommandLine", "nc &lt;x&gt; &amp;&amp; &#x41;&#66; &quot;q&apos;", "User", "amira", "ParentImage", "/bin/sh", "ProcessId", "7", "Empty", "")), "sysmon-linux", "info", at,
			`Image=/usr/bin/nc | CommandLine=nc <x> && AB "q' | process.command_line=nc <x> && AB "q' | user.name=amira | process.name=nc | process.parent.name=sh | process.pid=7 | EventID=1 | !Empty`,
		}, "process_creation"},
		{formatCase{
			xml(3, data("Image", "/usr/bin/nc", "DestinationIp", "203.0.113.9", "DestinationPort", "4444", "Initiated", "true")), "sysmon-linux", "info", at,
			"destination.ip=203.0.113.9 | DestinationPort=4444",
		}, "network_connection"},
		{formatCase{xml(11, data("Image", "/bin/cp", "TargetFilename", "/etc/cron.d/x")), "sysmon-linux", "info", at, "file.path=/etc/cron.d/x | TargetFilename=/etc/cron.d/x"}, "file_event"},
	}
	for _, c := range cases {
		runCases(t, sources.Info{}, []formatCase{c.formatCase})
		if e := parseOne(t, sources.Info{}, c.raw); e.LogSource != (event.LogSource{Product: "linux", Category: c.category, Service: "sysmon"}) {
			t.Errorf("%.60s comes from %+v", c.raw, e.LogSource)
		}
	}
	whole := xml(1, data("Image", "/x"))
	for _, bad := range []string{
		whole[:len(whole)-8], strings.Replace(whole, "<EventID>1</EventID>", "", 1), strings.Replace(whole, `"Linux-Sysmon"`, `"Linux-Sysmon`, 1),
		xml(1, strings.Repeat("<a>", maxElements)),
	} {
		if e := parseOne(t, sources.Info{}, bad); e.FormatName != "syslog" || e.Text("Image") != "" && len(bad) < 2000 {
			t.Errorf("%.80q is %s with %q", bad, e.FormatName, e.Text("Image"))
		}
	}
	if e := parseOne(t, sources.Info{}, xml(1, data("A", "&#0;&#x110000;&bad;&amp"))); e.Text("A") != "&#0;&#x110000;&bad;&amp" {
		t.Errorf("entities that are none became %q", e.Text("A"))
	}
}
