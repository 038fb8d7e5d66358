package ui

import (
	"strings"

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
				if _, ok := firstOfLetter(of(), p.letter); !ok {
					return "no " + p.words + " is named here"
				}
				return ""
			}
			b.Do = func() tea.Cmd { e, _ := firstOfLetter(of(), p.letter); return c.pivot(e) }
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

// hintSession offers the way to a record's session in the footer.
func hintSession(list []Binding) []Binding {
	for i := range list {
		if list[i].Name == "pivot-session" {
			list[i].Hint = "session"
		}
	}
	return list
}

// firstOfLetter is the first entity a letter stands for: several kinds may share one.
func firstOfLetter(list []event.Entity, letter rune) (event.Entity, bool) {
	for _, e := range list {
		if e.Kind.Letter() == letter {
			return e, true
		}
	}
	return event.Entity{}, false
}

// pivot opens everything about an entity; of a value that no field is known for,
// the records that contain it.
func (c *Console) pivot(e event.Entity) tea.Cmd {
	if c.keepsSecret("", e.Value) {
		return nil
	}
	if len(event.EntityFields(e.Kind)) == 0 {
		return c.visit(c.newPage("text "+head(clean(e.Value), 64), &query.Pred{Op: query.OpContains, Value: e.Value}, nil))
	}
	return c.visit(newEntity(c, e))
}

// secretInFilter is why a secret is neither followed nor excluded, revealed or not:
// M shows it on one page to one person, a filter or a title to everybody.
const secretInFilter = "the value is a secret, and a filter would show it to everybody who looks"

// keepsSecret refuses to make a page or a filter of a value that is masked.
func (c *Console) keepsSecret(field, value string) bool {
	secret := c.opt.Mask.MaskField(field, value) != value
	if secret {
		c.complain(secretInFilter)
	}
	return secret
}

// pivotValue opens everything about a field's value: an entity's page where the
// field names one, else all records that have the value in this field.
func (c *Console) pivotValue(field, value string) tea.Cmd {
	if c.keepsSecret(field, value) {
		return nil
	}
	if k, _, ok := event.EntityOfField(field); ok {
		return c.pivot(event.Entity{Kind: k, Value: value})
	}
	return c.visit(newValuePage(c, field, value))
}

// exclude takes a value out of the stream of the alerts screen.
func (c *Console) exclude(field, value string) tea.Cmd {
	if c.keepsSecret(field, value) {
		return nil
	}
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
	if n, ok := valueNode(e); ok {
		return n
	}
	var any query.Or
	for _, name := range event.EntityFields(e.Kind) {
		any = append(any, &query.Pred{Field: name, Op: query.OpEqual, Value: e.Value})
	}
	return any
}

// sameEntity says whether two names stand for one thing: a container's id may be
// cut, and a pod's namespace may be missing.
func sameEntity(a, b event.Entity) bool {
	if a.Kind != b.Kind || a.Value == b.Value {
		return a.Kind == b.Kind
	}
	switch a.Kind {
	case event.EntityContainer:
		return event.ContainerID(a.Value) == event.ContainerID(b.Value)
	case event.EntityPod:
		return strings.HasSuffix(a.Value, "/"+b.Value) || strings.HasSuffix(b.Value, "/"+a.Value)
	}
	return false
}
