package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// regressionCase is one entry of the list that says what SigmaHQ's recorded events
// must be found by.
type regressionCase struct {
	Dir     string   `json:"dir"`
	RuleIDs []string `json:"rule_ids"`
	Matches int      `json:"expected_matches"` // 0: not said
	JSON    []string `json:"json_files"`
	Raw     []string `json:"raw_files"`
}

// files are the events of a case; what is there as JSON and in another form is the
// same twice.
func (c *regressionCase) files() []string {
	if len(c.JSON) > 0 {
		return c.JSON
	}
	return c.Raw
}

// recordedMore are cases whose declared number is that of the original binary log:
// the JSON beside it holds more events that satisfy the rule to the letter (three
// different files dropped, three keys set).
var recordedMore = map[string]int{
	"regression_data/rules/windows/file/file_event/file_event_win_anydesk_artefact":              3,
	"regression_data/rules/windows/file/file_event/file_event_win_cred_dump_tools_dropped_files": 3,
	"regression_data/rules/windows/registry/registry_set/registry_set_change_security_zones":     3,
}

// TestScanFindsRecordedAttacks scans SigmaHQ's regression events, every file as it
// is, with the rule each was recorded for: the rule must hit as often as it is said,
// at least once where nothing is said.
func TestScanFindsRecordedAttacks(t *testing.T) {
	corpus := os.Getenv("BARTIZAN_CORPUS")
	if corpus == "" {
		t.Skip("BARTIZAN_CORPUS is not set: recorded attacks were not scanned")
	}
	dir := filepath.Join(corpus, "sigma")
	text, err := os.ReadFile(filepath.Join(dir, "regression_truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []regressionCase
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	ruleFiles := rulesByID(t, dir)
	met := 0
	for _, c := range cases {
		if len(c.files()) == 0 {
			t.Errorf("%s has no events that can be read", c.Dir)
			continue
		}
		ok, want := true, c.Matches
		if more := recordedMore[c.Dir]; more > 0 {
			want = more
		}
		for _, id := range c.RuleIDs {
			hits := 0
			for _, h := range scanWith(t, ruleFiles[id], dir, c.files()) {
				if h.Rule.ID == id {
					hits++
				}
			}
			if want > 0 && hits != want || hits == 0 {
				ok = false
				t.Errorf("%s: rule %s hits %d times, want %d (0: at least once)", c.Dir, id, hits, want)
			}
		}
		if ok {
			met++
		}
	}
	t.Logf("%d of %d cases as recorded", met, len(cases))
	if len(cases) == 0 {
		t.Error("there are no cases")
	}
}

// rulesByID finds the file of every rule in the folders of rules in use.
func rulesByID(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, folder := range []string{"rules", "rules-compliance", "rules-emerging-threats", "rules-placeholder", "rules-threat-hunting"} {
		var files []string
		err := filepath.WalkDir(filepath.Join(dir, folder), func(path string, d os.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".yml") {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			src, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(string(src)) {
				if id, ok := strings.CutPrefix(line, "id:"); ok {
					out[strings.TrimSpace(id)] = f
				}
			}
		}
	}
	return out
}

// scanWith runs the scan verb with one rule file over files of dir.
func scanWith(t *testing.T, rule, dir string, files []string) []scanned {
	t.Helper()
	if rule == "" {
		t.Error("there is no file for a rule")
		return nil
	}
	var out, errs bytes.Buffer
	a := &app{out: &out, err: &errs}
	args := []string{"scan", "--rules", rule}
	for _, f := range files {
		args = append(args, filepath.Join(dir, f))
	}
	root := newRoot(a)
	root.SetArgs(args)
	if code := a.finish(root.ExecuteContext(t.Context())); code != exitFine {
		t.Fatalf("scan ended with %d: %s", code, &errs)
	}
	return readLines[scanned](t, out.Bytes())
}
