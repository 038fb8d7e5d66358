package triage

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"bartizan/event"
	"bartizan/query"
)

// Change is what one hit did to the board.
type Change struct {
	Alert    AlertID   // the alert the hit belongs to
	Known    bool      // the same hit was counted before: nothing changed
	Raised   bool      // a new alert, or a new episode of one
	Reraised []AlertID // alerts somebody had acted on that came back
	Nth      uint64    // the hit is the alert's Nth
	Entries  []Entry   // the machine's rows, unhashed, already applied
}

// Raise counts a hit. Everything kept of it is copied. now is the engine's
// clock; the hit's event time is believed up to MaxFuture ahead of it. The only
// error is a hit without a rule.
func (b *Board) Raise(h Hit, now time.Time) (Change, error) {
	if h.Rule == nil {
		return Change{}, errors.New("a hit without a rule cannot be counted")
	}
	print := b.fingerprint(h)
	if c, known := b.known(h.ID, print); known {
		return c, nil
	}
	when := hitTime(h, now)
	n, c := b.newest[print], Change{}
	if n == nil || isOver(n.alert, when) {
		n = b.rise(h, print, now)
		c.Raised = true
		c.Entries = append(c.Entries, b.machineMove(DoRaise, now, "", n))
	}
	b.count(n, h, when, now, &c)
	b.fresh[h.ID] = n.alert.ID
	c.Alert, c.Nth = n.alert.ID, n.alert.Count
	return c, nil
}

// fingerprint groups the hit; on a full board new groups fold into one per rule.
func (b *Board) fingerprint(h Hit) string {
	print := Fingerprint(h.Rule.ID, h.Group)
	if len(b.nodes) >= MaxAlerts && b.newest[print] == nil {
		return Fingerprint(h.Rule.ID, nil)
	}
	return print
}

// known says whether the hit was counted before, and where.
func (b *Board) known(id HitID, print string) (Change, bool) {
	if at, ok := b.fresh[id]; ok {
		return Change{Alert: at, Known: true}, true
	}
	n := b.newest[print]
	if n == nil || b.Known == nil || !b.Known(id) {
		return Change{}, false
	}
	return Change{Alert: n.alert.ID, Known: true}, true
}

// hitTime is the event's own time, kept from pointing into the future.
func hitTime(h Hit, now time.Time) time.Time {
	if h.Event == nil || h.Event.Time.IsZero() {
		return now.UTC()
	}
	if limit := now.Add(MaxFuture); h.Event.Time.After(limit) {
		return limit.UTC()
	}
	return h.Event.Time.UTC()
}

// isOver reports whether a hit at that time begins a new episode: the last one
// is long past and somebody decided about it. What nobody decided about, or what
// is snoozed, goes on being the one thing to decide.
func isOver(a *Alert, when time.Time) bool {
	return when.Sub(a.Last) > EpisodeQuiet && (a.State == StateClosed || a.State == StateTaken)
}

// rise puts a new alert on the board, without the hit counted yet.
func (b *Board) rise(h Hit, print string, now time.Time) *node {
	a := &Alert{Fingerprint: print, Episode: 1, RuleID: h.Rule.ID, RuleKind: h.Rule.Kind, Raised: now.Round(0).UTC()}
	if before := b.newest[print]; before != nil {
		a.Episode, a.Previous = before.alert.Episode+1, before.alert.ID
	}
	a.ID = episodeID(print, a.Episode)
	for _, e := range h.Group[:min(len(h.Group), MaxEntities)] {
		a.Group = append(a.Group, ownEntity(e))
	}
	n := &node{alert: a}
	b.nodes[a.ID], b.newest[print] = n, n
	return n
}

// count adds the hit to the alert, and brings back what that calls for.
func (b *Board) count(n *node, h Hit, when, now time.Time, c *Change) {
	why := b.reason(n.alert, h)
	a := b.edit(n)
	a.Count++
	describe(a, h)
	b.suspect(n)
	if a.First.IsZero() || when.Before(a.First) {
		a.First = when
	}
	if when.After(a.Last) {
		a.Last = when
	}
	gained := b.addEntities(a, h)
	if why == "" && a.ActedCount > 0 {
		why = newEntity(gained)
	}
	rank(a)
	if why != "" {
		c.Entries = append(c.Entries, b.machineMove(DoReraise, now, why, n))
		c.Reraised = append(c.Reraised, a.ID)
	}
	b.bringBack(n, gained, now, c)
}

