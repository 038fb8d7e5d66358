package sigma

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"bartizan/detect"
	"bartizan/event"
)

// bases are rules to correlate: events with act=fail, act=ok.
const bases = `title: Failed
id: r-fail
name: failed
level: low
logsource: {product: test}
detection: {s: {act: fail}, condition: s}
---
title: Fine
id: r-ok
name: fine
level: low
logsource: {product: test}
detection: {s: {act: ok}, condition: s}
---
`

// correlationOf writes a correlation around the lines given; they begin on line 5.
func correlationOf(id, lines string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "title: c %s\nid: %s\nlevel: high\ncorrelation:\n", id, id)
	for line := range strings.SplitSeq(strings.Trim(lines, "\n"), "\n") {
		b.WriteString("  " + line + "\n")
	}
	return b.String()
}

// run matches events "second name=value …" against linked rules and returns
// "id@second" of what hits, whatever is left at the end included.
func run(l detect.Loaded, steps ...string) (out []string) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	c := detect.NewCorrelator(func() time.Time { return now }, l.Rules)
	m := detect.NewSet(l.Rules).NewMatcher()
	say := func(done []detect.Completed) {
		for _, d := range done {
			out = append(out, fmt.Sprintf("%s@%g", d.Rule.ID, d.Event.Time.Sub(now).Seconds()))
		}
	}
	for _, s := range steps {
		words := strings.Fields(s)
		var pairs []any
		for _, w := range words[1:] {
			k, v, _ := strings.Cut(w, "=")
			pairs = append(pairs, k, v)
		}
		d, err := time.ParseDuration(words[0] + "s")
		if err != nil {
			panic(err)
		}
		e := eventOf(s, pairs...)
		e.Time, e.Seen = now.Add(d), now.Add(d)
		for _, r := range m.Match(e, nil) {
			say(c.Take(r, e))
		}
	}
	say(c.Flush())
	return out
}

func linked(t *testing.T, o Options, src string) detect.Loaded {
	t.Helper()
	l := o.Parse("r.yml", []byte(src))
	Link(&l)
	if len(l.Refused) > 0 {
		t.Fatalf("refused %v", l.Refused)
	}
	return l
}

func TestCorrelationRules(t *testing.T) {
	const brute = "type: event_count\nrules: [failed]\ngroup-by: [user]\ntimespan: 1m\ncondition: {gte: 2}"
	for _, c := range []struct {
		name, src string
		steps     []string
		want      string
	}{
		{
			"by name, members silent", correlationOf("c", brute),
			[]string{"0 act=fail user=x", "1 act=fail user=y", "2 act=fail user=x", "3 act=ok user=x"},
			"c@2 r-ok@3",
		},
		{
			"by id, generate", correlationOf("c", strings.Replace(brute, "failed", "r-fail", 1)+"\ngenerate: true"),
			[]string{"0 act=fail user=x", "2 act=fail user=x"},
			"r-fail@0 r-fail@2 c@2",
		},
		{
			"chain", correlationOf("c", brute) + "---\n" + correlationOf("d", "type: temporal_ordered\nrules: [c, fine]\ngroup-by: user\ntimespan: 5m"),
			[]string{"0 act=fail user=x", "1 act=ok user=x", "2 act=fail user=x", "3 act=ok user=y", "4 act=ok user=x"},
			"d@4",
		},
		{
			"alias", correlationOf("c", "type: temporal\nrules: [failed, fine]\naliases: {who: {failed: src, r-ok: dst}}\ngroup-by: [who]\ntimespan: 5m"),
			[]string{"0 act=fail src=a dst=b", "1 act=ok src=a dst=b", "2 act=ok src=c dst=a"},
			"c@2",
		},
		{
			"range", correlationOf("c", strings.Replace(brute, "{gte: 2}", "{gte: 2, lte: 2}", 1)),
			[]string{"0 act=fail user=x", "1 act=fail user=x", "2 act=fail user=x", "3 act=fail user=y", "4 act=fail user=y"},
			"c@4",
		},
		{
			"values", correlationOf("c", "type: value_count\nrules: [failed]\ntimespan: 1h\ncondition: {gt: 1, field: [user, host]}"),
			[]string{"0 act=fail user=x host=1", "1 act=fail user=x host=1", "2 act=fail user=x host=2"},
			"c@2",
		},
		{
			"percentile", correlationOf("c", "type: value_percentile\nrules: [failed]\ntimespan: 1h\ncondition: {gte: 5, field: n, percentile: 100}"),
			[]string{"0 act=fail n=1", "1 act=fail n=5"},
			"c@1",
		},
		{
			"extended, rules from the condition", correlationOf("c", "type: temporal\ngroup-by: [user]\ntimespan: 1m\ncondition: failed and not fine"),
			[]string{"0 act=fail user=x", "1 act=fail user=y", "2 act=ok user=y"},
			"c@0",
		},
	} {
		l := linked(t, Options{}, bases+c.src)
		if got := strings.Join(run(l, c.steps...), " "); got != c.want {
			t.Errorf("%s: hits %q, want %q", c.name, got, c.want)
		}
		more := l
		Link(&more)
		if got := strings.Join(run(more, c.steps...), " "); got != c.want {
			t.Errorf("%s, linked twice: hits %q", c.name, got)
		}
	}
}

