package falco

import (
	"crypto/sha256"
	"fmt"
	"math"
)

// The bounds of what lists and macros grow to.
const (
	MaxListValues = 200_000   // values of one list, after its lists are put in
	MaxAllValues  = 1_000_000 // of all lists and conditions together
	MaxExpanded   = 20_000    // comparisons and connectives of one rule, macros put in
	MaxAllParts   = 400_000   // of all rules together
)

type state uint8

const (
	untouched state = iota
	working
	done
)

// resolvedList is a list with the lists it names put in.
type resolvedList struct {
	texts []string
	hash  [32]byte
	state state
	used  bool // something names it
	err   error
}

// resolvedMacro is a macro whose own macros and lists are put in.
type resolvedMacro struct {
	x           expr
	size, depth int
	hash        [32]byte
	state       state
	used        bool // something names it
	err         error
}

// test is a check whose values are texts.
type test struct {
	*check
	texts []string
	name  string // of the list they are, when they are one
}

// resolver puts lists and macros in.
type resolver struct {
	c      *collector
	lists  map[string]*resolvedList
	macros map[string]*resolvedMacro
	left   int // values
	parts  int // of all rules
}

func newResolver(c *collector) *resolver {
	r := &resolver{c: c, lists: map[string]*resolvedList{}, macros: map[string]*resolvedMacro{}, left: MaxAllValues, parts: MaxAllParts}
	for name := range c.lists {
		r.lists[name] = &resolvedList{}
	}
	for name := range c.macros {
		r.macros[name] = &resolvedMacro{}
	}
	return r
}

// list returns the values of the list called name.
func (r *resolver) list(name string, depth int) *resolvedList {
	out, def := r.lists[name], r.c.lists[name]
	switch {
	case out.state == done:
	case out.state == working:
		return &resolvedList{err: fmt.Errorf("the list %s names itself by way of other lists; take it out", quote(name))}
	case depth > MaxDepth:
		return &resolvedList{err: fmt.Errorf("lists are named within each other more than %d deep; write them flatter", MaxDepth)}
	default:
		out.state = working
		out.err = r.fill(out, def, depth)
		out.state = done
		if out.err != nil {
			out.texts = nil
		}
	}
	return out
}

// fill puts together the texts of a list. An item is the name of a list when that
// one was there before this one was last changed; its own name is a text.
func (r *resolver) fill(out *resolvedList, def *listDef, depth int) error {
	h := sha256.New()
	for _, item := range def.items {
		other := r.c.lists[item.text]
		if !item.bare || other == nil || other == def || other.first >= def.last {
			out.texts = append(out.texts, item.text)
			_, _ = fmt.Fprintf(h, "%q", item.text)
			r.left--
		} else {
			r.lists[item.text].used = true
			inner := r.list(item.text, depth+1)
			if inner.err != nil {
				return inner.err
			}
			out.texts = append(out.texts, inner.texts...)
			h.Write(inner.hash[:])
			r.left -= len(inner.texts)
		}
		if len(out.texts) > MaxListValues {
			return fmt.Errorf("the list %s has more than %d values with the lists in it; use fewer", quote(def.name), MaxListValues)
		}
		if r.left < 0 {
			return errTooMany
		}
	}
	h.Sum(out.hash[:0])
	return nil
}

var errTooMany = fmt.Errorf("all lists together have more than %d values; use fewer", MaxAllValues)

// macro returns the macro called name, put in.
func (r *resolver) macro(name string, depth int) *resolvedMacro {
	out, def := r.macros[name], r.c.macros[name]
	switch {
	case out.state == done:
	case out.state == working:
		return &resolvedMacro{err: fmt.Errorf("the macro %s names itself by way of other macros; take it out", quote(name))}
	case depth > MaxDepth:
		return &resolvedMacro{err: fmt.Errorf("macros are named within each other more than %d deep; write them flatter", MaxDepth)}
	default:
		out.state = working
		used := out.used
		*out = r.condition(def.condition, def.last, depth)
		out.state, out.used = done, used
	}
	return out
}

