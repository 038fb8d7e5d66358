package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/spf13/cobra"

	"bartizan/agent"
	"bartizan/config"
)

func newAgent(a *app) *cobra.Command {
	file, check := "/etc/bartizan/agent.toml", false
	c := &cobra.Command{
		Use: "agent", Short: "the remote side: serve this host's logs to consoles over mutual TLS", Args: cobra.NoArgs,
		Long: `Agent serves the files its config names, read-only, to consoles whose certificate
the same CA made. It executes nothing and opens nothing else.`,
		Example: `  bartizan agent -c /etc/bartizan/agent.toml
  bartizan agent -c agent.toml --check`,
		RunE: func(c *cobra.Command, _ []string) error { return a.serveAgent(c.Context(), file, check) },
	}
	c.Flags().StringVarP(&file, "config", "c", file, "agent config `FILE`")
	c.Flags().BoolVar(&check, "check", false, "check config and certificates, then leave")
	return c
}

func (a *app) serveAgent(ctx context.Context, file string, check bool) error {
	c, err := config.LoadAgent(file)
	if err != nil {
		return exitError{exitUsage, err}
	}
	log := slog.New(slog.NewTextHandler(a.err, nil))
	conf := agent.Config{
		Name: c.Name, Version: version, Listen: c.Listen, Roots: c.Roots, Certs: c.Certs,
		AllowConsoles: c.Consoles, Now: time.Now, Log: log,
	}
	for _, s := range c.Streams {
		conf.Streams = append(conf.Streams, agent.StreamConfig{ID: s.ID, Path: s.Path, Format: s.Format})
	}
	s, err := agent.New(conf)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if check {
		_, err := fmt.Fprintf(a.out, "%s is fine: %d streams on %s\n", file, len(conf.Streams), conf.Listen)
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", conf.Listen)
	if err != nil {
		return fmt.Errorf("%s: the agent cannot listen: %w", file, err)
	}
	if _, err := fmt.Fprintln(a.out, listening+l.Addr().String()); err != nil {
		return err
	}
	return s.Serve(ctx, l)
}

// listening begins the line that says where an agent can be reached.
const listening = "listening on "
