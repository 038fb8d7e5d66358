package falco_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"bartizan/detect/falco"
	"bartizan/event"
	"bartizan/query"
)

const execRule = `
- list: amira
  items: [nobody]
- rule: Shell in a pod
  desc: Somebody went into a running container.
  condition: ka.verb = create and ka.target.subresource = exec and not ka.user.name in (amira)
  output: Shell in a pod (user=%ka.user.name target=%ka.target.name ns=%ka.target.namespace groups=%ka.user.groups)
  priority: WARNING
  source: k8s_audit
`

// early is before anything expires that these tests write.
var early = falco.Options{Now: func() time.Time { return time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC) }}

func execBy(user, at string) string {
	return `{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"a1","stage":"ResponseComplete",` +
		`"requestURI":"/api/v1/namespaces/shop/pods/cart/exec","verb":"create","user":{"username":` + user + `,"groups":["devs","ops"]},` +
		`"sourceIPs":["198.51.100.7"],"objectRef":{"resource":"pods","namespace":"shop","name":"cart","subresource":"exec","apiVersion":"v1"},` +
		`"responseStatus":{"code":101},"requestReceivedTimestamp":"` + at + `","stageTimestamp":"` + at + `"}`
}

func oneEvent(t testing.TB, line string) *event.Event {
	t.Helper()
	return events(t, "", []byte(line))[0]
}

// TestWriteException: what is written from an alert takes that event out of the
// rule, only that one, and only until it expires.
func TestWriteException(t *testing.T) {
	const before, after = "2026-11-20T10:00:00.000000Z", "2026-12-02T10:00:00.000000Z"
	expires := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	for _, user := range []string{`"amira"`, `"a \"b\" \\ (c), [d]: #e"`, `"O'Neil"`, `"=1"`, `"~"`, `"null"`, `"true"`, `"0x10"`, `"<NA>"`, `"é\u202e\t\n"`, `"- x"`, `"'"`, `" lead"`, `"%user"`, `"*"`} {
		base := falco.Parse("base.yaml", []byte(execRule))
		e := oneEvent(t, execBy(user, before))
		rule := base.Rules[0]
		choices := falco.Choices(rule, e)
		if len(choices) < 6 || choices[0].Field != "ka.user.name" || choices[1].Field != "ka.target.name" || choices[3].Comp != "in" {
			t.Fatalf("choices for %s: %+v", user, choices)
		}
		x := falco.Exception{Rule: rule.ID, Name: "deploys of " + e.Text("user.username"), Where: choices[:4], Owner: "amira", Reason: "she deploys: by hand # really", Expires: expires}
		if strings.ContainsAny(x.Name, "\t\n") {
			x.Name = "deploys"
		}
		src, err := falco.WriteException(x)
		if err != nil {
			t.Errorf("%s: %v", user, err)
			continue
		}
		loaded := early.Parse("all.yaml", []byte(execRule+string(src)))
		if len(loaded.Refused)+len(loaded.Warnings) > 0 || len(loaded.Rules) != 1 {
			t.Errorf("%s: %v %v\n%s", user, loaded.Refused, loaded.Warnings, src)
			continue
		}
		hidden, err := falco.Excludes(rule, x)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			line string
			want bool // hidden
		}{{execBy(user, before), true}, {execBy(`"eve"`, before), false}, {execBy(user, after), false}} {
			e := oneEvent(t, c.line)
			if hit := hits(loaded.Rules, []*event.Event{e})["Shell in a pod"] > 0; hit == c.want {
				t.Errorf("%s: hit %t for %s with\n%s", user, hit, c.line, src)
			}
			if query.Holds(hidden, e) != c.want {
				t.Errorf("%s: the preview says hidden=%t for %s", user, !c.want, c.line)
			}
		}
		late := falco.Options{Now: func() time.Time { return expires }}.Parse("all.yaml", []byte(execRule+string(src)))
		if len(late.Warnings) != 1 || !strings.Contains(late.Warnings[0].Reason, "expired") || hits(late.Rules, []*event.Event{e})["Shell in a pod"] != 1 {
			t.Errorf("%s: when it has expired: %v", user, late.Warnings)
		}
	}
}

