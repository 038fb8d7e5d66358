package falco_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"bartizan/detect"
	"bartizan/detect/falco"
	"bartizan/event"
	"bartizan/query"
)

// ruleOf is a rule file with one rule of that source and condition.
func ruleOf(source, condition string) string {
	return fmt.Sprintf("- rule: one\n  desc: d\n  source: %s\n  priority: INFO\n  output: o\n  condition: >\n    %s\n", source, condition)
}

// holds loads a rule and says whether it hits the record, by the index and by
// trying the condition itself.
func holds(t *testing.T, source, format, condition, record string) bool {
	t.Helper()
	got := falco.Parse("r.yaml", []byte(ruleOf(source, condition)))
	if len(got.Rules) != 1 || got.Rules[0].Cond == nil {
		t.Fatalf("%s: not loaded: %v %v", condition, got.Refused, got.Warnings)
	}
	list := events(t, format, []byte(record))
	indexed := hits(got.Rules, list)["one"] > 0
	if naive := routed(got.Rules[0], list[0]) && query.Holds(got.Rules[0].Cond, list[0]); naive != indexed {
		t.Errorf("%s on %s: the index says %v, the condition itself %v", condition, record, indexed, naive)
	}
	return indexed
}

// routed reports whether the rule is asked of records like e at all.
func routed(r *detect.Rule, e *event.Event) bool {
	return (r.LogSource.Product == "" || r.LogSource.Product == e.LogSource.Product) && (r.LogSource.Service == "" || r.LogSource.Service == e.LogSource.Service)
}