// anyPlace is where rules stand: they may name macros that come later.
const anyPlace = math.MaxInt

// condition parses a condition and puts in what it names; last is when its owner
// was last changed.
func (r *resolver) condition(text string, last, depth int) resolvedMacro {
	x, err := parseCondition(text)
	if err != nil {
		return resolvedMacro{err: err}
	}
	return r.resolved(x, text, last, depth)
}

func (r *resolver) resolved(x expr, text string, last, depth int) (out resolvedMacro) {
	w := walker{resolver: r, last: last, at: depth}
	out.x, out.err = w.put(x)
	out.size, out.depth = w.size, w.deepest+1
	if out.err == nil && out.depth > MaxDepth {
		out.err = fmt.Errorf("macros are named within each other more than %d deep; write them flatter", MaxDepth)
	}
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%q", text)
	for _, ref := range w.refs {
		h.Write(ref[:])
	}
	h.Sum(out.hash[:0])
	return out
}

// walker puts macros and lists into one condition.
type walker struct {
	*resolver
	last, at      int
	size, deepest int
	refs          [][32]byte
}

func (w *walker) put(x expr) (expr, error) {
	if w.size++; w.size > MaxExpanded {
		return nil, fmt.Errorf("the condition has more than %d parts with its macros; use fewer", MaxExpanded)
	}
	switch x := x.(type) {
	case andExpr:
		parts, err := w.putAll(x)
		return andExpr(parts), err
	case orExpr:
		parts, err := w.putAll(x)
		return orExpr(parts), err
	case notExpr:
		inner, err := w.put(x.x)
		return notExpr{inner}, err
	case macroRef:
		return w.putMacro(string(x))
	case beforeExpr:
		return x, nil
	}
	return w.putCheck(x.(*check))
}

func (w *walker) putAll(parts []expr) ([]expr, error) {
	out := make([]expr, len(parts))
	for i, p := range parts {
		var err error
		if out[i], err = w.put(p); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (w *walker) putMacro(name string) (expr, error) {
	def := w.c.macros[name]
	if def == nil || def.first >= w.last {
		return nil, fmt.Errorf("there is no macro %s before this; define it, or write a comparison such as proc.name = x", quote(name))
	}
	w.macros[name].used = true
	m := w.macro(name, w.at+1)
	if m.err != nil {
		return nil, fmt.Errorf("the macro %s at %s:%d cannot be used: %w", quote(name), def.file, def.line, m.err)
	}
	if w.size += m.size; w.size > MaxExpanded {
		return nil, fmt.Errorf("the condition has more than %d parts with its macros; use fewer", MaxExpanded)
	}
	w.deepest = max(w.deepest, m.depth)
	w.refs = append(w.refs, m.hash)
	return m, nil
}

// named is the list that a condition names.
func (w *walker) named(list string) *resolvedList {
	w.lists[list].used = true
	return w.list(list, 0)
}

func (w *walker) putCheck(c *check) (expr, error) {
	t := &test{check: c}
	if len(c.values) == 1 && c.values[0].bare && w.c.lists[c.values[0].text] != nil {
		l := w.named(c.values[0].text)
		if l.err != nil {
			return nil, l.err
		}
		w.refs = append(w.refs, l.hash)
		t.texts, t.name = l.texts, c.values[0].text
		if !c.list && !contains(listOps, c.op) && len(l.texts) != 1 {
			return nil, fmt.Errorf("the list %s has %d values, but %s takes one; use in (%s)", quote(t.name), len(l.texts), c.op, t.name)
		}
		return t, nil
	}
	for _, v := range c.values {
		if !v.bare || w.c.lists[v.text] == nil {
			t.texts = append(t.texts, v.text)
			w.left--
		} else {
			l := w.named(v.text)
			if l.err != nil {
				return nil, l.err
			}
			w.refs = append(w.refs, l.hash)
			t.texts = append(t.texts, l.texts...)
			w.left -= len(l.texts)
		}
		if w.left < 0 {
			return nil, errTooMany
		}
	}
	return t, nil
}
