package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/sources"
	"bartizan/sources/parse"

	"github.com/spf13/cobra"
)

func rulesBench(a *app) *cobra.Command {
	var events, top int
	c := &cobra.Command{
		Use: "bench [PATH…]", Short: "what each rule costs on given logs",
		Long: `Bench runs all rules over logs on one core and says how much of the time each rule
takes. Evaluations are how often the index held a rule to be possible; without it,
the rule would have been evaluated for every event of its log source. Rules marked
with * are tried on every one of them. Time per evaluation has a reading of the clock
in it; events/s is measured without.

Without a PATH the sample is one record of every format and the lines of the
rules' own tests, again and again.`,
		Example: `  bartizan rules bench /var/log/
  bartizan rules bench --rules ./sigma --top 10 /srv/cloudtrail/ -o json | jq '.rules[0]'`,
		RunE: func(c *cobra.Command, paths []string) error { return a.bench(c.Context(), paths, events, top) },
	}
	c.Flags().IntVar(&events, "events", 200_000, "how many events of the own sample, at least `N`")
	c.Flags().IntVar(&top, "top", 20, "print the `N` most expensive rules; 0 is all that were evaluated")
	a.formatFlag(c)
	a.timeFlags(c)
	return c
}

func (a *app) bench(ctx context.Context, paths []string, events, top int) error {
	l, asJSON, err := a.rulesFor()
	if err != nil {
		return err
	}
	a.sayRefused(l)
	set := detect.NewSet(l.Rules)
	b := newRuleBench(set)
	if len(paths) > 0 {
		err = a.eachEvent(ctx, "measuring rules", paths, b.take)
	} else {
		err = b.sample(ctx, l.Rules, events)
	}
	r := b.result(top)
	if asJSON {
		return errors.Join(a.printJSON(r), err)
	}
	return errors.Join(a.printBench(r), err)
}

// ruleBench matches every event twice: plainly, for the speed, and measured, for
// the shares.
type ruleBench struct {
	set             *detect.Set
	plain, measured *detect.Matcher
	found           []*detect.Rule
	warm            map[event.LogSource]bool // whose index is built
	began           time.Time
	matching        time.Duration
	events, bytes   int64
	hits            int64
}

func newRuleBench(set *detect.Set) *ruleBench {
	b := &ruleBench{set: set, plain: set.NewMatcher(), measured: set.NewMatcher(), warm: map[event.LogSource]bool{}, began: time.Now()}
	b.measured.Profile(b.clock)
	return b
}

func (b *ruleBench) clock() time.Duration { return time.Since(b.began) }

func (b *ruleBench) take(e *event.Event) error {
	if !b.warm[e.LogSource] && len(b.warm) < 1000 { // the first event of a log source builds its index
		b.warm[e.LogSource] = true
		b.found = b.plain.Match(e, b.found[:0])
	}
	from := b.clock()
	b.found = b.plain.Match(e, b.found[:0])
	b.matching += b.clock() - from
	b.hits += int64(len(b.found))
	b.found = b.measured.Match(e, b.found[:0])
	b.events++
	b.bytes += int64(len(e.Raw)) + 1
	return nil
}

