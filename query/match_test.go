package query

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"bartizan/event"

	"pgregory.net/rapid"
)

// sample is one made-up record with a repeated name, a null, an alias, an
// escaped value and a message.
func sample() *event.Event {
	raw := `{"user":"Root","ip":"203.0.113.9","tags":["red","Blue"],"n":5.50,"gone":null,"path":"C:\\Temp","empty":"","note":"password Grüße"}`
	e := &event.Event{
		Raw:        []byte(raw),
		Ref:        event.Ref{Source: "file:/var/log/app.log"},
		Time:       time.Date(2026, 1, 2, 3, 4, 5, 600_000_000, time.UTC),
		FormatName: "json",
		Level:      event.LevelWarning,
	}
	add := func(name, text string, kind event.Kind) {
		at := strings.Index(raw, text)
		v := event.Value{Str: text, Kind: kind, Pos: int32(at), End: int32(at + len(text))}
		if text == "" || at < 0 {
			v.Pos, v.End = -1, -1
		}
		if kind == event.KindNumber {
			v.Num, _ = parseNumber(text)
		}
		e.Fields = append(e.Fields, event.Field{Name: name, Sym: event.Intern(name), Value: v})
	}
	add("user", "Root", event.KindString)
	add("addr", "203.0.113.9", event.KindString)
	add("tags", "red", event.KindString)
	add("tags", "Blue", event.KindString)
	add("n", "5.50", event.KindNumber)
	add("gone", "", event.KindNull)
	add("path", `C:\Temp`, event.KindString)
	at := strings.Index(raw, `C:\\`)
	e.Fields[6].Value.Pos, e.Fields[6].Value.End = int32(at), int32(at+8)
	add("empty", "", event.KindString)
	add("note", "password Grüße", event.KindString)
	add("v6", "2001:0db8:0::1", event.KindString)
	add("when", "2026-01-02T03:04:05Z", event.KindString)
	add("size", "12", event.KindString)
	add("sev", "WARN", event.KindString)
	e.Native = len(e.Fields)
	add("source.ip", "203.0.113.9", event.KindString)
	add("user", "alias loses", event.KindString)
	note := strings.Index(raw, "password")
	e.Message = rawText(e)[note : note+8]
	return e
}

