package sigma

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"bartizan/detect"
)

// active are the directories of rules in use; the others hold retired ones.
var active = []string{"rules", "rules-compliance", "rules-emerging-threats", "rules-placeholder", "rules-threat-hunting"}

// corpus returns the folder of Sigma rules other people wrote, or skips.
func corpus(t testing.TB) string {
	dir := os.Getenv("BARTIZAN_CORPUS")
	if dir == "" {
		t.Skip("BARTIZAN_CORPUS is not set: there are no rules of others to try")
	}
	return filepath.Join(dir, "sigma")
}

func loadActive(t testing.TB) detect.Loaded {
	dir := corpus(t)
	var all detect.Loaded
	for _, d := range active {
		all.Add(LoadDir(filepath.Join(dir, d)))
	}
	Link(&all)
	return all
}

// TestCorpusActive: of the 3,780 rules in use, only those are refused that use
// what is refused by name.
func TestCorpusActive(t *testing.T) {
	start := time.Now()
	all := loadActive(t)
	t.Logf("%d loaded, %d refused, %d warnings in %v", len(all.Rules), len(all.Refused), len(all.Warnings), time.Since(start))
	report(t, "refused", all.Refused)
	report(t, "warned", all.Warnings)
	if n := len(all.Rules) + len(all.Refused); n != 3780 {
		t.Errorf("%d rules accounted for, want 3780", n)
	}
	for _, r := range all.Refused {
		if !regexp.MustCompile(`^the modifier expand is refused: the placeholder %[^%]+% is in no configured list`).MatchString(r.Reason) {
			t.Errorf("refused for a reason that is none: %v", r)
		}
	}
}

// TestCorpusExpand: with a list for every placeholder all rules in use load.
func TestCorpusExpand(t *testing.T) {
	dir := corpus(t)
	lists := map[string][]string{}
	named := regexp.MustCompile(`placeholder %([^%]+)%`)
	refused := func() (all detect.Loaded) {
		for _, d := range active {
			all.Add(Options{Lists: lists}.LoadDir(filepath.Join(dir, d)))
		}
		for _, r := range all.Refused {
			if m := named.FindStringSubmatch(r.Reason); m != nil {
				lists[m[1]] = []string{"one", "two"}
			}
		}
		return all
	}
	all := refused()
	for range 3 { // a rule may have several
		all = refused()
	}
	t.Logf("%d lists: %d loaded, %d refused", len(lists), len(all.Rules), len(all.Refused))
	if len(all.Rules) != 3780 {
		t.Errorf("refused %v", all.Refused)
	}
}

// retiredReasons are all reasons for which a retired rule may be refused; docs list
// them.
var retiredReasons = []string{
	`^the modifier expand is refused`,
	`^the condition names "[^"]+", and no search has that name`,
}

// TestCorpusRetired: retired rules too load or are refused, one by one; the old
// aggregations are correlations.
func TestCorpusRetired(t *testing.T) {
	for _, d := range []struct {
		dir       string
		documents int
		refused   int
		windows   int
	}{{"deprecated", 172, 3, 1}, {"unsupported", 89, 4, 54}} { // and 3 templates that rules stand on
		all := LoadDir(filepath.Join(corpus(t), d.dir))
		Link(&all)
		windows, parts := 0, 0
		for _, r := range all.Rules {
			if r.Correlation != nil {
				windows++
			}
			if strings.Contains(r.ID, "/") && !strings.HasSuffix(r.ID, "/2") { // ID/2: another rule of a template
				parts++
			}
		}
		t.Logf("%s: %d loaded (%d with windows) and %d parts of near, %d refused, %d warnings", d.dir, len(all.Rules)-parts, windows, parts, len(all.Refused), len(all.Warnings))
		report(t, d.dir+" refused", all.Refused)
		report(t, d.dir+" warned", all.Warnings)
		if n := len(all.Rules) - parts + len(all.Refused); n != d.documents || len(all.Refused) != d.refused || windows != d.windows {
			t.Errorf("%s: %d documents, %d refused, %d with windows; want %+v", d.dir, n, len(all.Refused), windows, d)
		}
		for _, r := range all.Refused {
			if r.File == "" || r.Line == 0 || !slices.ContainsFunc(retiredReasons, func(re string) bool { return regexp.MustCompile(re).MatchString(r.Reason) }) {
				t.Errorf("a refusal without its place or a good reason: %+v", r)
			}
		}
	}
}

var quoted = regexp.MustCompile(`"[^"]*"|[0-9a-f-]{36}|/\S+`)

// report logs how often each reason occurs, names left out, with one example.
func report(t *testing.T, what string, list []detect.Refusal) {
	count, example := map[string]int{}, map[string]detect.Refusal{}
	for _, r := range list {
		reason := quoted.ReplaceAllString(r.Reason, "…")
		count[reason]++
		example[reason] = r
	}
	var reasons []string
	for r := range count {
		reasons = append(reasons, r)
	}
	slices.SortFunc(reasons, func(a, b string) int { return count[b] - count[a] })
	for _, r := range reasons {
		t.Logf("%s %4d × %s\n\t%v", what, count[r], r, example[r])
	}
}
