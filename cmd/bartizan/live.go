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
	_ ui.Judge    = live{}
	_ ui.Rulebook = live{}
	_ ui.Excepter = live{}
	_ ui.Joiner   = live{}
	_ ui.Coverer  = live{}
	_ ui.Past     = past{}
	_ ui.Desk     = (*store.Desk)(nil)
)

func (l live) Changed() (<-chan struct{}, func())               { return l.engine.Changed() }
func (l live) Bounds() (first, next uint64)                     { return l.engine.Bounds() }
func (l live) Read(seq uint64, e *event.Event) error            { return l.engine.Read(seq, e) }
func (l live) Sources() []event.SourceStatus                    { return l.engine.Sources() }
func (l live) RuleOf(id string) *detect.Rule                    { return l.engine.RuleOf(id) }
func (l live) Reparse(ev triage.Evidence) (*event.Event, error) { return l.engine.Reparse(ev) }
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
		Lost: s.Lost, Rules: s.Rules, Refused: s.Refused, RulesOff: s.RulesOff, Expired: s.Expired, Sources: s.Sources, SourcesBad: s.SourcesBad,
		Consoles: l.consoles(), ReadOnly: s.ReadOnly, Problem: s.Problem,
	}
}

func (l live) Tree(rule string, e *event.Event) *detect.Tree { return l.engine.Tree(rule, e) }
func (l live) RuleText(rule string) (string, error)          { return l.engine.RuleText(rule) }

func (l live) Counted(ctx context.Context, rule string, last *event.Event) ([]ui.Counted, error) {
	list, err := l.engine.Counted(ctx, rule, last)
	out := make([]ui.Counted, len(list))
	for i, k := range list {
		out[i] = ui.Counted(k)
	}
	return out, err
}

func (l live) RuleRows() []ui.RuleRow {
	var out []ui.RuleRow
	for _, i := range l.engine.RuleInfos() {
		out = append(out, ui.RuleRow{Rule: i.Rule, State: string(i.State), Why: i.Why, Hits: i.Hits, Windows: i.Windows})
	}
	_, refused := l.engine.Rules()
	for _, r := range refused {
		out = append(out, ui.RuleRow{Rule: &detect.Rule{ID: r.ID, Title: r.ID, File: r.File, Line: r.Line}, State: "refused", Why: r.Error()})
	}
	return out
}

func (l live) Windows(rule string) []detect.Window { return l.engine.Windows(rule) }
func (l live) LastReload() ui.Reload               { return shownReload(l.engine.LastReload()) }
func (l live) SwitchOn(rule string) error          { return l.engine.SwitchOn(rule) }

// Reload reads the rules again because a person asked.
func (l live) Reload(by triage.Actor) ui.Reload {
	return shownReload(l.engine.Reload("asked for by " + by.Name))
}

func shownReload(r engine.Reload) ui.Reload {
	out := ui.Reload{At: r.At, Why: r.Why, Lines: r.Lines(), Bad: r.Problem != "" || len(r.Diff.Broken) > 0}
	if !r.At.IsZero() {
		out.Words = r.String()
	}
	return out
}

// Choices are the fields an exception could name.
func (l live) Choices(rule string, e *event.Event, group []event.Entity) ([]ui.Where, error) {
	list, err := l.engine.Choices(rule, e, group)
	out := make([]ui.Where, len(list))
	for i, w := range list {
		out[i] = ui.Where(w)
	}
	return out, err
}

func exceptionOf(x ui.Exception) engine.Exception {
	out := engine.Exception{Rule: x.Rule, Owner: x.Owner, Reason: x.Reason, Expires: x.Expires}
	for _, w := range x.Where {
		out.Where = append(out.Where, engine.Where(w))
	}
	return out
}

// Preview says what an exception would have hidden.
func (l live) Preview(ctx context.Context, x ui.Exception) (ui.Preview, error) {
	p, err := l.engine.Preview(ctx, exceptionOf(x))
	out := ui.Preview{File: p.File, Text: p.Text, On: p.On, Hits: p.Hits, Hidden: p.Hidden, Skipped: p.Skipped}
	for _, h := range p.Alerts {
		out.Alerts = append(out.Alerts, ui.HiddenAlert(h))
	}
	return out, err
}

// Except writes an exception and puts it in force.
func (l live) Except(x ui.Exception, on triage.AlertVersion, by triage.Actor) (string, error) {
	return l.engine.Except(exceptionOf(x), on, by)
}

// Joins says what a record belongs to.
func (l live) Joins(e *event.Event) []ui.Join {
	list := l.engine.Joins(e)
	out := make([]ui.Join, len(list))
	for i, j := range list {
		out[i] = ui.Join(j)
	}
	return out
}

// Session tells about a session.
func (l live) Session(id string) (ui.Session, bool) {
	s, ok := l.engine.Session(id)
	return ui.Session(s), ok
}

// Forgotten is how many facts about sessions were given up.
func (l live) Forgotten() uint64 { return l.engine.JoinStats().Forgotten }
