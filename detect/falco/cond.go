package falco

import (
	"fmt"
	"time"
)

// The bounds of one condition's text.
const (
	MaxCondition = 1 << 20 // bytes, after all appends
	MaxDepth     = 64      // parentheses within each other, and macros within macros
)

// expr is a parsed condition: andExpr, orExpr, notExpr, *check, macroRef or, of an
// exception that expires, beforeExpr; once lists and macros are put in, *test and
// *resolvedMacro instead of *check and macroRef.
type expr interface{}

type (
	andExpr    []expr
	orExpr     []expr
	notExpr    struct{ x expr }
	macroRef   string
	beforeExpr time.Time // the event's time is before
)

// check is one comparison.
type check struct {
	left   term
	op     string
	mod    string // oneof, anyof, allof or ""
	values []value
	list   bool  // the values stood in parentheses
	right  *term // instead of values: a field to compare with
}

// value is a text of the right side. Only a bare one may be the name of a list.
type value struct {
	text string
	bare bool
}

// term is a field with its argument and the transformers around it, outermost
// first.
type term struct {
	transforms []string
	field      string
	arg        string
	hasArg     bool
	foreign    string // instead of a field: a call that is not evaluated here, as written
}

func (t *term) String() string {
	s := t.field + t.foreign
	if t.hasArg {
		s += "[" + t.arg + "]"
	}
	for i := len(t.transforms) - 1; i >= 0; i-- {
		s = t.transforms[i] + "(" + s + ")"
	}
	return s
}

// The operators by what may stand on their right.
var (
	textOps = []string{
		"==", "=", "!=", "glob", "iglob", "contains", "icontains", "bcontains",
		"startswith", "bstartswith", "endswith", "regex",
	}
	listOps    = []string{"intersects", "in", "pmatch"}
	numberOps  = []string{"<=", "<", ">=", ">"}
	modifiers  = []string{"oneof", "anyof", "allof"}
	transforms = []string{"tolower", "toupper", "b64", "basename", "len"}
	foreign    = []string{"join", "concat", "getopt"} // Falco has them, they are not asked here
)

// condParser reads one condition (falcosecurity/libs, filter/parser.h). It works
// on bytes: everything that steers it is ASCII.
type condParser struct {
	src   string
	at    int
	depth int
}

// parseCondition reads the text of a condition.
func parseCondition(src string) (expr, error) {
	if len(src) > MaxCondition {
		return nil, fmt.Errorf("the condition is longer than %d bytes; shorten it", MaxCondition)
	}
	p := &condParser{src: src}
	x, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.at < len(p.src) {
		return nil, p.fail("expected and, or, or the end of the condition")
	}
	return x, nil
}

// fail says what is wrong at the place reached.
func (p *condParser) fail(format string, args ...any) error {
	near := p.src[p.at:]
	if near == "" {
		near = "its end"
	} else {
		near = quote(cut(near, 24))
	}
	return fmt.Errorf("the condition cannot be read at %s: %s", near, fmt.Sprintf(format, args...))
}

