package sigma

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"bartizan/detect"
	"bartizan/event"
)

const full = `
title: Full
id: 5f0c5d7e-0000-4000-8000-000000000001
status: test
description: What it says.
author: A. Nyone
references: [https://example.org/a]
tags: [attack.t1110.001, attack.credential-access]
falsepositives: a tired admin
fields: [user.name]
level: High
logsource: {product: Linux, service: sshd, definition: x}
detection:
  sel: {a: x}
  condition: sel
bartizan:
  group_by: [source.ip, user.name]
  count: 5
  within: 10m
  runbook: Look at the address first.
  hit: ["a=x", 'b']
  miss: a=y
`

func TestRuleIsReadInFull(t *testing.T) {
	r := one(t, []byte(full))
	same := func(what string, got, want []string) {
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", what, got, want)
		}
	}
	if r.ID != "5f0c5d7e-0000-4000-8000-000000000001" || r.Kind != detect.KindSigma || r.Title != "Full" || r.Status != "test" ||
		r.Description != "What it says." || r.Author != "A. Nyone" || r.Severity != detect.High ||
		r.LogSource != (event.LogSource{Product: "linux", Service: "sshd"}) || r.Runbook != "Look at the address first." ||
		r.Count != 5 || r.Within != 10*time.Minute || r.File != "r.yml" || r.Line != 2 || r.Hash == [16]byte{} {
		t.Errorf("read as %+v", r)
	}
	same("tags", r.Tags, []string{"attack.t1110.001", "attack.credential-access"})
	same("references", r.References, []string{"https://example.org/a"})
	same("false positives", r.FalsePositives, []string{"a tired admin"})
	same("fields", r.Fields, []string{"user.name"})
	same("group", r.GroupBy, []string{"source.ip", "user.name"})
	same("hit", r.Hit, []string{"a=x", "b"})
	same("miss", r.Miss, []string{"a=y"})
}

