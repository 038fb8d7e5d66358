package engine

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"bartizan/detect"
	"bartizan/detect/rules"
	"bartizan/detect/sigma"
	"bartizan/event"
	"bartizan/sources"
	"bartizan/sources/parse"
)

var update = flag.Bool("update", false, "write docs/coverage.md anew")

// census looks at records as the pipeline does; each is "SOURCE<TAB>RECORD".
func census(t testing.TB, records ...string) *Census {
	t.Helper()
	reg := parse.NewRegistry(parse.Options{Zone: time.UTC, Now: func() time.Time { return time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC) }})
	c := NewCensus()
	streams := map[string]*parse.Stream{}
	for _, r := range records {
		source, raw, ok := strings.Cut(r, "\t")
		if !ok {
			t.Fatalf("no source in %q", r)
		}
		if streams[source] == nil {
			streams[source] = reg.Stream(sources.Info{ID: event.SourceID(source), Name: source})
		}
		var slab parse.Slab
		var e event.Event
		streams[source].Parse(&sources.Record{Raw: []byte(raw), Ref: event.Ref{Source: event.SourceID(source)}}, &slab, &e)
		c.See(&e, "", source)
	}
	return c
}

// loaded are the rules of ours.
func loadedRules(t testing.TB) []*detect.Rule {
	t.Helper()
	l := rules.Load()
	sigma.Link(&l)
	return l.Rules
}

const (
	trailHead = `{"eventVersion":"1.09","userIdentity":{"type":"IAMUser","accountId":"111122223333","userName":"amira"},"eventTime":"2026-11-03T09:14:02Z","recipientAccountId":"111122223333","sourceIPAddress":"203.0.113.9",`
	auditRaw  = `type=USER_LOGIN msg=audit(1793697243.331:9108): pid=2 uid=0 auid=1000 ses=3 msg='op=login id=1000 exe="/usr/sbin/sshd" addr=203.0.113.9 terminal=ssh res=success'`
	execRaw   = `type=EXECVE msg=audit(1793697242.331:9107): argc=2 a0="sh" a1="-c"`
	sshdRaw   = "Nov  3 09:14:02 web-1 sshd[2211]: Failed password for invalid user oracle from 203.0.113.9 port 40022 ssh2"
	flowRaw   = "2 111122223333 eni-0123456789abcdef0 203.0.113.9 10.20.1.7 40022 22 6 20 4249 1793697180 1793697240 ACCEPT OK"
	dnsRaw    = `{"version":"1.100000","account_id":"111122223333","region":"us-west-2","vpc_id":"vpc-1","query_timestamp":"2026-11-03T09:14:02Z","query_name":"example.com.","query_type":"A","query_class":"IN","rcode":"NOERROR","answers":[],"srcaddr":"10.0.0.4","srcport":"44121","transport":"UDP","srcids":{"instance":"i-1"}}`
	k8sRaw    = `{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"%s","auditID":"0f3c","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/shop/pods/web-0","verb":"create","user":{"username":"amira"},"objectRef":{"resource":"pods","namespace":"shop","name":"web-0"},"responseStatus":{"code":201},"requestReceivedTimestamp":"2026-11-03T09:14:02.101000Z","stageTimestamp":"2026-11-03T09:14:02.150000Z"}`
	podRaw    = `2026-11-03T09:14:02.120034Z stdout F level=warn msg="queue is 80% full" queue=mail`
	meshRaw   = `[2026-11-03T09:14:02.117Z] "GET /a HTTP/1.1" 200 - 0 135 4 4 "-" "curl/8.8.0" "84961386-6d84" "shop" "10.0.0.9:80"`
	sudoRaw   = "Nov  3 09:14:05 web-1 sudo: pam_unix(sudo:session): session opened for user root(uid=0) by amira(uid=1000)"
	ranRaw    = "Nov  3 09:14:05 web-1 sudo:    amira : TTY=pts/1 ; PWD=/home/amira ; USER=root ; COMMAND=/usr/bin/id"
)

