package query

import (
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"
)

// reserved are the bytes a backslash makes literal in a word; before any other
// character a backslash is itself, so Windows paths need no doubling.
const reserved = `\():<>"*?{}!@/`

// lexer reads the words of a filter.
type lexer struct {
	s string
	i int
}

func (l *lexer) end() bool { return l.i >= len(l.s) }

// at reports whether the text goes on with c.
func (l *lexer) at(c byte) bool { return l.i < len(l.s) && l.s[l.i] == c }

func (l *lexer) skipSpace() {
	for !l.end() {
		r, size := utf8.DecodeRuneInString(l.s[l.i:])
		if !unicode.IsSpace(r) {
			return
		}
		l.i += size
	}
}

// stops reports whether a word ends before position i. Only the first word of a
// term ends at : < and >, so that addresses and times need no quotes in a value.
func (l *lexer) stops(i int, value bool) bool {
	if i >= len(l.s) {
		return true
	}
	switch c := l.s[i]; c {
	case '(', ')', '{', '}', '"':
		return true
	case ':', '<', '>':
		return !value
	default:
		r, _ := utf8.DecodeRuneInString(l.s[i:])
		return unicode.IsSpace(r)
	}
}

// keyword reports whether the text goes on with the word k, in any case.
func (l *lexer) keyword(k string) bool {
	rest := l.s[l.i:]
	return len(rest) >= len(k) && strings.EqualFold(rest[:len(k)], k) && l.stops(l.i+len(k), true)
}

// word is an unquoted word: its text, and the same as a glob pattern.
type word struct {
	text    string
	pattern string
	wild    bool
	pos     int
}

func (l *lexer) word(value bool) word {
	w := word{pos: l.i}
	var text, pattern strings.Builder
	for !l.stops(l.i, value) {
		c := l.s[l.i]
		size := 1
		switch c {
		case '*', '?':
			w.wild = true
			pattern.WriteByte(c)
			l.i++
			continue
		case '\\':
			if n := l.escaped(); n > 0 {
				l.i++
				size = n
			}
		}
		text.WriteString(l.s[l.i : l.i+size])
		pattern.WriteString(escapeGlob(l.s[l.i : l.i+size]))
		l.i += size
	}
	w.text, w.pattern = text.String(), pattern.String()
	return w
}

// escaped returns the size of the character that the backslash here makes
// literal, 0 when it is itself.
func (l *lexer) escaped() int {
	if l.i+1 >= len(l.s) {
		return 0
	}
	if strings.IndexByte(reserved, l.s[l.i+1]) >= 0 {
		return 1
	}
	if r, size := utf8.DecodeRuneInString(l.s[l.i+1:]); unicode.IsSpace(r) {
		return size
	}
	return 0
}

// quoted reads a text in double quotes; \" and \\ are the only escapes. It is not
// ok when the closing quote is missing.
func (l *lexer) quoted() (string, bool) {
	var b strings.Builder
	for i := l.i + 1; i < len(l.s); i++ {
		switch c := l.s[i]; {
		case c == '"':
			l.i = i + 1
			return b.String(), true
		case c == '\\' && i+1 < len(l.s) && (l.s[i+1] == '"' || l.s[i+1] == '\\'):
			i++
			b.WriteByte(l.s[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}

// regex reads /expression/ when the closing slash ends the word; else the slash
// is an ordinary character, as in /etc/passwd. \/ is a slash inside.
func (l *lexer) regex() (string, bool) {
	var b strings.Builder
	for i := l.i + 1; i < len(l.s); i++ {
		c := l.s[i]
		if c == '/' {
			if b.Len() == 0 || !l.regexEnds(i+1) {
				return "", false
			}
			l.i = i + 1
			return b.String(), true
		}
		if c == '\\' && i+1 < len(l.s) {
			if i++; l.s[i] != '/' {
				b.WriteByte(c)
			}
			c = l.s[i]
		}
		b.WriteByte(c)
	}
	return "", false
}

func (l *lexer) regexEnds(i int) bool {
	return l.stops(i, true) && (i >= len(l.s) || strings.IndexByte(`({}"`, l.s[i]) < 0)
}

// bareColon reports whether the word here holds a colon and still is no
// "field:": an IPv6 address, a time or address with port, a URL.
func (l *lexer) bareColon() bool {
	j := l.i
	for !l.stops(j, true) {
		j++
	}
	token := l.s[l.i:j]
	name, rest, ok := strings.Cut(token, ":")
	if !ok || rest == "" {
		return false
	}
	if strings.HasPrefix(rest, "//") || numeric(name) {
		return true
	}
	_, err := netip.ParseAddr(token)
	return err == nil
}

// numeric reports whether s has only digits and dots: a number, not a name.
func numeric(s string) bool { return s != "" && strings.Trim(s, "0123456789.") == "" }
