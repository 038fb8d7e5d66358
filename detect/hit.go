package detect

import (
	"strings"

	"bartizan/event"
	"bartizan/query"
)

// MakeHit is the hit of a stateless rule on e: its reference sealed, its reasons
// found by m, its group taken from e. m may be nil for rules without a condition.
func MakeHit(r *Rule, e *event.Event, m *Matcher) Hit {
	var why []query.Match
	if m != nil {
		why = m.Explain(r, e)
	}
	return NewHit(r, e, why, []event.Ref{e.Ref.Sealed(e.Raw)}, 1)
}

// NewHit is the hit of r completed by e, with the reasons and the sealed
// references given (the last is e's); n is how many events the window holds.
func NewHit(r *Rule, e *event.Event, why []query.Match, refs []event.Ref, n int) Hit {
	return Hit{
		ID:    NewHitID(r.ID, refs),
		Rule:  r,
		Refs:  refs,
		Why:   why,
		Event: e,
		Group: Group(r, e, nil),
		Count: n,
	}
}

// Group appends what an alert of r about e is grouped by: the values of
// r.GroupBy in that order, fields the event lacks left out; without GroupBy the
// first actor and the first target. Values are copied, so they may be kept.
func Group(r *Rule, e *event.Event, dst []event.Entity) []event.Entity {
	var room [8]event.Entity
	return groupAmong(r, e, e.Entities(room[:0]), dst)
}

// groupAmong is Group where the entities of e are known.
func groupAmong(r *Rule, e *event.Event, known, dst []event.Entity) []event.Entity {
	if len(r.GroupBy) == 0 {
		return defaultGroup(known, dst)
	}
	for _, name := range r.GroupBy {
		v, ok := groupValue(e, name)
		if !ok {
			continue
		}
		dst = append(dst, groupEntity(name, strings.Clone(v.Str), known))
	}
	return dst
}

// groupValue is the value of one grouping field. What a format writes for "none"
// ("-") groups nothing.
func groupValue(e *event.Event, name string) (event.Value, bool) {
	v, ok := e.Get(name)
	return v, ok && v.Kind != event.KindNull && v.Str != "-"
}

func defaultGroup(known, dst []event.Entity) []event.Entity {
	var have [2]bool
	for _, n := range known {
		at := n.Role
		if at == event.RoleSource {
			at = event.RoleActor // where it came from stands for who it was
		}
		if at > event.RoleTarget || have[at] {
			continue
		}
		have[at] = true
		n.Value = strings.Clone(n.Value)
		dst = append(dst, n)
	}
	return dst
}

// groupEntity says what kind of entity a grouped field is: the kind of its ECS
// name, else that of an entity of the event with the same value (the field is
// then the native name behind an alias), else just a value.
func groupEntity(name, value string, known []event.Entity) event.Entity {
	if k, ok := kindOf[name]; ok {
		return event.Entity{Kind: k, Role: roleOf(k, value, known), Value: value}
	}
	for _, n := range known {
		if n.Value == value {
			return event.Entity{Kind: n.Kind, Role: n.Role, Value: value}
		}
	}
	return event.Entity{Kind: event.EntityOther, Role: event.RoleActor, Value: value}
}

// kindOf is event.EntityFields the other way round.
var kindOf = func() map[string]event.EntityKind {
	m := map[string]event.EntityKind{}
	for _, k := range event.EntityKinds() {
		for _, f := range event.EntityFields(k) {
			m[f] = k
		}
	}
	return m
}()

func roleOf(k event.EntityKind, value string, known []event.Entity) event.Role {
	for _, n := range known {
		if n.Kind == k && n.Value == value {
			return n.Role
		}
	}
	return event.RoleActor
}
