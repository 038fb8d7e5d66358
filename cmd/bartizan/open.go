package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"bartizan/config"
	"bartizan/sources"
	"bartizan/sources/parse"
	"bartizan/store"
)

// openStatic opens what the paths name, to be read once to its end.
func (a *app) openStatic(ctx context.Context, reg *parse.Registry, paths []string) ([]sources.Opened, *failures, error) {
	if a.format != "" && !reg.Known(a.format) {
		return nil, nil, usage("there is no format %q; bartizan parse --help lists them", a.format)
	}
	f := &failures{a: a}
	var open []sources.Opened
	err := sources.Discover(ctx, paths, sources.Options{Info: sources.Info{Format: a.format}}, func(op sources.Opened) { open = append(open, op) })
	if err != nil {
		if len(open) == 0 {
			return nil, nil, err
		}
		f.add(sources.Info{}, err)
	}
	if len(open) == 0 {
		return nil, nil, fmt.Errorf("there is nothing to read at %s", strings.Join(paths, " "))
	}
	return open, f, nil
}

// openFollowing opens what the paths name, to be followed from its beginning. A
// path that names nothing is a mistake more often than a file still to come.
func (a *app) openFollowing(ctx context.Context, paths []string) ([]sources.Opened, error) {
	for _, p := range paths {
		if _, err := os.Stat(p); err != nil && p != "-" && !strings.ContainsAny(p, "*?[{") {
			return nil, fmt.Errorf("cannot follow %s: %w", p, err)
		}
	}
	now, _ := watchFiles(ctx, []config.Look{{Patterns: paths, Options: sources.Options{Info: sources.Info{Format: a.format}}}})
	if len(now) == 0 {
		return nil, fmt.Errorf("nothing to follow at %s", strings.Join(paths, " "))
	}
	return now, nil
}

// withDesk opens the board in this process, for as long as work takes. A board
// that is not there is not made: its empty list would look like an answer.
func withDesk(state string, work func(desk) error) error {
	look, err := store.OpenReadOnly(state)
	if err != nil {
		return err
	}
	if err := look.Close(); err != nil {
		return err
	}
	db, err := store.Open(state, time.Now)
	if err != nil {
		return err
	}
	board, _, err := db.Load()
	if err == nil {
		err = work(store.NewDesk(db, board, time.Now))
	}
	return errors.Join(err, db.Close())
}