// TestCorrelationRefusals: lines are those of correlationOf.
func TestCorrelationRefusals(t *testing.T) {
	const ok = "type: event_count\nrules: [r-fail]\ntimespan: 5m\n"
	for _, c := range []struct {
		lines  string
		line   int
		reason string
	}{
		{"type: rare\nrules: [r-fail]\ntimespan: 5m", 5, `"rare" is none of`},
		{"type: event_count\ntimespan: 5m\ncondition: {gte: 1}", 5, "names no rules"},
		{"type: event_count\nrules: []\ntimespan: 5m\ncondition: {gte: 1}", 6, "names no rules"},
		{"type: event_count\nrules: [r-fail]\ncondition: {gte: 1}", 5, "no timespan"},
		{"type: event_count\nrules: [r-fail]\ntimespan: 5 minutes\ncondition: {gte: 1}", 7, "a timespan is"},
		{"type: event_count\nrules: [r-fail]\ntimespan: 0s\ncondition: {gte: 1}", 7, "more than nothing"},
		{"type: event_count\nrules: [r-fail]\ntimespan: 2y\ncondition: {gte: 1}", 7, "at most 366 days"},
		{ok, 5, "no condition"},
		{ok + "condition: {}", 8, "compares nothing"},
		{ok + "condition: {over: 5}", 8, `"over"`},
		{ok + "condition: {gte: many}", 8, "needs a number"},
		{ok + "condition: {gte: .inf}", 8, "needs a number"},
		{ok + "condition: {gte: 200000}", 8, "at most 100000"},
		{ok + "condition: r-fail", 8, "only goes with temporal"},
		{ok + "condition: [1]", 8, "must be a map"},
		{ok + "condition: {gte: 1}\ngenerate: maybe", 9, "true or false"},
		{ok + "condition: {gte: 1}\nordered: true", 9, `"ordered"`},
		{ok + "condition: {gte: 1}\naliases: [x]", 9, "aliases must be"},
		{ok + "condition: {gte: 1}\naliases: {x: {r-fail: [a]}}", 9, "one field"},
		{ok + "condition: {gte: 1}\naliases: {x: {r-ok: a}}", 6, "not under rules"},
		{"type: value_sum\nrules: [r-fail]\ntimespan: 5m\ncondition: {gte: 1}", 8, "needs the field"},
		{"type: value_sum\nrules: [r-fail]\ntimespan: 5m\ncondition: {gte: 1, field: [a, b]}", 8, "takes one field"},
		{"type: value_percentile\nrules: [r-fail]\ntimespan: 5m\ncondition: {gte: 1, field: a}", 8, "percentile"},
		{"type: value_percentile\nrules: [r-fail]\ntimespan: 5m\ncondition: {gte: 1, field: a, percentile: 101}", 8, "0 to 100"},
		{"type: temporal_ordered\nrules: [r-fail, r-ok]\ntimespan: 5m\ncondition: {gte: 1}", 8, "all of its rules"},
		{"type: temporal\nrules: [r-fail]\ntimespan: 5m\ncondition: r-fail and r-ok", 8, "not under rules"},
		{"type: temporal\nrules: [r-fail]\ntimespan: 5m\ncondition: not r-fail", 8, "without any of its rules"},
		{"type: temporal\nrules: [r-fail]\ntimespan: 5m\ncondition: (r-fail", 8, "without its )"},
		{"type: temporal\nrules: [r-fail]\ntimespan: 5m\ncondition: r-fail r-ok", 8, "goes on"},
		{"type: temporal\nrules: [r-fail]\ntimespan: 5m\ncondition: 1 of r-*", 8, `"1" of`},
		{"type: temporal\nrules: [r-fail]\ntimespan: 5m\ncondition: " + strings.Repeat("(", 200) + "r-fail", 8, "nested deeper"},
		{"type: event_count\nrules: [nobody]\ntimespan: 5m\ncondition: {gte: 1}", 6, `"nobody"`},
		{"type: event_count\nrules: [r-new]\ntimespan: 5m\ncondition: {gte: 1}", 6, "stands on itself"},
		{"type: event_count\nrules: [r-filter]\ntimespan: 5m\ncondition: {gte: 1}", 6, "is a filter"},
		{"type: event_count\nrules: [twins]\ntimespan: 5m\ncondition: {gte: 1}", 6, "use an id"},
	} {
		const others = "title: a\nid: a\nname: twins\nlogsource: {product: x}\ndetection: {s: {a: b}, condition: s}\n---\n" +
			"title: b\nid: b\nname: twins\nlogsource: {product: x}\ndetection: {s: {a: b}, condition: s}\n---\n" +
			"title: f\nid: r-filter\nlogsource: {product: none}\nfilter: {s: {a: b}, condition: not s}\n"
		l := Parse("c.yml", []byte(correlationOf("r-new", c.lines)))
		l.Add(Parse("bases.yml", []byte(bases+others)))
		Link(&l)
		if len(l.Refused) != 1 || l.Refused[0].File != "c.yml" || l.Refused[0].Line != c.line || !strings.Contains(l.Refused[0].Reason, c.reason) || l.Refused[0].ID != "r-new" {
			t.Errorf("refused %+v, want line %d and %q:\n%s", l.Refused, c.line, c.reason, c.lines)
		}
	}
}

