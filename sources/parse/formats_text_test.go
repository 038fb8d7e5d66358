package parse

import (
	"testing"

	"bartizan/event"
	"bartizan/sources"
)

func TestAccessLogs(t *testing.T) {
	const stamp = ` [03/Nov/2026:10:14:02 +0100] `
	runCases(t, sources.Info{}, []formatCase{
		{
			`203.0.113.9 - amira` + stamp + `"GET /a/b?x=1&y=%27 HTTP/1.1" 200 512 "https://r.example/" "curl/8"`, "nginx", "info", at,
			"remote_addr=203.0.113.9 | remote_user=amira | request=GET /a/b?x=1&y=%27 HTTP/1.1 | request_method=GET | uri=/a/b | args=x=1&y=%27 | status=200 | body_bytes_sent=512 | http_referer=https://r.example/ | http_user_agent=curl/8 | source.ip=203.0.113.9 | url.path=/a/b | cs-method=GET | c-uri=/a/b?x=1&y=%27 | cs-uri-query=x=1&y=%27 | cs-uri-query=/a/b?x=1&y=%27 | cs-uri-stem=/a/b | sc-status=200 | cs-user-agent=curl/8 | c-useragent=curl/8 | cs-referer=https://r.example/ | c-ip=203.0.113.9",
		},
		{`203.0.113.9 - -` + stamp + `"GET / HTTP/1.1" 304 -`, "nginx", "info", at, "status=304 | !body_bytes_sent | !user.name | cs-uri-query=/"},
		{`203.0.113.9 - -` + stamp + `"\x16\x03\x01" 400 157 "-" "-"`, "nginx", "warning", at, `request=\x16\x03\x01 | !request_method | !user_agent.original`},
		{`203.0.113.9 - a b [c` + stamp + `"GET /" 200 1 "-" "-"`, "nginx", "info", at, "remote_user=a b [c | uri=/"},
		{`203.0.113.9 - -` + stamp + `"GET /\"quoted\" and blank HTTP/1.1" 500 1 "-" "a \"b\" \x22"`, "nginx", "error", at, `uri=/\"quoted\" and blank | http_user_agent=a \"b\" \x22 | event.outcome=failure`},
		{`shop.example:443 203.0.113.9 - -` + stamp + `"GET / HTTP/1.1" 200 1 "-" "-"`, "nginx", "info", at, "server_name=shop.example | remote_addr=203.0.113.9 | url.domain=shop.example | cs-host=shop.example"},
		{`203.0.113.9, 10.0.0.1 - -` + stamp + `"GET / HTTP/1.1" 200 1 "-" "-" "198.51.100.1"`, "nginx", "info", at, "remote_addr=203.0.113.9 | http_x_forwarded_for=198.51.100.1"},
		{`203.0.113.9 - -` + stamp + `"GET /cut off`, "raw", "", "", ""},
	})
	runCases(t, sources.Info{Path: "/var/log/apache2/access.log"}, []formatCase{
		{`203.0.113.9 - -` + stamp + `"GET / HTTP/1.1" 200 1`, "apache", "info", at, "source.ip=203.0.113.9"},
	})
	runCases(t, sources.Info{}, []formatCase{
		{
			`2026/11/03 09:14:02 [crit] 7#8: *9 SSL_do_handshake() failed, client: 203.0.113.9, server: 0.0.0.0:443`, "nginx-error", "critical", at,
			"level=crit | pid=7 | tid=8 | connection_id=9 | client=203.0.113.9 | message=SSL_do_handshake() failed | source.ip=203.0.113.9",
		},
		{`2026/11/03 09:14:02 [notice] 1#1: start worker processes`, "nginx-error", "notice", at, "message=start worker processes | !client"},
	})
}

