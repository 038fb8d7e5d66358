package sigma

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"bartizan/detect"
	"bartizan/query"
)

// held is all that f allocates, in MiB: it holds less than that at any one time,
// whenever the collector runs.
func held(f func()) uint64 {
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) >> 20
}

// maxHeld is what a rule file made to cost much may allocate in all, in MiB.
const maxHeld = 64

func laughs() string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 12; i++ {
		last := fmt.Sprintf("*a%d", i-1)
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(last+", ", 9), ", "))
	}
	return b.String()
}

// bombs are documents made to cost much; each must be refused.
func bombs() map[string][]byte {
	dashes := "sel:\n  a|windash:\n" + strings.Repeat("  - '"+strings.Repeat(" -a", 5)+"'\n", 5000)
	uses := strings.TrimSuffix(strings.Repeat("sel or ", 5000), " or ")
	wide := "sel:\n  a:\n" + strings.Repeat("  - x\n", 500) + "condition: " + uses
	return map[string][]byte{
		"aliases in aliases":   []byte(laughs()),
		"aliases in a search":  ruleOf("x: &a [" + strings.Repeat("y, ", 3000) + "y]\nsel: {" + strings.TrimSuffix(strings.Repeat("a: *a, ", 200), ", ") + "}"),
		"an alias of itself":   ruleOf("sel: &a {b: *a}"),
		"merge keys":           []byte("a: &a {b: c}\nd: {<<: *a}\n"),
		"nesting":              ruleOf("sel: " + strings.Repeat("[", 5000)),
		"nesting in blocks":    ruleOf("sel: " + strings.Repeat("- ", 5000) + "x"),
		"nesting of maps":      ruleOf("sel: " + strings.Repeat("{a: ", 5000)),
		"a million values":     []byte("title: t\nx: [" + strings.Repeat("1,", 1_000_000) + "]\n"),
		"a million list items": ruleOf("sel:\n  a:\n" + strings.Repeat("  - x\n", 1_000_000)),
		"a million lines":      []byte("title: t\nx:\n" + strings.Repeat("- 1\n", 500_000)),
		"many keys":            []byte("title: t\nx: {" + strings.Repeat("a: 1, ", 300_000) + "}\n"),
		"10 MB":                []byte("title: t\nx: " + strings.Repeat("y", 10_000_000)),
		"10 MB of documents":   []byte(strings.Repeat("---\ntitle: t\n", 10_000_000/13)),
		"dashes":               ruleOf(dashes),
		"one value of dashes":  ruleOf("sel: {a|windash: '" + strings.Repeat(" -a", 400) + "'}"),
		"wildcards":            ruleOf("sel: {a|base64offset: '" + strings.Repeat("*?", 100_000) + "'}"),
		"a condition of many":  ruleOf(wide),
		"a long condition":     ruleOf("sel: {a: x}\ncondition: " + strings.Repeat("sel or ", 20_000) + "sel"),
		"many parentheses":     ruleOf("sel: {a: x}\ncondition: " + strings.Repeat("(", 30_000)),
		"20 001 parts":         ruleOf("sel:\n  a:\n" + strings.Repeat("  - x\n", 20_001)),
		"many nots":            ruleOf("sel: {a: x}\ncondition: " + strings.Repeat("not ", 10_000) + "sel"),
		"a document of quotes": []byte("title: t\nx: '" + strings.Repeat("''", 1_000_000-50) + "'\n"),
		"repeated repetitions": ruleOf("sel: {a|re: '((((x{1,100}){1,100}){1,100}){1,100})'}"),
		"a wide repetition":    ruleOf(`sel: {a|re: '(\pL{1,1000}){10}'}`),
		"a long expression":    ruleOf("sel: {a|re: '" + strings.Repeat("(a|b)", 5000) + "'}"),
		"deep groups":          ruleOf("sel: {a|re: '" + strings.Repeat("(", 2000) + strings.Repeat(")", 2000) + "'}"),
		"look-around":          ruleOf("sel: {a|re: '(?=(a+)+)b'}"),
		"a back-reference":     ruleOf(`sel: {a|re: '(a+)\1+'}`),
	}
}

