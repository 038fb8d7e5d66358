package main

import "bartizan/ui"

// Gaps are the logs that do not arrive, in the words of the screens.
func (l live) Gaps() (out []ui.Gap, early int) {
	gaps, early := l.engine.Gaps()
	for _, g := range gaps {
		out = append(out, ui.Gap{
			ID: g.ID, Where: g.Where(), Names: g.Names, More: g.More, Log: g.Log, Why: g.Why, Mend: g.Mend, Then: g.Then, Lacking: g.Lacking(), Rules: g.Rules,
		})
	}
	return out, early
}