func TestEnvoy(t *testing.T) {
	const head = `[2026-11-03T09:14:02.000Z] `
	runCases(t, sources.Info{}, []formatCase{
		{
			head + `"GET /a?b=1 HTTP/2" 503 UF,URX upstream_reset - "TLS error" 1 91 3 - "203.0.113.9, 10.0.0.1" "curl/8" "r-1" "api.shop" "10.20.3.4:8080" outbound|80||api.shop 10.20.1.7:1 10.20.3.4:80 10.20.1.7:46520 sni default`, "envoy", "error", at,
			"method=GET | path=/a?b=1 | protocol=HTTP/2 | response_code=503 | response_flags=UF,URX | response_code_details=upstream_reset | upstream_transport_failure_reason=TLS error | bytes_received=1 | bytes_sent=91 | duration=3 | upstream_service_time=- | x_forwarded_for=203.0.113.9, 10.0.0.1 | user_agent=curl/8 | request_id=r-1 | authority=api.shop | upstream_host=10.20.3.4:8080 | upstream_cluster=outbound|80||api.shop | downstream_remote_address=10.20.1.7:46520 | requested_server_name=sni | route_name=default | source.ip=10.20.1.7 | source.port=46520 | destination.ip=10.20.3.4 | http.request.id=r-1 | url.domain=api.shop | url.query=b=1 | cs-host=api.shop | c-ip=10.20.1.7",
		},
		{head + `"POST /api HTTP/1.1" 200 - 0 135 4 3 "-" "curl/8" "r-1" "api" "10.0.0.1:80"`, "envoy", "info", at, "bytes_received=0 | bytes_sent=135 | upstream_service_time=3 | destination.port=80 | !downstream_remote_address"},
		{head + `"- - -" 0 - - - "-" 1234 5678 9 - "-" "-" "-" "-" "10.0.0.1:443" PassthroughCluster 10.20.1.7:1 10.0.0.1:443 10.20.1.7:2 - -`, "envoy", "", at, "bytes_sent=5678 | upstream_cluster=PassthroughCluster | destination.ip=10.0.0.1"},
		{head + `"GET / HTTP/1.1" 200 - "-" 0 135 4 3 "-" "curl/8" "r-1" "api" "10.0.0.1:80" inbound|80|| 127.0.0.1:1 10.0.0.1:80 10.20.1.7:2 - default`, "envoy", "info", at, "bytes_sent=135 | downstream_remote_address=10.20.1.7:2"},
	})
}

func TestAWSText(t *testing.T) {
	const owner = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"
	runCases(t, sources.Info{}, []formatCase{
		{
			owner + ` acme [03/Nov/2026:09:14:02 +0000] 203.0.113.9 arn:aws:iam::1:user/amira R1 REST.GET.OBJECT a%2Fb.pdf "GET /a%2Fb.pdf?versionId=1 HTTP/1.1" 403 AccessDenied 243 - 9 - "https://r/" "S3Console/0.4" v1 h1 SigV4 C AuthHeader acme.s3.amazonaws.com TLSv1.3 - Yes future`, "s3access", "warning", at,
			"bucket_owner=" + owner + " | bucket=acme | remote_ip=203.0.113.9 | requester=arn:aws:iam::1:user/amira | request_id=R1 | operation=REST.GET.OBJECT | key=a%2Fb.pdf | http_status=403 | error_code=AccessDenied | bytes_sent=243 | object_size=- | referer=https://r/ | user_agent=S3Console/0.4 | version_id=v1 | acl_required=Yes | user.name=amira | source.ip=203.0.113.9 | bucket.name=acme | url.query=versionId=1 | http.request.method=GET | event.outcome=failure",
		},
		{owner + ` acme [03/Nov/2026:09:14:02 +0000] - svc R1 S3.EXPIRE.OBJECT k "-" - - - 9 - - "-" "-" -`, "s3access", "info", at, "operation=S3.EXPIRE.OBJECT | !source.ip | user.id=svc | !user.name"},
		{
			"2 012345678901 eni-0a 203.0.113.9 10.20.1.7 40022 22 6 20 4249 1793697180 1793697242 REJECT OK", "vpcflow", "notice", at,
			"account_id=012345678901 | srcaddr=203.0.113.9 | dstport=22 | protocol=6 | bytes=4249 | action=REJECT | log_status=OK | source.ip=203.0.113.9 | destination.port=22 | network.transport=tcp | network.bytes=4249 | event.outcome=failure | cloud.account.id=012345678901",
		},
		{"2 012345678901 eni-0a - - - - - - - 1793697180 1793697242 - NODATA", "vpcflow", "info", at, "log_status=NODATA | !source.ip | !event.outcome"},
		{"2 012345678901 eni-0a 203.0.113.9 10.20.1.7 40022 22 6 20 4249 1793697180 1793697242 REJECT OK extra", "raw", "", "", ""},
	})
}

