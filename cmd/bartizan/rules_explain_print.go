package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/query"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/term"
)

// onTerminal reports whether a person sees what is written to w.
func onTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// people returns a text from a record as it may be shown: with secrets hidden
// where standard output is a terminal. Control bytes are made visible by the
// table that writes it.
func (a *app) people(s string) string {
	if !onTerminal(a.out) {
		return s
	}
	return a.masker().MaskString(s)
}

func (a *app) masker() *event.Masker {
	if a.mask == nil {
		a.mask = newMasker()
	}
	return a.mask
}

// peopleField is people for the value of a field, whose name may say that all of it
// is a secret.
func (a *app) peopleField(name, s string) string {
	if !onTerminal(a.out) {
		return s
	}
	return a.masker().MaskField(name, s)
}

// maxRawShown bounds how much of a record is shown, in bytes.
const maxRawShown = 4 << 10

// printExplained writes one event and the rule's condition for people.
func (a *app) printExplained(x *explainedEvent, raw []byte, again bool) error {
	t := newTable(a.out, 3, 0)
	if again {
		_ = t.line("")
	}
	_ = t.line(printable(fmt.Sprintf("%s:%d  %s  read as %s", x.Source, x.Line, x.Time.Format(time.RFC3339), strings.TrimSpace(x.Format+" "+x.LogSource))))
	if shown := a.people(x.Raw); shown != x.Raw {
		t.marked([]byte(shown), nil, 2) // positions are those of the record, not of what is shown
	} else {
		t.marked(raw, marksOf(x.Tree, len(raw)), 2)
	}
	outcome := "no hit: " + x.Rule.Title
	switch {
	case x.Hit:
		outcome = "hit: " + x.Rule.Title
	case x.Holds:
		outcome = "counts for: " + x.Rule.Title
	}
	t.say("%s", outcome)
	a.tree(t, x.Tree, 0)
	return t.flush()
}

// marksOf tells which bytes of the record made leaves of a tree hold.
func marksOf(t *detect.Tree, n int) []bool {
	marks := make([]bool, n)
	var walk func(*detect.Tree)
	walk = func(t *detect.Tree) {
		for _, m := range t.Matches {
			mark(marks, m)
		}
		for _, k := range t.Kids {
			walk(k)
		}
	}
	walk(t)
	return marks
}

func mark(marks []bool, m query.Match) {
	if m.Pos < 0 || m.End < m.Pos || int(m.End) > len(marks) {
		return
	}
	for i := m.Pos; i < m.End; i++ {
		marks[i] = true
	}
}

// marked writes a record in lines that fit, indented, control bytes made visible,
// with ^ below the bytes that are marked.
func (t *table) marked(raw []byte, marks []bool, indent int) {
	rest := 0
	if len(raw) > maxRawShown {
		rest = len(raw) - maxRawShown
		raw = raw[:maxRawShown]
	}
	margin := strings.Repeat(" ", indent)
	room := max(t.width-indent-1, 20)
	var text, below strings.Builder
	used := 0
	flush := func() {
		if used > 0 {
			_ = t.line(margin + text.String())
			if strings.Contains(below.String(), "^") {
				_ = t.line(margin + below.String())
			}
		}
		text.Reset()
		below.Reset()
		used = 0
	}
	for i := 0; i < len(raw); {
		_, n := utf8.DecodeRune(raw[i:])
		shown := printable(string(raw[i : i+n]))
		w := ansi.StringWidth(shown)
		if used+w > room {
			flush()
		}
		text.WriteString(shown)
		sign := " "
		if i < len(marks) && marks[i] {
			sign = "^"
		}
		below.WriteString(strings.Repeat(sign, w))
		used += w
		i += n
	}
	flush()
	if rest > 0 {
		_ = t.line(fmt.Sprintf("%s… and %d more bytes", margin, rest))
	}
}

// maxTreeIndent keeps deep trees on the screen.
const maxTreeIndent = 20

// tree writes a condition: yes or no, what is asked, and what the event has.
func (a *app) tree(t *table, n *detect.Tree, depth int) {
	verdict := "no"
	if n.Holds {
		verdict = "yes"
	}
	indent := strings.Repeat("  ", min(depth, maxTreeIndent))
	text := n.Text
	switch n.Op {
	case "and":
		text = joinWords("all of", n.Text)
	case "or":
		text = joinWords("any of", n.Text)
	case "not":
		text = joinWords("not", n.Text)
	}
	text += n.BesideWords(a.peopleField)
	if n.Op == "leaf" && n.Field != "" {
		text += " " + a.seen(n)
	}
	room := max(t.width-4-len(indent), 30)
	for i, l := range wrap(printable(text), room) {
		if i > 0 {
			verdict, l = "", "  "+l
		}
		_ = t.safeRow(verdict, indent+l)
	}
	for _, k := range n.Kids {
		a.tree(t, k, depth+1)
	}
}

func joinWords(op, text string) string {
	if text == "" {
		return op
	}
	return op + " [" + text + "]"
}

// seen says what the event has under a leaf's field.
func (a *app) seen(n *detect.Tree) string {
	if n.Seen == nil {
		return "<- the event has no " + n.Field
	}
	var values []string
	for _, v := range n.Seen {
		values = append(values, short(a.peopleField(n.Field, v), 120))
	}
	s := "<- " + strings.Join(values, " | ")
	if n.More > 0 {
		s += fmt.Sprintf(" | and %d more", n.More)
	}
	return s
}