// TestBombs: documents made to cost much are refused and cost little.
func TestBombs(t *testing.T) {
	for name, src := range bombs() {
		var l detect.Loaded
		if used := held(func() { l = Parse("bomb.yml", src) }); used > maxHeld {
			t.Errorf("%s: allocated %d MiB", name, used)
		}
		if len(l.Rules) != 0 || len(l.Refused) == 0 {
			t.Errorf("%s: loaded %d, refused %v", name, len(l.Rules), l.Refused)
		}
	}
}

// TestBombFile: a file over the bound is not read to its end.
func TestBombFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "big.yml")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(10 << 30); err != nil { // holes: it takes no room
		t.Skip("the file system has no sparse files:", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	var l detect.Loaded
	if used := held(func() { l = LoadDir(dir) }); used > maxHeld {
		t.Errorf("allocated %d MiB", used)
	}
	if len(l.Refused) != 1 || !strings.Contains(l.Refused[0].Reason, "longer than") {
		t.Errorf("refused %v", l.Refused)
	}
}

// TestHarmlessExpressions: what would make a backtracking engine try for ever is
// loaded, because RE2's time grows with the text alone; the steps are told by what
// is looked at, which is bounded.
func TestHarmlessExpressions(t *testing.T) {
	long := strings.Repeat("a", 1<<20) + "!"
	for _, expr := range []string{`^(a+)+$`, `(a|aa)+$`, `(.*)*x`, `([a-z]+)*\d`, `(x+x+)+y`} {
		r := one(t, ruleOf("sel: {a|re: '"+expr+"'}"))
		if query.Holds(r.Cond, eventOf("", "a", long)) != (expr == `^(a+)+$` || expr == `(a|aa)+$`) {
			t.Errorf("%s: %v on %d bytes, of which %d are looked at", expr, r.Cond, len(long), query.MaxRegexInput)
		}
	}
}

// TestLargeRule: about the largest rule that is accepted, of several modifiers, stays
// under the bound too.
func TestLargeRule(t *testing.T) {
	var b strings.Builder
	for _, m := range []string{"", "|contains", "|startswith", "|endswith"} {
		b.WriteString("sel" + strings.Trim(m, "|") + ":\n  a" + m + ":\n")
		for i := range 4900 {
			fmt.Fprintf(&b, "    - value-%d-of-many\n", i)
		}
	}
	src := ruleOf(b.String() + "condition: 1 of them")
	var l detect.Loaded
	if used := held(func() { l = Parse("large.yml", src) }); used > maxHeld || len(l.Rules) != 1 {
		t.Errorf("allocated %d MiB, %v", used, l.Refused)
	}
	m := detect.NewSet(l.Rules).NewMatcher()
	if len(m.Match(eventOf("", "a", "x value-4899-of-many"), nil)) != 1 || len(m.Match(eventOf("", "a", "value"), nil)) != 0 {
		t.Error("the large rule does not match what it says")
	}
}

// TestExpressionsOfAFile: expressions that are each within the bound, but not all
// together, are refused from where it is too much.
func TestExpressionsOfAFile(t *testing.T) {
	src := []byte(strings.Repeat("---\ntitle: t\nlogsource: {product: linux}\ndetection:\n  sel: {a|re: 'x{999}y{999}z{999}'}\n  condition: sel\n", 500))
	var l detect.Loaded
	if used := held(func() { l = Parse("bomb.yml", src) }); used > maxHeld {
		t.Errorf("allocated %d MiB", used)
	}
	if n := len(l.Rules); n == 0 || n > 40 || n+len(l.Refused) != 500 || !strings.Contains(l.Refused[0].Reason, "together") {
		t.Errorf("%d loaded, %d refused", n, len(l.Refused))
	}
}
