package sigma

import (
	"fmt"
	"strings"
	"testing"

	"bartizan/detect"
	"bartizan/event"
)

// ruleOf writes a rule around the lines of a detection.
func ruleOf(detection string) []byte {
	var b strings.Builder
	b.WriteString("title: t\nid: r1\nlevel: low\nlogsource:\n  product: test\ndetection:\n")
	for line := range strings.SplitSeq(strings.Trim(detection, "\n"), "\n") {
		b.WriteString("  " + line + "\n")
	}
	if !strings.Contains(detection, "condition:") {
		b.WriteString("  condition: sel\n")
	}
	return []byte(b.String())
}

func one(t *testing.T, src []byte) *detect.Rule {
	t.Helper()
	l := Parse("r.yml", src)
	if len(l.Rules) != 1 {
		t.Fatalf("want one rule, got %d; refused %v\n%s", len(l.Rules), l.Refused, src)
	}
	return l.Rules[0]
}

// eventOf makes an event of name, value pairs; raw is its record.
func eventOf(raw string, pairs ...any) *event.Event {
	e := &event.Event{Raw: []byte(raw), LogSource: event.LogSource{Product: "test"}}
	for i := 0; i < len(pairs); i += 2 {
		v := event.Value{Str: fmt.Sprint(pairs[i+1]), Pos: -1, End: -1}
		switch x := pairs[i+1].(type) {
		case int:
			v.Kind, v.Num = event.KindNumber, float64(x)
		case float64:
			v.Kind, v.Num = event.KindNumber, x
		case bool:
			v.Kind = event.KindBool
		case nil:
			v.Kind, v.Str = event.KindNull, ""
		}
		e.Fields = append(e.Fields, event.Field{Name: pairs[i].(string), Value: v})
	}
	e.Native = len(e.Fields)
	return e
}

func f(pairs ...any) *event.Event { return eventOf("", pairs...) }

// yes and no are events a detection must and must not match.
type matchCase struct {
	detection string
	yes, no   []*event.Event
}

func checkMatches(t *testing.T, cases []matchCase) {
	t.Helper()
	for _, c := range cases {
		r := one(t, ruleOf(c.detection))
		m := detect.NewSet([]*detect.Rule{r}).NewMatcher()
		for _, e := range c.yes {
			if len(m.Match(e, nil)) == 0 {
				t.Errorf("should match %v %q:\n%s", e.Fields, e.Raw, c.detection)
			}
		}
		for _, e := range c.no {
			if len(m.Match(e, nil)) != 0 {
				t.Errorf("should not match %v %q:\n%s", e.Fields, e.Raw, c.detection)
			}
		}
	}
}

