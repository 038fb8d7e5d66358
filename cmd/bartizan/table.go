package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/term"
)

// table writes aligned columns for people. Every text is made fit for a terminal
// first; only on a terminal a row is cut at its width, so pipes get all of it.
type table struct {
	w      *bufio.Writer
	widths []int // of columns; 0, for the last: what is left
	width  int   // of the terminal, 80 elsewhere
	cut    bool
}

func newTable(w io.Writer, widths ...int) *table {
	t := &table{w: bufio.NewWriterSize(w, 32<<10), widths: widths, width: 80}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		t.cut = true
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 20 {
			t.width = n
		}
	}
	return t
}

// row writes one line, its texts made fit for a terminal. A text wider than its
// column pushes the next ones, so that nothing is hidden in a pipe. A negative
// width aligns to the right.
func (t *table) row(cells ...string) error {
	for i := range cells {
		cells[i] = printable(cells[i])
	}
	return t.safeRow(cells...)
}

// safeRow is row for texts that are fit for a terminal already.
func (t *table) safeRow(cells ...string) error {
	var b strings.Builder
	for i, c := range cells {
		w := t.widths[i]
		if i > 0 {
			b.WriteByte(' ')
		}
		gap := max(w, -w) - ansi.StringWidth(c)
		if w < 0 && gap > 0 {
			b.WriteString(strings.Repeat(" ", gap))
		}
		b.WriteString(c)
		if w > 0 && gap > 0 && i < len(cells)-1 {
			b.WriteString(strings.Repeat(" ", gap))
		}
	}
	return t.line(b.String())
}

// line writes a line that is fit for a terminal already.
func (t *table) line(s string) error {
	s = strings.TrimRight(s, " ")
	if t.cut {
		s = ansi.Truncate(s, t.width, "…")
	}
	_, err := t.w.WriteString(s + "\n")
	return err
}

// wrapped writes a name and a text of any length beside it, wrapped at words and
// indented under its beginning.
func (t *table) wrapped(name, value string) {
	indent := t.widths[0] + 1
	for _, par := range strings.Split(value, "\n") {
		for _, l := range wrap(printable(par), max(t.width-indent, 20)) {
			_ = t.safeRow(name, l) // an error of the writer stays and is told by flush
			name = ""
		}
	}
}

// say writes a sentence of any length, wrapped at words.
func (t *table) say(format string, args ...any) {
	for _, l := range wrap(printable(fmt.Sprintf(format, args...)), t.width) {
		_ = t.line(l)
	}
}

// wrap breaks a text that is fit for a terminal into lines of at most width
// columns, at blanks where there are some. Blanks it begins with indent all lines.
func wrap(s string, width int) (lines []string) {
	indent := s[:len(s)-len(strings.TrimLeft(s, " "))]
	line, used := indent, len(indent)
	for _, word := range strings.Fields(s) {
		w := ansi.StringWidth(word)
		if used > len(indent) && used+1+w > width {
			lines = append(lines, line)
			line, used = indent, len(indent)
		}
		if used > len(indent) {
			line, used = line+" ", used+1
		}
		for used+w > width {
			head := ansi.Truncate(word, max(width-used, 2), "")
			if head == "" {
				break // one character that is wider
			}
			lines = append(lines, line+head)
			word = word[len(head):]
			w = ansi.StringWidth(word)
			line, used = indent, len(indent)
		}
		line, used = line+word, used+w
	}
	return append(lines, line)
}

// many is a number with what it counts: 1 event, 2 events.
func many[N int | int64](n N, what string) string {
	switch {
	case n == 1:
	case strings.HasSuffix(what, "ch"):
		what += "es"
	default:
		what += "s"
	}
	return fmt.Sprint(n, " ", what)
}

func (t *table) flush() error { return t.w.Flush() }
