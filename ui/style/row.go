package style

import (
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// Row writes one screen row of at most Width columns. What does not fit is cut,
// never wrapped. The zero Base is the default look.
type Row struct {
	Width int
	Base  Style
	Skip  int // columns still to leave out on the left (sideways scrolling)

	b    strings.Builder
	used int
}

// Width counts the columns of escaped text.
func Width(s string) int {
	if isASCII(s) {
		return len(s)
	}
	return ansi.StringWidthWc(s)
}

// Cut returns the part of s between the columns from and to. Escaped text has
// no sequences in it, so it is cut between graphemes only.
func Cut(s string, from, to int) string {
	if from >= to {
		return ""
	}
	if isASCII(s) {
		return s[min(from, len(s)):min(to, len(s))]
	}
	at, start, end := 0, -1, len(s)
	for i := 0; i < len(s); {
		g, w := ansi.FirstGraphemeCluster(s[i:], ansi.WcWidth)
		if start < 0 && at >= from {
			start = i
		}
		if at+w > to {
			end = i
			break
		}
		at, i = at+w, i+len(g)
	}
	if start < 0 || start > end {
		return ""
	}
	return s[start:end]
}

// Fit cuts s to n columns and ends it with more when something is missing.
func Fit(s string, n int, more string) string {
	if Width(s) <= n {
		return s
	}
	if w := Width(more); n > w {
		return Cut(s, 0, n-w) + more
	}
	return Cut(s, 0, n)
}

// Pad makes s exactly n columns wide, cut or filled with spaces on the right.
func Pad(s string, n int) string {
	if n <= 0 {
		return ""
	}
	s = Cut(s, 0, n)
	if w := Width(s); w < n {
		s += strings.Repeat(" ", n-w)
	}
	return s
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// Put writes t in style s over the row's base.
func (r *Row) Put(s Style, t string) *Row {
	w := Width(t)
	if r.Skip >= w {
		r.Skip -= w
		return r
	}
	if r.Skip > 0 || w > r.Width-r.used {
		t = Cut(t, r.Skip, r.Skip+r.Left())
		r.Skip, w = 0, Width(t)
	}
	r.used += w
	if s.open == "" {
		s = r.Base
	} else if r.Base.open != "" {
		s = s.Over(r.Base)
	}
	r.write(s, t)
	return r
}

func (r *Row) write(s Style, t string) {
	if t == "" {
		return
	}
	r.b.WriteString(s.open)
	r.b.WriteString(t)
	if s.open != "" {
		r.b.WriteString(Close)
	}
}

// Left is how many columns are free.
func (r *Row) Left() int { return max(r.Width-r.used, 0) }

// Used is how many columns are taken.
func (r *Row) Used() int { return r.used }

// To fills with the base's ground up to column n, at least by nothing.
func (r *Row) To(n int) *Row {
	if n = min(n, r.Width); n > r.used {
		r.write(r.Base, strings.Repeat(" ", n-r.used))
		r.used = n
	}
	return r
}

// Right writes t at the right end when it fits, with one column before it.
func (r *Row) Right(s Style, t string) *Row {
	if w := Width(t); r.Left() > w {
		r.To(r.Width-w).Put(s, t)
	}
	return r
}

// String is the row; a row with a ground of its own is filled to its width.
func (r *Row) String() string {
	if r.Base.open != "" {
		r.To(r.Width)
	}
	return r.b.String()
}
