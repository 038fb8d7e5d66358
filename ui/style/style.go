// Package style turns a palette into styles: ready-made SGR openings for every
// role, glyphs for terminals with and without Unicode, and Row, which writes one
// screen row of exactly known width. Text handed to it must have gone through
// event.Escape before. Nothing here blocks and nothing is lost.
package style

import (
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/themes"
)

// Style is one look of text.
type Style struct {
	role themes.Role
	open string
}

// Close ends any style.
const Close = "\x1b[m"

// Of makes a style of a role.
func Of(r themes.Role) Style {
	var s ansi.Style
	if r.Bold {
		s = s.Bold()
	}
	if r.Dim {
		s = s.Faint()
	}
	if r.Italic {
		s = s.Italic(true)
	}
	if r.Underline {
		s = s.Underline(true)
	}
	if r.Reverse {
		s = s.Reverse(true)
	}
	if r.Fg != "" {
		s = s.ForegroundColor(lipgloss.Color(r.Fg))
	}
	if r.Bg != "" {
		s = s.BackgroundColor(lipgloss.Color(r.Bg))
	}
	if len(s) == 0 {
		return Style{role: r}
	}
	return Style{role: r, open: s.String()}
}

// Over returns s as it looks on top of base: base's ground stays and everything
// s does not say is as in base. A base that paints both colours (the cursor's
// row) keeps both, so that text on it stays readable.
func (s Style) Over(base Style) Style {
	r, b := s.role, base.role
	r.Bold, r.Dim = r.Bold || b.Bold, r.Dim && !b.Reverse && b.Bg == ""
	r.Italic, r.Underline = r.Italic || b.Italic, r.Underline || b.Underline
	if r.Bg == "" && !r.Reverse && (b.Bg != "" || b.Reverse) {
		r.Bg, r.Reverse, r.Fg = b.Bg, b.Reverse, b.Fg
	}
	if r.Fg == "" {
		r.Fg = b.Fg
	}
	return Of(r)
}

// Text returns t in this style.
func (s Style) Text(t string) string {
	if s.open == "" || t == "" {
		return t
	}
	return s.open + t + Close
}

// Sheet is every style and glyph of a console.
type Sheet struct {
	Text, Dim, Title, Header, Footer, Key, Accent, Border Style
	Cursor, Marked, Match, Search, Loss, Good, Warn, Bad  Style

	severity [5]Style
	level    [10]Style
	Glyphs
}

// New builds the sheet of a palette; plain keeps its glyphs to ASCII.
func New(p themes.Palette, plain bool) *Sheet {
	of := func(n string) Style { return Of(p.Roles[n]) }
	s := &Sheet{
		Text: of("text"), Dim: of("dim"), Title: of("title"), Header: of("header"), Footer: of("footer"),
		Key: of("key"), Accent: of("accent"), Border: of("border"), Cursor: of("cursor"), Marked: of("marked"),
		Match: of("match"), Search: of("search"), Loss: of("loss"), Good: of("good"), Warn: of("warn"), Bad: of("bad"),
		Glyphs: unicode,
	}
	if plain {
		s.Glyphs = ascii
	}
	for i := range s.severity {
		s.severity[i] = of(detect.Severity(i).String())
	}
	for i := range s.level {
		s.level[i] = of(levelRole(event.Level(i)))
	}
	return s
}

func levelRole(l event.Level) string {
	switch {
	case l >= event.LevelError:
		return "error"
	case l == event.LevelWarning:
		return "warning"
	case l == event.LevelNotice:
		return "notice"
	case l == event.LevelTrace || l == event.LevelDebug:
		return "debug"
	}
	return "info"
}

// Severity is the look of a severity; the letter and glyph say it too.
func (s *Sheet) Severity(v detect.Severity) Style { return s.severity[min(int(v), len(s.severity)-1)] }

// Level is the look of a record's own level.
func (s *Sheet) Level(l event.Level) Style { return s.level[min(int(l), len(s.level)-1)] }