func TestOperators(t *testing.T) {
	const rec = `{"a":"Alpha","b":"Alpha","low":"alpha","path":"/etc/ssh/sshd_config","n":300,"f":2.5,"t":true,"e":"","nul":null,"q":"say \"hi\" (x, y)","b64":"aGVsbG8=","o":{"p":"deep","k.d":"dot","s~/l":"odd"},"l":["x","y"],"bin":"\u0001\u0002z"}`
	for _, c := range []struct {
		cond string
		want bool
	}{
		{`A = Alpha`, true},
		{`A == Alpha`, true},
		{`A=Alpha`, true},
		{`A = alpha`, false},
		{`A = "Alpha"`, true},
		{`A = 'Alpha'`, true},
		{`A != Alpha`, false},
		{`A != alpha`, true},
		{`MISSING != x`, false},
		{`not MISSING = x`, true},
		{`NUL != x`, false},
		{`E = ""`, true},
		{`E exists`, true},
		{`NUL exists`, false},
		{`MISSING exists`, false},
		{`not MISSING exists`, true},
		{`E != ""`, false},
		{`N = 300`, true},
		{`N = 300.0`, true},
		{`N < 301`, true},
		{`N < 300`, false},
		{`N <= 300`, true},
		{`N > 299`, true},
		{`N >= 0x12c`, true},
		{`N > 1e3`, false},
		{`F > 2`, true},
		{`MISSING > 1`, false},
		{`T = true`, true},
		{`T = false`, false},
		{`A contains lph`, true},
		{`A contains LPH`, false},
		{`A icontains LPH`, true},
		{`A bcontains 6c7068`, true},
		{`A bcontains 6C5048`, false},
		{`BIN bstartswith 0102`, true},
		{`A contains ""`, true},
		{`MISSING contains ""`, false},
		{`A startswith Al`, true},
		{`A startswith al`, false},
		{`A endswith pha`, true},
		{`A endswith PHA`, false},
		{`PATH endswith "/sshd_config"`, true},
		{`A glob "A*a"`, true},
		{`A glob "a*a"`, false},
		{`A iglob "a*A"`, true},
		{`A glob Alph?`, true},
		{`A glob Al?`, false},
		{`A glob "[A-C]l*"`, true},
		{`A glob "[!A-C]l*"`, false},
		{`PATH glob "/etc/*_config"`, true},
		{`A glob "*lph*"`, true},
		{`A glob "Al*"`, true},
		{`A glob "*pha"`, true},
		{`A glob *`, true},
		{`A glob "Alpha"`, true},
		{`A glob "Alph\\a"`, true},
		{`A glob "A[[:lower:]]pha"`, true},
		{`A regex "A.*a"`, true},
		{`A regex "lph"`, false},
		{`A regex "[A-Z][a-z]+"`, true},
		{`A regex "Al|pha"`, false},
		{`PATH regex "/etc/\w+/.*"`, true},
		{`A in (Beta, Alpha)`, true},
		{`A in (Beta)`, false},
		{`A in ()`, false},
		{`A in ("Alpha")`, true},
		{`N in (1,300)`, true},
		{`not A in (Beta)`, true},
		{`MISSING in (x)`, false},
		{`Q in ('say "hi" (x, y)')`, true},
		{`A intersects (Beta, Alpha)`, true},
		{`A intersects (Beta)`, false},
		{`PATH pmatch (/var, /etc)`, true},
		{`PATH pmatch (/et)`, false},
		{`PATH pmatch (/etc/ssh/)`, true},
		{`PATH pmatch (/etc/*)`, true},
		{`PATH pmatch (/*/sshd_config)`, false},
		{`PATH pmatch ("/*/ssh")`, true},
		{`PATH pmatch (/)`, true},
		{`PATH pmatch (/etc/ssh/sshd_config)`, true},
		{`A pmatch (/)`, false},
		{`A startswith oneof (x, Al)`, true},
		{`A startswith anyof (x, y)`, false},
		{`A contains allof (lp, ha)`, true},
		{`A contains allof (lp, x)`, false},
		{`A != oneof (x, y)`, true},
		{`A != allof (x, Alpha)`, false},
		{`A = oneof`, false},
		{`tolower(A) = alpha`, true},
		{`tolower(A) = Alpha`, false},
		{`toupper(A) = ALPHA`, true},
		{`toupper(A) = alpha`, false},
		{`tolower(A) startswith al`, true},
		{`tolower(A) in (beta, alpha)`, true},
		{`tolower(A) regex "al[a-z]+"`, true},
		{`tolower(A) glob "al*"`, true},
		{`tolower(A) != alpha`, false},
		{`toupper(A) contains LPH`, true},
		{`tolower(A) icontains LPH`, true},
		{`basename(PATH) = sshd_config`, true},
		{`basename(PATH) = ssh`, false},
		{`basename(PATH) = "/sshd_config"`, false},
		{`basename(A) = Alpha`, true},
		{`basename(PATH) startswith sshd`, true},
		{`basename(PATH) contains hd_`, true},
		{`basename(PATH) contains etc`, false},
		{`basename(PATH) endswith config`, true},
		{`basename(PATH) glob "s*_c?nfig"`, true},
		{`basename(PATH) in (x, sshd_config)`, true},
		{`toupper(basename(PATH)) = SSHD_CONFIG`, true},
		{`basename(tolower(PATH)) = sshd_config`, true},
		{`b64(B64) = hello`, true},
		{`b64(B64) in (bye, hello)`, true},
		{`b64(B64) = Hello`, false},
		{`b64(B64) != bye`, true},
		{`len(A) = 5`, true},
		{`len(A) > 5`, false},
		{`len(A) >= 5`, true},
		{`len(A) < 6`, true},
		{`len(A) <= 4`, false},
		{`len(A) != 5`, false},
		{`len(E) = 0`, true},
		{`len(A) in (4,5)`, true},
		{`len(A) < 0`, false},
		{`A = val(B)`, true},
		{`A = val(LOW)`, false},
		{`A != val(LOW)`, true},
		{`tolower(A) = tolower(LOW)`, true},
		{`A = val(MISSING)`, false},
		{`A != val(MISSING)`, false},
		{`json.value[/o/p] = deep`, true},
		{`json.value[/o/k.d] = dot`, true},
		{`json.value["/o/p"] = deep`, true},
		{`json.value[/o/s~0~1l] = odd`, true},
		{`jevt.value[/o] exists`, true},
		{`L = x`, true},
		{`A = Alpha and (N = 1 or T = true)`, true},
		{`A = x or B = Alpha and T = false`, false},
		{`not(A = x)and not (B=x)`, true},
		{`not not A = Alpha`, true},
		{`(A=Alpha)or(A=x)`, true},
		{`evt.num > 0`, true},
		{`jevt.rawtime exists`, true},
		{`jevt.rawtime=0`, false},
		{`json.obj exists`, true},
		{`evt.source = json`, true},
		{`evt.source = syscall`, false},
		{`evt.type in (pluginevent)`, true},
		{`Q = "say \"hi\" (x, y)"`, true},
		{`A exists and B exists`, true},
	} {
		cond := c.cond
		for _, name := range []string{"A", "B", "LOW", "PATH", "NUL", "N", "F", "T", "E", "Q", "B64", "L", "BIN", "MISSING"} {
			cond = replaceWord(cond, name, "json.value[/"+strings.ToLower(name)+"]")
		}
		if got := holds(t, "json", "json", cond, rec); got != c.want {
			t.Errorf("%s is %v, want %v", c.cond, got, c.want)
		}
	}
}

// replaceWord replaces a name outside of quotes that stands alone.
func replaceWord(s, name, by string) string {
	var b strings.Builder
	quoted := byte(0)
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case quoted == 0 && (c == '"' || c == '\''):
			quoted = c
		case c == quoted:
			quoted = 0
		}
		edge := func(j int) bool {
			return j < 0 || j >= len(s) || !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789*?-[/", rune(s[j]))
		}
		if quoted == 0 && strings.HasPrefix(s[i:], name) && edge(i-1) && edge(i+len(name)) {
			b.WriteString(by)
			i += len(name)
			continue
		}
		b.WriteByte(c)
		i++
	}
	return b.String()
}

