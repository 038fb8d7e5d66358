package main

import (
	"bufio"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "bartizan/"

// room is one package's folder, what its files import, and its doc comment.
type room struct {
	imports map[string]string // import path -> a file that has it
	doc     string
}

// rooms reads every package of the source tree, tests left out.
func rooms(t *testing.T, root string) map[string]*room {
	t.Helper()
	out := map[string]*room{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if d != nil && (d.Name() == "testdata" || d.Name() == "tools" || strings.HasPrefix(d.Name(), ".") && path != root) {
				return fs.SkipDir
			}
			return err
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		dir, _ := filepath.Rel(root, filepath.Dir(path))
		r := out[dir]
		if r == nil {
			r = &room{imports: map[string]string{}}
			out[dir] = r
		}
		r.doc += f.Doc.Text()
		for _, i := range f.Imports {
			p, _ := strconv.Unquote(i.Path.Value)
			r.imports[p] = path
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// importMap reads the map from docs/architecture.md.
func importMap(t *testing.T, root string) map[string][]string {
	t.Helper()
	f, err := os.Open(filepath.Join(root, "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	out := map[string][]string{}
	inside := false
	for s := bufio.NewScanner(f); s.Scan(); {
		switch line := s.Text(); {
		case line == "```imports":
			inside = true
		case line == "```":
			inside = false
		case inside:
			from, to, ok := strings.Cut(line, "->")
			if !ok {
				t.Fatalf("docs/architecture.md: %q is no line of the import map", line)
			}
			out[strings.TrimSpace(from)] = strings.Fields(to)
		}
	}
	return out
}

// TestImportsOnlyGoDown holds the source tree to the map in docs/architecture.md.
func TestImportsOnlyGoDown(t *testing.T) {
	allowed := importMap(t, "../..")
	for dir, r := range rooms(t, "../..") {
		may, known := allowed[dir]
		if !known {
			t.Errorf("%s is a new room: give it a line in docs/architecture.md with what it may import, and the reason no existing room covers it", dir)
			continue
		}
		for path, file := range r.imports {
			ours, ok := strings.CutPrefix(path, module)
			if ok && !slices.Contains(may, ours) && !slices.Contains(may, "anything") {
				t.Errorf("%s imports %s, but %s may import only %v: imports go down, so that %s can be understood and tested without %s", file, path, dir, may, dir, ours)
			}
		}
	}
}

// TestOnlyScreensDraw keeps Bubble Tea out of everything but ui and cmd.
func TestOnlyScreensDraw(t *testing.T) {
	for dir, r := range rooms(t, "../..") {
		if dir == "ui" || strings.HasPrefix(dir, "ui/") || strings.HasPrefix(dir, "cmd/") {
			continue
		}
		for path, file := range r.imports {
			if strings.HasPrefix(path, "charm.land/") {
				t.Errorf("%s imports %s: only ui and cmd draw, so that the pipeline can never wait for a screen", file, path)
			}
		}
	}
}

// TestRoomsSayWhatTheyAreFor wants a package comment of more than a line.
func TestRoomsSayWhatTheyAreFor(t *testing.T) {
	for dir, r := range rooms(t, "../..") {
		if len(r.doc) < 80 {
			t.Errorf("%s has no package comment that says what it is for and what may block or be lost there", dir)
		}
		name := filepath.Base(dir)
		if slices.Contains([]string{"pkg", "internal", "util", "utils", "common", "types", "models", "helpers", "mock", "pubsub", "plugin"}, name) {
			t.Errorf("%s: a room is named for what it is about, never %s", dir, name)
		}
	}
}
