package engine

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"bartizan/detect"
	"bartizan/detect/falco"
	"bartizan/detect/sigma"
	"bartizan/event"
	"bartizan/query"
	"bartizan/triage"
)

// The bounds of exceptions and of the look at what they would have hidden.
const (
	MaxExceptionDays = 366
	maxChoices       = 200
	maxPreview       = 200 // alerts, the newest first
	maxCompared      = 16
)

// Where is one field of an exception and the value it must have; * and ? in it stand
// for any text and any character.
type Where struct {
	Field  string
	Value  string
	Picked bool // part of the exception; of a choice: offered as such

	Comp   string   // Falco's operator, where the rule is Falco's
	Values []string // what it was offered with; Value stands where it was edited
}

// Exception is a person's wish that a rule does not hit for some events.
type Exception struct {
	Rule    string // id
	Where   []Where
	Owner   string
	Reason  string
	Expires time.Time
}

// Preview is what an exception would have hidden of the alerts on the board.
type Preview struct {
	File    string // that would be written
	Text    string
	On      string // a sentence about where it holds, where that is not simply the rule
	Hits    int    // pinned records of alerts of the rule that were looked at
	Hidden  int    // of them, those it takes out
	Alerts  []HiddenAlert
	Skipped int // alerts not looked at
}

// HiddenAlert is an alert with pinned records that an exception takes out.
type HiddenAlert struct {
	ID           triage.AlertID
	Hits, Hidden int
}

// exceptable is the loaded rule that an exception is written for; the error says
// by name what cannot have one.
func (e *Engine) exceptable(id string) (*detect.Rule, error) {
	s := e.rules.Load()
	r := s.set.Rule(id)
	if r == nil {
		if made := e.feeds.foreign(id); made != nil {
			if r = s.explain(made.Title); r == nil {
				return nil, fmt.Errorf("no loaded rule is called %q, so no exception can be written; load Falco's rule files (rules = [\"/etc/falco\"]) or write it where Falco runs", made.Title)
			}
			return r, nil
		}
		if own := ownRule(id); own != nil {
			return nil, fmt.Errorf("%q is a finding of Bartizan itself and has no exceptions; snooze or close it", own.Title)
		}
		return nil, fmt.Errorf("the rule %s is not loaded any more, so no exception can be written", id)
	}
	if r.Filter != nil {
		return nil, fmt.Errorf("%q is an exception itself", r.Title)
	}
	return r, nil
}

// Choices are the fields of an event that an exception of the rule could name, the
// telling ones first; those of the alert's group are picked.
func (e *Engine) Choices(id string, ev *event.Event, group []event.Entity) ([]Where, error) {
	r, err := e.exceptable(id)
	if err != nil {
		return nil, err
	}
	var out []Where
	if r.Kind == detect.KindFalco {
		for _, c := range falco.Choices(r, ev) {
			out = append(out, Where{Field: c.Field, Value: strings.Join(c.Values, ", "), Comp: c.Comp, Values: c.Values})
		}
	} else {
		out = sigmaChoices(e.rules.Load().set, r, ev)
	}
	pickGroup(out, r, group)
	return out, nil
}

