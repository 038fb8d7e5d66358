package main

import (
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"time"

	"bartizan/event"
)

// printable makes text from anywhere fit for a person's terminal.
func printable(s string) string { return event.EscapeString(s) }

// newMasker hides secrets under a key of this run: equal secrets look equal, and
// nobody can try guesses against a token later.
func newMasker() *event.Masker {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails (crypto/rand)
	return event.NewMasker(key)
}

// raiseFileLimit lifts the soft limit on open files to the hard one: every
// followed file is a descriptor. A refusal changes nothing worth a word.
func raiseFileLimit() {
	var lim syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &lim) == nil && lim.Cur < lim.Max {
		lim.Cur = lim.Max
		_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &lim)
	}
}

// tightHeap lets the engine's heap grow by a quarter before it is collected, not by
// all of it again, unless GOGC says otherwise: the ring lies outside of the heap,
// and the rest has to fit into 80 MiB.
func tightHeap() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(25)
	}
}

// openLog opens the log file for appending (0600). With no name it is
// bartizan.log in dir; one over 16 MiB is set aside as bartizan.log.1.
func openLog(name, dir string) (*slog.Logger, io.Closer, error) {
	if name == "" {
		name = filepath.Join(dir, "bartizan.log")
		if st, err := os.Stat(name); err == nil && st.Size() > 16<<20 {
			_ = os.Rename(name, name+".1")
		}
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot write the log: %w; choose another with --log", err)
	}
	return slog.New(slog.NewTextHandler(f, nil)), f, nil
}

// keepCrash writes a crash file beside the board when the calling goroutine
// panics, and panics on: the terminal lives in another process.
func keepCrash(dir string) {
	if p := recover(); p != nil {
		writeCrash(dir, p)
		panic(p)
	}
}

// writeCrash keeps what is needed to mend a crash and returns the file's name.
func writeCrash(dir string, p any) string {
	name := filepath.Join(dir, "crash-"+time.Now().UTC().Format("20060102T150405Z")+".txt")
	text := fmt.Sprintf("bartizan %s\n%s\npanic: %v\n\n%s", version, time.Now().UTC().Format(time.RFC3339), p, debug.Stack())
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		return ""
	}
	return name
}