// TestLinkChains: loops and long chains are refused, and what stands on them.
func TestLinkChains(t *testing.T) {
	var src strings.Builder
	src.WriteString(bases)
	for i := range 14 {
		on := "r-fail"
		if i > 0 {
			on = fmt.Sprintf("c%d, c%d", i-1, i-1)
		}
		src.WriteString(correlationOf(fmt.Sprint("c", i), "type: event_count\nrules: ["+on+"]\ntimespan: 5m\ncondition: {gte: 1}") + "---\n")
	}
	for _, pair := range []string{"a b", "b a", "above a"} {
		id, on, _ := strings.Cut(pair, " ")
		src.WriteString(correlationOf(id, "type: event_count\nrules: ["+on+"]\ntimespan: 5m\ncondition: {gte: 1}") + "---\n")
	}
	l := Parse("r.yml", []byte(src.String()))
	Link(&l)
	var refused []string
	for _, r := range l.Refused {
		refused = append(refused, r.ID)
	}
	slices.Sort(refused)
	if want := []string{"a", "above", "b", "c10", "c11", "c12", "c13"}; !slices.Equal(refused, want) {
		t.Errorf("refused %v, want %v", refused, want)
	}
	if got := run(l, "0 act=fail"); !slices.Equal(got, []string{"c9@0"}) {
		t.Errorf("hits %v", got)
	}
}

// TestLinkAcrossFiles: the order of files does not matter, and who silences a rule
// of another file is told.
func TestLinkAcrossFiles(t *testing.T) {
	l := Parse("c.yml", []byte(correlationOf("c", "type: event_count\nrules: [failed]\ntimespan: 5m\ncondition: {gte: 1}")))
	l.Add(Parse("bases.yml", []byte(bases)))
	Link(&l)
	if len(l.Refused) != 0 || !slices.ContainsFunc(l.Warnings, func(w detect.Refusal) bool {
		return w.File == "c.yml" && strings.Contains(w.Reason, `"r-fail" (bases.yml:1) does not hit by itself`)
	}) {
		t.Errorf("refused %v, warned %v", l.Refused, l.Warnings)
	}
	if got := run(l, "0 act=fail", "1 act=ok"); !slices.Equal(got, []string{"c@0", "r-ok@1"}) {
		t.Errorf("hits %v", got)
	}
}

