package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func newDocs(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "docs DIR", Short: "write man pages and the command reference", Args: cobra.ExactArgs(1), Hidden: true,
		RunE: func(c *cobra.Command, args []string) error { return writeDocs(c.Root(), args[0]) },
	}
}

// writeDocs writes man/ and commands.md in dir from the same tables the program
// uses.
func writeDocs(root *cobra.Command, dir string) error {
	man := filepath.Join(dir, "man")
	if err := os.MkdirAll(man, 0o755); err != nil {
		return err
	}
	root.DisableAutoGenTag = true
	root.InitDefaultHelpCmd() // as they are when the program runs
	root.InitDefaultCompletionCmd()
	date := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) // the same pages from the same program
	head := &doc.GenManHeader{Title: "BARTIZAN", Section: "1", Source: "Bartizan", Manual: "Bartizan", Date: &date}
	if err := doc.GenManTree(root, head, man); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(dir, "commands.md"))
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(f, "# Commands\n\nMade by `make docs` from the program itself.\n")
	if err == nil {
		err = writeCommands(f, root)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

func writeCommands(f *os.File, c *cobra.Command) error {
	if c.Hidden || c.Name() == "help" || c.Name() == "completion" {
		return nil
	}
	_, err := fmt.Fprintf(f, "\n## %s\n\n%s\n", c.CommandPath(), c.Short)
	if err == nil && c.Runnable() {
		_, err = fmt.Fprintf(f, "\n```\n%s\n```\n", c.UseLine())
	}
	if err == nil && c.Example != "" {
		_, err = fmt.Fprintf(f, "\nExamples:\n\n```\n%s\n```\n", c.Example)
	}
	if usage := c.LocalFlags().FlagUsages(); err == nil && usage != "" {
		_, err = fmt.Fprintf(f, "\nFlags:\n\n```\n%s```\n", usage)
	}
	for _, sub := range c.Commands() {
		if err == nil {
			err = writeCommands(f, sub)
		}
	}
	return err
}
