package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"bartizan/config"
	"bartizan/event"

	"github.com/spf13/cobra"
)

// app carries the process's streams and the flags that mean the same everywhere.
type app struct {
	in  *os.File
	out io.Writer
	err io.Writer

	configFile string
	state      string
	rules      []string
	agents     []string
	ssh        []string
	certs      string
	format     string
	output     string
	theme      string
	readOnly   bool
	plain      bool
	foreground bool
	log        string
	from, to   string
	mask       *event.Masker // for what a person sees, made when it is first needed
}

// stateFlags adds the flags of verbs that use a board.
func (a *app) stateFlags(c *cobra.Command) {
	f := c.Flags()
	f.StringVarP(&a.configFile, "config", "c", "", "config `FILE` (default: the person's, then /etc/bartizan/config.toml)")
	f.StringVar(&a.state, "state", "", "`DIR` the board lies in (else BARTIZAN_STATE, else the config)")
	f.StringVar(&a.log, "log", "", "log `FILE` (default: bartizan.log in the state directory)")
}

// sourceFlags adds the flags of verbs that read records and run rules.
func (a *app) sourceFlags(c *cobra.Command) {
	f := c.Flags()
	f.StringArrayVar(&a.rules, "rules", nil, "rules to run: a `DIR`, FILE, builtin or none; repeatable (default: builtin)")
	a.farFlags(c)
	a.formatFlag(c)
}

// farFlags adds the flags that name other hosts.
func (a *app) farFlags(c *cobra.Command) {
	a.agentFlags(c, "also read the agent at `HOST:PORT`; repeatable")
	a.sshFlag(c)
}

func (a *app) sshFlag(c *cobra.Command) {
	c.Flags().StringArrayVar(&a.ssh, "ssh", nil, "also read `[USER@]HOST[:PATH…]` through ssh; repeatable, web-[01:40] is forty")
}

func (a *app) agentFlags(c *cobra.Command, what string) {
	f := c.Flags()
	f.StringArrayVar(&a.agents, "agent", nil, what)
	f.StringVar(&a.certs, "certs", "", "`DIR` with this console's certificate, made by bartizan certs")
}

func (a *app) formatFlag(c *cobra.Command) {
	c.Flags().StringVar(&a.format, "format", "", "read every record as `NAME` (default: found automatically)")
}

// consoleFlags adds the flags of verbs that draw.
func (a *app) consoleFlags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&a.theme, "theme", "", "`NAME`: dark, light, high-contrast, colour-blind, 16, mono")
	f.BoolVar(&a.readOnly, "read-only", false, "look, but make no moves")
	f.BoolVar(&a.plain, "plain", false, "ASCII only, no boxes")
	f.BoolVar(&a.foreground, "foreground", false, "engine and console in one process: both end together")
}

func (a *app) outputFlag(c *cobra.Command) {
	c.Flags().StringVarP(&a.output, "output", "o", "text", "`text|json`")
}

func (a *app) timeFlags(c *cobra.Command) {
	c.Flags().StringVar(&a.from, "from", "", "only records from this `TIME` on (-15m, 03:12, RFC 3339)")
	c.Flags().StringVar(&a.to, "to", "", "only records before this `TIME`")
}

// json reports whether -o json was asked for; any other word is wrong usage.
func (a *app) json() (bool, error) {
	switch a.output {
	case "json":
		return true, nil
	case "text", "":
		return false, nil
	}
	return false, usage("-o %s: output is text or json", a.output)
}

// config reads the config file: the one named, else the person's, else defaults.
func (a *app) config() (*config.Config, error) {
	name := a.configFile
	if name == "" {
		name = config.Find()
	}
	c := config.Default()
	if name != "" {
		var err error
		if c, err = config.Load(name); err != nil {
			return nil, exitError{exitUsage, err}
		}
	}
	if len(a.rules) > 0 {
		c.Rules = a.rules
	}
	for _, addr := range a.agents {
		if a.certs == "" {
			return nil, usage("--agent %s needs --certs DIR; make one with bartizan certs init", addr)
		}
		c.Agent = append(c.Agent, config.Agent{Address: addr, Certs: a.certs})
	}
	return c, nil
}

// window reads --from and --to.
func (a *app) window(now time.Time) (from, to time.Time, err error) {
	if from, err = config.ParseTime(a.from, now); err == nil {
		to, err = config.ParseTime(a.to, now)
	}
	if err != nil {
		return from, to, exitError{exitUsage, err}
	}
	return from, to, nil
}

// printJSON writes one value as a line of JSON in which no byte can steer a
// terminal.
func (a *app) printJSON(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.out, "%s\n", event.SafeJSON(b))
	return err
}
