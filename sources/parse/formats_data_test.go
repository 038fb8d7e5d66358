package parse

import (
	"testing"

	"bartizan/event"
	"bartizan/sources"
)

func TestPostgres(t *testing.T) {
	const at = "2026-11-03T09:14:02.118Z"
	const csv = `2026-11-03 10:14:02.118 CET,"amira","shop",47,"203.0.113.9:40022",6909.2f,3,"idle",2026-11-03 09:14:02 UTC,3/7,0,`
	runCases(t, sources.Info{}, []formatCase{
		{
			`2026-11-03 09:14:02.118 UTC [47-3] amira@shop LOG:  duration: 12.500 ms  statement: SELECT 1`, "postgresql", "info", at,
			"pid=47 | line_num=3 | user.name=amira | dbname=shop | duration_ms=12.500 | statement=SELECT 1 | error_severity=LOG | event.action=duration",
		},
		{
			`2026-11-03 11:14:02.118 CEST [47] [unknown]@[unknown] LOG:  connection received: host=203.0.113.9 port=40022`, "postgresql", "info", at,
			"source.ip=203.0.113.9 | source.port=40022 | event.action=connection_received | !user.name",
		},
		{`2026-11-03 09:14:02.118 UTC [47] LOG:  connection authorized: user=amira database=shop application_name=psql`, "postgresql", "info", at, "user.name=amira | event.outcome=success | application_name=psql"},
		{`2026-11-03 09:14:02.118 UTC [47] FATAL:  28P01: password authentication failed for user "o"`, "postgresql", "critical", at, "user.name=o | event.outcome=failure | error.code=28P01"},
		{
			`2026-11-03 09:14:02.118 UTC [47] user=amira,db=shop,app=psql,client=203.0.113.9 ERROR:  permission denied for table cards`, "postgresql", "error", at,
			"user.name=amira | source.ip=203.0.113.9 | event.outcome=failure | dbname=shop",
		},
		{`2026-11-03 09:14:02.118 UTC [47] FATAL:  no pg_hba.conf entry for host "203.0.113.9", user "amira", database "shop", no encryption`, "postgresql", "critical", at, "user.name=amira | event.outcome=failure"},
		{
			csv + `FATAL,28P01,"password authentication failed for user ""amira""",,,,,,,,,"psql"`, "postgresql-csv", "critical", at,
			`source.ip=203.0.113.9 | source.port=40022 | user.name=amira | message=password authentication failed for user "amira" | application_name=psql | session.id=6909.2f | process.pid=47`,
		},
		{csv + `LOG,00000,"a message that goes on`, "postgresql-csv", "info", at, "message=a message that goes on"},
		{csv + `NONSENSE,00000,"x",,,,,,,,,""`, "text", "", "2026-11-03T09:14:02.118Z", ""},
		{`{"timestamp":"2026-11-03 10:14:02.118 CET","pid":47,"error_severity":"LOG","message":"connection received: host=::1 port=5"}`, "postgresql-json", "info", at, "source.ip=::1 | source.port=5"},
	})
}

func TestMySQL(t *testing.T) {
	const at = "2026-11-03T09:14:02.118203Z"
	runCases(t, sources.Info{}, []formatCase{
		{
			"2026-11-03T09:14:02.118203Z 47 [Warning] [MY-010055] [Server] IP address '203.0.113.9' could not be resolved", "mysql", "warning", at,
			"thread_id=47 | err_code=MY-010055 | subsystem=Server | source.ip=203.0.113.9 | error.code=MY-010055",
		},
		{
			"2026-11-03 09:14:02 47 [Warning] Access denied for user 'o'@'x'@'web-2' (using password: NO)", "mysql", "warning", "2026-11-03T09:14:02Z",
			"user.name=o'@'x | source.domain=web-2 | using_password=NO | event.outcome=failure | event.action=access_denied",
		},
		{"261103  9:14:02 [ERROR] Can't start server", "mysql", "error", "2026-11-03T09:14:02Z", "level=ERROR"},
		{"261103 09:14:02 mysqld_safe Starting mysqld daemon", "mysql", "info", "2026-11-03T09:14:02Z", "message=Starting mysqld daemon"},
		{"2026-11-03T09:14:02.118203Z\t   47 Connect\tAccess denied for user 'o'@'203.0.113.9' (using password: YES)", "mysql", "warning", at, "source.ip=203.0.113.9 | user.name=o"},
		{"2026-11-03 09:14:02 47 [Note] Aborted connection 47 to db: 'shop' user: 'amira' host: '203.0.113.9' (Got timeout)", "mysql", "info", "2026-11-03T09:14:02Z", "user.name=amira | source.ip=203.0.113.9"},
		{"# Time: 2026-11-03T09:14:02.118203Z", "mysql-slow", "info", at, "timestamp=2026-11-03T09:14:02.118203Z"},
		{"# User@Host: amira[app] @ web-1 []  Id:    47", "mysql-slow", "info", "", "user.name=amira | current_user=app | source.domain=web-1 | thread_id=47 | !source.ip"},
		{"# Query_time: 2.5  Lock_time: 0.1 Rows_sent: 7  Rows_examined: 9", "mysql-slow", "info", "", "query_time=2.5 | rows_sent=7"},
		{"# Thread_id: 5  Schema:   QC_hit: No", "mysql-slow", "info", "", "thread_id=5 | qc_hit=No | !schema"},
		{"SET timestamp=1793697242;", "mysql-slow", "info", "2026-11-03T09:14:02Z", ""},
		{"# Time: 261103  9:14:01\n# User@Host: a[a] @  [203.0.113.9]\n# Query_time: 1.0\nSET timestamp=1793697242;\nselect 1\n from x;", "mysql-slow", "info", "2026-11-03T09:14:02Z", "source.ip=203.0.113.9 | query=select 1\n from x;"},
	})
}

