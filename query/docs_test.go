package query

import (
	"os"
	"strings"
	"testing"
)

// TestDocumentation parses every example of the documentation and finds every short name in it.
func TestDocumentation(t *testing.T) {
	page, err := os.ReadFile("../docs/query.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := 0
	for _, block := range strings.Split(string(page), "```kql\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		for _, line := range strings.Split(strings.TrimSpace(block), "\n") {
			text, _, _ := strings.Cut(line, " # ")
			if _, err := ParseWith(text, lists); err != nil {
				t.Errorf("%s: %v", text, err)
			}
			examples++
		}
	}
	if examples < 20 {
		t.Errorf("only %d examples", examples)
	}
	for _, n := range ShortNames() {
		row := "| `" + n.Name + "` | " + strings.Join(n.Fields, ", ")
		if !strings.Contains(string(page), row) {
			t.Errorf("the page does not say %s", row)
		}
	}
}
