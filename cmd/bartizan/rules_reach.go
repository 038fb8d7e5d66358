package main

import (
	"bartizan/detect"
	"bartizan/event"
)

// reacher judges rules by what is read here: the built-in formats, those of the config,
// and what is configured to be known beyond the records.
func (a *app) reacher(all []*detect.Rule) (*detect.Reacher, error) {
	c, err := a.config()
	if err != nil {
		return nil, err
	}
	reg, more, err := registryOf(c)
	if err != nil {
		return nil, err
	}
	var list []detect.Supply
	for _, s := range reg.Supplies() {
		list = append(list, detect.Supply{Name: s.Format, LogSource: s.LogSource, Gives: s.Gives, Kind: s.Kind, Kinds: s.Kinds})
	}
	x := detect.NewReacher(all, list)
	if !more.KnowsOwn() {
		x.Wait(ownFields(), "it waits for own addresses: list them under own in [enrich] of the config")
	}
	return x, nil
}

// ownFields are the names that only own addresses answer.
func ownFields() []string {
	var out []string
	for _, n := range event.EnrichedNames() {
		if n.Leaf == "own" {
			out = append(out, n.Name)
		}
	}
	return out
}
