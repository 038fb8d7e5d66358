package query

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Print writes a tree as text. Whatever Parse returned is written so that Parse
// returns it again; what the language cannot say (another field's value, exact
// case, absent or null) is written in words for people.
func Print(n Node) string {
	var b strings.Builder
	printNode(&b, n, false)
	return b.String()
}

// printNode writes n; part says that it stands inside something that binds
// tighter than or.
func printNode(b *strings.Builder, n Node, part bool) {
	switch n := n.(type) {
	case *Pred:
		b.WriteString(n.String())
	case And:
		printParts(b, n, " and ", "*", part)
	case Or:
		printParts(b, n, " or ", "not *", part)
	case Not:
		b.WriteString("not ")
		printNode(b, n.X, true)
	case nil:
		b.WriteString("not *")
	}
}

func printParts(b *strings.Builder, parts []Node, between, empty string, part bool) {
	if len(parts) == 0 {
		b.WriteString(empty)
		return
	}
	field := oneField(parts)
	if field != "" {
		b.WriteString(field + ": (")
	} else if part {
		b.WriteByte('(')
	}
	for i, x := range parts {
		if i > 0 {
			b.WriteString(between)
		}
		if field != "" {
			b.WriteString(x.(*Pred).printValue())
			continue
		}
		printNode(b, x, true)
	}
	if field != "" || part {
		b.WriteByte(')')
	}
}

// oneField returns the name when all parts ask the same field for a value, so
// that they can be written as field: (a or b).
func oneField(parts []Node) string {
	first, ok := parts[0].(*Pred)
	if !ok || len(parts) < 2 || first.Field == "" {
		return ""
	}
	for _, x := range parts {
		p, ok := x.(*Pred)
		if !ok || p.Field != first.Field || p.Short != first.Short || p.printValue() == "" {
			return ""
		}
	}
	return first.printName()
}

// String is the predicate alone, as Print writes it.
func (p *Pred) String() string {
	if p == nil {
		return "not *"
	}
	if p.Field == "" {
		return p.printRaw()
	}
	if v := p.printValue(); v != "" {
		return p.printName() + ": " + v
	}
	switch {
	case p.ordering():
		v := p.Value
		if v == "" {
			v = strconv.FormatFloat(p.Num, 'g', -1, 64)
		}
		return p.printName() + " " + [...]string{"<", "<=", ">", ">="}[p.Op-OpLess] + " " + printText(v, true)
	case p.Op == OpIn && p.Set != nil && p.Set.Name != "" && !p.Cased:
		return p.printName() + " in @" + printText(p.Set.Name, true)
	}
	return p.printName() + " " + p.words()
}

func (p *Pred) printRaw() string {
	switch {
	case p.Cased:
	case p.Op == OpContains && p.Value != "":
		return printText(p.Value, false)
	case p.Op == OpGlob && p.Value != "":
		return printGlob(p.Value)
	case p.Op == OpRegex:
		return "/" + escapeSlashes(p.expr()) + "/"
	case p.Op == OpIn && p.Set != nil && p.Set.Name != "":
		return "in @" + printText(p.Set.Name, true)
	}
	return "record " + p.words()
}

// printValue writes what stands behind "field: ", "" when that cannot be said so.
func (p *Pred) printValue() string {
	if p.Cased || p.Field == "" {
		return ""
	}
	inside := within(p.Field)
	switch p.Op {
	case OpExists:
		return "*"
	case OpEmpty:
		return `""`
	case OpCIDR:
		if _, err := netip.ParsePrefix(p.Value); err == nil {
			return p.Value
		}
		return p.Net.String()
	case OpRegex:
		return "/" + escapeSlashes(p.expr()) + "/"
	case OpEqual:
		if inside {
			return ""
		}
		return printText(p.Value, true)
	case OpContains:
		if inside {
			return printText(p.Value, true)
		}
		return "*" + printGlob(escapeGlob(p.Value)) + "*"
	case OpPrefix:
		if inside {
			return ""
		}
		return printGlob(escapeGlob(p.Value)) + "*"
	case OpSuffix:
		if inside {
			return ""
		}
		return "*" + printGlob(escapeGlob(p.Value))
	case OpGlob:
		if inside && p.Value != "*"+trimStars(p.Value)+"*" {
			return ""
		}
		return printGlob(p.Value)
	}
	return ""
}

