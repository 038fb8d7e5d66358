package event

import (
	"slices"
	"unicode"
	"unicode/utf8"
	"unsafe"
)

// MaxMarks is how many combining marks in a row are shown as themselves; from the
// next on they are written out, so that a flood cannot paint over other rows.
const MaxMarks = 8

// Escape appends what a person may see of s to dst. It is the one way log content
// takes to a terminal. Nothing is left out and nothing acts on the terminal:
//
//   - C0 controls and DEL become their pictures (␛ ␀ ␉ ␍ ␡), a line feed ⏎;
//   - C1 controls, bidi controls, zero-width and other invisible characters,
//     private and unassigned ones, and combining marks that have no base or are
//     more than MaxMarks in a row become ‹U+202E›;
//   - bytes that are not UTF-8 become \xNN;
//   - so do characters of s that look like one of these: the pictures themselves,
//     ‹ before U+, and \ before xNN with N of 8 or more, become ‹U+2039› and so on.
//
// Unescape takes it back exactly, so two different texts never look the same. It
// does not allocate when dst has room. Escape only once: what is escaped already
// is escaped again.
func Escape(dst, s []byte) []byte {
	var e escaper
	for i := 0; i < len(s); {
		var n int
		dst, n = e.next(dst, s[i:])
		i += n
	}
	return dst
}

// EscapeString is Escape for strings; it is s itself when there is nothing to escape.
func EscapeString(s string) string {
	b := unsafe.Slice(unsafe.StringData(s), len(s)) // only read
	if plainRun(b) == len(s) {
		return s
	}
	return string(Escape(make([]byte, 0, len(s)+16), b))
}

// escaper remembers what stands before: whether a mark has a base, and how many there were.
type escaper struct {
	base  bool
	marks int
}

// plain are the bytes that are always themselves: printable ASCII but the backslash.
var plain = func() (t [256]bool) {
	for c := ' '; c < 0x7F; c++ {
		t[c] = c != '\\'
	}
	return t
}()

// plainRun returns how many bytes at the start of s are always themselves.
func plainRun(s []byte) int {
	for i, c := range s {
		if !plain[c] {
			return i
		}
	}
	return len(s)
}

// next appends the escaped form of the run of plain bytes or of the one character
// at the start of s, which is not empty, and returns how many bytes that was.
func (e *escaper) next(dst, s []byte) ([]byte, int) {
	if n := plainRun(s); n > 0 {
		e.base, e.marks = true, 0
		return append(dst, s[:n]...), n
	}
	r, size := utf8.DecodeRune(s)
	if r == utf8.RuneError && size == 1 {
		*e = escaper{}
		return append(dst, '\\', 'x', hexDigits[s[0]>>4], hexDigits[s[0]&15]), 1
	}
	if p := picture(r); p != 0 {
		*e = escaper{}
		return utf8.AppendRune(dst, p), size
	}
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Mc) {
		e.marks++
	} else {
		e.base, e.marks = true, 0
	}
	if Hidden(r) || confusable(r, s[size:]) || e.marks > MaxMarks || !e.base {
		*e = escaper{}
		return appendCode(dst, r), size
	}
	return append(dst, s[:size]...), size
}

const hexDigits = "0123456789ABCDEF"

// picture returns the sign that is shown for a control character, 0 for others.
func picture(r rune) rune {
	switch {
	case r == '\n':
		return '⏎'
	case r < 0x20:
		return 0x2400 + r
	case r == 0x7F:
		return '␡'
	}
	return 0
}

// appendCode appends ‹U+XXXX›.
func appendCode(dst []byte, r rune) []byte {
	dst = append(dst, "‹U+"...)
	digits := 4
	for r>>(4*digits) != 0 {
		digits++
	}
	for digits--; digits >= 0; digits-- {
		dst = append(dst, hexDigits[r>>(4*digits)&15])
	}
	return append(dst, "›"...)
}

// invisible are the graphic characters that draw nothing: fillers, selectors, blanks.
var invisible = []*unicode.RangeTable{
	unicode.Other_Default_Ignorable_Code_Point,
	unicode.Variation_Selector,
	{R16: []unicode.Range16{{0x180B, 0x180F, 1}, {0x2800, 0x2800, 1}}, R32: []unicode.Range32{{0x1D159, 0x1D159, 1}}},
}

// Hidden reports whether a character must not reach a terminal as itself: controls,
// bidi controls, everything of no width or no assigned meaning (Unicode 15,
// general categories Cc, Cf, Co, Cs, Cn, Zl, Zp and Default_Ignorable_Code_Point).
func Hidden(r rune) bool {
	switch {
	case r < 0x20, 0x7F <= r && r < 0xA0:
		return true
	case r < 0x300:
		return r == 0xAD || r > 0x7F && !unicode.IsGraphic(r)
	}
	return !unicode.IsGraphic(r) || unicode.In(r, invisible...)
}