// TestRefusals: what cannot be evaluated is refused by its name, at its line
// (of the file ruleOf writes, whose detection starts on line 7).
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		detection string
		line      int
		reason    string
	}{
		{`sel: {a|expand: '%admins%'}`, 7, "expand is refused"},
		{`sel: {a|expand: 'x%one%%admins%'}`, 7, "%one% is in no configured list"},
		{`sel: {a|re|expand: '%admins%'}`, 7, "expand does not go with re"},
		{`sel: {a|cidr|expand: 'x%admins%'}`, 7, "must be the whole value"},
		{"x: {a: y}\nsel: {a|hour: 24}", 8, "0 to 23"},
		{`sel: {a|hour: noon}`, 7, "whole number"},
		{`sel: {a|contains|hour: 3}`, 7, "must be the first"},
		{`sel: {a|hour|contains: 3}`, 7, "does not go with hour"},
		{`sel: {a|frob: x}`, 7, `"frob" is not known`},
		{`sel: {a|i: x}`, 7, "belongs to re"},
		{`sel: {a|contains|re: x}`, 7, "must be the first"},
		{`sel: {a|re: '(?=x)'}`, 7, "look-around"},
		{`sel: {a|re: '(x{1000}){1000}'}`, 7, "regular expression"},
		{`sel: {a|re|cased: x}`, 7, "cased does not go with re"},
		{`sel: {a|fieldref|contains|endswith: b}`, 7, "one of contains, startswith and endswith"},
		{`sel: {a|cidr: 10.0.0}`, 7, "not a network"},
		{`sel: {a|cidr|contains: 10.0.0.0/8}`, 7, "does not go with cidr"},
		{`sel: {a|lt: x}`, 7, "compares numbers"},
		{`sel: {a|lt: '5'}`, 7, "compares numbers"},
		{`sel: {a|exists: yes please}`, 7, "true or false"},
		{`sel: {a|exists|all: true}`, 7, "no other modifier"},
		{`sel: {a|base64: 'x*'}`, 7, "wildcards"},
		{`sel: {a|contains|base64: x}`, 7, "wildcards"},
		{`sel: {a|wide: é}`, 7, "UTF-16"},
		{`sel: {a|contains: null}`, 7, "null"},
		{`sel: {a: []}`, 7, "empty list"},
		{`sel: {a: [[x]]}`, 7, "list or a map"},
		{`sel: {a: {b: c}}`, 7, "list or a map"},
		{`sel: {}`, 7, "empty map"},
		{`sel: []`, 7, "empty list"},
		{`sel: [[x]]`, 7, "list in a list"},
		{`sel: [null]`, 7, "null"},
		{`sel: ['*']`, 7, "every event"},
		{`sel: {'|cidr': 10.0.0.0/8}`, 7, "only be used on a field"},
		{`sel: {'|startswith': x}`, 7, "only be used on a field"},
		{`sel: {a: x, a: y}`, 7, "twice"},
		{"sel: {a: x}\ncondition: other", 8, `"other"`},
		{"sel: {a: x}\ncondition: 2 of sel*", 8, `"2" of`},
		{"sel: {a: x}\ncondition: 1 of nothing*", 8, `"nothing*"`},
		{"sel: {a: x}\ncondition: 1 of", 8, "ends"},
		{"sel: {a: x}\ncondition: sel and", 8, "ends"},
		{"sel: {a: x}\ncondition: (sel", 8, "without its )"},
		{"sel: {a: x}\ncondition: sel sel", 8, "goes on"},
		{"sel: {a: x}\ncondition: sel | count() > 5 | count() > 6", 8, "cannot be read"},
		{"sel: {a: x}\ncondition: [sel, sel | count() > 5]", 8, "can only stand once"},
		{"sel: {a: x}\ncondition: sel | count() by b", 8, "cannot be read"},
		{"sel: {a: x}\ncondition: sel | sum() > 5", 8, "needs a field"},
		{"sel: {a: x}\ncondition: sel | count() > 500000", 8, "at most 100000"},
		{"sel: {a: x}\ncondition: sel | near", 8, "cannot be read"},
		{"sel: {a: x}\ncondition: sel | near other", 8, "cannot be read"},
		{"sel: {a: x}\ncondition: sel | near sel or sel", 8, "cannot be read"},
		{"sel: {a: x}\ntimeframe: soon\ncondition: sel | count() > 5", 8, "a timespan is"},
		{"sel: {a: x}\ncondition: []", 8, "empty"},
		{"sel: {a: x}\ncondition: {a: b}", 8, "one text"},
		{"sel: {a: x}\ncondition: " + strings.Repeat("not ", 200) + "sel", 8, "nested deeper"},
		{"sel: {a|windash: '" + strings.Repeat(" -a", 9) + "'}", 7, "windash"},
	} {
		l := Parse("r.yml", ruleOf(c.detection))
		if len(l.Rules) != 0 || len(l.Refused) != 1 {
			t.Errorf("loaded %d, refused %v:\n%s", len(l.Rules), l.Refused, c.detection)
			continue
		}
		if got := l.Refused[0]; got.Line != c.line || !strings.Contains(got.Reason, c.reason) || got.ID != "r1" || got.File != "r.yml" {
			t.Errorf("refused as %+v, want line %d and %q:\n%s", got, c.line, c.reason, c.detection)
		}
	}
}