func TestFilters(t *testing.T) {
	filter := func(body string) string {
		return "title: f\nid: f\nlogsource: {product: test}\nfilter:\n  " + strings.ReplaceAll(body, "\n", "\n  ") + "\n"
	}
	steps := []string{"0 act=fail user=x", "1 act=fail user=svc", "2 act=ok user=svc"}
	for _, c := range []struct {
		name, body string
		opt        Options
		want, warn string
	}{
		{"a rule by name", "rules: [failed]\ns: {user: svc}\ncondition: not s", Options{}, "r-fail@0 r-ok@2", ""},
		{"a rule by id", "rules: r-fail\ns: {user: svc}\ncondition: not s", Options{}, "r-fail@0 r-ok@2", ""},
		{"all rules", "rules: any\ns: {user: svc}\ncondition: not s", Options{}, "r-fail@0", ""},
		{"all rules, unsaid", "s: {user: svc}\ncondition: not s", Options{}, "r-fail@0", ""},
		{"as it stands", "s: {user: svc}\ncondition: s", Options{}, "r-fail@1 r-ok@2", "tools differ"},
		{"the other reading", "s: {user: svc}\ncondition: s", Options{FiltersExclude: true}, "r-fail@0", ""},
		{"the other reading, negated", "s: {user: svc}\ncondition: not s", Options{FiltersExclude: true}, "r-fail@1 r-ok@2", "tools differ"},
		{"a rule that is not there", "rules: [nobody]\ns: {user: svc}\ncondition: not s", Options{}, "r-fail@0 r-fail@1 r-ok@2", "does not apply"},
		{"its names are its own", "selection_x: {user: svc}\ncondition: not 1 of selection*", Options{}, "r-fail@0", ""},
	} {
		l := linked(t, c.opt, bases+filter(c.body))
		if got := strings.Join(run(l, steps...), " "); got != c.want {
			t.Errorf("%s: hits %q, want %q", c.name, got, c.want)
		}
		said := fmt.Sprint(l.Warnings)
		if c.warn != "" && !strings.Contains(said, c.warn) || c.warn == "" && len(l.Warnings) > 0 {
			t.Errorf("%s: warned %v, want %q", c.name, l.Warnings, c.warn)
		}
	}
	other := linked(t, Options{}, bases+strings.Replace(filter("s: {user: svc}\ncondition: not s"), "product: test", "product: else", 1))
	if got := run(other, steps...); len(got) != 3 {
		t.Errorf("a filter for another log source: hits %v", got)
	}
}

// TestFilterAndCorrelation: a filter reaches what a correlation stands on, never
// the correlation; a filtered rule has another hash.
func TestFilterAndCorrelation(t *testing.T) {
	src := bases + correlationOf("c", "type: event_count\nrules: [failed]\ntimespan: 5m\ncondition: {gte: 2}") +
		"---\ntitle: f\nid: f\nlogsource: {product: test}\nfilter: {rules: [failed, c], s: {user: svc}, condition: not s}\n"
	l := linked(t, Options{}, src)
	if got := run(l, "0 act=fail user=svc", "1 act=fail user=x", "2 act=fail user=svc", "3 act=fail user=y"); !slices.Equal(got, []string{"c@3"}) {
		t.Errorf("hits %v", got)
	}
	if !strings.Contains(fmt.Sprint(l.Warnings), "never added to correlations") {
		t.Errorf("warned %v", l.Warnings)
	}
	plain := Parse("r.yml", []byte(src))
	if l.Rules[0].Hash == plain.Rules[0].Hash || !slices.Equal(l.Rules[0].Filters, []string{"f"}) || plain.Rules[0].Filters != nil {
		t.Errorf("filtered %+v", l.Rules[0])
	}
}

func TestFilterRefusals(t *testing.T) {
	for reason, body := range map[string]string{
		"no condition":   "filter: {s: {a: b}}",
		"must be a map":  "filter: [a]",
		"empty text":     "filter: {rules: ['', x], s: {a: b}, condition: not s}",
		"list of texts":  "filter: {rules: [[x]], s: {a: b}, condition: not s}",
		"no search has":  "filter: {s: {a: b}, condition: not t}",
		"must be a date": "filter: {s: {a: b}, condition: not s}\nexpires: 2026-02-30",
		"owner must be":  "filter: {s: {a: b}, condition: not s}\nowner: [a]",
		"no detection;":  "filter: {s: {a: b}, condition: not s}\ndetection: {s: {a: b}, condition: s}",
		"none of global": "action: correlation\nfilter: {s: {a: b}, condition: not s}",
	} {
		l := Parse("r.yml", []byte("title: f\nid: f\nlogsource: {product: test}\n"+body+"\n"))
		if len(l.Refused) != 1 || !strings.Contains(l.Refused[0].Reason, reason) {
			t.Errorf("refused %v, want %q", l.Refused, reason)
		}
	}
}

