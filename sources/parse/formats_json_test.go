package parse

import (
	"testing"

	"bartizan/sources"
)

func TestCloudTrail(t *testing.T) {
	head := `{"eventVersion":"1.09","eventTime":"2026-11-03T09:14:02Z","eventSource":"iam.amazonaws.com","eventName":"CreateUser","awsRegion":"us-east-1",`
	runCases(t, sources.Info{}, []formatCase{
		{
			head + `"userIdentity":{"type":"IAMUser","principalId":"AIDA1","userName":"amira","accessKeyId":"AKIA1"},"sourceIPAddress":"203.0.113.9","requestParameters":{"userName":"support2"},"recipientAccountId":"012345678901"}`,
			"cloudtrail", "info", at, "userIdentity.userName=amira | user.name=amira | user.target.name=support2 | source.ip=203.0.113.9 | cloud.access_key=AKIA1 | cloud.account.id=012345678901 | event.action=CreateUser | event.provider=iam.amazonaws.com | event.outcome=success | cloud.region=us-east-1",
		},
		{
			head + `"userIdentity":{"type":"AssumedRole","principalId":"AROA1:i-0a","arn":"arn:aws:sts::1:assumed-role/web/i-0a","sessionContext":{"sessionIssuer":{"userName":"web"}}},"sourceIPAddress":"ec2.amazonaws.com","errorCode":"AccessDenied"}`,
			"cloudtrail", "warning", at, "user.name=web | user.roles=web | session.id=AROA1:i-0a | !source.ip | source.domain=ec2.amazonaws.com | event.outcome=failure | error.code=AccessDenied",
		},
		{head + `"userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::1:assumed-role/web/i-0a"}}`, "cloudtrail", "info", at, "user.name=web | session.id=i-0a"},
		{head + `"userIdentity":{"type":"Root","arn":"arn:aws:iam::1:root"}}`, "cloudtrail", "info", at, "user.name=root"},
		{head + `"userIdentity":{"type":"AWSService","invokedBy":"config.amazonaws.com"}}`, "cloudtrail", "info", at, "user.name=config.amazonaws.com"},
		{head + `"userIdentity":{"type":"IAMUser","userName":"amira"},"responseElements":{"ConsoleLogin":"Failure"}}`, "cloudtrail", "warning", at, "event.outcome=failure"},
		{
			head + `"resources":[{"ARN":"arn:a","type":"x"},{"ARN":"arn:b"}],"requestParameters":{"bucketName":"acme"}}`, "cloudtrail", "info", at,
			`resources.ARN=arn:a | resources.ARN=arn:b | bucket.name=acme | resources=[{"ARN":"arn:a","type":"x"},{"ARN":"arn:b"}]`,
		},
	})
}

func TestKubernetesAudit(t *testing.T) {
	head := `{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"a1","verb":"get","stage":"ResponseComplete","requestURI":"/api/v1/secrets?limit=5","requestReceivedTimestamp":"2026-11-03T09:14:02.000001Z",`
	const when = "2026-11-03T09:14:02.000001Z"
	runCases(t, sources.Info{}, []formatCase{
		{
			head + `"user":{"username":"system:serviceaccount:ci:deployer","groups":["g1","g2"]},"sourceIPs":["10.0.0.9","203.0.113.9"],"objectRef":{"resource":"secrets","namespace":"shop","name":"db"},"responseStatus":{"code":200}}`,
			"k8saudit", "info", when, "user.name=system:serviceaccount:ci:deployer | service.account=ci:deployer | user.roles=g1 | user.roles=g2 | source.ip=10.0.0.9 | orchestrator.namespace=shop | orchestrator.resource.name=db | orchestrator.resource.type=secrets | url.path=/api/v1/secrets | url.query=limit=5 | event.action=get | event.outcome=success",
		},
		{head + `"user":{"username":"system:anonymous"},"responseStatus":{"code":403}}`, "k8saudit", "warning", when, "event.outcome=failure | http.response.status_code=403"},
		{head + `"user":{"username":"amira"},"responseStatus":{"code":504},"impersonatedUser":{"username":"root"}}`, "k8saudit", "error", when, "user.effective.name=root"},
	})
}

func TestFalco(t *testing.T) {
	runCases(t, sources.Info{}, []formatCase{
		{
			`{"output":"09:14:02.000000001: Notice Unexpected connection (command=curl)","priority":"Notice","rule":"Contact metadata","time":"2026-11-03T09:14:02.000000001Z","output_fields":{"container.id":"4f2a","k8s.pod.name":"web-0","k8s.ns.name":"shop","proc.cmdline":"curl x","fd.name":"/etc/shadow","user.name":null}}`,
			"falco", "notice", "2026-11-03T09:14:02.000000001Z", "rule.name=Contact metadata | container.id=4f2a | orchestrator.resource.name=web-0 | orchestrator.namespace=shop | process.command_line=curl x | proc.cmdline=curl x | file.path=/etc/shadow | !user.name",
		},
		{`{"priority":"Critical","rule":"R","source":"k8s_audit","time":"2026-11-03T09:14:02Z"}`, "falco", "critical", at, "rule.name=R"},
		{"09:14:02.123456789: Warning Shell in container (user=amira k8s_ns=shop command=sh -c id container_id=4f2a)\n", "falco", "warning", "", "user=amira | command=sh -c id | container.id=4f2a | orchestrator.namespace=shop"},
	})
	runCases(t, sources.Info{}, []formatCase{
		{
			"2026-11-03T09:14:02.5+0000: Error Odd (evt_type=open user=root user_uid=0 command=env a=b sh x=y container_id=host container_image=<NA>)", "falco", "error", "2026-11-03T09:14:02.5Z",
			"evt_type=open | user=root | user_uid=0 | command=env a=b sh x=y | !container.id | process.command_line=env a=b sh x=y",
		},
	})
	runCases(t, sources.Info{}, falcoCalls)
	runCases(t, sources.Info{Live: true}, []formatCase{
		{"09:14:02.5: Warning live means today (user=x)", "falco", "warning", "2026-11-04T09:14:02.5Z", "user=x"},
		{"23:59:02.5: Warning or yesterday (user=x)", "falco", "warning", "2026-11-03T23:59:02.5Z", "user=x"},
	})
}

