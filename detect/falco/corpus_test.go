package falco_test

import (
	"os"
	"path/filepath"
	"testing"

	"bartizan/detect"
	"bartizan/detect/falco"

	"go.yaml.in/yaml/v3"
)

func corpus(t *testing.T, dir string) string {
	t.Helper()
	root := os.Getenv("BARTIZAN_CORPUS")
	if root == "" {
		t.Skip("BARTIZAN_CORPUS is not set")
	}
	return filepath.Join(root, dir)
}

// TestOfficialRules loads the rule files of the Falco project, each with the
// rules, those evaluated and the warnings it must give.
func TestOfficialRules(t *testing.T) {
	root := corpus(t, "falco-rules")
	for _, c := range []struct {
		file                       string
		rules, evaluable, warnings int
	}{
		{"rules/falco_rules.yaml", 25, 0, 0},
		{"rules/falco-incubating_rules.yaml", 31, 0, 0},
		{"rules/falco-sandbox_rules.yaml", 37, 0, 0},
		{"plugins-repo/k8saudit/rules/k8s_audit_rules.yaml", 48, 48, 0},
		{"plugins-repo/cloudtrail/rules/aws_cloudtrail_rules.yaml", 22, 20, 0},
		{"plugins-repo/gcpaudit/rules/gcp_auditlog_rules.yaml", 39, 39, 0},
		{"plugins-repo/okta/rules/okta_rules.yaml", 21, 12, 0},
		{"plugins-repo/github/rules/github.yaml", 15, 15, 0},
	} {
		got := falco.LoadFile(filepath.Join(root, c.file))
		evaluable := 0
		for _, r := range got.Rules {
			if falco.Evaluable(r) {
				evaluable++
			}
		}
		for _, r := range got.Refused {
			t.Errorf("refused: %v", r)
		}
		if len(got.Rules) != c.rules || evaluable != c.evaluable || len(got.Warnings) != c.warnings {
			t.Errorf("%s: %d rules, %d evaluable, %d warnings; want %+v: %v", c.file, len(got.Rules), evaluable, len(got.Warnings), c, got.Warnings)
		}
	}
	gke := falco.LoadFiles(filepath.Join(root, "plugins-repo/k8saudit/rules"), filepath.Join(root, "plugins-repo/k8saudit-gke/rules"))
	if len(gke.Rules) != 48 || len(gke.Refused) > 0 {
		t.Errorf("with the rules for GKE: %d rules, refused %v", len(gke.Rules), gke.Refused)
	}
	all := falco.LoadDir(root)
	if len(all.Rules) != 238 || len(all.Refused) > 0 {
		t.Errorf("all together: %d rules, refused %v", len(all.Rules), all.Refused)
	}
	if slow := detect.NewSet(all.Rules).Expensive(); len(slow) > 0 {
		t.Errorf("%d rules are expensive, such as %s", len(slow), slow[0].Title)
	}
}

// loaderCase is one case of Falco's falco_tests*.yaml, as far as loading goes.
type loaderCase struct {
	RulesFile    oneOrMore `yaml:"rules_file"`
	ValidateFile oneOrMore `yaml:"validate_rules_file"`
	Errors       []struct {
		Type string `yaml:"item_type"`
		Name string `yaml:"item_name"`
	} `yaml:"validate_errors"`
	Warnings []struct {
		Name string `yaml:"item_name"`
		Code string `yaml:"code"`
	} `yaml:"validate_warnings"`
}

type oneOrMore []string

func (o *oneOrMore) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*o = []string{n.Value}
		return nil
	}
	return n.Decode((*[]string)(o))
}

// TestLoaderCases loads the rule files of every case that names some: what Falco
// refuses is refused under the same name, everything else loads without refusal.
func TestLoaderCases(t *testing.T) {
	root := corpus(t, "falco-tests/test")
	accepted, refused := 0, 0
	for _, file := range []string{"falco_tests.yaml", "falco_tests_exceptions.yaml"} {
		src, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Cases map[string]loaderCase `yaml:"trace_files"`
		}
		if err := yaml.Unmarshal(src, &doc); err != nil {
			t.Fatal(err)
		}
		for name, c := range doc.Cases {
			files := append(c.RulesFile, c.ValidateFile...)
			for i := range files {
				files[i] = filepath.Join(root, files[i])
			}
			if len(files) == 0 {
				continue // about Falco's own rules, or no rules at all
			}
			c.check(t, name, falco.LoadFiles(files...))
			if len(c.Errors) > 0 {
				refused++
			} else {
				accepted++
			}
		}
	}
	if accepted != 93 || refused != 39 {
		t.Errorf("%d cases that must load and %d that must not, want 93 and 39", accepted, refused)
	}
}

func (c *loaderCase) check(t *testing.T, name string, got detect.Loaded) {
	t.Helper()
	if (len(got.Refused) > 0) != (len(c.Errors) > 0) {
		t.Errorf("%s: refused %v, want %v", name, got.Refused, c.Errors)
	}
	for _, want := range c.Errors {
		found := want.Type == "exception" || want.Name == ""
		for _, r := range got.Refused {
			found = found || r.ID == want.Name
		}
		if !found {
			t.Errorf("%s: %s is not among the refused: %v", name, want.Name, got.Refused)
		}
	}
	for _, want := range c.Warnings {
		found := want.Code == "LOAD_NO_EVTTYPE" // about which system calls a rule is asked for; not evaluated here
		for _, w := range got.Warnings {
			found = found || w.ID == want.Name
		}
		for _, r := range got.Refused { // what is refused is not said to be unused as well
			found = found || r.ID == want.Name
		}
		if !found {
			t.Errorf("%s: no warning about %s: %v", name, want.Name, got.Warnings)
		}
	}
	for _, r := range got.Refused {
		if r.File == "" || r.Reason == "" || r.Line == 0 {
			t.Errorf("%s: the refusal %+v lacks something", name, r)
		}
	}
}
