package detect

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"

	"bartizan/event"
	"bartizan/query"

	"pgregory.net/rapid"
)

// naive is what a Set must agree with: every rule tried on every event.
func naive(rules []*Rule, e *event.Event) []*Rule {
	var out []*Rule
	for _, r := range rules {
		if r.Cond != nil && applies(r.LogSource, e.LogSource) && query.Holds(r.Cond, e) {
			out = append(out, r)
		}
	}
	return out
}

func applies(rule, e event.LogSource) bool {
	part := func(want, have string) bool { return want == "" || want == have }
	return part(rule.Product, e.Product) && part(rule.Category, e.Category) && part(rule.Service, e.Service)
}

func sameRules(a, b []*Rule) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func names(rules []*Rule) (ids []string) {
	for _, r := range rules {
		ids = append(ids, r.ID)
	}
	return ids
}

// The generators use few names and texts that overlap, so that predicates hold
// often, and letters whose case folding is unusual or whose bytes are no UTF-8.
var (
	genField  = rapid.SampledFrom([]string{"Image", "CommandLine", "User", "EventID", "ip", "message", "level", "raw", "a.b", "source.ip"})
	genPiece  = rapid.SampledFrom([]string{"power", "shell", ".exe", "Sudo", "ſ", "K", "k", "é", "É", "\xff", "\xc3", "ß", "1", "10.0.0.1", "::ffff:10.0.0.2", "2026-01-02", "-1", "5.0", "5", "::1", "0:0:0:0:0:0:0:1", " ", "/", "\\", "A", "warn", "", "error"})
	genSource = rapid.Custom(func(t *rapid.T) event.LogSource {
		part := func(words ...string) string {
			return rapid.SampledFrom(append(words, "")).Draw(t, "part")
		}
		return event.LogSource{Product: part("linux", "windows"), Category: part("process"), Service: part("auth", "cron")}
	})
	genText = rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(genPiece, 0, 4).Draw(t, "pieces"), "")
	})
	genRegex = rapid.SampledFrom([]string{"power.*", "(?i)POWER(shell|sudo)", "^$", "[a-k]+", "(abc|def)?k", `\x{fffd}`, "(?:power)+", "(power){0,2}x?", "1|sudo|shell", "(?i)ſudo", "."})
)

func genPred(t *rapid.T) query.Node {
	q := &query.Pred{
		Field: genField.Draw(t, "field"),
		Op:    query.Op(rapid.IntRange(int(query.OpEqual), int(query.OpIn)).Draw(t, "op")),
		Cased: rapid.Bool().Draw(t, "cased"),
		Value: genText.Draw(t, "value"),
	}
	if rapid.IntRange(0, 9).Draw(t, "keyword") == 0 {
		q.Field = ""
		q.Op = rapid.SampledFrom([]query.Op{query.OpContains, query.OpGlob, query.OpRegex, query.OpIn}).Draw(t, "keyword op")
	}
	q.Short = q.Field == "ip" && rapid.Bool().Draw(t, "short")
	switch q.Op {
	case query.OpRegex:
		q.Value = genRegex.Draw(t, "regex")
		q.Re, _ = query.CompileRegex(q.Value)
	case query.OpCIDR:
		q.Net = netip.MustParsePrefix(rapid.SampledFrom(genNets).Draw(t, "net"))
	case query.OpGlob:
		q.Value = strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"*", "?", `\*`, "power", "é", "k", `\\`, "1"}), 0, 4).Draw(t, "glob"), "")
	case query.OpLess, query.OpLessEq, query.OpGreater, query.OpGreaterEq:
		q.Num = float64(rapid.IntRange(-1, 6).Draw(t, "num"))
		q.Value = rapid.SampledFrom([]string{strconv.Itoa(int(q.Num)), "", "warning", "2026-01-02"}).Draw(t, "bound")
	case query.OpFieldEqual:
		q.Value = genField.Draw(t, "other")
		q.How = rapid.SampledFrom([]query.Op{query.OpEqual, query.OpContains, query.OpPrefix, query.OpSuffix}).Draw(t, "how")
	case query.OpIn:
		q.Set = genSet(t)
	}
	return q
}

// genNets are networks of all the ways to write them, and some with host bits.
var genNets = []string{"10.0.0.0/8", "::/96", "0.0.0.0/0", "10.0.0.1/32", "10.0.0.7/24", "::1/128", "::ffff:10.0.0.0/104", "::ffff:0:0/90", "::/0"}

