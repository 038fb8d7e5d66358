package parse

import (
	"strings"

	"bartizan/event"
)

// spellings are the names that one value has in the shapes a log comes in: what an
// API returns, what is streamed, the columns of a table, and the words of rules.
type spellings []name

// spelled reads groups of spellings, one to a text.
func spelled(groups ...string) []spellings {
	out := make([]spellings, len(groups))
	for i, g := range groups {
		out[i] = knownAll(strings.Fields(g)...)
	}
	return out
}

// shape says how records of one log get their time and their other names.
type shape struct {
	times   []name      // the first that is a time counts
	from    []name      // addresses of who asked, perhaps with a port
	to      []name      // addresses of who was asked
	same    []spellings // each name of a group gets the value of the first that is there
	each    []spellings // the same with all values of a list
	aliases []pair
}

// pairs lists what the shape gives, for the documents and Supplies.
func (s *shape) pairs() []pair {
	var out []pair
	for _, groups := range [][]spellings{s.same, s.each} {
		for _, g := range groups {
			for i := range g {
				for j := range g {
					if i != j {
						out = append(out, pair{g[i], g[j]})
					}
				}
			}
		}
	}
	for _, n := range s.from {
		out = append(out, pair{ecsSrcIP, n}, pair{ecsSrcPort, n})
	}
	for _, n := range s.to {
		out = append(out, pair{ecsDstIP, n}, pair{ecsDstPort, n})
	}
	return append(out, s.aliases...)
}

// shape closes the native fields and gives the other names.
func (p *pass) shape(s *shape) {
	if p.native < 0 {
		p.endNative()
	}
	for _, n := range s.times {
		if f := p.has(n); f != nil && p.timeValue(f.Value) {
			break
		}
	}
	for _, g := range s.same {
		if at := p.firstOf(g); at >= 0 {
			v := p.has(g[at]).Value
			for i := range g {
				p.respell(&g[i], v)
			}
		}
	}
	for _, g := range s.each {
		p.respellEach(g)
	}
	for _, n := range s.from {
		p.address(ecsSrcIP, ecsSrcPort, n)
	}
	for _, n := range s.to {
		p.address(ecsDstIP, ecsDstPort, n)
	}
	p.aliases(s.aliases)
	if p.e.Level == event.LevelUnknown {
		p.e.Level = event.LevelInfo
	}
}

// firstOf returns which of the names is there with a value, -1 when none is.
func (p *pass) firstOf(g []name) int {
	for i := range g {
		if at := p.slots[g[i].slot]; at > 0 && p.fields[at-1].Value.Kind != event.KindNull {
			return i
		}
	}
	return -1
}

// respell gives v under a name that is still free. Unlike an alias it may be an
// object or an empty text, because rules ask for both.
func (p *pass) respell(to *name, v event.Value) {
	if p.slots[to.slot] == 0 && (v.Str != "" || v.Kind == event.KindString) {
		p.open(to).Value = v
	}
}

// respellEach gives all values of the first name that is there to the others.
func (p *pass) respellEach(g spellings) {
	at := p.firstOf(g)
	if at < 0 {
		return
	}
	from := g[at]
	begin := int(p.slots[from.slot])
	for i := range g {
		if p.slots[g[i].slot] != 0 {
			continue
		}
		for k := begin; k <= p.native; k++ {
			if f := &p.fields[k-1]; f.Name == from.text && (f.Value.Str != "" || f.Value.Kind == event.KindString) {
				p.put(g[i], f.Value)
			}
		}
	}
}

// also gives v under a name that may have values already.
func (p *pass) also(to name, v event.Value) {
	if v.Str != "" {
		p.put(to, v)
	}
}

// trimmed gives v without what stands around it, under a name that is still free.
func (p *pass) trimmed(to name, v event.Value, cut string) {
	from := len(v.Str) - len(strings.TrimLeft(v.Str, cut))
	p.aliasPart(to, v, from, max(from, len(strings.TrimRight(v.Str, cut))))
}

// entry is a member of a list of names with values, and the name it gets.
type entry struct {
	key string
	to  name
	cut string // what is cut off around the value
}

// entryList is a list of objects of which one member is a name and another its
// value, as headers and properties of changed things are written.
type entryList struct {
	key, value name
	entries    []entry
}

// entries reads such a list: the two members stand in one object in either order,
// and one that comes again begins the next.
func (p *pass) entries(l *entryList) {
	if p.has(l.key) == nil || p.has(l.value) == nil {
		return
	}
	key, value := -1, -1
	for i := 0; i < p.native; i++ {
		switch f := &p.fields[i]; {
		case f.Name == l.key.text:
			if key >= 0 {
				value = -1
			}
			key = i
		case f.Name == l.value.text && f.Value.Kind != event.KindObject:
			if value >= 0 {
				key = -1
			}
			value = i
		default:
			continue
		}
		if key >= 0 && value >= 0 {
			p.entry(l, p.fields[key].Value.Str, p.fields[value].Value)
			key, value = -1, -1
		}
	}
}

func (p *pass) entry(l *entryList, key string, v event.Value) {
	for i := range l.entries {
		if e := &l.entries[i]; strings.EqualFold(e.key, key) {
			p.trimmed(e.to, v, e.cut)
		}
	}
}

// pairs lists what the entries give.
func (l *entryList) pairs() []pair {
	var out []pair
	for _, e := range l.entries {
		out = append(out, pair{e.to, l.value})
	}
	return out
}

// oneOf reports whether s is one of the words, in whatever case.
func oneOf(s string, words ...string) bool {
	for _, w := range words {
		if strings.EqualFold(s, w) {
			return true
		}
	}
	return false
}
