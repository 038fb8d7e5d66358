package detect

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"

	"bartizan/event"
	"bartizan/query"

	"pgregory.net/rapid"
)

func must(t testing.TB, q string) query.Node {
	t.Helper()
	n, err := query.Parse(q)
	if err != nil {
		t.Fatalf("%s: %v", q, err)
	}
	return n
}

func field(name, value string) event.Field {
	return event.Field{Name: name, Sym: event.Intern(name), Value: event.Value{Str: value, Pos: -1, End: -1}}
}

func TestRouting(t *testing.T) {
	source := func(p, c, s string) event.LogSource { return event.LogSource{Product: p, Category: c, Service: s} }
	var rules []*Rule
	for _, l := range []event.LogSource{{}, source("Linux", "", ""), source("linux", "", "sshd"), source("", "process_creation", ""), source("windows", "", "")} {
		rules = append(rules, &Rule{ID: fmt.Sprint(l), LogSource: l, Cond: must(t, "a: x")})
	}
	set := NewSet(append(rules, &Rule{ID: "none"}))
	m := set.NewMatcher()
	for _, c := range []struct {
		source event.LogSource
		want   []int
	}{
		{source("", "", ""), []int{0}},
		{source("linux", "", ""), []int{0, 1}},
		{source("linux", "", "sshd"), []int{0, 1, 2}},
		{source("linux", "process_creation", "sshd"), []int{0, 1, 2, 3}},
		{source("", "", "sshd"), []int{0}},
		{source("windows", "process_creation", ""), []int{0, 3, 4}},
		{source("macos", "file", "x"), []int{0}},
	} {
		var want []*Rule
		for _, i := range c.want {
			want = append(want, rules[i])
		}
		e := &event.Event{LogSource: c.source, Fields: []event.Field{field("a", "x")}, Native: 1}
		if got := m.Match(e, nil); !slices.Equal(got, want) {
			t.Errorf("%v meets %v, want %v", c.source, names(got), names(want))
		}
	}
	if NewSet(rules[4:]).Reaches(source("linux", "", "")) || !set.Reaches(source("linux", "", "")) {
		t.Error("Reaches does not follow the log source")
	}
	if set.Rule("none") == nil || set.Rule("nothing") != nil || len(set.Rules()) != 6 {
		t.Error("rules are not found by id")
	}
}

func TestExpensive(t *testing.T) {
	re := func(s string) query.Node {
		r, err := query.CompileRegex(s)
		if err != nil {
			t.Fatal(err)
		}
		return &query.Pred{Field: "a", Op: query.OpRegex, Value: s, Re: r}
	}
	for _, c := range []struct {
		cond query.Node
		want bool
	}{
		{must(t, "a: x"), false},
		{must(t, "a: *power*"), false},
		{must(t, "a: x and not b: y"), false},
		{must(t, "not a: x"), true},
		{must(t, "a: x or not b: y"), true},
		{must(t, "a: x or b: y"), false},
		{must(t, "a > 5"), false},
		{re("power.*shell"), false},
		{re("[0-9]+"), true},
		{query.And{re("[0-9]+"), must(t, "b: y")}, false},
		{must(t, `"a keyword"`), false},
		{&query.Pred{Field: "a", Op: query.OpNull}, true},
		{query.And{}, true},
		{query.Or{}, false},
	} {
		got := len(NewSet([]*Rule{{Cond: c.cond}}).Expensive()) == 1
		if got != c.want {
			t.Errorf("%#v: expensive %v, want %v", c.cond, got, c.want)
		}
	}
}