func TestRedisAndMongo(t *testing.T) {
	const at = "2026-11-03T09:14:02.118Z"
	runCases(t, sources.Info{}, []formatCase{
		{"47:M 03 Nov 2026 09:14:02.118 * Ready", "redis", "notice", at, "process.pid=47 | role=master | level=notice | message=Ready"},
		{"47:S 3 Nov 09:14:02.118 # Disk full", "redis", "warning", at, "role=replica"},
		{"[47] 03 Nov 09:14:02 - 0 clients", "redis", "debug", "2026-11-03T09:14:02Z", "process.pid=47 | level=verbose"},
		{"03 Nov 09:14:02 . hm", "redis", "trace", "2026-11-03T09:14:02Z", "!process.pid | level=debug"},
		{"47:signal-handler (1793697242) Received SIGTERM", "redis", "warning", "2026-11-03T09:14:02Z", "role=signal-handler"},
		{"47:Q 03 Nov 2026 09:14:02.118 * Ready", "raw", "", "", ""},
		{
			`{"t":{"$date":"2026-11-03T09:14:02.118Z"},"s":"W","c":"ACCESS","id":7,"ctx":"conn1","msg":"Successfully authenticated","attr":{"user":"amira","remote":"[2001:db8::1]:99"}}`, "mongodb", "warning", at,
			"user.name=amira | source.ip=2001:db8::1 | source.port=99 | event.outcome=success | event.code=7",
		},
		{
			"2026-11-03T09:14:02.118+0000 I ACCESS   [conn7] Successfully authenticated as principal amira on admin from client 203.0.113.9:99", "mongodb-text", "info", at,
			"user.name=amira | source.ip=203.0.113.9 | source.port=99 | event.outcome=success | c=ACCESS | ctx=conn7",
		},
		{"2026-11-03T09:14:02.118+0000 D2 QUERY    [conn7] Not authorized", "mongodb-text", "warning", at, "event.outcome=failure"},
	})
}

func TestKubernetesPrograms(t *testing.T) {
	const at = "2026-11-03T09:14:02.118203Z"
	runCases(t, sources.Info{}, []formatCase{
		{`W1103 09:14:02.118203       1 reflector.go:539] failed to list: x`, "klog", "warning", at, "threadid=1 | file=reflector.go | line=539 | message=failed to list: x"},
		{`I1103 09:14:02.118203 47 httplog.go:132] "HTTP" verb="GET" URI="/api?x=1" userAgent="kubectl" srcIP="203.0.113.9:99" resp=403`, "klog", "info", at, "http.request.method=GET | user_agent.original=kubectl | resp=403 | message=HTTP"},
		{`E1103 09:14:02.118203 47 x.go:7] "Failed" pod="shop/web-0" err="no \"x\""`, "klog", "error", at, `orchestrator.namespace=shop | orchestrator.resource.name=web-0 | error.message=no "x"`},
		{`I1103 09:14:02.118203 47 x.go:7`, "text", "", at, ""},
		{"E1103 09:14:02.118203 47 no file", "text", "", at, ""},
		{"2026-11-03T09:14:02.118203Z\twarn\tca\trefused\tpod=web-0 namespace=shop", "istiod", "warning", at, "scope=ca | orchestrator.resource.name=web-0 | orchestrator.namespace=shop"},
		{"2026-11-03T09:14:02.118203Z\tloud\tca\trefused", "text", "", at, ""},
		{
			`{"metadata":{"uid":"u1"},"involvedObject":{"kind":"Widget","namespace":"shop","name":"w"},"reason":"Gone","message":"m","type":"Normal","lastTimestamp":"2026-11-03T09:14:02.118203Z"}`, "k8sevent", "info", at,
			"event.action=Gone | orchestrator.resource.type=Widget | event.id=u1",
		},
		{
			`{"verb":"ADDED","event":{"involvedObject":{"kind":"Pod","namespace":"shop","name":"w"},"reason":"Failed","message":"m","type":"Warning","lastTimestamp":"2026-11-03T09:14:02.118203Z"}}`, "k8sevent", "warning", at,
			"orchestrator.resource.type=pods | orchestrator.resource.name=w",
		},
		{
			`{"apiVersion":"events.k8s.io/v1","kind":"Event","regarding":{"kind":"Node","name":"node-3"},"reason":"Rebooted","note":"n","type":"Warning","eventTime":"2026-11-03T09:14:02.118203Z","reportingController":"kubelet"}`, "k8sevent", "warning", at,
			"orchestrator.resource.type=nodes | event.provider=kubelet",
		},
	})
}