// confusable reports whether r, before rest, looks like an escape of ours.
func confusable(r rune, rest []byte) bool {
	switch r {
	case '\\':
		return len(rest) >= 3 && rest[0] == 'x' && hexValue(rest[1]) >= 8 && hexValue(rest[2]) >= 0
	case '‹':
		return len(rest) >= 2 && rest[0] == 'U' && rest[1] == '+'
	}
	return r == '⏎' || r == '␡' || 0x2400 <= r && r < 0x2420
}

// hexValue is the value of a hexadecimal digit, -1 for anything else.
func hexValue(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// Unescape appends the bytes that Escape made s of. Text that Escape cannot have
// written is taken as it is.
func Unescape(dst, s []byte) []byte {
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRune(s[i:])
		switch {
		case confusable(r, s[i+size:]) && r == '\\':
			dst = append(dst, byte(hexValue(s[i+2])<<4|hexValue(s[i+3])))
			size = 4
		case confusable(r, s[i+size:]) && r == '‹':
			if code, n := readCode(s[i+size+2:]); n > 0 {
				dst = utf8.AppendRune(dst, code)
				size += 2 + n
			} else {
				dst = append(dst, s[i:i+size]...)
			}
		case r == '⏎':
			dst = append(dst, '\n')
		case r == '␡':
			dst = append(dst, 0x7F)
		case 0x2400 <= r && r < 0x2420:
			dst = append(dst, byte(r-0x2400))
		default:
			dst = append(dst, s[i:i+size]...)
		}
		i += size
	}
	return dst
}

// readCode reads XXXX› and returns the character and how many bytes that was.
func readCode(s []byte) (r rune, n int) {
	for n < len(s) && n < 6 && hexValue(s[n]) >= 0 {
		r = r<<4 | rune(hexValue(s[n]))
		n++
	}
	const end = "›"
	if n < 4 || len(s) < n+len(end) || string(s[n:n+len(end)]) != end || !utf8.ValidRune(r) {
		return 0, 0
	}
	return r, n + len(end)
}

// Span is a byte range; End is the first byte behind it.
type Span struct{ Start, End int }

// bound is one end of a span: where it is, and where its new place goes.
type bound struct {
	pos int
	to  *int
	end bool
}

// EscapeSpans is Escape that also translates byte ranges of s, in any order, to
// ranges of the returned text. A range that begins or ends within a character
// takes in all of its escape; one that is out of bounds is cut.
func EscapeSpans(dst, s []byte, spans []Span) ([]byte, []Span) {
	out := make([]Span, len(spans))
	bounds := make([]bound, 0, 2*len(spans))
	for i, sp := range spans {
		start := max(0, min(sp.Start, len(s)))
		end := max(start, min(sp.End, len(s)))
		bounds = append(bounds, bound{start, &out[i].Start, false}, bound{end, &out[i].End, end > start})
	}
	slices.SortStableFunc(bounds, func(a, b bound) int { return a.pos - b.pos })
	var e escaper
	for i := 0; i < len(s); {
		before, n := len(dst), 0
		run := plain[s[i]]
		dst, n = e.next(dst, s[i:])
		for len(bounds) > 0 && bounds[0].pos < i+n {
			b := bounds[0]
			bounds = bounds[1:]
			switch {
			case run:
				*b.to = before + b.pos - i
			case b.end && b.pos > i:
				*b.to = len(dst)
			default:
				*b.to = before
			}
		}
		i += n
	}
	for _, b := range bounds {
		*b.to = len(dst)
	}
	return dst, out
}

// EscapeJSON appends s as a JSON string (RFC 8259) in which hidden characters are
// \u escapes, so that no terminal or editor acts on them. Each byte that is not
// UTF-8 becomes U+FFFD; callers that must not lose it add the bytes in base64.
func EscapeJSON(dst, s []byte) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		n := i
		for n < len(s) && plain[s[n]] && s[n] != '"' {
			n++
		}
		dst = append(dst, s[i:n]...)
		if i = n; i == len(s) {
			break
		}
		r, size := utf8.DecodeRune(s[i:])
		dst = appendJSONRune(dst, r)
		i += size
	}
	return append(dst, '"')
}

func appendJSONRune(dst []byte, r rune) []byte {
	switch r {
	case '"', '\\':
		return append(dst, '\\', byte(r))
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	if !Hidden(r) {
		return utf8.AppendRune(dst, r)
	}
	if r >= 0x10000 { // as a surrogate pair, RFC 8259 section 7
		r -= 0x10000
		dst = appendJSONUnit(dst, 0xD800+r>>10)
		r = 0xDC00 + r&0x3FF
	}
	return appendJSONUnit(dst, r)
}

func appendJSONUnit(dst []byte, r rune) []byte {
	return append(dst, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
}
