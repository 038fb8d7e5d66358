package ui

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"bartizan/event"
	"bartizan/ui/list"
	"bartizan/ui/style"
)

// line is one row of a page: pieces of text, and what it stands for.
type line struct {
	segs   []segment
	open   func() tea.Cmd // Enter; nil does nothing
	field  string         // the field whose value this is
	value  string
	ent    *event.Entity
	raw    []byte // the record this row shows
	head   bool   // a heading: Tab goes from one to the next
	tall   bool   // wrapped even where the page is not, over more rows
	secret bool   // its value or record has secrets in it
}

func (l line) text() string {
	var b strings.Builder
	for _, g := range l.segs {
		b.WriteString(g.text)
	}
	return b.String()
}

// tallRows is how many screen rows a record may take on its own page.
const tallRows = 40

// pager shows lines with a cursor. It is the body of every page that is not a
// stream; a page fills lines and leaves moving, searching and copying to it.
type pager struct {
	c      *Console
	lines  []line
	list   list.List
	height int
	xoff   int
	wrap   bool
	look   string        // searched for, lower case
	copyOf func() copied // what y copies, where the page knows more than a row
}

// copies says what y copies: what the page gives, else the row under the cursor.
func (p *pager) copies() func() copied {
	if p.copyOf != nil {
		return p.copyOf
	}
	return p.copied
}

func (p *pager) current() line {
	if i := int(p.list.Cursor); i >= 0 && i < len(p.lines) {
		return p.lines[i]
	}
	return line{}
}

func (p *pager) draw(w, h int) []string {
	p.height = max(h, 1)
	p.list.Fit(0, int64(len(p.lines)), p.height, p.heights(w))
	var out []string
	from, to := p.list.Visible()
	for i := from; i < to && len(out) < h; i++ {
		out = append(out, p.row(p.lines[i], w, i == p.list.Cursor)...)
	}
	return out[:min(len(out), max(h, 0))]
}

func (p *pager) heights(w int) list.Heights {
	return func(i int64) int { return len(p.row(p.lines[i], w, false)) }
}

func (p *pager) row(l line, w int, cursor bool) []string {
	r := style.Row{Width: w, Skip: p.xoff}
	if cursor {
		r.Base = p.c.sheet.Cursor
	}
	segs := markText(l.segs, p.look, p.c.sheet.Search)
	most := wrapRows
	if l.tall {
		most = tallRows
	}
	if !p.wrap && (!l.tall || p.xoff > 0) || style.Width(l.text()) <= w {
		for _, g := range segs {
			r.Put(g.style, g.text)
		}
		return []string{r.String()}
	}
	r.Skip = 0
	base := r.Base
	return wrapSegments(&r, func() *style.Row { return (&style.Row{Width: w, Base: base}).Put(p.c.sheet.Text, "   ") }, segs, most)
}

// markText marks the searched text in the pieces of a row.
func markText(segs []segment, look string, st style.Style) []segment {
	if look == "" {
		return segs
	}
	var out []segment
	for _, g := range segs {
		at := strings.Index(lower(g.text), look)
		if at < 0 || at+len(look) > len(g.text) {
			out = append(out, g)
			continue
		}
		end := at + len(look)
		out = append(out, segment{g.style, g.text[:at]}, segment{st, g.text[at:end]}, segment{g.style, g.text[end:]})
	}
	return out
}

func (p *pager) keys() []Binding {
	out := []Binding{
		{Name: "open", Hint: "open", Off: p.noOpen, Do: func() tea.Cmd { return p.current().open() }},
		{Name: "search", Do: p.askSearch},
		{Name: "next", Off: p.noSearch, Do: func() tea.Cmd { return p.hop(1) }},
		{Name: "previous", Off: p.noSearch, Do: func() tea.Cmd { return p.hop(-1) }},
		{Name: "wrap", Do: func() tea.Cmd { p.wrap = !p.wrap; return nil }},
		{Name: "left", Do: func() tea.Cmd { p.xoff = max(p.xoff-8, 0); return nil }},
		{Name: "right", Do: func() tea.Cmd { p.xoff = min(p.xoff+8, 1<<16); return nil }},
		{Name: "next-pane", Off: p.noHeads, Do: func() tea.Cmd { return p.section(1) }},
		{Name: "previous-pane", Off: p.noHeads, Do: func() tea.Cmd { return p.section(-1) }},
	}
	return append(append(out, moves(&p.list, &p.height)...), p.c.copies(p.copies())...)
}

