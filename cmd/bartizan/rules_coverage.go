package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"bartizan/detect"
	"bartizan/detect/falco"
	"bartizan/engine"
	"bartizan/event"
	"bartizan/sources/parse"

	"github.com/spf13/cobra"
)

type coverageFlags struct {
	by        string
	navigator string
	without   []string
}

func rulesCoverage(a *app) *cobra.Command {
	var f coverageFlags
	c := &cobra.Command{
		Use: "coverage [PATH…]", Short: "which rules can hit what is read here, and which ATT&CK techniques that covers",
		Long: `Coverage judges every rule that is loaded: does a format that is read here supply its
log source, and the fields it names? Full: all of them. Part: it can hit, but names
fields that are never there, so some alternatives or exclusions have no effect.
None: it can never hit; the reason is said rule by rule with --by rule. Reachable
is full and part together. With PATHs the rules are run over these logs, and fired
are those that hit.

Which techniques a rule is about is what its tags say. © 2025 The MITRE Corporation.
ATT&CK is reproduced and distributed with the permission of The MITRE Corporation.`,
		Example: `  bartizan rules coverage
  bartizan rules coverage --rules ./sigma --without windows --without macos --by rule
  bartizan rules coverage --navigator layer.json /var/log/ /srv/cloudtrail/`,
		RunE: func(c *cobra.Command, paths []string) error { return a.coverage(c.Context(), f, paths) },
	}
	c.Flags().StringVar(&f.by, "by", "summary", "`WHAT` to list: summary, tactic, technique, logsource or rule")
	c.Flags().StringVar(&f.navigator, "navigator", "", "also write a layer for ATT&CK Navigator to `FILE`")
	c.Flags().StringArrayVar(&f.without, "without", nil, "leave out rules for this `PRODUCT`; repeatable")
	a.formatFlag(c)
	a.timeFlags(c)
	_ = c.RegisterFlagCompletionFunc("by", cobra.FixedCompletions(coverageViews, cobra.ShellCompDirectiveNoFileComp))
	return c
}

var coverageViews = []string{"summary", "tactic", "technique", "logsource", "rule"}

func (a *app) coverage(ctx context.Context, f coverageFlags, paths []string) error {
	if !slices.Contains(coverageViews, f.by) {
		return usage("--by %s: use %s", f.by, strings.Join(coverageViews, ", "))
	}
	l, asJSON, err := a.rulesFor()
	if err != nil {
		return err
	}
	a.sayRefused(l)
	fired, stopped := map[string]int{}, error(nil)
	if len(paths) > 0 {
		stopped = a.fire(ctx, l.Rules, paths, fired)
	}
	x, err := a.reacher(l.Rules)
	if err != nil {
		return errors.Join(err, stopped)
	}
	v := newCoverage(l.Rules, x, f.without, fired, len(paths) > 0)
	if f.navigator != "" {
		if err := writeLayer(f.navigator, v); err != nil {
			return err
		}
	}
	if asJSON {
		return errors.Join(a.printJSON(v), stopped)
	}
	return errors.Join(a.printCoverage(v, f.by), stopped)
}

// fire runs the rules over logs and counts the hits of each by its id. What could
// not be read, or was not because a person ended it, is the error.
func (a *app) fire(ctx context.Context, rules []*detect.Rule, paths []string, hits map[string]int) error {
	c, err := a.config()
	if err != nil {
		return err
	}
	reg := parse.NewRegistry(c.ParseOptions())
	open, failed, err := a.openStatic(ctx, reg, paths)
	if err != nil {
		return err
	}
	from, to, err := a.window(time.Now())
	if err != nil {
		return err
	}
	known := falco.Explainer(rules)
	p := a.startProgress("running rules")
	err = engine.Scan(ctx, open, engine.ScanOptions{
		Rules: detect.NewSet(rules), Registry: reg, Falco: c.FalcoFrom(), From: from, To: to, Now: time.Now, Failed: failed.add,
		Event: func(e *event.Event) error {
			failed.missing(e)
			p.events.Add(1)
			p.bytes.Add(int64(len(e.Raw)) + 1)
			return nil
		},
		Hit: func(h *detect.Hit) error {
			r := h.Rule
			if r.Kind == detect.KindFalco && r.Cond == nil { // an alert of Falco's own
				if r = known(h.Rule.ID); r == nil {
					return nil
				}
			}
			hits[r.ID]++
			return nil
		},
	})
	p.stop()
	if ctx.Err() != nil {
		err = errStopped
	}
	return errors.Join(err, failed.err())
}

