package event

import "unicode/utf8"

// SafeJSON returns JSON text in which no character outside ASCII can steer or
// deceive a terminal: those that Hidden names become \u escapes, which say the
// same to a JSON reader. b is returned as it is when there are none.
func SafeJSON(b []byte) []byte {
	for i := 0; i < len(b); {
		r, n := rune(b[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRune(b[i:])
		}
		if r == 0x7f || r >= utf8.RuneSelf && Hidden(r) {
			return safeJSON(b, i)
		}
		i += n
	}
	return b
}

// safeJSON copies b, of which the first i bytes are harmless.
func safeJSON(b []byte, i int) []byte {
	out := append(make([]byte, 0, len(b)+64), b[:i]...)
	for i < len(b) {
		r, n := utf8.DecodeRune(b[i:])
		if r == 0x7f || r >= utf8.RuneSelf && Hidden(r) {
			out = appendJSONCode(out, r)
		} else {
			out = append(out, b[i:i+n]...)
		}
		i += n
	}
	return out
}

// appendJSONCode writes r as one \u escape, or two beyond the basic plane.
func appendJSONCode(dst []byte, r rune) []byte {
	if r <= 0xffff {
		return appendJSONUnit(dst, r)
	}
	r -= 0x10000
	return appendJSONUnit(appendJSONUnit(dst, 0xd800+r>>10), 0xdc00+r&0x3ff)
}