func TestSeveralValues(t *testing.T) {
	pod := func(images string) string {
		return `{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"1","verb":"create","user":{"username":"u","groups":["g1","g2"]},"objectRef":{"resource":"pods"},"requestObject":{"rules":[{"verbs":["get","list"]},{"verbs":[]}],"spec":{"containers":[` + images + `],"volumes":[{"hostPath":{"path":"/etc/x"}}]}}}`
	}
	one := `{"image":"reg.io/nginx:1.2","securityContext":{"privileged":true}}`
	two := one + `,{"image":"mysql@sha256:ab"}`
	const repo = "ka.req.pod.containers.image.repository"
	for _, c := range []struct {
		images, cond string
		want         bool
	}{
		{one, repo + ` in (reg.io/nginx)`, true},
		{one, repo + ` in (reg.io/nginx, mysql)`, true},
		{two, repo + ` in (reg.io/nginx)`, false},
		{two, repo + ` in (mysql, reg.io/nginx, x)`, true},
		{two, repo + ` in (reg.io/nginxx, reg.io/ngin, mysql)`, false},
		{two, repo + ` intersects (mysql)`, true},
		{two, repo + ` intersects (mysq)`, false},
		{``, repo + ` in (mysql)`, false},
		{``, `not ` + repo + ` in (mysql)`, true},
		{two, repo + ` in ()`, false},
		{two, repo + ` in ("mysql:1")`, false},
		{two, repo + ` exists`, true},
		{``, repo + ` exists`, false},
		{two, repo + ` startswith anyof (mys, z)`, true},
		{two, repo + ` endswith anyof (nginx)`, true},
		{two, repo + ` contains anyof ("1.2")`, false},
		{two, repo + ` glob anyof ("*/ng*")`, true},
		{two, `ka.req.pod.containers.image in (mysql@sha256:ab, reg.io/nginx:1.2)`, true},
		{two, `ka.req.pod.containers.image in (mysql)`, false},
		{one, `ka.req.pod.containers.privileged intersects (true)`, true},
		{one, `ka.req.container.privileged = true`, true},
		{`{"image":"x"}`, `ka.req.container.privileged = false`, true},
		{one, `ka.user.groups in (g1, g2, g3)`, true},
		{one, `ka.user.groups in (g1)`, false},
		{one, `ka.user.groups intersects (g2)`, true},
		{one, `ka.user.groups exists`, true},
		{one, `ka.req.role.rules.verbs in (get, list)`, true},
		{one, `ka.req.role.rules.verbs in (get)`, false},
		{one, `tolower(ka.user.groups) in (g1, g2)`, true},
		{two, `ka.req.container.image.repository = mysql`, true},
		{two, `not ka.req.container.image.repository = mysql`, true},
		{one, `not ka.req.container.image.repository = reg.io/nginx`, false},
		{two, `ka.req.container.image.repository != reg.io/nginx`, true},
		{one, `ka.req.container.image.repository != reg.io/nginx`, false},
		{one, `ka.req.volume.hostpath[/etc*] = true`, true},
		{one, `ka.req.volume.hostpath[/etc] = true`, false},
		{one, `ka.req.volume.hostpath[/etc] = false`, true},
		{one, `ka.req.pod.volumes.hostpath intersects (/etc/x)`, true},
		{one, `ka.uri exists`, false},
		{one, `ka.req.binding.subject.has_name[x] = true`, true},
	} {
		if got := holds(t, "k8s_audit", "k8saudit", c.cond, pod(c.images)); got != c.want {
			t.Errorf("%s on [%s] is %v, want %v", c.cond, c.images, got, c.want)
		}
	}
}

