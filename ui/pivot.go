package ui

import (
	tea "charm.land/bubbletea/v2"

	"bartizan/event"
	"bartizan/query"
)

// pivots are the bindings after p: a letter for a kind, a digit for the entity
// at that place, and the rule.
func (c *Console) pivots(of func() []event.Entity, rule func() string) []Binding {
	var out []Binding
	for _, p := range pivotKinds() {
		b := Binding{Name: "pivot-" + p.name}
		if p.rule {
			b.Off = func() string {
				if rule() == "" {
					return "no rule hit this"
				}
				return ""
			}
			b.Do = func() tea.Cmd { return c.visit(newRulePage(c, rule())) }
		} else {
			b.Off = func() string {
				if _, ok := firstOfKind(of(), p.kind, 0); !ok {
					return "no " + p.words + " is named here"
				}
				return ""
			}
			b.Do = func() tea.Cmd { e, _ := firstOfKind(of(), p.kind, 0); return c.pivot(e) }
		}
		out = append(out, b)
	}
	for i := range 9 {
		out = append(out, Binding{
			Name: "pivot-" + string(rune('1'+i)),
			Off: func() string {
				if len(of()) <= i {
					return "there are only " + plural(len(of()), "entity") + " here"
				}
				return ""
			},
			Do: func() tea.Cmd { return c.pivot(of()[i]) },
		})
	}
	return out
}

func firstOfKind(list []event.Entity, k event.EntityKind, skip int) (event.Entity, bool) {
	for _, e := range list {
		if e.Kind == k {
			if skip == 0 {
				return e, true
			}
			skip--
		}
	}
	return event.Entity{}, false
}

// pivot opens everything about an entity; of a value that no field is known for,
// the records that contain it.
func (c *Console) pivot(e event.Entity) tea.Cmd {
	if len(event.EntityFields(e.Kind)) == 0 {
		return c.visit(c.newPage("text "+head(clean(e.Value), 64), &query.Pred{Op: query.OpContains, Value: e.Value}, nil))
	}
	return c.visit(newEntity(c, e))
}

// pivotValue opens everything about a field's value: an entity's page where the
// field names one, else all records that have the value in this field.
func (c *Console) pivotValue(field, value string) tea.Cmd {
	for k := event.EntityUser; k <= event.EntityHash; k++ {
		for _, name := range event.EntityFields(k) {
			if name == field {
				return c.pivot(event.Entity{Kind: k, Value: value})
			}
		}
	}
	return c.visit(newValuePage(c, field, value))
}

// exclude takes a value out of the stream of the alerts screen.
func (c *Console) exclude(field, value string) tea.Cmd {
	not := query.Node(query.Not{X: &query.Pred{Field: field, Op: query.OpEqual, Value: value}})
	s := c.home.stream
	if s.filter.node != nil {
		not = query.And{s.filter.node, not}
	}
	c.say("the stream no longer shows %s %s; Esc there takes it back", clean(field), clean(head(value, 40)))
	return s.setFilter(query.Print(not))
}

// entityNode is true for the events an entity is named in.
func entityNode(e event.Entity) query.Node {
	var any query.Or
	for _, name := range event.EntityFields(e.Kind) {
		any = append(any, &query.Pred{Field: name, Op: query.OpEqual, Value: e.Value})
	}
	return any
}
