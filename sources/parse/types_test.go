package parse

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"bartizan/event"
	"bartizan/sources"
)

// typedCase says for one format which native fields of its example are numbers, truths
// and whole objects or lists; everything else is text. Where the example is the line of
// the columns, more has the record after it.
type typedCase struct{ format, more, numbers, bools, wholes string }

var typedCases = []typedCase{
	{format: "syslog", numbers: "pid"},
	{format: "sshd", numbers: "pid src_port", bools: "invalid_user"},
	{format: "sudo"},
	{format: "su", numbers: "pid"},
	{format: "pam", numbers: "pid uid euid"},
	{format: "cron", numbers: "pid"},
	{format: "accounts", numbers: "pid uid gid"},
	{format: "systemd", numbers: "pid"},
	{format: "cloudtrail", bools: "readOnly", wholes: "userIdentity requestParameters"},
	{format: "k8saudit", numbers: "responseStatus.code", wholes: "user user.groups sourceIPs objectRef responseStatus annotations"},
	{format: "falco", wholes: "output_fields tags"},
	{format: "falco-text"},
	{format: "journald"}, // its values are text on purpose
	{format: "docker"},
	{format: "cri"},
	{format: "kubectl"},
	{format: "nginx", numbers: "status body_bytes_sent"},
	{format: "apache", numbers: "status body_bytes_sent"},
	{format: "nginx-error", numbers: "pid tid connection_id"},
	{format: "apache-error", numbers: "pid tid client_port"},
	{format: "haproxy", numbers: "remote_port status body_bytes_sent"},
	{format: "aws-alb", numbers: "request_processing_time target_processing_time response_processing_time elb_status_code target_status_code received_bytes sent_bytes matched_rule_priority"},
	{format: "caddy", numbers: "ts bytes_read duration size status", wholes: "request request.headers request.headers.User-Agent resp_headers resp_headers.Server"},
	{format: "traefik", numbers: "DownstreamContentSize DownstreamStatus Duration"},
	{format: "envoy", numbers: "response_code bytes_received bytes_sent duration upstream_service_time"},
	{format: "envoy-json", numbers: "response_code bytes_received bytes_sent duration"},
	{format: "github", numbers: "@timestamp actor_id created_at org_id repo_id", wholes: "actor_location"},
	{format: "github-webhook", numbers: "key.id repository.id sender.id", bools: "key.read_only repository.private", wholes: "key repository repository.owner organization sender"},
	{format: "gcpaudit", bools: "protoPayload.authorizationInfo.granted", wholes: "protoPayload protoPayload.status protoPayload.authenticationInfo protoPayload.requestMetadata protoPayload.authorizationInfo resource resource.labels"},
	{format: "okta", wholes: "actor client client.userAgent client.geographicalContext authenticationContext outcome target"},
	{format: "s3access", numbers: "http_status bytes_sent object_size total_time turn_around_time"},
	{format: "vpcflow", numbers: "version srcport dstport protocol packets bytes start end"}, // an account's number is a name
	{format: "auditd", numbers: "serial argc"},
	{
		format: "windows-evtx", numbers: "Event.System.EventID Event.System.Version Event.System.Level Event.System.Task Event.System.Opcode Event.System.EventRecordID Event.EventData.ProcessId Event.EventData.ParentProcessId",
		wholes: "Event Event.#attributes Event.System Event.System.Provider Event.System.Provider.#attributes Event.System.TimeCreated Event.System.TimeCreated.#attributes Event.EventData",
	},
	{format: "winlogbeat", numbers: "winlog.record_id", wholes: "event log winlog winlog.keywords winlog.event_data"},
	{format: "windows-flat", numbers: "Keywords EventID RecordNumber"},
	{format: "cisco", numbers: "sequence severity"},
	{format: "zeek", more: "1793697242.250000\tCq1\t203.0.113.9\t40022\t10.20.1.7\t53\tudp\ta.shop.example", numbers: "ts id.orig_p id.resp_p"},
	{format: "w3c", more: "2026-11-03 09:14:02 10.20.1.7 GET /item/7 ref=mail 443 - 203.0.113.9 curl/8.8.0 200 12", numbers: "s-port sc-status time-taken"},
	{format: "csv", more: "2026-11-03T09:14:02Z,amira,203.0.113.9,login,7", numbers: "result"},
	{format: "entra-signin", numbers: "Level properties.status.errorCode", wholes: "properties properties.status properties.deviceDetail properties.location"},
	{format: "entra-audit", numbers: "Level", wholes: "properties properties.initiatedBy properties.initiatedBy.user properties.targetResources.modifiedProperties properties.targetResources properties.additionalDetails"},
	{format: "entra-pim"},
	{format: "entra-risk", wholes: "properties"},
	{format: "azure-activity", wholes: "identity identity.authorization identity.authorization.evidence identity.claims properties"},
	{format: "azure-resource", numbers: "properties.httpStatusCode", wholes: "identity identity.claim properties"},
	{format: "nsgflow", numbers: "properties.Version", wholes: "properties properties.flows.flows.flowTuples properties.flows.flows properties.flows"},
	{format: "vnetflow", numbers: "flowLogVersion", wholes: "flowRecords flowRecords.flows.flowGroups.flowTuples flowRecords.flows.flowGroups flowRecords.flows"},
	{format: "m365", numbers: "RecordType UserType Version", wholes: "ExtendedProperties"},
	{format: "workspace", wholes: "id actor events.parameters events"},
	{format: "gcpflow", numbers: "jsonPayload.connection.src_port jsonPayload.connection.dest_port jsonPayload.connection.protocol", wholes: "jsonPayload jsonPayload.connection jsonPayload.src_instance resource resource.labels"},
	{format: "route53", wholes: "answers srcids"},
	{
		format: "cloudtrail-insight", numbers: "insightDetails.insightContext.statistics.baseline.average insightDetails.insightContext.statistics.insight.average",
		wholes: "insightDetails insightDetails.insightContext insightDetails.insightContext.statistics insightDetails.insightContext.statistics.baseline insightDetails.insightContext.statistics.insight",
	},
	{format: "cloudtrail-digest", wholes: "logFiles"},
	{format: "eventbridge", wholes: "resources detail"},
	{
		format: "guardduty", numbers: "service.count severity", bools: "service.archived",
		wholes: "resource resource.accessKeyDetails service service.action service.action.awsApiCallAction service.action.awsApiCallAction.remoteIpDetails service.action.awsApiCallAction.remoteIpDetails.country",
	},
	{format: "securityhub", numbers: "Severity.Normalized", wholes: "Types Severity Resources Compliance"},
	{format: "aws-waf", numbers: "timestamp formatVersion", wholes: "httpRequest httpRequest.headers"},
	{format: "cloudwatch", numbers: "timestamp"},
	{format: "lambda"},
	{format: "lambda-text"},
	{format: "aws-elb", numbers: "request_processing_time backend_processing_time response_processing_time elb_status_code backend_status_code received_bytes sent_bytes"},
	{format: "aws-nlb", numbers: "connection_time tls_handshake_time received_bytes sent_bytes"},
	{format: "cloudfront", numbers: "sc-bytes sc-status cs-bytes time-taken c-port time-to-first-byte sc-content-len"},
	{format: "bitbucket", numbers: "timestamp.epochSecond timestamp.nano", wholes: "affectedObjects auditType author changedValues extraAttributes timestamp"},
	{format: "onelogin", numbers: "id event_type_id account_id actor_user_id user_id"},
	{format: "duo", numbers: "timestamp", wholes: "access_device application auth_device user user.groups"},
	{format: "suricata", numbers: "flow_id src_port dest_port alert.gid alert.signature_id alert.rev alert.severity flow.pkts_toserver flow.pkts_toclient flow.bytes_toserver flow.bytes_toclient", wholes: "alert flow"},
	{format: "zeek-json", numbers: "ts id.orig_p id.resp_p trans_id qclass qtype rcode TTLs", bools: "AA rejected", wholes: "answers TTLs"},
	{format: "osquery", numbers: "unixTime epoch counter", wholes: "decorations columns"},
	{
		format: "tetragon", numbers: "process_exec.process.pid process_exec.process.uid process_exec.process.auid process_exec.process.pod.container.pid process_exec.parent.pid process_exec.parent.uid",
		wholes: "process_exec process_exec.process process_exec.process.pod process_exec.process.pod.container process_exec.process.pod.container.image process_exec.parent",
	},
	{format: "trivy", numbers: "SchemaVersion", wholes: "Results.Vulnerabilities Results"},
	{format: "grype", wholes: "matches.vulnerability matches.vulnerability.fix matches.vulnerability.fix.versions matches.artifact matches source source.target descriptor"},
	{format: "gelf", numbers: "timestamp level"},
	{format: "cef", numbers: "cefVersion deviceVersion deviceEventClassId severity rt spt dpt"},
	{format: "leef", numbers: "devTime sev srcPort dstPort"},
	{format: "netfilter", numbers: "uptime LEN TTL ID SPT DPT WINDOW URGP"},
	{format: "sysmon-linux", numbers: "EventID Level Task Opcode EventRecordID Execution_ProcessID Security_UserID ProcessId ParentProcessId"},
	{format: "nginx-ingress", numbers: "status body_bytes_sent request_length request_time upstream_response_length upstream_response_time upstream_status"},
	{format: "postgresql", numbers: "pid"},
	{format: "postgresql-csv", numbers: "pid line_num txid query_id remote_port"},
	{format: "postgresql-json", numbers: "pid remote_port line_num query_id"},
	{format: "mysql", numbers: "thread_id"},
	{format: "mysql-slow", numbers: "thread_id"},
	{format: "redis", numbers: "pid"},
	{format: "mongodb", numbers: "id", wholes: "t attr"},
	{format: "mongodb-text"},
	{format: "klog", numbers: "threadid line"},
	{format: "istiod"},
	{format: "k8sevent", numbers: "count", wholes: "metadata involvedObject source"},
	{format: "logfmt", more: "time=2026-11-03T09:14:02Z level=warn tries=7 took=0.25 forced=true user=amira", numbers: "tries"}, // it has no types; text that is a number compares as one
	{format: "json", numbers: "ts"},
	{format: "text"},
	{format: "raw"},
}

