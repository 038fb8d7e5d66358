package parse

import (
	"testing"

	"bartizan/sources"
)

func TestHAProxy(t *testing.T) {
	const head = `203.0.113.9:40022 [03/Nov/2026:09:14:02.118] `
	const at118 = "2026-11-03T09:14:02.118Z"
	runCases(t, sources.Info{}, []formatCase{
		{
			head + `public~ shop/web-1 0/0/1/12/13 404 2750 - - ---- 6/6/0/0/0 0/0 {shop.example|curl/8} "GET /a?b=1 HTTP/1.1"`, "haproxy", "warning", at118,
			"remote_addr=203.0.113.9 | remote_port=40022 | frontend_name=public~ | backend_name=shop | server_name=web-1 | timers=0/0/1/12/13 | status=404 | body_bytes_sent=2750 | termination_state=---- | request_method=GET | uri=/a | args=b=1 | source.ip=203.0.113.9 | source.port=40022 | service.name=shop | url.path=/a | cs-method=GET | c-uri=/a?b=1 | cs-uri-stem=/a | sc-status=404 | event.outcome=failure",
		},
		{head + `main app/<NOSRV> -1/-1/1 212 SC 1/1/0/0/0 0/0`, "haproxy", "", at118, "server_name=<NOSRV> | body_bytes_sent=212 | termination_state=SC | !status | !request"},
		{head + `public public/<NOSRV> -1/-1/-1/-1/0 400 0 - - PR-- 1/1/0/0/0 0/0 "<BADREQ>"`, "haproxy", "warning", at118, "termination_state=PR-- | request=<BADREQ> | !request_method"},
		{"Nov  3 09:14:02 lb-1 haproxy[71]: " + head + `public shop/web-1 0/0/1/12/13 200 91 - - ---- 1/1/0/0/0 0/0 "GET / HTTP/1.1"`, "haproxy", "info", "2026-11-03T09:14:02Z", "host=lb-1 | source.ip=203.0.113.9 | status=200"},
		{"Nov  3 09:14:02 lb-1 haproxy[71]: Proxy public started.", "syslog", "", "2026-11-03T09:14:02Z", "program=haproxy | !source.ip"},
	})
}

func TestLoadBalancer(t *testing.T) {
	const head = `https 2026-11-03T09:14:02.118201Z app/shop/50dc 203.0.113.9:40022 `
	const at118 = "2026-11-03T09:14:02.118201Z"
	runCases(t, sources.Info{}, []formatCase{
		{
			head + `10.20.1.7:8080 0.001 0.012 0.000 403 - 512 2750 "GET https://shop.example:443/a/b?x=%27 HTTP/2.0" "curl/8" C TLSv1.2 arn:x "Root=1-5" "shop.example" "-" 1 2026-11-03T09:14:02.100000Z "waf" "-" "-"`, "aws-alb", "warning", at118,
			"type=https | elb=app/shop/50dc | client_port=203.0.113.9:40022 | elb_status_code=403 | sent_bytes=2750 | server_name=shop.example | request_uri=/a/b?x=%27 | uri=/a/b | args=x=%27 | trace_id=Root=1-5 | source.ip=203.0.113.9 | source.port=40022 | destination.ip=10.20.1.7 | url.path=/a/b | c-uri=/a/b?x=%27 | sc-status=403 | cs-user-agent=curl/8 | c-ip=203.0.113.9",
		},
		{head + `- -1 -1 -1 400 - 0 272 "- http://shop.example:80- -" "-" - - - "-" "-" "-" - 2026-11-03T09:14:02.100000Z "-" "-" "-"`, "aws-alb", "warning", at118, "elb_status_code=400 | !destination.ip"},
		{head + `10.20.1.7:8080 0.001`, "raw", "", "", ""},
	})
}

func TestApacheError(t *testing.T) {
	runCases(t, sources.Info{}, []formatCase{
		{
			`[Tue Nov 03 09:14:02.123456 2026] [auth_basic:error] [pid 7:tid 14049] [client 203.0.113.9:40022] AH01617: user amira: authentication failure for "/p": Password Mismatch, referer: https://r/`, "apache-error", "error", "2026-11-03T09:14:02.123456Z",
			"module=auth_basic | level=error | pid=7 | tid=14049 | client=203.0.113.9 | client_port=40022 | code=AH01617 | referer=https://r/ | source.ip=203.0.113.9 | error.code=AH01617 | c-ip=203.0.113.9",
		},
		{`[Tue Nov 03 09:14:02 2026] [error] [client 203.0.113.9] File does not exist: /srv/favicon.ico`, "apache-error", "error", at, "client=203.0.113.9 | !module | message=File does not exist: /srv/favicon.ico"},
		{`[Tue Nov 03 09:14:02 2026] [mpm_event:notice] [pid 1] AH00489: Apache configured -- resuming normal operations`, "apache-error", "notice", at, "pid=1 | !client"},
		{
			`[Tue Nov 03 09:14:02 2026] [:error] [pid 7:tid 9] [client ::1:37752] [client ::1] ModSecurity: Access denied with code 403 (phase 2). [file "/x"] [id "949110"] [msg "Inbound \"x\" exceeded"] [severity "CRITICAL"] [hostname "shop"] [uri "/a"] [unique_id "YV"]`, "apache-error", "error", at,
			`client=::1 | client_port=37752 | rule_id=949110 | rule_msg=Inbound \"x\" exceeded | rule_severity=CRITICAL | hostname=shop | uri=/a | waf_action=denied | source.ip=::1 | rule.name=Inbound \"x\" exceeded | url.path=/a | event.outcome=failure`,
		},
		{`[Tue Nov 03 09:14:02 2026] [error`, "text", "error", at, "!client"},
	})
}

func TestWebJSON(t *testing.T) {
	runCases(t, sources.Info{}, []formatCase{
		{
			`{"level":"error","ts":1793697242.0,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"10.0.0.1","remote_port":"4","client_ip":"203.0.113.9","method":"GET","host":"shop.example","uri":"/a?b=1","headers":{"User-Agent":["curl/8"]}},"user_id":"","size":0,"status":401}`, "caddy", "warning", at,
			"source.ip=203.0.113.9 | cs-method=GET | c-uri=/a?b=1 | cs-uri-stem=/a | url.query=b=1 | sc-status=401 | cs-user-agent=curl/8 | cs-host=shop.example | !user.name",
		},
		{
			`{"level":"error","ts":1793697242,"logger":"http.handlers.waf","msg":"[client \"203.0.113.9\"] Coraza: Warning. SQL [id \"942100\"] [msg \"SQL\"] [severity \"critical\"] [uri \"/i?x=1\"]\n"}`, "caddy", "error", at,
			"source.ip=203.0.113.9 | rule_id=942100 | rule_severity=critical | rule.name=SQL | waf_action=warned",
		},
		{`{"level":"info","ts":1793697242,"logger":"tls","msg":"cleaning storage unit"}`, "json", "info", at, "!c-uri"},
		{
			`{"ClientHost":"203.0.113.9","ClientPort":"4","ClientUsername":"-","DownstreamStatus":502,"DownstreamContentSize":7,"RequestHost":"shop.example","RequestMethod":"POST","RequestPath":"/a?b=1","StartUTC":"2026-11-03T09:14:02Z","level":"info","request_User-Agent":"curl/8"}`, "traefik", "error", at,
			"source.ip=203.0.113.9 | cs-method=POST | c-uri=/a?b=1 | url.path=/a | sc-status=502 | cs-user-agent=curl/8 | !user.name | event.outcome=failure",
		},
	})
}