// describe copies what the alert shows of its newest hit.
func describe(a *Alert, h Hit) {
	a.Title, a.Tags, a.Runbook = h.Rule.Title, h.Rule.Tags, h.Rule.Runbook
	a.Severity = max(a.Severity, h.Rule.Severity)
	a.Why = ownWhy(h.Why)
	for _, r := range h.Refs {
		if len(a.Sources) < MaxSources && !slices.Contains(a.Sources, r.Source) {
			a.Sources = append(slices.Clip(a.Sources), r.Source)
		}
	}
	if h.Event != nil {
		a.Sample = string(h.Event.Raw[:min(len(h.Event.Raw), MaxSample)])
		a.Outcome = mergeOutcome(a.Outcome, h.Event.Text("event.outcome"))
	}
}

func ownWhy(why []query.Match) []query.Match {
	out := make([]query.Match, 0, min(len(why), MaxWhy))
	for _, w := range why[:min(len(why), MaxWhy)] {
		w.Field, w.Predicate, w.Value = ownText(w.Field), ownText(w.Predicate), ownText(w.Value)
		out = append(out, w)
	}
	return out
}

// ownText copies a text from a record, bounded and valid UTF-8.
func ownText(s string) string {
	return strings.Clone(strings.ToValidUTF8(cut(s, MaxValue), "\uFFFD"))
}

func ownEntity(e event.Entity) event.Entity {
	e.Value = ownText(e.Value)
	return e
}

// reason says why the hit brings its own alert back, "" when it does not (new
// entities are looked at when they are added).
func (b *Board) reason(a *Alert, h Hit) string {
	switch {
	case a.ActedCount == 0:
		return ""
	case h.Rule.Severity > a.Severity:
		return fmt.Sprintf("severity rose from %s to %s", a.Severity, h.Rule.Severity)
	case a.Count+1 > ReraiseTimes*a.ActedCount:
		return fmt.Sprintf("%d hits, more than %d times the %d there were", a.Count+1, ReraiseTimes, a.ActedCount)
	}
	return ""
}

func newEntity(gained []event.Entity) string {
	for _, e := range gained {
		if telling(e) || e.Kind == event.EntityHost {
			return fmt.Sprintf("new %s %s", e.Kind, cut(e.Value, 128))
		}
	}
	return ""
}

// telling reports whether an entity says something beyond its own event:
// requests and sessions are new every time, observers see everything, and other
// values (a port, a path) mean something only within their own rule.
func telling(e event.Entity) bool {
	return e.Role != event.RoleObserver && !passing(e.Kind) && e.Kind != event.EntityOther
}

func passing(k event.EntityKind) bool {
	return k == event.EntityRequest || k == event.EntitySession
}

// addEntities adds the hit's entities within the alert's bounds and returns
// those it did not have.
func (b *Board) addEntities(a *Alert, h Hit) (gained []event.Entity) {
	all := append(b.scratch[:0], h.Group...)
	if h.Event != nil {
		all = h.Event.Entities(all)
	}
	b.scratch = all
	for _, e := range all {
		if len(a.Entities) >= MaxEntities || passing(e.Kind) && countPassing(a.Entities) >= MaxPassing {
			continue
		}
		e.Value = strings.ToValidUTF8(cut(e.Value, MaxValue), "\uFFFD")
		if slices.ContainsFunc(a.Entities, func(o event.Entity) bool { return o.Kind == e.Kind && o.Value == e.Value }) {
			continue
		}
		e.Value = strings.Clone(e.Value)
		a.Entities = append(slices.Clip(a.Entities), e)
		gained = append(gained, e)
		if b.Criticality != nil {
			a.Criticality = max(a.Criticality, min(b.Criticality(e), 10))
		}
	}
	return gained
}

func countPassing(all []event.Entity) int {
	n := 0
	for _, e := range all {
		if passing(e.Kind) {
			n++
		}
	}
	return n
}

// bringBack re-raises decided alerts of other rules that are about an entity
// this alert has just gained, while they are recent.
func (b *Board) bringBack(n *node, gained []event.Entity, now time.Time, c *Change) {
	for _, e := range gained {
		if !telling(e) {
			continue
		}
		for _, o := range slices.Clone(b.acted[entityKey{e.Kind, e.Value}]) {
			if o.alert.RuleID == n.alert.RuleID || n.alert.Last.Sub(o.alert.Last) > EpisodeQuiet {
				continue
			}
			why := fmt.Sprintf("another rule (%s) hit %s %s", cut(n.alert.Title, 128), e.Kind, cut(e.Value, 128))
			c.Entries = append(c.Entries, b.machineMove(DoReraise, now, why, o))
			c.Reraised = append(c.Reraised, o.alert.ID)
		}
	}
}
