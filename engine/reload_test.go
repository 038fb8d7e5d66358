package engine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"bartizan/detect/sigma"
	"bartizan/triage"
)

// ruleDir is a folder of Sigma rules that an engine reads again.
type ruleDir struct {
	t    *testing.T
	dir  string
	mu   sync.Mutex
	fail error
	told []Reload
}

func newRuleDir(t *testing.T) *ruleDir {
	return &ruleDir{t: t, dir: filepath.Join(t.TempDir(), "rules")}
}

func (d *ruleDir) write(name, text string) {
	d.t.Helper()
	if err := os.MkdirAll(d.dir, 0o755); err != nil {
		d.t.Fatal(err)
	}
	tmp := filepath.Join(d.dir, name+".tmp")
	if err := os.WriteFile(tmp, []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
	if err := os.Rename(tmp, filepath.Join(d.dir, name)); err != nil {
		d.t.Fatal(err)
	}
}

func (d *ruleDir) load() (RuleFiles, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail != nil {
		return RuleFiles{}, d.fail
	}
	return RuleFiles{Loaded: sigma.LoadDir(d.dir), Places: []string{d.dir}}, nil
}

func (d *ruleDir) options(o *Options) {
	o.RulesRead = time.Now()
	f, _ := d.load() // fails only when told to
	o.Rules, o.RulePlaces, o.LoadRules, o.OwnRules = f.Loaded, f.Places, d.load, d.dir
	o.Reloaded = func(r Reload) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.told = append(d.told, r)
	}
}

// sigmaRule is a rule that looks for a word; count > 1 makes a correlation over it.
func sigmaRule(id, word string, count int) string {
	text := fmt.Sprintf(`title: Look for %[2]s
id: %[1]s
name: base-%[2]s
logsource: {product: linux}
detection:
  words: ['%[2]s']
  condition: words
level: high
bartizan:
  group_by: [host.name]
`, id, word)
	if count > 1 {
		text += fmt.Sprintf(`---
title: Many %[2]s
id: %[1]s-many
correlation:
  type: event_count
  rules: [base-%[2]s]
  group-by: [host.name]
  timespan: 1h
  condition: {gte: %[3]d}
level: high
`, id, word, count)
	}
	return text
}

// TestStateSurvivesAReload counts three events before and two after a reload that
// changes another rule: the window of five becomes full. Then the counting rule
// itself changes, and counts from the beginning.
func TestStateSurvivesAReload(t *testing.T) {
	d := newRuleDir(t)
	d.write("count.yml", sigmaRule("aaaa", "boom", 5))
	d.write("other.yml", sigmaRule("bbbb", "fizz", 1))
	b := newBench(t, "a.log")
	b.opt = d.options
	r := b.start()
	now := time.Now()
	b.write("a.log", stamped(now, "boom 1")+stamped(now, "boom 2")+stamped(now, "boom 3")+stamped(now, "fizz"))
	r.until("the other rule hit", func() bool { return r.count("bbbb") == 1 })
	d.write("other.yml", sigmaRule("bbbb", "buzz", 1))
	d.write("third.yml", sigmaRule("cccc", "ping", 1))
	got := r.Reload("test")
	if s := got.String(); !strings.Contains(s, "1 added") || !strings.Contains(s, "1 changed") {
		t.Fatalf("the reload says %q, %q", s, got.Lines())
	}
	b.write("a.log", stamped(now, "boom 4")+stamped(now, "boom 5")+stamped(now, "ping")+stamped(now, "buzz"))
	r.until("the window became full across the reload", func() bool { return r.count("aaaa-many") == 1 && r.count("cccc") == 1 && r.count("bbbb") == 2 })
	d.write("count.yml", sigmaRule("aaaa", "boom", 6))
	r.Reload("test")
	b.write("a.log", stamped(now, "boom 6")+stamped(now, "buzz"))
	r.until("all was read", func() bool { return r.count("bbbb") == 3 })
	if w := r.Windows("aaaa-many"); len(w) != 1 || w[0].Count != 1 {
		t.Errorf("the windows of the changed rule are %+v", w)
	}
}

