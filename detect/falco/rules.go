package falco

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/query"
)

// How Rule.Status begins for a rule that is loaded to be shown and as the
// explanation of an alert from Falco, but never evaluated here. The fields or the
// reason follow.
const (
	StatusSyscall  = "not evaluable here: it needs system calls"
	StatusUnasked  = "not evaluable here: "
	StatusDisabled = "disabled by its author"
	StatusSkipped  = "skipped: it names a field that does not exist"
)

// Evaluable reports whether the rule is matched against events, and not only
// loaded for display.
func Evaluable(r *detect.Rule) bool { return r.Cond != nil }

// outcome makes rules of everything collected.
func (c *collector) outcome() detect.Loaded {
	b := builder{collector: c, resolver: newResolver(c), sets: &sets{made: map[setKey]*query.Set{}, left: MaxSets}, compilers: map[string]*compiler{}}
	for _, l := range c.listOrder {
		if err := b.resolver.list(l.name, 0).err; err != nil {
			c.refuseAt(l.place, l.name, err)
		}
	}
	for _, m := range c.macroOrder {
		if err := b.resolver.macro(m.name, 0).err; err != nil {
			c.refuseAt(m.place, m.name, err)
		}
	}
	for _, r := range c.ruleOrder {
		rule, err := b.build(r)
		if err != nil {
			c.refuseAt(r.changed, r.name, err)
			continue
		}
		c.out.Rules = append(c.out.Rules, rule)
	}
	b.unused()
	if c.items == 0 && len(c.out.Refused) == 0 && c.file != "" {
		c.out.Warnings = append(c.out.Warnings, detect.Refusal{File: c.file, Reason: "the file holds no rule"})
	}
	return c.out
}

// unused warns of macros and lists that nothing names, where there are rules at all
// that could.
func (b *builder) unused() {
	if len(b.ruleOrder) == 0 {
		return
	}
	for _, m := range b.macroOrder {
		if r := b.resolver.macros[m.name]; !r.used && r.err == nil {
			b.warnAt(m.place, m.name, "the macro is used by no rule; remove it, or name it in one")
		}
	}
	for _, l := range b.listOrder {
		if r := b.resolver.lists[l.name]; !r.used && r.err == nil {
			b.warnAt(l.place, l.name, "the list is used by no rule; remove it, or name it in one")
		}
	}
}

func (c *collector) refuseAt(p place, id string, err error) {
	c.refuse(detect.Refusal{File: p.file, Line: p.line, ID: id, Reason: err.Error()})
}

func (c *collector) warnAt(p place, id, reason string) {
	c.out.Warnings = append(c.out.Warnings, detect.Refusal{File: p.file, Line: p.line, ID: id, Reason: reason})
}

type builder struct {
	*collector
	*resolver
	sets      *sets
	compilers map[string]*compiler
}

// compiler returns the one for rules of that source.
func (b *builder) compiler(source string) *compiler {
	c := b.compilers[source]
	if c == nil {
		c = newCompiler(source, b.sets)
		b.compilers[source] = c
	}
	c.remarks = nil
	return c
}

// build makes a rule of its definition.
func (b *builder) build(d *ruleDef) (*detect.Rule, error) {
	m := b.condition(d.condition, anyPlace, 0)
	if m.err != nil {
		return nil, m.err
	}
	if b.parts -= m.size; b.parts < 0 {
		return nil, fmt.Errorf("all rules together have more than %d parts with their macros; use fewer", MaxAllParts)
	}
	x, refs, err := b.excepted(d, m.x)
	if err != nil {
		return nil, err
	}
	word, _ := priority(d.priority)
	r := &detect.Rule{
		ID: "falco:" + d.name, Kind: detect.KindFalco, Title: d.name,
		Description: describe(strings.TrimSpace(d.desc), d.output),
		Severity:    severities[word], File: d.file, Line: d.line, LogSource: logOf(d.source),
	}
	for _, t := range d.tags {
		r.Tags = append(r.Tags, attackTag(t))
	}
	sum := sha256.Sum256([]byte(fmt.Sprintf("%q %q %q %q %q %q %t %x %x", d.name, d.condition, d.desc, d.output, d.source, word, d.enabled, m.hash, refs)))
	copy(r.Hash[:], sum[:])
	if err := b.compiler(d.source).checkFields(x); err != nil {
		return b.unknown(d, r, err)
	}
	if err := checkOutput(d.output, d.source); err != nil {
		return nil, err
	}
	return r, b.compile(d, r, x)
}

