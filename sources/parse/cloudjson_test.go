package parse

import (
	"testing"

	"bartizan/event"
	"bartizan/sources"
)

func TestGCPAudit(t *testing.T) {
	head := `{"insertId":"i1","logName":"projects/p/logs/cloudaudit.googleapis.com%2Factivity","timestamp":"2026-11-03T09:14:02Z","severity":"NOTICE","resource":{"type":"gcs_bucket","labels":{"project_id":"acme-prod","bucket_name":"invoices","location":"eu"}},"protoPayload":{"serviceName":"storage.googleapis.com","methodName":"storage.setIamPermissions",`
	runCases(t, sources.Info{}, []formatCase{
		{
			head + `"authenticationInfo":{"principalEmail":"amira@acme.example"},"requestMetadata":{"callerIp":"203.0.113.9"},"status":{},"serviceData":{"policyDelta":{"bindingDeltas":[{"action":"ADD","member":"allUsers"}]}}}}`,
			"gcpaudit", "notice", at, "user.name=amira@acme.example | source.ip=203.0.113.9 | event.action=storage.setIamPermissions | gcp.audit.method_name=storage.setIamPermissions | event.provider=storage.googleapis.com | cloud.account.id=acme-prod | bucket.name=invoices | cloud.region=eu | gcp.location=eu | event.outcome=success | !eventName | !service.account | protoPayload.serviceData.policyDelta.bindingDeltas.member=allUsers",
		},
		{
			head + `"authenticationInfo":{"principalEmail":"ci@acme-prod.iam.gserviceaccount.com"},"requestMetadata":{"callerIp":"private"},"status":{"code":7,"message":"PERMISSION_DENIED"}}}`,
			"gcpaudit", "warning", at, "service.account=ci@acme-prod.iam.gserviceaccount.com | !source.ip | event.outcome=failure | error.code=7 | error.message=PERMISSION_DENIED",
		},
		{
			`{"insertId":"i1","timestamp":"2026-11-03T09:14:02Z","protoPayload":{"serviceName":"admin.googleapis.com","methodName":"google.admin.AdminService.assignRole","metadata":{"event":[{"eventType":"DELEGATED_ADMIN_SETTINGS","eventName":"ASSIGN_ROLE"}]},"authenticationInfo":{"principalEmail":"amira@acme.example"}}}`,
			"gcpaudit", "info", at, "eventName=ASSIGN_ROLE | eventService=admin.googleapis.com | user.name=amira@acme.example",
		},
		{
			`{"insertId":"i1","timestamp":"2026-11-03T09:14:02Z","resource":{"labels":{"zone":"us-central1-a"}},"protoPayload":{"serviceName":"compute.googleapis.com","methodName":"beta.compute.instances.insert"}}`,
			"gcpaudit", "info", at, "gcp.location=us-central1 | cloud.region=us-central1-a",
		},
		{`{"timestamp":"2026-11-03T09:14:02Z","protoPayload":{"methodName":"x"}}`, "json", "", at, ""},
		{`{"insertId":5,"logName":null,"protoPayload":{"serviceName":[],"methodName":{"a":1},"status":{"code":"x"}}}`, "json", "", "", ""},
	})
	for service, want := range map[string]event.LogSource{"admin": logWorkspaceAdmin, "login": logWorkspaceLogin, "compute": logGCP} {
		e := parseOne(t, sources.Info{}, `{"insertId":"i","timestamp":"2026-11-03T09:14:02Z","protoPayload":{"serviceName":"`+service+`.googleapis.com","methodName":"m"}}`)
		if e.LogSource != want {
			t.Errorf("%s: %+v", service, e.LogSource)
		}
	}
}

