package engine

import (
	"bartizan/detect/session"
	"bartizan/event"
	"bartizan/query"
)

// Joins says which sessions a record belongs to and who is behind it.
func (e *Engine) Joins(ev *event.Event) []session.Join { return e.joins.Joins(ev) }

// Session tells about a session by the id that Joins gave.
func (e *Engine) Session(id string) (session.About, bool) { return e.joins.Session(id) }

// JoinStats says what the index of sessions holds and had to forget.
func (e *Engine) JoinStats() session.Stats { return e.joins.Stats() }

// annotated is ev with what is known of it from other records: a copy, because what
// is printed stays as it was delivered. Where nothing can be known it is ev itself.
func annotated(x *session.Index, ev *event.Event) *event.Event {
	if !session.Concerns(ev) {
		return ev
	}
	c := *ev
	x.Annotate(&c, nil)
	return &c
}

// joinedField is the first field of a filter that no record brings by itself, ""
// where there is none.
func joinedField(filter string) string {
	n, err := query.Parse(filter)
	if err != nil {
		return "" // who is asked with it says what is wrong
	}
	found := ""
	query.Walk(n, func(n query.Node) {
		if p, ok := n.(*query.Pred); ok && found == "" && (p.Field == event.FieldSession || p.Field == event.FieldBehind || p.Field == event.FieldDoubt) {
			found = p.Field
		}
	})
	return found
}