func (p *pager) noOpen() string {
	if p.current().open == nil {
		return "there is nothing to open on this line"
	}
	return ""
}

func (p *pager) noSearch() string {
	if p.look == "" {
		return "nothing is searched for; / begins a search"
	}
	return ""
}

func (p *pager) noHeads() string {
	for _, l := range p.lines {
		if l.head {
			return ""
		}
	}
	return "this screen has one pane"
}

func (p *pager) undoStep() (bool, tea.Cmd) {
	switch {
	case p.look != "":
		p.look = ""
	case p.xoff > 0:
		p.xoff = 0
	default:
		return false, nil
	}
	return true, nil
}

func (p *pager) askSearch() tea.Cmd {
	before := p.look
	return p.c.ask(&prompt{
		kind: "search", label: "/",
		change: func(text string) tea.Cmd { p.look = lower(clean(text)); return nil },
		cancel: func() { p.look = before },
		enter:  func(string) tea.Cmd { return p.hop(1) },
	}, "")
}

// hop goes to the next line that has the searched text.
func (p *pager) hop(dir int64) tea.Cmd {
	if p.look == "" {
		return nil
	}
	for i := p.list.Cursor + dir; i >= 0 && i < int64(len(p.lines)); i += dir {
		if strings.Contains(lower(p.lines[i].text()), p.look) {
			p.list.To(i)
			return nil
		}
	}
	p.c.say("no further match")
	return nil
}

// section goes to the next or previous heading.
func (p *pager) section(dir int64) tea.Cmd {
	for i := p.list.Cursor + dir; i >= 0 && i < int64(len(p.lines)); i += dir {
		if p.lines[i].head {
			p.list.To(i)
			p.list.Top = i
			return nil
		}
	}
	return nil
}

// jump goes to the heading that begins with words.
func (p *pager) jump(words string) bool {
	for i, l := range p.lines {
		if l.head && strings.Contains(l.text(), words) {
			p.list.To(int64(i))
			p.list.Top = int64(i)
			return true
		}
	}
	return false
}

// moves are the bindings of everything with a cursor.
func moves(l *list.List, height *int) []Binding {
	step := func(f func()) func() tea.Cmd { return func() tea.Cmd { f(); return nil } }
	page := func() int64 { return int64(max(*height-1, 1)) }
	return []Binding{
		{Name: "down", Do: step(func() { l.Move(1) })},
		{Name: "up", Do: step(func() { l.Move(-1) })},
		{Name: "half-down", Do: step(func() { l.Scroll((page() + 1) / 2) })},
		{Name: "half-up", Do: step(func() { l.Scroll(-(page() + 1) / 2) })},
		{Name: "page-down", Do: step(func() { l.Scroll(page()) })},
		{Name: "page-up", Do: step(func() { l.Scroll(-page()) })},
		{Name: "top", Do: step(func() { l.To(0) })},
		{Name: "bottom", Do: step(func() { l.To(1<<62 - 1) })},
	}
}

// The pieces that pages are made of.

func (c *Console) heading(text string) line {
	return line{head: true, segs: []segment{{c.sheet.Border, c.sheet.Rule + c.sheet.Rule + " "}, {c.sheet.Title, text}}}
}

func (c *Console) words(text string) line {
	return line{segs: []segment{{c.sheet.Text, " " + text}}}
}

// pair is a name in a column of its own and a value.
func (c *Console) pair(name string, n int, st style.Style, value string) line {
	return line{segs: []segment{{c.sheet.Dim, " " + style.Pad(name, n) + " "}, {st, value}}}
}
