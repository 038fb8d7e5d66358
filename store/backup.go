package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"bartizan/triage"
)

// Backup writes a whole, compact copy of the board to path, which must not
// exist, while the engine works on. progress (nil: none) is called now and then
// with the part written, up to 1. The signing key is not in it.
func (db *DB) Backup(ctx context.Context, path string, progress func(float64)) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s is there already: name a new file for the backup", path)
	}
	part := path + ".part"
	f, err := os.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) // VACUUM INTO takes an empty file and its mode
	if err != nil {
		return fmt.Errorf("the backup cannot be written: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("the backup cannot be written: %w", err)
	}
	stop := watchSize(part, db.size(), progress)
	_, err = db.readers.ExecContext(ctx, "VACUUM INTO ?", part)
	stop()
	if err == nil {
		err = errors.Join(syncFile(part), os.Rename(part, path), syncFile(filepath.Dir(path)))
	}
	if err != nil {
		_ = os.Remove(part) // it is worth nothing
		return plain(path, "write the backup", err)
	}
	if progress != nil {
		progress(1)
	}
	return nil
}

// watchSize calls progress while the file grows towards whole; the returned
// function ends that and waits for it.
func watchSize(path string, whole int64, progress func(float64)) (stop func()) {
	if progress == nil || whole <= 0 {
		return func() {}
	}
	quit, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
				if info, err := os.Stat(path); err == nil {
					progress(min(float64(info.Size())/float64(whole), 0.99))
				}
			}
		}
	}()
	return func() { close(quit); <-gone }
}

func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Restore puts the backup at path into the state directory dir. It refuses while
// an engine owns dir, and a backup whose journal does not hold together (or does
// not agree with the anchors given). A board that is there already is not lost:
// it is renamed, and its new name returned.
func Restore(dir, path string, at time.Time, anchors ...triage.Head) (kept string, proof triage.Proof, err error) {
	if dir, err = prepareDir(dir); err != nil {
		return "", proof, err
	}
	lock, err := takeLock(dir)
	if err != nil {
		return "", proof, err
	}
	defer func() { err = errors.Join(err, dropLock(lock)) }()
	part := filepath.Join(dir, boardFile+".restoring")
	if err := copyFile(path, part, fileMode(dir)); err != nil {
		return "", proof, fmt.Errorf("the backup cannot be read: %w", err)
	}
	defer func() { _ = os.Remove(part) }() // gone already when all went well
	if proof, err = verifyFile(part, anchors); err != nil {
		return "", proof, fmt.Errorf("%s was not restored: %w", path, err)
	}
	kept, err = setAside(dir, at)
	if err != nil {
		return "", proof, fmt.Errorf("the board that is there cannot be moved aside: %w", err)
	}
	if err := errors.Join(os.Rename(part, filepath.Join(dir, boardFile)), syncFile(dir)); err != nil {
		return kept, proof, fmt.Errorf("the backup cannot be put in place: %w", err)
	}
	return kept, proof, nil
}

// verifyFile checks a database file that is no board yet.
func verifyFile(path string, anchors []triage.Head) (proof triage.Proof, err error) {
	ctx := context.Background()
	db := &DB{dir: filepath.Dir(path), path: path, now: time.Now}
	if db.readers, err = connect(path, "mode=ro"); err != nil {
		return proof, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	have, err := version(ctx, db.readers, path)
	if err != nil {
		return proof, err
	}
	if have == 0 {
		return proof, errors.New("it is not a backup of a board")
	}
	return db.Verify(anchors...)
}

// setAside renames the board in dir with all that belongs to it.
func setAside(dir string, at time.Time) (kept string, err error) {
	board := filepath.Join(dir, boardFile)
	if _, err := os.Lstat(board); errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	kept = strings.TrimSuffix(board, ".db") + at.UTC().Format("-before-20060102T150405.000000000Z") + ".db"
	for _, suffix := range []string{"-shm", "-wal", ""} {
		if err := os.Rename(board+suffix, kept+suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
	}
	return kept, nil
}

func copyFile(from, to string, mode os.FileMode) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // it was only read
	if err := os.Remove(to); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = out.ReadFrom(in)
	return errors.Join(err, out.Chmod(mode), out.Sync(), out.Close())
}