func TestDocumentRefusals(t *testing.T) {
	const rest = "logsource: {product: x}\ndetection: {s: {a: b}, condition: s}\n"
	for _, c := range []struct {
		src    string
		line   int
		reason string
	}{
		{"- a\n", 1, "not a map"},
		{"id: x\n" + rest, 1, "no title"},
		{"title: [a]\n" + rest, 1, "one text"},
		{"title: t\nlevel: loud\n" + rest, 2, `"loud"`},
		{"title: t\ndetection: {s: {a: b}, condition: s}\n", 1, "no logsource"},
		{"title: t\nlogsource: x\n", 2, "no logsource"},
		{"title: t\nlogsource: {product: x}\n", 1, "no detection"},
		{"title: t\nlogsource: {product: x}\ndetection: {s: {a: b}}\n", 3, "no condition"},
		{"title: t\nfilter: {rules: any}\n" + rest, 4, "a filter has no detection"},
		{"title: t\naction: frob\n" + rest, 2, "action"},
		{"title: t\naction: repeat\n" + rest, 2, "no rule before it"},
		{"title: t\n" + rest + "bartizan: {grup_by: [a]}\n", 4, `"grup_by"`},
		{"title: t\n" + rest + "bartizan: {count: 5}\n", 4, "together"},
		{"title: t\n" + rest + "bartizan: {count: many, within: 5m}\n", 4, "whole number"},
		{"title: t\n" + rest + "bartizan: {count: 5, within: 5}\n", 4, "a time such as"},
		{"title: t\n<<: {a: b}\n" + rest, 2, "merge"},
		{"title: t\n? [a]\n: b\n" + rest, 2, "one word"},
		{"title: 't\n", 0, "cannot be read"},
		{"title: t\n\tx: y\n", 2, "cannot be read"},
	} {
		l := Parse("r.yml", []byte(c.src))
		if len(l.Rules) != 0 || len(l.Refused) != 1 {
			t.Errorf("loaded %d, refused %v:\n%s", len(l.Rules), l.Refused, c.src)
			continue
		}
		got := l.Refused[0]
		if c.line != 0 && got.Line != c.line || !strings.Contains(got.Reason, c.reason) {
			t.Errorf("refused as %+v, want line %d and %q:\n%s", got, c.line, c.reason, c.src)
		}
	}
}

func TestWarnings(t *testing.T) {
	l := Parse("r.yml", []byte("title: t\nstatus: shiny\nlogsource: {definition: x}\ndetection: {s: {a|all: b}, condition: s}\n"))
	if len(l.Rules) != 1 || l.Rules[0].Severity != detect.Medium || !strings.HasPrefix(l.Rules[0].ID, "sigma:") {
		t.Fatalf("loaded %+v, refused %v", l.Rules, l.Refused)
	}
	l.Warnings = append(l.Warnings, Parse("r.yml", ruleOf("sel: {a: x}\ntimeframe: 5m")).Warnings...)
	l.Warnings = append(l.Warnings, Parse("r.yml", ruleOf("sel: {a: x}\ncondition: sel | count() > 5")).Warnings...)
	for _, want := range []string{"no id", "no level", `"shiny"`, "every event", "all has no effect", "timeframe has no effect", "counts within 1h"} {
		if !slices.ContainsFunc(l.Warnings, func(w detect.Refusal) bool { return strings.Contains(w.Reason, want) }) {
			t.Errorf("no warning says %q: %v", want, l.Warnings)
		}
	}
	if l := Parse("r.yml", []byte("# nothing\n---\n")); len(l.Warnings) != 1 || len(l.Refused) != 0 {
		t.Errorf("an empty file: %+v", l)
	}
}

// TestDocuments: lines count through a file of several documents, and a broken
// one takes no other with it.
func TestDocuments(t *testing.T) {
	src := "\xef\xbb\xbf# head\n---\n" + string(ruleOf("sel: {a: x}")) + "--- # next\n" +
		strings.Replace(string(ruleOf("sel: {a|frob: x}")), "r1", "r2", 1) + "---\ntitle: [\n...\n" +
		strings.Replace(string(ruleOf("sel:\n  a: |\n    --- not a marker")), "r1", "r3", 1)
	l := Parse("m.yml", []byte(src))
	if len(l.Rules) != 2 || l.Rules[0].ID != "r1" || l.Rules[0].Line != 3 || l.Rules[1].ID != "r3" {
		t.Errorf("loaded %+v", l.Rules)
	}
	if len(l.Refused) != 2 || l.Refused[0].Line != 18 || l.Refused[0].ID != "r2" {
		t.Errorf("refused %+v", l.Refused)
	}
	if l.Rules[0].Hash == l.Rules[1].Hash {
		t.Error("two documents with one hash")
	}
}