// words says in plain words what KQL has no form for.
func (p *Pred) words() string {
	v := strconv.Quote(p.Value)
	text := ""
	switch p.Op {
	case OpEqual:
		text = "is " + v
	case OpContains:
		text = "contains " + v
	case OpPrefix:
		text = "starts with " + v
	case OpSuffix:
		text = "ends with " + v
	case OpGlob:
		text = "is like " + v
	case OpRegex:
		text = "matches /" + escapeSlashes(p.expr()) + "/"
	case OpNull:
		text = "is absent or null"
	case OpFieldEqual:
		text = p.How.wordsForPart() + " the field " + p.Value
	case OpIn:
		text = "is one of " + p.Set.words()
	case OpCIDR:
		text = "is in " + p.Net.String()
	case OpExists:
		text = "is there"
	case OpEmpty:
		text = "is empty"
	default:
		text = "is compared"
	}
	if p.Cased {
		text += " (exact case)"
	}
	return text
}

// wordsForPart says how two fields are compared.
func (o Op) wordsForPart() string {
	switch o {
	case OpContains:
		return "contains"
	case OpPrefix:
		return "starts with"
	case OpSuffix:
		return "ends with"
	}
	return "equals"
}

// words lists the first values of a set.
func (s *Set) words() string {
	if s == nil {
		return "nothing"
	}
	if s.Name != "" {
		return "@" + s.Name
	}
	const shown = 5
	values := make([]string, 0, shown+1)
	for v := range s.Values { // may be a million: only the first are sorted
		if at, _ := slices.BinarySearch(values, v); at < shown {
			values = slices.Insert(values, at, v)
			values = values[:min(len(values), shown)]
		}
	}
	if more := len(s.Values) - shown; more > 0 {
		return strings.Join(values, ", ") + " and " + strconv.Itoa(more) + " more"
	}
	return strings.Join(values, ", ")
}

// expr is the expression as it was written.
func (p *Pred) expr() string {
	if p.Value == "" && p.Re != nil {
		return p.Re.String()
	}
	return p.Value
}

func (p *Pred) printName() string {
	short := shortFields(p.Field) != nil
	if short == p.Short && plainWord(p.Field, false) {
		return p.Field
	}
	return quote(p.Field)
}

// printText writes a text so that it is read back as that text: bare when nothing
// in it means something else, in quotes otherwise. value says it stands after a
// colon, where colons and slashes are ordinary.
func printText(text string, value bool) string {
	if plainWord(text, value) {
		return text
	}
	return quote(text)
}

func quote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// plainWord reports whether text is read back as one literal word. It is stricter
// than the reader: what might be taken for a network, a number and so on is quoted.
func plainWord(text string, value bool) bool {
	first, _ := utf8.DecodeRuneInString(text)
	if !unicode.IsLetter(first) && !unicode.IsDigit(first) && first != '_' && first != '.' && first != '-' && (first != '@' || value) {
		return false
	}
	for _, r := range text {
		switch {
		case r == utf8.RuneError:
			return false
		case unicode.IsLetter(r), unicode.IsDigit(r), strings.ContainsRune("_.-@/%+=,;#$&|~'", r):
		case value && r == ':':
		default:
			return false
		}
	}
	switch strings.ToLower(text) {
	case "and", "or", "not", "in":
		return false
	}
	_, err := netip.ParsePrefix(text)
	return err != nil
}

// printGlob writes a pattern as an unquoted word.
func printGlob(pattern string) string {
	var b strings.Builder
	for i := 0; i < len(pattern); {
		r, size := utf8.DecodeRuneInString(pattern[i:])
		c := pattern[i : i+size]
		switch {
		case globEscapes(pattern, i):
			c = pattern[i : i+2]
			size = 2
		case r == '*' || r == '?':
		case r < utf8.RuneSelf && strings.IndexByte(reserved, c[0]) >= 0, unicode.IsSpace(r):
			b.WriteByte('\\')
		}
		b.WriteString(c)
		i += size
	}
	return b.String()
}

// escapeSlashes writes an expression so that it can stand between slashes.
func escapeSlashes(expr string) string {
	var b strings.Builder
	for i := 0; i < len(expr); i++ {
		switch {
		case expr[i] == '\\' && i+1 < len(expr):
			b.WriteByte('\\')
			i++
		case expr[i] == '/':
			b.WriteByte('\\')
		}
		b.WriteByte(expr[i])
	}
	return b.String()
}
