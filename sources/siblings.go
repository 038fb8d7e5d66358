package sources

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"bartizan/event"
)

// sibling is a file beside the followed one that may be an older generation.
type sibling struct {
	path  string
	id    event.FileID
	size  int64
	mtime time.Time
}

// siblings lists the rotated names beside the file, oldest first. exact says
// that nothing was renamed meanwhile: else some may be missing.
func (w *follow) siblings() (found []sibling, exact bool) {
	for range 3 {
		before, settled := w.dirTime()
		found = w.list()
		if after, _ := w.dirTime(); settled && after.Equal(before) {
			return found, true
		}
	}
	return found, false
}

// list is one look into the directory.
func (w *follow) list() []sibling {
	dir, base := filepath.Split(w.targetOrPath())
	entries, err := w.opts.list(dir)
	if err != nil {
		return nil // nothing can be found there; the path itself is still followed
	}
	var found []sibling
	for _, e := range entries {
		if !rotatedName(base, e.Name()) {
			continue
		}
		fi, err := e.Info()
		if err == nil && fi.Mode().IsRegular() {
			found = append(found, sibling{dir + e.Name(), statID(fi), fi.Size(), fi.ModTime()})
		}
	}
	slices.SortStableFunc(found, func(a, b sibling) int {
		return cmp.Or(a.mtime.Compare(b.mtime), cmp.Compare(len(b.path), len(a.path)), strings.Compare(b.path, a.path))
	})
	return found
}

func (w *follow) targetOrPath() string {
	if w.target != "" {
		return w.target
	}
	return w.path
}

// learnSiblings remembers the rotated names that are there while the path still
// names id: none of them can be a generation that is yet to be read. For the
// grace time after a rotation it still takes them for one, because a listing may
// miss files that are just being renamed.
func (w *follow) learnSiblings(id event.FileID) {
	mtime, settled := w.dirTime()
	if mtime.Equal(w.listed) {
		return
	}
	all, exact := w.siblings()
	if fi, err := w.opts.stat(w.path); err != nil || statID(fi) != id {
		return
	}
	now := w.known
	if exact {
		now = map[event.FileID]bool{} // forgets inodes that are free for others
	}
	for _, s := range all {
		if !w.known[s.id] && !w.holds(s.id) && w.now().Sub(w.switched) < w.opts.Grace {
			w.admitSibling(s)
			continue
		}
		now[s.id] = true
	}
	w.known = now
	if settled && exact {
		w.listed = mtime
	}
}

// dirSettled is how long a directory must have been left alone before its
// modification time can be trusted: the kernel's clock ticks slower than
// renames follow each other.
const dirSettled = 100 * time.Millisecond

// dirTime returns when something in the directory was last renamed, made or
// deleted, and whether that time can be trusted.
func (w *follow) dirTime() (time.Time, bool) {
	dir, err := w.opts.stat(filepath.Dir(w.targetOrPath()))
	if err != nil {
		return time.Time{}, false
	}
	return dir.ModTime(), w.now().Sub(dir.ModTime()) >= dirSettled
}

// Rotated says whether name is what base becomes when it is rotated, and maybe
// compressed then: base.1, base-20260102.gz, stem-20260102.ext.zst, base.gz.
func Rotated(base, name string) bool {
	for _, ext := range []string{".gz", ".zst", ".xz", ".bz2", ".lz4"} {
		if plain, ok := strings.CutSuffix(name, ext); ok {
			return plain == base || rotatedName(base, plain)
		}
	}
	return rotatedName(base, name)
}

// rotatedName says whether name is what base becomes when it is rotated:
// base.1, base-20260102, base.old, and for a base with an extension also
// stem-20260102.ext and stem.1.ext. Compressed ones are not: they are not read.
func rotatedName(base, name string) bool {
	if rest, ok := strings.CutPrefix(name, base); ok && rotationMark(rest) {
		return true
	}
	ext := filepath.Ext(base)
	stem := strings.TrimSuffix(base, ext)
	rest, ok := strings.CutPrefix(name, stem)
	if !ok || ext == "" || stem == "" {
		return false
	}
	rest, ok = strings.CutSuffix(rest, ext)
	return ok && rotationMark(rest)
}

// rotationMark says whether s is a number, a date or "old" behind a separator.
func rotationMark(s string) bool {
	switch s {
	case ".old", ".prev", ".bak", "~":
		return true
	}
	if len(s) < 2 || !strings.ContainsRune(".-_", rune(s[0])) {
		return false
	}
	digits := false
	for _, c := range s[1:] {
		switch {
		case c >= '0' && c <= '9':
			digits = true
		case !strings.ContainsRune("-_.:TZ+", c):
			return false
		}
	}
	return digits
}
