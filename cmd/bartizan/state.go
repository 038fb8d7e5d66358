package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"bartizan/store"
	"bartizan/triage"
)

func nowUTC() time.Time { return time.Now().UTC() }

func newState(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "state", Short: "the board's database: info, backup, restore",
		Example: `  bartizan state info
  bartizan state backup /srv/backup/board-2026-01-02.db
  bartizan state restore --state /tmp/copy /srv/backup/board-2026-01-02.db`,
	}
	c.AddCommand(stateInfo(a), stateBackup(a), stateRestore(a))
	for _, sub := range c.Commands() {
		a.stateFlags(sub)
	}
	return c
}

func stateInfo(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "info", Short: "what the board holds, as JSON", Args: cobra.NoArgs, Example: "  bartizan state info",
		RunE: func(*cobra.Command, []string) error {
			db, err := a.readBoard()
			if err != nil {
				return err
			}
			defer func() { _ = db.Close() }()
			i, err := db.Info()
			if err != nil {
				return err
			}
			return a.printJSON(i)
		},
	}
}

func stateBackup(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "backup FILE", Short: "write a whole copy while the engine works on", Args: cobra.ExactArgs(1), Example: "  bartizan state backup board.db",
		RunE: func(c *cobra.Command, args []string) error {
			db, err := a.readBoard()
			if err != nil {
				return err
			}
			defer func() { _ = db.Close() }()
			if err := db.Backup(c.Context(), args[0], a.progress("backup")); err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.out, "wrote %s; the signing key is not in it\n", args[0])
			return err
		},
	}
}

// progress shows a percentage on a terminal, and nothing elsewhere.
func (a *app) progress(what string) func(float64) {
	if f, ok := a.err.(*os.File); !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return func(p float64) { _, _ = fmt.Fprintf(a.err, "\r%s %3.0f %%\x1b[K", what, 100*p) }
}

func stateRestore(a *app) *cobra.Command {
	var anchors []string
	c := &cobra.Command{
		Use: "restore FILE", Short: "put a backup in place, after its journal was verified", Args: cobra.ExactArgs(1),
		Example: "  bartizan state restore --anchor usb.anchors board.db",
		RunE: func(_ *cobra.Command, args []string) error {
			conf, err := a.config()
			if err != nil {
				return err
			}
			dir, err := stateDir(a.state, conf.Board.State, nil)
			if err != nil {
				return err
			}
			var heads []triage.Head
			for _, f := range anchors {
				h, err := store.ReadAnchors(f)
				if err != nil {
					return err
				}
				heads = append(heads, h...)
			}
			kept, proof, err := store.Restore(dir, args[0], time.Now(), heads...)
			if err != nil {
				return err
			}
			if kept != "" {
				kept = "; the board that was there is now " + kept
			}
			_, err = fmt.Fprintf(a.out, "restored %s into %s: %s%s\n", args[0], dir, proof.Words(), kept)
			return err
		},
	}
	c.Flags().StringArrayVar(&anchors, "anchor", nil, "also verify against this `FILE` of anchors; repeatable")
	return c
}