// TestRuleFileIsWatched changes, breaks, mends and removes rule files beside a
// running engine, which finds out by itself.
func TestRuleFileIsWatched(t *testing.T) {
	d := newRuleDir(t)
	d.write("a.yml", sigmaRule("aaaa", "boom", 1))
	b := newBench(t, "a.log")
	b.opt = d.options
	r := b.start()
	rules := func() int { n, _ := r.Rules(); return len(n) }
	for _, step := range []struct {
		what string
		do   func()
		want func() bool
	}{
		{"one was added", func() { d.write("b.yml", sigmaRule("bbbb", "fizz", 1)) }, func() bool { return rules() == 2 }},
		{"one in a new folder", func() {
			if err := os.MkdirAll(filepath.Join(d.dir, "sub"), 0o755); err != nil {
				t.Fatal(err)
			}
			d.write("sub/c.yml", sigmaRule("cccc", "ping", 1))
		}, func() bool { return rules() == 3 }},
		{"a broken file keeps its old version", func() { d.write("b.yml", "title: x\nid: bbbb\nlogsource: {product: linux}\n") }, func() bool {
			return strings.Contains(r.LastReload().String(), "1 broken, old version kept") && rules() == 3 && r.RuleOf("bbbb") != nil
		}},
		{"the broken file was mended", func() { d.write("b.yml", sigmaRule("bbbb", "buzz", 1)) }, func() bool {
			_, refused := r.Rules()
			return len(refused) == 0 && r.RuleOf("bbbb").Title == "Look for buzz"
		}},
		{"one was removed", func() {
			if err := os.Remove(filepath.Join(d.dir, "b.yml")); err != nil {
				t.Fatal(err)
			}
		}, func() bool { return rules() == 2 && r.LastReload().String() == "1 removed" }},
	} {
		step.do()
		r.until(step.what, step.want)
	}
	b.write("a.log", stamped(time.Now(), "ping"))
	r.until("what was added hits", func() bool { return r.count("cccc") == 1 })
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.told) < 5 {
		t.Errorf("told of %d reloads", len(d.told))
	}
}

// TestLinkedRuleFolderIsWatched changes a file behind a link to a folder, in place,
// then the link.
func TestLinkedRuleFolderIsWatched(t *testing.T) {
	d := newRuleDir(t)
	first, second := filepath.Join(filepath.Dir(d.dir), "first"), filepath.Join(filepath.Dir(d.dir), "second")
	put := func(dir, word string) {
		if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, "a.yml"), []byte(sigmaRule("aaaa", word, 1)), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	put(first, "boom")
	put(second, "ping")
	if err := os.Symlink(first, d.dir); err != nil {
		t.Fatal(err)
	}
	b := newBench(t, "a.log")
	b.opt = func(o *Options) { d.options(o); o.RulesRead = time.Time{} }
	r := b.start()
	b.write("a.log", stamped(time.Now(), "boom"))
	r.until("it runs", func() bool { return r.count("aaaa") == 1 })
	title := func(want string) func() bool { return func() bool { return r.RuleOf("aaaa").Title == want } }
	put(first, "fizz")
	r.until("a file behind the link is read again", title("Look for fizz"))
	if err := errors.Join(os.Symlink(second, d.dir+".new"), os.Rename(d.dir+".new", d.dir)); err != nil {
		t.Fatal(err)
	}
	r.until("the folder the link names now is read", title("Look for ping"))
}