func TestValues(t *testing.T) {
	checkMatches(t, []matchCase{
		{`sel: {a: Foo}`, []*event.Event{f("a", "foo"), f("a", "FOO"), f("a", "x", "a", "foo")}, []*event.Event{f("a", "foobar"), f("b", "foo"), f("a", nil)}},
		{`sel: {a: 'f*o?'}`, []*event.Event{f("a", "foox"), f("a", "f123oé")}, []*event.Event{f("a", "fo"), f("a", "xfoox")}},
		{`sel: {a: 'x*'}`, []*event.Event{f("a", "x"), f("a", "X1")}, []*event.Event{f("a", "ax")}},
		{`sel: {a: '*'}`, []*event.Event{f("a", "x"), f("a", "")}, []*event.Event{f("b", "x"), f("a", nil)}},
		{`sel: {a: 'a\*b'}`, []*event.Event{f("a", "a*b")}, []*event.Event{f("a", "axb"), f("a", `a\*b`)}},
		{`sel: {a: 'a\?b'}`, []*event.Event{f("a", "a?b")}, []*event.Event{f("a", "axb")}},
		{`sel: {a: 'a\\b'}`, []*event.Event{f("a", `a\b`)}, []*event.Event{f("a", `a\\b`)}},
		{`sel: {a: 'a\b'}`, []*event.Event{f("a", `a\b`)}, nil},
		{`sel: {a: 'a\\\b'}`, []*event.Event{f("a", `a\\b`)}, []*event.Event{f("a", `a\b`)}},
		{`sel: {a: 'a\\\\b'}`, []*event.Event{f("a", `a\\b`)}, []*event.Event{f("a", `a\\\b`)}},
		{`sel: {a: 'a\\*'}`, []*event.Event{f("a", `a\`), f("a", `a\xyz`)}, []*event.Event{f("a", `a*`)}},
		{`sel: {a: 'a\'}`, []*event.Event{f("a", `a\`)}, nil},
		{`sel: {a: 5}`, []*event.Event{f("a", 5), f("a", "5"), f("a", 5.0)}, []*event.Event{f("a", 55), f("a", "5.0"), f("a", 5.5)}},
		{`sel: {a: 5.0}`, []*event.Event{f("a", 5), f("a", "5.0")}, []*event.Event{f("a", 6)}},
		{`sel: {a: 0x1f}`, []*event.Event{f("a", 31), f("a", "31")}, []*event.Event{f("a", "0x1f")}},
		{`sel: {a: '0x1f'}`, []*event.Event{f("a", "0x1F")}, []*event.Event{f("a", 31)}},
		{`sel: {a: 007}`, []*event.Event{f("a", "007"), f("a", 7)}, []*event.Event{f("a", "7")}},
		{`sel: {a: true}`, []*event.Event{f("a", true), f("a", "True")}, []*event.Event{f("a", false)}},
		{`sel: {a: null}`, []*event.Event{f("a", nil), f("b", "x")}, []*event.Event{f("a", ""), f("a", "x")}},
		{`sel: {a: ''}`, []*event.Event{f("a", "")}, []*event.Event{f("a", nil), f("b", "x"), f("a", " ")}},
		{`sel: {a: [x, null]}`, []*event.Event{f("a", "x"), f("b", "y"), f("a", nil)}, []*event.Event{f("a", "y")}},
		{`sel: {a: [x, 5, y]}`, []*event.Event{f("a", "x"), f("a", "Y"), f("a", 5)}, []*event.Event{f("a", "z")}},
		{`sel: {a: x, b: y}`, []*event.Event{f("a", "x", "b", "y")}, []*event.Event{f("a", "x"), f("b", "y")}},
		{"sel:\n- {a: x, b: y}\n- {c: z}", []*event.Event{f("a", "x", "b", "y"), f("c", "z")}, []*event.Event{f("a", "x")}},
		{`sel: {Source Name: x}`, []*event.Event{f("Source Name", "x"), f("SourceName", "x")}, []*event.Event{f("Source", "x")}},
		{`sel: {Source Name: null}`, []*event.Event{f("a", "x"), f("SourceName", nil)}, []*event.Event{f("SourceName", "x"), f("Source Name", "x")}},
		{`sel: {a.b.c: x}`, []*event.Event{f("a.b.c", "x")}, []*event.Event{f("a", "x")}},
		{`sel: {a: é}`, []*event.Event{f("a", "É")}, []*event.Event{f("a", "e")}},
	})
}

func TestKeywords(t *testing.T) {
	raw := func(s string) *event.Event { return eventOf(s) }
	checkMatches(t, []matchCase{
		{`sel: [Foo, 'b*r', 42]`, []*event.Event{raw("a fOO b"), raw("say bear now"), raw("x42y")}, []*event.Event{raw("fo o"), raw("rb")}},
		{`sel: foo`, []*event.Event{raw("xfoox")}, []*event.Event{raw("bar")}},
		{`sel: '*foo*'`, []*event.Event{raw("xfoox")}, []*event.Event{raw("bar")}},
		{`sel: {'|all': [foo, bar]}`, []*event.Event{raw("bar foo")}, []*event.Event{raw("foo"), raw("bar")}},
		{`sel: {'|re': 'fo{2}$'}`, []*event.Event{raw("a foo")}, []*event.Event{raw("foo a"), raw("FOO")}},
		{`sel: {'|cased': Foo}`, []*event.Event{raw("a Foo")}, []*event.Event{raw("a foo")}},
		{`sel: {'|contains': foo}`, []*event.Event{raw("a foo")}, []*event.Event{raw("a")}},
		{`sel: {'|base64offset|contains': foobar}`, []*event.Event{raw("x Zm9vYmFy y"), raw("IGZvb2Jhcg==")}, []*event.Event{raw("foobar")}},
		{"sel:\n- foo\n- {a: x}", []*event.Event{raw("foo"), f("a", "x")}, []*event.Event{raw("bar")}},
		{`sel: ['ab?d']`, []*event.Event{raw("xabcdx")}, []*event.Event{raw("abd")}},
	})
}

func TestModifiers(t *testing.T) {
	checkMatches(t, []matchCase{
		{`sel: {a|contains: oo}`, []*event.Event{f("a", "FOOD")}, []*event.Event{f("a", "fod")}},
		{`sel: {a|contains: '*oo'}`, []*event.Event{f("a", "food")}, []*event.Event{f("a", "fod")}},
		{`sel: {a|contains: 'o*d'}`, []*event.Event{f("a", "xfo12dx")}, []*event.Event{f("a", "do")}},
		{`sel: {a|startswith: fo}`, []*event.Event{f("a", "Food")}, []*event.Event{f("a", "afood")}},
		{`sel: {a|endswith: [od, x]}`, []*event.Event{f("a", "Food"), f("a", "x")}, []*event.Event{f("a", "foodie")}},
		{`sel: {a|contains: 46}`, []*event.Event{f("a", 1461)}, []*event.Event{f("a", 416)}},
		{`sel: {a|contains: ''}`, []*event.Event{f("a", "x")}, []*event.Event{f("b", "x")}},
		{`sel: {a|contains|all: [x, y]}`, []*event.Event{f("a", "yx")}, []*event.Event{f("a", "x")}},
		{`sel: {a|all|contains: [x, y]}`, []*event.Event{f("a", "yx")}, []*event.Event{f("a", "x")}},
		{`sel: {a|all: [x, y]}`, []*event.Event{f("a", "x", "a", "y")}, []*event.Event{f("a", "x")}},
		{`sel: {a|cased: Foo}`, []*event.Event{f("a", "Foo")}, []*event.Event{f("a", "foo")}},
		{`sel: {a|cased|contains: Foo}`, []*event.Event{f("a", "xFoox")}, []*event.Event{f("a", "xfoox")}},
		{`sel: {a|contains|cased: 'F*o'}`, []*event.Event{f("a", "xFuox")}, []*event.Event{f("a", "xfuox")}},
		{`sel: {a|neq: [x, y]}`, []*event.Event{f("a", "z"), f("b", "x")}, []*event.Event{f("a", "x"), f("a", "Y")}},
		{`sel: {a|contains|neq: x}`, []*event.Event{f("a", "z")}, []*event.Event{f("a", "axb")}},
		{`sel: {a|exists: true}`, []*event.Event{f("a", ""), f("a", nil)}, []*event.Event{f("b", "x")}},
		{`sel: {a|exists: false}`, []*event.Event{f("b", "x")}, []*event.Event{f("a", "")}},
		{`sel: {a b|exists: false}`, []*event.Event{f("c", "x")}, []*event.Event{f("ab", "x"), f("a b", "x")}},
		{`sel: {a|re: 'fo{2}\d'}`, []*event.Event{f("a", "xfoo1x")}, []*event.Event{f("a", "FOO1"), f("a", "foo")}},
		{`sel: {a|re|i: 'fo{2}'}`, []*event.Event{f("a", "FOO")}, nil},
		{`sel: {a|re|ignorecase|dotall: 'f.o'}`, []*event.Event{f("a", "F\no")}, nil},
		{`sel: {a|re: 'f.o'}`, nil, []*event.Event{f("a", "f\no")}},
		{`sel: {a|re|m: '^x$'}`, []*event.Event{f("a", "a\nx\nb")}, nil},
		{`sel: {a|re|startswith: 'x|y'}`, []*event.Event{f("a", "y1")}, []*event.Event{f("a", "1y")}},
		{`sel: {a|re|endswith: 'x|y'}`, []*event.Event{f("a", "1x")}, []*event.Event{f("a", "x1")}},
		{`sel: {a|re|contains: 'x'}`, []*event.Event{f("a", "1x1")}, nil},
		{`sel: {a|base64: foobar}`, []*event.Event{f("a", "Zm9vYmFy")}, []*event.Event{f("a", "foobar")}},
		{`sel: {a|base64|contains: foobar}`, []*event.Event{f("a", "-Zm9vYmFy-")}, []*event.Event{f("a", "foobar")}},
		{`sel: {a|base64offset|contains: http://}`, []*event.Event{f("a", "xaHR0cDovLx"), f("a", "h0dHA6Ly"), f("a", "odHRwOi8v")}, []*event.Event{f("a", "http://")}},
		{`sel: {a|wide|base64offset|contains: ab}`, []*event.Event{f("a", "YQBiAA==")}, []*event.Event{f("a", "YWI=")}},
		{`sel: {a|utf16be|base64: ab}`, []*event.Event{f("a", "AGEAYg==")}, nil},
		{`sel: {a|utf16|base64: ab}`, []*event.Event{f("a", "//5hAGIA")}, nil},
		{`sel: {a|utf16le|base64: ab}`, []*event.Event{f("a", "YQBiAA==")}, nil},
		{`sel: {a|windash|contains: ' -enc'}`, []*event.Event{f("a", "x -enc"), f("a", "x /ENC"), f("a", "x –enc"), f("a", "x —enc"), f("a", "x ―enc")}, []*event.Event{f("a", "x enc")}},
		{`sel: {a|contains|windash: '-a -b'}`, []*event.Event{f("a", "/a –b")}, []*event.Event{f("a", "a b")}},
		{`sel: {a|windash: 'x-y'}`, []*event.Event{f("a", "x-y")}, []*event.Event{f("a", "x/y")}},
		{`sel: {a|cidr: 10.0.0.0/8}`, []*event.Event{f("a", "10.1.2.3")}, []*event.Event{f("a", "11.0.0.1"), f("a", "10.1"), f("a", "x")}},
		{`sel: {a|cidr: ['2001:db8::/32', 192.0.2.7]}`, []*event.Event{f("a", "2001:db8::1"), f("a", "192.0.2.7")}, []*event.Event{f("a", "2001:db9::1"), f("a", "192.0.2.8")}},
		{`sel: {a|lt: 5}`, []*event.Event{f("a", 4), f("a", "4.9")}, []*event.Event{f("a", 5), f("a", "x"), f("b", 1)}},
		{`sel: {a|lte: 5}`, []*event.Event{f("a", 5)}, []*event.Event{f("a", 6)}},
		{`sel: {a|gt: -1.5}`, []*event.Event{f("a", -1)}, []*event.Event{f("a", -2)}},
		{`sel: {a|gte: 5}`, []*event.Event{f("a", 5)}, []*event.Event{f("a", 4)}},
		{`sel: {a|fieldref: b}`, []*event.Event{f("a", "X", "b", "x")}, []*event.Event{f("a", "x", "b", "y"), f("a", "x"), f("b", "x")}},
		{`sel: {a|fieldref|contains: b}`, []*event.Event{f("a", "xyz", "b", "Y")}, []*event.Event{f("a", "xyz", "b", "yx"), f("a", "xyz"), f("a", "xyz", "b", "")}},
		{`sel: {a|fieldref|startswith: b}`, []*event.Event{f("a", "xyz", "b", "XY"), f("a", "xyz", "b", "q", "b", "x")}, []*event.Event{f("a", "xyz", "b", "yz")}},
		{`sel: {a|fieldref|endswith|cased: b}`, []*event.Event{f("a", "xyz", "b", "yz")}, []*event.Event{f("a", "xyz", "b", "YZ"), f("a", "xyz", "b", "xy")}},
		{`sel: {a|fieldref|neq: b}`, []*event.Event{f("a", "x", "b", "y")}, []*event.Event{f("a", "x", "b", "x")}},
		{`sel: {a|fieldref|cased: b}`, nil, []*event.Event{f("a", "X", "b", "x")}},
	})
}

func TestConditions(t *testing.T) {
	const three = "a1: {a: x}\na2: {b: x}\n_c: {c: x}\n"
	a, b, c := f("a", "x"), f("b", "x"), f("c", "x")
	ab, abc, none := f("a", "x", "b", "x"), f("a", "x", "b", "x", "c", "x"), f("d", "x")
	checkMatches(t, []matchCase{
		{three + `condition: a1 or a2 and _c`, []*event.Event{a, abc}, []*event.Event{b, c, none}},
		{three + `condition: (a1 or a2) and _c`, []*event.Event{abc}, []*event.Event{a, ab}},
		{three + `condition: a1 AND NOT a2`, []*event.Event{a}, []*event.Event{ab, b}},
		{three + `condition: not a1 and a2`, []*event.Event{b}, []*event.Event{ab, none}},
		{three + `condition: not not a1`, []*event.Event{a}, []*event.Event{b}},
		{three + `condition: not (a1 or a2)`, []*event.Event{none, c}, []*event.Event{a, ab}},
		{three + `condition: 1 of them`, []*event.Event{a, b}, []*event.Event{c, none}},
		{three + `condition: all of them`, []*event.Event{ab}, []*event.Event{a, c}},
		{three + `condition: any of a*`, []*event.Event{a, b}, []*event.Event{c}},
		{three + `condition: all of *2`, []*event.Event{b}, []*event.Event{a}},
		{three + `condition: 1 of _*`, []*event.Event{c}, []*event.Event{ab}},
		{three + `condition: not 1 of a* and _c`, []*event.Event{c}, []*event.Event{abc, none}},
		{three + `condition: all of a1`, []*event.Event{a}, []*event.Event{b}},
		{three + "condition:\n- a1\n- a2", []*event.Event{a, b}, []*event.Event{c}},
		{three + `condition: ((a1))`, []*event.Event{a}, nil},
	})
}

func TestGlobName(t *testing.T) {
	for _, c := range []struct {
		glob, name string
		want       bool
	}{
		{"*", "", true},
		{"*", "x", true},
		{"a*", "abc", true},
		{"a*", "ba", false},
		{"*c", "abc", true},
		{"a*c", "abc", true},
		{"a*c", "ab", false},
		{"a*b*c", "axbxc", true},
		{"a*b*c", "acb", false},
		{"ab*ba", "aba", false},
		{"abc", "abc", true},
		{"abc", "abcd", false},
	} {
		if got := globName(c.glob, c.name); got != c.want {
			t.Errorf("globName(%q, %q) = %v", c.glob, c.name, got)
		}
	}
}
