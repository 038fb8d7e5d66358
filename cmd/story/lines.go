package story

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"time"
)

// The shop that the story is about.
const (
	account  = "444455556666"
	webRole  = "shop-web"
	instance = "i-0c4f2a1b9d7e83056" // web-2
	web2     = "10.20.3.12"
	bucket   = "shop-invoices"
)

// writer collects the lines of a story. What is random is drawn when a line is
// added, never when it is written.
type writer struct {
	*rand.Rand
	lines []line
}

func (w *writer) add(at time.Duration, file string, text func(t time.Time) string) {
	w.lines = append(w.lines, line{at, file, text})
}

func pick[T any](w *writer, from ...T) T { return from[w.IntN(len(from))] }

func (w *writer) hex(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = "0123456789abcdef"[w.IntN(16)]
	}
	return string(b)
}

func (w *writer) uuid() string {
	h := w.hex(32)
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-a" + h[17:20] + "-" + h[20:]
}

func (w *writer) port() int { return 32768 + w.IntN(28000) }

// syslog is a line of auth.log on web-2, as rsyslog writes it today.
func (w *writer) syslog(at time.Duration, program string, pid int, message string) {
	w.add(at, Auth, func(t time.Time) string {
		return fmt.Sprintf("%s web-2 %s[%d]: %s", t.Format("2006-01-02T15:04:05.000000-07:00"), program, pid, message)
	})
}

const clf = "02/Jan/2006:15:04:05 -0700"

// request is one HTTP exchange, for either access log.
type request struct {
	from, method, path string
	status, size       int
	agent, referer     string
	authority, cluster string // Envoy only
}

func (w *writer) nginx(at time.Duration, r request) {
	w.add(at, Nginx, func(t time.Time) string {
		return fmt.Sprintf(`%s - - [%s] "%s %s HTTP/1.1" %d %d "%s" "%s"`,
			r.from, t.Format(clf), r.method, r.path, r.status, r.size, r.referer, r.agent)
	})
}

func (w *writer) envoy(at time.Duration, r request) {
	id, ms, up, down, back := w.uuid(), 2+w.IntN(60), w.port(), w.port(), "10.20.5."+fmt.Sprint(10+w.IntN(8))
	w.add(at, Envoy, func(t time.Time) string {
		return fmt.Sprintf(`[%s] "%s %s HTTP/1.1" %d - via_upstream - "-" 0 %d %d %d "%s" "%s" "%s" "%s" "%s:8080" %s %s:%d %s:8080 %s:%d - default`,
			t.Format("2006-01-02T15:04:05.000Z"), r.method, r.path, r.status, r.size, ms, ms, r.from, r.agent, id, r.authority, back,
			r.cluster, web2, up, web2, "10.20.0.4", down)
	})
}

// flow is one VPC flow record of the minute before it is written.
type flow struct {
	from, to         string
	fromPort, toPort int
	protocol         int
	packets, bytes   int
	action           string
}

func (w *writer) flow(at time.Duration, f flow) {
	w.add(at, VPCFlow, func(t time.Time) string {
		return fmt.Sprintf("2 %s eni-0a1b2c3d4e5f60718 %s %s %d %d %d %d %d %d %d %s OK", account, f.from, f.to,
			f.fromPort, f.toPort, f.protocol, f.packets, f.bytes, t.Unix()-60, t.Unix(), f.action)
	})
}

// object is one request to S3, for the access log.
type object struct {
	requester, from, operation, method, key string
	bucket                                  string
	status, size                            int
}

func (w *writer) s3(at time.Duration, o object) {
	id, host := w.hex(16), w.hex(32)
	w.add(at, S3, func(t time.Time) string {
		return fmt.Sprintf(`79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be %s [%s] %s %s %s %s %s "%s /%s HTTP/1.1" %d - %d %d 21 19 "-" "aws-sdk-go-v2/1.30" - %s SigV4 TLS_AES_128_GCM_SHA256 AuthHeader %s.s3.eu-west-1.amazonaws.com TLSv1.3 - -`,
			o.bucket, t.Format(clf), o.from, o.requester, id, o.operation, o.key, o.method, o.key, o.status, o.size, o.size, host, o.bucket)
	})
}

// call is one record of CloudTrail.
type call struct {
	service, name string
	who           map[string]any
	from, agent   string
	denied        bool
	request       any
	response      any
	extra         any
	data          bool // a data event
}

func (w *writer) trail(at time.Duration, c call) {
	record := map[string]any{
		"eventVersion": "1.09", "userIdentity": c.who, "eventSource": c.service + ".amazonaws.com", "eventName": c.name,
		"awsRegion": "eu-west-1", "sourceIPAddress": c.from, "userAgent": c.agent, "requestParameters": c.request,
		"responseElements": c.response, "requestID": w.uuid(), "eventID": w.uuid(), "eventType": "AwsApiCall",
		"managementEvent": !c.data, "recipientAccountId": account, "eventCategory": "Management",
	}
	if c.data {
		record["eventCategory"] = "Data"
	}
	if c.denied {
		record["errorCode"] = "AccessDenied"
		record["errorMessage"] = "the role may not do this"
	}
	if c.extra != nil {
		record["additionalEventData"] = c.extra
	}
	w.add(at, CloudTrail, func(t time.Time) string {
		stamped := maps.Clone(record)
		stamped["eventTime"] = t.Format(time.RFC3339)
		b, err := json.Marshal(stamped)
		if err != nil { // only strings, numbers and maps of them: it cannot fail
			return err.Error()
		}
		return string(b)
	})
}

// session is the identity of a role's session; an instance's sessions carry its
// id and say that the metadata service gave them out.
func session(role, name, key string) map[string]any {
	context := map[string]any{
		"sessionIssuer": map[string]any{"type": "Role", "principalId": "AROAEXAMPLE" + role, "arn": "arn:aws:iam::" + account + ":role/" + role, "accountId": account, "userName": role},
		"attributes":    map[string]any{"mfaAuthenticated": "false"},
	}
	if name == instance {
		context["ec2RoleDelivery"] = "1.0"
	}
	return map[string]any{
		"type": "AssumedRole", "principalId": "AROAEXAMPLE" + role + ":" + name, "arn": "arn:aws:sts::" + account + ":assumed-role/" + role + "/" + name,
		"accountId": account, "accessKeyId": key, "sessionContext": context,
	}
}