// TestRegexTexts: what is said to stand in every match of an expression does.
func TestRegexTexts(t *testing.T) {
	exprs := []string{
		`foo`, `(?i)Foo|bar`, `(abc)+x`, `(abc)*longer`, `a{3}`, `x?yyyy`, `abc.def`, `(foo|ba[rz])`, `(?i)straſe`, `(?:foo){2,3}`, `foo\x{fffd}barr`, `^\s*kill -9$`,
		`/(cp|mv|sed -i)\b x?y`, `(a|b)?[cd]efg\.`, `(x|yy)+foo(bar|ba[zß])?`, `(?i)[Kk]ey(ſ|s)tore`, `(aa|bb)(cc|dd)(ee|ff)(gg|hh)(ii|jj)(kk|ll)(mm|nn)`, `foo(|bar)baz`, `a{2}b{3}[^c]d`,
	}
	for _, expr := range exprs {
		re := regexp.MustCompile(expr)
		anchors := regexAnchors(re)
		rapid.Check(t, func(t *rapid.T) {
			s := rapid.StringMatching(strings.ReplaceAll(expr, "^", "")).Draw(t, "match")
			if anchors == nil || !re.MatchString(s) {
				return
			}
			folded := query.Fold(s)
			if !slices.ContainsFunc(anchors, func(a anchor) bool { return strings.Contains(folded, a.text) }) {
				t.Fatalf("%q matches %q, which holds none of %+v", expr, s, anchors)
			}
		})
	}
	for expr, want := range map[string]int{
		`foo`: 1, `fo`: 0, `(?i)FOO|barr`: 2, `[a-z]+`: 0, `(abc)*`: 0, `(abc)+`: 1, `foo|.`: 0,
		`/(cp|mv) x`: 2, `(/usr)?/bin/sh`: 1, `foo[0-9]+barbar`: 1, `[ab]cde`: 2, `x?y?z?`: 0, `foo(|bar)`: 1,
	} {
		if got := len(regexAnchors(regexp.MustCompile(expr))); got != want {
			t.Errorf("%s: %d texts, want %d", expr, got, want)
		}
	}
}

// synthetic makes n rules of the shapes that occur in practice, over a few fields.
func synthetic(t testing.TB, n int) []*Rule {
	rnd := rand.New(rand.NewPCG(1, 2))
	word := func() string {
		b := make([]byte, 4+rnd.IntN(10))
		for i := range b {
			b[i] = "abcdefghijklmnopqrstuvwxyz0123456789-."[rnd.IntN(38)]
		}
		return string(b)
	}
	rules := make([]*Rule, n)
	for i := range rules {
		q := fmt.Sprintf(`process.name: *%s and process.args: (*%s* or *%s*) and not user.name: %s`, word(), word(), word(), word())
		switch i % 4 {
		case 1:
			q = fmt.Sprintf(`event.action: %s and not source.ip: 10.0.0.0/8`, word())
		case 2:
			q = fmt.Sprintf(`process.args: *%s* and process.args: *%s*`, word(), word())
		}
		rules[i] = &Rule{ID: fmt.Sprint("s", i), Cond: must(t, strings.ReplaceAll(q, "-", "x"))}
	}
	return rules
}

func quietEvent() *event.Event {
	e := &event.Event{Raw: []byte("Nov 21 02:09:11 web-1 sudo: alice : TTY=pts/0 ; COMMAND=/usr/bin/systemctl restart nginx"), Native: 6}
	for _, f := range [][2]string{
		{"process.name", "/usr/bin/sudo"},
		{"process.args", "systemctl restart nginx --no-block"},
		{"user.name", "Alice"},
		{"source.ip", "203.0.113.9"},
		{"event.action", "executed"},
		{"host.name", "wéb-1"},
	} {
		e.Fields = append(e.Fields, field(f[0], f[1]))
	}
	return e
}

// TestNoAllocationWithoutHit is the budget: an event that no rule matches costs
// no allocation, however many rules there are.
func TestNoAllocationWithoutHit(t *testing.T) {
	rules := append(synthetic(t, 1000), &Rule{ID: "k", Cond: must(t, `"not there" and "nor that"`)},
		&Rule{ID: "n", Cond: must(t, `not host.name: * and level >= warning`)},
		&Rule{ID: "l", LogSource: event.LogSource{Product: "linux"}, Cond: must(t, "a: b")})
	m := NewSet(rules).NewMatcher()
	a, b := quietEvent(), quietEvent()
	b.LogSource = event.LogSource{Product: "linux", Service: "sudo"} // sources take turns
	b.Fields[0].Sym = 0                                              // a name without a symbol
	var dst []*Rule
	run := func() {
		dst = m.Match(a, dst[:0])
		dst = m.Match(b, dst)
	}
	run()
	if n := testing.AllocsPerRun(200, run); n != 0 || len(dst) != 0 {
		t.Errorf("%v allocations, hits %v", n, names(dst))
	}
}

// TestManyMatchers: workers share a set while its routes are being built.
func TestManyMatchers(t *testing.T) {
	rules := synthetic(t, 50)
	for i, r := range rules {
		r.LogSource.Service = fmt.Sprint("s", i%5)
		r.Cond = query.Or{r.Cond, must(t, "user.name: alice")}
	}
	set := NewSet(rules)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			m := set.NewMatcher()
			for i := range 40 {
				e := quietEvent()
				e.LogSource.Service = fmt.Sprint("s", (w+i)%5)
				if got := m.Match(e, nil); !sameRules(got, naive(rules, e)) {
					t.Errorf("worker %d: %v", w, names(got))
				}
			}
		})
	}
	wg.Wait()
}

