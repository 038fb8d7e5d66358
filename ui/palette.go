package ui

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"bartizan/themes"
	"bartizan/triage"
	"bartizan/ui/style"
)

// openPalette asks for a command by name.
func (c *Console) openPalette() tea.Cmd {
	return c.ask(&prompt{kind: ":", label: ":", offer: c.offerCommands, enter: c.command}, "")
}

// worded is a command that takes a word after its name.
type worded struct {
	name, help string
	run        func(arg string) tea.Cmd
	words      func() []string // the words there are, nil when any will do
}

func (c *Console) worded() []worded {
	return []worded{
		{"filter ", "filter the stream: filter QUERY", c.filterTo, nil},
		{"goto ", "go to a time: goto 03:12, goto -15m", c.gotoTime, nil},
		{"theme ", "change the colours", c.chooseTheme, themes.Names},
		{"open ", "open an alert by the beginning of its id", c.openID, nil},
	}
}

func (c *Console) offerCommands(text string) []pick {
	text = strings.TrimLeft(text, " ")
	var out []pick
	for _, w := range c.worded() {
		if rest, ok := strings.CutPrefix(text, w.name); ok && w.words != nil {
			for _, n := range w.words() {
				if strings.HasPrefix(n, rest) {
					out = append(out, pick{text: w.name + n, words: w.help})
				}
			}
			return out
		}
	}
	var within, about []pick // about: what they do is said with the word
	for _, p := range c.commandList() {
		switch {
		case strings.HasPrefix(p.text, text):
			out = append(out, p)
		case text != "" && strings.Contains(p.text, text):
			within = append(within, p)
		case text != "" && strings.Contains(p.words, text):
			about = append(about, p)
		}
	}
	if len(out)+len(within) == 0 {
		return about
	}
	return append(out, within...)
}

func (c *Console) commandList() []pick {
	var out []pick
	for _, w := range c.worded() {
		out = append(out, pick{text: w.name, words: w.help})
	}
	for _, b := range c.bindings() {
		words := b.Help
		if len(b.Keys) > 0 {
			words += "  (" + keyName(b.Keys[0]) + ")"
		}
		if reason := c.why(b); reason != "" {
			words = "not now: " + reason
		}
		out = append(out, pick{text: b.Name, words: words})
	}
	return out
}

// command runs what was typed into the palette.
func (c *Console) command(text string) tea.Cmd {
	text = strings.TrimLeft(text, " ")
	for _, w := range c.worded() {
		if rest, ok := strings.CutPrefix(text+" ", w.name); ok {
			return w.run(strings.TrimSpace(rest))
		}
	}
	name := strings.TrimSpace(text)
	if name == "" {
		return nil
	}
	var only []Binding
	for _, b := range c.bindings() {
		if b.Name == name {
			return c.do(b)
		}
		if strings.HasPrefix(b.Name, name) {
			only = append(only, b)
		}
	}
	if len(only) == 1 {
		return c.do(only[0])
	}
	c.complain("there is no command %s; : and Tab show all of them", clean(name))
	return nil
}

// chooseTheme changes the colours for this console.
func (c *Console) chooseTheme(name string) tea.Cmd {
	if err := c.setTheme(name); err != nil {
		c.complain("%s", clean(err.Error()))
		return nil
	}
	c.say("theme %s", clean(name))
	return nil
}

func (c *Console) setTheme(name string) error {
	show := name
	if show == "" {
		show = themes.Names()[0]
		if colourless(c.profile) {
			show = "mono"
		}
	}
	p, err := themes.Load(show)
	if err != nil {
		return err
	}
	c.theme, c.sheet, c.dirty = name, style.New(p, c.opt.Plain), true
	return nil
}

// openID opens the alert whose id begins with id, when there is exactly one.
func (c *Console) openID(id string) tea.Cmd {
	var found []triage.AlertID
	for _, a := range c.snap.alerts {
		if id != "" && strings.HasPrefix(string(a.ID), id) {
			found = append(found, a.ID)
		}
	}
	switch len(found) {
	case 0:
		c.complain("no alert begins with %q", clean(id))
		return nil
	case 1:
		return c.visit(newDetail(c, found[0]))
	}
	c.complain("%d alerts begin with %q; write more of the id", len(found), clean(id))
	return nil
}

// askQuit stops the engine for everybody, but only after a yes.
func (c *Console) askQuit() tea.Cmd {
	p := &prompt{kind: "quit", label: "stop the engine for everybody? yes/no: "}
	if n := c.snap.status.Consoles; n > 1 {
		p.status = plural(n-1, "other console") + " will end too"
	}
	p.enter = func(text string) tea.Cmd {
		if t := lower(strings.TrimSpace(text)); t != "y" && t != "yes" {
			c.say("not stopped; q detaches and leaves the engine running")
			return nil
		}
		return c.leave(Quit)
	}
	return c.ask(p, "")
}
