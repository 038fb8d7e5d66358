package rules

import (
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"bartizan/detect"
)

// at names a rule as people look for it.
func at(r *detect.Rule) string { return fmt.Sprintf("%s:%d (%s)", r.File, r.Line, r.Title) }

// TestHitAndMissLines runs the lines that stand beside each rule through the
// parser and the rule alone.
func TestHitAndMissLines(t *testing.T) {
	for _, r := range pack(t) {
		if r.Correlation != nil {
			continue // TestCorrelations plays theirs
		}
		b := newBench([]*detect.Rule{r})
		b.knowOwn()
		for i, line := range r.Hit {
			if len(b.matching(line)) == 0 {
				t.Errorf("%s: hit line %d is missed, read as %s %+v\n\t%s%s", at(r), i+1, b.event.FormatName, b.event.LogSource, line, fieldList(b))
			} else if len(detect.Group(r, &b.event, nil)) == 0 {
				t.Errorf("%s: hit line %d has none of the fields %v, so all alerts would be one", at(r), i+1, r.GroupBy)
			}
		}
		for i, line := range r.Miss {
			if len(b.matching(line)) != 0 {
				t.Errorf("%s: miss line %d is hit\n\t%s", at(r), i+1, line)
			}
			if b.event.FormatName == "raw" || b.event.FormatName == "text" {
				t.Errorf("%s: miss line %d is not understood, so it proves nothing\n\t%s", at(r), i+1, line)
			}
		}
	}
}

func fieldList(b *bench) string {
	var s strings.Builder
	for i := range b.event.Fields {
		f := &b.event.Fields[i]
		if len(f.Value.Str) < 200 {
			fmt.Fprintf(&s, "\n\t\t%s = %s", f.Name, f.Value.Str)
		}
	}
	return s.String()
}

// TestCountedRulesCrossOnce repeats each counted rule's lines: one hit exactly
// when the count is reached within the time, none when the lines are too far
// apart.
func TestCountedRulesCrossOnce(t *testing.T) {
	for _, r := range pack(t) {
		if r.Count < 2 || r.Silent {
			continue
		}
		if got := repeat(r, r.Count+1, r.Within/time.Duration(r.Count+2)); !slices.Equal(got, []int{r.Count}) {
			t.Errorf("%s: %d lines within %v hit at %v, want one hit at line %d", at(r), r.Count+1, r.Within, got, r.Count)
		}
		if got := repeat(r, r.Count+1, r.Within+time.Second); len(got) != 0 {
			t.Errorf("%s: lines %v apart hit at %v, want none", at(r), r.Within, got)
		}
	}
}

// repeat plays the first hit line n times, gap apart, and returns which of them
// (from 1) hit.
func repeat(r *detect.Rule, n int, gap time.Duration) (at []int) {
	b := newBench([]*detect.Rule{r})
	b.open("test")
	for i := 1; i <= n; i++ {
		b.read([]byte(r.Hit[0]), int64(i))
		b.event.Time = testNow.Add(-24 * time.Hour).Add(time.Duration(i) * gap)
		b.event.Seen = b.event.Time
		if len(b.hits()) > 0 {
			at = append(at, i)
		}
	}
	return at
}

// TestNoRuleIsExpensive wants of every rule a literal without which it cannot
// hold, so that the pack's cost follows what is in the event.
func TestNoRuleIsExpensive(t *testing.T) {
	for _, r := range detect.NewSet(pack(t)).Expensive() {
		t.Errorf("%s: it would be tried on every event of its log source; add a contains or an exact value to each way it can hold", at(r))
	}
}

