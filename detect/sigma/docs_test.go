package sigma

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bartizan/detect"
)

var update = flag.Bool("update", false, "write docs/sigma-refused.md anew")

// TestDocsRefused holds the list of SigmaHQ's rules that are refused against the rules
// themselves.
func TestDocsRefused(t *testing.T) {
	dir := corpus(t)
	var b strings.Builder
	b.WriteString(`# Sigma rules that are refused

Generated from SigmaHQ's rules (commit 8eaafff of August 2026), of which only names and reasons stand here;
` + "`go test ./detect/sigma -run DocsRefused -update`" + ` with ` + "`BARTIZAN_CORPUS`" + ` set writes it anew. A rule whose placeholder
is refused loads as soon as a list for it is configured (` + "`[detection.lists]`" + `); the others have conditions in prose.
`)
	for _, part := range []struct {
		title string
		dirs  []string
	}{{"Rules in use", active}, {"Retired rules", []string{"deprecated", "unsupported"}}} {
		var all detect.Loaded
		for _, d := range part.dirs {
			all.Add(LoadDir(filepath.Join(dir, d)))
		}
		Link(&all)
		slices.SortFunc(all.Refused, func(a, b detect.Refusal) int { return strings.Compare(a.File, b.File) })
		fmt.Fprintf(&b, "\n## %s\n\n| rule | line | id | reason |\n|---|---|---|---|\n", part.title)
		for _, r := range all.Refused {
			name, err := filepath.Rel(dir, r.File)
			if err != nil {
				t.Fatal(err)
			}
			reason, _, _ := strings.Cut(r.Reason, ", and taken literally")
			fmt.Fprintf(&b, "| `%s` | %d | `%s` | %s |\n", filepath.ToSlash(name), r.Line, r.ID, reason)
		}
	}
	const page = "../../docs/sigma-refused.md"
	if *update {
		if err := os.WriteFile(page, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != b.String() {
		t.Errorf("%s is out of date; run: go test ./detect/sigma -run DocsRefused -update", page)
	}
}