func TestGenerationsTurnOver(t *testing.T) {
	m := NewSet([]*Rule{{ID: "r", Cond: must(t, "a: x and not b: y")}}).NewMatcher()
	yes := &event.Event{Fields: []event.Field{field("a", "x")}, Native: 1}
	no := &event.Event{Fields: []event.Field{field("a", "z")}, Native: 1}
	m.gen = 1<<31 - 4
	for i := range 10 {
		if len(m.Match(yes, nil)) != 1 || len(m.Match(no, nil)) != 0 {
			t.Fatalf("wrong answer at event %d", i)
		}
	}
}

func TestExplain(t *testing.T) {
	r := &Rule{ID: "r", Cond: must(t, "a: *ell* and not b: y")}
	m := NewSet([]*Rule{r}).NewMatcher()
	e := &event.Event{Raw: []byte(`a=Hello`), Native: 1, Fields: []event.Field{field("a", "Hello")}}
	e.Fields[0].Value.Pos, e.Fields[0].Value.End = 2, 7
	hit := MakeHit(r, e, m)
	if len(hit.Why) == 0 || hit.Why[0].Field != "a" || hit.Why[0].Pos != 3 || hit.Why[0].End != 6 {
		t.Errorf("explained as %+v", hit.Why)
	}
	e.Fields[0].Value.Str = "x"
	if why := m.Explain(r, e); len(why) != 0 {
		t.Errorf("a rule that does not hold is explained as %+v", why)
	}
	if why := m.Explain(&Rule{ID: "falco:x"}, e); why != nil {
		t.Errorf("a rule without a condition is explained as %+v", why)
	}
}

func BenchmarkMatch(b *testing.B) {
	for _, n := range []int{1, 10, 100, 1000, 3780} {
		b.Run(fmt.Sprintf("rules=%d", n), func(b *testing.B) {
			m := NewSet(synthetic(b, n)).NewMatcher()
			e := quietEvent()
			var dst []*Rule
			b.ReportAllocs()
			for b.Loop() {
				dst = m.Match(e, dst[:0])
			}
		})
	}
}

// FuzzMatch: whatever the bytes of an event, the index agrees with trying every
// rule, and explaining a hit does not panic.
func FuzzMatch(f *testing.F) {
	conds := []string{`a: *power*`, `a: "POWER" or b: *ſ*`, `"power"`, `not a: * and b: *é`, `a: 5 or a: k*`, `a: /po(w|v)er/`, `a < 5`, `a: 10.0.0.0/8`, `b: ??x`, `message: *er and raw: *x`}
	var rules []*Rule
	for i, c := range conds {
		rules = append(rules, &Rule{ID: fmt.Sprint(i), Cond: must(f, c)})
	}
	set := NewSet(rules)
	f.Add("power", "\xffſ", "5", uint8(1))
	f.Add("", "É", "10.1.1.1", uint8(2))
	f.Add("K\x00", "xxx", "0x5", uint8(9))
	f.Fuzz(func(t *testing.T, a, b, raw string, native uint8) {
		e := &event.Event{Raw: []byte(raw), Message: a, Fields: []event.Field{field("a", a), field("b", b), field("a", b)}, Native: int(native % 4)}
		m := set.NewMatcher()
		got := m.Match(e, nil)
		if want := naive(rules, e); !sameRules(got, want) {
			t.Fatalf("index %v, every rule %v", names(got), names(want))
		}
		for _, r := range got {
			m.Explain(r, e)
		}
	})
}

// TestFoldIsFold compares the quick folding with the one it stands for, at every
// length and with every byte.
func TestFoldIsFold(t *testing.T) {
	var buf []byte
	check := func(s string) {
		t.Helper()
		if buf = fold(buf, s); string(buf) != query.Fold(s) {
			t.Fatalf("%q folds to %q, want %q", s, buf, query.Fold(s))
		}
	}
	for c := range 256 {
		for n := range 20 {
			check(strings.Repeat("aZ", n)[:n] + string([]byte{byte(c)}) + "QQQQqqqqÀ"[:n%9])
		}
	}
	rapid.Check(t, func(t *rapid.T) { check(string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))) })
}

// TestFoldingNeverGrows holds what the index relies on when it skips short values.
func TestFoldingNeverGrows(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if s := string(r); len(query.Fold(s)) > len(s) || 3*len(query.Fold(s)) < len(s) {
			t.Fatalf("%U takes %d bytes, folded %d", r, len(s), len(query.Fold(s)))
		}
	}
}