func call(service, name, rest string) string {
	return trailHead + fmt.Sprintf(`"awsRegion":"eu-west-1","eventSource":"%s.amazonaws.com","eventName":"%s"%s}`, service, name, rest)
}

func bucketCall(name, bucket, rest string) string {
	return call("s3", name, `,"requestParameters":{"bucketName":"`+bucket+`"}`+rest)
}

// TestGaps: what arrives decides what is called missing.
func TestGaps(t *testing.T) {
	for _, c := range []struct {
		name, want string
		records    []string
	}{
		{"nothing", "", nil},
		{"a web server alone", "", []string{"w\t203.0.113.9 - - [03/Nov/2026:09:14:02 +0000] \"GET / HTTP/1.1\" 200 153 \"-\" \"curl\""}},
		{"a bucket without data events", "account:resolver-queries account:vpc-flow bucket acme:s3-objects", []string{"t\t" + bucketCall("PutBucketPolicy", "acme", "")}},
		{"a bucket with data events", "account:resolver-queries account:vpc-flow", []string{
			"t\t" + bucketCall("PutBucketPolicy", "acme", ""), "t\t" + bucketCall("GetObject", "acme", `,"managementEvent":false,"eventCategory":"Data"`),
		}},
		{"a bucket with access logs", "account:resolver-queries account:vpc-flow", []string{
			"t\t" + bucketCall("PutBucketPolicy", "acme", ""),
			"a\t79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be acme [03/Nov/2026:09:14:02 +0000] 203.0.113.9 - 3E57427F3EXAMPLE REST.GET.OBJECT a.pdf \"GET /a.pdf HTTP/1.1\" 200 - 4410 4410 20 19 \"-\" \"curl\" - h= SigV4 - AuthHeader acme.s3.amazonaws.com TLSv1.3 - -",
		}},
		{"a bucket that was asked for in vain", "account:resolver-queries account:vpc-flow", []string{"t\t" + bucketCall("GetBucketAcl", "foreign", `,"errorCode":"AccessDenied"`)}},
		{"flow logs arrive", "account:resolver-queries", []string{"t\t" + call("iam", "ListUsers", ""), "f\t" + flowRaw}},
		{"a region without trail", "account:cloudtrail-region account:vpc-flow", []string{"t\t" + call("iam", "ListUsers", ""), "d\t" + dnsRaw}},
		{"an account without trail", "account:cloudtrail", []string{"f\t" + flowRaw}},
		{"functions without invocations", "account:lambda-invokes account:resolver-queries account:vpc-flow", []string{"t\t" + call("lambda", "CreateFunction20150331", "")}},
		{"functions with invocations", "account:resolver-queries account:vpc-flow", []string{"t\t" + call("lambda", "CreateFunction20150331", ""), "t\t" + call("lambda", "Invoke", `,"managementEvent":false`)}},
		{"a host without audit log", "host web-1:auditd host web-1:sensor", []string{"s\t" + sshdRaw}},
		{"a host with an audit log that has no name", "host web-1:execve host web-1:sensor", []string{"s\t" + sshdRaw, "a\t" + auditRaw}},
		{"a host with execve rules", "host web-1:sensor", []string{"s\t" + sshdRaw, "a\tnode=web-1.example.org " + execRaw}},
		{"another host's audit log", "host db-1:execve host web-1:auditd host web-1:sensor", []string{"s\t" + sshdRaw, "a\tnode=db-1 " + auditRaw}},
		{"sudo without commands", "host web-1:auditd host web-1:sensor host web-1:sudo-commands", []string{"s\t" + sudoRaw}},
		{"sudo with commands", "host web-1:auditd host web-1:sensor", []string{"s\t" + sudoRaw, "s\t" + ranRaw}},
		{"a sensor", "host web-1:auditd", []string{"s\t" + sshdRaw, `f	{"hostname":"web-1","output":"x","output_fields":{"proc.name":"sh"},"priority":"Warning","rule":"Shell","source":"syscall","tags":[],"time":"2026-11-03T09:14:02Z"}`}},
		{"pods without audit", "cluster:kubernetes-audit", []string{"p\t" + podRaw}},
		{"audit of metadata", "cluster k:kubernetes-bodies", []string{"p\t" + podRaw, "k\t" + fmt.Sprintf(k8sRaw, "Metadata")}},
		{"audit of requests", "", []string{"k\t" + fmt.Sprintf(k8sRaw, "Metadata"), "k\t" + fmt.Sprintf(k8sRaw, "Request")}},
		{"a mesh without identities", "mesh e:mesh-peer", []string{"e\t" + meshRaw}},
		{"a mesh with identities", "", []string{`e	{"start_time":"2026-11-03T09:14:02.117Z","method":"GET","path":"/a","response_code":200,"response_flags":"-","upstream_host":"10.0.0.9:80","downstream_peer_uri_san":"spiffe://cluster.local/ns/shop/sa/web","downstream_remote_address":"10.0.0.8:1"}`}},
		{"Azure without sign-ins", "account Azure:entra-audit account Azure:entra-signin", []string{`z	{"time":"2026-11-03T09:14:02Z","resourceId":"/SUBSCRIPTIONS/S1/RESOURCEGROUPS/G","operationName":"MICROSOFT.COMPUTE/VIRTUALMACHINES/WRITE","category":"Administrative","resultType":"Success","callerIpAddress":"203.0.113.9","correlationId":"c","level":"Information","identity":{"claims":{}}}`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			gaps, _ := census(t, c.records...).Gaps(nil, "", 0)
			for _, g := range gaps {
				where := g.Place.String() + " " + g.Names[0]
				if g.Place == PlaceAccount && g.Names[0] == "111122223333" || g.Names[0] == "" {
					where = g.Place.String()
				}
				got = append(got, where+":"+g.ID)
				if g.Mend == "" || strings.Contains(g.Mend+g.Log+g.Why+g.Then, "{name}") || strings.Contains(g.Mend+g.Log+g.Why+g.Then, "{region}") {
					t.Errorf("%+v", g)
				}
			}
			slices.Sort(got)
			if s := strings.Join(got, " "); s != c.want {
				t.Errorf("missing are\n\t%s\nwanted\n\t%s", s, c.want)
			}
		})
	}
}

