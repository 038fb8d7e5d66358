package session_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bartizan/detect/session"
	"bartizan/event"
)

// call is a CloudTrail record, so many seconds after three o'clock.
func call(t testing.TB, at int, name string, who map[string]any, more map[string]any) string {
	t.Helper()
	r := map[string]any{
		"eventVersion": "1.09", "eventSource": "sts.amazonaws.com", "eventName": name, "awsRegion": "eu-west-1", "sourceIPAddress": "203.0.113.9",
		"eventTime": begin.Add(time.Duration(at) * time.Second).Format(time.RFC3339), "userIdentity": who, "eventID": fmt.Sprint("id", at), "eventCategory": "Management",
	}
	for k, v := range more {
		r[k] = v
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func iamUser(name, account, key string) map[string]any {
	return map[string]any{"type": "IAMUser", "principalId": "AIDA" + name, "arn": "arn:aws:iam::" + account + ":user/" + name, "accountId": account, "accessKeyId": key, "userName": name}
}

func roleSession(role, name, account, key string) map[string]any {
	return map[string]any{
		"type": "AssumedRole", "principalId": "AROA" + role + ":" + name, "arn": "arn:aws:sts::" + account + ":assumed-role/" + role + "/" + name, "accountId": account, "accessKeyId": key,
		"sessionContext": map[string]any{"sessionIssuer": map[string]any{"type": "Role", "userName": role, "accountId": account, "arn": "arn:aws:iam::" + account + ":role/" + role}},
	}
}

// given is the answer of AssumeRole.
func given(role, name, account, key string) map[string]any {
	return map[string]any{
		"requestParameters": map[string]any{"roleArn": "arn:aws:iam::" + account + ":role/" + role, "roleSessionName": name},
		"responseElements": map[string]any{
			"credentials":     map[string]any{"accessKeyId": key, "expiration": "Mar 1, 2026, 4:00:00 AM"},
			"assumedRoleUser": map[string]any{"assumedRoleId": "AROA" + role + ":" + name, "arn": "arn:aws:sts::" + account + ":assumed-role/" + role + "/" + name},
		},
	}
}

func with(m map[string]any, more map[string]any) map[string]any {
	out := map[string]any{}
	for _, from := range []map[string]any{m, more} {
		for k, v := range from {
			out[k] = v
		}
	}
	return out
}

func TestWhoIsBehindARole(t *testing.T) {
	const a, b, c = "111122223333", "222233334444", "333344445555"
	toAdmin := call(t, 0, "AssumeRole", iamUser("alice", a, "AKIAEXAMPLEALICE0001"), given("Admin", "work", b, "ASIAEXAMPLEADMIN0001"))
	toAdminThere := call(t, 0, "AssumeRole", map[string]any{"type": "AWSAccount", "principalId": "AIDAalice", "accountId": a}, given("Admin", "work", b, "ASIAEXAMPLEADMIN0001"))
	toDeploy := call(t, 60, "AssumeRole", roleSession("Admin", "work", b, "ASIAEXAMPLEADMIN0001"), given("Deploy", "chain", c, "ASIAEXAMPLEDEPLOY001"))
	deploys := call(t, 120, "DeleteTrail", roleSession("Deploy", "chain", c, "ASIAEXAMPLEDEPLOY001"), nil)
	sourced := roleSession("Ops", "job", b, "ASIAEXAMPLEUNKNOWN01")
	sourced["sessionContext"] = with(sourced["sessionContext"].(map[string]any), map[string]any{"sourceIdentity": "dora"})
	instance := roleSession("web", "i-0c4f2a1b9d7e83056", a, "ASIAEXAMPLEINSTANCE1")
	instance["sessionContext"] = with(instance["sessionContext"].(map[string]any), map[string]any{"ec2RoleDelivery": "2.0"})
	erik := roleSession("AWSReservedSSO_Admin_0123456789abcdef", "erik@shop.example", a, "ASIAEXAMPLESSO000001")
	erik["sessionContext"].(map[string]any)["sessionIssuer"].(map[string]any)["arn"] = "arn:aws:iam::" + a + ":role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Admin_0123456789abcdef"
	for _, w := range []struct {
		name    string
		before  []string
		record  string
		words   string
		behind  string
		doubted bool
	}{
		{
			"two roles across three accounts",
			[]string{toAdmin, toDeploy},
			deploys,
			"alice (IAM user, 111122223333) -> role Admin (222233334444) -> role Deploy (333344445555)", "alice", false,
		},
		{
			"the account that was called said it first",
			[]string{toAdminThere, toAdmin, toDeploy},
			deploys,
			"alice (IAM user, 111122223333) -> role Admin (222233334444) -> role Deploy (333344445555)", "alice", false,
		},
		{
			"only the account that was called",
			[]string{toAdminThere, toDeploy},
			deploys,
			"somebody of account 111122223333 -> role Admin (222233334444) -> role Deploy (333344445555)", "", false,
		},
		{
			"a console session, which has no key",
			[]string{toAdmin},
			call(t, 70, "ListUsers", roleSession("Admin", "work", b, ""), nil),
			"alice (IAM user, 111122223333) -> role Admin (222233334444)", "alice", false,
		},
		{
			"two callers gave the same name",
			[]string{
				toAdmin,
				call(t, 5, "AssumeRole", iamUser("bob", a, "AKIAEXAMPLEBOB000001"), given("Admin", "work", b, "ASIAEXAMPLEADMIN0002")),
			},
			call(t, 70, "ListUsers", roleSession("Admin", "work", b, ""), nil),
			"bob (IAM user, 111122223333) -> role Admin (222233334444)", "bob", true,
		},
		{
			"by SAML",
			[]string{call(t, 0, "AssumeRoleWithSAML", map[string]any{"type": "SAMLUser", "principalId": "x:carla@shop.example", "userName": "carla@shop.example", "identityProvider": "x"}, given("Dev", "carla@shop.example", a, "ASIAEXAMPLESAML00001"))},
			call(t, 9, "RunInstances", roleSession("Dev", "carla@shop.example", a, "ASIAEXAMPLESAML00001"), nil),
			"carla@shop.example (SAML) -> role Dev (111122223333)", "carla@shop.example", false,
		},
		{
			"a service account of EKS",
			[]string{call(t, 0, "AssumeRoleWithWebIdentity", map[string]any{"type": "WebIdentityUser", "principalId": "oidc:sts:system:serviceaccount:shop:web", "userName": "system:serviceaccount:shop:web", "identityProvider": "oidc.eks.example"}, given("Web", "1772", a, "ASIAEXAMPLEIRSA00001"))},
			call(t, 9, "GetObject", roleSession("Web", "1772", a, "ASIAEXAMPLEIRSA00001"), nil),
			"system:serviceaccount:shop:web (web identity) -> role Web (111122223333)", "system:serviceaccount:shop:web", false,
		},
		{
			"Identity Center", nil, call(t, 9, "ListBuckets", erik, nil),
			"erik@shop.example with role AWSReservedSSO_Admin_0123456789abcdef (111122223333)", "erik@shop.example", false,
		},
		{"an instance is nobody", nil, call(t, 9, "ListBuckets", instance, nil), "instance i-0c4f2a1b9d7e83056 with role web (111122223333)", "", false},
		{"a source identity", nil, call(t, 9, "ListBuckets", sourced, nil), "role Ops (222233334444)", "dora", false},
		{
			"a switch in the console",
			[]string{call(t, 0, "SwitchRole", roleSession("Audit", "alice", b, ""), map[string]any{"additionalEventData": map[string]any{"SwitchFrom": "arn:aws:iam::" + a + ":user/alice"}})},
			call(t, 9, "ListBuckets", roleSession("Audit", "alice", b, "ASIAEXAMPLECONSOLE01"), nil),
			"alice (IAM user, 111122223333) -> role Audit (222233334444)", "alice", false,
		},
		{"a service", []string{call(t, 0, "AssumeRole", map[string]any{"type": "AWSService", "invokedBy": "lambda.amazonaws.com"}, given("Fn", "fn", a, "ASIAEXAMPLELAMBDA001"))}, call(t, 9, "GetItem", roleSession("Fn", "fn", a, "ASIAEXAMPLELAMBDA001"), nil), "", "", false},
		{"nothing is known", nil, call(t, 9, "ListBuckets", roleSession("Ops", "job", b, "ASIAEXAMPLEUNKNOWN01"), nil), "", "", false},
		{"a refused call gave nothing", []string{call(t, 0, "AssumeRole", iamUser("mallory", a, "AKIAEXAMPLEMALLORY01"), with(given("Ops", "job", b, "ASIAEXAMPLEUNKNOWN01"), map[string]any{"errorCode": "AccessDenied"}))}, call(t, 9, "ListBuckets", roleSession("Ops", "job", b, "ASIAEXAMPLEUNKNOWN01"), nil), "", "", false},
		{"a user's own call", []string{toAdmin}, call(t, 9, "ListBuckets", iamUser("alice", a, "AKIAEXAMPLEALICE0001"), nil), "", "", false},
	} {
		t.Run(w.name, func(t *testing.T) {
			x := session.New(session.Options{})
			for _, e := range parsed(t, w.before...) {
				x.Take(e)
			}
			e := parsed(t, w.record)[0]
			var j session.Join
			if list := x.Joins(e); len(list) > 0 {
				j = list[0]
			}
			if j.Words != w.words || j.Behind != w.behind || (j.Doubt != "") != w.doubted {
				t.Errorf("it is %q, behind it %q, doubt %q\nwant %q, %q", j.Words, j.Behind, j.Doubt, w.words, w.behind)
			}
			x.Annotate(e, nil)
			if e.Text(event.FieldBehind) != w.behind {
				t.Errorf("the field says %q", e.Text(event.FieldBehind))
			}
		})
	}
}

// TestRolesInACircle has two roles that gave each other their sessions.
func TestRolesInACircle(t *testing.T) {
	x := session.New(session.Options{})
	for _, e := range parsed(t,
		call(t, 0, "AssumeRole", roleSession("B", "s", "1", "ASIAB"), given("A", "s", "1", "ASIAA")),
		call(t, 0, "AssumeRole", roleSession("A", "s", "1", "ASIAA"), given("B", "s", "1", "ASIAB"))) {
		x.Take(e)
	}
	list := x.Joins(parsed(t, call(t, 9, "ListBuckets", roleSession("A", "s", "1", "ASIAA"), nil))[0])
	if len(list) != 1 || strings.Count(list[0].Words, "->") != 2 || list[0].Behind != "" {
		t.Errorf("a circle is %+v", list)
	}
}

func TestDelegationInTheRecord(t *testing.T) {
	line := `{"protoPayload":{"@type":"type.googleapis.com/google.cloud.audit.AuditLog","methodName":"storage.buckets.delete","serviceName":"storage.googleapis.com","authenticationInfo":{"principalEmail":"ops@shop.iam.gserviceaccount.com","serviceAccountDelegationInfo":[{"firstPartyPrincipal":{"principalEmail":"jane@shop.example"}},{"firstPartyPrincipal":{"principalEmail":"ci@shop.iam.gserviceaccount.com"}}]}},"logName":"projects/shop/logs/cloudaudit.googleapis.com%2Factivity","timestamp":"2026-03-01T03:00:00Z","insertId":"x1"}`
	e := parsed(t, line)[0]
	x := session.New(session.Options{})
	list := x.Joins(e)
	if len(list) != 1 || list[0].Behind != "jane@shop.example" || list[0].Words != "jane@shop.example -> ci@shop.iam.gserviceaccount.com -> ops@shop.iam.gserviceaccount.com" {
		t.Errorf("the delegation is %+v", list)
	}
}

func TestManagedIdentity(t *testing.T) {
	line := `{"time":"2026-03-01T03:00:00Z","resourceId":"/SUBSCRIPTIONS/S/RESOURCEGROUPS/RG","operationName":"MICROSOFT.COMPUTE/VIRTUALMACHINES/DELETE","category":"Administrative","resultType":"Success","callerIpAddress":"203.0.113.9","identity":{"claims":{"appid":"11111111-2222","xms_mirid":"/subscriptions/s/resourcegroups/rg/providers/Microsoft.Compute/virtualMachines/build-7"}},"level":"Information"}`
	e := parsed(t, line)[0]
	list := session.New(session.Options{}).Joins(e)
	if len(list) != 1 || list[0].Words != "managed identity of virtualMachines build-7" || list[0].Behind != "" {
		t.Errorf("%s: %+v", e.FormatName, list)
	}
}

// TestCorpusOfHosts reads what real hosts logged: every record with a number of a
// session is joined, and nothing is joined to two without saying so.
func TestCorpusOfHosts(t *testing.T) {
	dir := os.Getenv("BARTIZAN_CORPUS")
	if dir == "" {
		t.Skip("BARTIZAN_CORPUS is not set")
	}
	var files []string
	for _, glob := range []string{"beats-oss-modules/auditd/log/test/*.log", "beats-oss-modules/system/auth/test/*.log", "falco-alerts/falco_*"} {
		found, err := filepath.Glob(filepath.Join(dir, glob))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		events := parsed(t, strings.Split(strings.TrimSpace(string(text)), "\n")...)
		x := session.New(session.Options{Host: "h"})
		for _, e := range events {
			x.Take(e)
		}
		joined, numbered := 0, 0
		for _, e := range events {
			list := x.Joins(e)
			if len(list) > 0 {
				joined++
			}
			if len(list) > 1 && list[0].Doubt == "" {
				t.Errorf("%s: %.100q is joined to %d without doubt", filepath.Base(file), e.Raw, len(list))
			}
			if ses := e.Text("ses"); e.FormatName == "auditd" && ses != "" && ses != "4294967295" && ses != "0" {
				if numbered++; len(list) == 0 {
					t.Errorf("%s: %.100q has a number and is joined to nothing", filepath.Base(file), e.Raw)
				}
			}
		}
		t.Logf("%s: %d records, %d joined, %d with a number; %+v", filepath.Base(file), len(events), joined, numbered, x.Stats())
	}
}

// TestCorpusOfRoles follows the role sessions of real attacks.
func TestCorpusOfRoles(t *testing.T) {
	dir := os.Getenv("BARTIZAN_CORPUS")
	if dir == "" {
		t.Skip("BARTIZAN_CORPUS is not set")
	}
	text, err := os.ReadFile(filepath.Join(dir, "stratus-cloudtrail", "cloudtrail_attacks.public.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, l := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		var wrapped struct{ Event json.RawMessage }
		if err := json.Unmarshal([]byte(l), &wrapped); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(wrapped.Event))
	}
	events := parsed(t, lines...)
	x := session.New(session.Options{})
	for _, e := range events {
		x.Take(e)
	}
	roles, known, named := 0, 0, 0
	for _, e := range events {
		if e.Text("userIdentity.type") != "AssumedRole" {
			continue
		}
		roles++
		if list := x.Joins(e); len(list) > 0 {
			known++
			if list[0].Behind != "" {
				named++
			}
		}
	}
	t.Logf("%d records, %d by role sessions: of %d the beginning is known, of %d somebody is named; %+v", len(events), roles, known, named, x.Stats())
	if roles > 0 && known == 0 {
		t.Error("no role session is known")
	}
}
