package ui

import (
	"context"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/query"
	"bartizan/triage"
	"bartizan/ui/style"
)

// The bounds of what a page shows of a rule.
const (
	maxTreeLines = 400
	maxTextLines = 400
	maxTextBytes = 64 << 10
	treeIndent   = 2
)

// judged is the rule of an alert, judged against its newest record.
type judged struct {
	tree    *detect.Tree
	counted []Counted
	text    string // the rule as its file has it, where the tree cannot say it
	trouble string
}

// judgeRecord asks the engine; it is called from a task.
func judgeRecord(ctx context.Context, live Live, a *triage.Alert, e *event.Event) (j judged) {
	of, ok := live.(Judge)
	if !ok || e == nil {
		return j
	}
	j.tree = of.Tree(a.RuleID, e)
	var err error
	if j.counted, err = of.Counted(ctx, a.RuleID, e); err != nil {
		j.trouble = err.Error()
	}
	if a.RuleKind == detect.KindFalco && j.tree != nil && j.tree.Op == "leaf" {
		if j.text, err = of.RuleText(a.RuleID); err != nil {
			j.trouble = err.Error()
		}
	}
	return j
}

// condition is the tree of the rule on the newest record, with true or false and
// the value seen at every leaf; Enter folds.
func (d *detail) condition() []line {
	c := d.c
	if d.judged.tree == nil {
		return nil
	}
	out := []line{c.heading("the rule on this record (Enter folds a part, pivots on a value)")}
	if d.judged.trouble != "" {
		out = append(out, line{segs: []segment{{c.sheet.Bad, " " + clean(d.judged.trouble)}}})
	}
	out = append(out, d.treeLines(d.judged.tree, "", 0)...)
	if len(out) > maxTreeLines {
		out = append(out[:maxTreeLines:maxTreeLines], c.words("and more; bartizan rules explain prints all of it"))
	}
	out = append(out, c.textLines(d.judged.text)...)
	return append(out, d.windowLines()...)
}

// folds says whether a part is shown without its parts: as the person left it,
// else parts of an "or" that do not hold while others do.
func (d *detail) folds(t *detect.Tree, path string, beside bool) bool {
	if f, ok := d.folded[path]; ok {
		return f
	}
	return beside && !t.Holds && leaves(t) > 2
}

// leaves counts the questions of a tree.
func leaves(t *detect.Tree) int {
	if t.Op == "leaf" {
		return 1
	}
	n := 0
	for _, k := range t.Kids {
		n += leaves(k)
	}
	return n
}

func (d *detail) treeLines(t *detect.Tree, path string, depth int) []line {
	if t.Op == "leaf" {
		return []line{d.leafLine(t, depth)}
	}
	sh := d.c.sheet
	fold := d.folds(t, path, depth > 0 && d.beside(path))
	sign := sh.Down
	words := treeWords(t)
	if fold {
		sign = sh.Point
		words += fmt.Sprintf(" (%s)", plural(leaves(t), "question"))
	}
	head := line{
		segs: []segment{holdsSegment(sh, t.Holds), {sh.Dim, strings.Repeat(" ", treeIndent*depth) + sign + " "}, {sh.Text, words}},
		open: func() tea.Cmd {
			d.folded[path] = !fold
			d.build()
			return nil
		},
	}
	out := []line{head}
	if fold {
		return out
	}
	for i, k := range t.Kids {
		kid := fmt.Sprintf("%s/%d", path, i)
		if t.Op == "or" && t.Holds {
			kid += "|"
		}
		out = append(out, d.treeLines(k, kid, depth+1)...)
	}
	return out
}

// beside says whether the part at path stands in an "or" that holds.
func (d *detail) beside(path string) bool { return strings.HasSuffix(path, "|") }

// treeWords is what a part asks of its parts.
func treeWords(t *detect.Tree) string {
	word := map[string]string{"and": "all of", "or": "any of", "not": "not"}[t.Op]
	if t.Text == "" {
		return word
	}
	return word + "  " + clean(t.Text)
}

func holdsSegment(sh *style.Sheet, holds bool) segment {
	if holds {
		return segment{sh.Good, " true  "}
	}
	return segment{sh.Warn, " false "}
}

