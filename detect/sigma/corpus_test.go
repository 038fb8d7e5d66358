package sigma

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
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
		if !regexp.MustCompile(`^the modifier (expand|minute|hour|day|week|month|year) is refused`).MatchString(r.Reason) {
			t.Errorf("refused for a reason that is none: %v", r)
		}
	}
}

// TestCorpusRetired: retired rules too load or are refused, one by one.
func TestCorpusRetired(t *testing.T) {
	for _, d := range []string{"deprecated", "unsupported"} {
		all := LoadDir(filepath.Join(corpus(t), d))
		t.Logf("%s: %d loaded, %d refused", d, len(all.Rules), len(all.Refused))
		report(t, d, all.Refused)
		for _, r := range all.Refused {
			if r.File == "" || r.Line == 0 || r.Reason == "" {
				t.Errorf("a refusal without its place or reason: %+v", r)
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
