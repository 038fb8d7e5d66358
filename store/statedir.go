package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// prepareDir makes the state directory (0700) or checks the one that is there.
func prepareDir(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("the state directory cannot be found: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("the state directory cannot be made: %w; name another with --state", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return "", fmt.Errorf("the state directory cannot be read: %w", err)
	}
	if info.Mode().Perm()&0o002 != 0 {
		return "", fmt.Errorf("everybody may write to the state directory %s: run `chmod o-w %s` or name another with --state", dir, dir)
	}
	if name := networkFS(dir); name != "" {
		return "", fmt.Errorf("the state directory %s is on a network file system (%s), whose locks cannot be trusted: name a local one with --state", dir, name)
	}
	return dir, nil
}

// fileMode is how files in dir are made: for the group too where an
// administrator gave the group the directory.
func fileMode(dir string) os.FileMode {
	if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&0o070 == 0o070 {
		return 0o660
	}
	return 0o600
}

// touch makes the database file with the right mode before SQLite does; the
// files SQLite makes beside it take the same mode. An existing file is left
// alone (closing a descriptor of it would drop SQLite's locks).
func touch(dir, path string) error {
	if _, err := os.Lstat(path); err == nil {
		return nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("the board cannot be made: %w", err)
	}
	return errors.Join(f.Chmod(fileMode(dir)), f.Close())
}

// takeLock makes this process the directory's engine.
func takeLock(dir string) (*os.File, error) {
	path := filepath.Join(dir, lockFile)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|noFollow, fileMode(dir))
	if err != nil {
		return nil, fmt.Errorf("the lock of the state directory cannot be opened: %w", err)
	}
	if err := flock(f); err != nil {
		pid := holder(f)
		_ = f.Close() // nothing was written
		return nil, &Held{Dir: dir, PID: pid}
	}
	if err := writePID(f); err != nil {
		return nil, errors.Join(fmt.Errorf("the lock %s cannot be written: %w", path, err), f.Close())
	}
	return f, nil
}

// Held says that another engine owns the state directory. PID is 0 when the
// lock does not tell.
type Held struct {
	Dir string
	PID int
}

func (h *Held) Error() string {
	if h.PID == 0 {
		return fmt.Sprintf("another engine owns %s: attach to it, or stop it first", h.Dir)
	}
	return fmt.Sprintf("another engine (pid %d) owns %s: attach to it, or stop it first", h.PID, h.Dir)
}

func holder(f *os.File) int {
	buf := make([]byte, 32)
	n, _ := f.ReadAt(buf, 0) // a short read is what a short file gives
	pid, err := strconv.Atoi(strings.TrimSpace(string(buf[:n])))
	if err != nil {
		return 0
	}
	return pid
}

func writePID(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// dropLock empties the lock file and lets go of it.
func dropLock(f *os.File) error {
	return errors.Join(f.Truncate(0), f.Close())
}
