package query

import (
	"strings"
	"unicode/utf8"

	"bartizan/event"
)

// The bounds of an explanation.
const (
	MaxExplained      = 4 << 10 // bytes of one value
	MaxExplainedTimes = 16      // values that answer one predicate
)

// Explain appends the reasons why m matches e to dst: every predicate that holds
// and counts, with the value that answered. Nothing is appended when m does not
// match. What is excluded is only named when nothing else gives a reason. The
// matches are copies: they outlive the event.
func (m *Matcher) Explain(e *event.Event, dst []Match) []Match { return Explain(m.root, e, dst) }

// Explain is Matcher.Explain for a tree that was not compiled.
func Explain(n Node, e *event.Event, dst []Match) []Match {
	if !matchNode(n, e) {
		return dst
	}
	from := len(dst)
	if dst = explainNode(n, e, dst); len(dst) == from {
		dst = explainNot(n, dst)
	}
	return dst
}

// explainNode explains n, which holds.
func explainNode(n Node, e *event.Event, dst []Match) []Match {
	switch n := n.(type) {
	case *Pred:
		return n.explain(e, dst)
	case And:
		for _, x := range n {
			dst = explainNode(x, e, dst)
		}
	case Or:
		for _, x := range n {
			if matchNode(x, e) {
				dst = explainNode(x, e, dst)
			}
		}
	}
	return dst
}

// explainNot names the exclusions of a tree that holds for nothing but them.
func explainNot(n Node, dst []Match) []Match {
	Walk(n, func(x Node) {
		if x, ok := x.(Not); ok && len(dst) < MaxExplainedTimes {
			dst = append(dst, Match{Predicate: Print(x), Pos: -1, End: -1})
		}
	})
	return dst
}

// explain appends the values that answer p. A predicate about absence has none.
func (p *Pred) explain(e *event.Event, dst []Match) []Match {
	from := len(dst)
	if p.Field == "" {
		s := rawText(e)
		if start, end, ok := p.findRaw(s); ok {
			if p.Op == OpRegex {
				start, end = p.locate(s)
			}
			dst = append(dst, p.because("", s[start:end], int32(start), int32(end)))
		}
		return dst
	}
	for _, name := range p.Names() {
		dst = p.explainName(e, name, dst)
	}
	if len(dst) == from {
		dst = append(dst, p.because(p.Field, "", -1, -1))
	}
	return dst
}

func (p *Pred) explainName(e *event.Event, name string, dst []Match) []Match {
	from := len(dst)
	if ok, own := p.matchOwn(e, name); own {
		if !ok {
			return dst
		}
		return append(dst, p.because(name, ownText(e, name), -1, -1))
	}
	c := newCursor(e, name, 0)
	for v := c.next(); v != nil && len(dst)-from < MaxExplainedTimes; v = c.next() {
		holds := p.MatchValue(v)
		if p.Op == OpFieldEqual {
			_, _, holds = p.equalsField(e, v)
		}
		if holds {
			start, end := p.place(e, v)
			dst = append(dst, p.because(name, v.Str, start, end))
		}
	}
	return dst
}

// ownText is the event's own answer for level and @timestamp.
func ownText(e *event.Event, name string) string {
	if name == "level" {
		return e.Level.String()
	}
	return e.Time.UTC().Format("2006-01-02T15:04:05.999999999Z07:00")
}

// because makes a match of copies, the value cut to MaxExplained bytes.
func (p *Pred) because(field, value string, start, end int32) Match {
	if len(value) > MaxExplained {
		cut := MaxExplained
		for cut > MaxExplained-utf8.UTFMax && !utf8.RuneStart(value[cut]) {
			cut--
		}
		value = value[:cut]
	}
	predicate := p.String()
	if field != p.Field {
		named := *p
		named.Field, named.Short = field, false
		predicate = named.String()
	}
	return Match{Field: strings.Clone(field), Predicate: predicate, Value: strings.Clone(value), Pos: start, End: end}
}

// place returns the byte range in Raw that answers p: the value, narrowed to the
// part that matches where the value stands in Raw byte for byte.
func (p *Pred) place(e *event.Event, v *event.Value) (start, end int32) {
	if v.Pos < 0 || v.End <= v.Pos || int(v.End) > len(e.Raw) {
		return -1, -1
	}
	if rawText(e)[v.Pos:v.End] != v.Str {
		return v.Pos, v.End
	}
	switch p.Op {
	case OpContains, OpPrefix, OpSuffix, OpRegex:
		a, b := p.locate(v.Str)
		return v.Pos + int32(a), v.Pos + int32(b)
	case OpFieldEqual:
		if a, b, ok := p.equalsField(e, v); ok {
			return v.Pos + int32(a), v.Pos + int32(b)
		}
	}
	return v.Pos, v.End
}

// locate returns the part of s that answers p, which does.
func (p *Pred) locate(s string) (start, end int) {
	if p.Op == OpRegex {
		if at := p.Re.FindStringIndex(cutRegexInput(s)); at != nil {
			return at[0], at[1]
		}
		return 0, len(s)
	}
	start, end, _ = p.find(s)
	return start, end
}
