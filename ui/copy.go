package ui

import (
	"encoding/json"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// maxCopy is how much a terminal takes by OSC 52: 74,994 bytes are 99,992 in
// base64, which with the sequence around it is what common terminals accept.
const maxCopy = 74994

// copied is what can be copied from under the cursor; empty parts cannot.
type copied struct {
	line, raw, field string
	json             any
	markdown         string
}

// copies are the bindings after y. Nothing goes to the clipboard but by them.
func (c *Console) copies(of func() copied) []Binding {
	kinds := []struct {
		name string
		text func(copied) string
	}{
		{"copy-line", func(x copied) string { return x.line }},
		{"copy-raw", func(x copied) string { return x.raw }},
		{"copy-json", func(x copied) string { return jsonText(x.json) }},
		{"copy-field", func(x copied) string { return x.field }},
		{"copy-markdown", func(x copied) string { return x.markdown }},
	}
	var out []Binding
	for _, k := range kinds {
		out = append(out, Binding{
			Name: k.name,
			Off: func() string {
				if k.text(of()) == "" {
					return "there is nothing under the cursor to copy so"
				}
				return ""
			},
			Do: func() tea.Cmd { return c.toClipboard(k.text(of())) },
		})
	}
	return out
}

func jsonText(v any) string {
	if v == nil {
		return ""
	}
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}

func (c *Console) toClipboard(text string) tea.Cmd {
	if len(text) > maxCopy {
		c.complain("%s bytes are too much for a terminal's clipboard, which takes %s", count(uint64(len(text))), count(maxCopy))
		return nil
	}
	c.say("copied %s bytes", count(uint64(len(text))))
	return tea.SetClipboard(text)
}

// fence is text as a Markdown code block that the text cannot end.
func fence(text string) string {
	ticks := "```"
	for strings.Contains(text, ticks) {
		ticks += "`"
	}
	return fmt.Sprintf("%s\n%s\n%s\n", ticks, text, ticks)
}

func (p *pager) copied() copied {
	l := p.current()
	text := strings.TrimSpace(l.text())
	out := copied{line: text, raw: string(l.raw), field: l.value}
	if text != "" {
		out.markdown = fence(text)
	}
	if l.field != "" {
		out.json = map[string]string{l.field: l.value}
	}
	return out
}

func (s *stream) copied() copied {
	e := s.event()
	if e == nil {
		return copied{}
	}
	text, _ := shownText(e)
	text, _ = s.c.masked(text)
	line := s.c.stamp(e.Time) + " " + shortSource(e.Ref.Source) + " " + clean(string(text))
	return copied{line: line, raw: string(e.Raw), json: eventJSON(e), markdown: fence(clean(s.c.opt.Mask.MaskString(string(e.Raw))))}
}
