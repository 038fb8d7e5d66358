// Package sigma reads Sigma 2.1 rules into detect rules.
//
// Every document becomes a rule or a refusal with file, line and one sentence;
// nothing is dropped and nothing is evaluated by half: a rule that uses what is
// not supported is refused by the name of that thing. Correlations and filters
// refer to other rules; Link resolves that when all rules are loaded. Where the
// specification leaves something open, docs/sigma.md says what is done here.
//
// Loading reads files and blocks on them; it keeps nothing open. Files are
// hostile: their size, nesting, aliases, values and expressions are bounded.
package sigma

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"bartizan/detect"
)

// The bounds of what is read.
const (
	MaxFile  = 2 << 20 // bytes of one file
	MaxFiles = 50_000  // files of one Load
)

// Options are what a person may set about reading rules. The zero value is fine.
type Options struct {
	// Lists are the values of placeholders, by name without the percent signs.
	Lists map[string][]string
	// FiltersExclude reads the condition of a filter as what it excludes ("and not");
	// else it is added as it stands, as pySigma does.
	FiltersExclude bool
	// Now says what time it is, to tell filters that have expired; nil is time.Now.
	Now func() time.Time
}

func (o Options) now() time.Time {
	if o.Now == nil {
		return time.Now()
	}
	return o.Now()
}

// Load is Options.Load without lists.
func Load(fsys fs.FS, root string) detect.Loaded { return Options{}.Load(fsys, root) }

// LoadFile is Options.LoadFile without lists.
func LoadFile(file string) detect.Loaded { return Options{}.LoadFile(file) }

// LoadDir is Options.LoadDir without lists.
func LoadDir(dir string) detect.Loaded { return Options{}.LoadDir(dir) }

// Load reads the rules of root in fsys: a file, or a directory with everything
// below it that ends in .yml or .yaml. The names in the outcome are those in fsys.
// Call Link when all rules are loaded.
func (o Options) Load(fsys fs.FS, root string) detect.Loaded {
	l := loader{opt: o, fsys: fsys, shown: func(name string) string { return name }}
	return l.load(path.Clean(root))
}

// LoadFile reads the rules of one file, whatever its name ends in.
func (o Options) LoadFile(file string) detect.Loaded {
	l := loader{opt: o, fsys: os.DirFS(filepath.Dir(file)), shown: func(string) string { return file }}
	l.file(filepath.Base(file))
	return l.outcome()
}

// LoadDir reads the rules of a directory and everything below it that ends in
// .yml or .yaml; of a file, that file. A link to a file is followed, a link to a
// directory is not.
func (o Options) LoadDir(dir string) detect.Loaded {
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		return o.LoadFile(dir)
	}
	l := loader{opt: o, fsys: os.DirFS(dir), shown: func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }}
	return l.load(".")
}

type loader struct {
	opt   Options
	fsys  fs.FS
	shown func(name string) string // how people know the file
	files int
	all   detect.Loaded
}

func (l *loader) load(root string) detect.Loaded {
	err := fs.WalkDir(l.fsys, root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			l.refuse(name, err)
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir() || name != root && !isRuleFile(name):
			return nil
		}
		if l.files++; l.files > MaxFiles {
			return fmt.Errorf("there are more than %d rule files; load fewer directories", MaxFiles)
		}
		l.file(name)
		return nil
	})
	if err != nil {
		l.refuse(root, err)
	}
	return l.outcome()
}

// outcome is everything read so far, rules with an id already used refused.
func (l *loader) outcome() detect.Loaded {
	var out detect.Loaded
	out.Add(l.all)
	return out
}

func isRuleFile(name string) bool {
	ext := strings.ToLower(path.Ext(name))
	return ext == ".yml" || ext == ".yaml"
}

func (l *loader) refuse(name string, err error) {
	var at *fs.PathError
	if errors.As(err, &at) {
		err = at.Err
	}
	l.all.Refused = append(l.all.Refused, detect.Refusal{
		File:   l.shown(name),
		Reason: fmt.Sprintf("the rules cannot be read: %v", err),
	})
}

func (l *loader) file(name string) {
	src, err := l.read(name)
	if err != nil {
		l.refuse(name, err)
		return
	}
	more := l.opt.Parse(l.shown(name), src)
	l.all.Rules = append(l.all.Rules, more.Rules...)
	l.all.Refused = append(l.all.Refused, more.Refused...)
	l.all.Warnings = append(l.all.Warnings, more.Warnings...)
}

// read returns the file's bytes, one more than MaxFile when it is too long.
func (l *loader) read(name string) ([]byte, error) {
	info, err := fs.Stat(l.fsys, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	f, err := l.fsys.Open(name)
	if err != nil {
		return nil, err
	}
	src, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	return src, errors.Join(err, f.Close())
}
