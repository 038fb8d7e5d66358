package query

import (
	"fmt"
	"regexp"
	"regexp/syntax"
)

// The bounds of a regular expression.
const (
	MaxRegex        = 8 << 10  // bytes of an expression
	MaxRegexProgram = 10_000   // instructions after repetitions are written out
	MaxRegexInput   = 64 << 10 // bytes of a value that are looked at; what is behind is not seen
)

// MaxRegexPrograms is how many instructions all expressions of one rule file may
// have together: about 20 MiB of programs.
const MaxRegexPrograms = 200_000

// RegexRoom compiles expressions that together stay within MaxRegexPrograms. The
// zero value has all of its room.
type RegexRoom struct{ used int }

// Compile is CompileRegex while there is room. A nil RegexRoom has no bound.
func (r *RegexRoom) Compile(expr string) (*regexp.Regexp, error) {
	if r != nil && r.used > MaxRegexPrograms {
		return nil, fmt.Errorf("the regular expressions of this file need more than %d steps together; split the file", MaxRegexPrograms)
	}
	re, size, err := compileRegex(expr)
	if r != nil {
		r.used += size
	}
	return re, err
}

// CompileRegex compiles an expression in Go's RE2 syntax, which matches in time
// linear to the text. It refuses what is over MaxRegex or MaxRegexProgram, so that
// `(x{1000}){1000}` from a rule file costs nothing. It is the only way an
// expression from outside becomes a program.
func CompileRegex(expr string) (*regexp.Regexp, error) {
	re, _, err := compileRegex(expr)
	return re, err
}

// compileRegex also returns the estimated size of the program.
func compileRegex(expr string) (*regexp.Regexp, int, error) {
	if len(expr) > MaxRegex {
		return nil, 0, fmt.Errorf("the regular expression is %d bytes long; at most %d are allowed, shorten it", len(expr), MaxRegex)
	}
	tree, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil, 0, fmt.Errorf("the regular expression cannot be read (%w); look-around and back-references do not exist in RE2", err)
	}
	size := programSize(tree)
	if size > MaxRegexProgram {
		return nil, 0, fmt.Errorf("the regular expression needs about %d steps or more, at most %d are allowed; use smaller repetition counts", size, MaxRegexProgram)
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		return nil, 0, fmt.Errorf("the regular expression cannot be compiled (%w)", err)
	}
	return re, size, nil
}

// programSize estimates the instructions of a parsed expression; it stops
// counting soon after the limit, so it cannot overflow.
func programSize(re *syntax.Regexp) int {
	n := 1
	switch re.Op {
	case syntax.OpLiteral:
		n = len(re.Rune)
	case syntax.OpCharClass: // one instruction, but it holds its ranges
		n += len(re.Rune) / 8
	}
	for _, sub := range re.Sub {
		n = min(n+programSize(sub)+1, 2*MaxRegexProgram)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Max, re.Min+1)
	}
	return min(n, 2*MaxRegexProgram)
}

// cutRegexInput returns the part of s that an expression gets to see.
func cutRegexInput(s string) string {
	if len(s) > MaxRegexInput {
		return s[:MaxRegexInput]
	}
	return s
}
