package falco_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"bartizan/detect"
	"bartizan/detect/falco"
)

func parse1(src string) detect.Loaded { return falco.Parse("r.yaml", []byte(src)) }

// TestRefusedConditions gives conditions that must be refused, and a word of why.
func TestRefusedConditions(t *testing.T) {
	for cond, why := range map[string]string{
		`ka.verb =`: "expected a value", `ka.verb`: "expected an operator", `ka.verb ~ x`: "expected an operator", `(ka.verb = x`: "expected )",
		`ka.verb = x)`: "expected and, or", `ka.verb = "x`: "not closed", `ka.verb in (a`: "expected , or )", `ka.verb in (a b)`: "expected , or )",
		`ka.verb = x and`: "expected a field", `or ka.verb = x`: "expected and, or", `foo`: "no macro", `ka.nope = x`: "no field", `proc.name = x`: "no field",
		`ka.response.code > many`: "needs a number", `ka.verb regex "("`: "cannot be read", `ka.verb bcontains xyz`: "hexadecimal",
		`join(ka.verb = x`: "expected an operator", `concat(")) = x`: "expected an operator", `tolower(getopt(ka.verb) = x`: "expected )", `upper(ka.verb) = x`: "no transformer",
		`val(ka.verb) = x`: "no transformer val", `ka.verb = val(ka.nope)`: "no field", `tolower(ka.verb = x`: "expected )", `ka.verb in oneof (a)`: "does not go with",
		`ka.verb > oneof (1)`: "does not go with", `jevt.value[] = x`: "argument", `jevt.value[/a = x`: "argument", `len(ka.verb) contains x`: "cannot be asked by",
		`ka.verb = x ka.uri = y`: "expected and, or", `ka.verb regex "` + strings.Repeat("(a{900})b", 20) + `"`: "steps",
		strings.Repeat("(", 70) + "ka.verb = x" + strings.Repeat(")", 70): "nested deeper", `tolower(tolower(tolower(tolower(tolower(tolower(tolower(tolower(tolower(ka.verb))))))))) = x`: "more than 8",
	} {
		src := ruleOf("k8s_audit", cond)
		got := parse1(src)
		reason := fmt.Sprint(got.Refused, got.Warnings)
		if len(got.Refused)+len(got.Warnings) != 1 || !strings.Contains(reason, why) || len(got.Rules) == 1 && falco.Evaluable(got.Rules[0]) {
			t.Errorf("%s: %d rules, %s; want %q", cut(cond), len(got.Rules), reason, why)
		}
	}
}

func cut(s string) string { return s[:min(len(s), 60)] }

// TestShownOnly gives conditions that Falco accepts and that cannot be asked here:
// the rule is loaded, marked, and a warning says why.
func TestShownOnly(t *testing.T) {
	for source, conds := range map[string][]string{
		"k8s_audit": {
			`join(",", (ka.verb, ka.uri)) = x`, `tolower(concat(ka.verb, ")", "x")) startswith y`, `ka.verb = val(getopt(ka.uri, "x"))`, `ka.uri.param[x] = y`, `jevt.value[/a/0/b] = c`, `ka.req.role.rules exists`, `jevt.obj contains x`, `jevt.rawtime > 5`,
			`ka.req.pod.containers.image[0] = x`, `b64(ka.verb) contains x`, `len(ka.verb) > 5000`, `ka.user.groups != x`, `ka.user.groups = allof (a, b)`,
			`tolower(ka.verb) regex "[A-Z]x"`, `tolower(ka.verb) regex "[^A-Z]x"`, `ka.verb glob "+(a)"`, `len(ka.user.groups) > 1`, `ka.verb < val(ka.uri)`, `ka.verb = val(ka.user.groups)`,
			`basename(ka.uri) regex ".*"`, `tolower(ka.verb) > 1`, `evt.hostname = x`, `jevt.value = x`, `jevt.value[x] = y`,
		},
		"github": {`github.commit.added contains x`}, "okta": {`okta.behaviors = x`, `okta.mfa.deny.countlast[5] > 1 or okta.severity = x`},
		"mail": {`mail.from = x`},
	} {
		for _, cond := range conds {
			got := parse1(ruleOf(source, cond))
			if len(got.Rules) != 1 || falco.Evaluable(got.Rules[0]) || !strings.HasPrefix(got.Rules[0].Status, falco.StatusUnasked) || len(got.Rules[0].Status) < 40 || len(got.Warnings) != 1 || len(got.Refused) > 0 {
				t.Errorf("%s: %+v", cond, got)
			}
		}
	}
	sys := parse1(ruleOf("syscall", `evt.type = open and proc.aname[2] in (sh) and fd.name pmatch (/etc)`))
	if len(sys.Rules) != 1 || falco.Evaluable(sys.Rules[0]) || sys.Rules[0].Status != falco.StatusSyscall+" (evt.type, proc.aname, fd.name)" || len(sys.Warnings) > 0 {
		t.Errorf("a system call rule is %+v", sys)
	}
	off := parse1(ruleOf("k8s_audit", `ka.verb = get`) + "  enabled: false\n")
	if len(off.Rules) != 1 || falco.Evaluable(off.Rules[0]) || off.Rules[0].Status != falco.StatusDisabled {
		t.Errorf("a disabled rule is %+v", off)
	}
	off = parse1(ruleOf("k8s_audit", `ka.verb = get`) + "  enabled: false\n- rule: one\n  enabled: true\n")
	if len(off.Rules) != 1 || !falco.Evaluable(off.Rules[0]) {
		t.Errorf("a rule that was enabled again is %+v", off)
	}
}

