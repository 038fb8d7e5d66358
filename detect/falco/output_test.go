package falco_test

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bartizan/detect"
	"bartizan/detect/falco"
	"bartizan/event"
	"bartizan/query"
)

func TestRender(t *testing.T) {
	k8s := events(t, "k8saudit", []byte(`{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"1","verb":"create","requestReceivedTimestamp":"2024-05-06T07:08:09.123456Z","user":{"username":"Ann","groups":["a","b"]},"requestURI":"/api/x","requestObject":{"spec":{"containers":[{"image":"r/nginx:1"},{"image":"db"}],"volumes":[{"name":"v"}]}}}`))[0]
	trail := events(t, "cloudtrail", []byte(`{"eventVersion":"1","eventName":"Run","eventSource":"ec2.amazonaws.com","awsRegion":"eu","userIdentity":{"type":"AssumedRole"}}`))[0]
	alert := &event.Event{Fields: []event.Field{{Name: "proc.cmdline", Value: event.Value{Str: "cat x"}}, {Name: "proc.aname[2]", Value: event.Value{Str: "bash"}}}}
	for _, c := range []struct {
		e        *event.Event
		in, want string
	}{
		{k8s, "user=%ka.user.name verb=%ka.verb ns=%ka.target.namespace", "user=Ann verb=create ns=<NA>"},
		{k8s, "*%toupper(ka.user.name)/%tolower(ka.user.name) %basename(ka.uri).", "ANN/ann x."},
		{k8s, "%ka.user.groups %ka.req.pod.containers.image %ka.req.pod.containers.image.repository", "(a,b) (r/nginx:1,db) (r/nginx,db)"},
		{k8s, "%jevt.value[/requestObject/spec/containers/1/image] %jevt.value[/requestObject/spec/volumes] %jevt.value[/no/9]", `db [{"name":"v"}] <NA>`},
		{k8s, "100% sure, 5%% off, %len(ka.verb) %10ka.verb %", "100% sure, 5% off, 6 create %"},
		{k8s, "%evt.time %jevt.time.iso8601", "07:08:09.123456000 2024-05-06T07:08:09.123456000+0000"},
		{k8s, "%not_a_field x", "%not_a_field x"},
		{trail, "%ct.user in %ct.region %b64(ct.region) %ct.error", "AssumedRole in eu <NA> <NA>"},
		{alert, "%proc.cmdline by %proc.aname[2] %proc.name", "cat x by bash <NA>"},
		{alert, "", ""},
	} {
		if got := falco.Render(c.in, c.e); got != c.want {
			t.Errorf("%s is %q, want %q", c.in, got, c.want)
		}
	}
	if got := falco.Render(strings.Repeat("%ka.verb ", 100_000), k8s); len(got) > falco.MaxOutput {
		t.Errorf("an output of %d bytes", len(got))
	}
}

func TestExplainer(t *testing.T) {
	src := strings.Replace(ruleOf("syscall", "evt.type=open"), "output: o", `output: "File opened below a dir (user=%user.name)"`, 1) +
		strings.Replace(ruleOf("syscall", "evt.type=open"), "rule: one", "rule: two", 1) +
		strings.Replace(ruleOf("syscall", "evt.type=open"), "rule: one", "rule: three", 1)
	find := falco.Explainer(append(parse1(src).Rules, &detect.Rule{ID: "x", Title: "x"}))
	for name, want := range map[string]string{"one": "one", "falco:one": "one", "File opened below a dir": "one", "two": "two", "o": "", "x": "", "": ""} {
		got := ""
		if r := find(name); r != nil {
			got = r.Title
		}
		if got != want {
			t.Errorf("%q is explained by %q, want %q", name, got, want)
		}
	}
}

// TestAlertsFindTheirRules joins the alerts quoted in Falco's documents with the
// official rules.
func TestAlertsFindTheirRules(t *testing.T) {
	root := corpus(t, "")
	find := falco.Explainer(falco.LoadDir(filepath.Join(root, "falco-rules")).Rules)
	files, err := filepath.Glob(filepath.Join(root, "falco-alerts", "*"))
	if err != nil {
		t.Fatal(err)
	}
	alerts, joined := 0, 0
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		for _, e := range events(t, "", src) {
			r, _, ok := falco.Intake(e)
			if !ok {
				continue
			}
			alerts++
			if find(r.Title) != nil {
				joined++
			}
		}
	}
	if alerts < 40 || joined < 20 {
		t.Errorf("%d of %d alerts found their rule", joined, alerts)
	}
	t.Logf("%d of %d alerts found their rule", joined, alerts)
}