// TestOwnHost: what has no name belongs to this host where it is among those seen.
func TestOwnHost(t *testing.T) {
	c := census(t, "s\t"+sshdRaw, "s\t"+strings.Replace(sshdRaw, "web-1", "db-1", 1), "a\t"+auditRaw)
	for own, want := range map[string]string{"web-1.example.org": "db-1", "": "", "elsewhere": ""} {
		var got []string
		gaps, _ := c.Gaps(nil, own, 0)
		for _, g := range gaps {
			if g.ID == "auditd" {
				got = append(got, g.Names...)
			}
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("on %q hosts without an audit log are %q, wanted %q", own, s, want)
		}
	}
}

// TestOwnFormats: a log of a format of one's own counts as what its log source says.
func TestOwnFormats(t *testing.T) {
	e := event.Event{FormatName: "ourflows", LogSource: event.LogSource{Product: "aws", Service: "vpcflow"}, Fields: []event.Field{{Name: "cloud.account.id", Value: event.Value{Str: "111122223333"}}}}
	c := census(t, "t\t"+call("iam", "ListUsers", ""))
	has := func() bool {
		gaps, _ := c.Gaps(nil, "", 0)
		return slices.ContainsFunc(gaps, func(g Gap) bool { return g.ID == "vpc-flow" })
	}
	if !has() {
		t.Error("flow logs are not missed without it")
	}
	c.See(&e, "", "own")
	if has() {
		t.Error("flow logs are missed beside it")
	}
}

// TestSettled: a place of which little was seen is not spoken of yet.
func TestSettled(t *testing.T) {
	c := census(t, "s\t"+sshdRaw)
	if got, early := c.Gaps(nil, "", time.Minute); len(got) != 0 || early != 2 {
		t.Errorf("after one record: %v, %d early", got, early)
	}
	c = census(t, "s\t"+sshdRaw, "s\t"+strings.Replace(sshdRaw, "09:14", "10:14", 1))
	if got, early := c.Gaps(nil, "", time.Minute); len(got) == 0 || early != 0 || !strings.Contains(got[0].Why, "2 records looked at, over 1 h") {
		t.Errorf("after an hour: %+v", got)
	}
}

