package parse

import (
	"encoding/json"
	"testing"

	"bartizan/event"
	"bartizan/sources"
)

func TestLoadBalancers(t *testing.T) {
	runCases(t, sources.Info{}, []formatCase{
		{
			`2026-11-03T09:14:02.000000Z shop-lb 203.0.113.9:40022 10.20.1.7:80 0.000073 0.001048 0.000057 404 404 12 2750 "GET http://shop.example:80/item/7?id=1 HTTP/1.1" "curl/8.8.0 \"x\"" - -`,
			"aws-elb", "warning", at, "source.ip=203.0.113.9 | source.port=40022 | destination.ip=10.20.1.7 | url.path=/item/7 | url.query=id=1 | http.response.status_code=404 | sc-status=404 | cs-method=GET | c-ip=203.0.113.9 | event.outcome=failure | http.request.bytes=12 | backend_status_code=404",
		},
		{
			`2026-11-03T09:14:02Z shop-lb 203.0.113.9:40022 - 0.001069 -1 -1 - - 82 305 "- - - " "-" - -`,
			"aws-elb", "info", at, "source.ip=203.0.113.9 | !destination.ip | !http.request.method",
		},
		{
			`tls 2.0 2026-11-03T09:14:02 net/lb/c6e7 g3d4 [2001:db8::9]:51341 10.20.1.7:443 5 2 98 246 - arn:aws:acm:eu-west-1:111122223333:certificate/2a10 - ECDHE-RSA-AES128-SHA tlsv12 - shop.example - - - 2026-11-03T09:13:57`,
			"aws-nlb", "info", at, "source.ip=2001:db8::9 | destination.ip=10.20.1.7 | destination.port=443 | url.domain=shop.example | event.outcome=success | network.transport=tcp | http.response.bytes=246",
		},
		{
			`tls 1.0 2026-11-03T09:14:02 net/lb/c6e7 g3d4 203.0.113.9:51341 10.20.1.7:443 5 - 98 0 70 arn:x - - - - shop.example`,
			"aws-nlb", "notice", at, "incoming_tls_alert=70 | error.code=70 | event.outcome=failure",
		},
		{`tls 2.0 yesterday net/lb/c6e7`, "raw", "", "", ""},
		{`2026-11-03T09:14:02Z shop-lb nobody:1 - - "x" "y"`, "text", "", at, ""},
	})
}

func TestCloudFront(t *testing.T) {
	line := "2026-11-03\t09:14:02\tARN52-C1\t703\t203.0.113.9\tGET\td1.cloudfront.net\t/item\t503\t-\tcurl/8.8.0\tid=1\t-\tError\tx9==\tshop.example\thttps\t62\t0.1\t-\tTLSv1.3\tAES\tError\tHTTP/2.0"
	runCases(t, sources.Info{}, []formatCase{
		{line, "cloudfront", "error", at, "source.ip=203.0.113.9 | http.response.status_code=503 | cs-uri-stem=/item | cs-uri-query=id=1 | user_agent.original=curl/8.8.0 | cs-user-agent=curl/8.8.0 | url.domain=d1.cloudfront.net | event.outcome=failure | http.request.id=x9=="},
		{line[:70], "raw", "", "", ""},
	})
	if e := parseOne(t, sources.Info{}, line); e.LogSource != logCloudFront {
		t.Errorf("%+v", e.LogSource)
	}
}