func TestVPCFlowHeader(t *testing.T) {
	lines := [][]byte{
		[]byte("version vpc-id srcaddr dstaddr pkt-srcaddr flow-direction end action\n"),
		[]byte("5 vpc-1 10.20.1.7 203.0.113.9 - egress 1793697242 ACCEPT\n"),
		[]byte("eight words that are not a flow record\n"),
		[]byte("5 vpc-1 10.20.1.8 203.0.113.9 - egress 1793697242 ACCEPT\n"),
	}
	var got []string
	parseLines(t, sources.Info{}, lines, func(i int, e *event.Event) {
		got = append(got, e.FormatName+" "+e.Text("vpc_id")+" "+e.Text("source.ip"))
	})
	want := []string{"vpcflow  ", "vpcflow vpc-1 10.20.1.7", "raw  ", "vpcflow vpc-1 10.20.1.8"}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("line %d is %q, want %q", i+1, got[i], want[i])
		}
	}
}

func TestVPCFlowDeclared(t *testing.T) {
	info := sources.Info{Format: "vpcflow:version srcaddr dstaddr end action"}
	runCases(t, info, []formatCase{{"5 10.20.1.7 203.0.113.9 1793697242 REJECT", "vpcflow", "notice", at, "source.ip=10.20.1.7 | destination.ip=203.0.113.9"}})
	r := testRegistry()
	if !r.Known(info.Format) || r.Known("vpcflow:what is this") || r.Known("nginx:version srcaddr dstaddr end") {
		t.Error("declared columns are not told from nonsense")
	}
}

func TestAuditd(t *testing.T) {
	const head = "msg=audit(1793697242.331:9107): "
	const when = "2026-11-03T09:14:02.331Z"
	runCases(t, sources.Info{}, []formatCase{
		{"type=EXECVE " + head + `argc=3 a0="sh" a1="-c" a2=636174202F6574632F736861646F77`, "auditd", "info", when, "a2=cat /etc/shadow | process.command_line=sh -c cat /etc/shadow | serial=9107"},
		{
			"node=web-1 type=SYSCALL " + head + `arch=c000003e syscall=59 success=no exit=-13 a0=55d1 a1=10 ppid=1 pid=77 auid=1000 uid=0 ses=4 comm="cat" exe="/usr/bin/cat" key="shadow"` + "\x1dARCH=x86_64 SYSCALL=execve AUID=\"amira\" UID=\"root\"", "auditd", "info", when,
			"a0=55d1 | a1=10 | success=no | exe=/usr/bin/cat | SYSCALL=execve | AUID=amira | user.name=amira | user.id=1000 | session.id=4 | process.pid=77 | process.name=cat | event.outcome=failure | host.name=web-1",
		},
		{"type=PROCTITLE " + head + "proctitle=2F62696E2F7368002D6300696400", "auditd", "info", when, "proctitle=/bin/sh -c id "},
		{"type=PATH " + head + `item=0 name="/etc/passwd" inode=7 nametype=NORMAL`, "auditd", "info", when, "name=/etc/passwd | file.path=/etc/passwd | nametype=NORMAL"},
		{
			"type=USER_AUTH " + head + `pid=7 uid=0 auid=4294967295 ses=4294967295 msg='op=PAM:authentication acct="amira" exe="/usr/sbin/sshd" hostname=? addr=203.0.113.9 terminal=ssh res=failed'`, "auditd", "warning", when,
			"op=PAM:authentication | acct=amira | res=failed | source.ip=203.0.113.9 | user.name=amira | !session.id | event.outcome=failure | event.action=USER_AUTH",
		},
		{"type=AVC " + head + `avc:  denied  { read } for  pid=7 comm="x" scontext=a tcontext=b`, "auditd", "warning", when, "comm=x | scontext=a"},
	})
}

func TestPlainText(t *testing.T) {
	runCases(t, sources.Info{}, []formatCase{
		{`ts=2026-11-03T09:14:02Z level=warn msg="a \"b\"" user=amira ip=203.0.113.9 empty= flag`, "logfmt", "warning", at, `msg=a "b" | user.name=amira | source.ip=203.0.113.9`},
		{"2026-11-03 09:14:02.5 ERROR boom", "text", "error", "2026-11-03T09:14:02.5Z", "message=ERROR boom"},
		{"[2026-11-03T10:14:02+01:00] app.WARNING: x", "text", "warning", at, ""},
		{"Tue Nov 03 09:14:02 2026 [notice] x", "text", "notice", at, ""},
		{"E1103 09:14:02.000001 7 main.go says x", "text", "", "2026-11-03T09:14:02.000001Z", ""},
		{"1793697242.25 info: x", "text", "info", "2026-11-03T09:14:02.25Z", ""},
		{"[03/Nov/2026:09:14:02 +0000] x", "text", "", at, "message=x"},
		{"no stamp here", "raw", "", "", ""},
		{"", "raw", "", "", ""},
		{"\x00\xff\x1b[2J", "raw", "", "", ""},
	})
}
