package rules

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"bartizan/detect"
)

var userAgentMember = regexp.MustCompile(`"userAgent"\s*:\s*"(\\.|[^"\\])*"`)

// TestStratusTechniques plays CloudTrail records of attack techniques that were
// really run, each technique as one source in the order of its records. The user
// agent, which names the tool, is put in an ordinary one's place.
func TestStratusTechniques(t *testing.T) {
	corpus := os.Getenv("BARTIZAN_CORPUS")
	if corpus == "" {
		t.Skip("BARTIZAN_CORPUS is not set: the records are not here")
	}
	type run struct {
		Technique string          `json:"technique"`
		Event     json.RawMessage `json:"event"`
	}
	of := map[string][][]byte{}
	lines(t, filepath.Join(corpus, "stratus-cloudtrail", "cloudtrail_attacks.public.ndjson"), func(n int64, line []byte) {
		var r run
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("line %d: %v", n, err)
		}
		of[r.Technique] = append(of[r.Technique], userAgentMember.ReplaceAll(r.Event, []byte(`"userAgent":"aws-cli/2.17.0"`)))
	})
	rules := pack(t)
	b := newBench(rules)
	var table strings.Builder
	found := 0
	for _, name := range slices.Sorted(maps.Keys(of)) {
		by, worst := b.techniques(t, rules, of[name])
		if len(by) > 0 {
			found++
		}
		short := strings.TrimPrefix(name, "aws.")
		fmt.Fprintf(&table, "| %s | %d | %s | %s |\n", short, len(of[name]), cmp.Or(worst, "–"), cmp.Or(strings.Join(by, ", "), "not found"))
	}
	fmt.Fprintf(&table, "| **found** | | | **%d of %d** |\n", found, len(of))
	t.Logf("\n%s", table.String())
	if found*10 < len(of)*8 {
		t.Errorf("%d of %d techniques are found; at least eight of ten are wanted", found, len(of))
	}
	inDocs(t, "stratus", table.String())
}

// techniques reads one technique's records and returns the rules that hit, by
// name, and the highest level among them.
func (b *bench) techniques(t *testing.T, rules []*detect.Rule, records [][]byte) (by []string, worst string) {
	t.Helper()
	b.counter = detect.NewCorrelator(func() time.Time { return testNow }, rules)
	b.open("technique")
	top := detect.Informational
	for i, raw := range records {
		b.read(raw, int64(i+1))
		if b.event.FormatName != "cloudtrail" {
			t.Errorf("record %d is read as %s: %s", i+1, b.event.FormatName, raw)
		}
		for _, r := range b.hits() {
			name := strings.TrimSuffix(filepath.Base(r.File), ".yml")
			if r.Severity >= detect.Low && !slices.Contains(by, name) {
				by, top = append(by, name), max(top, r.Severity)
			}
		}
	}
	if len(by) > 0 {
		worst = top.String()
	}
	return by, worst
}