func TestLambda(t *testing.T) {
	const id = "8f507cfc-1111-4697-b07a-ac58fc914c95"
	runCases(t, sources.Info{}, []formatCase{
		{"START RequestId: " + id + " Version: $LATEST\n", "lambda-text", "info", "", "event=start | version=$LATEST | http.request.id=" + id},
		{"END RequestId: " + id, "lambda-text", "info", "", "event=end"},
		{"REPORT RequestId: " + id + "\tDuration: 3.21 ms\tBilled Duration: 4 ms\tMemory Size: 128 MB\tMax Memory Used: 35 MB\tInit Duration: 100.99 ms\t\nXRAY TraceId: 1-5e3\tSegmentId: 5\tSampled: true\t", "lambda-text", "info", "", "event=report | durationMs=3.21 | billedDurationMs=4 | memorySizeMB=128 | maxMemoryUsedMB=35 | initDurationMs=100.99 | event.outcome=success"},
		{"REPORT RequestId: " + id + "\tDuration: 3000.00 ms\tStatus: timeout", "lambda-text", "error", "", "status=timeout | event.outcome=failure"},
		{"RequestId: " + id + " Error: Runtime exited with error: exit status 1", "lambda-text", "error", "", "errorMessage=Runtime exited with error: exit status 1 | event.outcome=failure"},
		{"INIT_START Runtime Version: python:3.13.v1\tRuntime Version ARN: arn:x", "lambda-text", "info", "", "event=init"},
		{"2026-11-03T09:14:02.000Z\t" + id + "\tWARN\tslow\tquery", "lambda-text", "warning", at, "message=slow\tquery | level=WARN | requestId=" + id},
		{"[ERROR]\t2026-11-03T09:14:02.000Z\t" + id + "\tboom", "lambda-text", "error", at, "message=boom | level=ERROR"},
		{"2026-11-03T09:14:02.000Z " + id + " Task timed out after 3.00 seconds", "lambda-text", "error", at, "event=timeout | event.outcome=failure"},
		{"START RequestId: nobody", "raw", "", "", ""},
		{`{"timestamp":"2026-11-03T09:14:02Z","level":"WARN","message":"slow","requestId":"` + id + `"}`, "lambda", "warning", at, "http.request.id=" + id},
		{`{"time":"2026-11-03T09:14:02Z","type":"platform.report","record":{"requestId":"` + id + `","status":"error","errorType":"Runtime.ExitError"}}`, "lambda", "error", at, "event.outcome=failure | event.action=platform.report"},
		{`{"timestamp":"2026-11-03T09:14:02Z","level":"WARN","message":"slow","requestId":"7"}`, "json", "warning", at, ""},
	})
}

func TestCloudWatch(t *testing.T) {
	head := `{"id":"37655409418437364710123456789012345678901234567890123456","timestamp":1793697242000,"message":`
	runCases(t, sources.Info{}, []formatCase{
		{head + `"2 111122223333 eni-0a 203.0.113.9 10.20.1.7 40022 22 6 20 4249 1793697180 1793697242 REJECT OK"}`, "vpcflow", "notice", "2026-11-03T09:14:02Z", "source.ip=203.0.113.9 | event.outcome=failure"},
		{head + `"START RequestId: 8f507cfc-1111-4697-b07a-ac58fc914c95 Version: 1\n"}`, "lambda-text", "info", at, "event=start"},
		{head + `"nothing known"}`, "cloudwatch", "", at, ""},
		{`{"id":"7","timestamp":1793697242000,"message":"x"}`, "json", "", at, ""},
	})
}

func TestRoute53(t *testing.T) {
	runCases(t, sources.Info{}, []formatCase{
		{
			`{"version":"1.1","account_id":"111122223333","region":"eu-west-1","vpc_id":"vpc-1","query_timestamp":"2026-11-03T09:14:02Z","query_name":"c2.example.","query_type":"TXT","rcode":"NOERROR","answers":[{"Rdata":"a","Type":"TXT"},{"Rdata":"b","Type":"TXT"}],"srcaddr":"10.20.1.7","srcport":"51022","transport":"UDP"}`,
			"route53", "info", at, "dns.question.name=c2.example | query=c2.example | record_type=TXT | answer=a | answer=b | source.ip=10.20.1.7 | source.port=51022 | network.transport=udp | event.outcome=success | cloud.account.id=111122223333 | cloud.region=eu-west-1",
		},
		{
			`{"vpc_id":"v","query_timestamp":"2026-11-03T09:14:02Z","query_name":".","query_type":"NS","rcode":"SERVFAIL","srcaddr":"x","firewall_rule_action":"BLOCK"}`,
			"route53", "warning", at, "event.outcome=failure | dns.question.name=. | event.action=BLOCK | !source.ip",
		},
		{`{"query_name":"a","query_type":"A"}`, "json", "", "", ""},
	})
}

