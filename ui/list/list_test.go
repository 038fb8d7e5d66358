package list

import (
	"testing"

	"pgregory.net/rapid"
)

// A random walk over a sequence that grows at both ends and shrinks below: the
// cursor's row is always on the screen, a paused list keeps its rows, and the
// count of new rows is exactly what a forty-line model says.
func TestWalk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l List
		lo, hi := int64(0), int64(rapid.IntRange(0, 30).Draw(t, "n"))
		height := rapid.IntRange(1, 12).Draw(t, "height")
		tall := rapid.Bool().Draw(t, "tall")
		var rows Heights
		if tall {
			rows = func(pos int64) int { return 1 + int(uint64(pos)%3) }
		}
		l.Fit(lo, hi, height, rows)
		for range 30 {
			before, cursor := l.Top, l.Cursor
			grew := false
			switch rapid.IntRange(0, 6).Draw(t, "op") {
			case 0:
				hi += int64(rapid.IntRange(1, 20).Draw(t, "grow"))
				grew = true
			case 1:
				lo -= 5
				grew = true
			case 2:
				lo = min(lo+3, hi)
			case 3:
				l.Move(int64(rapid.IntRange(-8, 8).Draw(t, "move")))
			case 4:
				l.Scroll(int64(rapid.IntRange(-15, 15).Draw(t, "scroll")))
			case 5:
				l.Follow = true
			case 6:
				l.To(int64(rapid.IntRange(-10, 60).Draw(t, "to")))
			}
			full := l.last == before+int64(height)
			l.Fit(lo, hi, height, rows)
			check(t, &l, lo, hi, height, rows)
			if grew && !l.Follow && !tall && full && (l.Top != before || l.Cursor != cursor) {
				t.Fatalf("rows arrived and the paused list moved: top %d to %d", before, l.Top)
			}
		}
	})
}

func check(t *rapid.T, l *List, lo, hi int64, height int, rows Heights) {
	if hi <= lo {
		return
	}
	from, to := l.Visible()
	if l.Cursor < from || l.Cursor >= to || from < lo || to > hi {
		t.Fatalf("cursor %d, visible [%d, %d) of [%d, %d)", l.Cursor, from, to, lo, hi)
	}
	if rows == nil && to-from != min(int64(height), hi-lo) {
		t.Fatalf("%d of %d rows shown in %d", to-from, hi-lo, height)
	}
	if l.Follow && (l.Cursor != hi-1 || l.New(hi) != 0) {
		t.Fatalf("following at %d of %d with %d new", l.Cursor, hi, l.New(hi))
	}
}

func TestNewCountsWhatWasNeverShown(t *testing.T) {
	l := List{Follow: true}
	l.Fit(1, 101, 10, nil)
	l.Move(-3)
	l.Fit(1, 101, 10, nil)
	l.Fit(1, 151, 10, nil)
	if got := l.New(151); got != 50 {
		t.Fatalf("%d new, want 50", got)
	}
	l.Scroll(20)
	l.Fit(1, 151, 10, nil)
	if got := l.New(151); got != 30 {
		t.Fatalf("%d new after scrolling down 20, want 30", got)
	}
	l.Follow = true
	l.Fit(1, 151, 10, nil)
	if got := l.New(151); got != 0 {
		t.Fatalf("%d new while following", got)
	}
}

func TestShiftKeepsTheScreen(t *testing.T) {
	var l List
	l.Fit(0, 50, 10, nil)
	l.Center(20, 10)
	l.Fit(0, 50, 10, nil)
	row := l.Cursor - l.Top
	l.Shift(7)
	l.Fit(0, 57, 10, nil)
	if l.Cursor != 27 || l.Cursor-l.Top != row {
		t.Fatalf("cursor %d at screen row %d, want 27 at %d", l.Cursor, l.Cursor-l.Top, row)
	}
}
