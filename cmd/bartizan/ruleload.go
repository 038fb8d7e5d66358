package main

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"bartizan/config"
	"bartizan/detect"
	"bartizan/detect/falco"
	"bartizan/detect/rules"
	"bartizan/detect/sigma"
	"bartizan/engine"
	"bartizan/query"
)

// loadRules loads what the config and --rules name. A rule that is not accepted
// is in Refused with file, line and reason; a place that cannot be read is an error.
func (a *app) loadRules(c *config.Config) (detect.Loaded, error) {
	f, err := a.readRules(c, len(a.rules) == 0)
	sigma.Link(&f.Loaded)
	return f.Loaded, err
}

// readRules reads what the config and --rules name, and the person's own folder
// where own says so, and leaves linking to the engine.
func (a *app) readRules(c *config.Config, own bool) (f engine.RuleFiles, err error) {
	opt, lists, err := c.SigmaOptions()
	if err != nil {
		return f, err
	}
	if c.File != "" {
		f.Places = append(f.Places, c.File)
	}
	f.Places = append(f.Places, lists...)
	places := c.Rules
	if dir := c.OwnRules(); own && dir != "" {
		if _, err := os.Stat(dir); err == nil {
			places = append(slices.Clone(places), dir)
		} else {
			f.Places = append(f.Places, dir)
		}
	}
	var falcoFiles []string // one namespace: macros and overrides work across files
	for _, place := range places {
		l, more, err := rulesOf(place, opt)
		if err != nil {
			return f, err
		}
		if len(opt.Lists) > 0 || opt.FiltersExclude {
			hashConditions(l.Rules)
		}
		f.Loaded.Add(l)
		falcoFiles = append(falcoFiles, more...)
		if place != "" && place != "none" && place != "builtin" {
			f.Places = append(f.Places, place)
		}
	}
	if len(falcoFiles) > 0 {
		f.Loaded.Add(falco.LoadFiles(falcoFiles...))
	}
	f.Loaded.Add(detect.Loaded{Rules: c.QuickRules()})
	return f, nil
}

// hashConditions makes the hash of rules notice what the config puts into their
// conditions, besides their text.
func hashConditions(list []*detect.Rule) {
	for _, r := range list {
		h := sha256.New()
		_, _ = h.Write(r.Hash[:])
		for _, n := range []query.Node{r.Cond, keptBy(r.Filter)} {
			if n != nil {
				_, _ = io.WriteString(h, query.Print(n)+"\x00")
			}
		}
		copy(r.Hash[:], h.Sum(nil))
	}
}

func keptBy(f *detect.Filter) query.Node {
	if f == nil {
		return nil
	}
	return f.Keep
}

// rulesOf loads the Sigma rules of one place, and names its Falco files.
func rulesOf(place string, opt sigma.Options) (l detect.Loaded, falcoFiles []string, err error) {
	switch place {
	case "none", "":
		return l, nil, nil
	case "builtin":
		return rules.Load(), nil, nil
	}
	st, err := os.Stat(place)
	if err != nil {
		return l, nil, fmt.Errorf("cannot read the rules: %w; --rules takes a folder, a file, builtin or none", err)
	}
	if !st.IsDir() {
		if isFalco(place) {
			return l, []string{place}, nil
		}
		return opt.LoadFile(place), nil, nil
	}
	if falcoFiles = findFalco(place); len(falcoFiles) == 0 {
		return opt.LoadDir(place), nil, nil
	}
	err = filepath.WalkDir(place+"/", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && isYAML(path) && !slices.Contains(falcoFiles, path) {
			l.Add(opt.LoadFile(path))
		}
		return err
	})
	return l, falcoFiles, err
}

// findFalco lists the Falco rule files in a folder, in lexical order. The slash it
// adds follows dir where that is a link, as the Sigma loader does.
func findFalco(dir string) (out []string) {
	_ = filepath.WalkDir(dir+"/", func(path string, d fs.DirEntry, err error) error { // what cannot be read is said by the loader
		if err == nil && d.Type().IsRegular() && isYAML(path) && isFalco(path) {
			out = append(out, path)
		}
		return nil
	})
	return out
}

func isYAML(path string) bool {
	return strings.HasSuffix(path, ".yml") || strings.HasSuffix(path, ".yaml")
}

// isFalco tells a Falco rule file by its first line of content: Falco's files are
// lists, Sigma's are maps.
func isFalco(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(io.LimitReader(f, 64<<10))
	for lines.Scan() {
		if t := strings.TrimSpace(lines.Text()); t != "" && t[0] != '#' && t != "---" {
			return strings.HasPrefix(t, "- ")
		}
	}
	return false
}
