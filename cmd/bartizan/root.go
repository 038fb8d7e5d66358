package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"bartizan/attach"
)

func newRoot(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "bartizan [PATH…]",
		Short: "a live security console for the terminal",
		Long: `Bartizan reads logs live, from files, pipes, journald and remote agents, runs
detection rules over every line, and lets you decide about what they find with
the keyboard. Without a PATH it uses the config, else whatever logs this host has
and you may read. The engine goes on when your connection drops: run bartizan
again and everything is as it was.`,
		Example: `  bartizan                              # this host's logs
  bartizan /var/log/auth.log /srv/trail/
  kubectl logs -f deploy/gateway | bartizan
  bartizan --agent web-1:7070 --certs ./certs
  bartizan demo                         # an attack, played live`,
		Args:          cobra.ArbitraryArgs,
		SilenceErrors: true, SilenceUsage: true,
		RunE: func(c *cobra.Command, paths []string) error { return a.console(c.Context(), paths, "") },
	}
	c.SetOut(a.out)
	c.SetErr(a.err)
	c.SetFlagErrorFunc(flagError)
	a.stateFlags(c)
	a.sourceFlags(c)
	a.consoleFlags(c)
	c.AddCommand(newDemo(a), newOpen(a), newScan(a), newWatch(a), newParse(a), newGrep(a), newRules(a), newAlerts(a), newHosts(a),
		newAudit(a), newState(a), newAgent(a), newCerts(a), newConfig(a), newDoctor(a), newVersion(a), newEngine(a), newDocs(a))
	for _, sub := range c.Commands() {
		wrongUsage(sub)
	}
	return c
}

// wrongUsage makes a wrong number of arguments exit with 2, like a wrong flag.
func wrongUsage(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				return flagError(c, err)
			}
			return nil
		}
	}
	if c.HasSubCommands() && c.RunE == nil {
		c.RunE = func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage("%s has no command %q; see %s --help", c.CommandPath(), args[0], c.CommandPath())
			}
			return c.Help()
		}
	}
	for _, sub := range c.Commands() {
		wrongUsage(sub)
	}
}

func newOpen(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "open ID", Short: "the console at that alert; what a notification carries", Args: cobra.ExactArgs(1),
		Example: "  bartizan open 9f3c2a",
		RunE:    func(c *cobra.Command, args []string) error { return a.console(c.Context(), nil, args[0]) },
	}
	a.stateFlags(c)
	a.sourceFlags(c)
	a.consoleFlags(c)
	return c
}

// console attaches this terminal to the board's engine, starting one if there is
// none.
func (a *app) console(ctx context.Context, paths []string, open string) error {
	spec, err := a.spec(paths)
	if err != nil {
		return err
	}
	tty, err := attach.OpenTTY()
	if err != nil {
		return usage("%v", err)
	}
	if a.foreground {
		return a.inForeground(ctx, spec, func(ctx context.Context) error { return sit(ctx, spec.socket, tty, a.hello(open)) })
	}
	if err := a.ensureEngine(ctx, spec); err != nil {
		return err
	}
	return sit(ctx, spec.socket, tty, a.hello(open))
}

func (a *app) hello(open string) attach.Hello {
	h := attach.Hello{Open: open}
	if a.theme != "" {
		h.Options = append(h.Options, "theme="+a.theme)
	}
	if a.plain {
		h.Options = append(h.Options, "plain")
	}
	if a.readOnly {
		h.Options = append(h.Options, "read-only")
	}
	return h
}

// sit shows the console on the terminal until it ends; a suspended one comes back
// when the shell brings this process to the foreground again.
func sit(ctx context.Context, socket string, tty *attach.TTY, h attach.Hello) error {
	for {
		exit, err := attach.Console(ctx, socket, tty, h)
		if err != nil {
			return err
		}
		h.Open = ""
		switch exit.Reason {
		case "suspended":
			if err := syscall.Kill(syscall.Getpid(), syscall.SIGSTOP); err != nil {
				return err
			}
			continue
		case "detached":
			_, _ = fmt.Fprintln(os.Stderr, "detached: the engine goes on; run the same command to come back")
		}
		if exit.Text != "" {
			return exitError{exit.Code, errors.New(exit.Text)}
		}
		return nil
	}
}

// stdinHasData says that a log comes in on standard input.
func stdinHasData() bool {
	st, err := os.Stdin.Stat()
	if err != nil || term.IsTerminal(int(os.Stdin.Fd())) {
		return false
	}
	m := st.Mode()
	return m&os.ModeNamedPipe != 0 || m&os.ModeSocket != 0 || m.IsRegular()
}
