package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"bartizan/config"
	"bartizan/detect"
	"bartizan/engine"
	"bartizan/event"
	"bartizan/notify"
	"bartizan/triage"
)

func newWatch(a *app) *cobra.Command {
	var pprofAt string
	var records bool
	c := &cobra.Command{
		Use:   "watch [PATH…]",
		Short: "the engine in the foreground without a screen: alerts as NDJSON, notifications",
		Long: `Watch runs the engine without a screen and without end, for systemd. Every alert
that rises or comes back is one JSON object on standard output, after it is on
disk (at least once, with a stable id); the config's [notify] tells a webhook and
rings the bell. Consoles attach to it with bartizan.

With --records standard output gets every record instead, in the order of its
source, before it counts as read: at least once, whatever is killed, with an id
that stays the same when it comes again. Whoever reads it too slowly slows down
the engine.`,
		Example: `  bartizan watch /var/log/auth.log
  bartizan watch -c /etc/bartizan/config.toml | logger -t bartizan`,
		RunE: func(c *cobra.Command, paths []string) error {
			return a.watch(c.Context(), paths, pprofAt, records)
		},
	}
	c.Flags().StringVar(&pprofAt, "pprof", "", "serve profiles at this loopback `HOST:PORT`")
	c.Flags().BoolVar(&records, "records", false, "print every record, not alerts")
	c.Flags().BoolVar(&a.readOnly, "read-only", false, "look, but make no moves")
	a.stateFlags(c)
	a.sourceFlags(c)
	return c
}

func (a *app) watch(ctx context.Context, paths []string, pprofAt string, records bool) error {
	if pprofAt != "" {
		if err := serveProfiles(ctx, pprofAt); err != nil {
			return err
		}
	}
	s, err := a.spec(paths)
	if err != nil {
		return err
	}
	t, err := a.newTeller(s.config)
	if err != nil {
		return err
	}
	var each func([]event.Event) error
	if records {
		each, t.out = recordPrinter(a.out), bufio.NewWriter(io.Discard)
	}
	return a.serve(ctx, s, serveOptions{
		records:  each,
		alert:    t.tell,
		begun:    t.run,
		reloaded: t.reloaded,
		ready:    func() { _, _ = fmt.Fprintf(a.err, "bartizan: watching; board %s\n", printable(s.state)) },
	})
}

// teller says what rises: as NDJSON, to the webhook, by the bell.
type teller struct {
	mu   sync.Mutex
	out  *bufio.Writer
	err  io.Writer
	hook *notify.Webhook
	bell *notify.Bell
	mask func(string) string
}

func (a *app) newTeller(c *config.Config) (*teller, error) {
	masker := newMasker()
	t := &teller{out: bufio.NewWriter(a.out), err: a.err, mask: func(s string) string { return string(masker.Mask(nil, []byte(s))) }}
	level, _ := detect.ParseSeverity(c.Notify.Level)
	if c.Notify.Webhook != "" {
		var err error
		t.hook, err = notify.NewWebhook(c.Notify.Webhook, c.Notify.Secret, level, func(err error) { slog.Error(err.Error()) })
		if err != nil {
			return nil, exitError{exitUsage, err}
		}
	}
	if c.Notify.Bell {
		t.bell = notify.NewBell(a.err, level, time.Now)
	}
	return t, nil
}

// tell prints the alert at once; a reader that is gone ends nothing.
func (t *teller) tell(al *triage.Alert) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if b, err := json.Marshal(al); err == nil {
		_, _ = t.out.Write(event.SafeJSON(append(b, '\n')))
		_ = t.out.Flush()
	}
	if t.hook != nil {
		t.hook.Tell(al, t.mask)
	}
	if t.bell != nil {
		t.bell.Tell(al)
	}
}

// reloaded says what reading the rules again changed.
func (t *teller) reloaded(r engine.Reload) {
	text := fmt.Sprintf("bartizan: rules read again (%s): %s\n", printable(r.Why), printable(r.String()))
	for _, l := range r.Lines() {
		text += "bartizan:   " + printable(l) + "\n"
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	_, _ = io.WriteString(t.err, text)
}

// run delivers to the webhook and says how the engine is doing once a minute.
func (t *teller) run(ctx context.Context, e *engine.Engine) {
	var wg sync.WaitGroup
	defer wg.Wait()
	if t.hook != nil {
		wg.Go(func() { t.hook.Run(ctx) })
	}
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s := e.Status()
			_, _ = fmt.Fprintf(t.err, "bartizan: alive: %.0f records/s, %d sources (%d not live), %d lost %s\n", s.Rate, s.Sources, s.SourcesBad, s.Lost, printable(s.Problem))
		}
	}
}