// TestRulesThatCannotBeReadStay leaves the old rules in use.
func TestRulesThatCannotBeReadStay(t *testing.T) {
	d := newRuleDir(t)
	d.write("a.yml", sigmaRule("aaaa", "boom", 1))
	b := newBench(t, "a.log")
	b.opt = d.options
	r := b.start()
	d.mu.Lock()
	d.fail = errors.New("the config has no end")
	d.mu.Unlock()
	if got := r.Reload("test").String(); got != "the old rules stay: the config has no end" {
		t.Errorf("the reload says %q", got)
	}
	if r.RuleOf("aaaa") == nil || r.LastReload().Problem == "" {
		t.Error("the old rules did not stay")
	}
}

// TestExceptionHoldsAtOnce makes an exception from an alert: it is previewed,
// written, noted, in force, and never overwrites.
func TestExceptionHoldsAtOnce(t *testing.T) {
	d := newRuleDir(t)
	d.write("a.yml", sigmaRule("aaaa", "boom", 1))
	b := newBench(t, "a.log")
	b.opt = d.options
	r := b.start()
	now := time.Now()
	b.write("a.log", stamped(now, "boom one")+strings.Replace(stamped(now, "boom two"), "web-1", "web-2", 1))
	r.until("both hit", func() bool { return r.count("aaaa") == 2 })
	list, _ := r.Desk().Alerts()
	var on *triage.Alert
	for _, a := range list {
		if strings.Contains(a.Sample, "web-1") {
			on = a
		}
	}
	var ev []triage.Evidence
	r.until("both are pinned", func() bool {
		for _, a := range list {
			more, err := r.Desk().Evidence(a.ID)
			if err != nil {
				t.Fatal(err)
			}
			if len(more) == 0 {
				return false
			}
			if a == on {
				ev = more
			}
		}
		return true
	})
	rec, err := r.Reparse(ev[len(ev)-1])
	if err != nil {
		t.Fatal(err)
	}
	choices, err := r.Choices("aaaa", rec, nil)
	if err != nil {
		t.Fatal(err)
	}
	x := Exception{Rule: "aaaa", Where: choices, Owner: "ana", Reason: "a drill\nof ours", Expires: now.Add(48 * time.Hour)}
	if _, err := r.Preview(t.Context(), x); err == nil || !strings.Contains(err.Error(), "tick at least one") {
		t.Errorf("nothing was ticked: %v", err)
	}
	for i := range x.Where {
		x.Where[i].Picked = x.Where[i].Field == "hostname" || x.Where[i].Field == "host.name"
		if x.Where[i].Picked {
			x.Where[i].Value = "web-1"
		}
	}
	p, err := r.Preview(t.Context(), x)
	if err != nil || p.Hits != 2 || p.Hidden != 1 || len(p.Alerts) != 1 {
		t.Fatalf("preview %+v, %v", p, err)
	}
	by := triage.Actor{Name: "ana", UID: 1000}
	for _, bad := range []Exception{
		{Rule: "aaaa", Where: x.Where, Owner: "ana", Expires: x.Expires},
		{Rule: "aaaa", Where: x.Where, Owner: "ana", Reason: "r"},
		{Rule: "aaaa", Where: x.Where, Owner: "ana", Reason: "r", Expires: now.AddDate(3, 0, 0)},
		{Rule: "gone", Where: x.Where, Owner: "ana", Reason: "r", Expires: x.Expires},
		{Rule: "self:records-lost", Where: x.Where, Owner: "ana", Reason: "r", Expires: x.Expires},
	} {
		if file, err := r.Except(bad, triage.AlertVersion{ID: on.ID, Version: on.Version}, by); err == nil {
			t.Errorf("%+v was written to %s", bad, file)
		}
	}
	file, err := r.Except(x, triage.AlertVersion{ID: on.ID, Version: on.Version}, by)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Except(x, triage.AlertVersion{ID: on.ID, Version: on.Version + 1}, by); err == nil || !strings.Contains(err.Error(), "there already") {
		t.Errorf("written twice: %v", err)
	}
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), "owner: ana") {
		t.Fatalf("%s holds %s, %v", file, text, err)
	}
	if rows, err := r.Desk().Journal(on.ID, 10); err != nil || !strings.Contains(rows[len(rows)-1].Note, "a drill of ours") || rows[len(rows)-1].By.Name != "ana" {
		t.Fatalf("journal %+v, %v", rows, err)
	}
	before := r.count("aaaa")
	b.write("a.log", stamped(now, "boom three")+strings.Replace(stamped(now, "boom four"), "web-1", "web-3", 1))
	r.until("only the other host hits", func() bool { return r.count("aaaa") > before })
	if n := r.count("aaaa"); n != before+1 {
		t.Errorf("%d hits more, not 1", n-before)
	}
	entries, err := os.ReadDir(d.dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
}

