package parse

import (
	"bytes"
	"strconv"
	"strings"
	"unsafe"
)

// bytesOf returns the bytes of a string without copying; they are only read.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// word returns the end of the run of non-blank bytes at b[i:].
func word(b []byte, i int) int {
	for i < len(b) && b[i] != ' ' {
		i++
	}
	return i
}

// find returns where c is next at or after i, -1 when it is not there.
func find(b []byte, i int, c byte) int {
	if i > len(b) {
		return -1
	}
	n := bytes.IndexByte(b[i:], c)
	if n < 0 {
		return -1
	}
	return i + n
}

// prefix reports whether b begins with s.
func prefix(b []byte, s string) bool { return len(b) >= len(s) && string(b[:len(s)]) == s }

// prefixAt reports whether b has s at i.
func prefixAt(b []byte, i int, s string) bool { return i <= len(b) && prefix(b[i:], s) }

// digits returns the end of the run of digits at b[i:].
func digits(b []byte, i int) int {
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	return i
}

// quoted returns the end (the closing quote) of text whose opening quote stands
// before i; a backslash takes the next byte with it. -1: it never closes.
func quoted(b []byte, i int) int {
	for i <= len(b) {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return -1
		}
		q := i + n
		if n == 0 || b[q-1] != '\\' {
			return q
		}
		back := q
		for back > i && b[back-1] == '\\' {
			back--
		}
		if (q-back)%2 == 0 {
			return q
		}
		i = q + 1
	}
	return -1
}

// number reads decimal text exactly as long as it is short, else by strconv.
func number(b []byte) (float64, bool) {
	if len(b) == 0 || len(b) > 40 {
		return 0, false
	}
	if len(b) <= 15 {
		n := int64(0)
		for _, c := range b {
			if c-'0' > 9 {
				return slowNumber(b)
			}
			n = n*10 + int64(c-'0')
		}
		return float64(n), true
	}
	return slowNumber(b)
}

func slowNumber(b []byte) (float64, bool) {
	if c := b[0]; c-'0' > 9 && c != '-' && c != '.' {
		return 0, false // strconv would read "inf" and "0x" forms
	}
	dots, figures := 0, 0
	for i, c := range b { // addresses, dates and versions would cost an error of strconv's
		switch {
		case c-'0' <= 9:
			figures++
		case c == '-' && i == 0:
		case c == '.':
			dots++
		case (c == 'e' || c == 'E') && i > 0:
		case (c == '-' || c == '+') && (b[i-1] == 'e' || b[i-1] == 'E'):
		default:
			return 0, false
		}
	}
	if dots > 1 || figures == 0 {
		return 0, false
	}
	x, err := strconv.ParseFloat(str(b), 64)
	return x, err == nil
}

// isAddr reports whether s looks like one IPv4 or IPv6 address; it allocates
// nothing and is strict enough to tell addresses from host and service names.
func isAddr(s string) bool {
	if len(s) < 2 || len(s) > 45 {
		return false
	}
	colons, dots, group := 0, 0, 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			group++
		case c == '.':
			dots++
			group = 0
		case c == ':':
			colons++
			group = 0
		case c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F':
			if dots > 0 {
				return false
			}
			group++
		case c == '%' && colons >= 2:
			return true
		default:
			return false
		}
		if group > 4 {
			return false
		}
	}
	if colons == 0 {
		return isV4(s)
	}
	return colons >= 2 && colons <= 8 && (dots == 0 || dots == 3)
}

func isV4(s string) bool {
	parts, n, have := 0, 0, false
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '.' {
			if !have {
				return false
			}
			parts, n, have = parts+1, 0, false
			continue
		}
		if c-'0' > 9 {
			return false
		}
		if n = n*10 + int(c-'0'); n > 255 {
			return false
		}
		have = true
	}
	return parts == 3 && have
}

// hostPort splits "1.2.3.4:80" and "[::1]:80"; colon is -1 without a port.
func hostPort(s string) (from, to, port int) {
	if len(s) > 0 && s[0] == '[' {
		for i := 1; i < len(s); i++ {
			if s[i] == ']' {
				if i+1 < len(s) && s[i+1] == ':' {
					return 1, i, i + 2
				}
				return 1, i, -1
			}
		}
		return 0, len(s), -1
	}
	colon := -1
	for i := 0; i < len(s); i++ {
		if s[i] == ':' {
			if colon >= 0 {
				return 0, len(s), -1 // an IPv6 address without brackets
			}
			colon = i
		}
	}
	if colon < 0 {
		return 0, len(s), -1
	}
	return 0, colon, colon + 1
}

// hasAny reports whether s contains any of the words.
func hasAny(s string, words ...string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}