var uuid4 = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// TestRulesAreComplete holds every rule to what people need of it.
func TestRulesAreComplete(t *testing.T) {
	rules := pack(t)
	if len(rules) < 30 {
		t.Fatalf("there are only %d rules", len(rules))
	}
	titles := map[string]string{}
	for _, r := range rules {
		if first, taken := titles[strings.ToLower(r.Title)]; taken {
			t.Errorf("%s has the title of %s", at(r), first)
		}
		titles[strings.ToLower(r.Title)] = r.File
		if !uuid4.MatchString(r.ID) {
			t.Errorf("%s: the id %q is no UUID of version 4", at(r), r.ID)
		}
		if r.Silent {
			continue // it only feeds a correlation, which stands for it
		}
		if r.Silent {
			continue // it makes no alert of its own; the correlation in its file has the rest
		}
		if len(r.Hit) < 2 || len(r.Miss) < 2 {
			t.Errorf("%s: it has %d hit and %d miss lines; two of each are needed", at(r), len(r.Hit), len(r.Miss))
		}
		for what, missing := range map[string]bool{
			"a description": r.Description == "", "a runbook": r.Runbook == "", "falsepositives": len(r.FalsePositives) == 0,
			"group_by": len(r.GroupBy) == 0, "tags": len(r.Tags) < 2, "fields": len(r.Fields) == 0,
		} {
			if missing {
				t.Errorf("%s: it has no %s", at(r), what)
			}
		}
		if strings.Contains(r.Runbook, "\n") {
			t.Errorf("%s: the runbook is one line", at(r))
		}
	}
}

// TestIDsAreUnique looks at the files, because a second rule with an id is
// refused when loaded.
func TestIDsAreUnique(t *testing.T) {
	paths, err := filepath.Glob("*/*.yml")
	if err != nil || len(paths) == 0 {
		t.Fatal("no rule files", err)
	}
	id := regexp.MustCompile(`(?m)^id: (\S+)$`)
	seen, documents := map[string]string{}, 0
	for _, path := range paths {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		documents += 1 + strings.Count(string(src), "\n---\n")
		for _, m := range id.FindAllStringSubmatch(string(src), -1) {
			if first, taken := seen[m[1]]; taken {
				t.Errorf("%s has the id of %s", path, first)
			}
			seen[m[1]] = path
		}
	}
	if n := len(pack(t)); n != documents || n != len(seen) {
		t.Errorf("%d documents with %d ids make %d rules", documents, len(seen), n)
	}
}

// TestTagsAreReal compares tags with MITRE's list: the technique exists, is not
// retired, and one of its tactics stands beside it.
func TestTagsAreReal(t *testing.T) {
	corpus := os.Getenv("BARTIZAN_CORPUS")
	if corpus == "" {
		t.Skip("BARTIZAN_CORPUS is not set: the list of techniques is not here")
	}
	f, err := os.Open(filepath.Join(corpus, "mitre-attack", "enterprise_techniques.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	tactics, techniques := map[string]bool{}, map[string][]string{}
	for _, row := range rows[1:] {
		of := strings.Fields(row[2])
		for _, name := range of {
			tactics["attack."+name] = true
		}
		if row[3] == "no" {
			techniques["attack."+strings.ToLower(row[0])] = of
		}
	}
	for _, r := range pack(t) {
		for _, tag := range r.Tags {
			of, isTechnique := techniques[tag]
			switch {
			case isTechnique:
				if !slices.ContainsFunc(of, func(name string) bool { return slices.Contains(r.Tags, "attack."+name) }) {
					t.Errorf("%s: none of the tactics %v of %s is a tag", at(r), of, tag)
				}
			case !tactics[tag]:
				t.Errorf("%s: %s is neither a tactic nor a technique in use", at(r), tag)
			}
		}
	}
}

// BenchmarkSSHD is an ordinary auth.log through parser and all rules.
func BenchmarkSSHD(b *testing.B) {
	d := &day{rand.New(rand.NewPCG(1, 1)), map[string][]string{}}
	d.logins()
	log := d.files["auth.log"]
	c := newBench(pack(b))
	c.open("test")
	size := 0
	for b.Loop() {
		line := log[size%len(log)]
		size++
		c.read([]byte(line), 1)
		c.rules = c.matcher.Match(&c.event, c.rules[:0])
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}
