package query

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// The bounds of a filter's text.
const (
	MaxText  = 64 << 10 // bytes
	MaxDepth = 64       // parentheses and negations inside each other

	MaxFilterProgram = 5 * MaxRegexProgram // instructions of all its regular expressions
)

// Error says what is wrong with a filter, at which column, and what to do.
type Error struct {
	Msg string // the whole sentence
	Pos int    // byte offset in the text
}

// Error returns the sentence.
func (e *Error) Error() string { return e.Msg }

// Resolver returns the values of the list that a filter calls @name.
type Resolver func(name string) (values []string, err error)

// Parse reads a filter. The empty text and * are And{}, which holds for
// everything. Lists (in @name) are refused; see ParseWith. Errors are *Error.
func Parse(s string) (Node, error) { return ParseWith(s, nil) }

// ParseWith is Parse with somebody to ask for lists.
func ParseWith(s string, lists Resolver) (Node, error) {
	if len(s) > MaxText {
		return nil, &Error{fmt.Sprintf("the filter is %d bytes long and at most %d are allowed; put long lists of values into a file and write: field in @file", len(s), MaxText), MaxText}
	}
	p := parser{lexer: lexer{s: s}, lists: lists}
	p.skipSpace()
	if p.end() {
		return And{}, nil
	}
	n, err := p.either(p.term, true)
	if err != nil {
		return nil, err
	}
	if !p.end() {
		return nil, p.unexpected()
	}
	return n, nil
}

type parser struct {
	lexer
	depth   int
	program int // estimated instructions of the expressions so far
	lists   Resolver
}

// leaf reads what stands between the connectives: a term, or a value in a group.
type leaf func() (Node, error)

func (p *parser) fail(pos int, format string, args ...any) error {
	column := utf8.RuneCountInString(p.s[:pos]) + 1
	return &Error{fmt.Sprintf("column %d: ", column) + fmt.Sprintf(format, args...), pos}
}

// either reads alternatives; implicit says that parts side by side mean and.
func (p *parser) either(l leaf, implicit bool) (Node, error) {
	first, err := p.both(l, implicit)
	if err != nil {
		return nil, err
	}
	parts := Or{first}
	for p.keyword("or") {
		p.i += len("or")
		n, err := p.both(l, implicit)
		if err != nil {
			return nil, err
		}
		parts = append(parts, n)
	}
	if len(parts) == 1 {
		return first, nil
	}
	return parts, nil
}

func (p *parser) both(l leaf, implicit bool) (Node, error) {
	first, err := p.unary(l, implicit)
	if err != nil {
		return nil, err
	}
	parts := And{first}
	for p.skipSpace(); !p.end() && !p.at(')') && !p.keyword("or"); p.skipSpace() {
		if p.keyword("and") {
			p.i += len("and")
		} else if !implicit {
			return nil, p.fail(p.i, "two values stand side by side; write and or or between them, or put one text in quotes")
		}
		n, err := p.unary(l, implicit)
		if err != nil {
			return nil, err
		}
		parts = append(parts, n)
	}
	if len(parts) == 1 {
		return first, nil
	}
	return parts, nil
}

func (p *parser) unary(l leaf, implicit bool) (Node, error) {
	p.skipSpace()
	if p.depth++; p.depth > MaxDepth {
		return nil, p.fail(p.i, "the filter is nested deeper than %d levels; write it flatter", MaxDepth)
	}
	defer func() { p.depth-- }()
	switch {
	case p.at('('):
		return p.group(l, implicit)
	case p.at('!'):
		if strings.HasPrefix(p.s[p.i:], "!=") {
			return nil, p.fail(p.i, "there is no != in this language; write: not field: value")
		}
		p.i++
	case p.keyword("not"):
		p.i += len("not")
	default:
		return l()
	}
	x, err := p.unary(l, implicit)
	if err != nil {
		return nil, err
	}
	return Not{x}, nil
}

// group reads ( … ).
func (p *parser) group(l leaf, implicit bool) (Node, error) {
	open := p.i
	p.i++
	n, err := p.either(l, implicit)
	if err != nil {
		return nil, err
	}
	if !p.at(')') {
		return nil, p.fail(open, "this parenthesis is never closed; add )")
	}
	p.i++
	return n, nil
}

// unexpected says why nothing can start or go on here.
func (p *parser) unexpected() error {
	switch {
	case p.end():
		return p.fail(p.i, "the filter ends where a word or field was expected; finish it or remove the last connective")
	case p.at('{'), p.at('}'):
		return p.fail(p.i, "nested queries in { } are not part of this language; write the full name (a.b: x), or put the text in quotes")
	case p.at(')'):
		return p.fail(p.i, "a word or field was expected before ); remove the parenthesis or put the text in quotes")
	case p.at('"'):
		return p.fail(p.i, `a quote stands inside a word; put the whole text in quotes, or write \"`)
	}
	r, _ := utf8.DecodeRuneInString(p.s[p.i:])
	return p.fail(p.i, "a word or field was expected before %q; put the text in quotes if it is meant literally", r)
}