const base = `
- list: users
  items: [ann, bob]
- macro: known
  condition: ka.user.name in (users)
- rule: one
  desc: first
  source: k8s_audit
  priority: NOTICE
  tags: [T1078.004, mitre_persistence]
  condition: ka.verb = get and not known
  output: "%ka.user.name did it"
`

// TestChanges appends and overrides, and looks who is hit then.
func TestChanges(t *testing.T) {
	for _, c := range []struct{ name, more, want string }{
		{"as it is", "", "eve"},
		{"list appended", "- list: users\n  items: [eve]\n  override: {items: append}", ""},
		{"list replaced", "- list: users\n  items: [eve]\n  override: {items: replace}", "ann bob"},
		{"list appended the old way", "- list: users\n  append: true\n  items: [eve]", ""},
		{"list defined again", "- list: users\n  items: [eve]", "ann bob"},
		{"lists within lists", "- list: more\n  items: [eve]\n- list: users\n  items: [more]\n  append: true", ""},
		{"macro appended", "- macro: known\n  condition: or ka.user.name = eve\n  override: {condition: append}", ""},
		{"macro replaced", "- macro: known\n  condition: ka.user.name = eve\n  override: {condition: replace}", "ann bob"},
		{"rule appended the old way", "- rule: one\n  append: true\n  condition: and ka.user.name != eve", ""},
		{"condition appended", "- rule: one\n  condition: or ka.user.name = ann\n  override: {condition: append}", "ann eve"},
		{"condition replaced", "- rule: one\n  condition: ka.user.name = ann\n  override: {condition: replace}", "ann"},
		{"exception appended", "- rule: one\n  exceptions: [{name: x, fields: ka.user.name, values: [eve]}]\n  override: {exceptions: append}", ""},
		{"exception of two", "- rule: one\n  append: true\n  exceptions: [{name: x, fields: [ka.user.name, ka.verb], comps: [startswith, in], values: [[ev, [get, put]], [bo, (users)]]}]", ""},
		{"exception that fails", "- rule: one\n  append: true\n  exceptions: [{name: x, fields: [ka.user.name, ka.verb], values: [[eve, put]]}]", "eve"},
		{"exception with oneof", "- rule: one\n  append: true\n  exceptions: [{name: x, fields: [ka.user.name], comps: [endswith oneof], values: [[[x, ve]]]}]", ""},
		{"exception by a list", "- list: ex\n  items: [eve]\n- rule: one\n  append: true\n  exceptions: [{name: x, fields: [ka.user.name], comps: [in], values: [[ex]]}]", ""},
		{"exceptions replaced", "- rule: one\n  append: true\n  exceptions: [{name: x, fields: ka.user.name, values: [eve]}]\n- rule: one\n  exceptions: []\n  override: {exceptions: replace}", "eve"},
		{"disabled", "- rule: one\n  enabled: false\n  override: {enabled: replace}", ""},
	} {
		got := parse1(base + c.more)
		if len(got.Refused) > 0 || len(got.Rules) != 1 {
			t.Errorf("%s: %v", c.name, got.Refused)
			continue
		}
		var who []string
		for _, u := range []string{"ann", "bob", "eve"} {
			rec := `{"apiVersion":"audit.k8s.io/v1","auditID":"1","verb":"get","user":{"username":"` + u + `"}}`
			if hits(got.Rules, events(t, "k8saudit", []byte(rec)))["one"] > 0 {
				who = append(who, u)
			}
		}
		if s := strings.Join(who, " "); s != c.want {
			t.Errorf("%s: hits %q, want %q", c.name, s, c.want)
		}
	}
	got := parse1(base + "- rule: one\n  desc: and more\n  output: for %ka.verb\n  tags: [x]\n  priority: CRITICAL\n  override: {desc: append, output: append, tags: append, priority: replace}\n")
	r := got.Rules[0]
	if !strings.HasPrefix(r.Description, "first and more\n") || falco.Output(r) != "%ka.user.name did it for %ka.verb" || r.Severity != detect.Critical ||
		fmt.Sprint(r.Tags) != "[attack.t1078.004 attack.persistence x]" || r.ID != "falco:one" || r.LogSource.Service != "audit" || fmt.Sprint(r.Fields) != "[user.username verb]" {
		t.Errorf("overridden rule is %+v", r)
	}
}

