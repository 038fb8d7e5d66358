package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/user"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"bartizan/agent"
	"bartizan/agent/agentpb"
	"bartizan/config"
)

// agentOptions are how an agent is reached.
type agentOptions struct {
	file  string
	given bool // the file was named
	check bool
	stdio bool
	dial  []string
	paths []string // with stdio
}

func newAgent(a *app) *cobra.Command {
	o := agentOptions{file: "/etc/bartizan/agent.toml"}
	c := &cobra.Command{
		Use: "agent [PATH…]", Short: "the remote side: serve this host's logs to consoles over mutual TLS",
		Long: `Agent serves the files its config names, read-only, to consoles whose certificate
the same CA made. It executes nothing and opens nothing else, unless the config
asks for the host's health: then it reads load, disks, sockets and logins from
fixed files and asks systemctl for failed units; or names a program, a pipe or the
journal as a stream: what has no file is kept in a spool until consoles have it.

With --dial it also calls consoles that listen, for hosts they cannot reach. With
--stdio it serves one console over standard input and output, to whoever has
logged in as this user, and ends with it: that is what --ssh runs over there.`,
		Example: `  bartizan agent -c /etc/bartizan/agent.toml
  bartizan agent -c agent.toml --dial console.example.org:7071
  bartizan agent --stdio /var/log/auth.log`,
		RunE: func(c *cobra.Command, paths []string) error {
			o.given, o.paths = c.Flags().Changed("config"), paths
			if o.stdio {
				return a.serveLogin(c.Context(), o)
			}
			if len(paths) > 0 {
				return usage("an agent that listens serves what its config names; PATH goes with --stdio")
			}
			return a.serveAgent(c.Context(), o)
		},
	}
	f := c.Flags()
	f.StringVarP(&o.file, "config", "c", o.file, "agent config `FILE`")
	f.BoolVar(&o.check, "check", false, "check config and certificates, then leave")
	f.BoolVar(&o.stdio, "stdio", false, "serve one console over standard input and output")
	f.StringArrayVar(&o.dial, "dial", nil, "also call the console that listens at `HOST:PORT`; repeatable")
	return c
}

// agentConfig is what the file says, for the agent.
func (a *app) agentConfig(c *config.AgentFile) (agent.Config, error) {
	conf := agent.Config{
		Name: c.Name, Version: version, Listen: c.Listen, Roots: c.Roots, Certs: c.Certs,
		AllowConsoles: c.Consoles, Health: time.Duration(c.Health), Now: time.Now, Log: slog.New(slog.NewTextHandler(a.err, nil)),
		Parse: c.Formats().ParseOptions(),
	}
	conf.Spool = agent.SpoolConfig{Dir: c.Spool.Dir, MaxBytes: int64(c.Spool.MaxBytes), MaxAge: time.Duration(c.Spool.MaxAge)}
	for _, s := range c.Streams {
		conf.Streams = append(conf.Streams, agent.StreamConfig{ID: s.ID, Path: s.Path, Format: s.Format, FIFO: s.FIFO, Command: s.Command, Journald: s.Journald})
	}
	var err error
	conf.Edge, err = edgeRules(c.Rules, c.Formats())
	return conf, err
}

// serveLogin serves whoever has logged in, over standard input and output.
func (a *app) serveLogin(ctx context.Context, o agentOptions) error {
	if len(o.dial) > 0 {
		return usage("--stdio serves one console, and --dial another kind: use one of them")
	}
	if st, err := os.Stdout.Stat(); !o.check && (err != nil || st.Mode()&os.ModeCharDevice != 0) {
		return usage("--stdio speaks to a console, not to a person: bartizan --ssh HOST runs it")
	}
	c, err := config.LoginAgent(o.file, o.given, o.paths)
	if err != nil {
		return exitError{exitUsage, err}
	}
	conf, err := a.agentConfig(c)
	if err != nil {
		return err
	}
	conf.Login, conf.Certs = "ssh", ""
	if u, err := user.Current(); err == nil {
		conf.Login = u.Username
	}
	s, err := agent.New(conf)
	if err != nil {
		return err
	}
	if o.check {
		_, err := fmt.Fprintf(a.out, "%d streams for %s\n", len(conf.Streams), printable(conf.Login))
		return err
	}
	return s.ServeConn(ctx, agentpb.StdPipe())
}

func (a *app) serveAgent(ctx context.Context, o agentOptions) error {
	c, err := config.LoadAgent(o.file)
	if err != nil {
		return exitError{exitUsage, err}
	}
	conf, err := a.agentConfig(c)
	if err != nil {
		return fmt.Errorf("%s: %w", o.file, err)
	}
	s, err := agent.New(conf)
	if err != nil {
		return fmt.Errorf("%s: %w", o.file, err)
	}
	dial := append(c.Dial, o.dial...)
	where := conf.Listen
	if len(dial) > 0 {
		where = strings.TrimPrefix(where+", calling "+strings.Join(dial, " and "), ", ")
	}
	if o.check {
		_, err := fmt.Fprintf(a.out, "%s is fine: %d streams on %s\n", o.file, len(conf.Streams), where)
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var following sync.WaitGroup
	following.Go(func() { followEdge(ctx, s, o.file, conf.Log) })
	defer following.Wait()
	defer cancel()
	return a.reach(ctx, s, o.file, conf.Listen, dial)
}

// reach listens and calls consoles until ctx ends or one of them fails for good.
func (a *app) reach(ctx context.Context, s *agent.Server, file, listen string, dial []string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	serve := []func() error{}
	if listen != "" {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
		if err != nil {
			return fmt.Errorf("%s: the agent cannot listen: %w", file, err)
		}
		if _, err := fmt.Fprintln(a.out, listening+l.Addr().String()); err != nil {
			return errors.Join(err, l.Close())
		}
		serve = append(serve, func() error { return s.Serve(ctx, l) })
	}
	for _, address := range dial {
		serve = append(serve, func() error { return s.Dial(ctx, address, rand.Float64) })
	}
	ended := make(chan error, len(serve))
	for _, run := range serve {
		go func() { ended <- run() }()
	}
	var all error
	for range serve {
		all = errors.Join(all, <-ended)
		cancel()
	}
	return all
}

// listening begins the line that says where an agent can be reached.
const listening = "listening on "
