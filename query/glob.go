package query

import (
	"strings"
	"unicode/utf8"
)

// globMatch reports whether pattern (* any text, ? one character, \ makes the
// next *, ? or \ literal) matches all of s. It keeps one place to go back to, so its
// time is at most len(s) times len(pattern).
func globMatch(pattern, s string, cased bool) bool {
	p, i := 0, 0
	backP, backI := -1, 0
	for i < len(s) {
		if p < len(pattern) && pattern[p] == '*' {
			p++
			backP, backI = p, i
			continue
		}
		if np, ni, ok := globStep(pattern, p, s, i, cased); ok {
			p, i = np, ni
			continue
		}
		if backP < 0 {
			return false
		}
		_, size := utf8.DecodeRuneInString(s[backI:])
		backI += size
		p, i = backP, backI
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// globStep matches one character of s at i against the pattern at p.
func globStep(pattern string, p int, s string, i int, cased bool) (np, ni int, ok bool) {
	if p == len(pattern) {
		return 0, 0, false
	}
	if pattern[p] == '?' {
		_, size := utf8.DecodeRuneInString(s[i:])
		return p + 1, i + size, true
	}
	if globEscapes(pattern, p) {
		p++
	}
	if cased {
		return p + 1, i + 1, pattern[p] == s[i]
	}
	a, n := firstFold(pattern[p:])
	b, m := firstFold(s[i:])
	return p + n, i + m, a == b
}

// globFind returns a part of s that pattern matches, or -1, -1. It is globMatch
// with a star at either end.
func globFind(pattern, s string, cased bool) (start, end int) {
	p, i := 0, 0
	backP, backI := 0, 0
	for p < len(pattern) {
		if pattern[p] == '*' {
			p++
			backP, backI = p, i
			continue
		}
		if i < len(s) {
			if np, ni, ok := globStep(pattern, p, s, i, cased); ok {
				p, i = np, ni
				continue
			}
		}
		if backI >= len(s) {
			return -1, -1
		}
		_, size := utf8.DecodeRuneInString(s[backI:])
		backI += size
		p, i = backP, backI
		if backP == 0 {
			start = backI
		}
	}
	return start, i
}

// globEscapes reports whether the backslash at p makes the next byte literal;
// before anything else it is itself.
func globEscapes(pattern string, p int) bool {
	return pattern[p] == '\\' && p+1 < len(pattern) && strings.IndexByte(`*?\`, pattern[p+1]) >= 0
}

// globLiteral returns the longest text every match of the pattern must hold.
func globLiteral(pattern string) string {
	var best, run []byte
	for i := 0; i <= len(pattern); i++ {
		if i == len(pattern) || pattern[i] == '*' || pattern[i] == '?' {
			if len(run) > len(best) {
				best = append([]byte(nil), run...)
			}
			run = run[:0]
			continue
		}
		if globEscapes(pattern, i) {
			i++
		}
		run = append(run, pattern[i])
	}
	return string(best)
}

// escapeGlob writes a text as the pattern that matches exactly it.
func escapeGlob(text string) string {
	if !strings.ContainsAny(text, `*?\`) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if strings.IndexByte(`*?\`, text[i]) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// collapse makes one star of several side by side.
func collapse(pattern string) string {
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		if pattern[i] == '*' && i > 0 && pattern[i-1] == '*' && !escapedAt(pattern, i-1) {
			continue
		}
		b.WriteByte(pattern[i])
	}
	return b.String()
}

// trimStars takes the stars off both ends.
func trimStars(pattern string) string {
	pattern = strings.TrimLeft(pattern, "*")
	for n := len(pattern); n > 0 && pattern[n-1] == '*' && !escapedAt(pattern, n-1); n-- {
		pattern = pattern[:n-1]
	}
	return pattern
}

// escapedAt reports whether the byte at i is made literal by what stands before.
func escapedAt(pattern string, i int) bool {
	n := 0
	for n < i && pattern[i-1-n] == '\\' {
		n++
	}
	return n%2 == 1
}

// setGlob makes q ask for the pattern by the quickest operator that says it:
// stars at the ends only are contains, prefix and suffix. part says that the
// pattern may match a part of the text.
func (q *Pred) setGlob(pattern string, part bool) {
	text, leading, trailing, plain := plainGlob(pattern)
	switch {
	case !plain:
		q.Op, q.Value = OpGlob, pattern
	case text == "" && (leading || part):
		q.Op = OpExists
	case part || leading && trailing:
		q.Op, q.Value = OpContains, text
	case leading:
		q.Op, q.Value = OpSuffix, text
	case trailing:
		q.Op, q.Value = OpPrefix, text
	default:
		q.Op, q.Value = OpEqual, text
	}
}

// plainGlob takes a pattern apart that has wildcards at its ends only.
func plainGlob(pattern string) (text string, leading, trailing, plain bool) {
	if strings.HasPrefix(pattern, "*") {
		leading, pattern = true, pattern[1:]
	}
	if n := len(pattern); n > 0 && pattern[n-1] == '*' && !escapedAt(pattern, n-1) {
		trailing, pattern = true, pattern[:n-1]
	}
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch {
		case pattern[i] == '*' || pattern[i] == '?':
			return "", false, false, false
		case globEscapes(pattern, i):
			i++
		}
		b.WriteByte(pattern[i])
	}
	return b.String(), leading, trailing, true
}
