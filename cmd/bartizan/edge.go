package main

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"slices"

	"bartizan/agent"
	"bartizan/config"
	"bartizan/detect"
	"bartizan/detect/sigma"
	"bartizan/engine"
	"bartizan/query"
	"bartizan/sources/remote"
)

// runAtEdge lets the agent send only what this console's rules need, now and
// after they were read again.
func (a *app) runAtEdge(c *config.Config, p *remote.Peer, opt *engine.Options) {
	p.SetEdge(edgeDigest(opt.Rules.Rules, c))
	read := opt.LoadRules
	opt.LoadRules = func() (engine.RuleFiles, error) {
		f, err := read()
		if err == nil {
			p.SetEdge(edgeDigest(f.Loaded.Rules, c)) // formats stay those it began with
		}
		return f, err
	}
}

// edgeDigest names what the rules can hit on, where records are read with the
// formats and aliases of c: a host that knows others finds other fields.
func edgeDigest(rules []*detect.Rule, c *config.Config) []byte {
	digest := detect.Digest(rules)
	if len(c.Format)+len(c.Aliases) == 0 {
		return digest
	}
	formats := slices.Clone(c.Format)
	for i := range formats {
		formats[i].Doc, formats[i].Samples = "", nil // they change no field
	}
	text, err := json.Marshal([]any{formats, c.Aliases})
	if err != nil {
		return nil // texts and lists of texts always can be written; without a digest nothing runs at the edge
	}
	sum := sha256.Sum256(append(digest, text...))
	return sum[:]
}

// edgeRules reads the rules an agent runs itself; nil when it names none. A rule
// that is refused here is refused at the console too, and is not compared.
func edgeRules(places []string, formats *config.Config) (*agent.Edge, error) {
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
	digest := edgeDigest(l.Rules, formats)
	for i, r := range l.Rules {
		l.Rules[i] = unenriched(r)
	}
	sigma.Link(&l)
	return &agent.Edge{Rules: detect.NewSet(l.Rules), Digest: digest}, nil
}

// unenriched is a rule that holds wherever r can: what the console knows beyond the
// records may decide there, so it must have all of these.
func unenriched(r *detect.Rule) *detect.Rule {
	if r.Cond == nil || len(query.Enriched(r.Cond)) == 0 {
		return r
	}
	wide := *r
	wide.Cond = query.Unenriched(r.Cond)
	return &wide
}
