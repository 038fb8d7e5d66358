package rules

import (
	"slices"
	"strings"
	"testing"

	"bartizan/detect"
)

// TestSeriesOfLines plays the lines beside each correlation: an entry is several
// lines in the order they were written, with their own times, read through the
// parser and matched by all rules. A hit entry must make the correlation hit, a
// miss entry must not.
func TestSeriesOfLines(t *testing.T) {
	rules := pack(t)
	tried := 0
	for _, r := range rules {
		if r.Correlation == nil || len(r.Correlation.Rules) == 0 {
			continue
		}
		for i, series := range r.Hit {
			tried++
			if !playSeries(t, rules, r, series) {
				t.Errorf("%s: hit series %d is missed\n%s", at(r), i+1, series)
			}
		}
		for i, series := range r.Miss {
			if playSeries(t, rules, r, series) {
				t.Errorf("%s: miss series %d is hit\n%s", at(r), i+1, series)
			}
		}
	}
	if tried < 2 {
		t.Errorf("only %d series were played", tried)
	}
}

// playSeries reports whether the correlation hits in a series of lines. Each line
// is of a source of its own kind, so that one series may have several formats.
func playSeries(t *testing.T, rules []*detect.Rule, r *detect.Rule, series string) (hit bool) {
	t.Helper()
	b := newBench(fedBy(rules, r))
	count := func(done []detect.Completed) {
		for i := range done {
			if done[i].Rule.ID != r.ID {
				continue
			}
			hit = true
			if len(detect.Group(r, done[i].Event, nil)) == 0 {
				t.Errorf("%s: the event that completes it has none of the fields %v, so all alerts would be one", at(r), r.GroupBy)
			}
		}
	}
	for i, line := range strings.Split(strings.TrimSpace(series), "\n") {
		b.open("test")
		b.read([]byte(line), int64(i+1))
		if b.event.FormatName == "raw" || b.event.FormatName == "text" || b.event.Time.IsZero() {
			t.Errorf("%s: the line is read as %s without a time: %s", at(r), b.event.FormatName, line)
		}
		for _, m := range b.matcher.Match(&b.event, nil) {
			count(b.counter.Take(m, &b.event))
		}
	}
	count(b.counter.Flush())
	return hit
}

// fedBy returns a correlation with the rules it stands on, down to the last.
func fedBy(rules []*detect.Rule, r *detect.Rule) []*detect.Rule {
	out := []*detect.Rule{r}
	for i := 0; i < len(out); i++ {
		if out[i].Correlation == nil {
			continue
		}
		for _, m := range rules {
			if slices.Contains(out[i].Correlation.Rules, m.ID) && !slices.Contains(out, m) {
				out = append(out, m)
			}
		}
	}
	return out
}
