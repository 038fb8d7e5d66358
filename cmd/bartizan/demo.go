package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"bartizan/agent/certs"
	"bartizan/attach"
	"bartizan/cmd/story"
	"bartizan/config"
	"bartizan/engine"
)

func newDemo(a *app) *cobra.Command {
	speed, seed := 1.0, int64(1)
	c := &cobra.Command{
		Use: "demo", Short: "the console on an attack, played live", Args: cobra.NoArgs,
		Long: `Demo plays a story into growing files in a temporary folder: a guessed SSH
password, a root shell, a forged request to the metadata address, the stolen role
used from elsewhere, logging stopped, a bucket copied, and quiet traffic all
around. Some files are read here, some by a real agent over mutual TLS on the
loopback address. Nothing is left behind. Without a terminal the alerts are
printed as NDJSON and the demo ends with the story.`,
		Example: "  bartizan demo\n  bartizan demo --speed 5 | jq -r .title",
		RunE:    func(c *cobra.Command, _ []string) error { return a.demo(c.Context(), speed, seed) },
	}
	c.Flags().Float64Var(&speed, "speed", speed, "how many times faster than life")
	c.Flags().Int64Var(&seed, "seed", seed, "another telling of the story")
	c.Flags().StringVar(&a.theme, "theme", "", "`NAME` of a theme")
	c.Flags().BoolVar(&a.plain, "plain", false, "ASCII only, no boxes")
	return c
}

// stage is the demo's temporary folder with the agent that reads part of it.
type stage struct {
	dir   string
	story *story.Story
	spec  *spec
	agent *exec.Cmd
}

func (a *app) demo(ctx context.Context, speed float64, seed int64) error {
	if speed <= 0 {
		return usage("--speed %g: give a number above 0", speed)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	st, err := a.setStage(ctx, seed)
	if st != nil {
		defer st.strike()
	}
	if err != nil {
		return err
	}
	play := func(ctx context.Context) error {
		return st.story.Play(ctx, st.dir, time.Now(), speed, waitUntil)
	}
	tty, err := attach.OpenTTY()
	if err != nil {
		_, _ = fmt.Fprintln(a.err, "bartizan: there is no terminal to draw on: playing without a screen, alerts as NDJSON; the demo ends with the story")
		return a.demoHeadless(ctx, st, play)
	}
	return a.inForeground(ctx, st.spec, func(ctx context.Context) error {
		played := make(chan error, 1)
		ctx, stop := context.WithCancel(ctx)
		go func() { played <- play(ctx) }()
		err := sit(ctx, st.spec.socket, tty, a.hello(""))
		stop()
		if perr := <-played; err == nil && !errors.Is(perr, context.Canceled) {
			err = perr
		}
		return err
	})
}

// demoHeadless runs the same engine over the same files and agent, without a
// screen, until it has seen every line of the story.
func (a *app) demoHeadless(ctx context.Context, st *stage, play func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	t, err := a.newTeller(st.spec.config)
	if err != nil {
		return err
	}
	var played error
	err = a.serve(ctx, st.spec, serveOptions{alert: t.tell, begun: func(ctx context.Context, e *engine.Engine) {
		defer cancel()
		if played = play(ctx); played == nil {
			played = st.seen(ctx, e)
		}
	}})
	if err = errors.Join(err, played); errors.Is(err, context.Canceled) { // told to stop: that is no failure
		return nil
	}
	return err
}

// waitUntil is the story's clock.
func waitUntil(ctx context.Context, t time.Time) error {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// setStage makes the folder, certificates, the agent and what the engine reads.
func (a *app) setStage(ctx context.Context, seed int64) (*stage, error) {
	dir, err := os.MkdirTemp("", "bartizan-demo-")
	if err != nil {
		return nil, fmt.Errorf("cannot make a temporary folder: %w", err)
	}
	st := &stage{dir: dir, story: story.New(seed)}
	for _, sub := range []string{"local", "remote", "state"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			return st, err
		}
	}
	local, remote := st.story.Files()
	address, err := st.startAgent(ctx, remote)
	if err != nil {
		return st, err
	}
	c := config.Default()
	c.Board.State = filepath.Join(dir, "state")
	for _, f := range local {
		c.Source = append(c.Source, config.Source{Path: filepath.Join(dir, f)})
	}
	c.Agent = []config.Agent{{Address: address, Certs: filepath.Join(dir, "certs")}}
	st.spec = &spec{config: c, state: c.Board.State, name: "demo: an attack on a small shop"}
	st.spec.socket, err = socketPath(st.spec.state)
	return st, err
}

// startAgent runs a real agent process for the remote files and returns where it
// listens.
func (st *stage) startAgent(ctx context.Context, remote []string) (string, error) {
	dir := filepath.Join(st.dir, "certs")
	if err := certs.Init(dir, time.Now()); err != nil {
		return "", err
	}
	own, err := certs.Issue(dir, "web-2", []string{"127.0.0.1"}, time.Now())
	if err != nil {
		return "", err
	}
	var conf strings.Builder
	fmt.Fprintf(&conf, "listen = \"127.0.0.1:0\"\ncerts = %q\n", own)
	for _, f := range remote {
		fmt.Fprintf(&conf, "[[stream]]\nid = %q\npath = %q\n", strings.TrimSuffix(filepath.Base(f), ".log"), filepath.Join(st.dir, f))
	}
	file := filepath.Join(st.dir, "agent.toml")
	if err := os.WriteFile(file, []byte(conf.String()), 0o600); err != nil {
		return "", err
	}
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	st.agent = exec.CommandContext(ctx, self, "agent", "-c", file)
	st.agent.Cancel = func() error { return st.agent.Process.Signal(syscall.SIGTERM) }
	st.agent.WaitDelay = 5 * time.Second
	out, err := st.agent.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := st.agent.Start(); err != nil {
		return "", fmt.Errorf("cannot start the demo's agent: %w", err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("the demo's agent did not start: %w", err)
	}
	address, ok := strings.CutPrefix(strings.TrimSpace(line), listening)
	if !ok {
		return "", fmt.Errorf("the demo's agent did not start: %q", line)
	}
	return address, nil
}

// strike ends the agent and removes the folder.
func (st *stage) strike() {
	if st.agent != nil && st.agent.Process != nil {
		_ = st.agent.Process.Signal(syscall.SIGTERM)
		_ = st.agent.Wait()
	}
	_ = os.RemoveAll(st.dir)
}

// seen waits until the engine has seen every line that was written.
func (st *stage) seen(ctx context.Context, e *engine.Engine) error {
	local, remote := st.story.Files()
	var lines uint64
	for _, f := range append(local, remote...) {
		b, err := os.ReadFile(filepath.Join(st.dir, f))
		if err != nil {
			return err
		}
		lines += uint64(bytes.Count(b, []byte{'\n'}))
	}
	changed, end := e.Changed()
	defer end()
	limit := time.After(20 * time.Second)
	for {
		var have uint64
		for _, s := range e.Sources() {
			if s.Peer == nil || strings.Contains(string(s.ID), "/") { // an agent's own row sums up its streams
				have += s.Records
			}
		}
		if have >= lines {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-limit:
			return fmt.Errorf("the engine saw %d of %d lines within 20 s; its log says why", have, lines)
		case <-changed:
		}
	}
}