// TestRefusedItems gives items that must be refused at their line.
func TestRefusedItems(t *testing.T) {
	for more, want := range map[string]string{
		"- rule: one\n  append: true\n  override: {condition: append}\n  condition: x":                                      "append and override",
		"- rule: one\n  override: {condition: append}":                                                                      "which is not given",
		"- rule: one\n  priority: INFO\n  override: {priority: append}":                                                     "cannot be overridden",
		"- rule: one\n  desc: x\n  priority: INFO\n  override: {desc: replace}":                                             "not named under override",
		"- rule: two\n  enabled: false":                                                                                     "none called",
		"- list: new\n  items: [x]\n  override: {items: append}":                                                            "none called",
		"- rule: one\n  desc: d\n  condition: evt.type = x\n  output: o\n  priority: INFO":                                  "another source",
		"- rule: two\n  desc: d\n  condition: evt.type = x\n  output: o\n  priority: LOUD":                                  "priority",
		"- rule: two\n  desc: d\n  condition: evt.type = x\n  output: '%proc.nome'\n  priority: INFO":                       "output names",
		"- rule: two\n  desc: d\n  condition: [x]\n  output: o\n  priority: INFO":                                           "must be one text",
		"- rule: one\n  append: true\n  exceptions: [{name: x, fields: [ka.verb], comps: [=, =]}]":                          "2 comps",
		"- rule: one\n  append: true\n  exceptions: [{name: x, fields: ka.verb, values: [get]}, {name: x, fields: ka.uri}]": "other fields",
		"- macro: a\n  condition: b\n- macro: b\n  condition: evt.num > 0":                                                  "no macro",
		"- macro: a\n  condition: evt.num > 0\n- macro: b\n  condition: a\n- macro: a\n  condition: b":                      "names itself",
		"- list: a\n  items: [x]\n- list: b\n  items: [a]\n- list: a\n  items: [b]":                                         "names itself",
		"- required_plugin_versions:\n    - name: x":                                                                        "no version",
		"- required_engine_version: 0.64.0":                                                                                 "nothing of this file",
		"- nothing: x":                                                                                                      "none of rule",
		"- rule: two\n  rule: three":                                                                                        "there twice",
		"- list: l\n  items: x":                                                                                             "must be a list",
		"- [x]":                                                                                                             "must be a map",
	} {
		got := parse1(base + "\n" + more + "\n")
		first := strings.Count(base, "\n") + 2
		if len(got.Refused) == 0 || !strings.Contains(fmt.Sprint(got.Refused), want) || got.Refused[0].Line < first {
			t.Errorf("%s: %v, want %q from line %d on", more, got.Refused, want, first)
		}
	}
	got := parse1("--- # first\n" + base + "--- # second\n" + ruleOf("syscall", "evt.type=x") + "...\n--- [x]\n--- {\n---\r\n- list: z\r\n  items: 1\r\n")
	var lines []int
	for _, r := range got.Refused {
		lines = append(lines, r.Line)
	}
	if slices.Sort(lines); len(got.Rules) != 1 || fmt.Sprint(lines) != "[15 23 24 27]" {
		t.Errorf("several documents give %v %v", got.Rules, got.Refused)
	}
	for _, src := range []string{"", "# only a comment\n", "---\n---\n"} {
		if got := parse1(src); len(got.Warnings) != 1 || len(got.Refused)+len(got.Rules) != 0 {
			t.Errorf("%q: %+v", src, got)
		}
	}
}