// logOf is the log source of rules of that source of Falco's.
func logOf(source string) event.LogSource {
	if fam := families[source]; fam != nil {
		return fam.log
	}
	return event.LogSource{Product: otherSources, Service: source}
}

// unknown refuses a rule with an unknown field, unless it asks to be skipped then.
func (b *builder) unknown(d *ruleDef, r *detect.Rule, err error) (*detect.Rule, error) {
	if !d.skipUnknown {
		return nil, err
	}
	r.Status = StatusSkipped
	b.warnAt(d.changed, d.name, err.Error()+"; the rule is shown, but not evaluated")
	return r, nil
}

// excepted is the condition with the exceptions of the rule taken out.
func (b *builder) excepted(d *ruleDef, x expr) (expr, [32]byte, error) {
	var out orExpr
	for i := range d.exceptions {
		e, err := b.standing(d, d.exceptions[i]).expr()
		if err != nil {
			return nil, [32]byte{}, err
		}
		if err := d.exceptions[i].known(d.source); err != nil {
			return nil, [32]byte{}, err
		}
		if e != nil {
			out = append(out, e)
		}
	}
	if len(out) == 0 {
		return x, [32]byte{}, nil
	}
	m := b.resolved(out, dumpExceptions(d.exceptions), d.last, 0)
	if m.err != nil {
		return nil, m.hash, m.err
	}
	return andExpr{x, notExpr{m.x}}, m.hash, nil
}

// standing is the exception without the values that have expired.
func (b *builder) standing(d *ruleDef, x exception) *exception {
	var keep []tuple
	for _, v := range x.values {
		if v.until.IsZero() || b.now.Before(v.until) {
			keep = append(keep, v)
		}
	}
	if len(keep) < len(x.values) {
		b.warnAt(d.changed, d.name, fmt.Sprintf("%d of %d values of the exception %s have expired and count no more; remove them, or give a later date", len(x.values)-len(keep), len(x.values), quote(x.name)))
	}
	x.values = keep
	return &x
}

// known reports a field of the exception that does not exist, values or not.
func (x *exception) known(source string) error {
	for _, f := range x.fields {
		t, err := parseTerm(strings.TrimSpace(f))
		if err != nil {
			return err
		}
		if _, ok := lookup(source, &t); !ok && t.foreign == "" {
			return fmt.Errorf("the field %s of the exception %s does not exist for rules of source %s; correct the name", quote(f), quote(x.name), source)
		}
	}
	return nil
}

// dumpExceptions writes what the hash of a rule must notice.
func dumpExceptions(list []exception) string {
	var b strings.Builder
	for _, x := range list {
		fmt.Fprintf(&b, "%q %q %q", x.name, x.fields, x.comps)
		for _, v := range x.values {
			fmt.Fprintf(&b, " %q %d", v.Value, v.until.Unix())
			for _, c := range v.Content {
				fmt.Fprintf(&b, " %q", plain(c).Value)
				for _, cc := range plain(c).Content {
					fmt.Fprintf(&b, " %q", plain(cc).Value)
				}
			}
		}
	}
	return b.String()
}