// sample measures n or more events of our own.
func (b *ruleBench) sample(ctx context.Context, rules []*detect.Rule, n int) error {
	reg := parse.NewRegistry(parse.Options{})
	var lines []string
	for _, f := range reg.Formats() {
		lines = append(lines, f.Example)
	}
	for _, r := range rules {
		lines = append(append(lines, r.Hit...), r.Miss...)
	}
	slab, list := parse.Slab{}, make([]event.Event, len(lines)) // all in one slab that is never reset: they stay valid
	for i, l := range lines {
		reg.Stream(sources.Info{ID: "sample"}).Parse(&sources.Record{Raw: []byte(l), Line: int64(i + 1)}, &slab, &list[i])
	}
	for b.events < int64(n) {
		if ctx.Err() != nil {
			return errStopped
		}
		for i := range list {
			if err := b.take(&list[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// benched is what rules bench prints; the shape is a promise.
type benched struct {
	Events    int64         `json:"events"`
	Bytes     int64         `json:"bytes"`
	Seconds   float64       `json:"seconds"` // of it all, reading and parsing included
	Rules     int           `json:"rules"`   // that have a condition
	Matches   int64         `json:"matches"`
	PerSecond float64       `json:"events_per_second"`  // matching alone, one core
	PerEvent  float64       `json:"ns_per_event"`       // matching alone
	Index     float64       `json:"index_ns_per_event"` // finding out which rules are possible
	Expensive int           `json:"expensive"`          // rules tried on every event of their log source
	Top       []benchedRule `json:"top"`
}

type benchedRule struct {
	ID            string  `json:"id"`
	Title         string  `json:"title"`
	LogSource     string  `json:"logsource"`
	Events        uint64  `json:"events"`      // of its log source
	Evaluations   uint64  `json:"evaluations"` // so often it was a candidate
	Hits          uint64  `json:"hits"`
	Time          int64   `json:"ns"`
	PerEvaluation float64 `json:"ns_per_evaluation"`
	Share         float64 `json:"share"` // of the time of matching, 0 to 1
	Expensive     bool    `json:"expensive"`
	File          string  `json:"file"`
	Line          int     `json:"line"`
}

func (b *ruleBench) result(top int) benched {
	p := detect.ProfileOf(b.measured)
	r := benched{
		Events: b.events, Bytes: b.bytes, Seconds: b.clock().Seconds(), Rules: len(p.Rules), Matches: b.hits, Top: []benchedRule{},
	}
	if b.events > 0 {
		r.PerSecond = float64(b.events) / b.matching.Seconds()
		r.PerEvent = float64(b.matching.Nanoseconds()) / float64(b.events)
		r.Index = float64(p.Index.Nanoseconds()) / float64(b.events)
	}
	expensive := map[*detect.Rule]bool{}
	for _, e := range b.set.Expensive() {
		expensive[e] = true
	}
	r.Expensive = len(expensive)
	whole := p.Index
	for _, c := range p.Rules {
		whole += c.Time
	}
	for _, c := range p.Rules {
		if c.Evaluations == 0 || top > 0 && len(r.Top) == top {
			continue
		}
		r.Top = append(r.Top, benchedRule{
			ID: c.Rule.ID, Title: c.Rule.Title, LogSource: logSourceText(c.Rule.LogSource), Events: c.Events, Evaluations: c.Evaluations, Hits: c.Hits,
			Time: c.Time.Nanoseconds(), PerEvaluation: float64(c.Time.Nanoseconds()) / float64(c.Evaluations),
			Share: float64(c.Time) / float64(max(whole, 1)), Expensive: expensive[c.Rule], File: c.Rule.File, Line: c.Rule.Line,
		})
	}
	return r
}

func (a *app) printBench(r benched) error {
	t := newTable(a.out, -6, -9, -10, -8, 8, 0)
	t.say("%s over %s, %.1f MB: %s, in %.1f s with reading and parsing", many(r.Rules, "rule"), many(r.Events, "event"), float64(r.Bytes)/1e6, many(r.Matches, "match"), r.Seconds)
	t.say("matching alone: %.0f events/s on one core, %.0f ns an event, %.0f of them for the index", r.PerSecond, r.PerEvent, r.Index)
	t.say("%d rules are tried on every event of their log source (*)", r.Expensive)
	_ = t.row("time", "ns/eval", "evaluated", "hits", "rule", "title")
	for _, c := range r.Top {
		mark := ""
		if c.Expensive {
			mark = "* "
		}
		_ = t.row(fmt.Sprintf("%.1f%%", 100*c.Share), fmt.Sprintf("%.0f", c.PerEvaluation), fmt.Sprint(c.Evaluations), fmt.Sprint(c.Hits), shortID(c.ID), mark+c.Title)
	}
	return t.flush()
}
