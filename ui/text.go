package ui

import (
	"strings"
	"unicode/utf8"

	"bartizan/event"
)

// maxText bounds what is escaped of one value for the screen, in bytes.
const maxText = 4 << 10

// clean makes text from outside fit for a terminal: cut and escaped, once.
func clean(s string) string {
	if plainText(s) && len(s) <= maxText {
		return s
	}
	return string(event.Escape(nil, []byte(head(s, maxText))))
}

// masked hides the secrets of log content; plain says that there were none and
// the text is the same, or that the person had them revealed on this page.
func (c *Console) masked(text []byte) (shown []byte, plain bool) {
	out := c.opt.Mask.Mask(make([]byte, 0, len(text)+32), text)
	plain = len(out) == len(text) && string(out) == string(text)
	if !plain && c.shows.found("") {
		return text, true
	}
	return out, plain
}

// plainText says that every byte shows itself: printable ASCII only.
func plainText(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// head returns at most n bytes of s, not ending inside a character.
func head(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for i := 0; i < utf8.UTFMax && n > 0 && !utf8.RuneStart(s[n]); i++ {
		n--
	}
	return s[:n]
}

// entityWords writes entities as "user root, ip 203.0.113.9".
func entityWords(list []event.Entity) string {
	var b strings.Builder
	for i, e := range list {
		if i > 0 {
			b.WriteString(", ")
		}
		if e.Kind != event.EntityOther {
			b.WriteString(kindName(e.Kind) + " ")
		}
		b.WriteString(clean(e.Value))
	}
	return b.String()
}

func kindName(k event.EntityKind) string {
	return k.String()
}
