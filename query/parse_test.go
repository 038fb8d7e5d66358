package query

import (
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// lists is the resolver of all tests.
func lists(name string) ([]string, error) {
	if name == "gone" {
		return nil, errors.New("no such file")
	}
	return []string{"# made up", "203.0.113.9", "Evil.example", "198.51.100.0/24", "2001:db8:bad::/48", " mallory "}, nil
}

// shape writes a tree so that equal texts mean equal trees.
func shape(n Node) string {
	switch n := n.(type) {
	case *Pred:
		c := *n
		extra := ""
		if c.Re != nil {
			extra, c.Re = c.Re.String(), nil
		}
		if c.Set != nil {
			extra, c.Set = fmt.Sprint(c.Set.Name, c.Set.Values, c.Set.bits), nil
		}
		return fmt.Sprintf("%+v%q", c, extra)
	case And:
		return "and" + shapes(n)
	case Or:
		return "or" + shapes(n)
	case Not:
		return "not(" + shape(n.X) + ")"
	}
	return "nil"
}

func shapes(parts []Node) string {
	var out []string
	for _, x := range parts {
		out = append(out, shape(x))
	}
	return "(" + strings.Join(out, "; ") + ")"
}

func TestParseTable(t *testing.T) {
	for _, c := range []struct{ in, out string }{
		{"", "*"},
		{"  *  ", "*"},
		{"failed password", "failed and password"},
		{"failed AND password OR x", "(failed and password) or x"},
		{`"free text"`, `"free text"`},
		{`user.name: root and not source.ip: 10.0.0.0/8`, `user.name: root and not source.ip: 10.0.0.0/8`},
		{`user.name:root -x`, `user.name: root and -x`},
		{`!user: root`, `not user: root`},
		{`a !b`, `a and not b`},
		{`not (a or b)`, `not (a or b)`},
		{`f: (a or b)`, `f: (a or b)`},
		{`f: (a and not b)`, `f: a and not f: b`},
		{`f: a or f: b`, `f: (a or b)`},
		{`f: (a or (b and c))`, `f: a or f: (b and c)`},
		{`f: *`, `f: *`},
		{`f: **`, `f: *`},
		{`f: ""`, `f: ""`},
		{`f: a*`, `f: a*`},
		{`f: *a`, `f: *a`},
		{`f: *a b*`, `f: *a and b`},
		{`f: *a\ b*`, `f: *a\ b*`},
		{`f: a\*`, `f: "a*"`},
		{`f: a\**`, `f: a\**`},
		{`f: a?c`, `f: a?c`},
		{`fail*ed`, `fail*ed`},
		{`*fail*`, `fail`},
		{`message: fail*ed`, `message: *fail*ed*`},
		{`message: fail\**`, `message: "fail*"`},
		{`path: /etc/passwd`, `path: "/etc/passwd"`},
		{`path: /^\/etc/`, `path: /^\/etc/`},
		{`/fail(ed)? pass/`, `/fail(ed)? pass/`},
		{`f: C:\Windows\System32`, `f: "C:\\Windows\\System32"`},
		{`src: 2001:db8::1`, `src: 2001:db8::1`},
		{`2001:db8::1`, `"2001:db8::1"`},
		{`10:22:33`, `"10:22:33"`},
		{`127.0.0.1:22`, `"127.0.0.1:22"`},
		{`http://evil.example/x`, `"http://evil.example/x"`},
		{`src: 2001:db8::/32`, `src: 2001:db8::/32`},
		{`src: "10.0.0.0/8"`, `src: "10.0.0.0/8"`},
		{`level >= warning`, `level >= warning`},
		{`bytes<10`, `bytes < 10`},
		{`bytes >= -1.5e3`, `bytes >= -1.5e3`},
		{`@timestamp >= "2026-01-02T03:04:05Z"`, `@timestamp >= 2026-01-02T03:04:05Z`},
		{`@timestamp: 2026-01-02`, `@timestamp: 2026-01-02`},
		{`source.ip in @bad.txt`, `source.ip in @bad.txt`},
		{`in @"my list"`, `in @"my list"`},
		{`"Source Name": x`, `"Source Name": x`},
		{`"user": root`, `"user": root`},
		{`"and"`, `"and"`},
		{`f: "not"`, `f: "not"`},
		{`uid=0`, `uid=0`},
		{`not not a`, `not not a`},
		{`(a and b) and c`, `(a and b) and c`},
		{`NOT f: Ünïcode`, `not f: Ünïcode`},
	} {
		n, err := ParseWith(c.in, lists)
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if got := Print(n); got != c.out {
			t.Errorf("%s is printed as %s, want %s", c.in, got, c.out)
		}
		again, err := ParseWith(Print(n), lists)
		if err != nil || shape(again) != shape(n) {
			t.Errorf("%s comes back as %v (%v)", c.in, shape(again), err)
		}
	}
}

func TestParseShapes(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Node
	}{
		{"foo", &Pred{Op: OpContains, Value: "foo"}},
		{"f: foo", &Pred{Field: "f", Op: OpEqual, Value: "foo"}},
		{"f: fo*", &Pred{Field: "f", Op: OpPrefix, Value: "fo"}},
		{"f: *fo", &Pred{Field: "f", Op: OpSuffix, Value: "fo"}},
		{"f: *fo*", &Pred{Field: "f", Op: OpContains, Value: "fo"}},
		{"f: a*b", &Pred{Field: "f", Op: OpGlob, Value: "a*b"}},
		{"raw: fo", &Pred{Field: "raw", Op: OpContains, Value: "fo"}},
		{"user: root", &Pred{Field: "user", Op: OpEqual, Value: "root", Short: true}},
		{"f: 10.1.2.3/8", &Pred{Field: "f", Op: OpCIDR, Value: "10.1.2.3/8", Net: netip.MustParsePrefix("10.0.0.0/8")}},
		{"f > 5", &Pred{Field: "f", Op: OpGreater, Value: "5", Num: 5}},
		{"level <= err", &Pred{Field: "level", Op: OpLessEq, Value: "err", Num: 6}},
		{"a b or c", Or{And{&Pred{Op: OpContains, Value: "a"}, &Pred{Op: OpContains, Value: "b"}}, &Pred{Op: OpContains, Value: "c"}}},
		{"", And{}},
	} {
		if n, err := Parse(c.in); err != nil || !reflect.DeepEqual(n, c.want) {
			t.Errorf("%s: got %s, %v, want %s", c.in, shape(n), err, shape(c.want))
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct {
		in, says string
		pos      int
	}{
		{"a and", "the filter ends", 5},
		{"and a", "nothing before this connective", 0},
		{"(a", "never closed", 0},
		{"a)", "before )", 1},
		{"()", "before )", 1},
		{`"abc`, "never closed", 0},
		{`""`, "no text between the quotes", 0},
		{"f:", "a value is missing after f", 2},
		{"f: and x", "a value is missing after f", 3},
		{"f: !x", "write: not f: value", 3},
		{"f: >5", "write: f > value", 3},
		{"f: {a: b}", "nested queries in { }", 3},
		{"f: (a b)", "write and or or between", 6},
		{"f: ()", "a value is missing", 4},
		{"f != x", "not field: value", 2},
		{"f = x", "field: value", 2},
		{"f == x", "field: value", 2},
		{": x", "expected before ':'", 0},
		{`"": x`, "a field name is missing", 0},
		{"us*r: x", "cannot hold a wildcard", 0},
		{"f > abc", "can be compared with", 4},
		{"f > 5*", "can be compared with", 4},
		{"@timestamp > 5", "can be compared with", 13},
		{"@timestamp: noon", "not a time", 12},
		{`@timestamp: ""`, "not a time", 12},
		{"@timestamp: /2026/", "takes no expression", 12},
		{"@timestamp: 2026*", "no wildcard", 12},
		{"f: /(/", "cannot be read", 3},
		{"f: /(x{1000}){1000}/", "regular expression", 3},
		{"f: /" + strings.Repeat("x{90}y{90}", 60) + "/", "at most 10000", 3},
		{strings.Repeat("/x{990}/ ", 60), "of this filter", 16 * 9},
		{"f: /" + strings.Repeat("x", 9000) + "/", "at most 8192", 3},
		{"f in @gone", "no such file", 5},
		{"f in @", "name of a list is missing", 5},
		{`a"b"`, "quote stands inside a word", 1},
		{"f: a{b}", "nested queries in { }", 4},
		{"é (", "column 4", 4},
		{strings.Repeat("(", 65) + "a", "nested deeper than 64", 64},
		{strings.Repeat("!", 65) + "a", "nested deeper than 64", 64},
		{strings.Repeat("a ", MaxText), "at most 65536", MaxText},
	} {
		n, err := ParseWith(c.in, lists)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%.40s: no error but %s", c.in, shape(n))
			continue
		}
		if !strings.Contains(e.Msg, c.says) || e.Pos != c.pos || strings.Contains(e.Msg, "\n") {
			t.Errorf("%.40s: at %d: %s", c.in, e.Pos, e.Msg)
		}
	}
	if _, err := Parse("f in @x"); err == nil || !strings.Contains(err.Error(), "cannot be used here") {
		t.Errorf("a list without a resolver: %v", err)
	}
}

// names, words and trees draw everything KQL can say.
func trees() *rapid.Generator[Node] {
	return rapid.Custom(func(t *rapid.T) Node { return drawTree(t, 3) })
}

func drawTree(t *rapid.T, depth int) Node {
	kind := rapid.IntRange(0, 5).Draw(t, "kind")
	if depth == 0 || kind < 3 {
		return drawPred(t)
	}
	if kind == 3 {
		return Not{drawTree(t, depth-1)}
	}
	var parts []Node
	for range rapid.IntRange(2, 4).Draw(t, "parts") {
		parts = append(parts, drawTree(t, depth-1))
	}
	if kind == 4 {
		return And(parts)
	}
	return Or(parts)
}

var drawText = rapid.OneOf(
	rapid.SampledFrom([]string{"root", "and", "NOT", "in", "10.0.0.1", "10.0.0.0/8", "2001:db8::1", "/etc/", "/etc/passwd", `C:\Win`, "a*b", "a?", "!x", "@x", "=", "a b", `"`, `\`, "\xff\n", "{}", "x:y", "ÄÖ", "\u00a0", "5", "http://x"}),
	rapid.StringN(1, 8, 16),
	rapid.StringOfN(rapid.RuneFrom([]rune(`ab:*?\"/(){}<>!@ =.1`)), 1, 8, -1),
)

func drawPred(t *rapid.T) Node {
	p := &Pred{Value: drawText.Draw(t, "value")}
	if rapid.IntRange(0, 3).Draw(t, "where") == 0 {
		p.Op = OpContains
		return p
	}
	p.Field = rapid.OneOf(rapid.SampledFrom([]string{"user.name", "f", "level", "user", "Source Name", "and", "a:b", "12"}), drawText).Draw(t, "field")
	if shortFields(p.Field) != nil {
		p.Short = rapid.Bool().Draw(t, "short")
	}
	if p.Field == "message" || p.Field == "raw" || p.Field == "@timestamp" {
		p.Field = "other"
	}
	switch p.Op = rapid.SampledFrom([]Op{OpEqual, OpContains, OpPrefix, OpSuffix, OpExists, OpEmpty, OpLess, OpGreaterEq, OpCIDR, OpRegex, OpGlob, OpIn}).Draw(t, "op"); p.Op {
	case OpExists, OpEmpty:
		p.Value = ""
	case OpLess, OpGreaterEq:
		p.Value, p.Num = "12.5", 12.5
	case OpCIDR:
		p.Value = rapid.SampledFrom([]string{"10.0.0.0/8", "10.1.2.3/16", "2001:db8::/32"}).Draw(t, "net")
		p.Net = netip.MustParsePrefix(p.Value).Masked()
	case OpRegex:
		p.Value = rapid.SampledFrom([]string{"a", "^/etc/.*$", `a b|c\d`, `\\`, `[/()"]+`, `(?m)x{2}`}).Draw(t, "expr")
		p.Re, _ = CompileRegex("(?i)" + p.Value)
	case OpGlob:
		p.Value = "x*" + escapeGlob(p.Value) + "?"
	case OpIn:
		values, _ := lists(p.Value)
		p.Set, _ = NewSet(p.Value, values)
		p.Value = ""
	}
	return p
}

func TestPrintRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := trees().Draw(t, "tree")
		text := Print(n)
		again, err := ParseWith(text, lists)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if shape(again) != shape(n) {
			t.Fatalf("%s\n  was  %s\n  back %s", text, shape(n), shape(again))
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"", "*", "a b", "user.name: root and not source.ip: 10.0.0.0/8", "level >= warning", `"free text"`,
		"field: (a or b)", "/re(gex)?/", "f: /x\\/y/", "f in @list", "!a", "f: C:\\x\\*", "f: a\\\\*", "message: *x*y",
		"@timestamp >= 2026-01-02", "\xff: \xfe", "f: \\", "((((", "f: (not (a or b*) and c)", "in @x", "f:*\\", "?", "*?*", "raw: \\**",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := ParseWith(s, lists)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Pos < 0 || e.Pos > len(s) {
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		text := Print(n)
		if len(text) > MaxText {
			return
		}
		again, err := ParseWith(text, lists)
		if err != nil {
			t.Fatalf("%q is printed as %q: %v", s, text, err)
		}
		if shape(again) != shape(n) {
			t.Fatalf("%q is printed as %q\n  was  %s\n  back %s", s, text, shape(n), shape(again))
		}
		if _, err := Compile(n); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		if utf8.ValidString(s) && !utf8.ValidString(text) {
			t.Fatalf("%q is printed as bad UTF-8 %q", s, text)
		}
	})
}
