// Command bartizan is a live security console for the terminal: it brings logs
// together, runs rules over every line and lets one person decide about what
// they find. One file per verb; a verb parses flags, wires rooms together,
// prints and exits. What may block or be lost is said by the rooms it wires.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set by the linker.
var version = "dev"

// The exit codes, the same for every verb.
const (
	exitFine   = 0
	exitFailed = 1
	exitUsage  = 2
	exitFound  = 3
)

// exitError is an error that chooses the exit code.
type exitError struct {
	code int
	err  error
}

func (e exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e exitError) Unwrap() error { return e.err }

func usage(format string, args ...any) error {
	return exitError{exitUsage, fmt.Errorf(format, args...)}
}

func main() { os.Exit(run(os.Args[1:])) }

// run is the whole program for one command line.
func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	raiseFileLimit()
	app := &app{in: os.Stdin, out: os.Stdout, err: os.Stderr}
	root := newRoot(app)
	root.SetArgs(args)
	return app.finish(root.ExecuteContext(ctx))
}

// finish prints what went wrong as one sentence and gives the exit code.
func (a *app) finish(err error) int {
	if err == nil {
		return exitFine
	}
	if errors.Is(err, syscall.EPIPE) { // the reader of our output has enough
		return exitFine
	}
	var e exitError
	code := exitFailed
	if errors.As(err, &e) {
		code = e.code
	}
	for _, s := range sentences(err) {
		_, _ = fmt.Fprintln(a.err, "bartizan: "+printable(s))
	}
	return code
}

// sentences takes joined errors apart: each is said on its own line.
func sentences(err error) []string {
	switch e := err.(type) { //nolint:errorlint // only the outermost error is taken apart
	case nil:
		return nil
	case exitError:
		return sentences(e.err)
	case interface{ Unwrap() []error }:
		var all, texts []string
		for _, one := range e.Unwrap() {
			all, texts = append(all, sentences(one)...), append(texts, one.Error())
		}
		if strings.Join(texts, "\n") == err.Error() { // joined, and not wrapped in words
			return all
		}
	}
	return []string{err.Error()}
}

// flagError makes cobra's complaints about the command line exit with 2.
func flagError(c *cobra.Command, err error) error {
	return exitError{exitUsage, fmt.Errorf("%w; see %s --help", err, c.CommandPath())}
}
