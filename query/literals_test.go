package query

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"bartizan/event"

	"pgregory.net/rapid"
)

func TestLiterals(t *testing.T) {
	for _, c := range []struct {
		q              string
		raw, field     []string
		rawOK, fieldOK bool
	}{
		{"*", nil, nil, false, false},
		{"not *", nil, nil, false, false},
		{"foo", []string{"foo"}, []string{"foo"}, true, true},
		{"fo password", []string{"password"}, []string{"password"}, true, true},
		{"foo or bar", []string{"foo", "bar"}, []string{"foo", "bar"}, true, true},
		{"foo or not bar", nil, nil, false, false},
		{"foo or f: x", nil, []string{"foo", "x"}, false, true},
		{"foo f: longer", []string{"foo"}, []string{"longer"}, true, true},
		{"fail*password?x", []string{"password"}, []string{"password"}, true, true},
		{"/fail(ed|ure) pass/", []string{" PASS"}, []string{" PASS"}, true, true},
		{"/(failed|denied)+x?/", []string{"FAILED", "DENIED"}, []string{"FAILED", "DENIED"}, true, true},
		{"/a*/", nil, nil, false, false},
		{"f: 5", nil, nil, false, false},
		{"user: 5", nil, nil, false, false},
		{"user: bob", nil, []string{"bob"}, false, true},
		{"f: 2001:db8::1", nil, nil, false, false},
		{"f: 10.0.0.1", nil, []string{"10.0.0.1"}, false, true},
		{"level: warning", nil, nil, false, false},
		{"raw: foo", nil, []string{"foo"}, false, true},
		{"f > 5", nil, nil, false, false},
		{"in @bad", nil, nil, false, false},
	} {
		n, err := ParseWith(c.q, lists)
		if err != nil {
			t.Fatal(err)
		}
		m, err := Compile(n)
		if err != nil {
			t.Fatal(err)
		}
		if lits, ok := m.Literals(); !slices.Equal(lits, c.raw) || ok != c.rawOK {
			t.Errorf("%s: raw %q, %v", c.q, lits, ok)
		}
		if lits, ok := m.FieldLiterals(); !slices.Equal(lits, c.field) || ok != c.fieldOK {
			t.Errorf("%s: field %q, %v", c.q, lits, ok)
		}
	}
	if lits, sound := required(Or{}, rawLiterals); lits == nil || len(lits) != 0 || !sound {
		t.Errorf("what matches nothing needs %q, %v", lits, sound)
	}
}

// verbatim draws an event whose field values all stand in Raw as they are.
func verbatim(t *rapid.T) *event.Event {
	e := &event.Event{}
	for range rapid.IntRange(0, 4).Draw(t, "fields") {
		name := rapid.SampledFrom([]string{"user.name", "f", "user", "Source Name", "a:b"}).Draw(t, "name")
		text := rapid.OneOf(drawText, rapid.SampledFrom([]string{"12.5", "13", "10.1.2.3", "ABB", "/ETC/x", "x\u212ay?"})).Draw(t, "text")
		e.Raw = append(e.Raw, name+"="...)
		at := int32(len(e.Raw))
		e.Raw = append(e.Raw, text...)
		v := event.Value{Str: text, Pos: at, End: int32(len(e.Raw))}
		if n, ok := parseNumber(text); ok && rapid.Bool().Draw(t, "number") {
			v.Kind, v.Num = event.KindNumber, n
		}
		e.Fields = append(e.Fields, event.Field{Name: name, Value: v})
		e.Raw = append(e.Raw, ' ')
	}
	e.Level = event.Level(rapid.IntRange(0, 9).Draw(t, "level"))
	e.Native = rapid.IntRange(0, len(e.Fields)).Draw(t, "native")
	return e
}

