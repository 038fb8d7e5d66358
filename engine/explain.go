package engine

import (
	"context"
	"slices"
	"strings"
	"time"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/store"
)

// Tree judges every part of a rule's condition against an event, nil when the rule
// is not loaded. For an alert from Falco it is the tree of the loaded rule of its
// name.
func (e *Engine) Tree(id string, ev *event.Event) *detect.Tree {
	s := e.rules.Load()
	r := s.set.Rule(id)
	if r == nil {
		if made := e.feeds.foreign(id); made != nil {
			r = s.explain(made.Title)
		}
	}
	if r == nil {
		return nil
	}
	s.judging.Lock()
	defer s.judging.Unlock()
	if s.judge == nil {
		s.judge = s.set.NewMatcher()
	}
	return s.judge.Tree(r, ev)
}

// Counted is one record of a window, with the rules it is a match of.
type Counted struct {
	Event *event.Event
	Rules []*detect.Rule
}

// Counted finds the records that the window of a rule held when last completed it,
// oldest first and at most detect.MaxRefs of them, among those in memory; nil for a
// rule without a window. It reads the ring backwards until it is before the window,
// or ctx ends.
func (e *Engine) Counted(ctx context.Context, id string, last *event.Event) ([]Counted, error) {
	set := e.rules.Load().set
	r := set.Rule(id)
	if r == nil || last == nil {
		return nil, nil
	}
	w := newWindowLook(set, r)
	if len(w.bases) == 0 {
		return nil, nil
	}
	want, ok := w.group(last)
	if !ok {
		return nil, nil
	}
	var out []Counted
	rd := &reader{}
	var ev event.Event
	first, next := e.ring.Bounds()
	err := e.ring.Scan(ctx, next, first, nil, func(row *store.Row) bool {
		if row.Time.Before(last.Time.Add(-w.span - detect.DefaultLateness)) {
			return false
		}
		if row.Time.After(last.Time) || row.Time.Before(last.Time.Add(-w.span)) || row.Lost > 0 {
			return true
		}
		rd.row = *row
		e.unpack(rd, &ev)
		if got, ok := w.group(&ev); ok && got == want {
			out = append(out, Counted{ev.Clone(), slices.Clone(w.found)})
		}
		return len(out) < detect.MaxRefs
	})
	slices.Reverse(out)
	slices.SortStableFunc(out, func(a, b Counted) int { return a.Event.Time.Compare(b.Event.Time) })
	return out, err
}

// windowLook finds the records that a rule with a window counts.
type windowLook struct {
	rule    *detect.Rule
	cor     *detect.Correlation
	span    time.Duration
	bases   []*detect.Rule
	matcher *detect.Matcher
	found   []*detect.Rule // of the last record
}

func newWindowLook(set *detect.Set, r *detect.Rule) *windowLook {
	w := &windowLook{rule: r, cor: r.Correlation, span: r.Within}
	switch {
	case r.Correlation != nil:
		w.span = r.Correlation.Span
		w.bases = basesOf(set, r, nil, 0)
	case r.Count > 1:
		w.bases = []*detect.Rule{r}
	}
	w.matcher = detect.NewSet(w.bases).NewMatcher()
	return w
}

// basesOf appends the rules with a condition that a correlation stands on.
func basesOf(set *detect.Set, r *detect.Rule, dst []*detect.Rule, depth int) []*detect.Rule {
	if r.Cond != nil && !slices.Contains(dst, r) {
		return append(dst, r)
	}
	if r.Correlation == nil || depth > detect.MaxChain {
		return dst
	}
	for _, id := range r.Correlation.Rules {
		if b := set.Rule(id); b != nil {
			dst = basesOf(set, b, dst, depth+1)
		}
	}
	return dst
}

// group is the group of a record, false when the rule does not count it.
func (w *windowLook) group(ev *event.Event) (string, bool) {
	if w.found = w.matcher.Match(ev, w.found[:0]); len(w.found) == 0 {
		return "", false
	}
	var b strings.Builder
	if w.cor == nil {
		for _, n := range detect.Group(w.rule, ev, nil) {
			b.WriteString(n.Value + "\x00")
		}
		return b.String(), true
	}
	for _, name := range w.cor.GroupBy {
		if field, ok := w.cor.Aliases[name][w.found[0].ID]; ok {
			name = field
		}
		v, ok := ev.Get(name)
		if !ok {
			return "", false
		}
		b.WriteString(v.Str + "\x00")
	}
	return b.String(), true
}