func TestMatchTable(t *testing.T) {
	e := sample()
	for _, c := range []struct {
		q    string
		want bool
	}{
		{"", true},
		{"*", true},
		{"not *", false},
		{"PASSWORD", true},
		{"password grüSSe", false},
		{"pass GRÜẞE", true},
		{`"\"red\",\"blue\""`, true},
		{"pass*rü?e", true},
		{"missing", false},
		{"/pass.*gr/", true},
		{"/^pass/", false},
		{"user: root", true},
		{"user: roo", false},
		{"user: ro*", true},
		{"user: *OT", true},
		{"user: *oo*", true},
		{"user: r*t", true},
		{`user: "alias loses"`, false},
		{`"user": root`, true},
		{"tags: red and tags: blue", true},
		{"tags: (red and green)", false},
		{"tags: (green or red)", true},
		{"not tags: green", true},
		{"not nothing: x", true},
		{"!tags: red", false},
		{"nothing: *", false},
		{"gone: *", true},
		{"n: 5.5", true},
		{"n: 5.50", true},
		{"n: 55", false},
		{"n > 5", true},
		{"n >= 5.5", true},
		{"n < 5.5", false},
		{"n <= 5.5", true},
		{"tags > 1", false},
		{"size > 9", true},
		{"size > 13", false},
		{"size: 12.0", false},
		{`path: C:\temp`, true},
		{`path: C:\\temp`, true},
		{`path: *\\TEMP`, true},
		{`path: "c:\temp"`, true},
		{`empty: ""`, true},
		{`user: ""`, false},
		{`gone: ""`, false},
		{`nothing: ""`, false},
		{"source.ip: 203.0.113.0/24", true},
		{"addr: 203.0.113.0/25", true},
		{"source.ip: 10.0.0.0/8", false},
		{"user: 0.0.0.0/0", false},
		{"ip: 203.0.113.9", true},
		{"src: 203.0.113.9", true},
		{"dst: 203.0.113.9", false},
		{"ip: *", true},
		{"dst: *", false},
		{"v6: 2001:db8::1", true},
		{"v6: 2001:db8::/32", true},
		{"v6: 2001:db8::2", false},
		{"v6: 0.0.0.0/0", false},
		{"addr in @bad", true},
		{"user in @bad", false},
		{"tags in @bad", false},
		{"in @bad", true},
		{"ip in @bad", true},
		{"level: warn", true},
		{"level: WARNING", true},
		{"level: error", false},
		{"level >= notice", true},
		{"level > warning", false},
		{"level <= warn", true},
		{"level: warn*", true},
		{"level: *", true},
		{"sev >= warning", true},
		{"sev < warning", false},
		{"format: JSON", true},
		{"source: *app.log", true},
		{"source: file*", true},
		{"message: PASS", true},
		{"message: pa*rd", true},
		{"message: /^pass/", true},
		{"message: *", true},
		{"message: zzz", false},
		{"raw: 203.0", true},
		{"@timestamp: 2026-01-02", true},
		{"@timestamp: 2026-01-03", false},
		{"@timestamp: 2026-01-02T03:04", true},
		{"@timestamp: 2026-01-02T03:04:05", true},
		{"@timestamp: *", true},
		{`@timestamp >= "2026-01-02T03:04:05Z"`, true},
		{"@timestamp > 2026-01-02T03:04:05.6Z", false},
		{"@timestamp >= 2026-01-02T03:04:05.6Z", true},
		{"@timestamp < 2026-01-02T04:04:05.7+01:00", true},
		{"@timestamp < 2026-01-02", false},
		{"when > 2026-01-01", true},
		{"when < 2026-01-01", false},
		{"user: root and (level < info or not note: *)", false},
		{"note: *grüsse*", false},
		{"note: *GRÜ*", true},
	} {
		n, err := ParseWith(c.q, lists)
		if err != nil {
			t.Errorf("%s: %v", c.q, err)
			continue
		}
		m, err := Compile(n)
		if err != nil {
			t.Errorf("%s: %v", c.q, err)
			continue
		}
		if got := m.Match(e); got != c.want || Holds(n, e) != c.want {
			t.Errorf("%s: matches %v, uncompiled %v, want %v", c.q, got, Holds(n, e), c.want)
		}
		if why := m.Explain(e, nil); (len(why) > 0) != c.want && c.q != "" && c.q != "*" {
			t.Errorf("%s: explained by %v", c.q, why)
		}
		if n := testing.AllocsPerRun(20, func() { m.Match(e) }); n != 0 {
			t.Errorf("%s: %v allocations", c.q, n)
		}
	}
}

