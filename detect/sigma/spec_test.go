package sigma

import (
	"testing"

	"bartizan/detect"
	"bartizan/event"
)

// TestSpecification goes through what the Sigma specification 2.1.0 says about values,
// modifiers and conditions, section by section. Where a sentence allows two readings
// docs/sigma.md says which is taken.
func TestSpecification(t *testing.T) {
	raw := func(s string) *event.Event { return eventOf(s) }
	for _, s := range []struct {
		section string
		cases   []matchCase
	}{
		{"Rules, Detection: Escaping", []matchCase{
			{`sel: {a: 'C:\Windows\x'}`, []*event.Event{f("a", `c:\windows\X`)}, []*event.Event{f("a", `C:\\Windows\\x`)}},
			{`sel: {a: 'x\*'}`, []*event.Event{f("a", "x*")}, []*event.Event{f("a", "xy"), f("a", `x\*`)}},
			{`sel: {a: 'x\?'}`, []*event.Event{f("a", "x?")}, []*event.Event{f("a", "xy")}},
			{`sel: {a: 'x\\*'}`, []*event.Event{f("a", `x\`), f("a", `x\yz`)}, []*event.Event{f("a", "x*"), f("a", "xyz")}},
			{`sel: {a: 'x\\\*'}`, []*event.Event{f("a", `x\*`)}, []*event.Event{f("a", `x\y`)}},
			{`sel: {a: '\\\\host'}`, []*event.Event{f("a", `\\host`)}, []*event.Event{f("a", `\\\\host`), f("a", `\host`)}},
			{`sel: {a: '\\\host'}`, []*event.Event{f("a", `\\host`)}, []*event.Event{f("a", `\host`)}},
			{`sel: {a: 'x\'}`, []*event.Event{f("a", `x\`)}, []*event.Event{f("a", "x")}},
		}},
		{"Rules, Detection: String Wildcard", []matchCase{
			{`sel: {a: '*x?z*'}`, []*event.Event{f("a", "xyz"), f("a", "1xéz2")}, []*event.Event{f("a", "xz"), f("a", "xyyz")}},
			{`sel: {a: '*'}`, []*event.Event{f("a", ""), f("a", "x")}, []*event.Event{f("a", nil), f("b", "x")}},
		}},
		{"Rules, Detection: null and empty value", []matchCase{
			{`sel: {a: null}`, []*event.Event{f("b", "x"), f("a", nil)}, []*event.Event{f("a", ""), f("a", "x")}},
			{`sel: {a: ''}`, []*event.Event{f("a", "")}, []*event.Event{f("a", nil), f("b", "x"), f("a", " ")}},
			{"sel: {a: x}\nfil: {a: null}\ncondition: not fil", []*event.Event{f("a", "y")}, []*event.Event{f("b", "x")}},
		}},
		{"Rules, Detection: Lists, Maps, List of maps", []matchCase{
			{`sel: {a: [x, y], b: z}`, []*event.Event{f("a", "y", "b", "z")}, []*event.Event{f("a", "y"), f("b", "z")}},
			{"sel:\n- {a: x, b: y}\n- {a: z}", []*event.Event{f("a", "x", "b", "y"), f("a", "z")}, []*event.Event{f("a", "x")}},
			{`sel: {a: [x, y]}`, []*event.Event{f("a", "q", "a", "y")}, []*event.Event{f("a", "q", "a", "r")}}, // any element of a record's list
		}},
		{"Rules, Detection: Numbers", []matchCase{
			{`sel: {a: 4625}`, []*event.Event{f("a", 4625), f("a", "4625"), f("a", 4625.0)}, []*event.Event{f("a", 462), f("a", "x4625")}},
			{`sel: {a: 0x10}`, []*event.Event{f("a", 16)}, []*event.Event{f("a", 10)}},
		}},
		{"Rules, Detection: Keywords", []matchCase{
			{"sel:\n- foo\n- bar", []*event.Event{raw("a BAR b")}, []*event.Event{raw("b a r")}},
			{`sel: {'|all': [foo, bar]}`, []*event.Event{raw("bar foo")}, []*event.Event{raw("bar")}},
			{`sel: ['C:\Temp', 'say "x"']`, []*event.Event{raw(`C:\temp\y`), raw(`{"p":"C:\\temp\\y"}`), raw(`{"p":"say \"x\""}`)}, []*event.Event{raw(`C:/Temp`)}},
			{`sel: ['é*\x']`, []*event.Event{raw(`É1\x`), raw(`{"a":"\u00e9 \\x"}`), raw(`{"a":"é\\x"}`)}, []*event.Event{raw(`e\x`)}},
		}},
		{"Rules, Detection: Field Usage", []matchCase{
			{`sel: {Source Name: x}`, []*event.Event{f("SourceName", "x"), f("Source Name", "x")}, []*event.Event{f("Source", "x")}},
			{`sel: {a.b-c.d: x}`, []*event.Event{f("a.b-c.d", "x")}, []*event.Event{f("a", "x")}},
		}},
		{"Modifiers, Generic: all, startswith, endswith, contains, exists, cased, neq, windash", []matchCase{
			{`sel: {a|all|startswith: [x, xy]}`, []*event.Event{f("a", "xyz")}, []*event.Event{f("a", "xz")}},
			{`sel: {a|contains|all|windash: [' -x', ' -y']}`, []*event.Event{f("a", "q /x ―y"), f("a", "q —y –x")}, []*event.Event{f("a", "q -x")}},
			{`sel: {a|exists: false}`, []*event.Event{f("b", "x")}, []*event.Event{f("a", nil)}},
			{`sel: {a|neq: [x, null]}`, []*event.Event{f("a", "y")}, []*event.Event{f("a", "x"), f("b", "y")}},
			{`sel: {a|startswith|cased: X}`, []*event.Event{f("a", "Xy")}, []*event.Event{f("a", "xy")}},
			{`sel: {a|windash|endswith: '/f -g'}`, []*event.Event{f("a", "x -f /g"), f("a", "–f —g")}, []*event.Event{f("a", "f g")}},
			{`sel: {a|windash|contains: 'a-b c/d'}`, []*event.Event{f("a", "a-b c/d")}, []*event.Event{f("a", "a/b c-d")}}, // between word characters it is none
		}},
		{"Modifiers, Regular expressions: re, i, m, s", []matchCase{
			{`sel: {a|re: 'a\.b\\c*'}`, []*event.Event{f("a", `xa.b\ccc`)}, []*event.Event{f("a", `A.B\c`), f("a", `axb\c`)}},
			{`sel: {a|re|i|s: '^x.y$'}`, []*event.Event{f("a", "X\nY")}, []*event.Event{f("a", "1X\nY")}},
			{`sel: {a|re|m: '^y$'}`, []*event.Event{f("a", "x\ny")}, []*event.Event{f("a", "xy")}},
			{`sel: {a|re: '*'}`, nil, nil}, // refused, see below
		}},
		{"Modifiers, Encoding: base64, base64offset, utf16le, utf16be, utf16, wide", []matchCase{
			{`sel: {a|base64offset|contains: [http://, /bin/sh]}`, []*event.Event{f("a", "xx9iaW4vc2"), f("a", "aHR0cDovLx")}, []*event.Event{f("a", "/bin/sh")}},
			{`sel: {a|utf16le|base64offset|contains: 'ab'}`, []*event.Event{f("a", "YQBiA"), f("a", "xhAGIAx")}, []*event.Event{f("a", "YWI")}},
		}},
		{"Modifiers, Network: cidr", []matchCase{
			{`sel: {a|cidr: [192.168.0.0/23, 'fe80::/10']}`, []*event.Event{f("a", "192.168.1.255"), f("a", "fe80::1"), f("a", "::ffff:192.168.0.1")}, []*event.Event{f("a", "192.168.2.0"), f("a", "ff80::1"), f("a", "192.168.1")}},
		}},
		{"Modifiers, Numeric: lt, lte, gt, gte; Time: minute, hour, day, week, month, year", []matchCase{
			{`sel: {a|gte: 10}`, []*event.Event{f("a", "10"), f("a", 1e3)}, []*event.Event{f("a", "9"), f("a", "ten"), f("a", nil)}},
			{`sel: {t|hour|gte: 22}`, []*event.Event{f("t", "2026-11-03T22:00:00+05:00")}, []*event.Event{f("t", "2026-11-03T21:59:59Z"), f("t", "22")}},
			{"sel: {t|week: 45, t|month: 11, t|day: 3, t|year: 2026, t|minute: 14}", []*event.Event{f("t", "2026-11-03 09:14:02")}, []*event.Event{f("t", "2026-11-09 09:14:02")}},
		}},
		{"Modifiers, Specific: fieldref", []matchCase{
			{`sel: {a|fieldref|neq|endswith: b}`, []*event.Event{f("a", "xy", "b", "x")}, []*event.Event{f("a", "xy", "b", "Y")}},
		}},
		{"Rules, Detection: Condition", []matchCase{
			{"s1: {a: x}\ns2: {b: x}\nt: {c: x}\ncondition: 1 of s* and not t or t and all of s*", []*event.Event{f("a", "x"), f("a", "x", "b", "x", "c", "x")}, []*event.Event{f("a", "x", "c", "x"), f("c", "x")}},
			{"s1: {a: x}\n_s2: {b: x}\ncondition: all of them", []*event.Event{f("a", "x")}, []*event.Event{f("b", "x")}},
			{"s1: {a: x}\ns2: {b: x}\ncondition: not (not (s1 and (s2)))", []*event.Event{f("a", "x", "b", "x")}, []*event.Event{f("a", "x")}},
		}},
	} {
		t.Run(s.section, func(t *testing.T) {
			for _, c := range s.cases {
				if c.yes == nil && c.no == nil {
					if l := Parse("r.yml", ruleOf(c.detection)); len(l.Refused) != 1 {
						t.Errorf("not refused: %s", c.detection)
					}
					continue
				}
				checkMatches(t, []matchCase{c})
			}
		})
	}
}

// TestRegistryEvent: rules for registry_event are about every kind of change to the
// registry, those for one kind about no other (Sigma's taxonomy, Windows).
func TestRegistryEvent(t *testing.T) {
	src := func(id, category string) string {
		return "title: t\nid: " + id + "\nlevel: low\nlogsource: {product: windows, category: " + category + "}\ndetection: {s: {a: x}, condition: s}\n---\n"
	}
	l := Parse("r.yml", []byte(src("any", "registry_event")+src("set", "registry_set")+src("file", "file_event")))
	m := detect.NewSet(l.Rules).NewMatcher()
	for category, want := range map[string]int{"registry_set": 2, "registry_add": 1, "registry_delete": 1, "registry_rename": 1, "registry_event": 1, "file_event": 1, "": 0} {
		e := f("a", "x")
		e.LogSource = event.LogSource{Product: "windows", Category: category, Service: "sysmon"}
		if hits := m.Match(e, nil); len(hits) != want {
			t.Errorf("%q is matched by %d rules, want %d", category, len(hits), want)
		}
	}
}
