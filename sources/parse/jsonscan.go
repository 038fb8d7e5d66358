package parse

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// stringEnd returns where the string that begins at b[i] (after its quote) ends
// (at its closing quote) and whether it holds escapes; -1 where it is not valid
// by RFC 8259.
func stringEnd(b []byte, i int) (end int, escaped bool) {
	for {
		for i+8 <= len(b) {
			w := binary.LittleEndian.Uint64(b[i:])
			q, s := w^(ones*'"'), w^(ones*'\\')
			m := ((q - ones) &^ q) | ((s - ones) &^ s) | ((w - ones*0x20) &^ w)
			if m &= highs; m != 0 {
				i += bits.TrailingZeros64(m) >> 3
				break
			}
			i += 8
		}
		if i >= len(b) {
			return -1, false
		}
		switch c := b[i]; {
		case c == '"':
			return i, escaped
		case c < 0x20:
			return -1, false
		case c == '\\':
			n := escapeLen(b[i:])
			if n == 0 {
				return -1, false
			}
			escaped = true
			i += n
		default:
			i++
		}
	}
}

// escapeLen returns the length of the escape b begins with, 0 when it is none.
func escapeLen(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(b) >= 6 && hex4(b[2:]) >= 0 {
			return 6
		}
	}
	return 0
}

func hex4(b []byte) rune {
	r := rune(0)
	for _, c := range b[:4] {
		d := hexDigit(c)
		if d < 0 {
			return -1
		}
		r = r<<4 | rune(d)
	}
	return r
}

func hexDigit(c byte) int {
	switch {
	case c-'0' <= 9:
		return int(c - '0')
	case c-'a' <= 5:
		return int(c-'a') + 10
	case c-'A' <= 5:
		return int(c-'A') + 10
	}
	return -1
}

// unescape writes the text of a valid string with escapes to dst, which has room
// for len(s) bytes, and returns how many it wrote. Lone surrogates become U+FFFD.
func unescape(dst, s []byte) int {
	n := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c != '\\' {
			dst[n] = c
			n, i = n+1, i+1
			continue
		}
		switch s[i+1] {
		case 'u':
			r := hex4(s[i+2:])
			i += 6
			if utf16.IsSurrogate(r) {
				r2 := rune(-1)
				if i+6 <= len(s) && s[i] == '\\' && s[i+1] == 'u' {
					r2 = hex4(s[i+2:])
				}
				if r = utf16.DecodeRune(r, r2); r != utf8.RuneError {
					i += 6
				}
			}
			n += utf8.EncodeRune(dst[n:], r)
			continue
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		default:
			c = s[i+1]
		}
		dst[n] = c
		n, i = n+1, i+2
	}
	return n
}

// numberEnd returns the end of the JSON number at b[i:], -1 when it is none.
func numberEnd(b []byte, i int) int {
	if i < len(b) && b[i] == '-' {
		i++
	}
	d := digits(b, i)
	if d == i || b[i] == '0' && d > i+1 {
		return -1
	}
	i = d
	if i < len(b) && b[i] == '.' {
		if d = digits(b, i+1); d == i+1 {
			return -1
		}
		i = d
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if d = digits(b, i); d == i {
			return -1
		}
		i = d
	}
	return i
}

// space skips JSON's white space.
func space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// skipValue returns the end of the JSON value at b[i:] (white space before it
// already skipped), -1 when it is not valid or nests deeper than depth.
func skipValue(b []byte, i, depth int) int {
	if i >= len(b) || depth == 0 {
		return -1
	}
	switch c := b[i]; c {
	case '"':
		end, _ := stringEnd(b, i+1)
		if end < 0 {
			return -1
		}
		return end + 1
	case '{':
		return skipMembers(b, i+1, '}', depth-1)
	case '[':
		return skipMembers(b, i+1, ']', depth-1)
	case 't', 'f', 'n':
		return literalEnd(b, i)
	}
	return numberEnd(b, i)
}

func literalEnd(b []byte, i int) int {
	for _, w := range [...]string{"true", "false", "null"} {
		if prefixAt(b, i, w) {
			return i + len(w)
		}
	}
	return -1
}

func skipMembers(b []byte, i int, close byte, depth int) int {
	if i = space(b, i); i < len(b) && b[i] == close {
		return i + 1
	}
	for {
		if close == '}' {
			if i = memberKey(b, i); i < 0 {
				return -1
			}
		}
		if i = skipValue(b, space(b, i), depth); i < 0 {
			return -1
		}
		i = space(b, i)
		if i >= len(b) {
			return -1
		}
		if b[i] == close {
			return i + 1
		}
		if b[i] != ',' {
			return -1
		}
		i = space(b, i+1)
	}
}

// memberKey skips `"key" :`.
func memberKey(b []byte, i int) int {
	if i >= len(b) || b[i] != '"' {
		return -1
	}
	end, _ := stringEnd(b, i+1)
	if end < 0 {
		return -1
	}
	if i = space(b, end+1); i >= len(b) || b[i] != ':' {
		return -1
	}
	return i + 1
}
