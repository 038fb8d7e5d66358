package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"bartizan/triage"
)

// Except writes an exception into the person's own rules, notes it in the journal
// on the alert it was made from, and reads the rules again, so that it holds at
// once. The journal comes before the file, and no file is ever overwritten. It
// blocks on the disk. file is what was written; the error is one sentence.
func (e *Engine) Except(x Exception, on triage.AlertVersion, by triage.Actor) (file string, err error) {
	if e.o.ReadOnly {
		return "", errors.New("this engine is read-only; start it without --read-only")
	}
	if e.o.OwnRules == "" {
		return "", errors.New("there is no folder for exceptions; set own under [detection] in the config")
	}
	d, err := e.draft(x, true)
	if err != nil {
		return "", err
	}
	file = filepath.Join(e.o.OwnRules, d.file)
	if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%s is there already; remove it or change the exception", file)
	}
	ready, err := prepare(e.o.OwnRules, d.text)
	if err != nil {
		return "", err
	}
	defer func() { _ = os.Remove(ready) }()
	note := fmt.Sprintf("exception %s to rule %s until %s: %s", d.file, x.Rule, x.Expires.UTC().Format(time.RFC3339), oneLine(x.Reason))
	if _, err := e.o.Desk.Apply(triage.Move{Do: triage.DoNote, On: []triage.AlertVersion{on}, Note: strings.ToValidUTF8(note[:min(len(note), triage.MaxNote)], ""), By: by, At: e.o.Now()}); err != nil {
		return "", err
	}
	if err := os.Link(ready, file); err != nil { // fails where the name is taken meanwhile
		return "", fmt.Errorf("the exception is in the journal but could not be written: %w", err)
	}
	if err := syncDir(e.o.OwnRules); err != nil {
		return "", fmt.Errorf("the exception is in the journal but may not be on disk: %w", err)
	}
	return file, e.inForce(file, by)
}

// inForce reads the rules again and makes sure that the exception was taken.
func (e *Engine) inForce(file string, by triage.Actor) error {
	if e.o.LoadRules == nil {
		return fmt.Errorf("%s is written, but this engine cannot read its rules again; restart it", file)
	}
	if r := e.Reload("exception of " + by.Name); r.Problem != "" {
		return fmt.Errorf("%s is written but not in force: %s", file, r.Problem)
	}
	_, refused := e.Rules()
	for _, bad := range refused {
		if bad.File == file {
			return fmt.Errorf("the exception is written but was refused: %s", bad.Error())
		}
	}
	for _, w := range e.Warnings() {
		if w.File == file && strings.Contains(w.Reason, "does not apply") {
			return fmt.Errorf("the exception is written but has no effect: %s", w.Error())
		}
	}
	return nil
}

// prepare writes text to a file of its own in dir, under a name that no loader
// reads, and makes sure that it is on disk.
func prepare(dir string, text []byte) (string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("the folder for exceptions cannot be made: %w", err)
	}
	f, err := os.CreateTemp(dir, ".exception-*.tmp")
	if err != nil {
		return "", fmt.Errorf("the exception cannot be written: %w", err)
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		_ = os.Remove(f.Name())
		return "", fmt.Errorf("the exception cannot be written: %w", err)
	}
	return f.Name(), nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// expiryDue says that an exception in force has ended by now, so that the rules
// must be read again.
func (s *ruleSet) expiryDue(now time.Time) bool {
	return slices.ContainsFunc(s.expiring, func(at time.Time) bool { return !now.Before(at) })
}
