package parse

import (
	"testing"

	"bartizan/sources"
)

// TestCloudShapes reads records as exports, log services and tables deliver them,
// and look-alikes from other programs.
func TestCloudShapes(t *testing.T) {
	for _, c := range []struct {
		what, line, format string
		want               map[string]string
	}{
		{
			"CloudTrail without version and region", `{"eventSource":"iam.amazonaws.com","eventName":"CreateUser","eventTime":"2026-03-04T10:15:32Z","requestParameters":{"userName":"x"}}`,
			"cloudtrail",
			map[string]string{"event.action": "CreateUser", "user.target.name": "x"},
		},
		{
			"CloudTrail with a category only", `{"eventSource":"s3.acme.example","eventName":"GetObject","eventCategory":"Data"}`,
			"cloudtrail",
			map[string]string{"event.action": "GetObject"},
		},
		{
			"CloudTrail as a table's columns", `{"eventname":"StopLogging","eventsource":"cloudtrail.amazonaws.com","eventtime":"2026-03-04T10:15:32Z","sourceipaddress":"203.0.113.9","useridentity":{"type":"IAMUser","username":"ivo"},"errorcode":"AccessDenied"}`,
			"cloudtrail",
			map[string]string{"eventName": "StopLogging", "eventSource": "cloudtrail.amazonaws.com", "userIdentity.userName": "ivo", "user.name": "ivo", "source.ip": "203.0.113.9", "event.outcome": "failure"},
		},
		{"an event of something else", `{"eventSource":"button","eventName":"click","page":"/"}`, "json", nil},
		{"lower-case names of something else", `{"eventsource":"button","eventname":"click"}`, "json", nil},
		{
			"an audit event without kind and version", `{"level":"Metadata","auditID":"0f3c","stage":"ResponseComplete","requestURI":"/api/v1/secrets","verb":"list","user":{"username":"ivo"},"objectRef":{"resource":"secrets"},"responseStatus":{"code":200}}`,
			"k8saudit",
			map[string]string{"event.action": "list", "user.name": "ivo", "orchestrator.resource.type": "secrets"},
		},
		{"an audit event cut down to its object", `{"kind":"Event","verb":"create","objectRef":{"resource":"pods","namespace":"shop"}}`, "k8saudit", map[string]string{"orchestrator.namespace": "shop"}},
		{"an audit event without object", `{"kind":"Event","verb":"get","user":{"username":"system:anonymous"},"sourceIPs":["203.0.113.9"],"responseStatus":{"code":403}}`, "k8saudit", map[string]string{"source.ip": "203.0.113.9", "event.outcome": "failure"}},
		{"an audit event without verb", `{"kind":"Event","apiVersion":"audit.k8s.io/v1","requestURI":"/healthz","user":{"username":"system:anonymous"}}`, "k8saudit", map[string]string{"url.path": "/healthz"}},
		{"a verb of something else", `{"verb":"get","user":{"username":"ivo"},"path":"/a"}`, "json", nil},
		{"an event of the cluster that is no audit", `{"kind":"Event","apiVersion":"v1","reason":"BackOff","involvedObject":{"kind":"Pod"}}`, "json", nil},
		{
			"GitHub by its API", `{"@timestamp":1772619332104,"action":"repo.destroy","actor":"ivo","actor_ip":"203.0.113.9","created_at":1772619332104,"org":"acme-web","repo":"acme-web/shop","user":"sami"}`,
			"github",
			map[string]string{"user.name": "ivo", "user.target.name": "sami", "event.action": "repo.destroy", "source.ip": "203.0.113.9", "event.outcome": "success"},
		},
		{"GitHub without organization", `{"actor":"ivo","action":"team.promote_maintainer","user":"sami"}`, "github", map[string]string{"user.target.name": "sami"}},
		{"an action without a category", `{"actor":"ivo","action":"opened","org":"acme-web","created_at":1772619332104}`, "json", nil},
		{"an action that is a sentence", `{"actor":"ivo","action":"Paid. Thanks.","org":"acme-web"}`, "json", nil},
		{"an action of another program", `{"actor":"ivo","action":"user.update","user":"sami"}`, "json", nil},
	} {
		e := parseOne(t, sources.Info{}, c.line)
		if e.FormatName != c.format {
			t.Errorf("%s is read as %s, want %s", c.what, e.FormatName, c.format)
		}
		for name, want := range c.want {
			if v := e.Text(name); v != want {
				t.Errorf("%s: %s is %q, want %q", c.what, name, v, want)
			}
		}
	}
}
