package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"bartizan/detect/sigma"
)

// TestLinkedRuleFolder reads a folder of Sigma and Falco rules through a link to it.
func TestLinkedRuleFolder(t *testing.T) {
	dir := t.TempDir()
	there, link := filepath.Join(dir, "there"), filepath.Join(dir, "link")
	err := errors.Join(
		os.Mkdir(there, 0o755), os.Symlink(there, link),
		os.WriteFile(filepath.Join(there, "falco.yaml"), []byte("- list: shells\n  items: [sh]\n"), 0o600),
		os.WriteFile(filepath.Join(there, "sigma.yml"), []byte("title: t\nid: i\nlogsource: {product: linux}\ndetection: {w: [x], condition: w}\nlevel: low\n"), 0o600),
	)
	if err != nil {
		t.Fatal(err)
	}
	for _, place := range []string{there, link, link + "/"} {
		l, falco, err := rulesOf(place, sigma.Options{})
		if err != nil || len(l.Rules) != 1 || len(l.Refused) != 0 || len(falco) != 1 || filepath.Dir(falco[0]) != filepath.Clean(place) {
			t.Errorf("%s: %d rules, refused %v, Falco's %v, %v", place, len(l.Rules), l.Refused, falco, err)
		}
	}
}