// sigmaChoices are the fields of an event: those the rules ask for first.
func sigmaChoices(set *detect.Set, r *detect.Rule, ev *event.Event) []Where {
	var names []string
	add := func(n string) {
		if n != "" && !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	for _, b := range append([]*detect.Rule{r}, basesOf(set, r, nil, 0)...) {
		for _, n := range slices.Concat(b.GroupBy, b.Fields) {
			add(n)
		}
		if b.Correlation != nil {
			for _, n := range b.Correlation.GroupBy {
				add(n)
			}
		}
		query.Walk(b.Cond, func(n query.Node) {
			if p, ok := n.(*query.Pred); ok && !query.IsPseudo(p.Field) {
				add(p.Field)
			}
		})
	}
	for i := range ev.Fields {
		add(ev.Fields[i].Name)
	}
	var out []Where
	type place struct{ pos, end int32 }
	seen := map[place]bool{} // one piece of the record is offered once, not under each of its names
	for _, n := range names {
		v, ok := ev.Get(n)
		if at := (place{v.Pos, v.End}); ok && v.End > v.Pos && v.Pos >= 0 {
			ok = !seen[at]
			seen[at] = true
		}
		if !ok || v.Str == "" || v.Kind == event.KindNull || v.Kind == event.KindObject || len(v.Str) > 1024 {
			continue
		}
		if out = append(out, Where{Field: n, Value: escapeWildcards(v.Str)}); len(out) == maxChoices {
			break
		}
	}
	return out
}

// escapeWildcards writes a value so that it stands for itself.
func escapeWildcards(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`).Replace(s)
}

// pickGroup picks one field for every value of the alert's group.
func pickGroup(list []Where, r *detect.Rule, group []event.Entity) {
	for _, g := range group {
		at := -1
		for i, w := range list {
			if w.Value != escapeWildcards(g.Value) && w.Value != g.Value {
				continue
			}
			if at < 0 || slices.Contains(r.GroupBy, w.Field) {
				at = i
			}
		}
		if at >= 0 {
			list[at].Picked = true
		}
	}
}

// draft is an exception ready to be written.
type draft struct {
	file string
	text []byte
	cond query.Node // of the events it takes out
	on   string     // where it holds, where that is not simply the rule
}

// draft makes the file of an exception. complete also wants what a saved one needs.
func (e *Engine) draft(x Exception, complete bool) (*draft, error) {
	r, err := e.exceptable(x.Rule)
	if err != nil {
		return nil, err
	}
	x.Reason = oneLine(x.Reason)
	var where []Where
	for _, w := range x.Where {
		if w.Picked {
			where = append(where, w)
		}
	}
	switch {
	case len(where) == 0:
		return nil, errors.New("tick at least one field, or the rule would never hit again")
	case len(where) > maxCompared:
		return nil, fmt.Errorf("an exception names at most %d fields", maxCompared)
	}
	if complete {
		if err := e.checkPaper(x); err != nil {
			return nil, err
		}
	}
	d := &draft{}
	if r.Kind == detect.KindFalco {
		err = e.draftFalco(d, r, x, where)
	} else {
		err = e.draftSigma(d, r, x, where)
	}
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(d.text)
	d.file = fmt.Sprintf("exception-%s-%s.yml", slug(r.Title), hex.EncodeToString(sum[:4]))
	if r.Kind == detect.KindFalco {
		d.file = "zz-" + d.file // Falco reads a folder in the order of names, and the rule must come before
	}
	return d, nil
}

// checkPaper checks what a saved exception must say.
func (e *Engine) checkPaper(x Exception) error {
	now := e.o.Now()
	switch {
	case strings.TrimSpace(x.Owner) == "":
		return errors.New("an exception needs an owner")
	case strings.TrimSpace(x.Reason) == "":
		return errors.New("an exception needs a reason")
	case !x.Expires.After(now):
		return errors.New("an exception needs an expiry in the future")
	case x.Expires.After(now.AddDate(0, 0, MaxExceptionDays+1)):
		return fmt.Errorf("an exception lasts at most %d days; renew it then", MaxExceptionDays)
	}
	return nil
}

func (e *Engine) draftSigma(d *draft, r *detect.Rule, x Exception, where []Where) error {
	var all query.And
	for _, w := range where {
		p := &query.Pred{Field: w.Field, Op: query.OpEqual, Value: w.Value}
		if strings.ContainsAny(w.Value, `*?\`) {
			p.Op = query.OpGlob
		}
		all = append(all, p)
	}
	d.cond = all
	doc := sigma.Document{
		Title: "Exception to " + r.Title, Cond: all, Filter: []string{r.ID}, LogSource: r.LogSource, Exclude: e.o.FiltersExclude,
		Owner: x.Owner, Reason: x.Reason, Expires: x.Expires, Author: x.Owner, Date: e.o.Now(),
	}
	if r.Cond == nil { // filters are added to what a correlation stands on
		doc.Filter, doc.LogSource = nil, event.LogSource{}
		var names []string
		for _, b := range basesOf(e.rules.Load().set, r, nil, 0) {
			doc.Filter = append(doc.Filter, b.ID)
			names = append(names, b.Title)
		}
		d.on = "it is added to the rules that the correlation counts: " + strings.Join(names, ", ")
		if len(doc.Filter) == 0 {
			return fmt.Errorf("%q has no condition a filter could be added to", r.Title)
		}
	}
	var b bytes.Buffer
	if err := sigma.Write(&b, doc); err != nil {
		return err
	}
	d.text = b.Bytes()
	return nil
}

func (e *Engine) draftFalco(d *draft, r *detect.Rule, x Exception, where []Where) error {
	f := falco.Exception{Rule: r.Title, Owner: x.Owner, Reason: x.Reason, Expires: x.Expires}
	h := sha256.New()
	for _, w := range where {
		c := falco.Compared{Field: w.Field, Comp: w.Comp, Values: w.Values}
		if w.Value != strings.Join(w.Values, ", ") { // edited
			c.Comp, c.Values = "=", []string{w.Value}
			if strings.ContainsAny(w.Value, "*?") {
				c.Comp = "glob"
			}
		}
		f.Where = append(f.Where, c)
		_, _ = fmt.Fprintf(h, "%q %q %q ", c.Field, c.Comp, c.Values)
	}
	_, _ = fmt.Fprintf(h, "%q %q %v", x.Owner, x.Reason, x.Expires)
	f.Name = "bartizan_" + hex.EncodeToString(h.Sum(nil)[:6])
	var err error
	if d.cond, err = falco.Excludes(r, f); err != nil {
		return err
	}
	if r.Cond == nil {
		d.on = "it is for Falco, where the rule runs: load the file there; what Falco still sends is still shown here"
	}
	d.text, err = falco.WriteException(f)
	return err
}

// slug is a title fit for a file name.
func slug(title string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(title) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() >= 40 {
			break
		}
	}
	return strings.Trim(b.String(), "-")
}

// Preview says what an exception would have hidden, by asking it about the pinned
// records of the rule's alerts, and what would be written. It reads the board's
// database.
func (e *Engine) Preview(ctx context.Context, x Exception) (Preview, error) {
	d, err := e.draft(x, false)
	if err != nil {
		return Preview{}, err
	}
	out := Preview{File: d.file, Text: string(d.text), On: d.on}
	list, _ := e.o.Desk.Alerts()
	list = slices.DeleteFunc(slices.Clone(list), func(a *triage.Alert) bool { return a.RuleID != x.Rule })
	slices.SortStableFunc(list, func(a, b *triage.Alert) int { return b.Last.Compare(a.Last) })
	if len(list) > maxPreview {
		out.Skipped = len(list) - maxPreview
		list = list[:maxPreview]
	}
	for _, a := range list {
		if ctx.Err() != nil {
			return out, ctx.Err()
		}
		h, err := e.hidden(a.ID, d.cond)
		if err != nil {
			return out, err
		}
		out.Hits += h.Hits
		out.Hidden += h.Hidden
		if h.Hidden > 0 {
			out.Alerts = append(out.Alerts, h)
		}
	}
	return out, nil
}

// hidden asks a condition about the pinned hits of one alert.
func (e *Engine) hidden(id triage.AlertID, cond query.Node) (HiddenAlert, error) {
	out := HiddenAlert{ID: id}
	list, err := e.o.Desk.Evidence(id)
	if err != nil {
		return out, err
	}
	for _, ev := range list {
		if !ev.Hit {
			continue
		}
		rec, err := e.Reparse(ev)
		if err != nil {
			continue
		}
		out.Hits++
		if query.Holds(cond, rec) {
			out.Hidden++
		}
	}
	return out, nil
}
