package ui

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/query"
	"bartizan/triage"
)

// book is what the small engine knows of rules besides those with alerts.
type book struct {
	rows    []RuleRow
	last    Reload
	reloads int
	on      []string // switched on again
	made    []Exception
	counted map[string][]Counted
	refuse  error // what Except answers
}

func (w *world) ruleSet() *detect.Set {
	var all []*detect.Rule
	for _, id := range slices.Sorted(maps.Keys(w.rules)) {
		all = append(all, w.rules[id])
	}
	return detect.NewSet(all)
}

func (w *world) Tree(rule string, e *event.Event) *detect.Tree {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.ruleSet()
	if s.Rule(rule) == nil {
		return nil
	}
	return s.NewMatcher().Tree(s.Rule(rule), e)
}

func (w *world) Counted(_ context.Context, rule string, _ *event.Event) ([]Counted, error) {
	return w.book.counted[rule], nil
}

func (w *world) RuleText(rule string) (string, error) {
	r := w.RuleOf(rule)
	if r == nil {
		return "", fmt.Errorf("no file that is loaded has this rule")
	}
	return fmt.Sprintf("title: %s\nid: %s\nlogsource:\n    product: linux\ndetection:\n    sel:\n        a: 1\n    condition: sel\n", r.Title, r.ID), nil
}

func (w *world) RuleRows() []RuleRow {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []RuleRow
	for _, r := range w.ruleSet().Rules() {
		out = append(out, RuleRow{Rule: r, State: "on", Hits: 3})
	}
	return append(out, w.book.rows...)
}

func (w *world) Windows(string) []detect.Window {
	return []detect.Window{
		{Group: []event.Entity{{Kind: event.EntityIP, Value: "203.0.113.9"}}, Count: 12, First: start, Last: start.Add(time.Minute), Firing: true},
		{Group: []event.Entity{{Kind: event.EntityIP, Value: "203.0.113.77"}}, Count: 2, First: start, Last: start},
	}
}

func (w *world) LastReload() Reload {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.book.last
}

func (w *world) Reload(by triage.Actor) Reload {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.book.reloads++
	w.book.last = Reload{
		At: clock, Why: "asked for by " + by.Name, Words: "1 added, 1 broken, old version kept", Bad: true,
		Lines: []string{"added: A new rule (new.yml:1)", "broken: \x1b[31mbad.yml:3: the rule has no condition; add one"},
	}
	return w.book.last
}

func (w *world) SwitchOn(rule string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.book.on = append(w.book.on, rule)
	w.book.rows = slices.DeleteFunc(w.book.rows, func(r RuleRow) bool { return r.Rule.ID == rule })
	return nil
}

func (w *world) Choices(_ string, e *event.Event, group []event.Entity) ([]Where, error) {
	var out []Where
	for _, f := range e.Fields {
		out = append(out, Where{Field: f.Name, Value: f.Value.Str, Picked: slices.ContainsFunc(group, func(g event.Entity) bool { return g.Value == f.Value.Str })})
	}
	return out, nil
}

func (w *world) Preview(_ context.Context, x Exception) (Preview, error) {
	var all query.And
	text := "title: Exception\nfilter:\n"
	for _, f := range x.Where {
		if f.Picked {
			all = append(all, &query.Pred{Field: f.Field, Op: query.OpGlob, Value: f.Value})
			text += fmt.Sprintf("    %s: %s\n", f.Field, f.Value)
		}
	}
	if len(all) == 0 {
		return Preview{}, fmt.Errorf("tick at least one field, or the rule would never hit again")
	}
	p := Preview{File: "exception-1.yml", Text: text}
	list, _ := w.Alerts()
	for _, a := range list {
		if a.RuleID != x.Rule {
			continue
		}
		ev, err := w.Evidence(a.ID)
		if err != nil {
			return p, err
		}
		h := HiddenAlert{ID: a.ID}
		for _, one := range ev {
			e, err := w.Reparse(one)
			if !one.Hit || err != nil {
				continue
			}
			h.Hits++
			if query.Holds(all, e) {
				h.Hidden++
			}
		}
		p.Hits, p.Hidden = p.Hits+h.Hits, p.Hidden+h.Hidden
		if h.Hidden > 0 {
			p.Alerts = append(p.Alerts, h)
		}
	}
	return p, nil
}

