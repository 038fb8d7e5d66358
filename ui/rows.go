package ui

import (
	"bytes"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/query"
	"bartizan/ui/style"
)

// wrapRows is how many screen rows one wrapped record may take.
const wrapRows = 8

// rowLook is everything a drawn row depends on besides its record. Rows are
// cached as long as it stays the same.
type rowLook struct {
	w, xoff int
	wrap    bool
	times   timeMode
	sheet   *style.Sheet
	search  string
	day     int64  // rows show another date, or age, after it changes
	marked  string // hosts held for compromised
}

type rowKey struct {
	seq            uint64
	hits           int
	cursor, marked bool
}

// maxCached bounds the row cache.
const maxCached = 1 << 10

// rowCache keeps drawn rows. A row is drawn again only when its look changes.
type rowCache struct {
	look rowLook
	rows map[rowKey][]string
}

func (rc *rowCache) use(l rowLook) {
	if rc.rows == nil || rc.look != l || len(rc.rows) > maxCached {
		rc.look, rc.rows = l, make(map[rowKey][]string, 128)
	}
}

// eventRow returns the screen rows of event seq.
func (s *stream) eventRow(seq uint64, cursor bool) []string {
	hits := s.live.Hits(seq)
	key := rowKey{seq, len(hits), cursor, false}
	if rows, ok := s.cache.rows[key]; ok {
		return rows
	}
	if err := s.live.Read(seq, &s.scratch); err != nil {
		r := s.row(cursor)
		return []string{r.Put(s.c.sheet.Dim, " "+clean(err.Error())).String()}
	}
	rows := s.drawEvent(&s.scratch, hits, cursor)
	s.cache.rows[key] = rows
	return rows
}

func (s *stream) row(cursor bool) *style.Row {
	r := &style.Row{Width: s.cache.look.w}
	if cursor {
		r.Base = s.c.sheet.Cursor
	}
	return r
}

// drawEvent draws one record: time, level, severity of the worst hit, source,
// text. A row that stands for missing records looks like nothing else.
func (s *stream) drawEvent(e *event.Event, hits []HitMark, cursor bool) []string {
	r, l := s.row(cursor), &s.cache.look
	sh, c := s.c.sheet, s.c
	if e.Lost > 0 {
		r.Base = sh.Loss
		text := " " + c.clock(e.Time, c.now(), wide(l.w)) + " LOST " + count(e.Lost) + " records of " + shortSource(e.Ref.Source) + " " + clean(string(cutRaw(e.Raw, l.w*4)))
		return []string{r.Put(style.Style{}, text).String()}
	}
	if e.Flags&event.FlagNotice != 0 {
		r.Base = sh.Loss
		text := " " + c.clock(e.Time, c.now(), wide(l.w)) + " NOTE " + shortSource(e.Ref.Source) + ": " + clean(string(cutRaw(e.Raw, l.w*4)))
		return []string{r.Put(style.Style{}, text).String()}
	}
	s.prefix(r, e, hits)
	segs := s.segments(e, hits)
	if !l.wrap {
		r.Skip = l.xoff
		for _, g := range segs {
			r.Put(g.style, g.text)
		}
		return []string{r.String()}
	}
	indent := prefixWidth(l.w)
	if l.w-indent < 16 {
		indent = 0
	}
	return wrapSegments(r, func() *style.Row { return s.row(cursor).Put(sh.Text, strings.Repeat(" ", indent)) }, segs, wrapRows)
}

func wide(w int) bool { return w >= 100 }

// prefixWidth is how many columns stand before a row's text.
func prefixWidth(w int) int { return 1 + timeWidth(w) + 1 + 1 + 1 + 2 + 1 + sourceWidth(w) + 1 }

func timeWidth(w int) int {
	if wide(w) {
		return 14
	}
	return 8
}

func sourceWidth(w int) int {
	switch {
	case w >= 160:
		return 16
	case w >= 100:
		return 12
	}
	return 8
}

func (s *stream) prefix(r *style.Row, e *event.Event, hits []HitMark) {
	sh, w := s.c.sheet, s.cache.look.w
	gutter, badge, badgeStyle := " ", "  ", sh.Text
	if len(hits) > 0 {
		worst := worstOf(hits)
		gutter, badge, badgeStyle = sh.Point, sh.Badge(worst), sh.Severity(worst)
	}
	stamp := s.c.clock(e.Time, s.c.now(), wide(w))
	if e.Flags&(event.FlagClock|event.FlagNoTime) != 0 {
		stamp = strings.Replace(stamp, ":", "?", 1) // the record's own clock is not what is shown
	}
	r.Put(badgeStyle, gutter).Put(sh.Dim, style.Pad(stamp, timeWidth(w))+" ")
	r.Put(sh.Level(e.Level), style.LevelLetter(e.Level)).Put(sh.Text, " ").Put(badgeStyle, badge)
	if _, bad := s.c.distrust(e.Ref.Source); bad {
		r.Put(sh.Loss, "!").Put(sh.Bad, style.Pad(shortSource(e.Ref.Source), sourceWidth(w))+" ")
		return
	}
	r.Put(sh.Dim, " "+style.Pad(shortSource(e.Ref.Source), sourceWidth(w))+" ")
}

// worstOf is the highest severity among hits; a rule that is no longer loaded
// counts as informational.
func worstOf(hits []HitMark) detect.Severity {
	var worst detect.Severity
	for _, h := range hits {
		if h.Rule != nil {
			worst = max(worst, h.Rule.Severity)
		}
	}
	return worst
}

