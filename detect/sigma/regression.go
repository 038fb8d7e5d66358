package sigma

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxCases bounds the cases one rule may have.
const maxCases = 1000

// Case is one regression test of a rule in SigmaHQ's layout: the rule's key
// regression_tests_path names an info.yml, whose regression_tests_info lists files
// of events.
type Case struct {
	Name    string   // as the info.yml calls it
	RuleIDs []string // the rules that must match: rule_metadata, else the rule's own id
	File    string   // the events, a path that can be opened; never a binary .evtx
	Matches int      // events of File that each rule must match; 0: not said, so at least one
	Info    string   // the info.yml
	Line    int      // of the case in Info, 1-based

	Exported bool // File is an export of the binary log that Matches was counted in
}

// ErrAbsent marks the error of a rule whose tests are not there, as where only the
// rules were copied.
var ErrAbsent = errors.New("put the tests there or remove the key")

// Met reports whether so many matched events are what the case asks for. An export
// may hold more events than the test counted.
func (c *Case) Met(matched int) bool {
	if c.Matches > 0 && !c.Exported {
		return matched == c.Matches
	}
	return matched >= max(c.Matches, 1)
}

// RegressionOf returns the regression tests of the rules in one file, in the order
// they are written; none when no document has the key. Paths in rules and info.yml
// are relative to the top of their repository: it is the nearest folder above the
// rule that has the path in it. A test of type evtx is read from the .json (or
// .jsonl) of the same name, because the binary form is not read here.
//
// It reads files and blocks on them. An error is one sentence with file and line
// for each test that cannot be read; the others are returned beside it.
func RegressionOf(rulePath string) ([]Case, error) {
	src, err := readBounded(rulePath)
	if err != nil {
		return nil, fmt.Errorf("%s: the rule cannot be read: %w", rulePath, err)
	}
	var out []Case
	var bad []error
	for _, d := range split(src) {
		root, err := d.parse()
		if err != nil || root == nil || plain(root).Kind != yaml.MappingNode {
			continue // loading says why
		}
		root = plain(root)
		at := get(root, "regression_tests_path")
		if at == nil || isNull(at) || at.Value == "" {
			continue
		}
		info, top, err := findUp(rulePath, at.Value)
		if err != nil {
			bad = append(bad, fmt.Errorf("%s:%d: %w", rulePath, d.above+at.Line, err))
			continue
		}
		cases, err := readInfo(info, top, idOf(root))
		out, bad = append(out, cases...), append(bad, err)
	}
	return out, errors.Join(bad...)
}

// findUp looks for a path below the folders above a file, the nearest first, and
// returns it with the folder it was found in.
func findUp(file, name string) (found, top string, err error) {
	name = filepath.FromSlash(path.Clean(name))
	if !filepath.IsLocal(name) {
		return "", "", fmt.Errorf("regression_tests_path %s leads out of the rules; write it relative to their top folder", quote(name))
	}
	dir, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return "", "", err
	}
	for {
		if st, err := os.Stat(filepath.Join(dir, name)); err == nil && st.Mode().IsRegular() {
			return filepath.Join(dir, name), dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", "", fmt.Errorf("regression_tests_path %s is in no folder above the rule; %w", quote(name), ErrAbsent)
		}
		dir = up
	}
}

// readInfo reads an info.yml whose paths are relative to top.
func readInfo(file, top, ruleID string) ([]Case, error) {
	src, err := readBounded(file)
	if err != nil {
		return nil, fmt.Errorf("%s: the tests cannot be read: %w", file, err)
	}
	d := document{src: src}
	root, err := d.parse()
	if err != nil {
		var f *fault
		errors.As(err, &f)
		return nil, fmt.Errorf("%s:%d: %w", file, max(f.line, 1), err)
	}
	if root == nil || plain(root).Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s:1: the tests are no map; write rule_metadata and regression_tests_info", file)
	}
	root = plain(root)
	list := get(root, "regression_tests_info")
	if list == nil || list.Kind != yaml.SequenceNode || len(list.Content) == 0 {
		return nil, fmt.Errorf("%s:%d: regression_tests_info has no tests; list at least one with type and path", file, root.Line)
	}
	if len(list.Content) > maxCases {
		return nil, fmt.Errorf("%s:%d: there are more than %d tests; split them", file, list.Line, maxCases)
	}
	ids := metadataIDs(root, ruleID)
	var out []Case
	var bad []error
	for _, n := range list.Content {
		c, err := readCase(plain(n), top)
		if err != nil {
			bad = append(bad, fmt.Errorf("%s:%d: %w", file, n.Line, err))
			continue
		}
		c.RuleIDs, c.Info, c.Line = ids, file, n.Line
		out = append(out, c)
	}
	return out, errors.Join(bad...)
}

// metadataIDs are the ids under rule_metadata, else the rule's own.
func metadataIDs(root *yaml.Node, own string) (ids []string) {
	if list := get(root, "rule_metadata"); list != nil && list.Kind == yaml.SequenceNode {
		for _, n := range list.Content {
			if id := idOf(plain(n)); id != "" {
				ids = append(ids, id)
			}
		}
	}
	if ids == nil {
		ids = []string{own}
	}
	return ids
}

func readCase(n *yaml.Node, top string) (c Case, err error) {
	if n.Kind != yaml.MappingNode {
		return c, errors.New("a test is a map with type and path; this is none")
	}
	if c.Name, err = text(n, "name"); err != nil {
		return c, err
	}
	kind, err := text(n, "type")
	if err != nil {
		return c, err
	}
	if at := get(n, "match_count"); at != nil && !isNull(at) {
		if at.Decode(&c.Matches) != nil || c.Matches < 0 {
			return c, fmt.Errorf("match_count %s is no whole number; write how many events match", quote(at.Value))
		}
	}
	name, err := text(n, "path")
	if err != nil {
		return c, err
	}
	name = filepath.FromSlash(path.Clean(name))
	if name == "." || !filepath.IsLocal(name) {
		return c, fmt.Errorf("the path %s leads out of the rules; write it relative to their top folder", quote(name))
	}
	c.File, err = eventFile(filepath.Join(top, name), kind)
	c.Exported = c.File != filepath.Join(top, name)
	return c, err
}

// eventFile is the file to read for a test: of a binary event log, what stands
// beside it as JSON.
func eventFile(name, kind string) (string, error) {
	names := []string{name}
	if stem := strings.TrimSuffix(name, ".evtx"); kind == "evtx" || stem != name {
		names = []string{stem + ".json", stem + ".jsonl"}
	}
	for _, f := range names {
		if st, err := os.Stat(f); err == nil && st.Mode().IsRegular() {
			return f, nil
		}
	}
	if len(names) > 1 {
		return "", fmt.Errorf("%s is a binary event log and no .json stands beside it; export its events as JSON", quote(filepath.Base(name)))
	}
	return "", fmt.Errorf("the events %s are not there; correct the path", quote(filepath.Base(name)))
}

// readBounded reads a file of at most MaxFile bytes.
func readBounded(file string) ([]byte, error) {
	l := loader{fsys: os.DirFS(filepath.Dir(file))}
	src, err := l.read(filepath.Base(file))
	if err == nil && len(src) > MaxFile {
		err = fmt.Errorf("it is longer than %d bytes", MaxFile)
	}
	return src, err
}