// TestValueTypes holds the kinds of all native values of every format's example.
func TestValueTypes(t *testing.T) {
	for _, f := range testRegistry().Formats() {
		i := slices.IndexFunc(typedCases, func(c typedCase) bool { return c.format == f.Name })
		if i < 0 {
			t.Errorf("%s is not in the table of types", f.Name)
			continue
		}
		c := typedCases[i]
		lines := [][]byte{[]byte(f.Example)}
		if c.more != "" {
			lines = append(lines, []byte(c.more))
		}
		parseLines(t, sources.Info{Format: f.Name}, lines, func(k int, e *event.Event) {
			if k == len(lines)-1 {
				c.check(t, e)
			}
			checkECSTypes(t, e)
		})
	}
}

func (c *typedCase) check(t *testing.T, e *event.Event) {
	t.Helper()
	have := map[event.Kind][]string{}
	for _, f := range e.Fields[:e.Native] {
		if k := f.Value.Kind; !slices.Contains(have[k], f.Name) {
			have[k] = append(have[k], f.Name)
		}
	}
	for kind, want := range map[event.Kind]string{event.KindNumber: c.numbers, event.KindBool: c.bools, event.KindObject: c.wholes} {
		if got := strings.Join(have[kind], " "); got != want {
			t.Errorf("%s: of kind %d are\n%q, want\n%q", c.format, kind, got, want)
		}
	}
}