// term reads field: value, field > value, field in @list, or something to look
// for in the raw record.
func (p *parser) term() (Node, error) {
	if p.keyword("and") || p.keyword("or") {
		return nil, p.fail(p.i, "there is nothing before this connective; remove it, or put the word in quotes")
	}
	pos := p.i
	switch {
	case p.at('"'):
		text, ok := p.quoted()
		if !ok {
			return nil, p.fail(pos, `this quote is never closed; add "`)
		}
		if p.namesField() {
			return p.question(&Pred{Field: text}, pos)
		}
		if text == "" {
			return nil, p.fail(pos, "there is no text between the quotes; write something to look for")
		}
		return &Pred{Op: OpContains, Value: text}, p.separate()
	case p.at('/'):
		if expr, ok := p.regex(); ok {
			return p.regexPred(&Pred{}, expr, pos)
		}
	}
	if p.bareColon() {
		return p.keywordPred(p.word(true))
	}
	w := p.word(false)
	if w.text == "" && !w.wild {
		return nil, p.unexpected()
	}
	if !p.namesField() {
		return p.keywordPred(w)
	}
	if w.wild {
		return nil, p.fail(pos, "a field name cannot hold a wildcard; write the full name")
	}
	return p.question(&Pred{Field: w.text, Short: shortFields(w.text) != nil}, pos)
}

// separate complains when a quote or brace touches what was just read.
func (p *parser) separate() error {
	if p.at('"') || p.at('{') || p.at('}') {
		return p.unexpected()
	}
	return nil
}

// namesField looks whether the word just read is followed by : < > or in @.
func (p *parser) namesField() bool {
	back := p.i
	p.skipSpace()
	if p.at(':') || p.at('<') || p.at('>') || p.inList() {
		return true
	}
	p.i = back
	return false
}

// inList looks for: in @
func (p *parser) inList() bool {
	if !p.keyword("in") {
		return false
	}
	look := lexer{p.s, p.i + len("in")}
	look.skipSpace()
	return look.at('@')
}

// question reads what is asked of the field q.Field, which was written at pos.
func (p *parser) question(q *Pred, pos int) (Node, error) {
	if q.Field == "" {
		return nil, p.fail(pos, "a field name is missing here; write the name before the colon")
	}
	switch {
	case p.inList():
		p.i += len("in")
		p.skipSpace()
		return p.list(q)
	case p.at(':'):
		p.i++
		p.skipSpace()
		read := func() (Node, error) { return p.value(*q) }
		if p.at('(') {
			return p.unary(read, false)
		}
		return read()
	}
	return p.ordering(q)
}

// keywordPred is a bare word: a part of the raw record. "in @list" alone asks for
// any word of it.
func (p *parser) keywordPred(w word) (Node, error) {
	if strings.Trim(w.text, "=") == "" && w.text != "" && !w.wild {
		return nil, p.fail(w.pos, "fields are compared with a colon; write: field: value")
	}
	if EqualFold(w.text, "in") && !w.wild {
		back := p.i
		if p.skipSpace(); p.at('@') {
			return p.list(&Pred{})
		}
		p.i = back
	}
	if err := p.separate(); err != nil {
		return nil, err
	}
	if !w.wild {
		return &Pred{Op: OpContains, Value: w.text}, nil
	}
	q := &Pred{}
	q.setGlob(trimStars(collapse(w.pattern)), true)
	if q.Value == "" {
		return And{}, nil
	}
	return q, nil
}

// list reads @name or @"name".
func (p *parser) list(q *Pred) (Node, error) {
	pos := p.i
	p.i++
	var name string
	if p.at('"') {
		text, ok := p.quoted()
		if !ok {
			return nil, p.fail(pos+1, `this quote is never closed; add "`)
		}
		name = text
	} else {
		name = p.word(true).text
	}
	if name == "" {
		return nil, p.fail(pos, "the name of a list is missing after @; write: field in @file")
	}
	if p.lists == nil {
		return nil, p.fail(pos, "lists (in @%s) cannot be used here; write the values as field: (a or b)", name)
	}
	values, err := p.lists(name)
	if err != nil {
		return nil, p.fail(pos, "the list @%s cannot be read: %v", name, err)
	}
	if q.Set, err = NewSet(name, values); err != nil {
		return nil, p.fail(pos, "%v", err)
	}
	q.Op = OpIn
	return q, p.separate()
}