// TestManyAlike: many places that lack the same are one line.
func TestManyAlike(t *testing.T) {
	var records []string
	for i := range 100 {
		records = append(records, "t\t"+bucketCall("PutBucketPolicy", fmt.Sprintf("b%03d", i), ""))
	}
	gaps, _ := census(t, records...).Gaps(nil, "", 0)
	for _, g := range gaps {
		if g.ID != "s3-objects" {
			continue
		}
		if w := g.Where(); w != "buckets b000, b001, b002 and 97 more" || len(g.Names) != maxGapNames || g.More != 36 {
			t.Errorf("%s; %d names and %d more", w, len(g.Names), g.More)
		}
		return
	}
	t.Error("nothing about the buckets")
}

// TestNeeds: rules that need a log are those that nothing else can make hit.
func TestNeeds(t *testing.T) {
	all := loadedRules(t)
	n := NewNeeds(all, parse.Supplies())
	for _, c := range []struct {
		want   string
		seen   saw
		least  int
		has    string
		hasNot string
	}{
		{"vpc-flow", sawTrail, 5, "", "cloudtrail"},
		{"auditd", sawAuth, 5, "", "sshd"},
		{"cloudtrail", sawFlow, 50, "", "vpcflow"},
		{"kubernetes-audit", sawPods, 30, "", "cloudtrail"},
		{"kubernetes-bodies", sawAudit, 5, "", "cloudtrail"},
		{"s3-objects", sawBucketUse, 1, "", "vpcflow"},
		{"sudo-commands", sawAuth, 3, "", "vpcflow"},
	} {
		w := &wants[slices.IndexFunc(wants, func(w Wanted) bool { return w.ID == c.want })]
		got := n.of(w, c.seen)
		t.Logf("%s: %d rules", c.want, len(got))
		if len(got) < c.least || len(got) >= len(all)/2 {
			t.Errorf("%s is needed by %d rules, wanted at least %d", c.want, len(got), c.least)
		}
		for _, r := range got {
			if r.LogSource.Service == c.hasNot {
				t.Errorf("%s is said to be needed by %s", c.want, r.Title)
			}
		}
	}
}

// TestNeedsDataEvents tells calls on objects from calls on buckets.
func TestNeedsDataEvents(t *testing.T) {
	l := sigma.Parse("t.yml", []byte(needsRules))
	if len(l.Refused) > 0 {
		t.Fatal(l.Refused[0].Error())
	}
	sigma.Link(&l)
	w := &wants[slices.IndexFunc(wants, func(w Wanted) bool { return w.ID == "s3-objects" })]
	var got []string
	for _, r := range NewNeeds(l.Rules, parse.Supplies()).of(w, sawBucketUse) {
		got = append(got, r.Title)
	}
	if s := strings.Join(got, ", "); s != "objects, either, access" {
		t.Errorf("needed by %q", s)
	}
}

const needsRules = `title: objects
logsource: {product: aws, service: cloudtrail}
detection: {a: {eventSource: s3.amazonaws.com, eventName: [GetObject, DeleteObject]}, condition: a}
---
title: either
logsource: {product: aws, service: cloudtrail}
detection: {a: {eventName|startswith: GetObject}, condition: a}
---
title: bucket
logsource: {product: aws, service: cloudtrail}
detection: {a: {eventName: [GetObject, GetBucketPolicy]}, condition: a}
---
title: any call
logsource: {product: aws, service: cloudtrail}
detection: {a: {errorCode: AccessDenied}, condition: a}
---
title: prefix
logsource: {product: aws, service: cloudtrail}
detection: {a: {eventName|startswith: Get}, condition: a}
---
title: stopped
id: 11111111-1111-4111-8111-111111111111
name: stopped
logsource: {product: aws, service: cloudtrail}
detection: {a: {eventName: StopLogging}, condition: a}
---
title: secrets
id: 11111111-1111-4111-8111-111111111112
name: secrets
logsource: {product: aws, service: cloudtrail}
detection: {a: {eventName: GetSecretValue}, condition: a}
---
title: both, without objects
id: 11111111-1111-4111-8111-111111111113
correlation: {type: temporal_ordered, rules: [stopped, secrets], group-by: [userIdentity.arn], timespan: 1h}
---
title: access
logsource: {product: aws, service: s3access}
detection: {a: {operation: REST.GET.OBJECT}, condition: a}
`