// compile gives the rule its condition, or says in its status why it has none.
func (b *builder) compile(d *ruleDef, r *detect.Rule, x expr) error {
	if d.source == "syscall" {
		r.Status = StatusSyscall + fieldsOf(x)
		if !d.enabled {
			r.Status = StatusDisabled
		}
		return nil
	}
	if families[d.source] == nil {
		b.shownOnly(d, r, fmt.Sprintf("records of the source %s are not known here", quote(cut(d.source, 60))))
		return nil
	}
	x, counted, err := countOver(x)
	if err != nil {
		return err
	}
	c := b.compiler(d.source)
	n, err := c.node(x, false)
	for _, remark := range c.remarks {
		b.warnAt(d.changed, d.name, remark)
	}
	var na *notAsked
	if errors.As(err, &na) {
		b.shownOnly(d, r, na.reason)
		return nil
	}
	if err != nil {
		return err
	}
	if !d.enabled {
		r.Status = StatusDisabled
		return nil
	}
	r.Cond = all(counted.node(), n)
	r.Count, r.Within, r.GroupBy = counted.count, counted.within, counted.groupBy()
	r.Fields = outputPaths(d.output, d.source)
	return nil
}

func (b *builder) shownOnly(d *ruleDef, r *detect.Rule, reason string) {
	r.Status = StatusUnasked + reason
	b.warnAt(d.changed, d.name, reason+"; the rule is shown, but not evaluated")
}

// manyFields is how many fields a status names.
const manyFields = 4

// fieldsOf names the first fields a condition asks for, as " (a, b)".
func fieldsOf(x expr) string {
	var names []string
	var walk func(expr)
	walk = func(x expr) {
		if len(names) > manyFields {
			return
		}
		switch x := x.(type) {
		case andExpr:
			for _, p := range x {
				walk(p)
			}
		case orExpr:
			for _, p := range x {
				walk(p)
			}
		case notExpr:
			walk(x.x)
		case *resolvedMacro:
			walk(x.x)
		case *test:
			if name := x.left.field; name != "" && !contains(names, name) {
				names = append(names, name)
			}
		}
	}
	walk(x)
	switch {
	case len(names) == 0:
		return ""
	case len(names) > manyFields:
		return " (" + join(names[:manyFields]) + " and others)"
	}
	return " (" + join(names) + ")"
}

// counting is a condition over several events: Okta's fields that count failures
// of one person.
type counting struct {
	event  query.Node
	count  int
	within time.Duration
}

func (c counting) node() query.Node {
	if c.event == nil {
		return always
	}
	return c.event
}

func (c counting) groupBy() []string {
	if c.event == nil {
		return nil
	}
	return []string{"actor.id"}
}

// countOver takes one okta.mfa.….countlast[seconds] >= n out of a conjunction.
func countOver(x expr) (expr, counting, error) {
	parts, isAnd := x.(andExpr)
	if !isAnd {
		parts = andExpr{x}
	}
	for i, p := range parts {
		t, ok := p.(*test)
		if !ok || !strings.HasPrefix(t.left.field, "okta.mfa.") || !t.left.hasArg || len(t.texts) != 1 {
			continue
		}
		n, errN := strconv.Atoi(t.texts[0])
		secs, errS := strconv.Atoi(t.left.arg)
		if t.op == ">" {
			n++
		}
		if errN != nil || errS != nil || t.op != ">" && t.op != ">=" || n < 1 || secs < 1 || secs > 7*86400 || n > 100_000 {
			return nil, counting{}, fmt.Errorf("%s %s %s must compare a whole number by > or >= within at most 7 days", t.left.String(), t.op, quote(cut(t.texts[0], 20)))
		}
		rest := append(append(andExpr{}, parts[:i]...), parts[i+1:]...)
		c := counting{count: n, within: time.Duration(secs) * time.Second}
		c.event = equals("eventType", "user.mfa.okta_verify.deny_push")
		if t.left.field == "okta.mfa.failure.countlast" {
			c.event = query.And{equals("eventType", "user.authentication.auth_via_mfa"), equals("outcome.result", "FAILURE")}
		}
		return rest, c, nil
	}
	return x, counting{}, nil
}
