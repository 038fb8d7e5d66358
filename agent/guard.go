package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"bartizan/event"
)

// guard decides which files may be opened: regular ones that, every link
// followed, lie below one of the roots.
type guard struct{ roots []string }

// errReplaced: the name led elsewhere a moment later, as it does in a rotation.
var errReplaced = errors.New("was replaced while it was opened")

// look opens the file as a reader would and returns what it is. The error is one
// sentence, or wraps fs.ErrNotExist.
func (g *guard) look(path string) (fs.FileInfo, error) {
	f, err := g.open(path)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	return st, errors.Join(err, f.Close())
}

// open opens path for reading. Links are resolved first; the result is opened
// below its root through os.Root, so that a link put in place in between leads
// nowhere, and must be the very file that was resolved.
func (g *guard) open(path string) (*os.File, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, plain(path, err)
	}
	dir, rel, ok := g.below(real)
	if !ok {
		return nil, fmt.Errorf("%s leads to %s, which is in none of the allowed roots", path, real)
	}
	want, err := os.Lstat(real)
	if err != nil {
		return nil, plain(path, err)
	}
	if !want.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file (%s)", path, want.Mode().Type())
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, plain(path, err)
	}
	defer func() { _ = root.Close() }() // only looked into
	f, err := root.OpenFile(rel, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, plain(path, err)
	}
	if err := check(f, path, want); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// below returns the root that real lies in, and real as seen from there.
func (g *guard) below(real string) (dir, rel string, ok bool) {
	for _, r := range g.roots {
		r, err := filepath.EvalSymlinks(r)
		if err != nil {
			continue // not there: nothing lies in it
		}
		rel, err := filepath.Rel(r, real)
		if err == nil && rel != "." && filepath.IsLocal(rel) {
			return r, rel, true
		}
	}
	return "", "", false
}

// check makes sure that f is the regular file that was looked at before, and
// that it was not linked into the directory by somebody who does not own it.
func check(f *os.File, path string, want fs.FileInfo) error {
	st, err := f.Stat()
	if err != nil {
		return plain(path, err)
	}
	if !st.Mode().IsRegular() || !os.SameFile(st, want) {
		return fmt.Errorf("%s %w", path, errReplaced)
	}
	own, ok := st.Sys().(*syscall.Stat_t)
	if !ok || own.Nlink < 2 {
		return nil
	}
	dir, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return plain(path, err)
	}
	if at, ok := dir.Sys().(*syscall.Stat_t); ok && (at.Uid != own.Uid || dir.Mode().Perm()&0o022 != 0) {
		return fmt.Errorf("%s has %d names and others may have put this one here: it could be any file of this host", path, own.Nlink)
	}
	return nil
}

// plain makes one sentence of a file error, and keeps "not there" recognisable.
func plain(path string, err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		err = at.Err
	}
	if strings.Contains(err.Error(), "path escapes from parent") {
		return fmt.Errorf("%s leads out of its root", path)
	}
	return fmt.Errorf("%s cannot be read: %w", path, err)
}

func identity(st fs.FileInfo) event.FileID {
	own, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return event.FileID{}
	}
	return event.FileID{Dev: uint64(own.Dev), Ino: own.Ino} //nolint:unconvert // Dev is int32 on Darwin
}
