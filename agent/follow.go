package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"bartizan/event"
	"bartizan/sources"
)

// source returns a follower of the entry's file, for one Read.
func (c *catalog) source(e *entry, info sources.Info) sources.Source {
	return sources.NewFile(e.path, sources.FileOptions{ID: info.ID, Start: sources.StartBeginning})
}

// admission decides, for one Read, whether records of a file may be sent. The
// follower opens what the path names over time and the copies beside it; this
// holds every inode it reads against the guard before a byte of it leaves.
type admission struct {
	guard *guard
	path  string
	known event.FileID // the inode of the newest record, admitted
}

// admit returns nil when the record's file is one the guard would open.
func (a *admission) admit(r *sources.Record) error {
	if r.Ref.File == a.known || r.Lost > 0 && r.Ref.File == (event.FileID{}) {
		return nil
	}
	for _, p := range a.names() {
		st, err := os.Stat(p)
		if err != nil || identity(st) != r.Ref.File {
			continue
		}
		// The follower holds the inode open, so its number cannot have been reused.
		st, err = a.guard.look(p)
		if err == nil && identity(st) == r.Ref.File {
			a.known = r.Ref.File
			return nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return fmt.Errorf("%s led to a file (inode %d) that is not to be found below the allowed roots", a.path, r.Ref.File.Ino)
}

// names returns the path and everything beside it, also beside what it links to.
func (a *admission) names() []string {
	names := []string{a.path}
	dirs := []string{filepath.Dir(a.path)}
	if real, err := filepath.EvalSymlinks(a.path); err == nil && filepath.Dir(real) != dirs[0] {
		dirs = append(dirs, filepath.Dir(real))
	}
	for _, d := range dirs {
		list, err := os.ReadDir(d)
		if err != nil {
			continue // then nothing in it can be admitted
		}
		for _, n := range list {
			names = append(names, filepath.Join(d, n.Name()))
		}
	}
	return names
}