func TestServersWithoutTheirHeads(t *testing.T) {
	const at = "2026-11-03T09:14:02Z"
	runCases(t, sources.Info{}, []formatCase{
		{
			"2026-11-03 09:14:02 10.20.1.7 GET /item q=1 443 - 203.0.113.9 Mozilla/5.0+(X11) - 404 0 2 15", "w3c", "warning", at,
			"source.ip=203.0.113.9 | destination.ip=10.20.1.7 | destination.port=443 | user_agent.original=Mozilla/5.0 (X11) | cs(User-Agent)=Mozilla/5.0+(X11) | cs-user-agent=Mozilla/5.0 (X11) | url.query=q=1",
		},
		{"2026-11-03 09:14:02 203.0.113.9 40022 10.20.1.7 443 HTTP/1.1 GET /x 400 - URL -", "w3c", "warning", at, "source.port=40022 | s-reason=URL"},
		{"2026-11-03 09:14:02 10.20.1.7 GET /item q=1 port - 203.0.113.9 Mozilla/5.0 - 404 0 2 15", "text", "", at, ""},
		{"Nov  3 09:14:02 lb-1 haproxy[7]: Connect from 203.0.113.9:40022 to 10.20.1.7:443 (public/HTTP)", "haproxy", "info", at, "source.ip=203.0.113.9 | destination.port=443 | frontend_name=public"},
		{
			`Nov  3 09:14:02 lb-1 haproxy[7]: 203.0.113.9:40022 [03/Nov/2026:09:14:02.118] public~ shop/web-1 shop.example 0/0/1/2/3 403 91 - - ---- 1/1/0/0/0 0/0 "GET /a HTTP/1.1"`, "haproxy", "warning", at,
			"captured=shop.example | timers=0/0/1/2/3 | http.response.status_code=403",
		},
		{
			`203.0.113.9 - - [03/Nov/2026:09:14:02 +0000] "GET /a HTTP/1.1" 200 5 "-" "curl" 89 0.001 [shop-web-80] [] 10.20.1.7:80, 10.20.1.8:80 0, 5 0.0, 0.1 502, 200 a1b2`, "nginx-ingress", "info", at,
			"http.request.id=a1b2 | http.request.bytes=89 | upstream_status=502, 200 | service.name=shop-web-80",
		},
		{`203.0.113.9 - - [03/Nov/2026:09:14:02 +0000] "GET /a HTTP/1.1" 200 5 "-" "curl" 89 0.001`, "nginx", "info", at, "!req_id"},
		{`web-2 - - [03/Nov/2026:09:14:02 +0000] "GET /a HTTP/1.1" 200 5 - "curl"`, "nginx", "info", at, "source.domain=web-2 | !source.ip | user_agent.original=curl"},
		{
			`{":authority":"shop.example",":method":"GET","x-envoy-origin-path":"/a?b=1","user-agent":"curl","response_code":200,"response_flags":"-","start_time":"2026-11-03T09:14:02Z","x-forwarded-for":"203.0.113.9, 10.0.0.1","x-request-id":"r1"}`, "envoy-json", "info", at,
			"source.ip=203.0.113.9 | url.domain=shop.example | url.path=/a | http.request.id=r1 | cs-method=GET",
		},
	})
	if e := parseOne(t, sources.Info{}, example(t, "k8sevent")); e.LogSource != (event.LogSource{Product: "kubernetes", Category: "application", Service: "events"}) {
		t.Errorf("a Kubernetes event comes from %+v", e.LogSource)
	}
}
