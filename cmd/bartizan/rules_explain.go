package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"bartizan/detect"
	"bartizan/event"

	"github.com/spf13/cobra"
)

func rulesExplain(a *app) *cobra.Command {
	var most int
	c := &cobra.Command{
		Use: "explain RULE EVENT…", Short: "why a rule hits an event or not: its whole condition, part by part", Args: cobra.MinimumNArgs(2),
		Long: `Explain reads events and shows for each the rule's whole condition with yes or no at
every part and the value the event has there, whether the rule hits or not. The
bytes of the record that made parts hold are marked below it.

RULE is an id or the beginning of one, the beginning of a title, or a file with one
rule. EVENT is a file, - for standard input, or FILE:LINE for one record. Of a
correlation every rule it stands on is explained, and behind the last event stand
its windows as these events filled them. Exit code 3 when an event was hit.`,
		Example: `  bartizan rules explain 4bd28e2b /var/log/auth.log:812
  bartizan rules explain ./new-rule.yml event.json
  journalctl -n 5 -o json | bartizan rules explain 'A root shell' - -o json | jq .holds`,
		ValidArgsFunction: a.completeRules,
		RunE: func(c *cobra.Command, args []string) error {
			return a.explain(c.Context(), args[0], args[1:], most)
		},
	}
	c.Flags().IntVarP(&most, "max", "n", 20, "explain the first `N` events; all are counted")
	a.formatFlag(c)
	return c
}

func (a *app) explain(ctx context.Context, name string, places []string, most int) error {
	asJSON, err := a.json()
	if err != nil {
		return err
	}
	all, wanted, err := a.wantedRules(name)
	if err != nil {
		return err
	}
	if len(wanted) > 1 {
		if wanted = heads(wanted); len(wanted) != 1 {
			return usage("%s has %d rules; name one by its id", name, len(wanted))
		}
	}
	x := newExplainer(a, all, wanted[0], most, asJSON)
	for i := 0; i < len(places) && err == nil; {
		n := 0 // files that stand side by side are merged by time
		file, line := recordOf(places[i])
		files := []string{file}
		for n = 1; line == 0 && i+n < len(places); n++ {
			next, at := recordOf(places[i+n])
			if at != 0 {
				break
			}
			files = append(files, next)
		}
		err = a.explainFiles(ctx, x, files, line)
		i += n
	}
	if err == nil || x.events > 0 {
		err = errors.Join(err, x.finish())
	}
	if err != nil {
		return err
	}
	return foundError(x.held > 0)
}

// heads leaves out the rules that others of the same file stand on.
func heads(rules []*detect.Rule) (out []*detect.Rule) {
	below := map[string]bool{}
	for _, r := range rules {
		if r.Correlation != nil {
			for _, id := range r.Correlation.Rules {
				below[id] = true
			}
		}
	}
	for _, r := range rules {
		if !below[r.ID] {
			out = append(out, r)
		}
	}
	return out
}

// recordOf takes FILE:LINE apart; 0 is every record. A file of that whole name wins.
func recordOf(place string) (file string, line int64) {
	if _, err := os.Stat(place); err == nil || place == "-" {
		return place, 0
	}
	if i := strings.LastIndexByte(place, ':'); i > 0 {
		if n, err := strconv.ParseInt(place[i+1:], 10, 64); err == nil && n > 0 {
			return place[:i], n
		}
	}
	return place, 0
}

func (a *app) explainFiles(ctx context.Context, x *explainer, files []string, line int64) error {
	there := line == 0
	err := a.eachEvent(ctx, "explaining", files, func(e *event.Event) error {
		if line != 0 && e.Line != line {
			return nil
		}
		there = true
		return x.take(e)
	})
	if err == nil && !there {
		return fmt.Errorf("%s has no record that begins at line %d", files[0], line)
	}
	return err
}

// explainer judges one rule against events.
type explainer struct {
	a       *app
	rule    *detect.Rule
	set     *detect.Set
	matcher *detect.Matcher
	windows *detect.Correlator
	found   []*detect.Rule
	json    bool
	most    int
	events  int
	matched int // of events
	held    int // hits
	wrote   int
}

func newExplainer(a *app, all []*detect.Rule, r *detect.Rule, most int, asJSON bool) *explainer {
	rules := with(all, r)
	for _, f := range all { // so that the tree can name them
		if f.Filter != nil {
			rules = append(rules, f)
		}
	}
	set := detect.NewSet(rules)
	return &explainer{
		a: a, rule: r, set: set, matcher: set.NewMatcher(), windows: detect.NewCorrelator(time.Now, rules), json: asJSON, most: most,
	}
}

// windowed reports whether hits are windows and not single events.
func (x *explainer) windowed() bool { return x.rule.Correlation != nil || x.rule.Count > 1 }

