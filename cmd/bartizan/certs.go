package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"bartizan/agent/certs"
)

func newCerts(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "certs", Short: "a small certificate authority for agents and consoles",
		Example: `  bartizan certs init ./certs                      # the CA and this console's certificate
  bartizan certs issue ./certs web-1 10.0.0.7      # one for the agent web-1, in ./certs/web-1
  bartizan certs revoke ./certs web-1 --note "host was taken over"`,
	}
	c.AddCommand(certsInit(a), certsIssue(a), certsList(a), certsRevoke(a), certsInspect(a))
	return c
}

func certsInit(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "init DIR", Short: "make the CA and this console's certificate", Args: cobra.ExactArgs(1), Example: "  bartizan certs init ./certs",
		RunE: func(_ *cobra.Command, args []string) error {
			if err := certs.Init(args[0], time.Now()); err != nil {
				return err
			}
			_, err := fmt.Fprintf(a.out, "made %s: next, bartizan certs issue %s NAME HOST for each agent; keep ca.key off the hosts\n", filepath.Join(args[0], "ca.crt"), args[0])
			return err
		},
	}
}

func certsIssue(a *app) *cobra.Command {
	var console bool
	c := &cobra.Command{
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
	c.Flags().BoolVar(&console, "console", false, "for another console, not an agent")
	return c
}

func certsList(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "list DIR", Short: "what the CA issued: to whom, until when, what is revoked", Args: cobra.ExactArgs(1),
		Example: "  bartizan certs list ./certs",
		RunE: func(_ *cobra.Command, args []string) error {
			all, err := certs.List(args[0])
			if err != nil {
				return err
			}
			return a.printIssued(all, time.Now())
		},
	}
	a.outputFlag(c)
	return c
}

// printIssued writes a table, or one object per line.
func (a *app) printIssued(all []certs.Issued, now time.Time) error {
	asJSON, err := a.json()
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	for _, i := range all {
		if asJSON {
			if err := a.printJSON(i); err != nil {
				return err
			}
			continue
		}
		state := "good"
		switch {
		case i.Revoked:
			state = "revoked"
		case i.Expired(now):
			state = "expired"
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\tuntil %s\t%s\t%s\n", i.Role, i.Name, i.NotAfter.UTC().Format(time.DateOnly), state, i.Serial)
	}
	return w.Flush()
}

func certsRevoke(a *app) *cobra.Command {
	var note string
	c := &cobra.Command{
		Use: "revoke DIR NAME|SERIAL|FILE", Short: "let a certificate in no more, from the next handshake on", Args: cobra.ExactArgs(2),
		Long: `Revoke writes serial numbers into revoked.txt of the CA's folder and of every
folder issued below it. A NAME means all certificates of that name that have not
ended, also those that were replaced. Consoles that read the CA's folder refuse a
revoked agent at its next handshake; agents refuse a revoked console once the
list was copied to them. Both read the list again by themselves.`,
		Example: `  bartizan certs revoke ./certs web-1 --note "host was taken over"
  bartizan certs revoke ./certs 5d1c0ffee0ddba11c0dedeadbeef0001`,
		RunE: func(_ *cobra.Command, args []string) error {
			found, lists, err := certs.Revoke(args[0], args[1], note, time.Now())
			if err != nil {
				return err
			}
			for _, i := range found {
				who := strings.TrimSpace(string(i.Role) + " " + i.Name)
				if who == "" {
					who = "a certificate this CA has no note of"
				}
				if _, err := fmt.Fprintf(a.out, "revoked %s, serial %s\n", who, i.Serial); err != nil {
					return err
				}
			}
			_, err = fmt.Fprintf(a.out, "wrote %s: copy each list to the host its folder is for\n", strings.Join(lists, ", "))
			return err
		},
	}
	c.Flags().StringVar(&note, "note", "", "why, kept beside the serial number as `TEXT`")
	return c
}

func certsInspect(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "inspect FILE…", Short: "say what certificates are, until when, and for whom", Args: cobra.MinimumNArgs(1),
		Example: "  bartizan certs inspect ./certs/web-1/agent.crt",
		RunE: func(_ *cobra.Command, files []string) error {
			asJSON, err := a.json()
			if err != nil {
				return err
			}
			for _, f := range files {
				infos, err := certs.Inspect(f)
				if err != nil {
					return err
				}
				if asJSON {
					err = a.printJSON(infos)
				} else {
					err = a.printCerts(infos)
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
	a.outputFlag(c)
	return c
}

// printCerts says in a few lines each what certificates are.
func (a *app) printCerts(infos []certs.Info) error {
	for _, i := range infos {
		who := i.Identity
		if who == "" {
			who = string(i.Role)
		}
		if who == "" {
			who = "none of ours"
		}
		text := fmt.Sprintf("%s\n  is      %s\n  serial  %s\n  valid   %s to %s\n", printable(i.Path), printable(who), i.Serial,
			i.NotBefore.UTC().Format(time.DateTime), i.NotAfter.UTC().Format(time.DateTime))
		if len(i.Hosts) > 0 {
			text += "  hosts   " + printable(strings.Join(i.Hosts, ", ")) + "\n"
		}
		if _, err := fmt.Fprint(a.out, text); err != nil {
			return err
		}
	}
	return nil
}
