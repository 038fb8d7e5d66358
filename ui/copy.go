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

	// What is not copied, because it would hand out a secret: a record or a value
	// that is masked, and a line that shows one in clear.
	secretRaw, secretField, secretLine bool
}

// copies are the bindings after y. Nothing goes to the clipboard but by them.
func (c *Console) copies(of func() copied) []Binding {
	const (
		masked = "it holds a secret; open the record and press M, which the journal notes, then this copies it"
		shown  = "the line shows a secret; M hides it, y f and y r copy it as it is"
	)
	kinds := []struct {
		name   string
		text   func(copied) string
		secret func(copied) bool
		why    string
	}{
		{"copy-line", func(x copied) string { return x.line }, func(x copied) bool { return x.secretLine }, shown},
		{"copy-raw", func(x copied) string { return x.raw }, func(x copied) bool { return x.secretRaw }, masked},
		{"copy-json", func(x copied) string { return jsonText(x.json) }, func(copied) bool { return false }, ""},
		{"copy-field", func(x copied) string { return x.field }, func(x copied) bool { return x.secretField }, masked},
		{"copy-markdown", func(x copied) string { return x.markdown }, func(x copied) bool { return x.secretLine }, shown},
	}
	var out []Binding
	for _, k := range kinds {
		out = append(out, Binding{
			Name: k.name,
			Off: func() string {
				x := of()
				switch {
				case k.text(x) == "":
					return "there is nothing under the cursor to copy so"
				case k.secret(x):
					return k.why
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
	out := copied{line: text, raw: string(l.raw), field: l.value, secretRaw: p.c.withheld(l.raw)}
	out.secretField, out.secretLine = l.secret && p.c.clear == nil, l.secret && p.c.clear != nil
	if text != "" {
		out.markdown = fence(text)
	}
	if l.field != "" {
		out.json = map[string]string{l.field: p.c.opt.Mask.MaskField(l.field, l.value)}
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
	return copied{line: line, raw: string(e.Raw), secretRaw: s.c.withheld(e.Raw), json: s.c.eventJSON(e), markdown: fence(clean(s.c.opt.Mask.MaskString(string(e.Raw))))}
}