// checkECSTypes holds that second names mean the same kind of value in every format:
// counts are numbers, addresses are addresses, outcomes are one of three words.
func checkECSTypes(t *testing.T, e *event.Event) {
	t.Helper()
	for _, f := range e.Fields[e.Native:] {
		v := f.Value
		isNumber := slices.ContainsFunc(numbers[:], func(n name) bool { return n.text == f.Name })
		switch {
		case isNumber && v.Kind != event.KindNumber:
			t.Errorf("%s: %s is %q, no number", e.FormatName, f.Name, v.Str)
		case (f.Name == "source.ip" || f.Name == "destination.ip") && !isAddr(v.Str):
			t.Errorf("%s: %s is %q, no address", e.FormatName, f.Name, v.Str)
		case f.Name == "event.outcome" && v.Str != "success" && v.Str != "failure" && v.Str != "unknown":
			t.Errorf("%s: the outcome is %q", e.FormatName, v.Str)
		}
	}
}

// TestListsStayLists holds that every element of a list is a value under the list's
// name, the list itself stays whole, and second names that take lists repeat.
func TestListsStayLists(t *testing.T) {
	const head = `{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"a1","verb":"get","stage":"ResponseComplete","requestURI":"/x","requestReceivedTimestamp":"2026-11-03T09:14:02Z",`
	for _, c := range []struct{ line, name, want string }{
		{`{"ts":1793697242,"ports":[22,443,8080]}`, "ports", "22 443 8080 [22,443,8080]"},
		{`{"ts":1793697242,"on":[true,false]}`, "on", "true false [true,false]"},
		{`{"ts":1793697242,"a":[{"b":1},{"b":"x"}]}`, "a.b", "1 x"},
		{head + `"user":{"username":"amira","groups":["g1","g2","g3"]}}`, "user.roles", "g1 g2 g3"},
	} {
		parseLines(t, sources.Info{}, [][]byte{[]byte(c.line)}, func(_ int, e *event.Event) {
			var got []string
			for _, f := range e.Fields {
				if f.Name == c.name {
					got = append(got, f.Value.Str)
				}
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("%s is %q, want %q in %s", c.name, got, c.want, c.line)
			}
		})
	}
}

// TestTextNumbersUnderSecondNames holds that what a record writes as text counts as a
// number under the second name, stays text under its own, and is written as such.
func TestTextNumbersUnderSecondNames(t *testing.T) {
	line := `{"time":"2026-11-03T09:14:02Z","msg":"x","src_ip":"203.0.113.9","src_port":"40022","pid":"0812"}`
	parseLines(t, sources.Info{}, [][]byte{[]byte(line)}, func(_ int, e *event.Event) {
		own, _ := e.Get("src_port")
		second, ok := e.Get("source.port")
		if own.Kind != event.KindString || !ok || second.Kind != event.KindNumber || second.Num != 40022 {
			t.Errorf("src_port is %+v, source.port %+v", own, second)
		}
		if pid, ok := e.Get("process.pid"); ok && (pid.Kind != event.KindNumber || pid.Num != 812) {
			t.Errorf("process.pid is %+v", pid)
		}
		if out := AppendJSON(nil, e, JSONOptions{}); !bytes.Contains(out, []byte(`"source.port":40022`)) {
			t.Errorf("written as %s", out)
		}
	})
}
