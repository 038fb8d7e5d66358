package query

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// lower maps ASCII letters to lower case and leaves every other byte alone.
var lower = func() (t [256]byte) {
	for i := range t {
		t[i] = byte(i)
		if 'A' <= i && i <= 'Z' {
			t[i] = byte(i) + 'a' - 'A'
		}
	}
	return t
}()

// foldRune returns the one rune that stands for all that Unicode simple folding
// holds to be equal to r: the small ASCII letter where there is one, else the
// least of them.
func foldRune(r rune) rune {
	switch {
	case r < utf8.RuneSelf:
		return rune(lower[r])
	case r >= 0x2E80 && r < 0xA640: // ideographs have no case
		return r
	}
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	if least < utf8.RuneSelf {
		return rune(lower[least])
	}
	return least
}

// badByte is added to a byte that is not valid UTF-8, so that it equals only itself.
const badByte = unicode.MaxRune + 1

// firstFold returns the folded first rune of s, which is not empty, and its size.
func firstFold(s string) (rune, int) {
	if c := s[0]; c < utf8.RuneSelf {
		return rune(lower[c]), 1
	}
	r, size := utf8.DecodeRuneInString(s)
	if r == utf8.RuneError && size == 1 {
		return badByte + rune(s[0]), 1
	}
	return foldRune(r), size
}

// lastFold is firstFold at the other end.
func lastFold(s string) (rune, int) {
	c := s[len(s)-1]
	if c < utf8.RuneSelf {
		return rune(lower[c]), 1
	}
	r, size := utf8.DecodeLastRuneInString(s)
	if r == utf8.RuneError && size == 1 {
		return badByte + rune(c), 1
	}
	return foldRune(r), size
}

// Fold returns s in the one spelling that all texts equal to it under Unicode
// simple folding share: EqualFold(a, b) is Fold(a) == Fold(b). Bytes that are not
// valid UTF-8 stay as they are. It is s itself when there is nothing to change.
func Fold(s string) string {
	for i := 0; i < len(s); i++ {
		if lower[s[i]] != s[i] || s[i] >= utf8.RuneSelf {
			return string(AppendFold(make([]byte, 0, len(s)), s))
		}
	}
	return s
}

// AppendFold appends Fold(s) to dst.
func AppendFold(dst []byte, s string) []byte {
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			dst = append(dst, lower[c])
			i++
			continue
		}
		r, size := firstFold(s[i:])
		if r >= badByte {
			dst = append(dst, s[i])
		} else {
			dst = utf8.AppendRune(dst, r)
		}
		i += size
	}
	return dst
}

// EqualFold reports whether a and b are equal under Unicode simple folding. Unlike
// strings.EqualFold it does not hold all invalid bytes to be equal.
func EqualFold(a, b string) bool {
	n, ok := prefixFold(a, b)
	return ok && n == len(a)
}

// HasPrefixFold reports whether s begins with prefix, folded.
func HasPrefixFold(s, prefix string) bool {
	_, ok := prefixFold(s, prefix)
	return ok
}

// HasSuffixFold reports whether s ends with suffix, folded.
func HasSuffixFold(s, suffix string) bool {
	_, ok := suffixFold(s, suffix)
	return ok
}

// prefixFold returns how many bytes of s are equal to prefix, folded.
func prefixFold(s, prefix string) (int, bool) {
	n := min(len(s), len(prefix))
	for i := 0; i < n; i++ {
		x, y := s[i], prefix[i]
		if (x|y)&0x80 != 0 {
			k, ok := prefixRunes(s[i:], prefix[i:])
			return i + k, ok
		}
		if lower[x] != lower[y] {
			return 0, false
		}
	}
	return n, n == len(prefix)
}

func prefixRunes(s, prefix string) (int, bool) {
	i := 0
	for len(prefix) > 0 {
		if i == len(s) {
			return 0, false
		}
		a, n := firstFold(s[i:])
		b, m := firstFold(prefix)
		if a != b {
			return 0, false
		}
		i, prefix = i+n, prefix[m:]
	}
	return i, true
}