// TestAggregations: what stood behind a | before Sigma 2.0.
func TestAggregations(t *testing.T) {
	for _, c := range []struct {
		detection string
		steps     []string
		want      string
	}{
		{
			"sel: {act: fail}\ntimeframe: 10s\ncondition: sel | count() > 1",
			[]string{"0 act=fail", "11 act=fail", "12 act=ok", "13 act=fail"},
			"r1@13",
		},
		{
			"sel: {act: fail}\ntimeframe: 10s\ncondition: sel|count() by user, host >= 2",
			[]string{"0 act=fail user=x host=1", "1 act=fail user=x host=2", "2 act=fail user=x host=1"},
			"r1@2",
		},
		{
			"sel: {act: fail}\ntimeframe: 10s\ncondition: sel | count(user) by host > 1",
			[]string{"0 act=fail user=x host=1", "1 act=fail user=x host=1", "2 act=fail user=y host=1"},
			"r1@2",
		},
		{
			"sel: {act: fail}\ntimeframe: 10s\ncondition: sel | COUNT() < 2",
			[]string{"0 act=fail", "1 act=fail", "40 act=fail"},
			"r1@40",
		},
		{
			"sel: {act: fail}\ntimeframe: 10s\ncondition: sel | sum(n) > 9.5",
			[]string{"0 act=fail n=5", "1 act=fail n=4", "2 act=fail n=1"},
			"r1@2",
		},
		{
			"sel: {act: fail}\ntimeframe: 10s\ncondition: sel | avg(n) == 3",
			[]string{"0 act=fail n=5", "1 act=fail n=1"},
			"r1@1",
		},
		{
			"sel: {act: fail}\ntimeframe: 10s\ncondition: sel | max(n) >= 9",
			[]string{"0 act=fail n=5", "1 act=fail n=9"},
			"r1@1",
		},
		{
			"sel: {act: fail}\ntimeframe: 10s\ncondition: sel | min(n) >= 6",
			[]string{"0 act=fail n=5", "8 act=fail n=9", "11 act=fail n=7"},
			"r1@11",
		},
		{
			"sel: {act: fail}\nx: {act: ok}\ntimeframe: 10s\ncondition: sel | near x",
			[]string{"0 act=ok", "1 act=ok", "11 act=fail"},
			"r1@11",
		},
		{
			"sel: {act: fail}\nx: {act: ok}\ny: {act: no}\ntimeframe: 10s\ncondition: (sel) | near x and not y",
			[]string{"0 act=ok", "1 act=fail", "2 act=no", "40 act=ok", "41 act=fail"},
			"r1@41",
		},
	} {
		l := linked(t, Options{}, string(ruleOf(c.detection)))
		if got := strings.Join(run(l, c.steps...), " "); got != c.want {
			t.Errorf("hits %q, want %q:\n%s", got, c.want, c.detection)
		}
	}
}

// TestFilteredNear: a rule with near was cut into pieces; a filter by its id
// reaches them.
func TestFilteredNear(t *testing.T) {
	l := linked(t, Options{}, string(ruleOf("sel: {act: fail}\nx: {act: ok}\ntimeframe: 10s\ncondition: sel | near x"))+
		"---\ntitle: f\nid: f\nlogsource: {product: test}\nfilter: {rules: [r1], s: {user: svc}, condition: not s}\n")
	if got := run(l, "0 act=ok user=svc", "1 act=fail", "40 act=ok", "41 act=fail"); !slices.Equal(got, []string{"r1@41"}) {
		t.Errorf("hits %v, warned %v", got, l.Warnings)
	}
}