// TestMatchPredicates asks what the language has no words for.
func TestMatchPredicates(t *testing.T) {
	e := sample()
	cased, _ := CompileRegex("ROOT")
	set := &Set{Values: map[string]struct{}{"root": {}}}
	for _, c := range []struct {
		p     Pred
		want  bool
		words string
	}{
		{Pred{Field: "user", Op: OpEqual, Value: "root", Cased: true}, false, `"user" is "root" (exact case)`},
		{Pred{Field: "user", Op: OpEqual, Value: "Root", Cased: true}, true, `"user" is "Root" (exact case)`},
		{Pred{Field: "user", Op: OpContains, Value: "OO", Cased: true}, false, `"user" contains "OO" (exact case)`},
		{Pred{Field: "user", Op: OpPrefix, Value: "Ro", Cased: true}, true, `"user" starts with "Ro" (exact case)`},
		{Pred{Field: "user", Op: OpSuffix, Value: "OT", Cased: true}, false, `"user" ends with "OT" (exact case)`},
		{Pred{Field: "user", Op: OpSuffix, Value: "a very long suffix", Cased: true}, false, `"user" ends with "a very long suffix" (exact case)`},
		{Pred{Field: "user", Op: OpGlob, Value: "R??t", Cased: true}, true, `"user" is like "R??t" (exact case)`},
		{Pred{Field: "user", Op: OpRegex, Re: cased, Cased: true}, false, `"user" matches /ROOT/ (exact case)`},
		{Pred{Field: "message", Op: OpEqual, Value: "PASSWORD"}, true, `message is "PASSWORD"`},
		{Pred{Field: "message", Op: OpPrefix, Value: "word"}, false, `message starts with "word"`},
		{Pred{Field: "nothing", Op: OpNull}, true, "nothing is absent or null"},
		{Pred{Field: "gone", Op: OpNull}, true, "gone is absent or null"},
		{Pred{Field: "user", Op: OpNull}, false, `"user" is absent or null`},
		{Pred{Field: "ip", Op: OpNull, Short: true}, false, "ip is absent or null"},
		{Pred{Field: "dst", Op: OpNull, Short: true}, true, "dst is absent or null"},
		{Pred{Field: "addr", Op: OpFieldEqual, Value: "source.ip"}, true, "addr equals the field source.ip"},
		{Pred{Field: "addr", Op: OpFieldEqual, Value: "nothing"}, false, "addr equals the field nothing"},
		{Pred{Field: "gone", Op: OpFieldEqual, Value: "gone"}, false, "gone equals the field gone"},
		{Pred{Field: "addr", Op: OpFieldEqual, How: OpPrefix, Value: "source.ip"}, true, "addr starts with the field source.ip"},
		{Pred{Field: "message", Op: OpFieldEqual, How: OpContains, Value: "user"}, false, "message contains the field user"},
		{Pred{Field: "raw", Op: OpFieldEqual, How: OpContains, Value: "user"}, true, "raw contains the field user"},
		{Pred{Field: "raw", Op: OpFieldEqual, How: OpSuffix, Value: "user"}, false, "raw ends with the field user"},
		{Pred{Field: "raw", Op: OpFieldEqual, How: OpContains, Value: "gone"}, false, "raw contains the field gone"},
		{Pred{Field: "user", Op: OpIn, Set: set}, true, `"user" is one of root`},
		{Pred{Field: "user", Op: OpIn, Set: set, Cased: true}, false, `"user" is one of root (exact case)`},
		{Pred{Field: "n", Op: OpGreater, Num: 5}, true, "n > 5"},
		{Pred{Op: OpContains, Value: "ROOT", Cased: true}, false, `record contains "ROOT" (exact case)`},
		{Pred{Op: OpGlob, Value: "*b?ue*"}, true, "*b?ue*"},
	} {
		if got := c.p.Match(e); got != c.want {
			t.Errorf("%s: %v", c.words, got)
		}
		if got := c.p.Prepare().Match(e); got != c.want {
			t.Errorf("%s: %v when prepared", c.words, got)
		}
		if got := c.p.String(); got != c.words {
			t.Errorf("printed as %s, want %s", got, c.words)
		}
		if why := Explain(&c.p, e, nil); (len(why) == 1) != c.want {
			t.Errorf("%s: explained by %v", c.words, why)
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	deep := Node(&Pred{Op: OpContains, Value: "x"})
	for range MaxCompileDepth + 2 {
		deep = Not{deep}
	}
	for _, c := range []struct {
		n    Node
		says string
	}{
		{nil, "empty part"},
		{And{nil}, "empty part"},
		{(*Pred)(nil), "empty part"},
		{&Pred{Op: OpEqual, Value: "x"}, "the raw record as a whole"},
		{&Pred{Field: "f", Op: OpRegex}, "f has no regular expression"},
		{&Pred{Field: "f", Op: OpCIDR}, "f has no network"},
		{&Pred{Field: "f", Op: OpIn}, "f has no list"},
		{&Pred{Field: "f", Op: OpIn + 1}, "unknown operator"},
		{deep, "nested deeper"},
	} {
		if _, err := Compile(c.n); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.says, err)
		}
	}
}

