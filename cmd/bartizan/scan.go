package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"bartizan/detect"
	"bartizan/engine"
	"bartizan/event"
	"bartizan/query"
	"bartizan/sources"
	"bartizan/triage"
)

func newScan(a *app) *cobra.Command {
	var failOn string
	var grouped bool
	c := &cobra.Command{
		Use:   "scan PATH…",
		Short: "read to the end and print what the rules find, as NDJSON",
		Long: `Scan reads files, folders, compressed files and standard input (-) to their end,
merged by event time, and prints one JSON object per hit; --alerts groups them as
the console would. What could not be read is said on standard error. Hosts named by
--ssh and --agent are read from the beginning of their files to where they end now.`,
		Example: `  bartizan scan /var/log/auth.log
  bartizan scan --ssh 'web-[01:40]:/var/log/auth.log' --fail-on high
  bartizan scan --rules ./sigma --fail-on high /srv/cloudtrail/
  zcat access.log.*.gz | bartizan scan - | jq -r .rule.title | sort | uniq -c`,
		Args: a.somePaths,
		RunE: func(c *cobra.Command, paths []string) error {
			return a.scan(c.Context(), paths, failOn, grouped)
		},
	}
	c.Flags().StringVar(&failOn, "fail-on", "", "exit 3 when a hit is at least this `LEVEL`")
	c.Flags().BoolVar(&grouped, "alerts", false, "group hits to alerts")
	c.Flags().StringVarP(&a.configFile, "config", "c", "", "config `FILE`")
	a.sourceFlags(c)
	a.timeFlags(c)
	return c
}

// scanned is one hit as scan prints it; the shape is a promise.
type scanned struct {
	Rule   scannedRule       `json:"rule"`
	Time   time.Time         `json:"time"`
	Source event.SourceID    `json:"source"`
	Line   int64             `json:"line"`
	Raw    string            `json:"raw"`
	RawB64 []byte            `json:"raw_b64,omitempty"`
	Fields map[string]string `json:"fields"`
	Why    []query.Match     `json:"why"`
	Group  []event.Entity    `json:"group"`
	Count  int               `json:"count"`
	ID     string            `json:"id"`
}

type scannedRule struct {
	ID    string   `json:"id"`
	Title string   `json:"title"`
	Level string   `json:"level"`
	Tags  []string `json:"tags"`
}

func newScanned(h *detect.Hit) scanned {
	e := h.Event
	s := scanned{
		Rule: scannedRule{h.Rule.ID, h.Rule.Title, h.Rule.Severity.String(), append([]string{}, h.Rule.Tags...)},
		Time: e.Time.UTC(), Source: e.Ref.Source, Line: e.Line, Raw: string(e.Raw),
		Fields: map[string]string{}, Why: h.Why, Group: h.Group, Count: h.Count, ID: h.ID.String(),
	}
	if !utf8.Valid(e.Raw) {
		s.RawB64 = e.Raw
	}
	for _, w := range h.Why {
		if w.Field != "" {
			s.Fields[w.Field] = w.Value
		}
	}
	return s
}

// somePaths wants a PATH, unless a host is named.
func (a *app) somePaths(c *cobra.Command, paths []string) error {
	if len(a.ssh)+len(a.agents) > 0 {
		return nil
	}
	return cobra.MinimumNArgs(1)(c, paths)
}

func (a *app) scan(ctx context.Context, paths []string, failOn string, grouped bool) error {
	worst, err := failLevel(failOn)
	if err != nil {
		return err
	}
	c, err := a.config()
	if err != nil {
		return err
	}
	from, to, err := a.window(time.Now())
	if err != nil {
		return err
	}
	rules, err := a.loadRules(c)
	if err != nil {
		return err
	}
	reg, more, err := registryOf(c)
	if err != nil {
		return err
	}
	open, failed, stop, err := a.openAll(ctx, reg, paths)
	if err != nil {
		return err
	}
	defer stop()
	out := bufio.NewWriterSize(a.out, 64<<10)
	board := triage.NewBoard()
	board.Criticality = more.Criticality
	found := false
	err = engine.Scan(ctx, open, engine.ScanOptions{
		Rules: detect.NewSet(rules.Rules), Registry: reg, Falco: c.FalcoFrom(), From: from, To: to, Now: time.Now, Failed: failed.add,
		Event: func(e *event.Event) error { failed.missing(e); return nil },
		Hit: func(h *detect.Hit) error {
			found = found || failOn != "" && h.Rule.Severity >= worst
			if grouped {
				_, err := board.Raise(*h, h.Event.Time)
				return err
			}
			return writeJSON(out, newScanned(h))
		},
	})
	if grouped { // also after an error: what was found is said
		list, _ := board.Alerts()
		for _, al := range list {
			err = errors.Join(err, writeJSON(out, al))
		}
	}
	if err = errors.Join(err, out.Flush()); err != nil {
		return err
	}
	return errors.Join(failed.err(), foundError(found))
}

func foundError(found bool) error {
	if found {
		return exitError{exitFound, nil}
	}
	return nil
}

func failLevel(name string) (detect.Severity, error) {
	if name == "" {
		return 0, nil
	}
	s, ok := detect.ParseSeverity(name)
	if !ok {
		return 0, usage("--fail-on %s: use informational, low, medium, high or critical", name)
	}
	return s, nil
}

// writeJSON writes v as one line in which no byte can steer a terminal.
func writeJSON(w *bufio.Writer, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(event.SafeJSON(append(b, '\n')))
	return err
}

// failures collects sources that could not be read: each is said at once and the
// verb ends with exit code 1.
type failures struct {
	a *app
	n int
}

func (f *failures) add(info sources.Info, err error) {
	f.n += max(1, len(sentences(err)))
	for _, s := range sentences(err) {
		if info.Name != "" {
			s = info.Name + ": " + s
		}
		_, _ = fmt.Fprintln(f.a.err, "bartizan: "+printable(s))
	}
}

// missing says on standard error what an event tells about lost bytes: whether
// it stands for records that cannot be read, or was cut at the record cap.
func (f *failures) missing(e *event.Event) (lost bool) {
	switch {
	case e.Lost > 0:
		f.add(sources.Info{}, errors.New(string(e.Raw)))
	case e.Flags&event.FlagCut != 0:
		_, _ = fmt.Fprintln(f.a.err, printable(fmt.Sprintf("bartizan: %s:%d is over 1 MiB long: only its beginning was read", e.Ref.Source, e.Line)))
	}
	return e.Lost > 0
}

func (f *failures) err() error {
	if f.n == 0 {
		return nil
	}
	return fmt.Errorf("%d of the sources could not be read to the end; what they hold was not searched", f.n)
}
