package main

import (
	"context"

	"bartizan/detect"
	"bartizan/engine"
	"bartizan/event"
	"bartizan/query"
	"bartizan/store"
	"bartizan/triage"
	"bartizan/ui"
)

// live shows an engine to the screens, in their words.
type live struct {
	engine   *engine.Engine
	consoles func() int
}

var (
	_ ui.Live     = live{}
	_ ui.Reparser = live{}
	_ ui.Ruler    = live{}
	_ ui.Past     = (*engine.Engine)(nil)
	_ ui.Desk     = (*store.Desk)(nil)
)

func (l live) Changed() (<-chan struct{}, func())               { return l.engine.Changed() }
func (l live) Bounds() (first, next uint64)                     { return l.engine.Bounds() }
func (l live) Read(seq uint64, e *event.Event) error            { return l.engine.Read(seq, e) }
func (l live) Sources() []event.SourceStatus                    { return l.engine.Sources() }
func (l live) RuleOf(id string) *detect.Rule                    { return l.engine.RuleOf(id) }
func (l live) Reparse(ev triage.Evidence) (*event.Event, error) { return l.engine.Reparse(ev) }
func (l live) RuleList() []*detect.Rule                         { rules, _ := l.engine.Rules(); return rules }
func (l live) PushFilter(q string) error                        { return l.engine.PushFilter(q) }
func (l live) Scan(ctx context.Context, from, to uint64, m *query.Matcher, found func(uint64) bool) error {
	return l.engine.Scan(ctx, from, to, m, found)
}

func (l live) Hits(seq uint64) []ui.HitMark {
	marks := l.engine.Hits(seq)
	if len(marks) == 0 {
		return nil
	}
	out := make([]ui.HitMark, len(marks))
	for i, m := range marks {
		out[i] = ui.HitMark{Rule: m.Rule, Alert: m.Alert, Why: m.Why}
	}
	return out
}

func (l live) Status() ui.Status {
	s := l.engine.Status()
	return ui.Status{
		Version: version, DetectedSince: s.DetectedSince, Progress: s.Progress, RingFrom: s.RingFrom, Rate: s.Rate,
		Lost: s.Lost, Rules: s.Rules, Refused: s.Refused, Sources: s.Sources, SourcesBad: s.SourcesBad,
		Consoles: l.consoles(), ReadOnly: s.ReadOnly, Problem: s.Problem,
	}
}
