package event

import (
	"strings"
	"sync"
)

// Sym is a small number for a field name, the same for the whole process, so
// that a rule index is an array and not a map. 0 is "no symbol": the table is
// bounded (MaxSyms) because names come from hostile records.
type Sym uint32

// MaxSyms is how many names get a symbol; later names are compared as text.
const MaxSyms = 1 << 16

var syms = struct {
	sync.RWMutex
	ids   map[string]Sym
	names []string
}{ids: map[string]Sym{}, names: []string{""}}

// LookupSym returns the symbol of name, or 0.
func LookupSym(name string) Sym {
	syms.RLock()
	defer syms.RUnlock()
	return syms.ids[name]
}

// Intern returns the symbol of name, making one while there is room; 0 when the
// table is full. The name is copied. Callers on the hot path cache the answer.
func Intern(name string) Sym {
	if s := LookupSym(name); s != 0 {
		return s
	}
	syms.Lock()
	defer syms.Unlock()
	if s := syms.ids[name]; s != 0 || len(syms.names) >= MaxSyms {
		return s
	}
	name = strings.Clone(name)
	s := Sym(len(syms.names))
	syms.names = append(syms.names, name)
	syms.ids[name] = s
	return s
}

// Name returns the name behind the symbol, "" for 0.
func (s Sym) Name() string {
	syms.RLock()
	defer syms.RUnlock()
	if int(s) >= len(syms.names) {
		return ""
	}
	return syms.names[s]
}
