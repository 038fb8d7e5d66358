package sources

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
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
	number int  // in its name, -1 none
}

// plain returns the path without the ending that compression gave it.
func (s sibling) plain() string {
	if s.packed {
		return unpackedName(s.path)
	}
	return s.path
}

// openSibling opens a rotated file that was listed. Where its name has gone to
// another file since, it does not exist: it is found again under its new name.
func (w *follow) openSibling(s sibling) (*os.File, error) {
	f, err := w.opts.Open(s.path)
	if err != nil || s.id == (event.FileID{}) {
		return f, err
	}
	if id, err := IDOf(f); err != nil || id != s.id {
		_ = f.Close() // opened for reading: nothing can be lost
		return nil, &fs.PathError{Op: "open", Path: s.path, Err: fs.ErrNotExist}
	}
	return f, nil
}

// siblings lists the rotated names beside the file, oldest first. exact says
// that nothing was renamed meanwhile: else some may be missing, though few are where
// twice is asked for, which lists until two lists are the same.
func (w *follow) siblings(twice bool) (found []sibling, exact bool) {
	for try := range 5 {
		was := found
		before, settled := w.dirTime()
		found = w.list()
		switch after, _ := w.dirTime(); {
		case settled && after.Equal(before):
			return found, true
		case settled: // a rotation began
		case !twice || try > 0 && slices.EqualFunc(was, found, sibling.same):
			return found, false // it goes on: what is missing is found at the next look
		}
	}
	return found, false
}

// same says whether both are one file under one name.
func (s sibling) same(o sibling) bool { return s.id == o.id && s.path == o.path }

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
			found = append(found, sibling{dir + e.Name(), statID(fi), fi.Size(), fi.ModTime(), !rotatedName(base, e.Name()), rotationNumber(base, e.Name())})
		}
	}
	found = slices.DeleteFunc(found, func(s sibling) bool { // being compressed right now: the original says it all
		return s.packed && slices.ContainsFunc(found, func(o sibling) bool { return o.path == unpackedName(s.path) })
	})
	sortOldest(found)
	return found
}

// sortOldest sorts by modification time, but numbers, which each rotation raises,
// know better among themselves: late writers and compression change times.
func sortOldest(found []sibling) {
	slices.SortStableFunc(found, func(a, b sibling) int {
		return cmp.Or(a.mtime.Compare(b.mtime), cmp.Compare(len(b.plain()), len(a.plain())), strings.Compare(b.plain(), a.plain()))
	})
	var at []int
	var numbered []sibling
	for i, s := range found {
		if s.number >= 0 {
			at, numbered = append(at, i), append(numbered, s)
		}
	}
	slices.SortStableFunc(numbered, func(a, b sibling) int { return cmp.Compare(b.number, a.number) })
	for i, s := range numbered {
		found[at[i]] = s
	}
}

// rotationNumber returns the number in a rotated name, -1 where there is none or
// it is a date.
func rotationNumber(base, name string) int {
	if plain := unpackedName(name); plain != "" {
		name = plain
	}
	rest, ok := strings.CutPrefix(name, base+".")
	if ext := filepath.Ext(base); !ok && ext != "" {
		if rest, ok = strings.CutPrefix(name, strings.TrimSuffix(base, ext)+"."); ok {
			rest, ok = strings.CutSuffix(rest, ext)
		}
	}
	n, err := strconv.Atoi(rest)
	if !ok || err != nil || n < 0 || n > maxNumber || strings.Trim(rest, "0123456789") != "" {
		return -1
	}
	return n
}

// maxNumber is the largest number of a rotated file; larger ones are dates.
const maxNumber = 99_999

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
	if mtime.Equal(w.listed) && !w.full && (w.gap == nil || w.gap.waits(w.now())) {
		return true
	}
	lately := !w.switched.Before(w.learnt) || w.now().Sub(w.switched) < w.opts.Grace
	news := w.blank || w.full || w.gap != nil || lately && !w.switched.IsZero()
	all, exact := w.siblings(news)
	if fi, err := w.opts.stat(w.path); err != nil || statID(fi) != id {
		return false
	}
	cur := w.current()
	if cur != nil && !cur.intact() {
		w.truncated(cur) // so that its copies are news
		cur, news = nil, true
	}
	dealt := news && w.admitAll(all, id)
	if news {
		exact = dealt && exact
	} else {
		for _, s := range all {
			if !w.holds(s.id) && !w.regrown(s) {
				w.know(s)
			}
		}
	}
	w.learnt, w.blank = w.now(), cur != nil && cur.framer.Offset() == 0
	if exact {
		w.forget(all)
	}
	if settled && exact {
		w.judge(all, id)
		w.listed = mtime
	} else if dealt && w.unbroken(all) {
		w.gap = nil
	}
	return exact
}

// admitAll admits the rotated files that are not known, oldest first. It says
// whether all of them were dealt with.
func (w *follow) admitAll(all []sibling, newest event.FileID) bool {
	w.full = false
	done := true
	for i, s := range all {
		switch {
		case s.id == newest || w.holds(s.id) || w.regrown(s):
		case w.isKnown(s):
		case s.size == 0 && w.now().Sub(s.mtime) >= w.opts.Grace:
			w.know(s) // it is news once it grows
		case s.size == 0: // a copy that is just being made: its bytes will tell
			done = false
		case w.crowded(s):
			w.full = true
			return false
		default:
			w.admitSibling(s, all[i+1:])
		}
	}
	return done
}

// spareGens are kept free among the generations for the current one and for what
// a truncation makes of it.
const spareGens = 4

// maxPacked bounds how many compressed files are read at once, because of the
// memory their decoders need.
const maxPacked = 4

// crowded says whether there is no room for another generation yet.
func (w *follow) crowded(s sibling) bool {
	packed := 0
	for _, g := range w.gens {
		if g.packed != nil {
			packed++
		}
	}
	return len(w.gens) >= maxGens-spareGens || s.packed && packed >= maxPacked
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
