package rules

import (
	"strings"
	"testing"
)

// TestCorrelations plays the tests of correlations over other rules: each is
// several records, read in order as one source by the whole pack. One that must
// hit has to hit once.
func TestCorrelations(t *testing.T) {
	rules := pack(t)
	n := 0
	for _, r := range rules {
		if r.Correlation == nil {
			continue
		}
		n++
		for _, test := range []struct {
			want  int
			plays []string
		}{{1, r.Hit}, {0, r.Miss}} {
			for i, play := range test.plays {
				b, got := newBench(rules), 0
				b.open("test")
				for at, line := range strings.Split(strings.TrimSpace(play), "\n") {
					b.read([]byte(line), int64(at+1))
					if b.event.LogSource.Product == "" {
						t.Errorf("%s: line %d of a test is read as %s, so it proves nothing\n\t%s", r.File, at+1, b.event.FormatName, line)
					}
					for _, hit := range b.hits() {
						if hit.ID == r.ID {
							got++
						}
					}
				}
				if got != test.want {
					t.Errorf("%s: test %d of %d that must hit %d times hits %d times", at(r), i+1, len(test.plays), test.want, got)
				}
			}
		}
	}
	if n < 10 {
		t.Errorf("there are only %d correlations", n)
	}
}
