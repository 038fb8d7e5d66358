package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/query"

	"github.com/spf13/cobra"
)

func rulesBacktest(a *app) *cobra.Command {
	var samples, failOver int
	c := &cobra.Command{
		Use: "backtest RULE|FILE|DIR PATH…", Short: "what a rule would have found in past logs: hits per day, top values, samples", Args: cobra.MinimumNArgs(2),
		Long: `Backtest runs a rule that is loaded (by its id or the beginning of its title), or the
rules of a file or folder, over logs: files, folders, compressed generations, all
merged by time. For each rule it says how many hits there were on which day, the
values they are grouped by, the first records, and what filters hide: it runs with
and without the filters that are loaded, and names those that made the difference.
Matches of a rule that only feeds correlations are counted as well, if it is named.`,
		Example: `  bartizan rules backtest ./new-rule.yml /srv/archive/auth.log*
  bartizan rules backtest 4bd28e2b /var/log/ --from -7d
  bartizan rules backtest ./my-rules --fail-over 10 /srv/cloudtrail/ -o json`,
		ValidArgsFunction: a.completeRules,
		RunE: func(c *cobra.Command, args []string) error {
			return a.backtest(c.Context(), args[0], args[1:], samples, failOver)
		},
	}
	c.Flags().IntVar(&samples, "samples", 3, "print the first `N` records of each rule")
	c.Flags().IntVar(&failOver, "fail-over", 0, "exit 3 when a rule hits more than `N` times on some day")
	a.formatFlag(c)
	a.timeFlags(c)
	return c
}

func (a *app) backtest(ctx context.Context, name string, paths []string, samples, failOver int) error {
	asJSON, err := a.json()
	if err != nil {
		return err
	}
	all, wanted, err := a.wantedRules(name)
	if err != nil {
		return err
	}
	b := newBacktest(all, wanted, samples)
	err = a.eachEvent(ctx, "backtesting", paths, b.take)
	b.flush()
	found := false
	for _, r := range b.order {
		found = found || failOver > 0 && r.mostADay() > failOver
		if asJSON {
			err = errors.Join(err, a.printJSON(r.outcome(b)))
		} else {
			err = errors.Join(err, a.printBacktest(r.outcome(b)))
		}
	}
	if !asJSON {
		_, _ = fmt.Fprintf(a.err, "%s over %s%s\n", many(len(b.order), "rule"), many(b.events, "event"), b.spanWords())
	}
	return errors.Join(err, foundError(found))
}

// wantedRules returns all rules, linked, and those a person means: the rule of
// that name, or those from that file or folder, which then are loaded too.
func (a *app) wantedRules(name string) (all, wanted []*detect.Rule, err error) {
	c, err := a.config()
	if err != nil {
		return nil, nil, err
	}
	st, statErr := os.Stat(name)
	if statErr == nil {
		c.Rules = append([]string{name}, c.Rules...)
	}
	l, err := a.loadRules(c)
	if err != nil {
		return nil, nil, err
	}
	if statErr != nil {
		r, err := findRule(l.Rules, name)
		return l.Rules, []*detect.Rule{r}, err
	}
	inside := func(file string) bool {
		return file == name || st.IsDir() && strings.HasPrefix(filepath.Clean(file), filepath.Clean(name)+string(filepath.Separator)) ||
			st.IsDir() && filepath.Clean(name) == "." && filepath.IsLocal(file)
	}
	for _, f := range l.Refused {
		if inside(f.File) {
			_, _ = fmt.Fprintln(a.err, printable(f.Error()))
		}
	}
	for _, r := range l.Rules {
		if inside(r.File) && r.Filter == nil {
			wanted = append(wanted, r)
		}
	}
	if len(wanted) == 0 {
		return nil, nil, fmt.Errorf("no rule could be loaded from %s", name)
	}
	return l.Rules, wanted, nil
}

