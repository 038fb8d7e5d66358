package query

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"bartizan/event"
)

// MaxCandidates is how many completions are offered at once.
const MaxCandidates = 100

// WordStart returns where the word begins that ends at cursor, in bytes: what a
// candidate of Complete replaces.
func WordStart(s string, cursor int) int {
	cursor = clampCursor(s, cursor)
	i := cursor
	for i > 0 {
		r, size := utf8.DecodeLastRuneInString(s[:i])
		if unicode.IsSpace(r) || strings.ContainsRune(`():<>"!{}`, r) {
			break
		}
		i -= size
	}
	return i
}

func clampCursor(s string, cursor int) int { return max(0, min(cursor, len(s))) }

// Complete returns what may stand instead of the word that ends at cursor (a byte
// offset): names from fields, the short names and, once a dot is there, those of
// enrichment, levels after level, connectives
// after a finished term. A candidate ends with what follows it, a colon or a
// space. Inside quotes there are none.
func Complete(s string, cursor int, fields []string) []string {
	cursor = clampCursor(s, cursor)
	start := WordStart(s, cursor)
	if insideQuotes(s[:start]) {
		return nil
	}
	before, prefix := strings.TrimRightFunc(s[:start], unicode.IsSpace), s[start:cursor]
	if field, ok := asked(before); ok {
		if field != "level" && field != "log.level" {
			return nil
		}
		return startingWith(prefix, levelWords())
	}
	var out []string
	if opened(before) {
		out = startingWith(prefix, []string{"not "})
	} else {
		out = startingWith(prefix, []string{"and ", "or "})
		if prefix == "" {
			return out
		}
	}
	out = append(startingWith(prefix, nameCandidates(fields)), out...)
	if !strings.Contains(prefix, ".") || len(out) >= MaxCandidates {
		return out
	}
	return append(out, startingWith(prefix, enrichedCandidates())...)
}

func insideQuotes(s string) bool {
	open := false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			open = !open
		}
	}
	return open
}

// asked returns the field whose value is expected at the end of before.
func asked(before string) (field string, ok bool) {
	rest := strings.TrimRight(before, "<>=:")
	if rest == before || rest == "" {
		return "", false
	}
	rest = strings.TrimRightFunc(rest, unicode.IsSpace)
	return rest[WordStart(rest, len(rest)):], true
}

// opened reports whether a new term is expected at the end of before.
func opened(before string) bool {
	if before == "" || strings.HasSuffix(before, "(") || strings.HasSuffix(before, "!") {
		return true
	}
	switch strings.ToLower(before[WordStart(before, len(before)):]) {
	case "and", "or", "not":
		return true
	}
	return false
}

func levelWords() []string {
	var out []string
	for l := event.LevelTrace; l <= event.LevelEmergency; l++ {
		out = append(out, l.String()+" ")
	}
	return out
}

// nameCandidates returns the short names, then fields in their order sorted, once each.
func nameCandidates(fields []string) []string {
	var out []string
	for _, n := range shortNames {
		out = append(out, n.Name+": ")
	}
	sorted := slices.Clone(fields)
	slices.Sort(sorted)
	for _, f := range slices.Compact(sorted) {
		if n := (&Pred{Field: f}).printName(); shortFields(f) == nil && !IsPseudo(f) {
			out = append(out, n+": ")
		}
	}
	return out
}

// enrichedCandidates are the names that no record brings.
func enrichedCandidates() []string {
	var out []string
	for _, n := range event.EnrichedNames() {
		out = append(out, n.Name+": ")
	}
	return out
}

func startingWith(prefix string, candidates []string) []string {
	var out []string
	for _, c := range candidates {
		if HasPrefixFold(c, prefix) && len(out) < MaxCandidates {
			out = append(out, c)
		}
	}
	return out
}
