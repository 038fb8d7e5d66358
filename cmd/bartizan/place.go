package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// sharedState is where an administrator may make a board for a whole team.
const sharedState = "/var/lib/bartizan"

// stateDir says where the board lies: the flag, BARTIZAN_STATE, the config, a
// private board for these paths, the shared one, the person's own.
func stateDir(flag, config string, paths []string) (string, error) {
	for _, dir := range []string{flag, os.Getenv("BARTIZAN_STATE"), config} {
		if dir != "" {
			return filepath.Abs(dir)
		}
	}
	if len(paths) == 0 {
		if st, err := os.Stat(sharedState); err == nil && st.IsDir() && writable(sharedState) {
			return sharedState, nil
		}
	}
	base, err := ownState()
	if err != nil {
		return "", err
	}
	if len(paths) == 0 {
		return filepath.Join(base, "board"), nil
	}
	name, err := boardName(paths)
	return filepath.Join(base, "boards", name), err
}

func ownState() (string, error) {
	if dir := os.Getenv("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, "bartizan"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("there is no place for the board: %w; name one with --state DIR", err)
	}
	return filepath.Join(home, ".local", "state", "bartizan"), nil
}

// boardName is the same for the same set of paths, in any order.
func boardName(paths []string) (string, error) {
	var all []string
	for _, p := range paths {
		abs, err := filepath.Abs(p)
		if err != nil {
			return "", fmt.Errorf("%s: %w", p, err)
		}
		all = append(all, abs)
	}
	slices.Sort(all)
	sum := sha256.Sum256([]byte(strings.Join(slices.Compact(all), "\x00")))
	return hex.EncodeToString(sum[:8]), nil
}

func writable(dir string) bool {
	f, err := os.CreateTemp(dir, ".try-")
	if err != nil {
		return false
	}
	_ = f.Close()
	return os.Remove(f.Name()) == nil
}

// makeState makes the state directory, private to the person unless it is there.
func makeState(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("cannot make the state directory: %w; name another with --state DIR", err)
	}
	st, err := os.Stat(dir)
	if err == nil && st.Mode().Perm()&0o002 != 0 {
		return fmt.Errorf("%s: everybody may write there, so nothing in it can be trusted; chmod o-w it or use another --state", dir)
	}
	return err
}

// socketPath is where the board's engine listens. A unix socket's name is at
// most 107 bytes (unix(7)); a longer state directory gets one in the run
// directory, private to the person.
func socketPath(state string) (string, error) {
	if p := filepath.Join(state, "engine.sock"); len(p) <= 100 {
		return p, nil
	}
	run := os.Getenv("XDG_RUNTIME_DIR")
	if run == "" {
		run = filepath.Join(os.TempDir(), fmt.Sprintf("bartizan-%d", os.Getuid()))
	}
	if err := os.MkdirAll(run, 0o700); err != nil {
		return "", fmt.Errorf("cannot make the run directory: %w", err)
	}
	if st, err := os.Lstat(run); err != nil || !st.IsDir() || st.Mode().Perm()&0o022 != 0 {
		return "", errors.Join(err, fmt.Errorf("%s: others may write there; set XDG_RUNTIME_DIR to a folder of your own", run))
	}
	sum := sha256.Sum256([]byte(state))
	return filepath.Join(run, "bartizan-"+hex.EncodeToString(sum[:8])+".sock"), nil
}

// socketMode lets the group in where the state directory lets it in.
func socketMode(state string) os.FileMode {
	if st, err := os.Stat(state); err == nil && st.Mode().Perm()&0o020 != 0 {
		return 0o660
	}
	return 0o600
}
