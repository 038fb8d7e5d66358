package event

import "strings"

// Kind says what a value is.
type Kind uint8

// The kinds of value. KindObject is a JSON object or list as a whole: Str is its
// text as delivered, its members follow as fields of their own.
const (
	KindString Kind = iota
	KindNumber
	KindBool
	KindNull
	KindObject
)

// Value is one field's value. Str is the text as a person would write it (for
// numbers the digits as delivered, for booleans "true" or "false", for null "").
// Pos and End are its byte range in Raw; Pos is -1 when it is no one piece of Raw.
type Value struct {
	Str      string
	Num      float64
	Pos, End int32
	Kind     Kind
}

// Field is a value with its name. Sym is the name's symbol, 0 when the symbol
// table was full.
type Field struct {
	Name  string
	Sym   Sym
	Value Value
}

// Clone returns a deep copy that outlives its batch.
func (e *Event) Clone() *Event {
	c := *e
	c.Raw = append([]byte(nil), e.Raw...)
	c.Message = strings.Clone(e.Message)
	c.Fields = make([]Field, len(e.Fields))
	for i, f := range e.Fields {
		f.Name, f.Value.Str = strings.Clone(f.Name), strings.Clone(f.Value.Str)
		c.Fields[i] = f
	}
	return &c
}
