package sigma

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tree writes files into a new folder.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const info = `id: 1
rule_metadata:
  - id: r1
    title: t
regression_tests_info:
  - name: as a log file
    type: evtx
    match_count: 2
    path: data/x/r1.evtx
  - type: raw
    path: data/x/line.log
`

func TestRegressionOf(t *testing.T) {
	rule := "---\n" + string(ruleOf("sel: {a: x}")) + "regression_tests_path: data/x/info.yml\n"
	dir := tree(t, map[string]string{
		"rules/linux/r1.yml": rule, "rules/linux/plain.yml": string(ruleOf("sel: {a: x}")),
		"data/x/info.yml": info, "data/x/r1.json": "{}", "data/x/line.log": "x",
	})
	got, err := RegressionOf(filepath.Join(dir, "rules/linux/r1.yml"))
	if err != nil || len(got) != 2 {
		t.Fatalf("%+v %v", got, err)
	}
	a, b := got[0], got[1]
	if a.Name != "as a log file" || a.Matches != 2 || a.File != filepath.Join(dir, "data/x/r1.json") || !slices.Equal(a.RuleIDs, []string{"r1"}) || a.Line != 6 {
		t.Errorf("the first is %+v", a)
	}
	if b.Matches != 0 || b.File != filepath.Join(dir, "data/x/line.log") || b.Info != filepath.Join(dir, "data/x/info.yml") {
		t.Errorf("the second is %+v", b)
	}
	if !a.Met(2) || !a.Met(3) || a.Met(1) || !b.Met(1) || !b.Met(9) || b.Met(0) {
		t.Error("what is met is not what is said")
	}
	if none, err := RegressionOf(filepath.Join(dir, "rules/linux/plain.yml")); none != nil || err != nil {
		t.Errorf("a rule without tests has %v, %v", none, err)
	}
}

func TestRegressionComplaints(t *testing.T) {
	rule := func(path string) string {
		return string(ruleOf("sel: {a: x}")) + "regression_tests_path: " + path + "\n"
	}
	dir := tree(t, map[string]string{
		"up.yml": rule("../../etc/passwd"), "gone.yml": rule("nothing/info.yml"), "list.yml": rule("list-info.yml"), "list-info.yml": "[]",
		"empty.yml": rule("empty-info.yml"), "empty-info.yml": "regression_tests_info: []\n",
		"bad.yml": rule("bad-info.yml"), "bad-info.yml": "a: [\n",
		"each.yml":      rule("each-info.yml"),
		"each-info.yml": "regression_tests_info:\n- {type: raw, path: ../x}\n- {type: evtx, path: y.evtx}\n- {type: raw, path: z}\n- {type: raw, match_count: -1, path: z}\n- x\n- {type: json, path: good.json}\n",
		"good.json":     "{}",
	})
	for name, want := range map[string][]string{
		"up.yml":     {"up.yml:9: ", "leads out"},
		"gone.yml":   {"in no folder above"},
		"list.yml":   {"list-info.yml:1: ", "no map"},
		"empty.yml":  {"no tests"},
		"bad.yml":    {"bad-info.yml:", "YAML"},
		"each.yml":   {"each-info.yml:2: ", "leads out", "each-info.yml:3: ", "binary event log", "each-info.yml:4: ", "not there", "match_count", "each-info.yml:6: "},
		"absent.yml": {"cannot be read"},
	} {
		got, err := RegressionOf(filepath.Join(dir, name))
		if err == nil {
			t.Errorf("%s: no complaint", name)
			continue
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %v; want %q", name, err, w)
			}
		}
		if name == "each.yml" && (len(got) != 1 || got[0].RuleIDs[0] != "r1" || filepath.Base(got[0].File) != "good.json") {
			t.Errorf("what can be read is %+v", got)
		}
	}
}

// TestCorpusRegressionLayout: every test that the rules in use name and that lies in
// the corpus is found.
func TestCorpusRegressionLayout(t *testing.T) {
	dir := corpus(t)
	found, missing := 0, 0
	for _, folder := range active {
		err := filepath.WalkDir(filepath.Join(dir, folder), func(path string, d os.DirEntry, err error) error {
			if err != nil || !isRuleFile(path) {
				return err
			}
			cases, err := RegressionOf(path)
			if found += len(cases); err != nil {
				if missing++; !strings.Contains(err.Error(), "in no folder above") {
					t.Error(err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d tests found, %d rules whose tests are not in the corpus", found, missing)
	if found < 120 {
		t.Errorf("%d tests found, want 120 or more", found)
	}
}
