package sigma

import (
	"fmt"
	"strings"
	"testing"

	"bartizan/detect"
)

const template = `action: global
title: shared
id: c1
level: high
logsource: {product: test}
detection:
  sel: {a: x}
  condition: sel and more
---
logsource: {service: one}
detection:
  more: {b: 1}
---
id: own
level: low
detection:
  more: {b: 2}
`

// TestCollections: documents share what action: global says until action: reset,
// their own keys win, and action: repeat is the one before with changes.
func TestCollections(t *testing.T) {
	l := Parse("c.yml", []byte(template+`---
action: repeat
id: again
detection:
  more: {b: 3}
---
action: repeat
---
action: reset
---
title: alone
id: a1
level: low
logsource: {product: test}
detection: {sel: {a: y}, condition: sel}
`))
	if len(l.Refused) > 0 || len(l.Warnings) > 0 {
		t.Fatalf("%v %v", l.Refused, l.Warnings)
	}
	var got []string
	for _, r := range l.Rules {
		got = append(got, fmt.Sprintf("%s:%d %s %s/%s %s", r.ID, r.Line, r.Title, r.LogSource.Product, r.LogSource.Service, r.Severity))
	}
	want := []string{
		"c1:10 shared test/one high", "own:14 shared test/ low", "again:19 shared test/ low", "again/2:24 shared test/ low",
		"a1:28 alone test/ low",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	m := detect.NewSet(l.Rules).NewMatcher()
	if hits := m.Match(f("a", "x", "b", 3), nil); len(hits) != 2 {
		t.Errorf("b: 3 is matched by %v", hits)
	}
	if hits := m.Match(f("a", "y", "b", 2), nil); len(hits) != 1 {
		t.Errorf("what was reset still holds: %v", hits)
	}
}

// TestCollectionHash: a rule's state is kept only while the template it stands on is
// the same too.
func TestCollectionHash(t *testing.T) {
	a, b := Parse("c.yml", []byte(template)), Parse("c.yml", []byte(strings.Replace(template, "{a: x}", "{a: y}", 1)))
	if a.Rules[0].Hash == b.Rules[0].Hash || a.Rules[0].Hash == a.Rules[1].Hash {
		t.Error("the template is no part of the hash")
	}
}

func TestCollectionComplaints(t *testing.T) {
	l := Parse("c.yml", []byte("action: global\ntitle: x\n---\naction: global\ntitle: y\n"))
	if len(l.Warnings) != 2 || l.Warnings[0].Line != 1 || l.Warnings[1].Line != 4 {
		t.Errorf("unused templates: %v", l.Warnings)
	}
	l = Parse("c.yml", []byte(strings.Replace(template, "{a: x}", "{a|frob: x}", 1)))
	if len(l.Refused) != 2 || l.Refused[0].Line != 7 || l.Refused[0].ID != "c1" || l.Refused[1].Line != 7 || l.Refused[1].ID != "own" {
		t.Errorf("a fault in the template is told at its line, for each rule: %v", l.Refused)
	}
}

// TestCollectionBomb: a large template under many small documents is read once, not
// as often as there are documents.
func TestCollectionBomb(t *testing.T) {
	src := "action: global\ntitle: t\nid: b\nlevel: low\nlogsource: {product: x}\ndetection:\n  sel: {a: [" +
		strings.Repeat("x, ", 15_000) + "x]}\n  condition: sel\n" + strings.Repeat("---\nfields: [a]\n", 2_000)
	l := Parse("c.yml", []byte(src))
	if len(l.Rules) == 0 || len(l.Rules) > 14 || len(l.Refused) < 1_900 || !strings.Contains(l.Refused[0].Reason, "values") {
		t.Errorf("%d rules, %d refused", len(l.Rules), len(l.Refused))
	}
}