func TestFindingsAWS(t *testing.T) {
	finding := `{"schemaVersion":"2.0","accountId":"111122223333","region":"eu-west-1","id":"b2","type":"Recon:IAMUser/X","service":{"serviceName":"guardduty","detectorId":"d","action":{"actionType":"AWS_API_CALL","awsApiCallAction":{"api":"ListBuckets","remoteIpDetails":{"ipAddressV4":"203.0.113.9"}}},"eventLastSeen":"2026-11-03T09:14:02Z"},"resource":{"accessKeyDetails":{"userName":"web","accessKeyId":"ASIAEXAMPLE"}},"severity":9.1,"title":"T"}`
	asff := `{"ProductArn":"arn:p","GeneratorId":"s3.8","AwsAccountId":"111122223333","UpdatedAt":"2026-11-03T09:14:02Z","Severity":{"Label":"LOW"},"Title":"T","Resources":[{"Id":"arn:b","Type":"AwsS3Bucket"}]}`
	bridge := `{"version":"0","id":"e1","detail-type":"D","source":"aws.x","account":"111122223333","time":"2026-11-03T09:14:02Z","region":"eu-west-1","resources":[],"detail":`
	found := "rule.name=Recon:IAMUser/X | user.name=web | source.ip=203.0.113.9 | cloud.account.id=111122223333 | cloud.access_key=ASIAEXAMPLE | event.action=ListBuckets"
	runCases(t, sources.Info{}, []formatCase{
		{finding, "guardduty", "critical", at, found},
		{bridge + finding + "}", "guardduty", "critical", at, found + " | detail-type=D | detail.severity=9.1"},
		{asff, "securityhub", "notice", at, "rule.name=s3.8 | orchestrator.resource.name=arn:b | cloud.account.id=111122223333"},
		{bridge + `{"findings":[` + asff + `,{"x":1}]}}`, "securityhub", "notice", at, "rule.name=s3.8"},
		{bridge + `{"findings":[]}}`, "json", "", "", "detail-type=D"},
		{bridge + `{"eventVersion":"1.09","eventName":"StopLogging","eventSource":"cloudtrail.amazonaws.com","eventTime":"2026-11-03T09:14:01Z","awsRegion":"eu-west-1"}}`, "cloudtrail", "info", "2026-11-03T09:14:01Z", "eventName=StopLogging | event.provider=cloudtrail.amazonaws.com"},
		{bridge + `{"state":"terminated"}}`, "eventbridge", "info", at, "event.action=D | event.provider=aws.x | cloud.region=eu-west-1 | detail.state=terminated"},
		{`{"type":"x","severity":1,"service":{"serviceName":"other"}}`, "json", "", "", ""},
	})
}

func TestAWSWAF(t *testing.T) {
	runCases(t, sources.Info{}, []formatCase{
		{
			`{"timestamp":1793697242000,"webaclId":"arn:w","terminatingRuleId":"SQLi","action":"BLOCK","httpRequest":{"clientIp":"203.0.113.9","headers":[{"name":"host","value":"shop.example"},{"value":"sqlmap/1.8","name":"user-agent"}],"uri":"/item","args":"id=1'","httpMethod":"GET","requestId":"r1"}}`,
			"aws-waf", "warning", at, "source.ip=203.0.113.9 | rule.name=SQLi | event.action=BLOCK | event.outcome=failure | user_agent.original=sqlmap/1.8 | cs-user-agent=sqlmap/1.8 | url.domain=shop.example | c-uri=/item?id=1' | cs-uri-query=id=1' | http.request.id=r1",
		},
		{`{"timestamp":1793697242000,"webaclId":"arn:w","terminatingRuleId":"Default_Action","action":"ALLOW","httpRequest":{"clientIp":"203.0.113.9","uri":"/","args":"","headers":null}}`, "aws-waf", "info", at, "c-uri=/ | event.outcome=success | !user_agent.original"},
		{`{"timestamp":1,"webaclId":"x"}`, "json", "", "", ""},
	})
}

func TestCloudTrailMore(t *testing.T) {
	runCases(t, sources.Info{}, []formatCase{
		{
			`{"eventVersion":"1.09","eventTime":"2026-11-03T09:14:02Z","awsRegion":"eu-west-1","eventID":"7","eventType":"AwsCloudTrailInsight","recipientAccountId":"111122223333","insightDetails":{"state":"Start","eventSource":"iam.amazonaws.com","eventName":"CreateUser","insightType":"ApiErrorRateInsight","errorCode":"AccessDenied"},"eventCategory":"Insight"}`,
			"cloudtrail-insight", "notice", at, "event.action=CreateUser | rule.name=ApiErrorRateInsight | cloud.account.id=111122223333 | error.code=AccessDenied | !eventName",
		},
		{
			`{"awsAccountId":"111122223333","digestStartTime":"2026-11-03T08:14:02Z","digestEndTime":"2026-11-03T09:14:02Z","digestS3Bucket":"b","digestS3Object":"o","previousDigestSignature":null,"logFiles":[]}`,
			"cloudtrail-digest", "info", at, "bucket.name=b | cloud.account.id=111122223333",
		},
	})
}

