package ui

import (
	"cmp"
	"strings"
	"unicode/utf8"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"bartizan/triage"
	"bartizan/ui/style"
)

// maxPicks is how many completions are shown at once.
const maxPicks = 6

// pick is one completion: the whole text it makes, and words about it.
type pick struct {
	text, words string
	name        string // what is shown of it; "" is text
}

// prompt is the one line a person types into. It stays, half typed, when the
// terminal goes away.
type prompt struct {
	c      *Console
	kind   string // its memory: the last text is recalled with Up
	label  string
	in     textinput.Model
	status string // above the line: a count, an error
	bad    bool

	change func(text string) tea.Cmd // after every edit; may be nil
	enter  func(text string) tea.Cmd // Enter; the prompt is closed before
	cancel func()                    // Esc; may be nil
	offer  func(text string) []pick  // completions; may be nil

	picks []pick
	at    int // the chosen pick, -1 none
}

// ask opens a prompt with text already in it.
func (c *Console) ask(p *prompt, text string) tea.Cmd {
	p.c, p.at = c, -1
	p.in = textinput.New()
	p.in.CharLimit = triage.MaxNote
	p.in.SetVirtualCursor(false)
	_ = p.in.Focus() // its command only blinks a cursor that is not drawn
	p.in.SetValue(text)
	p.in.CursorEnd()
	c.prompt = p
	return p.edited()
}

func (p *prompt) edited() tea.Cmd {
	p.at, p.picks = -1, nil
	if p.offer != nil {
		p.picks = p.offer(p.in.Value())
	}
	if p.change != nil {
		return p.change(p.in.Value())
	}
	return nil
}

func (p *prompt) press(msg tea.KeyPressMsg) tea.Cmd {
	switch key(msg) {
	case "enter":
		return p.close(true)
	case "esc", "ctrl+c":
		return p.close(false)
	case "tab", "down":
		return p.choose(1)
	case "shift+tab":
		return p.choose(-1)
	case "up":
		if len(p.picks) > 0 && p.at >= 0 {
			return p.choose(-1)
		}
		return p.set(p.c.recall[p.kind])
	}
	before := p.in.Value()
	p.in, _ = p.in.Update(msg)
	if p.in.Value() == before {
		return nil
	}
	return p.edited()
}

func (p *prompt) set(text string) tea.Cmd {
	if text == "" {
		return nil
	}
	p.in.SetValue(text)
	p.in.CursorEnd()
	return p.edited()
}

// choose puts the next completion into the line and keeps the others on offer.
func (p *prompt) choose(step int) tea.Cmd {
	if len(p.picks) == 0 {
		return nil
	}
	picks := p.picks
	at := p.at + step
	if p.at < 0 && step < 0 {
		at = len(picks) - 1
	}
	at = (at + len(picks)) % len(picks)
	cmd := p.set(picks[at].text)
	p.picks, p.at = picks, at
	if len(picks) == 1 {
		p.at = -1
		if p.offer != nil {
			p.picks = p.offer(p.in.Value())
		}
	}
	return cmd
}

func (p *prompt) close(ok bool) tea.Cmd {
	p.c.prompt = nil
	if p.c.popup != nil {
		p.c.startGrace() // it was waiting behind the prompt
	}
	text := p.in.Value()
	if !ok {
		if p.cancel != nil {
			p.cancel()
		}
		return nil
	}
	if strings.TrimSpace(text) != "" {
		p.c.recall[p.kind] = text
	}
	return p.enter(text)
}

// paste puts pasted text into the open prompt and nowhere else: on a screen it
// would be a row of commands.
func (c *Console) paste(msg tea.PasteMsg) tea.Cmd {
	if c.prompt == nil {
		c.complain("pasted text is not taken as keys; open a prompt with / f ; or : first")
		return nil
	}
	p := c.prompt
	p.in, _ = p.in.Update(tea.PasteMsg{Content: head(msg.Content, triage.MaxNote)})
	return p.edited()
}

// draw returns at most most lines, the last with the text, and the cursor.
func (p *prompt) draw(w, most int) (lines []string, cursor int) {
	s := p.c.sheet
	for i, pk := range p.window() {
		r := style.Row{Width: w}
		if pk == p.chosen() {
			r.Base = s.Cursor
		}
		r.Put(s.Key, " "+style.Pad(clean(cmp.Or(pk.name, pk.text)), min(28, w/2))).Put(s.Dim, " "+clean(pk.words))
		lines = append(lines, r.String())
		if i+3 >= most {
			break
		}
	}
	if p.status != "" && most > 1 {
		r, st := style.Row{Width: w}, s.Accent
		if p.bad {
			st = s.Bad
		}
		lines = append(lines, r.Put(st, style.Fit(clean(p.status), w, s.More)).String())
	}
	line, cursor := p.line(w)
	return append(lines, line), cursor
}

// window returns the picks around the chosen one.
func (p *prompt) window() []pick {
	from := max(min(p.at-maxPicks/2, len(p.picks)-maxPicks), 0)
	return p.picks[from:min(from+maxPicks, len(p.picks))]
}

func (p *prompt) chosen() pick {
	if p.at < 0 || p.at >= len(p.picks) {
		return pick{text: "\x00"}
	}
	return p.picks[p.at]
}

// line draws the text so that its cursor is on the screen.
func (p *prompt) line(w int) (string, int) {
	r := style.Row{Width: w}
	r.Put(p.c.sheet.Key, p.label)
	value := p.in.Value()
	at := min(p.in.Position(), utf8.RuneCountInString(value))
	before := clean(string([]rune(value)[:at]))
	x := style.Width(before)
	r.Skip = max(x-r.Left()+1, 0)
	cursor := r.Used() + x - r.Skip
	r.Put(p.c.sheet.Text, clean(value))
	return r.String(), cursor
}
