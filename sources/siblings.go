package sources

import (
	"cmp"
	"maps"
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

	packed bool // by its name; its bytes say
}

// plain returns the path without the ending that compression gave it.
func (s sibling) plain() string {
	if s.packed {
		return unpackedName(s.path)
	}
	return s.path
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
		if !Rotated(base, e.Name()) {
			continue
		}
		fi, err := e.Info()
		if err == nil && fi.Mode().IsRegular() {
			found = append(found, sibling{dir + e.Name(), statID(fi), fi.Size(), fi.ModTime(), !rotatedName(base, e.Name())})
		}
	}
	found = slices.DeleteFunc(found, func(s sibling) bool { // being compressed right now: the original says it all
		return s.packed && slices.ContainsFunc(found, func(o sibling) bool { return o.path == unpackedName(s.path) })
	})
	slices.SortStableFunc(found, func(a, b sibling) int {
		return cmp.Or(a.mtime.Compare(b.mtime), cmp.Compare(len(b.plain()), len(a.plain())), strings.Compare(b.plain(), a.plain()))
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
// names id: none of them can be a generation that is yet to be read. At the
// first look after a rotation or a truncation, and for the grace time, they are
// taken for one all the same, because a listing may miss files that are just
// being renamed. It says whether all of them were dealt with.
func (w *follow) learnSiblings(id event.FileID) (learnt bool) {
	mtime, settled := w.dirTime()
	if mtime.Equal(w.listed) {
		return true
	}
	all, exact := w.siblings()
	if fi, err := w.opts.stat(w.path); err != nil || statID(fi) != id {
		return false
	}
	cur := w.current()
	if cur != nil && !cur.intact() {
		w.truncated(cur) // so that its copies are news
		cur = nil
	}
	lately := !w.switched.Before(w.learnt) || w.now().Sub(w.switched) < w.opts.Grace
	news := w.blank || lately && !w.switched.IsZero()
	for _, s := range all {
		switch {
		case w.holds(s.id):
		case news && s.size == 0: // a copy that is just being made: its bytes will tell
			exact = false
		case !s.packed && news && !w.isKnown(s):
			w.admitSibling(s)
		default:
			w.know(s)
		}
	}
	w.learnt, w.blank = w.now(), cur != nil && cur.framer.Offset() == 0
	if exact { // forgets inodes that are free for others
		maps.DeleteFunc(w.known, func(id event.FileID, _ print) bool {
			return !slices.ContainsFunc(all, func(s sibling) bool { return s.id == id })
		})
	}
	if settled && exact {
		w.listed = mtime
	}
	return exact
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
	if plain := unpackedName(name); plain != "" {
		return plain == base || rotatedName(base, plain)
	}
	return rotatedName(base, name)
}

// rotatedName says whether name is what base becomes when it is rotated:
// base.1, base-20260102, base.old, and for a base with an extension also
// stem-20260102.ext and stem.1.ext. Compressed ones are not.
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
