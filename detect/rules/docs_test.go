package rules

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"bartizan/detect"
)

var update = flag.Bool("update", false, "write the tables of docs/detection-quality.md anew")

// inDocs compares a generated table with what docs/detection-quality.md has
// between the comments "generated: NAME" and "end of NAME", or writes it there.
func inDocs(t *testing.T, name, table string) {
	t.Helper()
	const page = "../../docs/detection-quality.md"
	src, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, found := strings.Cut(string(src), "<!-- generated: "+name+" -->\n")
	have, tail, closed := strings.Cut(rest, "<!-- end of "+name+" -->")
	if !found || !closed {
		t.Fatalf("%s has no place for the table %q", page, name)
	}
	rows := strings.SplitAfterN(have, "\n", 3) // the two lines of the heading stay
	if len(rows) < 3 {
		t.Fatalf("%s: the table %q has no heading", page, name)
	}
	want := rows[0] + rows[1] + table
	if want == have {
		return
	}
	if !*update {
		t.Errorf("%s: the table %q is out of date; run this test with -update", page, name)
		return
	}
	if err := os.WriteFile(page, []byte(head+"<!-- generated: "+name+" -->\n"+want+"<!-- end of "+name+" -->"+tail), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestDocsPack holds the table of what the pack has.
func TestDocsPack(t *testing.T) {
	type topic struct {
		rules, correlations int
		by                  [detect.Critical + 1]int
	}
	topics, all := map[string]*topic{}, &topic{}
	for _, r := range pack(t) {
		if r.Silent {
			continue
		}
		name := path.Dir(r.File)
		if topics[name] == nil {
			topics[name] = &topic{}
		}
		for _, to := range [...]*topic{topics[name], all} {
			to.rules++
			to.by[r.Severity]++
			if r.Correlation != nil {
				to.correlations++
			}
		}
	}
	var table strings.Builder
	row := func(name string, n *topic) {
		fmt.Fprintf(&table, "| %s | %d | %d | %d | %d | %d | %d |\n", name, n.rules, n.correlations, n.by[detect.Critical], n.by[detect.High], n.by[detect.Medium], n.by[detect.Low])
	}
	for _, name := range slices.Sorted(maps.Keys(topics)) {
		row(name, topics[name])
	}
	row("**all**", all)
	inDocs(t, "pack", table.String())
}