// backtest runs rules twice at once: as they are loaded, and without filters.
type backtest struct {
	set      *detect.Set // without filters
	matcher  *detect.Matcher
	plain    *detect.Correlator // windows of everything
	kept     *detect.Correlator // windows of what filters let through
	filtered map[string]*detect.Rule
	filters  map[string]*detect.Rule
	keeps    map[string]*query.Matcher // by filter
	rules    map[string]*backRule      // those wanted, by id
	order    []*backRule
	found    []*detect.Rule
	samples  int
	events   int64
	first    time.Time
	last     time.Time
}

func newBacktest(all, wanted []*detect.Rule, samples int) *backtest {
	b := &backtest{
		filtered: map[string]*detect.Rule{}, filters: map[string]*detect.Rule{}, keeps: map[string]*query.Matcher{},
		rules: map[string]*backRule{}, samples: samples,
	}
	for _, r := range all {
		if r.Filter != nil {
			b.filters[r.ID] = r
		}
	}
	for _, r := range wanted {
		one := &backRule{rule: r, days: map[string]*backDay{}, hiddenBy: map[string]int{}}
		b.rules[r.ID] = one
		b.order = append(b.order, one)
	}
	var open, closed []*detect.Rule
	for _, r := range with(all, wanted...) {
		loud := *r
		if _, is := b.rules[r.ID]; is {
			loud.Silent = false // asked for by name: its own matches count too
		}
		b.filtered[r.ID] = &loud
		closed = append(closed, &loud)
		open = append(open, unfiltered(&loud))
	}
	b.set = detect.NewSet(open)
	b.matcher = b.set.NewMatcher()
	b.plain, b.kept = detect.NewCorrelator(time.Now, open), detect.NewCorrelator(time.Now, closed)
	return b
}

// unfiltered is a rule without the filters that linking put around its condition,
// the last one outermost.
func unfiltered(r *detect.Rule) *detect.Rule {
	out := *r
	out.Filters = nil
	for range r.Filters {
		and, ok := out.Cond.(query.And)
		if !ok || len(and) != 2 {
			return r
		}
		out.Cond = and[0]
	}
	return &out
}

func (b *backtest) take(e *event.Event) error {
	b.events++
	if b.first.IsZero() || e.Time.Before(b.first) {
		b.first = e.Time
	}
	if e.Time.After(b.last) {
		b.last = e.Time
	}
	b.found = b.matcher.Match(e, b.found[:0])
	for _, r := range b.found {
		hiding := b.hiding(r.ID, e)
		if one := b.rules[r.ID]; one != nil {
			for _, f := range hiding {
				one.hiddenBy[f]++
			}
		}
		b.completed(b.plain.Take(r, e), (*backDay).raise, true)
		if len(hiding) == 0 {
			b.completed(b.kept.Take(b.filtered[r.ID], e), (*backDay).keep, false)
		}
	}
	return nil
}

// hiding names the filters that keep a rule from hitting e.
func (b *backtest) hiding(id string, e *event.Event) (by []string) {
	for _, f := range b.filtered[id].Filters {
		keep := b.keeps[f]
		if keep == nil {
			rule := b.filters[f]
			if rule == nil {
				continue
			}
			var err error
			if keep, err = query.Compile(rule.Filter.Keep); err != nil {
				continue // it was compiled when it was loaded
			}
			b.keeps[f] = keep
		}
		if !keep.Match(e) {
			by = append(by, f)
		}
	}
	return by
}

func (b *backtest) flush() {
	b.completed(b.plain.Flush(), (*backDay).raise, true)
	b.completed(b.kept.Flush(), (*backDay).keep, false)
}

// completed counts hits of the rules that are wanted. Those of the run with filters
// are what a person would have seen.
func (b *backtest) completed(done []detect.Completed, count func(*backDay), all bool) {
	for i := range done {
		one := b.rules[done[i].Rule.ID]
		if one == nil {
			continue
		}
		count(one.day(done[i].Event.Time))
		if !all {
			one.seen(&done[i], b.samples)
		}
	}
}

func (b *backtest) spanWords() string {
	if b.events == 0 {
		return ""
	}
	return " from " + b.first.UTC().Format(time.RFC3339) + " to " + b.last.UTC().Format(time.RFC3339)
}