// suffixFold returns where in s the part begins that equals suffix, folded.
func suffixFold(s, suffix string) (int, bool) {
	for len(suffix) > 0 {
		if len(s) == 0 {
			return 0, false
		}
		a, n := lastFold(s)
		b, m := lastFold(suffix)
		if a != b {
			return 0, false
		}
		s, suffix = s[:len(s)-n], suffix[:len(suffix)-m]
	}
	return len(s), true
}

// ContainsFold reports whether sub is somewhere in s, folded.
func ContainsFold(s, sub string) bool {
	start, _ := IndexFold(s, sub)
	return start >= 0
}

// IndexFold returns the byte range in s of a part that equals sub, folded, or
// -1, -1. It is the first such part unless s writes k or s in one of their
// exotic forms (U+212A, U+017F).
func IndexFold(s, sub string) (start, end int) {
	n := newNeedle(sub)
	return n.index(s)
}

// needle is a text to look for, with what makes looking quick: its byte that is
// rarest in logs, in both cases.
type needle struct {
	text   string
	at     int // where in text the rare byte is
	lo, up byte
	ascii  bool
	exotic bool // has k or s, which are also U+212A and U+017F
}

func newNeedle(text string) needle {
	n := needle{text: text, ascii: true}
	best := -1
	for i := 0; i < len(text); i++ {
		c := lower[text[i]]
		if c >= utf8.RuneSelf {
			return needle{text: text}
		}
		n.exotic = n.exotic || c == 'k' || c == 's'
		if r := rarity(c); r > best {
			best, n.at, n.lo, n.up = r, i, c, c
		}
	}
	if 'a' <= n.lo && n.lo <= 'z' {
		n.up = n.lo - 'a' + 'A'
	}
	return n
}

// rarity guesses how seldom a lower-case byte stands in a log; letters cost twice
// because both cases are looked for.
func rarity(c byte) int {
	switch {
	case strings.IndexByte(" e0t1an", c) >= 0:
		return 0
	case strings.IndexByte("2iors.:/-=\"", c) >= 0:
		return 1
	case '0' <= c && c <= '9', strings.IndexByte("lducmph,_[]()", c) >= 0:
		return 2
	case 'a' <= c && c <= 'z' && strings.IndexByte("zqxjkvw", c) < 0:
		return 3
	}
	return 4
}

func (n *needle) index(s string) (start, end int) {
	if !n.ascii {
		return n.indexRunes(s)
	}
	if i := n.indexASCII(s); i >= 0 {
		return i, i + len(n.text)
	}
	if n.exotic && (strings.Contains(s, "\u017f") || strings.Contains(s, "\u212a")) {
		return n.indexRunes(s)
	}
	return -1, -1
}

// indexASCII visits the places of the rare byte only; every byte of s is looked
// at most twice before the comparison there.
func (n *needle) indexASCII(s string) int {
	if len(n.text) == 0 {
		return 0
	}
	limit := len(s) - len(n.text) + n.at + 1
	small := -1
	for i := n.at; i < limit; {
		if small < i {
			small = limit
			if k := strings.IndexByte(s[i:limit], n.lo); k >= 0 {
				small = i + k
			}
		}
		c := small
		if n.up != n.lo {
			if k := strings.IndexByte(s[i:small], n.up); k >= 0 {
				c = i + k
			}
		}
		if c == limit {
			return -1
		}
		if sameASCII(s[c-n.at:], n.text) {
			return c - n.at
		}
		i = c + 1
	}
	return -1
}

// sameASCII reports whether s begins with text; s is at least as long.
func sameASCII(s, text string) bool {
	s = s[:len(text)]
	for i := 0; i < len(text); i++ {
		if lower[s[i]] != lower[text[i]] {
			return false
		}
	}
	return true
}

func (n *needle) indexRunes(s string) (start, end int) {
	if n.text == "" {
		return 0, 0
	}
	first, _ := firstFold(n.text)
	for i := 0; i < len(s); {
		if first >= utf8.RuneSelf && s[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := firstFold(s[i:])
		if r == first {
			if k, ok := prefixFold(s[i:], n.text); ok {
				return i, i + k
			}
		}
		i += size
	}
	return -1, -1
}