func TestAliasesAreFollowed(t *testing.T) {
	r := one(t, ruleOf("sel: {a: &v [x, y], b: *v}"))
	m := detect.NewSet([]*detect.Rule{r}).NewMatcher()
	if len(m.Match(f("a", "x", "b", "y"), nil)) != 1 || len(m.Match(f("a", "x", "b", "z"), nil)) != 0 {
		t.Error("an alias does not stand for its values")
	}
}

func TestLoadPaths(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, src []byte) {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), src, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a.yml", ruleOf("sel: {a: x}"))
	write("sub/b.YAML", ruleOf("sel: {a: y}")) // the same id
	write("sub/readme.md", []byte("not a rule"))
	write("big.yml", make([]byte, MaxFile+1))
	if err := os.Mkdir(filepath.Join(dir, "dir.yml"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere", filepath.Join(dir, "gone.yml")); err != nil {
		t.Fatal(err)
	}
	l := LoadDir(dir)
	if len(l.Rules) != 1 || l.Rules[0].File != filepath.Join(dir, "a.yml") {
		t.Errorf("loaded %+v", l.Rules)
	}
	for _, want := range []string{"already used by " + filepath.Join(dir, "a.yml") + ":1", "longer than", "no such file"} {
		if !slices.ContainsFunc(l.Refused, func(r detect.Refusal) bool { return strings.Contains(r.Reason, want) }) {
			t.Errorf("no refusal says %q: %v", want, l.Refused)
		}
	}
	if l := LoadDir(filepath.Join(dir, "sub", "b.YAML")); len(l.Rules) != 1 {
		t.Errorf("a file given as directory: %+v", l)
	}
	if l := LoadDir(filepath.Join(dir, "missing")); len(l.Refused) != 1 {
		t.Errorf("a missing directory: %+v", l)
	}
	if l := LoadFile(filepath.Join(dir, "missing.yml")); len(l.Refused) != 1 {
		t.Errorf("a missing file: %+v", l)
	}
	mem := fstest.MapFS{"p/x.yml": {Data: ruleOf("sel: {a: x}")}, "y.yml": {Data: ruleOf("sel: {a: x}")}}
	if l := Load(mem, "p"); len(l.Rules) != 1 || l.Rules[0].File != "p/x.yml" {
		t.Errorf("from a file system: %+v", l)
	}
}

// TestBase64Offsets: in the encoding of any text that holds the data one of the
// three forms stands, and none is longer than the data vouches for.
func TestBase64Offsets(t *testing.T) {
	for _, data := range []string{"foobar", "http://", "a", "ab", "abc", "abcd"} {
		forms := base64Offsets(data)
		for pad := range 6 {
			for after := range 4 {
				text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("?", pad) + data + strings.Repeat("~", after)))
				if len(forms) == 3 && !strings.Contains(text, forms[pad%3]) {
					t.Errorf("%q at offset %d is not found in %s by %v", data, pad, text, forms)
				}
			}
		}
	}
	if got := base64Offsets("foobar"); !slices.Equal(got, []string{"Zm9vYmFy", "Zvb2Jhc", "mb29iYX"}) {
		t.Errorf("foobar gives %v", got)
	}
}

func TestWindash(t *testing.T) {
	for _, c := range []struct {
		in   string
		want int
	}{{"-a", 5}, {"a-b", 1}, {" -a /b", 25}, {"--a", 5}, {"- a", 1}, {"-", 1}, {"", 1}, {"x/y /é", 5}} {
		out, ok := windash(literalPattern(c.in), maxDashes)
		if !ok || len(out) != c.want {
			t.Errorf("%q: %d variants, want %d", c.in, len(out), c.want)
		}
	}
	if _, ok := windash(literalPattern(strings.Repeat(" -a", 6)), maxDashes); ok {
		t.Error("six dashes give more than the most allowed")
	}
}