// coverage is what rules coverage prints; the shape is a promise.
type coverage struct {
	Ran        bool               `json:"ran"` // logs were read: fired means something
	Rules      coverCount         `json:"rules"`
	Tactics    []coverTactic      `json:"tactics"`
	Techniques []*coverTechnique  `json:"techniques"`
	LogSources []*coverLogSource  `json:"logsources"`
	List       []coverRule        `json:"list"`
	Attack     string             `json:"attack"` // version of ATT&CK
	byID       map[string]coverID // of techniques
}

type coverID = *coverTechnique

// coverCount counts rules: reachable are full and part together.
type coverCount struct {
	Loaded    int `json:"loaded"`
	Reachable int `json:"reachable"`
	Full      int `json:"full"`
	Part      int `json:"part"`
	Fired     int `json:"fired"`
}

func (c *coverCount) add(r *coverRule) {
	c.Loaded++
	switch r.reach {
	case detect.ReachFull:
		c.Full++
		c.Reachable++
	case detect.ReachPart:
		c.Part++
		c.Reachable++
	}
	if r.Hits > 0 {
		c.Fired++
	}
}

type coverTactic struct {
	Tactic     string `json:"tactic"`
	Techniques int    `json:"techniques"` // that ATT&CK has under it, sub-techniques included
	Loaded     int    `json:"loaded"`     // of these: a loaded rule names it
	Reachable  int    `json:"reachable"`
	Fired      int    `json:"fired"`
}

type coverTechnique struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"` // "" when this version of ATT&CK does not have it
	Tactics []string `json:"tactics"`
	coverCount
	titles  []string // of reachable rules, or of all when none is
	retired bool
}

type coverLogSource struct {
	LogSource string `json:"logsource"`
	coverCount
}

// coverRule is one rule and why it can hit or not.
type coverRule struct {
	ID         string   `json:"id"`
	Title      string   `json:"title"`
	Level      string   `json:"level"`
	LogSource  string   `json:"logsource"`
	Reach      string   `json:"reach"` // full, part or none
	By         string   `json:"by,omitempty"`
	Missing    []string `json:"missing,omitempty"`
	Why        string   `json:"why,omitempty"`
	Techniques []string `json:"techniques"`
	Hits       int      `json:"hits"`
	File       string   `json:"file"`
	Line       int      `json:"line"`
	reach      detect.ReachState
}

func newCoverage(all []*detect.Rule, x *detect.Reacher, without []string, hits map[string]int, ran bool) *coverage {
	v := &coverage{Ran: ran, Attack: detect.AttackVersion, List: []coverRule{}, byID: map[string]coverID{}}
	sources := map[string]*coverLogSource{}
	for _, r := range all {
		if r.Filter != nil || strings.Contains(r.ID, "/") && r.Silent || slices.Contains(without, strings.ToLower(r.LogSource.Product)) {
			continue // filters never hit; parts of a rule are told with it
		}
		got := x.Reach(r)
		techniques, _ := r.Attack()
		c := coverRule{
			ID: r.ID, Title: r.Title, Level: r.Severity.String(), LogSource: logSourceText(r.LogSource), Reach: got.State.String(), reach: got.State,
			By: got.By, Missing: got.Missing, Why: got.Why, Techniques: append([]string{}, techniques...), Hits: hits[r.ID], File: r.File, Line: r.Line,
		}
		v.List = append(v.List, c)
		v.Rules.add(&c)
		s := sources[c.LogSource]
		if s == nil {
			s = &coverLogSource{LogSource: c.LogSource}
			sources[c.LogSource] = s
		}
		s.add(&c)
		v.techniques(&c)
	}
	v.LogSources = slices.SortedFunc(maps.Values(sources), func(a, b *coverLogSource) int {
		return cmp.Or(b.Loaded-a.Loaded, strings.Compare(a.LogSource, b.LogSource))
	})
	v.Techniques = slices.SortedFunc(maps.Values(v.byID), func(a, b *coverTechnique) int { return strings.Compare(a.ID, b.ID) })
	v.tactics()
	return v
}

// techniques counts a rule for each technique its tags name.
func (v *coverage) techniques(c *coverRule) {
	for _, id := range c.Techniques {
		t := v.byID[id]
		if t == nil {
			known, _ := detect.TechniqueOf(id)
			t = &coverTechnique{ID: id, Name: known.Name, Tactics: append([]string{}, known.Tactics...), retired: known.Retired}
			v.byID[id] = t
		}
		if c.reach > detect.ReachNone && t.Reachable == 0 {
			t.titles = nil // from here on only of rules that can hit
		}
		if c.reach > detect.ReachNone || t.Reachable == 0 {
			t.titles = append(t.titles, c.Title)
		}
		t.add(c)
	}
}