// TestCensusIsBounded: hostile names fill no memory.
func TestCensusIsBounded(t *testing.T) {
	c := NewCensus()
	long := strings.Repeat("x", 1000)
	for i := range maxPlaces + 100 {
		e := event.Event{FormatName: "sshd", Fields: []event.Field{{Name: "host.name", Value: event.Value{Str: fmt.Sprint(i, long)}}}}
		c.See(&e, "", "s")
	}
	if len(c.places) != maxPlaces || c.Left() != 100 {
		t.Errorf("%d places, %d left out", len(c.places), c.Left())
	}
	for k := range c.places {
		if len(k.name) > maxPlaceName {
			t.Fatalf("a name of %d bytes", len(k.name))
		}
	}
}

// TestCensusOrder: what is missing does not depend on the order of the records.
func TestCensusOrder(t *testing.T) {
	pool := []string{
		"t\t" + bucketCall("PutBucketPolicy", "acme", ""), "t\t" + bucketCall("GetObject", "acme", `,"managementEvent":false`), "f\t" + flowRaw, "d\t" + dnsRaw,
		"s\t" + sshdRaw, "a\t" + auditRaw, "a\t" + execRaw, "s\t" + sudoRaw, "s\t" + ranRaw, "p\t" + podRaw, "k\t" + fmt.Sprintf(k8sRaw, "Metadata"), "e\t" + meshRaw,
	}
	rapid.Check(t, func(rt *rapid.T) {
		some := rapid.SliceOfN(rapid.SampledFrom(pool), 0, 12).Draw(rt, "records")
		say := func(records []string) string {
			var out []string
			gaps, _ := census(t, records...).Gaps(nil, "", 0)
			for _, g := range gaps {
				out = append(out, g.String())
			}
			return strings.Join(out, "\n")
		}
		if a, b := say(some), say(rapid.Permutation(some).Draw(rt, "order")); a != b {
			rt.Fatalf("in one order\n%s\nin another\n%s", a, b)
		}
	})
}

// TestCensusAllocates: a place that is known costs nothing.
func TestCensusAllocates(t *testing.T) {
	reg := parse.NewRegistry(parse.Options{Zone: time.UTC})
	var slab parse.Slab
	var e event.Event
	reg.Stream(sources.Info{ID: "t"}).Parse(&sources.Record{Raw: []byte(bucketCall("PutBucketPolicy", "acme", ""))}, &slab, &e)
	c := NewCensus()
	c.See(&e, "", "t")
	if n := testing.AllocsPerRun(100, func() { c.See(&e, "", "t") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkCensus(b *testing.B) {
	reg := parse.NewRegistry(parse.Options{Zone: time.UTC})
	for name, raw := range map[string]string{"sshd": sshdRaw, "cloudtrail": bucketCall("PutBucketPolicy", "acme", "")} {
		var slab parse.Slab
		var e event.Event
		reg.Stream(sources.Info{ID: "t"}).Parse(&sources.Record{Raw: []byte(raw)}, &slab, &e)
		c := NewCensus()
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				c.See(&e, "", "t")
			}
		})
	}
}

// TestCoveragePage holds docs/coverage.md to the table.
func TestCoveragePage(t *testing.T) {
	const file = "../docs/coverage.md"
	page := CoveragePage()
	if *update {
		if err := os.WriteFile(file, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(file)
	if err != nil || string(have) != page {
		t.Errorf("%s is not what the table says: run go test ./engine -run CoveragePage -update (%v)", file, err)
	}
}
