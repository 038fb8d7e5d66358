package engine

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"bartizan/detect/falco"
	"bartizan/triage"
)

const falcoShell = `- rule: Shell in a room
  desc: A shell was started where none should be.
  condition: evt.type = execve and proc.name in (bash, sh)
  output: A shell started (user=%user.name proc=%proc.name)
  priority: ERROR
  source: syscall
  tags: [container, T1059]
`

func falcoAlert(at time.Time, proc string) string {
	return fmt.Sprintf(`{"hostname":"node-1","output":"A shell started (user=root proc=%[2]s)","priority":"Error","rule":"Shell in a room","source":"syscall","tags":["container"],"time":"%[1]s","output_fields":{"user.name":"root","proc.name":"%[2]s"}}`, at.UTC().Format(time.RFC3339Nano), proc) + "\n"
}

// TestFalcoAlertJoinsItsRule takes an alert of Falco's in: it says what the loaded
// rule of its name says, its tree says where it is judged, and an exception to it is
// written in Falco's language.
func TestFalcoAlertJoinsItsRule(t *testing.T) {
	d := newRuleDir(t)
	d.write("falco.yaml", falcoShell)
	b := newBench(t, "a.log")
	b.opt = func(o *Options) {
		d.options(o)
		o.LoadRules = func() (RuleFiles, error) { return RuleFiles{falco.LoadDir(d.dir), []string{d.dir}}, nil }
		f, _ := o.LoadRules() // never fails
		o.Rules = f.Loaded
	}
	r := b.start()
	b.write("a.log", falcoAlert(time.Now(), "bash")+falcoAlert(time.Now(), "sh"))
	const id = "falco:Shell in a room"
	r.until("both hit", func() bool { return r.count(id) == 2 })
	list, _ := r.Desk().Alerts()
	a := list[0]
	if got := strings.Join(a.Tags, " "); !strings.Contains(got, "attack.t1059") {
		t.Errorf("the alert has the tags %q", got)
	}
	if rule := r.RuleOf(id); rule == nil || !strings.Contains(rule.Description, "none should be") || rule.Line != 1 || !strings.Contains(rule.Status, "not evaluable here") {
		t.Errorf("the rule is %+v", rule)
	}
	if info := r.RuleInfos()[0]; info.State != RuleShown || info.Hits != 2 || !strings.Contains(info.Why, "system calls") {
		t.Errorf("the rule is listed as %+v", info)
	}
	if text, err := r.RuleText(id); err != nil || !strings.Contains(text, "proc.name in (bash, sh)") {
		t.Errorf("its text is %q, %v", text, err)
	}
	var ev []triage.Evidence
	r.until("it is pinned", func() bool {
		var err error
		if ev, err = r.Desk().Evidence(a.ID); err != nil {
			t.Fatal(err)
		}
		return len(ev) > 0
	})
	rec, err := r.Reparse(ev[0])
	if err != nil {
		t.Fatal(err)
	}
	if tree := r.Tree(id, rec); tree == nil || !strings.Contains(tree.Text, "system calls") {
		t.Errorf("the tree is %+v", tree)
	}
	choices, err := r.Choices(id, rec, a.Group)
	if err != nil || len(choices) < 2 {
		t.Fatal(choices, err)
	}
	x := Exception{Rule: id, Where: choices, Owner: "ana", Reason: "ours", Expires: time.Now().Add(24 * time.Hour)}
	for i := range x.Where {
		x.Where[i].Picked = x.Where[i].Field == "proc.name"
	}
	p, err := r.Preview(t.Context(), x)
	if err != nil || p.Hidden == 0 || p.Hidden == p.Hits || !strings.Contains(p.Text, "override:") || !strings.Contains(p.On, "where the rule runs") {
		t.Fatalf("preview %+v, %v", p, err)
	}
	file, err := r.Except(x, triage.AlertVersion{ID: a.ID, Version: a.Version}, triage.Actor{Name: "ana"})
	if err != nil || !strings.HasSuffix(file, ".yml") {
		t.Fatal(file, err)
	}
}

// TestExpiredExceptionIsSaid loads one that has ended: the rule hits again, and what
// it would have taken out is counted.
func TestExpiredExceptionIsSaid(t *testing.T) {
	d := newRuleDir(t)
	d.write("a.yml", sigmaRule("aaaa", "boom", 1))
	d.write("x.yml", `title: Exception to boom
id: xxxx
logsource: {product: linux}
filter:
  rules: [aaaa]
  s: {host.name: web-1}
  condition: not s
owner: ana
reason: a drill
expires: 2026-01-31
`)
	b := newBench(t, "a.log")
	b.opt = d.options
	r := b.start()
	now := time.Now()
	b.write("a.log", stamped(now, "boom")+strings.Replace(stamped(now, "boom"), "web-1", "web-2", 1))
	r.until("both hit", func() bool { return r.count("aaaa") == 2 })
	if s := r.Status(); s.Expired != 1 {
		t.Errorf("the status is %+v", s)
	}
	for _, i := range r.RuleInfos() {
		if i.Rule.ID == "xxxx" && (i.State != RuleExpired || i.Hits != 1 || !strings.Contains(i.Why, "expired 2026-02-01") || !strings.Contains(i.Why, "1 hits")) {
			t.Errorf("it is listed as %+v", i)
		}
	}
}

// TestExceptionEndsByItself reaches its end while the engine runs.
func TestExceptionEndsByItself(t *testing.T) {
	s := &ruleSet{expiring: []time.Time{time.Unix(100, 0)}}
	if s.expiryDue(time.Unix(99, 0)) || !s.expiryDue(time.Unix(100, 0)) {
		t.Error("the end is not seen, or too early")
	}
}

// TestRuleText cuts a rule out of a file of several.
func TestRuleText(t *testing.T) {
	d := newRuleDir(t)
	d.write("two.yml", sigmaRule("aaaa", "boom", 3))
	f, err := d.load()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range f.Loaded.Rules {
		text, err := ruleText(r)
		if err != nil || !strings.HasPrefix(text, "title: "+r.Title) || strings.Contains(text, "---") {
			t.Errorf("%s: %q, %v", r.ID, text, err)
		}
	}
	gone := *f.Loaded.Rules[0]
	gone.File = d.dir
	if _, err := ruleText(&gone); err == nil {
		t.Error("a folder was read as a rule")
	}
}
