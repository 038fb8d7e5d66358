// Package list is a virtual list: it knows which rows of a sequence are on the
// screen and where the cursor is, and never looks at a row. Rows have positions
// in a half-open interval [lo, hi) of numbers that may grow at both ends while
// positions stay with their rows, so nothing moves under the cursor when rows
// arrive. Nothing here blocks and nothing is lost.
package list

// List is the state of a virtual list. The zero value stands at position 0.
type List struct {
	Top, Cursor int64
	Follow      bool // the cursor stays on the newest row

	seen int64 // one after the newest row that was ever shown
	last int64 // one after the last visible row at the latest Fit
}

// Heights returns how many screen rows the row at a position takes, at least 1.
type Heights func(pos int64) int

// Fit puts cursor and top into [lo, hi) so that the cursor's row is among the
// height rows on the screen and no room is wasted at the end; nil heights are all 1.
func (l *List) Fit(lo, hi int64, height int, rows Heights) {
	height = max(height, 1)
	if hi <= lo {
		l.Top, l.Cursor, l.seen, l.last = lo, lo, lo, lo
		return
	}
	if l.Follow {
		l.Cursor = hi - 1
	}
	l.Cursor = min(max(l.Cursor, lo), hi-1)
	l.Top = min(max(l.Top, lo), l.Cursor)
	l.Top = max(l.Top, fill(l.Cursor, lo, height, rows))
	l.Top = min(l.Top, fill(hi-1, lo, height, rows))
	l.last = l.end(hi, height, rows)
	l.seen = min(max(l.seen, l.last), hi)
}

// fill returns the smallest top that still shows all of row bottom.
func fill(bottom, lo int64, height int, rows Heights) int64 {
	if rows == nil {
		return max(bottom-int64(height)+1, lo)
	}
	top, used := bottom, rows(bottom)
	for top > lo && used+rows(top-1) <= height {
		top--
		used += rows(top)
	}
	return top
}

func (l *List) end(hi int64, height int, rows Heights) int64 {
	if rows == nil {
		return min(l.Top+int64(height), hi)
	}
	pos := l.Top
	for used := 0; pos < hi && used < height; pos++ {
		used += rows(pos)
	}
	return pos
}

// Visible returns the rows on the screen at the latest Fit.
func (l *List) Visible() (from, to int64) { return l.Top, l.last }

// New counts the rows that arrived below and were never shown.
func (l *List) New(hi int64) int64 { return max(hi-l.seen, 0) }

// Move moves the cursor by n rows. Moving up stops following.
func (l *List) Move(n int64) {
	l.Cursor += n
	if n < 0 {
		l.Follow = false
	}
}

// Scroll moves cursor and screen by n rows.
func (l *List) Scroll(n int64) {
	l.Top += n
	l.Move(n)
}

// To puts the cursor at pos and stops following.
func (l *List) To(pos int64) { l.Cursor, l.Follow = pos, false }

// Center puts the cursor at pos, in the middle of height rows.
func (l *List) Center(pos int64, height int) {
	l.To(pos)
	l.Top = pos - int64(height/2)
}

// Shift renames all positions by n, for a sequence that was rebuilt around the
// cursor's row.
func (l *List) Shift(n int64) {
	l.Top, l.Cursor, l.seen, l.last = l.Top+n, l.Cursor+n, l.seen+n, l.last+n
}

// Forget makes everything up to hi count as seen.
func (l *List) Forget(hi int64) { l.seen = hi }
