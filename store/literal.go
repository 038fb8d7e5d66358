package store

import "bytes"

// literal searches for one ASCII text without regard to case: it jumps to the
// text's rarest byte, in either case, and compares around it.
type literal struct {
	fold   []byte // lower case
	rare   int    // place of the rarest byte
	lower  byte
	upper  byte
	weight int  // how often the rarest byte turns up in logs, roughly per 1,000
	exotic bool // has a k or an s
	nextLo int  // next place of lower in the block, at or after the last asked; -1 none
	nextUp int
	valid  bool
}

// newLiteral prepares text, which must be ASCII; nil for an empty one.
func newLiteral(text []byte) *literal {
	if len(text) == 0 {
		return nil
	}
	l := &literal{fold: bytes.ToLower(text), weight: 1 << 30}
	for i, c := range l.fold {
		if w := frequency(c); w < l.weight {
			l.rare, l.weight = i, w
		}
		l.exotic = l.exotic || c == 'k' || c == 's'
	}
	l.lower = l.fold[l.rare]
	l.upper = upper(l.lower)
	l.weight = l.weight*64 - min(len(text), 63)
	return l
}

func upper(c byte) byte {
	if 'a' <= c && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}

// frequency is roughly how often a byte turns up in logs, per 1,000.
func frequency(c byte) int {
	switch {
	case c == ' ' || c == '"' || c == 'e' || c == '0' || c == '1' || c == ':' || c == '.':
		return 45
	case '2' <= c && c <= '9', c == 'a', c == 's', c == 't', c == 'r', c == 'i', c == 'o', c == 'n', c == '-', c == '/', c == ',':
		return 30
	case c == 'c' || c == 'd' || c == 'l' || c == 'm' || c == 'p' || c == 'u' || c == '=':
		return 15
	case 'a' <= c && c <= 'z':
		return 8
	case c == '_' || c == '[' || c == ']' || c == '{' || c == '}':
		return 8
	}
	return 2
}

// reset forgets the places found in an earlier block.
func (l *literal) reset() { l.valid = false }

// next returns the first place at or after from where the text begins in block,
// or -1. Asked with growing from it looks at every byte of the block once.
func (l *literal) next(block []byte, from int) int {
	at := from + l.rare
	if !l.valid {
		l.nextLo, l.nextUp, l.valid = seek(block, l.lower, at), -1, true
		if l.upper != l.lower {
			l.nextUp = seek(block, l.upper, at)
		}
	}
	for {
		if l.nextLo >= 0 && l.nextLo < at {
			l.nextLo = seek(block, l.lower, at)
		}
		if l.nextUp >= 0 && l.nextUp < at {
			l.nextUp = seek(block, l.upper, at)
		}
		hit := l.nextLo
		if hit < 0 || l.nextUp >= 0 && l.nextUp < hit {
			hit = l.nextUp
		}
		if hit < 0 {
			return -1
		}
		if start := hit - l.rare; equalFold(block[start:], l.fold) {
			return start
		}
		at = hit + 1
	}
}

// in reports whether the text occurs in raw.
func (l *literal) in(raw []byte) bool {
	once := literal{fold: l.fold, rare: l.rare, lower: l.lower, upper: l.upper}
	return once.next(raw, 0) >= 0
}

// seek is the first place of c in b at or after from, -1 when there is none.
func seek(b []byte, c byte, from int) int {
	if from >= len(b) {
		return -1
	}
	i := bytes.IndexByte(b[from:], c)
	if i < 0 {
		return -1
	}
	return from + i
}

// equalFold reports whether b begins with fold, which is lower case ASCII.
func equalFold(b, fold []byte) bool {
	if len(b) < len(fold) {
		return false
	}
	for i, c := range fold {
		d := b[i]
		if 'A' <= d && d <= 'Z' {
			d += 'a' - 'A'
		}
		if c != d {
			return false
		}
	}
	return true
}
