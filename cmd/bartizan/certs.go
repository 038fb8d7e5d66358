package main

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"bartizan/agent/certs"
)

func newCerts(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "certs", Short: "a small certificate authority for agents and consoles",
		Example: `  bartizan certs init ./certs                      # the CA and this console's certificate
  bartizan certs issue ./certs web-1 10.0.0.7      # one for the agent web-1, in ./certs/web-1`,
	}
	var console bool
	issue := &cobra.Command{
		Use: "issue DIR NAME [HOST…]", Short: "make a certificate for an agent reached as HOST", Args: cobra.MinimumNArgs(2),
		Example: "  bartizan certs issue ./certs web-1 web-1.example.org 10.0.0.7",
		RunE: func(_ *cobra.Command, args []string) error {
			make := func() (string, error) { return certs.Issue(args[0], args[1], args[2:], time.Now()) }
			if console {
				make = func() (string, error) { return certs.IssueConsole(args[0], args[1], time.Now()) }
			}
			dir, err := make()
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.out, "made %s: copy that folder to the host, and name it in agent.toml: certs = %q\n", dir, dir)
			return err
		},
	}
	issue.Flags().BoolVar(&console, "console", false, "for another console, not an agent")
	c.AddCommand(&cobra.Command{
		Use: "init DIR", Short: "make the CA and this console's certificate", Args: cobra.ExactArgs(1), Example: "  bartizan certs init ./certs",
		RunE: func(_ *cobra.Command, args []string) error {
			if err := certs.Init(args[0], time.Now()); err != nil {
				return err
			}
			_, err := fmt.Fprintf(a.out, "made %s: next, bartizan certs issue %s NAME HOST for each agent; keep ca.key off the hosts\n", filepath.Join(args[0], "ca.crt"), args[0])
			return err
		},
	}, issue, certsInspect(a))
	return c
}

func certsInspect(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "inspect FILE…", Short: "say what certificates are, until when, and for whom", Args: cobra.MinimumNArgs(1),
		Example: "  bartizan certs inspect ./certs/web-1/agent.crt",
		RunE: func(_ *cobra.Command, files []string) error {
			for _, f := range files {
				info, err := certs.Inspect(f)
				if err != nil {
					return err
				}
				if err := a.printJSON(info); err != nil {
					return err
				}
			}
			return nil
		},
	}
}