// leafLine is one question with the values the record has for it; of a question
// that holds the bytes that made it hold are marked.
func (d *detail) leafLine(t *detect.Tree, depth int) line {
	c, sh := d.c, d.c.sheet
	l := line{segs: []segment{
		holdsSegment(sh, t.Holds),
		{sh.Dim, strings.Repeat(" ", treeIndent*depth)},
		{sh.Text, clean(t.Text + t.BesideWords(func(name, value string) string {
			shown, _ := c.maskField(name, value)
			return shown
		}))},
	}}
	switch {
	case len(t.Seen) > 0:
		l.segs = append(l.segs, segment{sh.Dim, "  seen "})
		for i, v := range t.Seen {
			if i > 0 {
				l.segs = append(l.segs, segment{sh.Dim, ", "})
			}
			l.segs = append(l.segs, d.seenSegments(t, v)...)
		}
		if t.More > 0 {
			l.segs = append(l.segs, segment{sh.Dim, fmt.Sprintf(" and %d more", t.More)})
		}
		l.field, l.value = t.Field, t.Seen[0]
		_, l.secret = c.maskField(t.Field, head(t.Seen[0], 200))
	case t.Field != "":
		l.segs = append(l.segs, segment{sh.Dim, "  the record has no " + clean(t.Field)})
	case len(t.Matches) > 0:
		m := t.Matches[0]
		value, secret := c.maskField("", head(m.Value, 200))
		l.segs, l.secret = append(l.segs, segment{sh.Dim, "  seen "}, segment{sh.Match, clean(value)}), secret
	}
	if l.field != "" && l.value != "" {
		l.open = func() tea.Cmd { return c.pivotValue(l.field, l.value) }
	}
	return l
}

// seenSegments is a value with the part that matched marked.
func (d *detail) seenSegments(t *detect.Tree, v string) []segment {
	c, sh := d.c, d.c.sheet
	shown, _ := c.maskField(t.Field, head(v, 200))
	text := clean(shown)
	for _, m := range t.Matches {
		part := clean(d.matchedPart(m, v))
		at := -1
		if shown == head(v, 200) && part != "" {
			at = strings.Index(text, part)
		}
		if at >= 0 {
			return []segment{{sh.Text, text[:at]}, {sh.Match, part}, {sh.Text, text[at+len(part):]}}
		}
	}
	if text == "" {
		return []segment{{sh.Dim, "the empty text"}}
	}
	return []segment{{sh.Text, text}}
}

// matchedPart is the part of a value that a match is about, "" when it is about
// another value.
func (d *detail) matchedPart(m query.Match, v string) string {
	if m.Value != v {
		return ""
	}
	if raw := d.parsed.Raw; m.Pos >= 0 && m.End > m.Pos && int(m.End) <= len(raw) {
		if part := string(raw[m.Pos:m.End]); strings.Contains(v, part) {
			return part
		}
	}
	return v
}

// textLines shows a rule as its file has it.
func (c *Console) textLines(text string) []line {
	var out []line
	cut := head(text, maxTextBytes)
	rest := len(text) - len(cut)
	for l := range strings.Lines(cut) {
		if len(out) == maxTextLines {
			return append(out, c.words("and more"))
		}
		out = append(out, line{segs: []segment{{c.sheet.Dim, "   "}, {c.sheet.Text, clean(strings.TrimRight(strings.ReplaceAll(l, "\t", "  "), "\r\n"))}}})
	}
	if rest > 0 {
		out = append(out, c.words(fmt.Sprintf("and %s more bytes", count(uint64(rest)))))
	}
	return out
}

// windowLines are the records that the window of the rule held, each with the
// rules it was counted for.
func (d *detail) windowLines() []line {
	c := d.c
	if len(d.judged.counted) == 0 {
		return nil
	}
	out := []line{c.heading(fmt.Sprintf("the window: %s counted, oldest first", plural(len(d.judged.counted), "record")))}
	for _, k := range d.judged.counted {
		e := k.Event
		l := c.rawLine(c.clock(e.Time, c.now(), false), e.Raw, nil, false)
		var names []string
		for _, r := range k.Rules {
			if n := clean(r.Title); !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
		l.segs = append([]segment{{c.sheet.Accent, " " + style.Pad(style.Fit(strings.Join(names, ", "), 28, c.sheet.More), 28)}}, l.segs...)
		l.open = func() tea.Cmd { return c.visit(newEventView(c, e, nil)) }
		out = append(out, l)
	}
	return out
}