func TestOkta(t *testing.T) {
	head := `{"uuid":"u1","published":"2026-11-03T09:14:02Z","severity":"WARN","displayMessage":"m","actor":{"id":"00u1","alternateId":"amira@acme.example"},"client":{"ipAddress":"203.0.113.9"},`
	runCases(t, sources.Info{}, []formatCase{
		{
			head + `"eventType":"group.user_membership.add","outcome":{"result":"SUCCESS"},"target":[{"id":"00u2","type":"User","alternateId":"bo@acme.example","displayName":"Bo"},{"id":"00g1","type":"UserGroup","alternateId":"unknown","displayName":"Admins","detailEntry":{"type":"x"}},{"id":"00u3","type":"User","alternateId":"cy@acme.example","displayName":"Cy"}]}`,
			"okta", "warning", at, "user.name=amira@acme.example | user.id=00u1 | source.ip=203.0.113.9 | event.action=group.user_membership.add | event.id=u1 | event.outcome=success | user.target.name=bo@acme.example | okta.target.user.id=00u3 | okta.target.user.name=Cy | okta.target.group.id=00g1 | okta.target.group.name=Admins | group.name=Admins",
		},
		{
			head + `"eventType":"application.user_membership.add","outcome":{"result":"DENY","reason":"policy"},"target":[{"displayName":"Payroll","alternateId":"Payroll (prod)","type":"AppInstance","id":"0oa1"}]}`,
			"okta", "warning", at, "event.outcome=failure | error.message=policy | service.name=Payroll | okta.target.app.alternateid=Payroll (prod) | !user.target.name",
		},
		{head + `"eventType":"user.session.start","outcome":{"result":"CHALLENGE"},"target":null}`, "okta", "warning", at, "!event.outcome"},
		{head + `"eventType":"user.session.start","target":[{"type":"User"},{"type":null},7,{"id":"x"}]}`, "okta", "warning", at, "!okta.target.user.id"},
		{
			`{"uuid":"u1","published":"2026-11-03T09:14:02Z","severity":"INFO","displaymessage":"m","eventtype":"user.session.start","securitycontext":{"isProxy":true},"actor":{"id":"00u1","alternateId":"amira@acme.example"}}`,
			"okta", "info", at, "eventType=user.session.start | displayMessage=m | securityContext.isProxy=true | event.action=user.session.start",
		},
		{`{"published":"2026-11-03T09:14:02Z","eventType":"x"}`, "json", "", at, ""},
	})
}

func TestGitHubWebhook(t *testing.T) {
	repo := `"repository":{"full_name":"acme/shop","private":false,"html_url":"https://github.com/acme/shop"},"organization":{"login":"acme"},"sender":{"login":"amira","id":7}`
	for _, c := range []struct{ payload, want string }{
		{`{"zen":"z","hook_id":1,"hook":{"id":1,"type":"Repository"},` + repo + `}`, "ping"},
		{`{"action":"deleted","hook_id":1,"hook":{"id":1},` + repo + `}`, "meta"},
		{`{"action":"requested","workflow_run":{"id":1,"updated_at":"2026-11-03T09:14:02Z"},"workflow":{"path":".github/workflows/ci.yml"},` + repo + `}`, "workflow_run"},
		{`{"action":"created","key":{"id":1,"read_only":true},` + repo + `}`, "deploy_key"},
		{`{"action":"added","member":{"login":"bo"},"changes":{"permission":{"to":"admin"}},` + repo + `}`, "member"},
		{`{"ref":"refs/heads/main","before":"0","after":"1","pusher":{"name":"amira"},"commits":[],` + repo + `}`, "push"},
		{`{"action":"publicized",` + repo + `}`, "repository"},
		{`{"action":"renamed","changes":{"repository":{"name":{"from":"x"}}},` + repo + `}`, "repository"},
		{`{` + repo + `}`, "public"},
		{`{"action":"created","release":{"id":1},` + repo + `}`, ""},
		{`{"action":"opened","issue":{"id":1},` + repo + `}`, ""},
		{`{"action":"created","webhook_type":"star",` + repo + `}`, "star"},
		{`{"action":"member_added","membership":{"role":"admin"},"organization":{"login":"acme"},"sender":{"login":"amira"}}`, ""},
	} {
		e := parseOne(t, sources.Info{}, c.payload)
		if e.FormatName != "github-webhook" || e.Text("webhook_type") != c.want || e.Text("user.name") != "amira" {
			t.Errorf("%s: format %s, type %q, user %q", c.payload, e.FormatName, e.Text("webhook_type"), e.Text("user.name"))
		}
	}
}
