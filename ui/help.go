package ui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/colorprofile"

	tea "charm.land/bubbletea/v2"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/triage"
	"bartizan/ui/style"
)

// newHelp lists the keys that work on the screen it was opened from; what does
// not work there says why.
func newHelp(c *Console) *tablePage {
	from := c.places.now()
	t := newTable(c, "help")
	t.wrap = true
	lines := []line{c.words("on the screen " + from.Title() + "; what does not work there says why")}
	if n := len(c.problems); n > 0 {
		lines = append(lines, c.heading("in the configuration of the keys"))
		for _, p := range c.problems {
			lines = append(lines, line{segs: []segment{{c.sheet.Bad, " " + p}}})
		}
	}
	groups, group := table(), ""
	byName := map[string]Binding{}
	for _, b := range c.bound(from) {
		byName[b.Name] = b
	}
	for _, e := range groups {
		if e.group != group {
			group = e.group
			lines = append(lines, c.heading(group))
		}
		lines = append(lines, c.helpLine(byName[e.name]))
	}
	t.lines = lines
	t.fill = func(*tablePage) tea.Cmd { return nil }
	return t
}

func (c *Console) helpLine(b Binding) line {
	sh := c.sheet
	var names []string
	for _, k := range b.Keys {
		names = append(names, clean(keyName(k)))
	}
	keys := strings.Join(names, " ")
	if keys == "" {
		keys = ":" + b.Name
	}
	reason := c.why(b)
	if reason == "" {
		return line{segs: []segment{{sh.Key, " " + style.Pad(keys, 16) + " "}, {sh.Text, b.Help}}}
	}
	return line{segs: []segment{{sh.Dim, " " + style.Pad(keys, 16) + " " + b.Help + " " + sh.Sep + " " + reason}}}
}

// everyScreen returns one of each kind of screen, for what is about all keys:
// the check of overrides and the generated reference.
func (c *Console) everyScreen() []Screen {
	split := newHome(c)
	split.focus = paneStream
	return []Screen{
		newHome(c),
		kindOf{split, "stream"},
		kindOf{newDetail(c, ""), "alert"},
		kindOf{c.newPage("entity", nil, nil), "entity"},
		kindOf{newEventView(c, &event.Event{}, nil), "record"},
		newEntities(c), newSources(c), newRules(c), newJournal(c),
		newException(c, nil),
		kindOf{newRuleView(c, RuleRow{Rule: &detect.Rule{}}), "rule"},
	}
}

// kindOf is a screen under the name of its kind.
type kindOf struct {
	Screen
	name string
}

func (n kindOf) Title() string { return n.name }

func colourless(p colorprofile.Profile) bool { return p <= colorprofile.ASCII }

// alertCopied is what can be copied of an alert.
func alertCopied(c *Console, a *triage.Alert) copied {
	line := fmt.Sprintf("%s %s %s %s", a.Severity, c.full(a.Last), clean(a.Title), entityWords(a.Group))
	md := fmt.Sprintf("**%s** (%s, %s)\n\n- id: `%s`\n- about: %s\n- seen: %s, first %s, last %s\n\n%s",
		clean(a.Title), a.Severity, a.State, clean(string(a.ID)), entityWords(a.Group), times2(a.Count), c.full(a.First), c.full(a.Last), fence(clean(c.opt.Mask.MaskString(a.Sample))))
	return copied{line: line, raw: a.Sample, secretRaw: c.withheld([]byte(a.Sample)), json: maskedAlert(c, a), markdown: md}
}
