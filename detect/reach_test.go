package detect

import (
	"strings"
	"testing"

	"bartizan/event"
	"bartizan/query"
)

func reachRules(t *testing.T) []*Rule {
	t.Helper()
	rule := func(id, product, service, cond string) *Rule {
		n, err := query.Parse(cond)
		if err != nil {
			t.Fatal(err)
		}
		return &Rule{ID: id, Kind: KindSigma, LogSource: event.LogSource{Product: product, Service: service}, Cond: n}
	}
	over := func(id string, c Correlation) *Rule { return &Rule{ID: id, Kind: KindSigma, Correlation: &c} }
	return []*Rule{
		rule("full", "linux", "sshd", "event: failed and user: root"),
		rule("upper", "Linux", "SSHD", "event: failed"),
		rule("part", "linux", "sshd", "event: failed or color: red"),
		rule("exclusion", "linux", "sshd", "event: failed and not color: red"),
		rule("lacking", "linux", "sshd", "event: failed and color: red"),
		rule("elsewhere", "windows", "security", "EventID: 1"),
		rule("keyword", "linux", "", `"root"`),
		rule("pseudo", "linux", "sshd", "level >= warning"),
		rule("kind", "linux", "audit", "type: EXECVE and a0: sh"),
		rule("otherkind", "linux", "audit", "type: EXECVE and exe: sh"),
		{ID: "shown", Kind: KindFalco, Status: "not evaluable here"},
		over("count", Correlation{Type: EventCount, Rules: []string{"lacking", "full"}, GroupBy: []string{"user"}}),
		over("group", Correlation{Type: EventCount, Rules: []string{"full"}, GroupBy: []string{"color"}}),
		over("alias", Correlation{Type: EventCount, Rules: []string{"full"}, GroupBy: []string{"who"}, Aliases: map[string]map[string]string{"who": {"full": "user"}}}),
		over("all", Correlation{Type: Temporal, Rules: []string{"full", "lacking"}}),
		over("some", Correlation{Type: Temporal, Rules: []string{"full", "lacking"}, Bounds: []Bound{{BoundGte, 1}}}),
		over("without", Correlation{Type: Temporal, Rules: []string{"full", "lacking"}, Expr: &Expr{Op: ExprAnd, Parts: []Expr{
			{Op: ExprRule, Rule: "full"},
			{Op: ExprNot, Parts: []Expr{{Op: ExprRule, Rule: "lacking"}}},
		}}}),
		over("chain", Correlation{Type: EventCount, Rules: []string{"alias"}, Fields: []string{"color"}}),
		over("gone", Correlation{Type: EventCount, Rules: []string{"nowhere"}}),
	}
}

func TestReach(t *testing.T) {
	gives := func(names string) func(string) bool {
		return func(f string) bool { return strings.Contains(" "+names+" ", " "+f+" ") }
	}
	linux := func(service string) event.LogSource { return event.LogSource{Product: "linux", Service: service} }
	rules := reachRules(t)
	x := NewReacher(rules, []Supply{
		{Name: "sshd", LogSource: linux("sshd"), Gives: gives("event user")},
		{Name: "auditd", LogSource: linux("audit"), Gives: gives("type a0"), Kind: "type", Kinds: []string{"EXECVE"}},
		{Name: "auditd", LogSource: linux("audit"), Gives: gives("type exe"), Kind: "type", Kinds: []string{"SYSCALL", "CWD"}},
	})
	want := map[string]string{
		"full": "full sshd", "upper": "full sshd", "part": "part sshd color", "exclusion": "part sshd color",
		"lacking": "none sshd color", "elsewhere": "none", "keyword": "full sshd", "pseudo": "full sshd",
		"kind": "full auditd", "otherkind": "none auditd exe", "shown": "none",
		"count": "part sshd color", "group": "none sshd color", "alias": "full sshd", "all": "none sshd color",
		"some": "part sshd color", "without": "part sshd color", "chain": "none sshd color", "gone": "none",
	}
	for _, r := range rules {
		got := x.Reach(r)
		if s := strings.TrimSpace(strings.TrimSpace(got.State.String()+" "+got.By) + " " + strings.Join(got.Missing, ",")); s != want[r.ID] {
			t.Errorf("%s: %s, not %s", r.ID, s, want[r.ID])
		}
		if (got.Why == "") != (got.State == ReachFull) {
			t.Errorf("%s is %s because %q", r.ID, got.State, got.Why)
		}
	}
}