func TestSources(t *testing.T) {
	trail := func(id string) string {
		return `{"eventVersion":"1.08","eventName":"ConsoleLogin","eventSource":"signin.amazonaws.com","awsRegion":"eu-west-1","userIdentity":` + id + `,"readOnly":false}`
	}
	okta := `{"uuid":"1","published":"2024-01-01T00:00:00Z","eventType":"user.session.start","actor":{"id":"7","displayName":"Ann"},"outcome":{"result":"FAILURE"}}`
	gcp := `{"insertId":"1","protoPayload":{"serviceName":"storage.googleapis.com","methodName":"SetIamPolicy","serviceData":{"policyDelta":{"bindingDeltas":[{"action":"ADD","member":"allUsers"}]}}},"resource":{"type":"gcs_bucket"}}`
	hub := `{"webhook_type":"repository","action":"created","sender":{"login":"ann"},"repository":{"private":false,"full_name":"o/r"}}`
	for _, c := range []struct {
		source, format, record, cond string
		want                         bool
	}{
		{"aws_cloudtrail", "cloudtrail", trail(`{"type":"IAMUser","userName":"ann"}`), `ct.user = ann`, true},
		{"aws_cloudtrail", "cloudtrail", trail(`{"type":"AssumedRole","sessionContext":{"sessionIssuer":{"userName":"r"}}}`), `ct.user in (x, r)`, true},
		{"aws_cloudtrail", "cloudtrail", trail(`{"type":"AssumedRole"}`), `ct.user = AssumedRole`, true},
		{"aws_cloudtrail", "cloudtrail", trail(`{"type":"AWSService","invokedBy":"s"}`), `ct.user != s`, false},
		{"aws_cloudtrail", "cloudtrail", trail(`{"type":"Other"}`), `ct.user exists`, false},
		{"aws_cloudtrail", "cloudtrail", trail(`{}`), `ct.readonly = false and not ct.error exists`, true},
		{"aws_cloudtrail", "cloudtrail", trail(`{}`), `ct.readonly = true`, false},
		{"okta", "", okta, `okta.evt.type = "user.session.start" and okta.actor.name != Bob`, true},
		{"okta", "", okta, `okta.reason != x and okta.reason exists and okta.reason = ""`, true},
		{"okta", "", hub, `okta.reason != x`, false},
		{"gcp_auditlog", "", gcp, `gcp.policyDelta contains "ADD" and gcp.policyDelta contains "allUsers"`, true},
		{"gcp_auditlog", "", gcp, `gcp.methodName = "SetIamPolicy" and gcp.user = ""`, true},
		{"gcp_auditlog", "", okta, `gcp.user = ""`, false},
		{"gcp_auditlog", "", strings.Replace(gcp, `"gcs_bucket"`, `"x","labels":{"zone":"europe-west4-b"}`, 1), `gcp.location = europe-west4 and not gcp.storage.bucket exists`, true},
		{"okta", "", strings.Replace(okta, `"outcome"`, `"target":[{"type":"UserGroup","id":"g","displayName":"Admins"},{"type":"User","id":"u","alternateId":"bo@x","displayName":"Bo"}],"outcome"`, 1), `okta.target.user.name = Bo and okta.target.group.name = Admins and not okta.target.app.alternateid exists`, true},
		{"github", "", strings.Replace(hub, `"webhook_type":"repository",`, "", 1), `github.type=repository`, true},
		{"github", "", hub, `github.type=repository and github.repo.public=true and github.repo.name = o/r`, true},
		{"github", "", okta, `github.repo.public=true`, false},
	} {
		if got := holds(t, c.source, c.format, c.cond, c.record); got != c.want {
			t.Errorf("%s is %v, want %v", c.cond, got, c.want)
		}
	}
	counted := falco.Parse("r.yaml", []byte(ruleOf("okta", `okta.mfa.failure.countlast[300]>=3`)))
	if len(counted.Rules) != 1 || counted.Rules[0].Count != 3 || counted.Rules[0].Within != 5*time.Minute || counted.Rules[0].GroupBy[0] != "actor.id" {
		t.Errorf("a count over time is %+v %v", counted.Rules, counted.Refused)
	}
}

// TestLargeList asks a list that is long enough to be a set, with and without case.
func TestLargeList(t *testing.T) {
	var items []string
	for i := range 5000 {
		items = append(items, fmt.Sprintf("user-%d", i))
	}
	src := "- list: users\n  items: [" + strings.Join(items, ", ") + "]\n" + ruleOf("k8s_audit", "ka.user.name in (users)") +
		strings.Replace(ruleOf("k8s_audit", "tolower(ka.user.name) in (users)"), "one", "two", 1)
	got := falco.Parse("r.yaml", []byte(src))
	if len(got.Rules) != 2 {
		t.Fatal(got.Refused)
	}
	for name, want := range map[string]string{"user-4999": "map[one:1 two:1]", "User-7": "map[two:1]", "user-5000": "map[]"} {
		rec := `{"apiVersion":"audit.k8s.io/v1","auditID":"1","verb":"get","user":{"username":"` + name + `"}}`
		if h := fmt.Sprint(hits(got.Rules, events(t, "k8saudit", []byte(rec)))); h != want {
			t.Errorf("%s: %s, want %s", name, h, want)
		}
	}
	if again := falco.Parse("r.yaml", []byte(src)); again.Rules[0].Hash != got.Rules[0].Hash {
		t.Error("the same source gives another hash")
	}
	if other := falco.Parse("r.yaml", []byte(strings.Replace(src, "user-17,", "user-x,", 1))); other.Rules[0].Hash == got.Rules[0].Hash {
		t.Error("a changed list leaves the rule's hash as it was")
	}
}