// explainedEvent is what rules explain prints for one event; the shape is a promise.
type explainedEvent struct {
	Rule      explainedRule  `json:"rule"`
	Source    event.SourceID `json:"source"`
	Line      int64          `json:"line"`
	Time      time.Time      `json:"time"`
	Format    string         `json:"format"`
	LogSource string         `json:"logsource"`
	Raw       string         `json:"raw"`
	RawB64    []byte         `json:"raw_b64,omitempty"`
	Holds     bool           `json:"holds"` // of a rule with windows: the event counts
	Hit       bool           `json:"hit"`   // the rule hit at this event
	Tree      *detect.Tree   `json:"tree"`
}

type explainedRule struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

func (x *explainer) take(e *event.Event) error {
	x.events++
	x.found = x.matcher.Match(e, x.found[:0])
	matched, hit := false, false
	for _, r := range x.found {
		matched = true
		hit = completes(x.rule, x.windows.Take(r, e)) || hit
		hit = hit || r == x.rule && !x.windowed() // also where it is silent
	}
	if matched {
		x.matched++
	}
	if hit {
		x.held++
	}
	if x.wrote >= x.most {
		return nil
	}
	x.wrote++
	out := explainedEvent{
		Rule: explainedRule{x.rule.ID, x.rule.Title}, Source: e.Ref.Source, Line: e.Line, Time: e.Time.UTC(), Format: e.FormatName,
		LogSource: logSourceText(e.LogSource), Raw: string(e.Raw), Hit: hit, Tree: x.matcher.Tree(x.rule, e),
	}
	out.Holds = out.Tree.Holds
	if !utf8.Valid(e.Raw) {
		out.RawB64 = e.Raw
	}
	if x.json {
		return x.a.printJSON(out)
	}
	return x.a.printExplained(&out, e.Raw, x.wrote > 1)
}

// finish says what the windows hold and what was not shown.
func (x *explainer) finish() error {
	open := []openWindow{}
	if x.windowed() {
		for _, w := range x.windows.Windows(x.rule.ID) {
			open = append(open, openWindow{w.Group, w.Count, w.First.UTC(), w.Last.UTC(), w.Firing})
		}
		if completes(x.rule, x.windows.Flush()) {
			x.held++
		}
	}
	if x.json {
		if !x.windowed() {
			return nil
		}
		return x.a.printJSON(explainedEnd{explainedRule{x.rule.ID, x.rule.Title}, x.events, x.matched, x.held, open})
	}
	t := newTable(x.a.out, 14, 0)
	if x.windowed() {
		_ = t.line("")
		t.say("%s asks: %s", x.rule.Title, x.asks())
		for i := range open[:min(len(open), 10)] {
			_ = t.line("  " + printable(open[i].words()))
		}
		if more := len(open) - 10; more > 0 {
			_ = t.line(fmt.Sprintf("  and %d further windows", more))
		}
		_ = t.line(fmt.Sprintf("%s, %d of them counted, %s", many(x.events, "event"), x.matched, many(x.held, "hit")))
	} else if more := x.events - x.wrote; more > 0 {
		_ = t.line("")
		_ = t.line(fmt.Sprintf("%s; of all %d the rule hits %d", many(more, "further event"), x.events, x.held))
	}
	return t.flush()
}

// explainedEnd is the last line of rules explain for a rule with windows.
type explainedEnd struct {
	Rule    explainedRule `json:"rule"`
	Events  int           `json:"events"`
	Counted int           `json:"counted"` // events that its rules match
	Hits    int           `json:"hits"`
	Windows []openWindow  `json:"windows"` // that are open behind the last event
}

// openWindow is how full the window of one group is.
type openWindow struct {
	Group  []event.Entity `json:"group"`
	Count  int            `json:"count"` // events in it
	First  time.Time      `json:"first"`
	Last   time.Time      `json:"last"`
	Firing bool           `json:"firing"` // it has hit and has not fallen since
}

func (x *explainer) asks() string {
	if c := x.rule.Correlation; c != nil {
		return c.Words(func(id string) string {
			if r := x.set.Rule(id); r != nil {
				return r.Title
			}
			return id
		})
	}
	return fmt.Sprintf("%d events of one group within %v", x.rule.Count, x.rule.Within)
}

func (w *openWindow) words() string {
	var group []string
	for _, g := range w.Group {
		group = append(group, g.Value)
	}
	s := "one window for all"
	if len(group) > 0 {
		s = "window of " + strings.Join(group, ", ")
	}
	s += fmt.Sprintf(": %s from %s to %s", many(w.Count, "event"), w.First.Format(time.RFC3339), w.Last.Format(time.RFC3339))
	if w.Firing {
		s += ", has hit"
	}
	return s
}