func TestExplain(t *testing.T) {
	e := sample()
	for _, c := range []struct {
		q    string
		want []string // field, predicate, value, part of Raw
	}{
		{"user: ro*", []string{"user", "user: ro*", "Root", "Ro"}},
		{"tags: *lu*", []string{"tags", "tags: *lu*", "Blue", "lu"}},
		{"note: /gr../", []string{"note", "note: /gr../", "password Grüße", "Grüß"}},
		{"note: *ÜSS*", nil},
		{"note: *ÜßE", []string{"note", "note: *ÜßE", "password Grüße", "üße"}},
		{`path: C:\temp`, []string{"path", `path: "C:\\temp"`, `C:\Temp`, `C:\\Temp`}},
		{`path: *temp`, []string{"path", `path: *temp`, `C:\Temp`, `C:\\Temp`}},
		{"PASS*WORD", []string{"", "PASS*WORD", "password", "password"}},
		{"/gr[uü]/", []string{"", "/gr[uü]/", "Grü", "Grü"}},
		{"in @bad", []string{"", "in @bad", "203.0.113.9", "203.0.113.9"}},
		{"ip in @bad", []string{"source.ip", "source.ip in @bad", "203.0.113.9", "203.0.113.9"}},
		{"level: warn", []string{"level", "level: warn", "warning", ""}},
		{"@timestamp > 2026-01-01", []string{"@timestamp", "@timestamp > 2026-01-01", "2026-01-02T03:04:05.6Z", ""}},
		{"message: SSW", []string{"message", "message: SSW", "password", "ssw"}},
		{"n > 5 and not user: bob", []string{"n", "n > 5", "5.50", "5.50"}},
		{"not user: bob", []string{"", "not user: bob", "", ""}},
		{"user: bob or n: 5.5", []string{"n", "n: 5.5", "5.50", "5.50"}},
	} {
		n, err := ParseWith(c.q, lists)
		if err != nil {
			t.Fatal(err)
		}
		m, err := Compile(n)
		if err != nil {
			t.Fatal(err)
		}
		why := m.Explain(e, nil)
		if c.want == nil {
			if why != nil {
				t.Errorf("%s: explained by %v", c.q, why)
			}
			continue
		}
		if len(why) != 1 {
			t.Errorf("%s: explained by %v", c.q, why)
			continue
		}
		part := ""
		if why[0].Pos >= 0 {
			part = string(e.Raw[why[0].Pos:why[0].End])
		}
		if got := []string{why[0].Field, why[0].Predicate, why[0].Value, part}; strings.Join(got, "|") != strings.Join(c.want, "|") {
			t.Errorf("%s: explained by %q, want %q", c.q, got, c.want)
		}
	}
}

func TestExplainCutsAndCounts(t *testing.T) {
	e := &event.Event{}
	for range 3 * MaxExplainedTimes {
		e.Fields = append(e.Fields, event.Field{Name: "f", Value: event.Value{Str: strings.Repeat("é", MaxExplained), Pos: -1}})
	}
	why := Explain(&Pred{Field: "f", Op: OpExists}, e, nil)
	if len(why) != MaxExplainedTimes || len(why[0].Value) != MaxExplained {
		t.Errorf("%d matches, value of %d bytes", len(why), len(why[0].Value))
	}
}

func TestNamesAndLookup(t *testing.T) {
	e := sample()
	if got := Lookup(e, "tags", nil); len(got) != 2 || got[1].Str != "Blue" {
		t.Errorf("tags are %v", got)
	}
	if got := Lookup(e, "user", nil); len(got) != 1 || got[0].Str != "Root" {
		t.Errorf("a native name does not win: %v", got)
	}
	if got := Lookup(e, "message", nil); len(got) != 1 || string(e.Raw[got[0].Pos:got[0].End]) != "password" {
		t.Errorf("message is %v", got)
	}
	if got := Lookup(e, "@timestamp", nil); len(got) != 1 || got[0].Str != "2026-01-02T03:04:05.6Z" {
		t.Errorf("@timestamp is %v", got)
	}
	if got := Lookup(&event.Event{}, "level", nil); len(got) != 0 {
		t.Errorf("an unknown level is %v", got)
	}
	for _, n := range ShortNames() {
		if n.Words == "" || (n.Fields == nil) != IsPseudo(n.Name) {
			t.Errorf("%+v", n)
		}
	}
}

