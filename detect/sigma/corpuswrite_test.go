package sigma

import (
	"bytes"
	"slices"
	"testing"

	"bartizan/detect"
	"bartizan/event"
)

// TestCorpusWrite: every rule in use can be written as a rule again, and that finds
// the same in other people's events.
func TestCorpusWrite(t *testing.T) {
	all := loadActive(t)
	var again detect.Loaded
	var b bytes.Buffer
	for _, r := range all.Rules {
		b.Reset()
		if err := Write(&b, Document{Title: r.Title, ID: r.ID, Level: r.Severity, LogSource: r.LogSource, Cond: r.Cond}); err != nil {
			t.Errorf("%s: %v", r.ID, err)
			continue
		}
		l := Parse(r.ID+".yml", b.Bytes())
		again.Rules = append(again.Rules, l.Rules...)
	}
	if len(again.Rules) != len(all.Rules) {
		t.Fatalf("%d of %d rules written", len(again.Rules), len(all.Rules))
	}
	before, after := detect.NewSet(all.Rules).NewMatcher(), detect.NewSet(again.Rules).NewMatcher()
	events, hits := 0, 0
	for name, list := range corpusEvents(t, 20) {
		for _, e := range list {
			for _, source := range []event.LogSource{e.LogSource, {Product: "windows", Category: "process_creation"}, {Product: "aws", Service: "cloudtrail"}, {Category: "webserver"}, {}} {
				e.LogSource = source
				want, got := titles(before.Match(e, nil)), titles(after.Match(e, nil))
				if !slices.Equal(want, got) {
					t.Errorf("%s: %s is found by %v, by the rules written by %v", name, e.Raw, want, got)
				}
				events, hits = events+1, hits+len(want)
			}
		}
	}
	t.Logf("%d rules written, %d events, %d hits, no difference", len(again.Rules), events, hits)
}