func TestGCPFlow(t *testing.T) {
	runCases(t, sources.Info{}, []formatCase{
		{
			`{"insertId":"1","jsonPayload":{"connection":{"src_ip":"10.20.1.7","src_port":51022,"dest_ip":"198.51.100.4","dest_port":443,"protocol":17},"bytes_sent":"5210","end_time":"2026-11-03T09:14:02Z"},"resource":{"labels":{"project_id":"p"}},"timestamp":"2026-11-03T09:14:09Z"}`,
			"gcpflow", "info", at, "source.ip=10.20.1.7 | destination.ip=198.51.100.4 | destination.port=443 | network.transport=udp | network.bytes=5210 | cloud.account.id=p",
		},
	})
	e := parseOne(t, sources.Info{}, `{"insertId":"1","logName":"projects/p/logs/cloudaudit.googleapis.com%2Factivity","timestamp":"2026-11-03T09:14:02Z","resource":{"type":"k8s_cluster"},"protoPayload":{"serviceName":"admin.googleapis.com","methodName":"m","authorizationInfo":[{"permission":"a","granted":true},{"permission":"b"}],"metadata":{"event":[{"eventName":"X","parameter":[{"name":"NEW_VALUE","value":"false"}]}]}}}`)
	for _, want := range []string{
		"data.protoPayload.authorizationInfo.permission=b", "data.protoPayload.authorizationInfo.granted=true", "data.protoPayload.methodName=m",
		"data.protoPayload.logName=cloudaudit.googleapis.com%2Factivity", "data.protoPayload.resource.type=k8s_cluster", "new_value=false", "protoPayload.Servicename=admin.googleapis.com",
	} {
		checkField(t, e, want)
	}
}

func TestRentedServices(t *testing.T) {
	runCases(t, sources.Info{}, []formatCase{
		{
			`{"affectedObjects":[{"name":"shop"}],"auditType":{"action":"User login failed","category":"Authentication"},"author":{"id":"2","name":"amira"},"source":"203.0.113.9,10.0.0.1","timestamp":{"epochSecond":1793697242,"nano":0}}`,
			"bitbucket", "warning", at, "user.name=amira | source.ip=203.0.113.9 | event.action=User login failed | event.outcome=failure | orchestrator.resource.name=shop",
		},
		{
			`{"event_type_id":6,"event_timestamp":"2026-11-03T09:14:02Z","actor_user_name":"amira","user_name":"bo","ipaddr":"203.0.113.9","account_id":4}`,
			"onelogin", "warning", at, "user.name=amira | user.target.name=bo | source.ip=203.0.113.9 | event.outcome=failure",
		},
		{
			`{"access_device":{"ip":"203.0.113.9"},"application":{"name":"VPN"},"event_type":"authentication","factor":"duo_push","reason":"user_marked_fraud","result":"fraud","timestamp":1793697242,"user":{"name":"amira"}}`,
			"duo", "error", at, "user.name=amira | source.ip=203.0.113.9 | event.outcome=failure | error.message=user_marked_fraud | service.name=VPN",
		},
		{`{"action":"bypass_create","isotimestamp":"2026-11-03T09:14:02+00:00","object":"bo","username":"amira"}`, "duo", "info", at, "user.name=amira | user.target.name=bo | event.action=bypass_create"},
		{`{"event_type":"authentication","result":"x"}`, "json", "", "", ""},
	})
	for line, want := range map[string]event.LogSource{
		`{"event_type_id":6,"user_name":"bo"}`:                              logOneLogin,
		`{"auditType":{"action":"a","category":"c"},"author":{"name":"n"}}`: logBitbucket,
	} {
		if e := parseOne(t, sources.Info{}, line); e.LogSource != want {
			t.Errorf("%s: %+v", line, e.LogSource)
		}
	}
}

// TestHalfObject holds that a line which only begins as an object, and is read as
// something else, is written as JSON all the same.
func TestHalfObject(t *testing.T) {
	s := testRegistry().Stream(sources.Info{Format: "w3c"})
	var slab Slab
	var e event.Event
	for _, line := range []string{"#Fields: date time s-ip", "{\"a\x01\": 1 }"} {
		s.Parse(&sources.Record{Raw: []byte(line), Seen: seen}, &slab, &e)
	}
	if out := AppendJSON(nil, &e, JSONOptions{Raw: true}); e.FormatName != "w3c" || !json.Valid(out) {
		t.Errorf("%s is written as %s", e.FormatName, out)
	}
}
