// Rules of Falco's language are read here as well (Load, LoadDir, LoadFile, Parse):
// those over log records become rules with a condition, those over system calls
// are for display and explain alerts of their name. Loading reads files and blocks
// on them; it keeps nothing open. Files are hostile: their size, nesting, lists,
// macros and expressions are bounded, and what is not loaded is a refusal.
package falco

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

// The bounds of what is read in one Load.
const (
	MaxFile  = 4 << 20 // bytes of one file
	MaxTotal = 8 << 20 // bytes of all files together
	MaxFiles = 5_000
)

// Options are what a person may set about reading rules. The zero value is fine.
type Options struct {
	// Now says what time it is, to leave exceptions out that have expired, with a
	// warning; nil is time.Now. Those that expire later end by the time of the event.
	Now func() time.Time
}

func (o Options) collector() *collector {
	c := newCollector()
	c.now = time.Now()
	if o.Now != nil {
		c.now = o.Now()
	}
	return c
}

// Load is Options.Load without options.
func Load(fsys fs.FS, root string) detect.Loaded { return Options{}.Load(fsys, root) }

// Load reads the rules of root in fsys: a file, or a directory with everything
// below it that ends in .yml or .yaml, in lexical order. All files share one
// namespace of rules, macros and lists, and later files change what earlier ones
// said, as Falco's own list of rule files does. The names in the outcome are those
// in fsys.
func (o Options) Load(fsys fs.FS, root string) detect.Loaded {
	l := &loader{fsys: fsys, shown: func(name string) string { return name }, all: o.collector()}
	return l.load(path.Clean(root))
}

// LoadFile reads the rules of one file, whatever its name ends in.
func LoadFile(file string) detect.Loaded { return LoadFiles(file) }

// LoadFiles is Options.LoadFiles without options.
func LoadFiles(files ...string) detect.Loaded { return Options{}.LoadFiles(files...) }

// LoadFiles reads files, or directories as LoadDir does, in the order given, into
// one namespace.
func (o Options) LoadFiles(files ...string) detect.Loaded {
	l := &loader{all: o.collector()}
	for _, f := range files {
		info, err := os.Stat(f)
		if err == nil && info.IsDir() {
			l.fsys, l.shown = os.DirFS(f), func(name string) string { return filepath.Join(f, filepath.FromSlash(name)) }
			l.walk(".")
			continue
		}
		l.fsys, l.shown = os.DirFS(filepath.Dir(f)), func(string) string { return f }
		l.file(filepath.Base(f))
	}
	return l.all.outcome()
}

// LoadDir reads the rules of a directory and everything below it that ends in
// .yml or .yaml, in lexical order; of a file, that file.
func LoadDir(dir string) detect.Loaded { return LoadFiles(dir) }

// Parse is Options.Parse without options.
func Parse(file string, src []byte) detect.Loaded { return Options{}.Parse(file, src) }

// Parse reads the rules of one file's content; file is its name in the outcome.
// It does no I/O and its memory is bounded by the size of src and the constants
// of this package.
func (o Options) Parse(file string, src []byte) detect.Loaded {
	c := o.collector()
	c.add(file, src)
	return c.outcome()
}

type loader struct {
	fsys         fs.FS
	shown        func(name string) string // how people know the file
	files, bytes int
	all          *collector
}

func (l *loader) load(root string) detect.Loaded {
	l.walk(root)
	return l.all.outcome()
}

func (l *loader) walk(root string) {
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
	l.all.refuse(detect.Refusal{File: l.shown(name), Reason: fmt.Sprintf("the rules cannot be read: %v", err)})
}

func (l *loader) file(name string) {
	src, err := l.read(name)
	if err == nil {
		if l.bytes += len(src); l.bytes > MaxTotal {
			err = fmt.Errorf("all rule files together are longer than %d bytes; load fewer", MaxTotal)
		}
	}
	if err != nil {
		l.refuse(name, err)
		return
	}
	l.all.add(l.shown(name), src)
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
