package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"bartizan/config"
	"bartizan/engine"
	"bartizan/sources"
	"bartizan/sources/parse"
)

// sampleTime is how long doctor looks at logs at most.
const sampleTime = 60 * time.Second

// lacking is what doctor says of one log that does not arrive; the shape is a
// promise.
type lacking struct {
	Place string        `json:"place"`
	Names []string      `json:"names"`
	More  int           `json:"more"` // names that are not listed
	Log   string        `json:"log"`
	Why   string        `json:"why"`
	Mend  string        `json:"mend"`
	Then  string        `json:"then"`
	Rules []lackingRule `json:"rules"` // that can match nothing without it
}

type lackingRule struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

func newLacking(g *engine.Gap) *lacking {
	l := &lacking{Place: g.Place.String(), Names: g.Names, More: g.More, Log: g.Log, Why: g.Why, Mend: g.Mend, Then: g.Then, Rules: []lackingRule{}}
	for _, r := range g.Rules {
		l.Rules = append(l.Rules, lackingRule{r.ID, r.Title})
	}
	return l
}

// print adds the lines under the one that names it.
func (l *lacking) print(w io.Writer) error {
	_, err := fmt.Fprintln(w, printable("        mend: "+l.Mend))
	if err == nil && l.Then != "" {
		_, err = fmt.Fprintln(w, printable("        "+l.Then))
	}
	return err
}

// examineCoverage looks at a sample of the logs and says which do not arrive.
func (a *app) examineCoverage(ctx context.Context, paths []string, add func(bool, string, string)) ([]finding, error) {
	c, err := a.config()
	if err != nil {
		return nil, nil // said above
	}
	reg := parse.NewRegistry(c.ParseOptions())
	open, err := a.sampled(ctx, c, reg, paths)
	if err != nil {
		return nil, err
	}
	l, err := a.loadRules(c)
	if err != nil {
		return nil, err
	}
	a.sayRefused(l)
	if len(open) == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, sampleTime)
	defer cancel()
	failed := &failures{a: a}
	s := engine.Look(ctx, open, reg, failed.add)
	gaps := s.Gaps(engine.NewNeeds(l.Rules, reg.Supplies()))
	words := fmt.Sprintf("%s of %s looked at; not arriving: %s", many(int(s.Records), "record"), many(s.Sources, "source"), many(len(gaps), "wanted log"))
	if s.Cut > 0 {
		words += fmt.Sprintf("; of %s only the beginning", many(s.Cut, "source"))
	}
	if s.Skipped > 0 {
		words += fmt.Sprintf("; %s not read", many(s.Skipped, "further source"))
	}
	add(len(gaps) == 0, "coverage", words)
	var out []finding
	for i := range gaps {
		g := &gaps[i]
		out = append(out, finding{What: g.ID, Text: g.String(), lacking: newLacking(g)})
	}
	return out, nil
}

// sampled opens the logs to look at: those of the paths, else of the config, else
// what this host has.
func (a *app) sampled(ctx context.Context, c *config.Config, reg *parse.Registry, paths []string) ([]sources.Opened, error) {
	if len(paths) > 0 {
		open, _, err := a.openStatic(ctx, reg, paths)
		return open, err
	}
	looks := c.Files(nil, a.format)
	journal := false
	for _, s := range c.Source {
		journal = journal || s.Journald
	}
	if len(c.Source) == 0 && len(c.Agent) == 0 {
		look, others, _ := c.Local(sources.Local("/"))
		looks, journal = append(looks, look), len(others) > 0
	}
	var open []sources.Opened
	for _, look := range looks {
		o := look.Options
		o.Follow = false
		if len(look.Patterns) == 0 {
			continue
		}
		// what may not be read was said above, and a pattern may name nothing yet
		_ = sources.Discover(ctx, look.Patterns, o, func(op sources.Opened) { open = append(open, op) })
	}
	if journal {
		open = append(open, sources.Command("journal", []string{"journalctl", "--output=json", "--lines=20000", "--no-pager", "--quiet"}))
	}
	return open, ctx.Err()
}