func TestAddrAgreesWithNetip(t *testing.T) {
	piece := rapid.SampledFrom([]string{"0", "1", "a", "ffff", "10", "255", "256", "01", ".", ":", "::", "1.2.3.4", "g", "12345", "%"})
	rapid.Check(t, func(t *rapid.T) {
		s := strings.Join(rapid.SliceOfN(piece, 0, 17).Draw(t, "s"), "")
		want, err := netip.ParseAddr(s)
		got, ok := ParseAddr(s)
		if ok != (err == nil && want.Zone() == "") || ok && got != want.Unmap() {
			t.Fatalf("%q is %v, %v; netip says %v, %v", s, got, ok, want, err)
		}
	})
}

func TestParseTime(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"2026-01-02", "2026-01-02T00:00:00Z"},
		{"2026-01-02T03:04", "2026-01-02T03:04:00Z"},
		{"2026-01-02 03:04:05", "2026-01-02T03:04:05Z"},
		{"2026-01-02T03:04:05.25+02:00", "2026-01-02T01:04:05.25Z"},
		{"2026-01-02T03:04:05-0130", "2026-01-02T04:34:05Z"},
		{"2026-02-30", ""},
		{"2026-13-01", ""},
		{"2026-01-02T24:00", ""},
		{"2026-01-02X", ""},
		{"2026-01-02T03:04:05.", ""},
		{"2026-01-02T03:04:05+1", ""},
		{"", ""},
		{"20260102T030405", ""},
	} {
		got, _, ok := parseTime(c.in)
		if ok != (c.want != "") || ok && got.UTC().Format(time.RFC3339Nano) != c.want {
			t.Errorf("%q is %v, %v", c.in, got, ok)
		}
	}
}

func TestParseNumber(t *testing.T) {
	for in, want := range map[string]float64{"0": 0, "-1.5e3": -1500, "+2": 2, ".5": .5, "5.": 5, "007": 7} {
		if got, ok := parseNumber(in); !ok || got != want {
			t.Errorf("%s is %v, %v", in, got, ok)
		}
	}
	for _, in := range []string{"", "-", ".", "1e", "0x10", "inf", "NaN", "1_000", "1 ", "1e999", strings.Repeat("9", 65)} {
		if got, ok := parseNumber(in); ok {
			t.Errorf("%q is %v", in, got)
		}
	}
}

func TestSetWords(t *testing.T) {
	values, _ := lists("bad")
	s, err := NewSet("bad", values)
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{
		"from 203.0.113.9:22.":               "203.0.113.9",
		"http://evil.EXAMPLE/x":              "evil.EXAMPLE",
		"at 198.51.100.77,":                  "198.51.100.77",
		"[2001:db8:bad::5]:443":              "2001:db8:bad::5",
		"user mallory: bad":                  "mallory",
		"notevil.example.com 203.0.113.90":   "",
		strings.Repeat("x", 5000) + ".":      "",
		"a " + strings.Repeat("\u212a", 500): "",
	} {
		start, end, ok := s.hasWord(in, false)
		if ok != (want != "") || ok && in[start:end] != want {
			t.Errorf("%.40s: %d-%d %v", in, start, end, ok)
		}
	}
	if _, err := NewSet("long", []string{strings.Repeat("x", MaxSetValue+1)}); err == nil {
		t.Error("a value that can never match is taken")
	}
	exact := strings.Repeat("x", MaxSetValue)
	if s, err := NewSet("exact", []string{exact}); err != nil || !s.has(exact, false) {
		t.Errorf("a value of just the allowed length: %v", err)
	}
}
