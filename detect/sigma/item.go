package sigma

import (
	"regexp"
	"strings"

	"bartizan/query"

	"go.yaml.in/yaml/v3"
)

// item is one line of a search: a field, its modifiers and its values.
type item struct {
	key   *yaml.Node
	field string // "" for keywords
	value *yaml.Node
	terms []term
	mods  []string
	how   comparison
	flags string // of a regular expression
	all   bool
	cased bool
	neq   bool
	op    query.Op // of compareNumber; of compareField which part the other field is
	part  string   // of compareTime
	room  *int     // bytes left for variants of values
	re    *query.RegexRoom
	lists map[string][]string
}

// comparison is how an item's values are compared.
type comparison uint8

const (
	compareValue  comparison = iota // as Sigma strings, numbers, booleans, null
	compareRegex                    // re
	compareCIDR                     // cidr
	compareNumber                   // lt, lte, gt, gte
	compareField                    // fieldref
	compareExists                   // exists
	compareTime                     // minute, hour, day, week, month, year
)

// term is one value. A text has one pattern, or several of which any may match
// after windash or base64offset.
type term struct {
	node *yaml.Node
	kind termKind
	raw  string
	alts []pattern
	// for regular expressions: anchored by startswith or endswith
	start, end bool
}

type termKind uint8

const (
	termText termKind = iota
	termNumber
	termBool
	termNull
)

// readItem reads one key and value of a search; key is nil for a keyword.
func (r *reader) readItem(key, value *yaml.Node) (query.Node, error) {
	it := item{key: key, value: plain(value), room: &r.room, re: r.regexes, lists: r.opt.Lists}
	if key == nil {
		it.key = it.value
	} else {
		parts := strings.Split(key.Value, "|")
		it.field, it.mods = parts[0], parts[1:]
	}
	if err := it.readTerms(); err != nil {
		return nil, err
	}
	for i, m := range it.mods {
		if err := it.modify(i, m); err != nil {
			return nil, err
		}
	}
	if it.all && len(it.terms) == 1 && it.field != "" {
		r.warn(it.key, "the modifier all has no effect on a single value")
	}
	return it.node()
}

func (it *item) readTerms() error {
	list := []*yaml.Node{it.value}
	if it.value.Kind == yaml.SequenceNode {
		list = it.value.Content
		if len(list) == 0 {
			return fail(it.key, "%s has an empty list of values; give at least one", it.name())
		}
	}
	for _, n := range list {
		n = plain(n)
		if n.Kind != yaml.ScalarNode {
			return fail(n, "a value of %s is a list or a map; only text, numbers, booleans and null can be values", it.name())
		}
		it.terms = append(it.terms, readTerm(n))
	}
	return nil
}

func (it *item) name() string {
	if it.field == "" {
		return "a keyword search"
	}
	return quote(it.field)
}

var decimal = regexp.MustCompile(`^[+-]?[0-9]+(\.[0-9]+)?$`)

// readTerm reads a scalar. A number keeps the spelling of the rule when that is
// decimal; others (0x1f, 1e3) are compared by their value.
func readTerm(n *yaml.Node) term {
	t := term{node: n, raw: n.Value}
	switch n.ShortTag() {
	case "!!null":
		t.kind = termNull
		return t
	case "!!bool":
		t.kind, t.raw = termBool, strings.ToLower(n.Value)
	case "!!int", "!!float":
		t.kind = termNumber
		if !decimal.MatchString(n.Value) {
			t.raw = decodeNumber(n)
		}
	}
	if t.kind == termText {
		t.alts = []pattern{parsePattern(t.raw)}
	} else {
		t.alts = []pattern{literalPattern(t.raw)}
	}
	return t
}

// node makes the predicate tree of the item: its values by "or" (by "and" after
// all), each under the field's name and, when that has spaces, under the name
// without them.
func (it *item) node() (query.Node, error) {
	if it.field == "" && it.how != compareValue && it.how != compareRegex {
		return nil, fail(it.key, "%s can only be used on a field, not on keywords", it.mods[0])
	}
	parts := make([]query.Node, len(it.terms))
	for i := range it.terms {
		n, err := it.termNode(&it.terms[i])
		if err != nil {
			return nil, err
		}
		parts[i] = n
	}
	n := joined(parts, it.all)
	if it.neq {
		n = query.Not{X: n}
	}
	return n, nil
}

// termNode is one value under every name of the field.
func (it *item) termNode(t *term) (query.Node, error) {
	n, err := it.under(t, it.field)
	stripped := strings.ReplaceAll(it.field, " ", "")
	if err != nil || stripped == it.field || stripped == "" {
		return n, err
	}
	other, err := it.under(t, stripped)
	absent := it.how == compareValue && t.kind == termNull || it.how == compareExists && t.raw == "false"
	return joined([]query.Node{n, other}, absent), err
}

// joined is one part itself, or an And or Or of several.
func joined(parts []query.Node, all bool) query.Node {
	switch {
	case len(parts) == 1:
		return parts[0]
	case all:
		return query.And(parts)
	}
	return query.Or(parts)
}