// TestWriteExceptionAppended: several stand in one file, each with its own end, and
// the same name again adds its values.
func TestWriteExceptionAppended(t *testing.T) {
	src := []byte(execRule)
	for i, user := range []string{"amira", "bo", "cy"} {
		x := falco.Exception{Rule: "Shell in a pod", Name: "people", Where: []falco.Compared{{Field: "ka.user.name", Values: []string{user}}}}
		if i > 0 {
			x.Expires = time.Date(2026, 11, 20+i, 0, 0, 0, 0, time.UTC)
		}
		one, err := falco.WriteException(x)
		if err != nil {
			t.Fatal(err)
		}
		src = append(src, one...)
	}
	loaded := early.Parse("all.yaml", src)
	if len(loaded.Refused) > 0 {
		t.Fatalf("%v\n%s", loaded.Refused, src)
	}
	for at, want := range map[string]string{
		"2026-11-20T10:00:00Z": "dee", "2026-11-21T10:00:00Z": "bo dee", "2026-11-23T10:00:00Z": "bo cy dee",
	} {
		var got []string
		for _, user := range []string{"amira", "bo", "cy", "dee"} {
			if hits(loaded.Rules, []*event.Event{oneEvent(t, execBy(`"`+user+`"`, at))})["Shell in a pod"] > 0 {
				got = append(got, user)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("at %s %v hit, want %s", at, got, want)
		}
	}
}

// TestWriteExceptionOfAlert: an alert from Falco offers its output fields, and what
// is written loads beside the rule over system calls.
func TestWriteExceptionOfAlert(t *testing.T) {
	const rule = `
- rule: Shell in a container
  desc: d
  condition: evt.type = execve and proc.name in (sh, bash)
  output: Shell (cmd=%proc.cmdline user=%user.name)
  priority: NOTICE
`
	const alert = `{"hostname":"node-3","output":"x","output_fields":{"evt.time":1790000000000000000,"container.id":"4f2a","proc.cmdline":"sh -c \"id\"","proc.name":"sh","user.name":"root","proc.pid":7},` +
		`"priority":"Notice","rule":"Shell in a container","source":"syscall","tags":["shell"],"time":"2026-11-20T10:00:00.000000000Z"}`
	base := falco.Parse("base.yaml", []byte(rule))
	e := oneEvent(t, alert)
	var names []string
	choices := falco.Choices(base.Rules[0], e)
	for _, c := range choices {
		names = append(names, c.Field)
	}
	if got := strings.Join(names, " "); got != "proc.cmdline user.name container.id proc.name" {
		t.Errorf("offered %s", got)
	}
	x := falco.Exception{Rule: base.Rules[0].Title, Name: "health", Where: choices[:2]}
	src, err := falco.WriteException(x)
	if err != nil {
		t.Fatal(err)
	}
	if l := falco.Parse("all.yaml", []byte(rule+string(src))); len(l.Refused) > 0 || falco.SourceOf(l.Rules[0]) != "syscall" || l.Rules[0].Hash == base.Rules[0].Hash {
		t.Errorf("%v\n%s", l.Refused, src)
	}
	hidden, err := falco.Excludes(base.Rules[0], x)
	if err != nil {
		t.Fatal(err)
	}
	other := oneEvent(t, strings.Replace(alert, `"root"`, `"web"`, 1))
	if !query.Holds(hidden, e) || query.Holds(hidden, other) {
		t.Errorf("the preview hides %t and %t, want true and false", query.Holds(hidden, e), query.Holds(hidden, other))
	}
}

func TestWriteExceptionRefuses(t *testing.T) {
	fine := falco.Compared{Field: "ka.user.name", Values: []string{"x"}}
	for name, x := range map[string]falco.Exception{
		"no rule":        {Name: "n", Where: []falco.Compared{fine}},
		"no name":        {Rule: "r", Where: []falco.Compared{fine}},
		"two lines":      {Rule: "r", Name: "n", Reason: "a\nb: c", Where: []falco.Compared{fine}},
		"nothing":        {Rule: "r", Name: "n"},
		"no field":       {Rule: "r", Name: "n", Where: []falco.Compared{{Field: "user", Values: []string{"x"}}}},
		"injected field": {Rule: "r", Name: "n", Where: []falco.Compared{{Field: "ka.verb exists or ka.verb", Values: []string{"x"}}}},
		"no operator":    {Rule: "r", Name: "n", Where: []falco.Compared{{Field: "ka.verb", Comp: "like", Values: []string{"x"}}}},
		"two for one":    {Rule: "r", Name: "n", Where: []falco.Compared{{Field: "ka.verb", Values: []string{"x", "y"}}}},
		"no value":       {Rule: "r", Name: "n", Where: []falco.Compared{{Field: "ka.verb"}}},
		"no number":      {Rule: "r", Name: "n", Where: []falco.Compared{{Field: "ka.response.code", Comp: ">", Values: []string{"x"}}}},
		"no UTF-8":       {Rule: "r", Name: "n", Where: []falco.Compared{{Field: "ka.verb", Values: []string{"\xff"}}}},
		"long":           {Rule: "r", Name: "n", Where: []falco.Compared{{Field: "ka.verb", Values: []string{strings.Repeat("x", 5000)}}}},
	} {
		if src, err := falco.WriteException(x); err == nil {
			t.Errorf("%s: written as\n%s", name, src)
		}
	}
	for _, when := range []string{"soon", "[a]", "2026-13-01", "0001-01-01"} {
		l := falco.Parse("x.yaml", []byte(execRule+"- rule: Shell in a pod\n  exceptions: [{name: n, fields: [ka.verb], values: [[x]], expires: "+when+"}]\n  override: {exceptions: append}\n"))
		if len(l.Refused) != 1 || !strings.Contains(l.Refused[0].Reason, "expires") {
			t.Errorf("expires %s: %v", when, l.Refused)
		}
	}
}

// FuzzWriteException: what is written loads, and takes out the value it names and
// no other.
func FuzzWriteException(f *testing.F) {
	for _, s := range [][3]string{{"n", "r", "amira"}, {"a: b", "# c", "'\""}, {"- x", "|", "\\"}, {"!!binary x", "&a", "*a"}, {"\u2028", "\u0085", "\x00\x01\ufeff"}, {"{", "}", "0x7f\n"}} {
		f.Add(s[0], s[1], s[2])
	}
	f.Fuzz(func(t *testing.T, name, reason, value string) {
		x := falco.Exception{Rule: "Shell in a pod", Name: name, Reason: reason, Where: []falco.Compared{{Field: "ka.user.name", Values: []string{value}}}}
		src, err := falco.WriteException(x)
		if err != nil {
			return
		}
		l := falco.Parse("f.yaml", []byte(execRule+string(src)))
		if len(l.Refused) > 0 || len(l.Rules) != 1 {
			t.Fatalf("%v of\n%s", l.Refused, src)
		}
		for user, want := range map[string]bool{value: value == "", value + "x": true} {
			quoted, err := json.Marshal(user)
			if err != nil {
				t.Fatal(err)
			}
			e := oneEvent(t, execBy(string(quoted), "2026-11-20T10:00:00Z"))
			if value == "amira" || user == "nobody" || e.Text("user.username") != user || value == "" {
				continue
			}
			if hit := hits(l.Rules, []*event.Event{e})["Shell in a pod"] > 0; hit != want {
				t.Errorf("user %q: hit %t with\n%s", user, hit, src)
			}
		}
	})
}