// shortSource is the last part of a source's name: "file:/var/log/auth.log" is
// "auth.log", "agent:web-1/auth" is "web-1/auth".
func shortSource(id event.SourceID) string {
	name := string(id)
	if kind, rest, ok := strings.Cut(name, ":"); ok && rest != "" {
		name = rest
		if kind == "file" {
			name = name[strings.LastIndexByte(name, '/')+1:]
		}
	}
	return clean(name)
}

// segment is a piece of a row in one style.
type segment struct {
	style style.Style
	text  string
}

// segments is the text of a record, escaped, with the bytes marked that rules
// matched and that the search found. What a rule matched outside the shown text
// is written after it, so that no hit is without its reason.
func (s *stream) segments(e *event.Event, hits []HitMark) []segment {
	text, off := shownText(e)
	limit := 4 * (s.cache.look.w + s.cache.look.xoff)
	if s.cache.look.wrap {
		limit *= wrapRows
	}
	text, plain := s.c.masked(cutRaw(text, limit))
	if !plain {
		off = -1 // places in the record are no places here; values are looked for
	}
	var marks, tails []query.Match
	for _, h := range hits {
		for _, m := range h.Why {
			if !inside(m, off, len(text)) && m.Value != "" && !bytes.Contains(text, []byte(m.Value)) {
				tails = append(tails, m)
				continue
			}
			marks = append(marks, m)
		}
	}
	spans := spansIn(text, off, marks)
	var found []event.Span
	if s.search.match != nil {
		found = spansIn(text, off, s.search.match.Explain(e, nil))
	}
	sh := s.c.sheet
	base := sh.Level(e.Level)
	segs := paint(text, base, []layer{{sh.Match, spans}, {sh.Search, found}})
	for _, m := range tails {
		segs = append(segs, segment{sh.Dim, "  " + clean(m.Field) + "="}, segment{sh.Match, clean(s.c.opt.Mask.MaskField(m.Field, head(m.Value, 80)))})
		if len(segs) > 64 {
			break
		}
	}
	return segs
}

// shownText is what a person reads of a record, and where it begins in Raw, -1
// when it is no part of it.
func shownText(e *event.Event) ([]byte, int) {
	if e.Message == "" {
		return e.Raw, 0
	}
	return []byte(e.Message), bytes.Index(e.Raw, []byte(e.Message))
}

func inside(m query.Match, off, n int) bool {
	return off >= 0 && m.Pos >= 0 && int(m.Pos) >= off && int(m.Pos) < off+n && m.End > m.Pos
}

// cutRaw returns at most n bytes of b, not ending inside a character.
func cutRaw(b []byte, n int) []byte {
	if len(b) <= n {
		return b
	}
	for i := 0; i < utf8.UTFMax && n > 0 && !utf8.RuneStart(b[n]); i++ {
		n--
	}
	return b[:n]
}

// spansIn places matches in text, which begins at off in the record; a match
// whose place is unknown is looked for by its value.
func spansIn(text []byte, off int, marks []query.Match) []event.Span {
	var out []event.Span
	for _, m := range marks {
		pos, end := int(m.Pos)-off, int(m.End)-off
		if !inside(m, off, len(text)) {
			if m.Value == "" {
				continue
			}
			if pos = bytes.Index(text, []byte(m.Value)); pos < 0 {
				continue
			}
			end = pos + len(m.Value)
		}
		out = append(out, event.Span{Start: max(pos, 0), End: min(end, len(text))})
	}
	return out
}

// layer is a style and the spans it is laid on; earlier layers win.
type layer struct {
	style style.Style
	spans []event.Span
}

// paint escapes text and cuts it where the look changes.
func paint(text []byte, base style.Style, layers []layer) []segment {
	var all []event.Span
	for _, l := range layers {
		all = append(all, l.spans...)
	}
	escaped, moved := event.EscapeSpans(nil, text, all)
	if len(moved) == 0 {
		return []segment{{base, string(escaped)}}
	}
	owner := make([]int8, len(escaped))
	i := len(moved)
	for n := len(layers) - 1; n >= 0; n-- {
		for range layers[n].spans {
			i--
			for at := moved[i].Start; at < moved[i].End; at++ {
				owner[at] = int8(n + 1)
			}
		}
	}
	return runs(escaped, owner, base, layers)
}

func runs(text []byte, owner []int8, base style.Style, layers []layer) []segment {
	var out []segment
	for at := 0; at < len(text); {
		end := at + 1
		for end < len(text) && owner[end] == owner[at] {
			end++
		}
		st := base
		if o := owner[at]; o > 0 {
			st = layers[o-1].style
		}
		out = append(out, segment{st, string(text[at:end])})
		at = end
	}
	return out
}

// wrapSegments lays segments out over at most most rows, the first of which is r.
func wrapSegments(r *style.Row, next func() *style.Row, segs []segment, most int) []string {
	var out []string
	stuck := false
	for i := 0; i < len(segs); {
		g := segs[i]
		part := style.Cut(g.text, 0, r.Left())
		if part == g.text {
			r.Put(g.style, part)
			i++
			continue
		}
		if part == "" && stuck {
			break // a character wider than a row
		}
		stuck = part == ""
		r.Put(g.style, part)
		segs = slices.Clone(segs)
		segs[i].text = g.text[len(part):]
		out = append(out, r.String())
		if len(out) == most {
			return out
		}
		r = next()
	}
	return append(out, r.String())
}

// dayOf makes rows be drawn again when the date they leave out changes, or
// every minute while they show ages.
func dayOf(now time.Time, mode timeMode, zone *time.Location) int64 {
	if mode == timesRelative {
		return now.Unix() / 60
	}
	y, m, d := now.In(zone).Date()
	return int64(y)*512 + int64(m)*32 + int64(d)
}
