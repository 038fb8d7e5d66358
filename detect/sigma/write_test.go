package sigma

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"time"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/query"

	"pgregory.net/rapid"
)

func parsed(t *testing.T, text string) query.Node {
	t.Helper()
	n, err := query.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func written(t *testing.T, d Document) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestWriteRule(t *testing.T) {
	got := written(t, Document{
		Title: "Root from outside", ID: "5f0c5d7e-0000-4000-8000-0000000000aa", Level: detect.High,
		Date: time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC), Author: "A. Nyone", Tags: []string{"attack.t1110"},
		LogSource: event.LogSource{Product: "linux", Service: "sshd"},
		Cond:      parsed(t, `user.name: (root or admin*) and event: accepted_* and not source.ip: 10.0.0.0/8`),
		Runbook:   "Ask who it was.",
	})
	want := `title: Root from outside
id: 5f0c5d7e-0000-4000-8000-0000000000aa
status: experimental
author: A. Nyone
date: 2026-11-03
tags:
    - attack.t1110
logsource:
    product: linux
    service: sshd
detection:
    selection_1:
        user.name: root
    selection_2:
        user.name|startswith: admin
    selection_3:
        event|startswith: accepted_
    filter:
        source.ip|cidr: 10.0.0.0/8
    condition: (selection_1 or selection_2) and selection_3 and not filter
level: high
bartizan:
    runbook: Ask who it was.
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestWriteFilter(t *testing.T) {
	d := Document{
		Title: "Backups of db-1", ID: "5f0c5d7e-0000-4000-8000-0000000000bb",
		LogSource: event.LogSource{Product: "linux"}, Filter: []string{"r1"},
		Cond:  parsed(t, `host.name: db-1 and process.name: rsync`),
		Owner: "amira", Reason: "nightly copy", Expires: time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC),
	}
	want := `title: Backups of db-1
id: 5f0c5d7e-0000-4000-8000-0000000000bb
logsource:
    product: linux
filter:
    rules:
        - r1
    selection:
        host.name: db-1
        process.name: rsync
    condition: not selection
owner: amira
reason: nightly copy
expires: 2026-12-01
`
	got := written(t, d)
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	rule := "title: t\nid: r1\nlevel: low\nlogsource: {product: linux}\ndetection: {s: {a: x}, condition: s}\n---\n"
	hidden := f("a", "x", "host.name", "db-1", "process.name", "rsync")
	shown := f("a", "x", "host.name", "db-2", "process.name", "rsync")
	hidden.LogSource.Product, shown.LogSource.Product = "linux", "linux"
	for _, c := range []struct {
		now     string
		exclude bool
		hides   bool
	}{
		{"2026-12-01T23:59:59Z", false, true},
		{"2026-12-02T00:00:00Z", false, false},
		{"2026-12-01T23:59:59Z", true, true},
	} {
		now, _ := time.Parse(time.RFC3339, c.now)
		d.Exclude = c.exclude
		l := Options{FiltersExclude: c.exclude, Now: func() time.Time { return now }}.Parse("f.yml", []byte(rule+written(t, d)))
		Link(&l)
		if len(l.Refused) > 0 || len(l.Rules) != 2 {
			t.Fatalf("%+v", l)
		}
		if c.hides != (len(l.Warnings) == 0) {
			t.Errorf("at %s: warnings %v", c.now, l.Warnings)
		}
		m := detect.NewSet(l.Rules).NewMatcher()
		if got := len(m.Match(hidden, nil)) == 0; got != c.hides || len(m.Match(shown, nil)) != 1 {
			t.Errorf("at %s exclude %v: hidden %v", c.now, c.exclude, got)
		}
		if x := l.Rules[1].Filter; x.Owner != "amira" || x.Reason != "nightly copy" || !x.Expires.Equal(d.Expires) || x.Expired == c.hides {
			t.Errorf("read back as %+v", x)
		}
	}
}

// TestWriteRefuses: what Sigma has no words for is refused by its name.
func TestWriteRefuses(t *testing.T) {
	set, err := query.NewSet("bad", []string{"a"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		cond   query.Node
		reason string
	}{
		{nil, "finds nothing"},
		{query.And{}, "every event"},
		{query.Or{}, "every event"},
		{parsed(t, "level >= warning"), "level is Bartizan's own"},
		{parsed(t, "source: file*"), "source is Bartizan's own"},
		{parsed(t, "x: y and not @timestamp > 2026-01-01"), "@timestamp is Bartizan's own"},
		{parsed(t, "started > 2026-01-01"), "only numbers"},
		{&query.Pred{Op: query.OpIn, Set: set}, "raw record"},
		{&query.Pred{Op: query.OpEqual, Value: "x"}, "whole record"},
		{&query.Pred{Field: "a|b", Value: "x"}, "begins a modifier"},
		{&query.Pred{Field: "a", Value: "\xff"}, "not UTF-8"},
		{&query.Pred{Op: query.OpContains}, "every event"},
	} {
		var b bytes.Buffer
		err := Write(&b, Document{Title: "t", Cond: c.cond})
		if err == nil || !strings.Contains(err.Error(), c.reason) || b.Len() > 0 {
			t.Errorf("%v: %v, %d bytes written; want %q", c.cond, err, b.Len(), c.reason)
		}
	}
	if err := Write(&bytes.Buffer{}, Document{Cond: parsed(t, "a: b")}); err == nil {
		t.Error("written without a title")
	}
	if err := Write(&bytes.Buffer{}, Document{Title: "t", Reason: "\xff", Filter: []string{}, Cond: parsed(t, "a: b")}); err == nil || !strings.Contains(err.Error(), "reason is not UTF-8") {
		t.Error(err)
	}
}

// TestWriteIDs: an id is made of what the rule says, so that the same rule has the
// same one.
func TestWriteIDs(t *testing.T) {
	a := written(t, Document{Title: "t", Cond: parsed(t, "a: b")})
	b := written(t, Document{Title: "t", Cond: parsed(t, "a: c")})
	if a != written(t, Document{Title: "t", Cond: parsed(t, "a: b")}) || strings.Split(a, "\n")[1] == strings.Split(b, "\n")[1] {
		t.Errorf("ids\n%s\n%s", a, b)
	}
}

var (
	writeNames  = []string{"a", "b", "user.name", "message", "a-b", "é"}
	writeValues = []string{
		"", "x", "X", "root", "5", "5.0", "-3", "007", "0x1f", "true", "null", "~", "a*b", "a?b", `a\b`, `\\`, `C:\*`, `end\`, "*", " x ",
		"line\nbreak", "tab\t", "trail \n", "#", "a: b", "é", "\u0085", "\u2028", "%x%", "10.0.0.7", "2001:db8::1", "- x", "'", `"`, "\x00", "|",
	}
	writeExprs = []string{"x", "(?i)ROOT", `^a.*b$`, `\d+`, "(?s)line.break"}
	writeNets  = []string{"10.0.0.0/8", "2001:db8::/32", "10.0.0.7/32"}
)