// genSet draws a list as files and rules have them, or as only rules can: with
// capitals, or with more values than are looked up one by one.
func genSet(t *rapid.T) *query.Set {
	words := []string{"power", "10.0.0.0/8", "k", "5", "ſ", "é", "::1", "shell", "1"}
	s, _ := query.NewSet("s", rapid.SliceOfN(rapid.SampledFrom(words), 0, 3).Draw(t, "set"))
	switch rapid.IntRange(0, 5).Draw(t, "set kind") {
	case 0:
		s.Values["Sudo"], s.Values["\xff"] = struct{}{}, struct{}{}
	case 1:
		for i := range maxSetAnchors {
			s.Values[fmt.Sprint("value ", i)] = struct{}{}
		}
	}
	return s
}

func genNode(t *rapid.T, depth int) query.Node {
	kind := rapid.IntRange(0, 5).Draw(t, "kind")
	if depth == 0 || kind > 3 {
		return genPred(t)
	}
	if kind == 0 {
		return query.Not{X: genNode(t, depth-1)}
	}
	if kind == 1 && rapid.Bool().Draw(t, "list") {
		return genList(t)
	}
	parts := make([]query.Node, rapid.IntRange(0, 3).Draw(t, "parts"))
	for i := range parts {
		parts[i] = genNode(t, depth-1)
	}
	if kind == 1 {
		return query.Or(parts)
	}
	return query.And(parts)
}

// genList draws an Or that the index may answer as a whole.
func genList(t *rapid.T) query.Node {
	list := make(query.Or, rapid.IntRange(listFrom-1, listFrom+2).Draw(t, "list length"))
	for i := range list {
		list[i] = &query.Pred{
			Field: rapid.SampledFrom([]string{"Image", "User"}).Draw(t, "list field"),
			Op:    rapid.SampledFrom([]query.Op{query.OpEqual, query.OpContains, query.OpPrefix, query.OpSuffix, query.OpGlob}).Draw(t, "list op"),
			Value: rapid.SampledFrom([]string{"power", "shell", ".exe", "sudo", "powershell", "5", "k"}).Draw(t, "list value"),
			Cased: rapid.IntRange(0, 3).Draw(t, "list cased") == 0,
		}
	}
	return list
}

func genValue(t *rapid.T) event.Value {
	v := event.Value{Pos: -1, End: -1, Str: genText.Draw(t, "text")}
	switch rapid.IntRange(0, 7).Draw(t, "value kind") {
	case 0:
		v.Kind, v.Str = event.KindNull, ""
	case 1:
		v.Kind = event.KindNumber
		v.Str = rapid.SampledFrom([]string{"5", "5.0", "1", "5e0", "0.5"}).Draw(t, "number")
		v.Num, _ = strconv.ParseFloat(v.Str, 64)
	case 2:
		v.Kind, v.Str = event.KindBool, "true"
	}
	return v
}

func genEvent(t *rapid.T) *event.Event {
	e := &event.Event{
		LogSource: genSource.Draw(t, "source"),
		Level:     event.Level(rapid.IntRange(0, 5).Draw(t, "level")),
		Raw:       []byte(genText.Draw(t, "raw")),
		Message:   genText.Draw(t, "message"),
	}
	for range rapid.IntRange(0, 6).Draw(t, "fields") {
		f := event.Field{Name: genField.Draw(t, "name"), Value: genValue(t)}
		if rapid.Bool().Draw(t, "symbol") {
			f.Sym = event.Intern(f.Name)
		}
		e.Fields = append(e.Fields, f)
	}
	e.Native = rapid.IntRange(0, len(e.Fields)).Draw(t, "native")
	return e
}

// agrees draws rules and events and compares the index with trying every rule, and
// the tree of every rule with both.
func agrees(t *rapid.T) {
	var rules []*Rule
	for i := range rapid.IntRange(1, 12).Draw(t, "rules") {
		rules = append(rules, &Rule{ID: fmt.Sprint("r", i), LogSource: genSource.Draw(t, "logsource"), Cond: genNode(t, 3)})
	}
	m := NewSet(rules).NewMatcher()
	for range 4 { // one matcher: nothing may stay from the event before
		e := genEvent(t)
		got, want := m.Match(e, nil), naive(rules, e)
		if !sameRules(got, want) {
			t.Fatalf("index found %v, trying every rule %v, for %+v", names(got), names(want), e)
		}
		for _, r := range rules {
			if tree := m.Tree(r, e); tree.Holds != slices.Contains(want, r) {
				t.Fatalf("the tree of %s holds: %v, for %+v", r.ID, tree.Holds, e)
			}
		}
	}
}

// TestIndexAgreesWithTryingEveryRule is the soundness of the index.
func TestIndexAgreesWithTryingEveryRule(t *testing.T) { rapid.Check(t, agrees) }

// FuzzMatcher is the same, with rules and events made of the fuzzer's bytes.
func FuzzMatcher(f *testing.F) { f.Fuzz(rapid.MakeFuzz(agrees)) }
