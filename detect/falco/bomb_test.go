package falco_test

import (
	"fmt"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"bartizan/detect"
	"bartizan/detect/falco"
)

// most is what loading may use above what is used anyway, in bytes.
const most = 64 << 20

// peak runs work and returns how far memory in use rose meanwhile: the heap with
// its garbage, and stacks.
func peak(work func()) int64 {
	runtime.GC()
	samples := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	used := func() int64 {
		metrics.Read(samples)
		return int64(samples[0].Value.Uint64() + samples[1].Value.Uint64())
	}
	before, top := used(), int64(0)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(200 * time.Microsecond)
		defer tick.Stop()
		for {
			top = max(top, used())
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	}()
	work()
	close(stop)
	<-stopped
	return max(top, used()) - before
}

// bombs are files made to cost much.
func bombs() map[string]string {
	doubling := "- macro: m0\n  condition: evt.num > 0\n"
	lists := "- list: l0\n  items: [" + strings.Repeat("x, ", 50_000) + "x]\n"
	deep := "- macro: d0\n  condition: evt.num > 0\n"
	for i := 1; i < 60; i++ {
		doubling += fmt.Sprintf("- macro: m%d\n  condition: m%d and m%d\n", i, i-1, i-1)
		lists += fmt.Sprintf("- list: l%d\n  items: [l%d, l%d]\n", i, i-1, i-1)
	}
	for i := 1; i < 200; i++ {
		deep += fmt.Sprintf("- macro: d%d\n  condition: d%d\n", i, i-1)
	}
	many := "- macro: m\n  condition: " + strings.Repeat("ka.verb = x or ", 9_000) + "ka.verb = y\n"
	for i := range 1000 {
		many += strings.Replace(ruleOf("k8s_audit", "m"), "rule: one", fmt.Sprintf("rule: r%d", i), 1)
	}
	documents := strings.Repeat("---\n- [x, x, x, x, x, x, x, x, x, x]\n", 50_000)
	alias := "- &a [x, x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c < 'k'; c++ {
		alias += fmt.Sprintf("- &%c [%s]\n", c, strings.Repeat(fmt.Sprintf("*%c, ", c-1), 9)+fmt.Sprintf("*%c", c-1))
	}
	merge := "- list: l0\n  items: [x]\n"
	appends := "- rule: one\n  desc: d\n  condition: ka.verb = x\n  output: x\n  priority: INFO\n  source: k8s_audit\n" +
		strings.Repeat("- rule: one\n  append: true\n  condition: or ka.verb = y\n", 30_000)
	exceptions := ruleOf("k8s_audit", "ka.verb = x") + "  exceptions:\n  - name: n\n    fields: [ka.verb]\n    values:\n" + strings.Repeat("    - [x]\n", 45_000)
	output := "- rule: one\n  desc: d\n  condition: ka.verb = x\n  output: '" + strings.Repeat("%ka.verb ", 400_000) + "'\n  priority: INFO\n  source: k8s_audit\n"
	return map[string]string{
		"many repetitions": ruleOf("k8s_audit", strings.Repeat(`ka.verb regex "x{999}y{999}z{999}" or `, 400)+"ka.verb = x"),
		"appends":          appends, "exceptions": exceptions, "output": output, "cycle": "- macro: a\n  condition: b\n- macro: b\n  condition: a\n" + ruleOf("k8s_audit", "a"),
		"a macro of its own": "- macro: a\n  condition: a\n" + ruleOf("k8s_audit", "a"), "nested maps": strings.Repeat("- {a: ", 50_000), "one line": "- list: l\n  items: [" + strings.Repeat("xxxxxxxxxxxxxxxxxxxx,", 190_000) + "x]\n",
		"anchors": merge + strings.Repeat("- list: l\n  items: &a [x]\n- list: m\n  items: *a\n", 30_000), "globs": ruleOf("k8s_audit", `ka.verb glob "`+strings.Repeat("*a", 3_000)+`"`), "long name": "- list: " + strings.Repeat("n", 3_900_000) + "\n  items: []\n",
		"doubling macros": doubling + ruleOf("k8s_audit", "m59"), "doubling lists": lists + ruleOf("k8s_audit", "ka.verb in (l59)"),
		"a chain of macros": deep + ruleOf("k8s_audit", "d199"), "aliases": alias, "a macro in many rules": many, "documents": documents, "a million values": "- list: l\n  items: [" + strings.Repeat("x,", 1_000_000) + "x]\n",
		"brackets": "- list: l\n  items: " + strings.Repeat("[", 100_000), "nots": ruleOf("k8s_audit", strings.Repeat("not ", 100_000)+"x"),
		"parentheses": ruleOf("k8s_audit", strings.Repeat("(", 1_000_000)), "ten megabytes": ruleOf("k8s_audit", strings.Repeat("ka.verb = x or ", 700_000)+"ka.verb = y"),
		"many parts": ruleOf("k8s_audit", strings.Repeat("ka.verb = x or ", 50_000)+"ka.verb = y"), "an expression": ruleOf("k8s_audit", `ka.verb regex "((((a{99}){99}){99}){99})"`),
	}
}

// TestBombs loads files made to cost much: they are refused, or loaded, within the
// bound on memory.
func TestBombs(t *testing.T) {
	loads := map[string]bool{"exceptions": true, "globs": true, "long name": true}
	for name, src := range bombs() {
		var got detect.Loaded
		used := peak(func() { got = parse1(src) })
		t.Logf("%s: %d KiB, %d rules, %d refused", name, used>>10, len(got.Rules), len(got.Refused))
		for _, r := range got.Refused[:min(1, len(got.Refused))] {
			t.Logf("  %.160s", r.Reason)
		}
		if len(got.Refused) == 0 && !loads[name] {
			t.Errorf("%s is not refused", name)
		}
		if used > most {
			t.Errorf("%s: %d KiB in use", name, used>>10)
		}
	}
}

// TestLargeListLoads: what is within the bounds is loaded.
func TestLargeListLoads(t *testing.T) {
	var items []string
	for i := range 95_000 {
		items = append(items, fmt.Sprintf("v%d", i))
	}
	src := "- list: l\n  items: [" + strings.Join(items, ",") + "]\n" + ruleOf("k8s_audit", "ka.verb in (l)")
	var large detect.Loaded
	if used := peak(func() { large = parse1(src) }); used > most {
		t.Errorf("%d KiB in use", used>>10)
	}
	if len(large.Rules) != 1 || !falco.Evaluable(large.Rules[0]) {
		t.Errorf("a list of 95,000 values: %v", large.Refused)
	}
}
