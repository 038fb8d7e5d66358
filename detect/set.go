package detect

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"bartizan/event"
	"bartizan/query"
)

// Set is an immutable snapshot of rules with the index over them. It is safe for
// any number of goroutines, each with its own Matcher.
//
// A rule applies to an event when every part of the rule's log source that is
// not empty equals the event's (case ignored on the rule's side: events carry
// lower case).
type Set struct {
	rules   []*Rule
	byID    map[string]*Rule
	code    [][]step   // per rule; nil: never matched here (no condition)
	anchors [][]anchor // per rule; nil: tried on every event of its log source
	gates   [][]anchor // per predicate; nil: it can hold without any
	preds   []*query.Pred
	lists   int32            // how many lists the code has
	fields  []string         // every field that some predicate needs
	fieldOf map[string]int32 // its place in fields
	symbols []int32          // event.Sym to place in fields plus one
	predAt  []int32          // per predicate: place of its field in fields, -1: ask the predicate itself
	groups  map[event.LogSource][]int32
	limiter limiter
	refused []Refusal

	building sync.Mutex
	byGroups map[string]*route
	routes   atomic.Pointer[map[event.LogSource]*routed]
}

// routed is a route under the log source of the events that take it.
type routed struct {
	source event.LogSource
	*route
}

// maxRoutes bounds how many log sources are remembered with their route; formats
// give events a few dozen.
const maxRoutes = 4096

// NewSet indexes the rules. Rules without a condition are kept for Rule and Rules
// but match nothing, and so are those over the bounds of Rule.Check, see Refused; of rules with the same id Rule returns the first.
func NewSet(rules []*Rule) *Set {
	s := &Set{
		rules:    slices.Clone(rules),
		byID:     make(map[string]*Rule, len(rules)),
		code:     make([][]step, len(rules)),
		anchors:  make([][]anchor, len(rules)),
		fieldOf:  map[string]int32{},
		groups:   map[event.LogSource][]int32{},
		byGroups: map[string]*route{},
	}
	s.routes.Store(&map[event.LogSource]*routed{})
	p := newPool()
	for i, r := range s.rules {
		if _, taken := s.byID[r.ID]; !taken {
			s.byID[r.ID] = r
		}
		if r.Cond == nil {
			continue
		}
		if err := r.Check(); err != nil {
			s.refused = append(s.refused, Refusal{File: r.File, Line: r.Line, ID: r.ID, Reason: err.Error()})
			continue
		}
		s.code[i] = slices.Clip(p.compile(nil, r.Cond))
		group := lowerSource(r.LogSource)
		s.groups[group] = append(s.groups[group], int32(i))
	}
	s.preds, s.lists = p.preds, p.lists
	s.nameFields()
	s.gates = s.gatesOf(p)
	for i, r := range s.rules {
		if s.code[i] != nil {
			s.anchors[i] = s.findAnchors(p, r.Cond)
		}
	}
	return s
}

func lowerSource(l event.LogSource) event.LogSource {
	return event.LogSource{Product: strings.ToLower(l.Product), Category: strings.ToLower(l.Category), Service: strings.ToLower(l.Service)}
}

// nameFields numbers the fields without which some predicate cannot hold.
func (s *Set) nameFields() {
	s.predAt = make([]int32, len(s.preds))
	for i, q := range s.preds {
		s.predAt[i] = -1
		if !needsField(q) {
			continue
		}
		at, ok := s.fieldOf[q.Field]
		if !ok {
			at = int32(len(s.fields))
			s.fieldOf[q.Field] = at
			s.fields = append(s.fields, q.Field)
		}
		if q.Op != query.OpFieldEqual {
			s.predAt[i] = at
		}
	}
	for at, name := range s.fields {
		sym := int(event.Intern(name))
		if sym == 0 {
			continue
		}
		if sym >= len(s.symbols) {
			s.symbols = append(s.symbols, make([]int32, sym+1-len(s.symbols))...)
		}
		s.symbols[sym] = int32(at) + 1
	}
}

// Rules returns all rules in the order given to NewSet; not to be changed.
func (s *Set) Rules() []*Rule { return s.rules }

// Rule returns the rule with that id, nil when there is none.
func (s *Set) Rule(id string) *Rule { return s.byID[id] }

// Expensive returns the rules that no literal or exact value can rule out before
// their condition is evaluated: they cost something on every event of their log
// source (or every one that has the field they look at with a wildcard or a
// regular expression).
func (s *Set) Expensive() []*Rule {
	var out []*Rule
	for i, r := range s.rules {
		if s.code[i] != nil && !selective(s.anchors[i]) {
			out = append(out, r)
		}
	}
	return out
}

// Reaches reports whether any rule applies to events of that log source.
func (s *Set) Reaches(source event.LogSource) bool { return len(s.route(source).rules) > 0 }

// route returns the index for events of that log source, building it the first
// time it is asked for.
func (s *Set) route(source event.LogSource) *routed {
	if r := (*s.routes.Load())[source]; r != nil {
		return r
	}
	s.building.Lock()
	defer s.building.Unlock()
	known := *s.routes.Load()
	if r := known[source]; r != nil {
		return r
	}
	r := &routed{source: event.LogSource{
		Product:  strings.Clone(source.Product),
		Category: strings.Clone(source.Category),
		Service:  strings.Clone(source.Service),
	}, route: s.routeOf(s.applicable(source))}
	if len(known) < maxRoutes {
		grown := maps.Clone(known)
		grown[r.source] = r
		s.routes.Store(&grown)
	}
	return r
}

// applicable returns the log sources of rules that contain no part that source
// lacks, in a fixed order.
func (s *Set) applicable(source event.LogSource) []event.LogSource {
	out := s.within(source, nil)
	if wide, ok := source.Wider(); ok {
		out = s.within(wide, out)
	}
	return out
}

// within appends the log sources of rules that contain no part that source lacks.
func (s *Set) within(source event.LogSource, out []event.LogSource) []event.LogSource {
	for mask := range 8 {
		var g event.LogSource
		for bit, part := range []struct{ to, from *string }{
			{&g.Product, &source.Product}, {&g.Category, &source.Category}, {&g.Service, &source.Service},
		} {
			if mask&(1<<bit) != 0 {
				*part.to = *part.from
			}
		}
		if len(s.groups[g]) > 0 && !slices.Contains(out, g) {
			out = append(out, g)
		}
	}
	return out
}

// routeOf returns the index over the rules of those groups.
func (s *Set) routeOf(groups []event.LogSource) *route {
	var key strings.Builder
	var rules []int32
	for _, g := range groups {
		key.WriteString(g.Product + "\x00" + g.Category + "\x00" + g.Service + "\x00")
		rules = append(rules, s.groups[g]...)
	}
	if r := s.byGroups[key.String()]; r != nil {
		return r
	}
	slices.Sort(rules)
	r := newRoute(s, rules)
	s.byGroups[key.String()] = r
	return r
}
