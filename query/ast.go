// Package query is the one predicate tree: the filter bar, the command line,
// quick rules, mutes and both rule dialects compile to it, and the rule index,
// explain and the printer walk it.
//
// The text form is Kibana's KQL with a few additions (see docs/query.md).
// Parse(Print(x)) is x for everything KQL can say. Nothing here blocks, does
// I/O or allocates while matching.
package query

import (
	"net/netip"
	"regexp"
)

// Node is a predicate tree. The set of nodes is sealed: And, Or, Not, *Pred.
type Node interface{ node() }

// And holds when all of its parts do; an empty And is true.
type And []Node

// Or holds when any of its parts does; an empty Or is false.
type Or []Node

// Not holds when its part does not.
type Not struct{ X Node }

// Op is what a predicate asks of a value.
type Op uint8

// The operators. Text comparisons fold case (Unicode simple folding) unless
// Pred.Cased is set. "Whole field" means no implied wildcard.
const (
	OpEqual      Op = iota // whole field equals Value; a number also equals numerically
	OpContains             // Value is a substring
	OpPrefix               // field starts with Value
	OpSuffix               // field ends with Value
	OpGlob                 // Value with * and ? wildcards (\ escapes them), whole field
	OpRegex                // Re finds a match anywhere in the field
	OpCIDR                 // the field is an address inside Net
	OpLess                 // numeric, level or time comparison with Num (level: its rank; time: Unix microseconds)
	OpLessEq               //
	OpGreater              //
	OpGreaterEq            //
	OpExists               // the field is there, whatever its value
	OpNull                 // the field is absent or null
	OpEmpty                // the field is there and is the empty text
	OpFieldEqual           // the field equals the field named Value, or has it as a part: see Pred.How
	OpIn                   // whole field is one of Set.Values (folded unless Cased)
)

// Pred is one question about one field. Field "" is the raw record as a whole
// (a keyword); it accepts OpContains, OpGlob, OpRegex and OpIn only, and asks
// whether the glob matches a part of it, and whether a word of it is in the set.
// When the record holds several values under the name, any of them may answer.
type Pred struct {
	Field string
	Op    Op
	Value string
	Cased bool
	How   Op // of OpFieldEqual: OpEqual, or OpContains, OpPrefix or OpSuffix: which part the other field is; an empty text is no part
	Num   float64
	Re    *regexp.Regexp
	Net   netip.Prefix
	Set   *Set
	Short bool // Field is one of ShortNames and any of its fields may answer

	ready *ready // see Prepare
}

// Set is a named set of values, such as the lines of a file (`in @file`).
type Set struct {
	Name   string
	Values map[string]struct{} // folded keys, see Fold

	nets map[netip.Prefix]struct{} // see NewSet
	bits []int                     // the prefix lengths among nets
}

func (And) node()   {}
func (Or) node()    {}
func (Not) node()   {}
func (*Pred) node() {}

// Match is the reason one predicate held: which field, what was asked (in the
// filter language, or in words for what KQL cannot say) and where in Raw
// (Pos is -1 when it is no one piece of Raw).
type Match struct {
	Field     string `json:"field"`
	Predicate string `json:"predicate"`
	Value     string `json:"value"`
	Pos       int32  `json:"pos"`
	End       int32  `json:"end"`
}
