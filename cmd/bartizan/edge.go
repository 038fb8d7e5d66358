package main

import (
	"errors"

	"bartizan/agent"
	"bartizan/config"
	"bartizan/detect"
	"bartizan/detect/sigma"
	"bartizan/engine"
	"bartizan/sources/remote"
)

// runAtEdge lets the agent send only what this console's rules need, now and
// after they were read again.
func (a *app) runAtEdge(p *remote.Peer, opt *engine.Options) {
	p.SetEdge(detect.Digest(opt.Rules.Rules))
	read := opt.LoadRules
	opt.LoadRules = func() (engine.RuleFiles, error) {
		f, err := read()
		if err == nil {
			p.SetEdge(detect.Digest(f.Loaded.Rules))
		}
		return f, err
	}
}

// edgeRules reads the rules an agent runs itself; nil when it names none. A rule
// that is refused here is refused at the console too, and is not compared.
func edgeRules(places []string) (*agent.Edge, error) {
	if len(places) == 0 {
		return nil, nil
	}
	a := &app{}
	c := config.Default()
	c.Rules = places
	f, err := a.readRules(c, false)
	if err != nil {
		return nil, err
	}
	if len(f.Loaded.Rules) == 0 {
		return nil, errors.New("rules = [...] names no rules that can be run: bartizan rules check says why")
	}
	l := detect.Loaded{Rules: detect.Unfiltered(f.Loaded.Rules)}
	digest := detect.Digest(l.Rules)
	sigma.Link(&l)
	return &agent.Edge{Rules: detect.NewSet(l.Rules), Digest: digest}, nil
}
