package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"bartizan/sources/parse"
)

// everyCommand calls do for each command a person can see.
func everyCommand(c *cobra.Command, do func(*cobra.Command)) {
	if c.Hidden || c.Name() == "help" || c.Name() == "completion" {
		return
	}
	do(c)
	for _, sub := range c.Commands() {
		everyCommand(sub, do)
	}
}

// TestHelpHasExamples holds every verb to a sentence, examples that call it, and
// a sentence for every flag.
func TestHelpHasExamples(t *testing.T) {
	everyCommand(newRoot(&app{}), func(c *cobra.Command) {
		if c.Short == "" {
			t.Errorf("%s --help does not say what it does", c.CommandPath())
		}
		if !strings.Contains(c.Example, c.CommandPath()) {
			t.Errorf("%s --help has no example that calls it", c.CommandPath())
		}
		for _, use := range strings.Split(strings.TrimSpace(c.LocalFlags().FlagUsages()), "\n") {
			if use != "" && len(strings.Fields(use)) < 3 {
				t.Errorf("%s --help does not explain %q", c.CommandPath(), use)
			}
		}
	})
}

// TestDocsAreGenerated holds docs/commands.md and the man pages to the program.
func TestDocsAreGenerated(t *testing.T) {
	const docs = "../../docs"
	if *update {
		if err := os.RemoveAll(filepath.Join(docs, "man")); err != nil {
			t.Fatal(err)
		}
		if err := writeDocs(newRoot(&app{}), docs); err != nil {
			t.Fatal(err)
		}
	}
	fresh := t.TempDir()
	if err := writeDocs(newRoot(&app{}), fresh); err != nil {
		t.Fatal(err)
	}
	want, have := pages(t, fresh), pages(t, docs)
	for name, text := range want {
		if have[name] != text {
			t.Errorf("docs/%s is not what the program says: run make docs", name)
		}
	}
	for name := range have {
		if _, ok := want[name]; !ok {
			t.Errorf("docs/%s is about a command there is not: remove it", name)
		}
	}
}

// pages reads the generated pages in a folder by name.
func pages(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(dir, path)
		if err != nil || d.IsDir() || name != "commands.md" && filepath.Dir(name) != "man" {
			return err
		}
		text, err := os.ReadFile(path)
		out[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestHelpListsFormats holds the page and the help to the formats there are.
func TestHelpListsFormats(t *testing.T) {
	page, err := os.ReadFile("../../docs/formats.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range parse.NewRegistry(parse.Options{}).Formats() {
		if !strings.Contains(string(page), "| `"+f.Name+"` |") {
			t.Errorf("docs/formats.md does not list %s", f.Name)
		}
		if !strings.Contains(" "+strings.ReplaceAll(formatNames(), "\n", " "), " "+f.Name+" ") {
			t.Errorf("bartizan parse --help does not list %s", f.Name)
		}
	}
}

// TestReadmeCommandsExist wants every verb and flag the README shows to be one.
func TestReadmeCommandsExist(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, line := range strings.Split(string(text), "\n") {
		line = strings.TrimPrefix(strings.TrimSpace(line), "bin/")
		rest, ok := strings.CutPrefix(line, "bartizan ")
		if !ok {
			continue
		}
		seen++
		words := strings.Fields(strings.SplitN(strings.SplitN(rest, "#", 2)[0], "|", 2)[0])
		c, _, err := newRoot(&app{}).Find(words)
		if err != nil {
			t.Errorf("README shows %q: %v", line, err)
			continue
		}
		for _, w := range words {
			name, isFlag := strings.CutPrefix(w, "--")
			if isFlag && name != "help" && c.Flags().Lookup(name) == nil {
				t.Errorf("README shows %q, and %s has no --%s", line, c.CommandPath(), name)
			}
		}
	}
	if seen < 5 {
		t.Errorf("README shows only %d commands: has their form changed?", seen)
	}
}
