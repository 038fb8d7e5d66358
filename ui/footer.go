package ui

import (
	"fmt"
	"strings"

	"bartizan/ui/style"
)

// message is one sentence at the bottom, until the next key.
type message struct {
	text string
	bad  bool
}

func (c *Console) say(format string, args ...any) {
	c.message = message{text: fmt.Sprintf(format, args...)}
	c.dirty = true
}

func (c *Console) complain(format string, args ...any) {
	c.message = message{text: fmt.Sprintf(format, args...), bad: true}
	c.dirty = true
}

// maxHints is how many keys the footer offers.
const maxHints = 6

// footer returns the bottom lines and the cursor's column, -1 without one.
func (c *Console) footer() (lines []string, cursor int) {
	if c.prompt != nil {
		return c.prompt.draw(c.w, max(c.h/2, 1))
	}
	if c.h < 2 {
		return nil, -1
	}
	r := style.Row{Width: c.w}
	switch {
	case len(c.chord) > 0:
		c.chordHint(&r)
	case c.message.text != "":
		c.messageLine(&r)
	default:
		c.hints(&r)
	}
	return []string{r.String()}, -1
}

func (c *Console) messageLine(r *style.Row) {
	s := c.sheet.Accent
	if c.message.bad {
		s = c.sheet.Bad
		r.Put(s, "! ")
	}
	r.Put(s, style.Fit(c.message.text, r.Left(), c.sheet.More))
	if r.Left() > 30 {
		r.Put(c.sheet.Border, "  "+c.sheet.Bar+"  ")
		c.hints(r)
	}
}

// hints shows the most useful keys that work now.
func (c *Console) hints(r *style.Row) {
	shown := 0
	for _, b := range c.offered(c.places.now()) {
		if b.Hint == "" || len(b.Keys) == 0 || c.why(b) != "" {
			continue
		}
		text := keyName(b.Keys[0])
		need := style.Width(text) + 1 + style.Width(b.Hint)
		if shown > 0 {
			need += 2
		}
		if shown == maxHints || need > r.Left() {
			break
		}
		if shown > 0 {
			r.Put(c.sheet.Footer, "  ")
		}
		r.Put(c.sheet.Key, text).Put(c.sheet.Footer, " "+b.Hint)
		shown++
	}
}

// chordHint shows the pressed part of a sequence and what may come next.
func (c *Console) chordHint(r *style.Row) {
	r.Put(c.sheet.Key, clean(strings.Join(c.chord, " "))).Put(c.sheet.Footer, " then ")
	for i, b := range c.follow() {
		text := keyName(b.Keys[0])
		words := b.Help
		if b.Hint != "" {
			words = b.Hint
		}
		words = shorten(words)
		if i > 0 {
			r.Put(c.sheet.Footer, "  ")
		}
		if style.Width(text)+style.Width(words)+1 > r.Left() {
			r.Put(c.sheet.Footer, c.sheet.More)
			return
		}
		r.Put(c.sheet.Key, text).Put(c.sheet.Footer, " "+words)
	}
}

// shorten takes the words that every command of a family shares off its help.
func shorten(help string) string {
	for _, p := range []string{"close as ", "snooze for ", "everything about its ", "everything about ", "copy the ", "copy as ", "copy "} {
		if rest, ok := strings.CutPrefix(help, p); ok {
			return rest
		}
	}
	return help
}

// keyName is a key as people write it.
func keyName(k string) string {
	words := strings.Fields(k)
	for i, w := range words {
		if rest, ok := strings.CutPrefix(w, "ctrl+"); ok {
			words[i] = "Ctrl-" + rest
		} else if n, ok := named[w]; ok {
			words[i] = n
		}
	}
	for _, w := range words {
		if len(w) > 1 {
			return strings.Join(words, " ")
		}
	}
	return strings.Join(words, "")
}

var named = map[string]string{
	"enter": "Enter", "esc": "Esc", "tab": "Tab", "shift+tab": "Shift-Tab", "space": "Space", "pgup": "PgUp", "pgdown": "PgDn",
	"home": "Home", "end": "End", "up": "Up", "down": "Down", "left": "Left", "right": "Right", "f1": "F1",
}
