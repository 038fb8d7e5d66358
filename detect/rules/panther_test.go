package rules

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"bartizan/detect"
)

// pantherCase is one inline test of a rule of Panther's: an event on which that
// rule must hit, or must not.
type pantherCase struct {
	Rule     string          `json:"rule"`
	LogTypes []string        `json:"log_types"`
	Test     string          `json:"test"`
	Expect   bool            `json:"expect"`
	HasMocks bool            `json:"has_mocks"`
	Event    json.RawMessage `json:"event"`
}

// cloudLogs are the log types measured, in the order of the table, and what our
// parser must call their events.
var cloudLogs = []struct{ name, panther, format string }{
	{"CloudTrail", "AWS.CloudTrail", "cloudtrail"},
	{"Kubernetes audit", "Amazon.EKS.Audit", "k8saudit"},
	{"GitHub audit", "GitHub.Audit", "github"},
}

// logType says of which of cloudLogs the event is. Rules over several log types
// have events of each; then the event's own mark or, where it has none, its
// members tell. Empty: of another log type, or no event of any.
func (c *pantherCase) logType() string {
	if len(c.LogTypes) == 1 {
		return c.LogTypes[0]
	}
	var shape struct {
		Type  string          `json:"p_log_type"`
		Trail string          `json:"eventName"`
		Verb  json.RawMessage `json:"verb"`
		Ref   json.RawMessage `json:"objectRef"`
		Code  json.RawMessage `json:"responseStatus"`
	}
	if json.Unmarshal(c.Event, &shape) != nil {
		return ""
	}
	is := cmp.Or(shape.Type, map[bool]string{true: "AWS.CloudTrail"}[shape.Trail != ""], map[bool]string{true: "Amazon.EKS.Audit"}[shape.Verb != nil && (shape.Ref != nil || shape.Code != nil)])
	if !slices.Contains(c.LogTypes, is) {
		return ""
	}
	return is
}

// half splits cases by the rule they belong to, so that no rule has cases in both
// halves. Rules of ours were written looking at the misses of half 0 only.
func (c *pantherCase) half() int { return int(sha256.Sum256([]byte(c.Rule))[31] & 1) }

// pantherCases reads the corpus: the cases of one log type with an event and
// without mocks, which need a look-up that is not in the event.
func pantherCases(t testing.TB, logType string) (out []pantherCase) {
	t.Helper()
	corpus := os.Getenv("BARTIZAN_CORPUS")
	if corpus == "" {
		t.Skip("BARTIZAN_CORPUS is not set: the cases are not here")
	}
	lines(t, filepath.Join(corpus, "panther-tests", "inline_tests.public.ndjson"), func(n int64, line []byte) {
		var c pantherCase
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatalf("line %d: %v", n, err)
		}
		if !c.HasMocks && len(c.Event) > 0 && string(c.Event) != "null" && c.logType() == logType {
			out = append(out, c)
		}
	})
	return out
}

// score counts cases: those that must hit and do, that must not and do, and so on.
type score struct{ tp, fp, fn, tn, unread int }

func (s *score) add(want, got bool) {
	switch {
	case want && got:
		s.tp++
	case want:
		s.fn++
	case got:
		s.fp++
	default:
		s.tn++
	}
}

func (s score) plus(o score) score {
	return score{s.tp + o.tp, s.fp + o.fp, s.fn + o.fn, s.tn + o.tn, s.unread + o.unread}
}

func share(part, whole int) float64 { return 100 * float64(part) / float64(max(whole, 1)) }

func (s score) recall() float64    { return share(s.tp, s.tp+s.fn) }
func (s score) precision() float64 { return share(s.tp, s.tp+s.fp) }

func (s score) row(name string) string {
	return fmt.Sprintf("| %s | %d | %d | %d | %d | %d | %.1f %% | %.1f %% |\n", name, s.tp+s.fp+s.fn+s.tn, s.tp, s.fp, s.fn, s.tn, s.recall(), s.precision())
}

// worth returns the rules of level low and above that hit the event read last,
// counted anew for each case.
func (b *bench) worth(rules []*detect.Rule) (files []string) {
	b.counter = detect.NewCorrelator(func() time.Time { return testNow }, rules)
	for _, r := range b.hits() {
		if r.Severity >= detect.Low {
			files = append(files, r.File)
		}
	}
	return files
}

// TestPantherCases measures the pack on cases written by others for other rules,
// each event read as a record of a source of its own. A case that must stay quiet
// counts against the pack when any rule of level low or above hits, although such
// a case only says that one rule of theirs must not. docs/detection-quality.md has
// the table; -update writes it.
func TestPantherCases(t *testing.T) {
	rules := pack(t)
	b := newBench(rules)
	var table, quiet strings.Builder
	var all score
	for _, log := range cloudLogs {
		var halves [2]score
		for _, c := range pantherCases(t, log.panther) {
			b.open("case")
			b.read(c.Event, 1)
			by, s := b.worth(rules), &halves[c.half()]
			s.add(c.Expect, len(by) > 0)
			if b.event.FormatName != log.format {
				s.unread++
				t.Logf("%s, %q is read as %s", c.Rule, c.Test, b.event.FormatName)
			}
			if !c.Expect && len(by) > 0 {
				fmt.Fprintf(&quiet, "| %s | %s | %s |\n", c.Rule, c.Test, strings.Join(by, ", "))
			}
			if os.Getenv("BARTIZAN_MISSES") != "" && c.half() == 0 && c.Expect && len(by) == 0 {
				t.Logf("missed: %s, %q", c.Rule, c.Test)
			}
		}
		sum := halves[0].plus(halves[1])
		all = all.plus(sum)
		table.WriteString(sum.row(log.name))
		table.WriteString(halves[0].row("– half looked at"))
		table.WriteString(halves[1].row("– half not looked at"))
		if sum.recall() < 50 || sum.precision() < 85 {
			t.Errorf("%s: recall %.1f %%, precision %.1f %%; at least 50 and 85 are wanted", log.name, sum.recall(), sum.precision())
		}
	}
	table.WriteString(all.row("all"))
	t.Logf("\n%s%d cases are read as another format\n%s", table.String(), all.unread, quiet.String())
	inDocs(t, "panther", table.String())
	inDocs(t, "panther-quiet", quiet.String())
}
