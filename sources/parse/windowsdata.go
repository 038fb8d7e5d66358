package parse

import (
	"strings"

	"bartizan/event"
)

// winData gives the values of an event's own part, which stand below prefix, the
// bare names the event's provider gave them. Of UserData the name of the element
// around them is left out too; a list of named values (Data with @Name and #text)
// becomes one field each.
func (p *pass) winData(prefix string) {
	label := ""
	for i := 0; i < p.native; i++ {
		f := p.fields[i]
		rest, ok := strings.CutPrefix(f.Name, prefix)
		if !ok || f.Value.Kind == event.KindObject {
			continue
		}
		if prefix == "Event.UserData." {
			if _, below, found := strings.Cut(rest, "."); found {
				rest = below
			}
		}
		switch rest {
		case "Data.@Name", "Data.#attributes.Name", "Data.Name":
			label = f.Value.Str
			continue
		case "Data.#text", "Data.text", "Data.content":
			if rest = label; label == "" {
				rest = winText.text
			}
			label = ""
		}
		if strings.Contains(rest, "#attributes") || strings.HasPrefix(rest, "@") || f.Value.Str == "" {
			continue
		}
		p.bare(strings.TrimSuffix(rest, ".#text"), f.Value)
	}
}

// bare adds a value under a name that was only now taken from the record, unless
// the record itself has that name.
func (p *pass) bare(text string, v event.Value) {
	s, ok := slotOf[text]
	if ok && p.slots[s] != 0 && int(p.slots[s]) <= p.native || text == "" {
		return
	}
	to := p.next()
	*to = event.Field{Name: text, Sym: event.LookupSym(text), Value: v}
	if ok && to != &p.spare && p.slots[s] == 0 {
		p.mark(s)
	}
}
