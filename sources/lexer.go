package sources

// maxDepth is how deeply a JSON value may nest before it counts as broken.
const maxDepth = 512

// lexVerdict is what a lexer says about the bytes it has seen so far.
type lexVerdict uint8

const (
	lexMore   lexVerdict = iota // the value goes on
	lexDone                     // the value ended
	lexBroken                   // this is not JSON
)

// lexState is what may come next.
type lexState uint8

const (
	wantValue lexState = iota
	wantValueOrEnd
	wantKeyOrEnd
	wantKey
	wantColon
	wantCommaOrEnd
	inString
	inEscape
	inAtom
	ended
)

// lexer follows the structure of one JSON value (RFC 8259) across any number of
// chunks. It is strict about structure and lenient inside numbers, literals and
// escapes: it looks for where a value ends, not for what it says.
type lexer struct {
	state lexState
	isKey bool
	stack []byte // open brackets
}

// plainInString and plainInAtom say which bytes need no decision.
var plainInString, plainInAtom = plainTables()

func plainTables() (str, atom [256]bool) {
	for c := range 256 {
		str[c] = c >= 0x20 && c != '"' && c != '\\'
		atom[c] = c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '+' || c == '-' || c == '.'
	}
	return str, atom
}

// reset makes the lexer expect a new value.
func (l *lexer) reset() { l.state, l.stack = wantValue, l.stack[:0] }

// resetInside makes the lexer stand inside an object, behind one of its values.
func (l *lexer) resetInside() { l.state, l.stack = wantCommaOrEnd, append(l.stack[:0], '{') }

// run goes on with b and returns how many bytes belong to the value (lexDone),
// were looked at (lexMore: all), or were fine before the offending one (lexBroken).
func (l *lexer) run(b []byte) (int, lexVerdict) {
	for i := 0; i < len(b); {
		switch l.state {
		case inString:
			for i < len(b) && plainInString[b[i]] {
				i++
			}
			if i == len(b) {
				return i, lexMore
			}
			if !l.stringByte(b[i]) {
				return i, lexBroken
			}
			i++
		case inAtom:
			for i < len(b) && plainInAtom[b[i]] {
				i++
			}
			if i == len(b) {
				return i, lexMore
			}
			l.closeValue()
		default:
			if !l.punctuation(b[i]) {
				return i, lexBroken
			}
			i++
		}
		if l.state == ended {
			return i, lexDone
		}
	}
	return len(b), lexMore
}

// stringByte takes a byte of a string that is not plain.
func (l *lexer) stringByte(c byte) bool {
	switch c {
	case '\\':
		l.state = inEscape
	case '"':
		if l.isKey {
			l.state = wantColon
		} else {
			l.closeValue()
		}
	default:
		return false
	}
	return true
}

// closeValue notes that a value ended.
func (l *lexer) closeValue() {
	l.state = wantCommaOrEnd
	if len(l.stack) == 0 {
		l.state = ended
	}
}

// punctuation takes one byte outside strings, numbers and literals.
func (l *lexer) punctuation(c byte) bool {
	if l.state == inEscape {
		l.state = inString
		return c >= 0x20
	}
	if isSpace(c) {
		return true
	}
	switch l.state {
	case wantValue, wantValueOrEnd:
		return l.openValue(c)
	case wantKey, wantKeyOrEnd:
		if c == '"' {
			l.state, l.isKey = inString, true
			return true
		}
		return l.state == wantKeyOrEnd && l.closeBracket(c)
	case wantColon:
		l.state = wantValue
		return c == ':'
	}
	return l.commaOrEnd(c)
}

func (l *lexer) openValue(c byte) bool {
	switch {
	case c == '{' || c == '[':
		if len(l.stack) >= maxDepth {
			return false
		}
		l.stack = append(l.stack, c)
		l.state = wantKeyOrEnd
		if c == '[' {
			l.state = wantValueOrEnd
		}
		return true
	case c == '"':
		l.state, l.isKey = inString, false
		return true
	case plainInAtom[c]:
		l.state = inAtom
		return true
	}
	return l.state == wantValueOrEnd && l.closeBracket(c)
}

func (l *lexer) commaOrEnd(c byte) bool {
	if c != ',' {
		return l.closeBracket(c)
	}
	l.state = wantValue
	if l.stack[len(l.stack)-1] == '{' {
		l.state = wantKey
	}
	return true
}

func (l *lexer) closeBracket(c byte) bool {
	open := l.stack[len(l.stack)-1]
	if open == '{' && c != '}' || open == '[' && c != ']' {
		return false
	}
	l.stack = l.stack[:len(l.stack)-1]
	l.closeValue()
	return true
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }
