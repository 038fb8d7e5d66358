// Package falco takes in the alerts that Falco wrote: each becomes a hit of a
// rule made from the alert itself, with Falco's own priority.
//
// Nothing here blocks or is lost. Rules are remembered so that the same alert
// gives the same *detect.Rule; the memory is bounded and forgets all at once.
package falco

import (
	"regexp"
	"strings"
	"sync"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/query"
)

// The bounds of what an alert can make us keep.
const (
	MaxRules = 10_000 // remembered; above that the memory starts anew
	maxName  = 200    // bytes of a rule's name
	maxTags  = 32
	maxTag   = 64 // bytes of one tag
)

// severities maps Falco's priorities (falco.org/docs/concepts/rules/basic-elements).
var severities = map[string]detect.Severity{
	"emergency":     detect.Critical,
	"alert":         detect.Critical,
	"critical":      detect.Critical,
	"error":         detect.High,
	"warning":       detect.Medium,
	"notice":        detect.Low,
	"informational": detect.Informational,
	"info":          detect.Informational,
	"debug":         detect.Informational,
}

// Severity maps a Falco priority, in any case; an unknown word is Medium, because
// an alert whose priority cannot be read must not disappear among the harmless.
func Severity(priority string) detect.Severity {
	if s, ok := severities[strings.ToLower(priority)]; ok {
		return s
	}
	return detect.Medium
}

// Intake makes a hit of an event that is a Falco alert (FormatName "falco" or
// "falco-text"): the rule it names, as "falco:NAME", and why. Text alerts carry
// no rule name; the constant beginning of their message stands for it. ok is
// false for any other event. It is safe for any number of goroutines.
func Intake(e *event.Event) (r *detect.Rule, why []query.Match, ok bool) {
	if e.FormatName != "falco" && e.FormatName != "falco-text" {
		return nil, nil, false
	}
	name, from := nameOf(e)
	if name == "" {
		name = "unnamed" // every part of an alert can be switched off; it is one all the same
	}
	priority := e.Text("priority")
	r = known.rule(name, priority, tagsOf(e))
	return r, reasons(e, from, priority), true
}

// nameOf returns the rule's name and the field it was read from.
func nameOf(e *event.Event) (name, from string) {
	if name := cut(strings.TrimSpace(e.Text("rule")), maxName); name != "" {
		return name, "rule"
	}
	for _, field := range []string{"message", "output"} {
		if v := e.Text(field); v != "" {
			return messageName(v), field
		}
	}
	return messageName(e.Message), "message"
}

// stamp is what Falco puts before its output: time and priority.
var stamp = regexp.MustCompile(`^\d\d:\d\d:\d\d\.\d{1,9}: ([A-Z][a-z]+) `)

// messageName is the part of an output that does not vary: what stands before
// the list of fields in parentheses, or before the first field=value.
func messageName(s string) string {
	s = stamp.ReplaceAllString(s, "")
	if i := strings.IndexByte(s, '('); i > 0 {
		s = s[:i]
	}
	if i := strings.IndexByte(s, '='); i > 0 {
		s = s[:max(strings.LastIndexByte(s[:i], ' '), 0)]
	}
	return cut(strings.TrimSpace(s), maxName)
}

// cut shortens s to n bytes, at the start of a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}

// tagsOf returns the alert's tags; those that name an ATT&CK tactic or technique
// are given in Sigma's words as well.
func tagsOf(e *event.Event) []string {
	var tags []string
	for i := range e.Fields {
		f := &e.Fields[i]
		if f.Name != "tags" || f.Value.Kind != event.KindString || f.Value.Str == "" {
			continue
		}
		if len(tags) == maxTags {
			break
		}
		tags = append(tags, attackTag(cut(f.Value.Str, maxTag)))
	}
	return tags
}

var technique = regexp.MustCompile(`^T\d{4}(\.\d{3})?$`)

// attackTag turns Falco's "mitre_lateral_movement" and "T1021.004" into
// "attack.lateral-movement" and "attack.t1021.004"; others stay as they are.
func attackTag(tag string) string {
	if rest, ok := strings.CutPrefix(tag, "mitre_"); ok {
		return "attack." + strings.ReplaceAll(rest, "_", "-")
	}
	if technique.MatchString(tag) {
		return "attack." + strings.ToLower(tag)
	}
	return tag
}

// reasons says what made the hit: the field that named the rule and the priority.
func reasons(e *event.Event, from, priority string) []query.Match {
	why := make([]query.Match, 0, 2)
	for _, field := range []string{from, "priority"} {
		v, ok := e.Get(field)
		if !ok {
			v = event.Value{Str: e.Message, Pos: -1, End: -1}
		}
		if field == "priority" && priority == "" {
			continue
		}
		why = append(why, query.Match{
			Field:     field,
			Predicate: "Falco raised it",
			Value:     strings.Clone(v.Str),
			Pos:       v.Pos,
			End:       v.End,
		})
	}
	return why
}

// known remembers the rules made so far. They are immutable, and the same alert
// always makes an equal one, so it holds no state that could differ.
var known = memory{rules: map[string]*detect.Rule{}}

type memory struct {
	sync.Mutex
	rules map[string]*detect.Rule
}

func (m *memory) rule(name, priority string, tags []string) *detect.Rule {
	key := name + "\x00" + priority + "\x00" + strings.Join(tags, "\x00")
	m.Lock()
	defer m.Unlock()
	if r := m.rules[key]; r != nil {
		return r
	}
	if len(m.rules) >= MaxRules {
		clear(m.rules)
	}
	r := newRule(name, priority, tags)
	m.rules[key] = r
	return r
}

func newRule(name, priority string, tags []string) *detect.Rule {
	name = strings.Clone(name)
	r := &detect.Rule{
		ID:          "falco:" + name,
		Kind:        detect.KindFalco,
		Title:       name,
		Description: "Raised by Falco where it runs; its own condition was met there.",
		Severity:    Severity(priority),
	}
	for _, t := range tags {
		r.Tags = append(r.Tags, strings.Clone(t))
	}
	return r
}