// TestIndexAgainstConditions tries the official rules on recorded events of their
// sources, by the index and one by one.
func TestIndexAgainstConditions(t *testing.T) {
	root := corpus(t, "")
	rules := falco.LoadDir(filepath.Join(root, "falco-rules/plugins-repo")).Rules
	f, err := os.Open(filepath.Join(root, "panther-tests/inline_tests.public.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	m := detect.NewSet(rules).NewMatcher()
	asked, found := 0, map[string]int{}
	in := bufio.NewScanner(f)
	in.Buffer(nil, 4<<20)
	for in.Scan() {
		var c struct{ Event json.RawMessage }
		if json.Unmarshal(in.Bytes(), &c) != nil || len(c.Event) == 0 || c.Event[0] != '{' {
			continue
		}
		e := events(t, "", c.Event)[0]
		got := map[string]bool{}
		for _, r := range m.Match(e, nil) {
			got[r.ID] = true
			found[r.Title]++
		}
		for _, r := range rules {
			if r.Cond == nil {
				continue
			}
			asked++
			if (routed(r, e) && query.Holds(r.Cond, e)) != got[r.ID] {
				t.Errorf("%s on %s: the index says %v", r.Title, e.Raw, got[r.ID])
			}
		}
	}
	if asked < 50_000 || len(found) < 20 {
		t.Errorf("%d questions, hits of %d rules: %v", asked, len(found), found)
	}
	t.Logf("%d questions; hits %v", asked, found)
}

// FuzzCondition tries conditions of each source on one record, by the index and
// by themselves.
func FuzzCondition(f *testing.F) {
	for _, c := range []string{
		`ka.verb in (a, get) and not ka.user.groups in (a, b)`, `ka.user.name glob "[a-z]*" or tolower(ka.verb) regex "g.t"`,
		`jevt.value[/user/username] startswith oneof (u, v)`, `ka.req.container.image != x`, `len(ka.verb) <= 3`, `ct.user != x`, `basename(ka.uri) contains y`,
		`okta.mfa.deny.countlast[5] >= 2`, `ka.uri pmatch (/a/*/b, "c")`, `b64(ka.verb) = x`, `json.value[/verb] bcontains 6765`, `not(ka.verb=val(ka.uri))`,
	} {
		f.Add(c)
	}
	rec := `{"apiVersion":"audit.k8s.io/v1","auditID":"1","verb":"get","requestURI":"/a/b","user":{"username":"u","groups":["a","b"]},"sender":{"login":"x"},"published":"x","actor":{"id":"1"},"protoPayload":{"methodName":"m"}}`
	f.Fuzz(func(t *testing.T, cond string) {
		for _, source := range []string{"k8s_audit", "aws_cloudtrail", "gcp_auditlog", "okta", "github", "json", "syscall"} {
			src, err := json.Marshal([]map[string]string{{"rule": "r", "desc": "d", "output": "o", "priority": "INFO", "source": source, "condition": cond}})
			if err != nil {
				t.Fatal(err)
			}
			got := falco.Parse("f.yaml", src)
			if len(got.Rules)+len(got.Refused) != 1 {
				t.Fatalf("%d rules and %d refused", len(got.Rules), len(got.Refused))
			}
			if len(got.Rules) == 0 || got.Rules[0].Cond == nil {
				continue
			}
			e := events(t, "k8saudit", []byte(rec))
			e[0].LogSource = got.Rules[0].LogSource
			if a, b := hits(got.Rules, e)["r"] > 0, query.Holds(got.Rules[0].Cond, e[0]); a != b {
				t.Errorf("%s: the index says %v, the condition %v", cond, a, b)
			}
		}
	})
}

// FuzzRender fills any template with what records of each source say; a template
// that is accepted shows every field.
func FuzzRender(f *testing.F) {
	for _, s := range []string{"user %ka.user.name", "%toupper(ka.verb) %%%20ka.verb", "*%json.value[/user/groups/0]", "%jevt.value[/a~1b]", "%evt.time.iso8601.", "%b64(ka.verb)%basename(ka.uri)", "100%", "%okta.target.user.name %gcp.location", "%ka.user.groups[0]"} {
		f.Add(s)
	}
	records := []string{
		`{"apiVersion":"audit.k8s.io/v1","auditID":"1","verb":"get","requestURI":"/a/b","user":{"username":"u","groups":["a","b"]}}`,
		`{"uuid":"1","published":"2026-11-03T09:14:02Z","eventType":"x","actor":{"id":"7"},"target":[{"type":"User","displayName":"Bo"}]}`,
		`{"priority":"Notice","rule":"r","output":"o","time":"2026-11-03T09:14:02Z","output_fields":{"proc.name":"x","evt.time":1}}`,
		"no JSON at all",
	}
	f.Fuzz(func(t *testing.T, template string) {
		for _, rec := range records {
			e := oneEvent(t, rec)
			if got := falco.Render(template, e); len(got) > falco.MaxOutput {
				t.Errorf("%d bytes", len(got))
			}
		}
	})
}