func TestExpand(t *testing.T) {
	o := Options{Lists: map[string][]string{"admins": {"root", `adm*`, `CORP\eve`}, "nets": {"10.0.0.0/8", "192.0.2.1"}, "max": {"5"}, "one_1": {"x"}}}
	for _, c := range []struct {
		detection string
		yes, no   []*event.Event
	}{
		{`sel: {u|expand: '%admins%'}`, []*event.Event{f("u", "ROOT"), f("u", "admin7"), f("u", `corp\eve`)}, []*event.Event{f("u", "%admins%"), f("u", "bob")}},
		{`sel: {u|expand: ['%admins%', bob]}`, []*event.Event{f("u", "bob"), f("u", "root")}, []*event.Event{f("u", "alice")}},
		{`sel: {u|contains|expand: '%admins%'}`, []*event.Event{f("u", "x-root-x")}, []*event.Event{f("u", "x")}},
		{`sel: {u|expand: 'a-%admins%-%one_1%*'}`, []*event.Event{f("u", "a-root-x"), f("u", "a-adm77-xyz")}, []*event.Event{f("u", "a-root"), f("u", "root")}},
		{`sel: {u|expand: '100\% %one_1%'}`, []*event.Event{f("u", "100% x")}, []*event.Event{f("u", `100\% x`)}},
		{`sel: {u|expand: 'plain 5% off'}`, []*event.Event{f("u", "plain 5% off")}, []*event.Event{f("u", "plain")}},
		{`sel: {u|contains|all|expand: ['%admins%', '%one_1%']}`, []*event.Event{f("u", "root x")}, []*event.Event{f("u", "root"), f("u", "x")}},
		{`sel: {u|cidr|expand: '%nets%'}`, []*event.Event{f("u", "10.9.9.9"), f("u", "192.0.2.1")}, []*event.Event{f("u", "192.0.2.2")}},
		{`sel: {u|gt|expand: '%max%'}`, []*event.Event{f("u", 6)}, []*event.Event{f("u", 5)}},
	} {
		l := linked(t, o, string(ruleOf(c.detection)))
		m := detect.NewSet(l.Rules).NewMatcher()
		for _, e := range c.yes {
			if len(m.Match(e, nil)) != 1 {
				t.Errorf("should match %v:\n%s", e.Fields, c.detection)
			}
		}
		for _, e := range c.no {
			if len(m.Match(e, nil)) != 0 {
				t.Errorf("should not match %v:\n%s", e.Fields, c.detection)
			}
		}
	}
	bomb := Options{Lists: map[string][]string{"a": make([]string, 3000)}}
	if l := bomb.Parse("r.yml", ruleOf(`sel: {u|expand: '%a%%a%%a%'}`)); len(l.Refused) != 1 || !strings.Contains(l.Refused[0].Reason, "shorten the lists") {
		t.Errorf("27 billion values: %v", l.Refused)
	}
}

// TestTimeParts: parts of a time as it is written, in three spellings.
func TestTimeParts(t *testing.T) {
	iso, web, old := f("t", "2026-03-01T04:05:06Z"), f("t", "01/Mar/2026:04:05:06 +0000"), f("t", "Mar  1 04:05:06")
	late := f("t", "2025-12-29 23:59:59")
	checkMatches(t, []matchCase{
		{`sel: {t|minute: 5}`, []*event.Event{iso, web, old}, []*event.Event{late, f("t", "5")}},
		{`sel: {t|hour: 4}`, []*event.Event{iso, web, old}, []*event.Event{late}},
		{`sel: {t|hour|gte: 22}`, []*event.Event{late}, []*event.Event{iso, web, old}},
		{`sel: {t|hour: [3, 4]}`, []*event.Event{iso, web, old}, []*event.Event{late}},
		{`sel: {t|hour|neq: 4}`, []*event.Event{late, f("x", 1)}, []*event.Event{iso, web, old}},
		{`sel: {t|day: 1}`, []*event.Event{iso, web, old}, []*event.Event{late, f("t", "Mar 11 04:05:06"), f("t", "2026-03-11T04:05:06Z")}},
		{`sel: {t|month: 3}`, []*event.Event{iso, web, old}, []*event.Event{late}},
		{`sel: {t|month|lt: 4}`, []*event.Event{iso, web, old}, []*event.Event{late}},
		{`sel: {t|year: 2026}`, []*event.Event{iso, web}, []*event.Event{late, old}},
		{`sel: {t|year|gt: 2025}`, []*event.Event{iso, web}, []*event.Event{late}},
		{`sel: {t|week: 1}`, []*event.Event{late, f("t", "2026-01-04T00:00:00Z")}, []*event.Event{iso, f("t", "2026-01-05T00:00:00Z")}},
		{`sel: {t|week|lte: 9}`, []*event.Event{iso, late}, []*event.Event{f("t", "2026-03-02T00:00:00Z")}},
		{`sel: {t|week|gt: 53}`, nil, []*event.Event{iso, late}},
	})
}
