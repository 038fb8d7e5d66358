package sources

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"bartizan/event"
)

// rescanEvery is how often patterns are looked up again.
const rescanEvery = time.Second

// maxFound bounds how many sources one discovery opens.
const maxFound = 10000

// Options are how found files are opened. The zero value reads files to their
// end, from their beginning.
type Options struct {
	Follow  bool        // keep looking for files and follow them; else each is read to its end once
	Rotated bool        // also take rotated and compressed files when following
	Exclude []string    // patterns of paths that are not taken
	Info    Info        // Format, Zone, Host, Lateness and Silence are copied to every source
	File    FileOptions // how files are followed; Start counts for those found first
	Tick    <-chan time.Time
	// Scanned, when set, is told after each look how many sources there are so
	// far, and what could not be read.
	Scanned func(total int, problems error)
}

// Discover finds the files that patterns name and hands each to found once,
// under one of its names. A pattern is a path, a directory (read recursively,
// files that look like logs) or a glob with ** (doublestar syntax); "-" is
// standard input. Following, it looks again every second until ctx ends (nil);
// else it returns after the first look, and the error names the paths that do
// not exist or may not be read.
func Discover(ctx context.Context, patterns []string, opt Options, found func(Opened)) error {
	for _, p := range append(slices.Clone(patterns), opt.Exclude...) {
		if !doublestar.ValidatePathPattern(p) {
			return fmt.Errorf("pattern %q is not well formed: close its brackets", p)
		}
	}
	d := &discovery{opt: opt, found: found, ids: map[string]event.FileID{}, skip: map[string]event.FileID{}}
	tick := opt.Tick
	if tick == nil && opt.Follow {
		t := time.NewTicker(rescanEvery)
		defer t.Stop()
		tick = t.C
	}
	for {
		err := d.scan(patterns)
		if opt.Scanned != nil {
			opt.Scanned(len(d.ids)+d.pipes, err)
		}
		if !opt.Follow {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick:
		}
	}
}

// discovery is one run of Discover.
type discovery struct {
	opt   Options
	found func(Opened)
	ids   map[string]event.FileID // of what was opened, by path, as of the last look
	skip  map[string]event.FileID // other names of the same files
	pipes int
	later bool // the first look is over
}

// scan looks once.
func (d *discovery) scan(patterns []string) error {
	before := map[event.FileID]bool{}
	for path, id := range d.ids {
		before[id] = true
		if fi, err := os.Stat(path); err == nil {
			d.ids[path] = statID(fi)
			before[statID(fi)] = true
		}
	}
	var problems []error
	for _, p := range patterns {
		problems = append(problems, d.pattern(p, before))
	}
	d.later = true
	return errors.Join(problems...)
}

func (d *discovery) pattern(p string, before map[event.FileID]bool) error {
	if p == "-" {
		if !d.later {
			d.pipes++
			d.open(Stdin(os.Stdin))
		}
		return nil
	}
	fi, err := os.Stat(p)
	switch {
	case err == nil && fi.IsDir():
		return d.directory(p, before)
	case err == nil:
		return d.named(p, fi, before)
	case strings.ContainsAny(p, "*?[{"):
		return d.glob(p, before)
	case !d.opt.Follow:
		return fmt.Errorf("%s cannot be read: %w", p, err)
	}
	return d.take(p, event.FileID{}, before) // it is followed as soon as it is there
}

// named takes a path that was given as such, whatever its name looks like.
func (d *discovery) named(p string, fi fs.FileInfo, before map[event.FileID]bool) error {
	abs := absolute(p)
	if _, have := d.ids[abs]; have {
		return nil
	}
	switch {
	case fi.Mode()&fs.ModeNamedPipe != 0:
		d.ids[abs] = statID(fi)
		d.open(FIFO(abs))
		return nil
	case !fi.Mode().IsRegular():
		return fmt.Errorf("%s is neither a file nor a directory nor a pipe: name one of these", p)
	}
	return d.take(p, statID(fi), before)
}

func (d *discovery) glob(p string, before map[event.FileID]bool) error {
	paths, err := doublestar.FilepathGlob(p, doublestar.WithFilesOnly())
	if err != nil {
		return fmt.Errorf("pattern %q: %w", p, err)
	}
	var problems []error
	for _, path := range paths {
		problems = append(problems, d.maybe(path, before))
	}
	return errors.Join(problems...)
}

