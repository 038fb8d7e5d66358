package ui

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// Screen is one page of the console. It is no model of its own: the console
// hands it messages and asks it to draw.
type Screen interface {
	Title() string            // its crumb
	Keys() []Binding          // what its keys do, most useful first
	Take(msg tea.Msg) tea.Cmd // changedMsg: look again
	Draw(width, h int) string // at most h lines, each at most width columns
}

// Binding is the single truth about a key: hints, help, palette, the generated
// reference, overrides and tests all read it.
type Binding struct {
	Name string         // what the palette, the config and the key table call it
	Keys []string       // each a key or a sequence with spaces between; from the key table
	Help string         // what it does, in a few words; from the key table
	Hint string         // one word for the footer; "" keeps it out of there
	Acts bool           // it changes the board; from the key table
	Off  func() string  // why it does nothing now; nil or "" is that it works
	Do   func() tea.Cmd //
}

// why returns the reason a binding does nothing now, "" when it works.
func (c *Console) why(b Binding) string {
	if b.Acts && (c.opt.ReadOnly || c.snap.status.ReadOnly) {
		return "this console is read-only, so " + b.Name + " does nothing; start it without --read-only"
	}
	if b.Off != nil {
		return b.Off()
	}
	return ""
}

// bindings returns what keys do here: the screen's own before everybody's.
func (c *Console) bindings() []Binding { return c.bound(c.places.now()) }

// bound completes the bindings of a screen from the key table; what the screen
// does not offer stays in the list with the reason why it does nothing.
func (c *Console) bound(s Screen) []Binding {
	all := c.offered(s)
	given := make(map[string]bool, len(all))
	for _, b := range all {
		given[b.Name] = true
	}
	for _, e := range c.table {
		if !given[e.name] {
			all = append(all, Binding{Name: e.name, Keys: e.keys, Help: e.help, Acts: e.acts, Off: func() string { return e.absent }})
		}
	}
	return all
}

// offered are the bindings that a screen has, with their keys.
func (c *Console) offered(s Screen) []Binding {
	all := append(s.Keys(), c.global()...)
	for i := range all {
		if e := c.entries[all[i].Name]; e != nil {
			all[i].Keys, all[i].Help, all[i].Acts = e.keys, e.help, e.acts
		}
	}
	return all
}

// keyTable is the key table with the person's own keys in it.
func (c *Console) keyTable() {
	c.table, c.entries = table(), map[string]*entry{}
	for i := range c.table {
		e := &c.table[i]
		if keys, ok := c.opt.Keys[e.name]; ok {
			e.keys = keys
		}
		c.entries[e.name] = e
	}
}

// key is a press in the spelling of bindings.
func key(msg tea.KeyPressMsg) string { return msg.String() }

// press is the way of a key: pop-up, prompt, then the bindings.
func (c *Console) press(msg tea.KeyPressMsg) tea.Cmd {
	if c.swallow() {
		return nil
	}
	k := key(msg)
	if c.popup != nil && c.prompt == nil {
		if taken, cmd := c.answer(k); taken {
			return cmd
		}
	}
	c.message = message{}
	if c.prompt != nil {
		return c.prompt.press(msg)
	}
	return c.read(k)
}

// swallow says whether keys go nowhere because something opened by itself.
func (c *Console) swallow() bool {
	return c.popup != nil && c.prompt == nil && c.now().Before(c.grace)
}

// read is the one reader of key sequences.
func (c *Console) read(k string) tea.Cmd {
	if k == "esc" && len(c.chord) > 0 {
		c.chord = nil
		return nil
	}
	seq := strings.Join(append(slices.Clone(c.chord), k), " ")
	found, more := lookup(c.bindings(), seq)
	switch {
	case found != nil:
		c.chord = nil
		return c.do(*found)
	case more:
		c.chord = append(c.chord, k)
	case len(c.chord) > 0:
		c.complain("%s means nothing here; ? shows the keys", clean(seq))
		c.chord = nil
	}
	return nil
}

// lookup finds the binding of a sequence, and whether longer ones begin with it.
func lookup(all []Binding, seq string) (found *Binding, more bool) {
	for i := range all {
		for _, k := range all[i].Keys {
			if k == seq && found == nil {
				found = &all[i]
			}
			more = more || strings.HasPrefix(k, seq+" ")
		}
	}
	return found, more
}

func (c *Console) do(b Binding) tea.Cmd {
	if reason := c.why(b); reason != "" {
		c.complain("%s", reason)
		return nil
	}
	if b.Acts && c.now().Before(c.grace) {
		c.complain("the list changed just now, so %s waited; press it again", b.Name)
		return nil
	}
	c.touched = true
	return b.Do()
}

// follow lists what may come after the keys already pressed.
func (c *Console) follow() []Binding {
	var out []Binding
	seq := strings.Join(c.chord, " ") + " "
	taken := map[string]bool{}
	for _, b := range c.bindings() {
		for _, k := range b.Keys {
			if rest, ok := strings.CutPrefix(k, seq); ok && !taken[rest] {
				taken[rest] = true
				b.Keys = []string{rest}
				out = append(out, b)
			}
		}
	}
	return out
}

// startGrace makes state-changing keys wait because rows moved by themselves.
func (c *Console) startGrace() { c.grace = c.now().Add(c.opt.GraceAfterPopup) }

// conflicts checks the overrides: names that do not exist, the same keys twice
// on one screen, and keys that hide a longer sequence.
func (c *Console) conflicts() []string {
	var out []string
	known := map[string]bool{}
	for _, s := range c.everyScreen() {
		all := c.bound(s)
		for _, b := range all {
			known[b.Name] = true
		}
		for _, p := range clashes(all) {
			if p = s.Title() + ": " + p; !slices.Contains(out, p) {
				out = append(out, p)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.opt.Keys)) {
		if !known[name] {
			out = append(out, fmt.Sprintf("keys.%s: there is no such command; docs/keys.md lists them", clean(name)))
		}
	}
	return out
}

func clashes(all []Binding) []string {
	var out []string
	owner := map[string]string{}
	for _, b := range all {
		for _, k := range b.Keys {
			if have, ok := owner[k]; ok && have != b.Name {
				out = append(out, fmt.Sprintf("the keys %q mean both %s and %s; change one", clean(k), have, b.Name))
				continue
			}
			owner[k] = b.Name
		}
	}
	for _, k := range slices.Sorted(maps.Keys(owner)) {
		for at := strings.LastIndex(k, " "); at > 0; at = strings.LastIndex(k[:at], " ") {
			if short, ok := owner[k[:at]]; ok {
				out = append(out, fmt.Sprintf("the key %q of %s hides %q of %s; change one", clean(k[:at]), short, clean(k), owner[k]))
			}
		}
	}
	return out
}