func (w *world) Except(x Exception, on triage.AlertVersion, by triage.Actor) (string, error) {
	if w.book.refuse != nil {
		return "", w.book.refuse
	}
	if _, err := w.Apply(triage.Move{Do: triage.DoNote, On: []triage.AlertVersion{on}, By: by, At: clock, Note: "exception: " + x.Reason}); err != nil {
		return "", err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.book.made = append(w.book.made, x)
	return "/home/ana/.config/bartizan/rules/exception-1.yml", nil
}

// library adds rules in every state.
func library(w *world) *world {
	day := time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC)
	sshd := event.LogSource{Product: "linux", Service: "sshd"}
	w.book.rows = []RuleRow{
		{Rule: &detect.Rule{ID: "r-slow", Title: "Any word of a long list anywhere", Severity: detect.Medium, Kind: detect.KindSigma, File: "slow.yml", Line: 1}, State: "off", Why: "switched off: it took 4.12 ms for an event, the mean of 32 measured"},
		{Rule: &detect.Rule{ID: "r-count", Title: "Many failed logins from one address", Severity: detect.High, Kind: detect.KindSigma, LogSource: sshd, Count: 10, Within: time.Minute, GroupBy: []string{"source.ip"}, File: "ssh.yml", Line: 4, Description: "Somebody tries passwords.\nOne after the other.", Runbook: "See whether one was right.", FalsePositives: []string{"a monitoring probe"}, Tags: []string{"attack.t1110.001"}, Hit: []string{"sshd[1]: Failed password for root from 203.0.113.9 port 1 ssh2"}, Miss: []string{"sshd[1]: Accepted password for root from 203.0.113.9 port 1 ssh2"}}, State: "on", Hits: 12345, Windows: 2},
		{Rule: &detect.Rule{ID: "r-dear", Title: "A tool's name anywhere in the record", Severity: detect.Low, Kind: detect.KindSigma, LogSource: sshd, File: "dear.yml", Line: 1}, State: "expensive", Why: "no value rules it out early"},
		{Rule: &detect.Rule{ID: "falco:Shell in container", Title: "Shell in container", Severity: detect.Medium, Kind: detect.KindFalco, File: "falco_rules.yaml", Line: 10, Status: "not evaluable here: it needs system calls"}, State: "shown", Why: "not evaluable here: it needs system calls"},
		{Rule: &detect.Rule{ID: "f-1", Title: "Exception to Scanner", Kind: detect.KindFilter, Filter: &detect.Filter{Owner: "ana", Expires: day}, File: "own.yml", Line: 1}, State: "filter", Why: "exception of ana until 2026-12-31: our own scanner"},
		{Rule: &detect.Rule{ID: "f-2", Title: "Exception to Login of an unknown user", Kind: detect.KindFilter, Filter: &detect.Filter{}, File: "old.yml", Line: 1}, State: "expired", Hits: 12, Why: "exception expired 2026-11-20 00:00 UTC: 12 hits since this engine began"},
		{Rule: &detect.Rule{ID: "", File: "bad.yml", Line: 3}, State: "refused", Why: "bad.yml:3: the condition names sel2, which is not there; correct the name"},
	}
	w.book.last = Reload{At: clock.Add(-20 * time.Second), Why: "a rule file changed", Words: "3 added, 1 changed", Lines: []string{"added: Many failed logins from one address (ssh.yml:4)"}}
	return w
}

// condition is what the rules of the world's alerts ask.
func condition(field, value string) query.Node {
	n, err := query.Parse(fmt.Sprintf("%s: *%s* and not (source.ip: 10.0.0.0/8 or user.name: backup)", field, strings.ReplaceAll(value, "/", "\\/")))
	if err != nil {
		panic(err)
	}
	return n
}
