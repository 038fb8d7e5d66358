package ui

import (
	"fmt"
	"strings"

	"bartizan/triage"
	"bartizan/ui/style"
)

// draw returns at most h lines: a title and alerts.
func (q *queue) draw(w, h int, focus bool) []string {
	if h <= 0 {
		return nil
	}
	sh := q.c.sheet
	q.height = max(h-1, 1)
	q.list.Fit(0, q.len(), q.height, nil)
	out := []string{paneTitle(sh, w, focus, q.titleWords(), q.arrivedWords())}
	from, to := q.list.Visible()
	for i := from; i < to && len(out) < h; i++ {
		out = append(out, q.row(i, w, focus && i == q.list.Cursor))
	}
	if q.len() == 0 && h > 1 {
		out = append(out, sh.Dim.Text(style.Fit(" "+q.emptyWords(), w, sh.More)))
	}
	return out
}

// emptyWords never says "clean": only what was looked at, and since when.
func (q *queue) emptyWords() string {
	st := q.c.snap.status
	switch {
	case st.Rules == 0:
		return "no rules are loaded, so nothing can be found; see bartizan rules list"
	case st.DetectedSince.IsZero():
		return "no alert yet; rules have not seen anything yet"
	case st.SourcesBad > 0:
		return fmt.Sprintf("no alert since %s, but %d of %d sources are not live (6)", q.c.stamp(st.DetectedSince), st.SourcesBad, st.Sources)
	}
	return fmt.Sprintf("no alert since %s by %s", q.c.stamp(st.DetectedSince), plural(st.Rules, "rule"))
}

func (q *queue) titleWords() string {
	parts := []string{"alerts", fmt.Sprintf("%d open", q.undecided()), q.sort.String()}
	if n := len(q.marks); n > 0 {
		parts = append(parts, fmt.Sprintf("%d marked", n))
	}
	if q.closed {
		parts = append(parts, "closed and snoozed shown")
	}
	return strings.Join(parts, " "+q.c.sheet.Sep+" ")
}

func (q *queue) undecided() int {
	n := 0
	for _, v := range q.c.snap.open {
		n += v
	}
	return n
}

func (q *queue) arrivedWords() string {
	if q.arrived == 0 {
		return ""
	}
	return fmt.Sprintf("%s %d new (gn) ", q.c.sheet.Up, q.arrived)
}

func (q *queue) row(i int64, w int, cursor bool) string {
	sh := q.c.sheet
	r := &style.Row{Width: w}
	if cursor {
		r.Base = sh.Cursor
	}
	a := q.at(i)
	if a == nil {
		r.Put(sh.Dim, fmt.Sprintf("    %s folded: noise from all over the internet; Enter unfolds", plural(q.folded, "background alert")))
		return r.String()
	}
	mark := " "
	if q.marks[a.ID] {
		mark = sh.Mark
	}
	r.Put(sh.Marked, style.Pad(mark, 1)).Put(sh.Severity(a.Severity), sh.Badge(a.Severity)).Put(sh.Text, " ")
	st, words := q.stateWords(a)
	if w >= 72 {
		r.Put(sh.Dim, fmt.Sprintf("%3d %5s ", a.Risk, times(a.Count)))
	}
	r.Put(sh.Dim, style.Pad(q.c.clock(a.Last, q.c.now(), wide(w)), timeWidth(w))+" ")
	r.Put(st, style.Pad(words, stateWidth(w))+" ")
	title := sh.Text
	if !open(a) {
		title = sh.Dim
	}
	if len(a.Compromised) > 0 {
		r.Put(sh.Loss, "!!").Put(sh.Text, " ")
	}
	r.Skip = q.xoff
	for _, g := range markText([]segment{{title, clean(a.Title)}, {sh.Dim, "  "}, {sh.Accent, entityWords(a.Group)}}, q.look, sh.Search) {
		r.Put(g.style, g.text)
	}
	return r.String()
}

func stateWidth(w int) int {
	switch {
	case w >= 120:
		return 22
	case w >= 72:
		return 14
	}
	return 7
}

func times(n uint64) string {
	switch {
	case n < 10_000:
		return "x" + fmt.Sprint(n)
	case n < 10_000_000:
		return fmt.Sprintf("x%dk", n/1000)
	}
	return fmt.Sprintf("x%dM", min(n/1_000_000, 9999))
}

// stateWords is where an alert stands, in the fewest words.
func (q *queue) stateWords(a *triage.Alert) (style.Style, string) {
	sh := q.c.sheet
	if words := q.saving[a.ID]; words != "" {
		return sh.Warn, "saving " + words
	}
	switch a.State {
	case triage.StateTaken:
		return sh.Good, "taken " + clean(a.Owner)
	case triage.StateSnoozed:
		return sh.Dim, "snoozed to " + q.c.stamp(a.Until)
	case triage.StateClosed:
		return sh.Dim, strings.ReplaceAll(a.Verdict.String(), "_", " ")
	}
	if a.Reraised != "" {
		return sh.Bad, "again: " + clean(a.Reraised)
	}
	return sh.Warn, "new"
}