// TestExceptionThatNobodyNoted is not written: the alert changed meanwhile.
func TestExceptionThatNobodyNoted(t *testing.T) {
	d := newRuleDir(t)
	d.write("a.yml", sigmaRule("aaaa", "boom", 1))
	b := newBench(t, "a.log")
	b.opt = d.options
	r := b.start()
	b.write("a.log", stamped(time.Now(), "boom"))
	r.until("it hit", func() bool { return r.count("aaaa") == 1 })
	list, _ := r.Desk().Alerts()
	x := Exception{Rule: "aaaa", Where: []Where{{Field: "host.name", Value: "web-*", Picked: true}}, Owner: "ana", Reason: "r", Expires: time.Now().Add(time.Hour)}
	if _, err := r.Except(x, triage.AlertVersion{ID: list[0].ID, Version: list[0].Version + 7}, triage.Actor{Name: "ana"}); !errors.Is(err, triage.ErrStale) {
		t.Errorf("the error is %v", err)
	}
	if entries, err := os.ReadDir(d.dir); err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
}

// absent is a correlation that hits where one word comes and another does not, within
// a minute before and after.
const absent = `title: Word one
id: one
name: one
logsource: {product: linux}
detection: {w: [alpha], condition: w}
level: low
---
title: Word two
id: two
name: two
logsource: {product: linux}
detection: {w: [omega], condition: w}
level: low
---
title: One without two
id: lonely
correlation:
  type: temporal
  rules: [one, two]
  group-by: [host.name]
  timespan: 1m
  condition: one and not two
level: high
`

// TestWhatIsAbsentInThePast hides a word without its companion far before what the
// ring shows: the window can only be judged when all of the past was read.
func TestWhatIsAbsentInThePast(t *testing.T) {
	d := newRuleDir(t)
	d.write("a.yml", absent)
	b := newBench(t, "a.log")
	b.opt = func(o *Options) { d.options(o); o.Ring = 1 << 20 }
	base := time.Now().Add(-10 * time.Hour)
	var text strings.Builder
	for i := range 30_000 {
		word := "quiet"
		switch i {
		case 200, 9_000: // the second one has company
			word = "alpha"
		case 9_010:
			word = "omega"
		}
		text.WriteString(stamped(base.Add(time.Duration(i)*time.Second), fmt.Sprintf("%s %06d and some words to fill the line", word, i)))
	}
	b.write("a.log", text.String())
	r := b.start()
	r.until("the lonely word is found", func() bool { return r.count("lonely") > 0 && r.Status().Progress == 1 })
	if n := r.count("lonely"); n != 1 {
		t.Errorf("%d hits, not 1", n)
	}
}

// TestWhatIsAbsentNow waits for a quiet source no longer than its lateness.
func TestWhatIsAbsentNow(t *testing.T) {
	d := newRuleDir(t)
	d.write("a.yml", absent)
	b := newBench(t, "a.log")
	b.opt = d.options
	r := b.start()
	b.write("a.log", stamped(time.Now().Add(-90*time.Second), "alpha"))
	r.until("the lonely word is found", func() bool { return r.count("lonely") == 1 })
}
