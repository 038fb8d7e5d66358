package engine

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"bartizan/detect"
)

// TestSlowRuleIsSwitchedOff lets a clock of its own pass ten milliseconds with every
// look at it: the rule goes, visibly, and everybody can see why; switched on again
// it hits, and stays off over a reload that leaves it alone.
func TestSlowRuleIsSwitchedOff(t *testing.T) {
	d := newRuleDir(t)
	d.write("a.yml", sigmaRule("aaaa", "boom", 1))
	b := newBench(t, "a.log")
	var slow atomic.Bool
	var clock atomic.Int64
	slow.Store(true)
	b.opt = func(o *Options) {
		d.options(o)
		o.RuleLimit = &detect.Limit{Mean: time.Millisecond, Samples: 4, Every: 1, Now: func() time.Duration {
			if slow.Load() {
				clock.Add(int64(10 * time.Millisecond))
			}
			return time.Duration(clock.Load())
		}}
	}
	r := b.start()
	now := time.Now()
	var text strings.Builder
	for i := range 50 {
		text.WriteString(stamped(now, fmt.Sprintf("boom %d", i)))
	}
	b.write("a.log", text.String())
	r.until("the rule is off and that is an alert", func() bool { return r.Status().RulesOff == 1 && r.count("self:rule-off") == 1 })
	hits := r.count("aaaa")
	list, _ := r.Desk().Alerts()
	for _, a := range list {
		if a.RuleID == "self:rule-off" && (!strings.Contains(a.Sample, "Look for boom") || !strings.Contains(a.Sample, "switched off") || a.Runbook == "" || r.RuleOf(a.RuleID) == nil) {
			t.Errorf("the alert says %q, %q", a.Sample, a.Runbook)
		}
	}
	info := r.RuleInfos()[0]
	if info.State != RuleOff || !strings.Contains(info.Why, "mean of") || hits == 0 || hits == 50 {
		t.Errorf("the rule is %+v after %d hits", info, hits)
	}
	slow.Store(false)
	d.write("b.yml", sigmaRule("bbbb", "fizz", 1))
	r.Reload("test")
	b.write("a.log", stamped(now, "boom off")+stamped(now, "fizz"))
	r.until("the other rule hits", func() bool { return r.count("bbbb") == 1 })
	if n := r.count("aaaa"); n != hits {
		t.Errorf("a rule that is off hit %d times", n-hits)
	}
	if err := r.SwitchOn("bbbb"); err == nil {
		t.Error("a rule that is on was switched on")
	}
	if err := r.SwitchOn("aaaa"); err != nil {
		t.Error(err)
	}
	b.write("a.log", stamped(now, "boom on"))
	r.until("it hits again", func() bool { return r.count("aaaa") == hits+1 && r.Status().RulesOff == 0 })
}
