package sigma

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/query"
)

// FuzzLoad: whatever is in a file, every document is a rule or a refusal, and a
// rule can be indexed and matched.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(full))
	f.Add(ruleOf("sel: {a|windash|contains: ' -x', b|re|i: '[', c|cidr: ::/8}"))
	f.Add(ruleOf("sel: [x, null, {a: &b [*b]}]\ncondition: 1 of them or not (sel)"))
	f.Add([]byte("title: t\n---\n...\n--- |\n x\n"))
	f.Add([]byte("a: &a [*a]\n<<: *a\n? {b: c}\n"))
	f.Add(ruleOf("sel: {'|all': [a, 'b*'], 'x y|base64offset|utf16|neq|exists|lt': 1}"))
	f.Add(ruleOf("sel: {a: x}\nx: {b: 5}\ntimeframe: 5m\ncondition: sel | near x and not sel"))
	f.Add(ruleOf("sel: {a|expand: 'a%l%', b|hour|gte: 4}\ncondition: sel | count(b) by a, c < 5"))
	f.Add([]byte(bases + correlationOf("c", "type: temporal\nrules: [failed, c]\ngroup-by: [a]\naliases: {a: {failed: b}}\ntimespan: 1M\ncondition: failed and not (fine or r-ok)\ngenerate: true")))
	f.Add([]byte(bases + correlationOf("c", "type: value_percentile\nrules: failed\ntimespan: 5m\ncondition: {gte: 1, lt: 5, field: b, percentile: 5}") + "---\ntitle: f\nlogsource: {product: test}\nfilter: {rules: any, s: {a: b}, condition: not 1 of s*}\n"))
	f.Add([]byte(template + "---\naction: repeat\nid: r\ndetection: {more: null}\n---\naction: reset\n---\naction: repeat\n"))
	f.Add([]byte("title: f\nlogsource: {}\nfilter: {rules: [r1], s: {a: b}, condition: s}\nowner: o\nreason: r\nexpires: 2026-02-30\n"))
	f.Add(ruleOf("sel: {a|fieldref|endswith: b, 'c d|week|lt': 5, '|re|i|m|s': '(x|y){3}'}\ncondition: any of sel* and not all of them"))
	e := eventOf("a x b", "a", "x", "b", 5)
	f.Fuzz(func(t *testing.T, src []byte) {
		l := Options{Lists: map[string][]string{"l": {"x", "*"}}}.Parse("f.yml", src)
		Link(&l)
		for _, r := range slices.Concat(l.Refused, l.Warnings) {
			if r.Reason == "" || r.Line > strings.Count(string(src), "\n")+1 {
				t.Fatalf("a remark without place: %+v", r)
			}
		}
		for _, r := range l.Rules {
			if r.ID == "" || r.Title == "" || r.Cond == nil && r.Correlation == nil && r.Filter == nil {
				t.Fatalf("half a rule: %+v", r)
			}
		}
		c := detect.NewCorrelator(time.Now, l.Rules)
		for _, r := range l.Rules {
			c.Take(r, e)
		}
		c.Flush()
		m := detect.NewSet(l.Rules).NewMatcher()
		for _, r := range m.Match(e, nil) {
			m.Explain(r, e)
		}
	})
}

// FuzzPattern: a Sigma string written as a glob is the same string, the predicate
// made of it holds for the text it stands for, and what is escaped is literal.
func FuzzPattern(f *testing.F) {
	for _, s := range []string{"", "*", "?", `\*`, `\\*`, `\\\*`, `a\b`, `C:\Windows\*.exe`, "**a??", `\`, "é*\u2028", "\xff*"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p := parsePattern(s)
		again := parsePattern(p.glob())
		if p.glob() != again.glob() {
			t.Fatalf("%q is %q, read again %q", s, p.glob(), again.glob())
		}
		text := instance(p)
		for _, cased := range []bool{false, true} {
			if q := p.pred("a", cased); !query.Holds(q, eventOf("", "a", text)) {
				t.Fatalf("%q (%v) does not match %q", s, q, text)
			}
		}
		if lit, plain := parsePattern(escaped(s, true)).plain(); !plain || lit != s {
			t.Fatalf("%q escaped is %q, read as %q", s, escaped(s, true), lit)
		}
		if q := p.keyword(false); q != nil && !query.Holds(q, eventOf("<"+text+">")) {
			t.Fatalf("the keyword %q does not find %q", s, text)
		}
	})
}

// instance is a text that a pattern matches.
func instance(p pattern) string {
	var b strings.Builder
	for _, x := range p {
		b.WriteString(x.text)
		switch x.wild {
		case '*':
			b.WriteString("zz")
		case '?':
			b.WriteByte('z')
		}
	}
	return b.String()
}

// FuzzWrite: a filter as people type it, written as a rule, finds the same.
func FuzzWrite(f *testing.F) {
	for _, s := range []string{
		"a: b", "a: (b or c*) and not d > 5", "not (a: *x* or b: *) and /re/", `"some text" and ip: 10.0.0.0/8`,
		"user: root and not host: (a or b)", "level >= warning", `a: "x\\*y" or b: ""`, "message: disk and raw: full",
	} {
		f.Add(s, "x", "a root b")
	}
	f.Fuzz(func(t *testing.T, text, value, raw string) {
		cond, err := query.Parse(text)
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := Write(&b, Document{Title: "t", LogSource: event.LogSource{Product: "test"}, Cond: cond}); err != nil {
			return // says what Sigma cannot say
		}
		l := Parse("f.yml", b.Bytes())
		if len(l.Rules) != 1 {
			t.Fatalf("%q\n%s\n%v", text, &b, l.Refused)
		}
		for _, e := range []*event.Event{eventOf(raw, "a", value, "b", 5), eventOf(raw, "user.name", value, "d", 7, "source.ip", "10.0.0.7")} {
			if query.Holds(cond, e) && !query.Holds(l.Rules[0].Cond, e) && !hasNot(cond) {
				t.Fatalf("%q finds %+v, as a rule it does not\n%s", text, e.Fields, &b)
			}
		}
	})
}

// hasNot reports whether something is excluded: there the other forms in which a
// keyword may stand in JSON exclude more.
func hasNot(n query.Node) (found bool) {
	query.Walk(n, func(x query.Node) {
		if _, ok := x.(query.Not); ok {
			found = true
		}
	})
	return found
}