func TestJournald(t *testing.T) {
	head := `{"__REALTIME_TIMESTAMP":"1793697242000001","_HOSTNAME":"web-1","_PID":"77","PRIORITY":"6","SYSLOG_IDENTIFIER":`
	const when = "2026-11-03T09:14:02.000001Z"
	runCases(t, sources.Info{}, []formatCase{
		{
			head + `"sshd","MESSAGE":"Failed password for root from 203.0.113.9 port 40022 ssh2"}`, "sshd", "warning", when,
			"event=failed_password | user.name=root | source.ip=203.0.113.9 | host.name=web-1 | process.name=sshd | process.pid=77",
		},
		{head + `"sudo","MESSAGE":"amira : TTY=pts/1 ; PWD=/ ; USER=root ; COMMAND=/bin/echo \"hi\""}`, "sudo", "info", when, `command=/bin/echo "hi"`},
		{head + `"x","MESSAGE":[104,105,255,33]}`, "journald", "info", when, "message=hi\xff!"},
		{`{"__REALTIME_TIMESTAMP":"1793697242000001","_COMM":"kernel","PRIORITY":"2","MESSAGE":"out of memory"}`, "journald", "critical", when, "MESSAGE=out of memory | process.name=kernel"},
		{head + `"x","MESSAGE":null}`, "journald", "info", when, ""},
	})
}

func TestWrapped(t *testing.T) {
	runCases(t, sources.Info{}, []formatCase{
		{"2026-11-03T09:14:02.1Z stderr F 203.0.113.9 - - [03/Nov/2026:09:14:01 +0000] \"GET / HTTP/1.1\" 503 1 \"-\" \"-\"", "nginx", "error", "2026-11-03T09:14:02.1Z", "stream=stderr | status=503 | source.ip=203.0.113.9"},
		{`2026-11-03T09:14:02.1Z stdout F {"level":"warn","msg":"x","user":{"name":"amira"}}`, "json", "warning", "2026-11-03T09:14:02.1Z", "msg=x | user.name=amira"},
		{"2026-11-03T09:14:02.1Z stdout P half a li", "cri", "", "2026-11-03T09:14:02.1Z", "logtag=P"},
		{`{"log":"level=error msg=\"no route\" ip=203.0.113.9\n","stream":"stdout","time":"2026-11-03T09:14:02Z"}`, "logfmt", "error", at, "msg=no route | source.ip=203.0.113.9"},
		{`{"log":"plain words\n","stream":"stdout","time":"2026-11-03T09:14:02Z"}`, "docker", "", at, "stream=stdout"},
		{`{"log":"{\"log\":\"{\\\"log\\\":1,\\\"stream\\\":2,\\\"time\\\":3}\\n\",\"stream\":\"a\",\"time\":\"b\"}\n","stream":"stdout","time":"2026-11-03T09:14:02Z"}`, "json", "", at, ""},
		{`{"log":"{\"level\":\"error\",\"msg\":\"deep\"}\n","stream":"stdout","time":"2026-11-03T09:14:02Z"}`, "json", "error", at, "msg=deep"},
	})
}

func TestGenericJSON(t *testing.T) {
	runCases(t, sources.Info{}, []formatCase{
		{`{"@timestamp":"2026-11-03T09:14:02Z","log.level":"WARN","message":"m","user.name":"amira","source.ip":"203.0.113.9"}`, "json", "warning", at, "user.name=amira"},
		{`{"time":1793697242,"severity":"ERR","msg":"m"}`, "json", "error", at, ""},
		{`{"t":1793697242000,"level":30,"msg":"pino"}`, "json", "info", at, ""},
		{`{"ts":1793697242000001,"lvl":"dbg"}`, "json", "debug", "2026-11-03T09:14:02.000001Z", ""},
		{`{"ts":1793697242000000001}`, "json", "", "2026-11-03T09:14:02.000000001Z", ""},
		{`{"timestamp":"1793697242.25","client_ip":"not an address","ip":"203.0.113.9"}`, "json", "", "2026-11-03T09:14:02.25Z", "source.ip=203.0.113.9"},
		{`{"a":{"b":[1,{"c":null},[true]],"d.e":"x"},"q\"k":"v\u00e9\n"}`, "json", "", "", `a.b=1 | a.b.c= | a.b=true | a.d.e=x | q"k=vé` + "\n" + ` | a.b=[1,{"c":null},[true]]`},
		{` { } `, "json", "", "", ""},
		{`{"start_time":"2026-11-03T09:14:02Z","method":"GET","path":"/x?y=1","response_code":404,"response_flags":"-","downstream_remote_address":"[2001:db8::1]:99","upstream_host":null}`, "envoy-json", "warning", at, "source.ip=2001:db8::1 | source.port=99 | cs-uri-query=y=1 | cs-uri-query=/x?y=1 | cs-uri-stem=/x | sc-status=404"},
		{`{"broken":1`, "raw", "", "", ""},
		{`{"time":"2026-11-03T09:14:02Z","a":01}`, "raw", "", "", ""},
	})
}