// TestLiteralsAndExplainAreSound compares every shortcut with matching without it.
func TestLiteralsAndExplainAreSound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, e := trees().Draw(t, "tree"), verbatim(t)
		m, err := Compile(n)
		if err != nil {
			t.Fatal(err)
		}
		holds := Holds(n, e)
		if m.Match(e) != holds {
			t.Fatalf("%s: compiled %v, plain %v", Print(n), !holds, holds)
		}
		if why := m.Explain(e, nil); len(why) > 0 != holds && !onlyTrue(n) {
			t.Fatalf("%s: matches %v, because of %v", Print(n), holds, why)
		}
		for name, of := range map[string]func() ([]string, bool){"raw": m.Literals, "field": m.FieldLiterals} {
			lits, sound := of()
			there := slices.ContainsFunc(lits, func(l string) bool { return ContainsFold(rawText(e), l) })
			if holds && sound && !there {
				t.Fatalf("%s matches %q, which holds none of the %s literals %q", Print(n), e.Raw, name, lits)
			}
		}
	})
}

// onlyTrue reports whether n may hold without a predicate that says why.
func onlyTrue(n Node) bool {
	all := false
	Walk(n, func(x Node) { a, ok := x.(And); all = all || ok && len(a) == 0 })
	return all
}

func TestTextOnlyIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(drawText, rapid.SampledFrom([]string{"5", "5.0", "::1", "0::1", "abc", "1.2.3.4"}))
		p := &Pred{Field: "f", Op: OpEqual, Value: text.Draw(t, "pred"), Cased: rapid.Bool().Draw(t, "cased")}
		v := event.Value{Str: text.Draw(t, "value")}
		if n, ok := parseNumber(v.Str); ok {
			v.Kind, v.Num = event.KindNumber, n
		}
		want := Fold(v.Str) == Fold(p.Value)
		if p.Cased {
			want = v.Str == p.Value
		}
		if p.TextOnly() && p.MatchValue(&v) != want {
			t.Fatalf("%q against %q: %v", p.Value, v.Str, !want)
		}
	})
}

func TestComplete(t *testing.T) {
	fields := []string{"user.name", "user.name", "url path", "level", "bytes"}
	for _, c := range []struct {
		s    string // | is the cursor
		want []string
	}{
		{"us|", []string{"user: ", "user.name: "}},
		{"source.o|", []string{"source.own: "}},
		{"user_agent.|", []string{"user_agent.class: ", "user_agent.tool: "}},
		{"US|", []string{"user: ", "user.name: "}},
		{"b|yt", []string{"bytes: "}},
		{"x |", []string{"and ", "or "}},
		{"x an|", []string{"and "}},
		{"x and by|", []string{"bytes: "}},
		{"x or (b|", []string{"bytes: "}},
		{"!by|", []string{"bytes: "}},
		{"n|", []string{"not "}},
		{"level: w|", []string{"warning "}},
		{"level >= e|", []string{"error ", "emergency "}},
		{"user: r|", nil},
		{`"us|`, nil},
		{`user: "a b" an|`, []string{"and "}},
	} {
		at := strings.IndexByte(c.s, '|')
		s := strings.Replace(c.s, "|", "", 1)
		if got := Complete(s, at, fields); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.s, got, c.want)
		}
	}
	if all := Complete("", 0, fields); len(all) != len(shortNames)+4 || !slices.Contains(all, `"url path": `) {
		t.Errorf("everything is %q", all)
	}
	var many []string
	for i := range 3 * MaxCandidates {
		many = append(many, fmt.Sprint("z", i))
	}
	if got := Complete("z", 99, many); len(got) != MaxCandidates {
		t.Errorf("%d candidates", len(got))
	}
	if WordStart("a: (bc", 6) != 4 || WordStart("ä ü", 5) != 3 || WordStart("", -1) != 0 {
		t.Error("words start elsewhere")
	}
}

func FuzzComplete(f *testing.F) {
	for _, s := range []string{"", "us", "level: w", `"a`, "x and ", "é\xff:"} {
		f.Add(s, 2)
	}
	f.Fuzz(func(t *testing.T, s string, cursor int) {
		start := WordStart(s, cursor)
		if start < 0 || start > len(s) {
			t.Fatalf("%q: word starts at %d", s, start)
		}
		Complete(s, cursor, []string{"user.name", "x"})
	})
}

func TestWalk(t *testing.T) {
	n, _ := Parse("a (b or not c)")
	var seen []string
	Walk(n, func(x Node) { seen = append(seen, reflect.TypeOf(x).Name()+Print(x)) })
	if got := strings.Join(seen, "; "); got != "Anda and (b or not c); a; Orb or not c; b; Notnot c; c" {
		t.Errorf("walked %s", got)
	}
}