func (d *discovery) directory(dir string, before map[event.FileID]bool) error {
	var problems []error
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			problems = append(problems, fmt.Errorf("%s cannot be read: %w", path, err))
			return nil
		}
		if e.IsDir() || d.have(path) {
			return nil
		}
		if looksLikeLog(path) {
			problems = append(problems, d.maybe(path, before))
		}
		return nil
	})
	return errors.Join(append(problems, err)...)
}

func (d *discovery) have(path string) bool {
	_, have := d.ids[absolute(path)]
	return have
}

// maybe takes a path that a pattern found, unless its name says that it is an
// older generation or it is excluded.
func (d *discovery) maybe(path string, before map[event.FileID]bool) error {
	if d.opt.Follow && !d.opt.Rotated && olderName(filepath.Base(path)) {
		return nil
	}
	for _, x := range d.opt.Exclude {
		if ok, _ := doublestar.PathMatch(x, path); ok { // validated before
			return nil
		}
	}
	fi, err := os.Stat(path)
	if err != nil || !fi.Mode().IsRegular() {
		return nil // gone again, a link to nowhere, or no file
	}
	return d.take(path, statID(fi), before)
}

// take opens path unless the same file was opened under another name.
func (d *discovery) take(path string, id event.FileID, before map[event.FileID]bool) error {
	abs := absolute(path)
	if _, have := d.ids[abs]; have {
		return nil
	}
	if id != (event.FileID{}) && (before[id] || d.skip[abs] == id) {
		d.skip[abs] = id
		return nil
	}
	if len(d.ids) >= maxFound {
		return fmt.Errorf("%s is not read: %d files are followed already, narrow the pattern", path, maxFound)
	}
	o, err := d.source(abs)
	if err != nil {
		return err
	}
	d.ids[abs] = id
	before[id] = id != event.FileID{}
	d.open(o)
	return nil
}

// source makes the source for a regular file.
func (d *discovery) source(path string) (Opened, error) {
	if d.opt.Follow && !compressedFile(path) {
		o := d.opt.File
		o.ID = event.SourceID("file:" + path)
		if d.later {
			o.Start = StartBeginning // all of it was written since
		}
		return Opened{Info{ID: o.ID, Kind: "file", Name: path, Path: path, Live: true}, NewFile(path, o)}, nil
	}
	f, err := openRegular(path)
	if err != nil {
		return Opened{}, fmt.Errorf("%s cannot be read: %w", path, err)
	}
	id := event.SourceID("file:" + path)
	return Opened{Info{ID: id, Kind: "file", Name: path, Path: path}, NewStatic(path, id, d.opt.File.Clock)}, f.Close()
}

func (d *discovery) open(o Opened) {
	i := d.opt.Info
	o.Info.Format, o.Info.Zone, o.Info.Host = i.Format, i.Zone, i.Host
	o.Info.Lateness, o.Info.Silence = i.Lateness, i.Silence
	d.found(o)
}

func absolute(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return filepath.Clean(path)
	}
	return abs
}

// olderName says whether a file name is that of a rotated or compressed log.
func olderName(name string) bool {
	ext := filepath.Ext(name)
	if CompressedName(name) {
		return true
	}
	if ext != "" && rotationMark(ext) {
		return true
	}
	for _, sep := range []string{"-", ext} { // auth.log-20260102, app-20260102.log
		stem := strings.TrimSuffix(name, ext)
		if sep == "-" {
			stem = name
		}
		if i := strings.LastIndexByte(stem, '-'); i > 0 && len(stem)-i > 6 && rotationMark(stem[i:]) {
			return true
		}
	}
	return strings.HasSuffix(name, "~")
}

// compressedFile says whether the file's first bytes are those of a compressed one.
func compressedFile(path string) bool { return Compression(firstBytes(path, magicLen)) != "" }

// looksLikeLog says whether a file found in a directory is worth reading:
// compressed, or text as far as its first bytes tell. An empty file may become one.
func looksLikeLog(path string) bool {
	fi, err := os.Stat(path)
	if err != nil || !fi.Mode().IsRegular() {
		return false
	}
	head := firstBytes(path, 512)
	if Compression(head) != "" {
		return true
	}
	odd := 0
	for _, c := range head {
		if c == 0 {
			return false
		}
		if c < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != 0x1b {
			odd++
		}
	}
	return odd*20 <= len(head)
}

// firstBytes returns up to n first bytes of a file, none when it may not be
// read: opening it as a source will say so.
func firstBytes(path string, n int) []byte {
	f, err := openRegular(path)
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	b := make([]byte, n)
	got, err := io.ReadFull(f, b)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return b[:got]
}