// tactics counts techniques by tactic.
func (v *coverage) tactics() {
	at := map[string]*coverTactic{}
	v.Tactics = make([]coverTactic, len(detect.Tactics))
	for i, name := range detect.Tactics {
		v.Tactics[i].Tactic = name
		at[name] = &v.Tactics[i]
	}
	one := func(n int) int { return min(n, 1) }
	for _, t := range detect.Techniques() {
		for _, name := range t.Tactics {
			c := at[name]
			c.Techniques++
			if have := v.byID[t.ID]; have != nil {
				c.Loaded, c.Reachable, c.Fired = c.Loaded+1, c.Reachable+one(have.Reachable), c.Fired+one(have.Fired)
			}
		}
	}
}

func percent(part, whole int) string {
	if whole == 0 {
		return "0 %"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(part)/float64(whole))
}

func (a *app) printCoverage(v *coverage, by string) error {
	w := newTable(a.out, 0)
	n := v.Rules
	w.say("%s: %d reachable (%s), %d of them in part; %d out of reach", many(n.Loaded, "rule"), n.Reachable, percent(n.Reachable, n.Loaded), n.Part, n.Loaded-n.Reachable)
	if v.Ran {
		_ = w.line(fmt.Sprintf("%d fired on these logs", n.Fired))
	}
	if err := w.flush(); err != nil {
		return err
	}
	switch by {
	case "rule":
		return a.printCoverRules(v)
	case "technique":
		return a.printCoverTechniques(v)
	case "tactic":
		return a.printCoverTactics(v)
	case "logsource":
		return a.printCoverSources(v, len(v.LogSources))
	}
	return errors.Join(a.printCoverTactics(v), a.printCoverSources(v, 15))
}

func (a *app) printCoverTactics(v *coverage) error {
	t := newTable(a.out, 24, -10, -10, -10, -10)
	_ = t.row("techniques of", "ATT&CK", "loaded", "reachable", v.firedHead())
	for _, c := range v.Tactics {
		_ = t.row(c.Tactic, fmt.Sprint(c.Techniques), fmt.Sprint(c.Loaded), fmt.Sprint(c.Reachable), v.fired(c.Fired))
	}
	return t.flush()
}

func (v *coverage) firedHead() string {
	if v.Ran {
		return "fired"
	}
	return ""
}

// fired is a count of what fired, nothing where no logs were read.
func (v *coverage) fired(n int) string {
	if v.Ran {
		return fmt.Sprint(n)
	}
	return ""
}

func (a *app) printCoverSources(v *coverage, most int) error {
	t := newTable(a.out, 36, -8, -8, -8, -8)
	_ = t.row("rules for", "loaded", "full", "part", v.firedHead())
	for _, s := range v.LogSources[:min(most, len(v.LogSources))] {
		_ = t.row(cmp.Or(s.LogSource, "any log source"), fmt.Sprint(s.Loaded), fmt.Sprint(s.Full), fmt.Sprint(s.Part), v.fired(s.Fired))
	}
	if more := len(v.LogSources) - most; more > 0 {
		_ = t.line(fmt.Sprintf("and %d further log sources; --by logsource lists them", more))
	}
	return t.flush()
}

func (a *app) printCoverTechniques(v *coverage) error {
	t := newTable(a.out, 10, -7, -10, -6, 0)
	_ = t.row("technique", "loaded", "reachable", v.firedHead(), "name")
	for _, c := range v.Techniques {
		name := cmp.Or(c.Name, "not in ATT&CK "+v.Attack)
		if c.retired {
			name += " (retired)"
		}
		_ = t.row(c.ID, fmt.Sprint(c.Loaded), fmt.Sprint(c.Reachable), v.fired(c.Fired), name)
	}
	return t.flush()
}

func (a *app) printCoverRules(v *coverage) error {
	t := newTable(a.out, 5, 8, -5, 0)
	why := &table{w: t.w, widths: []int{22, 0}, width: t.width, cut: t.cut}
	_ = t.row("reach", "rule", v.firedHead(), "title, and why it is not full")
	for i := range v.List {
		c := &v.List[i]
		_ = t.row(c.Reach, shortID(c.ID), v.fired(c.Hits), c.Title)
		if c.Why != "" {
			why.wrapped("", c.Why)
		}
	}
	return t.flush()
}

// writeLayer writes a file for ATT&CK Navigator.
func writeLayer(name string, v *coverage) error {
	b, err := v.layer()
	if err == nil {
		err = os.WriteFile(name, b, 0o644)
	}
	if err != nil {
		return fmt.Errorf("cannot write the layer: %w", err)
	}
	return nil
}
