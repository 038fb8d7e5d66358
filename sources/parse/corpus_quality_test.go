package parse

import (
	"os"
	"strings"
	"testing"
)

const qualityPage = "../../docs/formats-quality.md"

const qualityHead = `# How well formats are read

Measured against other people's samples and what they expect of them; the tests that make these tables
read them from the folder that BARTIZAN_CORPUS names, and
` + "`go test ./sources/parse -run TestCorpus -update`" + ` writes them anew. Right: the same value. Wrong: another
one. Missing: none. Compared are the fields that name the same thing here and there, by a table in the test.

`

// qualityTitles are the parts of the page, in order.
var qualityTitles = []struct{ key, title string }{
	{"beats", "## Fields that Beats' modules expect\n\nLine by line, as a source delivers them: where their record is several lines, a value counts when one of\nthe lines has it."},
	{"crowdsec", "## Fields that crowdsec's hub asserts"},
	{"kept", "## Logs of lnav's and Zeek's tests\n\nEvery line is recognised or raw; no byte is lost."},
}

// qualityPart writes one part of the page with -update, and says in the log when
// the page has other figures than were measured.
func qualityPart(t *testing.T, key, body string) {
	t.Helper()
	have, err := os.ReadFile(qualityPage)
	if err != nil && !*update {
		t.Errorf("%v; run: go test ./sources/parse -run TestCorpus -update", err)
		return
	}
	var page strings.Builder
	page.WriteString(qualityHead)
	for _, part := range qualityTitles {
		text := between(string(have), "<!-- "+part.key+" -->\n", "<!-- end -->")
		if part.key == key {
			if text != body && !*update {
				t.Errorf("%s has other figures; run: go test ./sources/parse -run TestCorpus -update", qualityPage)
			}
			text = body
		}
		page.WriteString(part.title + "\n\n<!-- " + part.key + " -->\n" + text + "<!-- end -->\n\n")
	}
	if *update {
		if err := os.WriteFile(qualityPage, []byte(strings.TrimRight(page.String(), "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func between(s, from, to string) string {
	_, s, ok := strings.Cut(s, from)
	if !ok {
		return ""
	}
	s, _, _ = strings.Cut(s, to)
	return s
}
