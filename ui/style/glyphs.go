package style

import (
	"bartizan/detect"
	"bartizan/event"
)

// Glyphs are the signs of our own (never of data).
type Glyphs struct {
	Rule, Bar, Down, Up, More, Sep, Mark, Point, Crumb string
	severity                                           [5]string
}

var (
	unicode = Glyphs{
		Rule: "─", Bar: "│", Down: "▼", Up: "▲", More: "…", Sep: "·", Mark: "●", Point: "▸", Crumb: "›",
		severity: [5]string{"I○", "L◇", "M●", "H▲", "C◆"},
	}
	ascii = Glyphs{
		Rule: "-", Bar: "|", Down: "v", Up: "^", More: "...", Sep: "-", Mark: "*", Point: ">", Crumb: ">",
		severity: [5]string{"I.", "L-", "M*", "H^", "C!"},
	}
)

// Badge is a severity in two columns without colour: a letter and a glyph.
func (g Glyphs) Badge(v detect.Severity) string { return g.severity[min(int(v), len(g.severity)-1)] }

// LevelLetter is a record's level in one column, a space when unknown.
func LevelLetter(l event.Level) string {
	const letters = " TDINWECA!"
	if int(l) >= len(letters) {
		return " "
	}
	return letters[l : l+1]
}