func (p *condParser) enter() error {
	if p.depth++; p.depth > MaxDepth {
		return fmt.Errorf("the condition is nested deeper than %d levels; write it flatter", MaxDepth)
	}
	return nil
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\b' }

func (p *condParser) blanks() bool {
	from := p.at
	for p.at < len(p.src) && blank(p.src[p.at]) {
		p.at++
	}
	return p.at > from
}

func (p *condParser) peek() byte {
	if p.at < len(p.src) {
		return p.src[p.at]
	}
	return 0
}

func (p *condParser) take(c byte) bool {
	if p.peek() == c && p.at < len(p.src) {
		p.at++
		return true
	}
	return false
}

// word takes a keyword that is followed by a blank, a parenthesis or the end.
func (p *condParser) word(w string) bool {
	end := p.at + len(w)
	if end > len(p.src) || p.src[p.at:end] != w || end < len(p.src) && !blank(p.src[end]) && p.src[end] != '(' && p.src[end] != ')' {
		return false
	}
	p.at = end
	return true
}

// series reads parts joined by a keyword.
func (p *condParser) series(keyword string, part func() (expr, error)) ([]expr, error) {
	var parts []expr
	for {
		p.blanks()
		x, err := part()
		if err != nil {
			return nil, err
		}
		parts = append(parts, x)
		if p.blanks(); !p.word(keyword) {
			return parts, nil
		}
	}
}

func (p *condParser) or() (expr, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	parts, err := p.series("or", p.and)
	p.depth--
	if len(parts) == 1 {
		return parts[0], err
	}
	return orExpr(parts), err
}

func (p *condParser) and() (expr, error) {
	parts, err := p.series("and", p.not)
	if len(parts) == 1 {
		return parts[0], err
	}
	return andExpr(parts), err
}

func (p *condParser) not() (expr, error) {
	negated := false
	for p.word("not") {
		negated = !negated
		p.blanks()
	}
	x, err := p.primary()
	if negated && err == nil {
		x = notExpr{x}
	}
	return x, err
}

func (p *condParser) primary() (expr, error) {
	if p.take('(') {
		x, err := p.or()
		if err != nil {
			return nil, err
		}
		if p.blanks(); !p.take(')') {
			return nil, p.fail("expected )")
		}
		return x, nil
	}
	from := p.at
	name := p.identifier()
	if name == "" {
		return nil, p.fail("expected a field, a macro or (")
	}
	if c := p.peek(); c != '.' && c != '(' {
		return macroRef(name), nil
	}
	p.at = from
	left, err := p.term(false)
	if err != nil {
		return nil, err
	}
	return p.comparison(left)
}

func letter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

func wordByte(c byte) bool { return letter(c) || '0' <= c && c <= '9' || c == '_' }

// identifier takes a letter and what letters, digits and _ follow.
func (p *condParser) identifier() string {
	from := p.at
	if !letter(p.peek()) {
		return ""
	}
	for p.at < len(p.src) && wordByte(p.src[p.at]) {
		p.at++
	}
	return p.src[from:p.at]
}

// fieldName takes identifiers joined by dots, at least two.
func (p *condParser) fieldName() string {
	from := p.at
	if p.identifier() == "" || p.peek() != '.' {
		p.at = from
		return ""
	}
	for p.peek() == '.' {
		back := p.at
		p.at++
		if p.identifier() == "" {
			p.at = back
			break
		}
	}
	return p.src[from:p.at]
}

// term takes a field, with transformers around it. val( is one only on the right.
func (p *condParser) term(right bool) (term, error) {
	var t term
	for {
		from := p.at
		name := p.identifier()
		if p.peek() != '(' || name == "" {
			p.at = from
			break
		}
		if err := checkTransform(name, right && len(t.transforms) == 0); err != nil {
			return t, err
		}
		if contains(foreign, name) {
			t.foreign = name + p.call()
			break
		}
		t.transforms = append(t.transforms, name)
		if len(t.transforms) > 8 {
			return t, fmt.Errorf("more than 8 transformers stand around a field; write it simpler")
		}
		p.at++
		p.blanks()
	}
	if t.foreign == "" {
		if t.field = p.fieldName(); t.field == "" {
			return t, p.fail("expected a field such as proc.name")
		}
		if err := p.argument(&t); err != nil {
			return t, err
		}
	}
	for range t.transforms {
		if p.blanks(); !p.take(')') {
			return t, p.fail("expected ) after the field of a transformer")
		}
	}
	if len(t.transforms) > 0 && t.transforms[0] == "val" {
		t.transforms = t.transforms[1:]
	}
	return t, nil
}

func checkTransform(name string, val bool) error {
	switch {
	case contains(transforms, name), contains(foreign, name), name == "val" && val:
		return nil
	}
	return fmt.Errorf("there is no transformer %s(); there are %s and val on the right", name, join(transforms))
}

// call takes the arguments of a call in parentheses, whatever they are; "" when
// they do not end.
func (p *condParser) call() string {
	from, deep := p.at, 0
	for p.at < len(p.src) {
		switch c := p.src[p.at]; c {
		case '"', '\'':
			if _, err := p.quoted(); err != nil {
				return ""
			}
			continue
		case '(':
			deep++
		case ')':
			if deep--; deep == 0 {
				p.at++
				return p.src[from:p.at]
			}
		}
		p.at++
	}
	return ""
}

func (p *condParser) argument(t *term) error {
	if !p.take('[') {
		return nil
	}
	t.hasArg = true
	if c := p.peek(); c == '"' || c == '\'' {
		v, err := p.quoted()
		if err != nil {
			return err
		}
		t.arg = v
	} else {
		from := p.at
		for p.at < len(p.src) && !blank(p.src[p.at]) && p.src[p.at] != ']' && p.src[p.at] != '[' && p.src[p.at] != '"' && p.src[p.at] != '\'' {
			p.at++
		}
		t.arg = p.src[from:p.at]
	}
	if t.arg == "" || !p.take(']') {
		return p.fail("expected an argument and ]")
	}
	return nil
}
