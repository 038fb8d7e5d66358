package falco

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// The keys of a rule that an override may name.
var (
	ruleReplace = []string{
		"condition", "output", "desc", "tags", "exceptions", "priority", "enabled",
		"warn_evttypes", "skip-if-unknown-filter", "capture", "capture_duration",
	}
	ruleAppend = []string{"condition", "output", "desc", "tags", "exceptions"}
	ruleKeys   = append([]string{"rule", "append", "override", "source"}, ruleReplace...)
)

func (c *collector) rule(n *yaml.Node, name string) error {
	ch, err := readChange(n, ruleReplace, ruleAppend)
	if err != nil {
		return err
	}
	c.unknownKeys(n, name, ruleKeys...)
	old := c.rules[name]
	switch {
	case ch.defines() && onlySwitch(n):
		if old == nil {
			return at(n, "the rule is to be switched, but there is none called %s before this", quote(name))
		}
		ch.override = map[string]string{"enabled": "replace"}
	case ch.defines():
		return c.defineRule(n, name, old)
	case old == nil:
		return at(n, "the rule is to be changed, but there is none called %s before this", quote(name))
	}
	next := *old
	if next.changes++; next.changes > MaxChanges {
		return at(n, "the rule is changed more than %d times; write one change", MaxChanges)
	}
	if err := c.changeRule(n, &next, ch); err != nil {
		return err
	}
	next.last, next.changed = c.items, c.here(n.Line)
	*old = next
	return nil
}

// onlySwitch reports whether the item has nothing but a name and enabled, the
// short form that switches an earlier rule on or off.
func onlySwitch(n *yaml.Node) bool { return len(n.Content) == 4 && get(n, "enabled") != nil }

func (c *collector) defineRule(n *yaml.Node, name string, old *ruleDef) error {
	r := &ruleDef{name: name, source: "syscall", enabled: true, first: c.items, last: c.items, place: c.here(n.Line), changed: c.here(n.Line)}
	for _, f := range []struct {
		key string
		to  *string
	}{{"condition", &r.condition}, {"desc", &r.desc}, {"output", &r.output}, {"priority", &r.priority}} {
		v := get(n, f.key)
		if v == nil {
			return at(n, "the rule has no %s; add it", f.key)
		}
		s, err := text(v, "the "+f.key)
		if err != nil {
			return err
		}
		if err := checkLength(v, f.key, s); err != nil {
			return err
		}
		*f.to = s
	}
	if v := get(n, "source"); v != nil {
		s, err := text(v, "the source")
		if err != nil {
			return err
		}
		r.source = s
	}
	if err := c.ruleRest(n, r); err != nil {
		return err
	}
	if old == nil {
		c.rules[name] = r
		c.ruleOrder = append(c.ruleOrder, r)
		return nil
	}
	if old.source != r.source {
		return at(n, "the rule %s is defined again with another source, %s after %s; give it another name", quote(name), quote(r.source), quote(old.source))
	}
	c.warn(n, name, "the rule takes the place of the one at %s:%d, which is no longer loaded", old.file, old.line)
	r.first = old.first
	*old = *r
	return nil
}

// checkLength bounds the texts of a rule.
func checkLength(n *yaml.Node, key, s string) error {
	limit := MaxText
	if key == "condition" {
		limit = MaxCondition
	}
	if len(s) > limit {
		return at(n, "the %s is longer than %d bytes; shorten it", key, limit)
	}
	return nil
}

// ruleRest reads the keys that a rule may leave out.
func (c *collector) ruleRest(n *yaml.Node, r *ruleDef) (err error) {
	if _, ok := priority(r.priority); !ok {
		return at(get(n, "priority"), "the priority %s is none of EMERGENCY, ALERT, CRITICAL, ERROR, WARNING, NOTICE, INFORMATIONAL, DEBUG", quote(cut(r.priority, 40)))
	}
	if v := get(n, "tags"); v != nil {
		if r.tags, err = texts(v, "tags"); err != nil {
			return err
		}
	}
	if v := get(n, "exceptions"); v != nil {
		if r.exceptions, err = readExceptions(v); err != nil {
			return err
		}
		for i := range r.exceptions {
			if err := r.exceptions[i].complete(); err != nil {
				return err
			}
		}
	}
	return ruleFlags(n, r)
}

func ruleFlags(n *yaml.Node, r *ruleDef) error {
	ignored := false
	for _, f := range []struct {
		key string
		to  *bool
	}{{"enabled", &r.enabled}, {"skip-if-unknown-filter", &r.skipUnknown}, {"warn_evttypes", &ignored}, {"capture", &ignored}} {
		v := get(n, f.key)
		if v == nil {
			continue
		}
		b, err := flag(v, f.key)
		if err != nil {
			return err
		}
		*f.to = b
	}
	return nil
}

// changeRule applies an append or an override to r.
func (c *collector) changeRule(n *yaml.Node, r *ruleDef, ch change) error {
	if ch.append {
		return c.appendRule(n, r)
	}
	for _, f := range []struct {
		key string
		to  *string
	}{{"condition", &r.condition}, {"desc", &r.desc}, {"output", &r.output}, {"priority", &r.priority}} {
		how := ch.override[f.key]
		if how == "" {
			continue
		}
		s, err := text(get(n, f.key), "the "+f.key)
		if err != nil {
			return err
		}
		if how == "append" {
			s = *f.to + " " + s
		}
		if err := checkLength(n, f.key, s); err != nil {
			return err
		}
		*f.to = s
	}
	keep := *r
	part := &yaml.Node{Kind: yaml.MappingNode, Line: n.Line}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key := n.Content[i].Value; ch.override[key] != "" && key != "exceptions" {
			part.Content = append(part.Content, n.Content[i], n.Content[i+1])
		}
	}
	if err := c.ruleRest(part, r); err != nil {
		return err
	}
	if ch.override["tags"] == "append" {
		r.tags = append(keep.tags[:len(keep.tags):len(keep.tags)], r.tags...)
	}
	return changeExceptions(n, r, ch.override["exceptions"])
}

// appendRule is the old append: true, which adds to the condition and to the
// exceptions only.
func (c *collector) appendRule(n *yaml.Node, r *ruleDef) error {
	cond, ex := get(n, "condition"), get(n, "exceptions")
	if cond == nil && ex == nil {
		return at(n, "an appended rule must have a condition or exceptions; add one, or use override")
	}
	var ignored []string
	for i := 0; i < len(n.Content); i += 2 {
		if key := n.Content[i].Value; key != "condition" && key != "exceptions" && contains(ruleReplace, key) {
			ignored = append(ignored, key)
		}
	}
	if len(ignored) > 0 {
		c.warn(n, r.name, "append: true adds to the condition and the exceptions only; %s is ignored, use override", join(ignored))
	}
	if cond != nil {
		s, err := text(cond, "the condition")
		if err != nil {
			return err
		}
		if r.condition += " " + s; len(r.condition) > MaxCondition {
			return at(n, "the condition is longer than %d bytes; shorten it", MaxCondition)
		}
	}
	if ex != nil {
		return changeExceptions(n, r, "append")
	}
	return nil
}

// changeExceptions appends to the exceptions of r or replaces them.
func changeExceptions(n *yaml.Node, r *ruleDef, how string) error {
	if how == "" {
		return nil
	}
	more, err := readExceptions(get(n, "exceptions"))
	if err != nil {
		return err
	}
	var all []exception
	if how == "append" {
		all = append(all, r.exceptions...)
	}
	for _, x := range more {
		at := -1
		for i := range all {
			if all[i].name == x.name {
				at = i
			}
		}
		if at < 0 {
			if err := x.complete(); err != nil {
				return err
			}
			all = append(all, x)
			continue
		}
		if all[at], err = all[at].extended(x); err != nil {
			return err
		}
	}
	r.exceptions = all
	return nil
}

// priority reads one of Falco's words for it, in any case.
func priority(s string) (word string, ok bool) {
	word = strings.ToLower(s)
	_, ok = severities[word]
	return word, ok
}
