package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"bartizan/attach"
	"bartizan/config"
)

// spec is what one engine is to read and where its board lies.
type spec struct {
	config *config.Config
	name   string // what is watched, in words; "" is said by the paths
	paths  []string
	stdin  bool
	state  string
	socket string
}

// spec understands the command line: which board, which sources.
func (a *app) spec(paths []string) (*spec, error) {
	c, err := a.config()
	if err != nil {
		return nil, err
	}
	if a.readOnly {
		c.Board.ReadOnly = true
	}
	s := &spec{config: c}
	for _, p := range paths {
		if p == "-" {
			s.stdin = true
			continue
		}
		if _, err := os.Stat(p); err != nil && !strings.ContainsAny(p, "*?[{") {
			return nil, usage("cannot read %s: %v", p, err)
		}
		s.paths = append(s.paths, p)
	}
	s.stdin = s.stdin || len(paths) == 0 && stdinHasData()
	name := slices.Clone(s.paths)
	if s.stdin { // a stream has no name to find its board by: a board of its own
		name = append(name, fmt.Sprintf("stdin-%d-%d", os.Getpid(), time.Now().UnixNano()))
	}
	if s.state, err = stateDir(a.state, c.Board.State, name); err != nil {
		return nil, err
	}
	if err := makeState(s.state); err != nil {
		return nil, err
	}
	s.socket, err = socketPath(s.state)
	return s, err
}

// ensureEngine starts an engine in the background unless one answers. The new one
// says "ready" or why not on its third descriptor.
func (a *app) ensureEngine(ctx context.Context, s *spec) error {
	if err := attach.Ping(s.socket); err == nil {
		return nil
	} else if !noEngine(err) {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("cannot find this program's own file: %w", err)
	}
	told, tell, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = told.Close() }()
	logFile, err := os.OpenFile(s.state+"/engine.err", os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("cannot write the engine's errors: %w", err)
	}
	defer func() { _ = logFile.Close() }()
	c := exec.Command(self, a.engineArgs(s)...)
	c.Stdout, c.Stderr, c.ExtraFiles = logFile, logFile, []*os.File{tell}
	if s.stdin {
		c.Stdin = os.Stdin
	}
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := c.Start(); err != nil {
		return fmt.Errorf("cannot start the engine: %w", err)
	}
	_ = tell.Close()
	stop := context.AfterFunc(ctx, func() { _ = told.Close() })
	defer stop()
	answer, _ := io.ReadAll(bufio.NewReader(told))
	if text := strings.TrimSpace(string(answer)); text != "ready" {
		if strings.Contains(text, "another engine") && begins(ctx, s.socket) {
			return nil // started at the same time by somebody else
		}
		if text == "" {
			text = "it ended without a word; " + s.state + "/engine.err may say more"
		}
		return fmt.Errorf("the engine did not start: %s", text)
	}
	return c.Process.Release()
}

// engineArgs gives the background engine the same flags.
func (a *app) engineArgs(s *spec) []string {
	args := []string{"engine", "--state", s.state}
	add := func(flag string, values ...string) {
		for _, v := range values {
			if v != "" {
				args = append(args, flag, v)
			}
		}
	}
	add("--config", a.configFile)
	add("--log", a.log)
	add("--rules", a.rules...)
	add("--agent", a.agents...)
	add("--certs", a.certs)
	add("--ssh", a.ssh...)
	add("--format", a.format)
	if s.stdin {
		args = append(args, "--stdin")
	}
	if a.readOnly {
		args = append(args, "--read-only")
	}
	return append(append(args, "--"), s.paths...)
}

func newEngine(a *app) *cobra.Command {
	stdin := false
	c := &cobra.Command{
		Use: "engine", Short: "the engine in the background; bartizan starts it", Hidden: true,
		RunE: func(c *cobra.Command, paths []string) error {
			if stdin {
				paths = append(paths, "-")
			}
			ready := os.NewFile(3, "ready")
			err := a.runEngine(c.Context(), paths, func() {
				_, _ = io.WriteString(ready, "ready\n")
				_ = ready.Close()
			})
			if err != nil {
				_, _ = io.WriteString(ready, printable(err.Error()))
			}
			return err
		},
	}
	c.Flags().BoolVar(&stdin, "stdin", false, "")
	c.Flags().BoolVar(&a.readOnly, "read-only", false, "")
	a.stateFlags(c)
	a.sourceFlags(c)
	return c
}

// runEngine is the background engine: it leaves some time after the last console.
func (a *app) runEngine(ctx context.Context, paths []string, ready func()) error {
	s, err := a.spec(paths)
	if err != nil {
		return err
	}
	linger := time.Duration(s.config.Board.Linger)
	return a.serve(ctx, s, serveOptions{linger: linger, ready: ready})
}

// inForeground runs the engine in this process for as long as work takes.
func (a *app) inForeground(ctx context.Context, s *spec, work func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ready := make(chan struct{})
	served := make(chan error, 1)
	go func() { served <- a.serve(ctx, s, serveOptions{ready: func() { close(ready) }}) }()
	select {
	case err := <-served:
		return err
	case <-ready:
	}
	err := work(ctx)
	cancel()
	return errors.Join(err, <-served)
}
