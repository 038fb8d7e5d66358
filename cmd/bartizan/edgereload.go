package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"bartizan/agent"
	"bartizan/config"
	"bartizan/engine"
)

// followEdge reads the rules an agent runs itself again when their files or the
// agent's config change, and on SIGHUP, until ctx ends. Rules that cannot be read
// leave those there were.
func followEdge(ctx context.Context, s *agent.Server, file string, log *slog.Logger) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	changed := make(chan struct{}, 1)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		engine.WatchRules(ctx, log, func() []string { return edgePlaces(file) }, func() {
			select {
			case changed <- struct{}{}:
			default:
			}
		})
	}()
	defer func() { <-watched }()
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
			reloadEdge(s, file, "SIGHUP", log)
		case <-changed:
			reloadEdge(s, file, "a file changed", log)
		}
	}
}

// edgePlaces are the files and folders the agent's rules come from.
func edgePlaces(file string) []string {
	places := []string{file}
	if c, err := config.LoadAgent(file); err == nil {
		places = append(places, c.Rules...)
	}
	return slices.DeleteFunc(places, func(p string) bool { return p == "builtin" || p == "none" })
}

func reloadEdge(s *agent.Server, file, why string, log *slog.Logger) {
	c, err := config.LoadAgent(file)
	var edge *agent.Edge
	if err == nil {
		edge, err = edgeRules(c.Rules, c.Formats())
	}
	switch {
	case err != nil:
		log.Error("the rules were not read again, the agent runs those it has", "why", why, "file", file, "err", err)
	case edge == nil:
		s.SetEdge(nil)
		log.Info("the agent runs no rules", "why", why)
	default:
		s.SetEdge(edge)
		log.Info("the rules were read again", "why", why, "rules", len(edge.Rules.Rules()))
	}
}