func drawPred(t *rapid.T) query.Node {
	p := &query.Pred{
		Field: rapid.SampledFrom(append(writeNames, "")).Draw(t, "field"),
		Op:    query.Op(rapid.IntRange(int(query.OpEqual), int(query.OpIn)).Draw(t, "op")),
		Value: rapid.SampledFrom(writeValues).Draw(t, "value"),
		Cased: rapid.Bool().Draw(t, "cased"),
	}
	if p.Field == "" {
		p.Op = rapid.SampledFrom([]query.Op{query.OpContains, query.OpGlob, query.OpRegex}).Draw(t, "raw")
	}
	if p.Op == query.OpGlob && p.Field != "" && !strings.ContainsAny(p.Value, "*?") {
		p.Op = query.OpEqual // as a rule it is, and equals numbers too
	}
	switch p.Op {
	case query.OpRegex:
		p.Value = rapid.SampledFrom(writeExprs).Draw(t, "expr")
		re, err := query.CompileRegex(p.Value)
		if err != nil {
			t.Fatal(err)
		}
		p.Re = re
	case query.OpCIDR:
		p.Net = netip.MustParsePrefix(rapid.SampledFrom(writeNets).Draw(t, "net"))
		p.Value = p.Net.String()
	case query.OpLess, query.OpLessEq, query.OpGreater, query.OpGreaterEq:
		p.Value, p.Num = "", float64(rapid.IntRange(-4, 9).Draw(t, "num"))/2
	case query.OpFieldEqual:
		p.Value = rapid.SampledFrom(writeNames).Draw(t, "other")
		p.How = rapid.SampledFrom([]query.Op{query.OpEqual, query.OpContains, query.OpPrefix, query.OpSuffix}).Draw(t, "how")
	case query.OpIn:
		set, err := query.NewSet("s", append(rapid.SliceOfN(rapid.SampledFrom([]string{"x", "Root", "a*b", `end\\`, "é", "a: b", "true"}), 1, 4).Draw(t, "set"), "10.0.0.0/8"))
		if err != nil {
			t.Fatal(err)
		}
		p.Set = set
	}
	return p
}

func drawTree(t *rapid.T, depth int) query.Node {
	kind := 0
	if depth > 0 {
		kind = rapid.IntRange(0, 4).Draw(t, "kind")
	}
	switch kind {
	case 1:
		return query.Not{X: drawTree(t, depth-1)}
	case 2, 3, 4:
		var parts []query.Node
		for range rapid.IntRange(1, 4).Draw(t, "parts") {
			parts = append(parts, drawTree(t, depth-1))
		}
		if kind == 2 {
			return query.Or(parts)
		}
		return query.And(parts)
	}
	return drawPred(t)
}

func drawEvent(t *rapid.T) *event.Event {
	var pairs []any
	for range rapid.IntRange(0, 6).Draw(t, "fields") {
		var v any = rapid.SampledFrom(writeValues).Draw(t, "v")
		switch rapid.IntRange(0, 5).Draw(t, "type") {
		case 0:
			v = rapid.IntRange(-4, 9).Draw(t, "n")
		case 1:
			v = nil
		}
		pairs = append(pairs, rapid.SampledFrom(writeNames).Draw(t, "name"), v)
	}
	return eventOf(rapid.SampledFrom(writeValues).Draw(t, "raw")+" root", pairs...)
}

// TestWriteRoundTrip: what is written is read as a rule that matches the same events.
func TestWriteRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cond := drawTree(t, 3)
		var b bytes.Buffer
		err := Write(&b, Document{Title: "t", ID: "r1", LogSource: event.LogSource{Product: "test"}, Cond: cond})
		if err != nil {
			if strings.Contains(err.Error(), "in every event") { // a keyword "" or "*"
				return
			}
			t.Fatalf("%s: %v", query.Print(cond), err)
		}
		l := Parse("r.yml", b.Bytes())
		if len(l.Rules) != 1 || len(l.Warnings) > 0 {
			t.Fatalf("%v %v\n%s", l.Refused, l.Warnings, &b)
		}
		for range 8 {
			e := drawEvent(t)
			if want, got := query.Holds(cond, e), query.Holds(l.Rules[0].Cond, e); want != got {
				t.Fatalf("%s is %v on %+v, as a rule %v\n%s", query.Print(cond), want, e.Fields, got, &b)
			}
		}
	})
}