// TestOrder loads a directory: lexical order, one namespace, links and other
// files left out.
func TestOrder(t *testing.T) {
	files := fstest.MapFS{
		"r/10-base.yaml":     {Data: []byte(base)},
		"r/20-local.yml":     {Data: []byte("- list: users\n  items: [eve]\n  append: true\n")},
		"r/05-early.yaml":    {Data: []byte("- list: users\n  items: [early]\n  append: true\n")},
		"r/sub/30.yaml":      {Data: []byte("- rule: one\n  priority: ALERT\n  override: {priority: replace}\n")},
		"r/README.md":        {Data: []byte("- rule: x")},
		"r/99-broken.yaml":   {Data: []byte("- rule: [\n")},
		"elsewhere/one.yaml": {Data: []byte(base)},
	}
	got := falco.Load(files, "r")
	if len(got.Rules) != 1 || got.Rules[0].Severity != detect.Critical || got.Rules[0].File != "r/10-base.yaml" || len(got.Refused) != 2 ||
		got.Refused[0].File != "r/05-early.yaml" || got.Refused[0].Line != 1 || got.Refused[1].File != "r/99-broken.yaml" {
		t.Errorf("%+v %v", got.Rules, got.Refused)
	}
	if got := falco.Load(files, "nowhere"); len(got.Refused) != 1 {
		t.Errorf("a missing directory gives %+v", got)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.yaml"), []byte(base), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, got := range []detect.Loaded{falco.LoadDir(dir), falco.LoadFile(filepath.Join(dir, "a.yaml")), falco.LoadDir(filepath.Join(dir, "a.yaml"))} {
		if len(got.Rules) != 1 || len(got.Refused) > 0 || got.Rules[0].File != filepath.Join(dir, "a.yaml") || got.Rules[0].Line != 6 {
			t.Errorf("%+v %v", got.Rules, got.Refused)
		}
	}
	if got := falco.LoadFile(filepath.Join(dir, "b.yaml")); len(got.Refused) != 1 {
		t.Errorf("a missing file gives %+v", got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(base))
	f.Add([]byte(ruleOf("k8s_audit", `ka.verb in (a, "b") and not (ka.uri startswith /x or jevt.value[/a~1b] exists)`)))
	f.Add([]byte(ruleOf("aws_cloudtrail", `tolower(basename(ct.user)) glob "a[b-d]*" or ct.srcip = val(ct.useragent)`)))
	f.Add([]byte(ruleOf("okta", `okta.mfa.deny.countlast[10] > 2 and len(okta.reason) >= 3`)))
	f.Add([]byte(ruleOf("k8s_audit", `ka.req.pod.containers.image.repository in (a, ab, "ö") and ka.user.groups contains oneof (x)`)))
	f.Add([]byte("- list: a\n  items: [b]\n- list: b\n  items: [a]\n- list: a\n  append: true\n  items: ['\"x y\"']\n"))
	f.Add([]byte(ruleOf("syscall", `evt.type=open`) + "  exceptions: [{name: a, fields: [proc.name], comps: [in], values: [[[a]]]}]\n"))
	f.Add([]byte("- required_engine_version: 0.57.0\n- required_plugin_versions: [{name: a, version: 1.2.3}]\n---\n- rule: x\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		got := falco.Parse("f.yaml", src)
		lines := strings.Count(string(src), "\n") + 1
		for _, r := range append(got.Refused, got.Warnings...) {
			if r.Reason == "" || r.Line < 0 || r.Line > lines {
				t.Errorf("refusal %+v of %d lines", r, lines)
			}
		}
		rec := `{"apiVersion":"audit.k8s.io/v1","auditID":"1","verb":"get","user":{"username":"u","groups":["a","b"]}}`
		e := events(t, "k8saudit", []byte(rec))
		hits(got.Rules, e)
		for _, r := range got.Rules {
			falco.Render(falco.Output(r), e[0])
		}
	})
}

func BenchmarkLoad(b *testing.B) {
	root := os.Getenv("BARTIZAN_CORPUS")
	if root == "" {
		b.Skip("BARTIZAN_CORPUS is not set")
	}
	for b.Loop() {
		falco.LoadDir(filepath.Join(root, "falco-rules"))
	}
}
