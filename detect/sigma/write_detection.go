package sigma

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"bartizan/query"

	"go.yaml.in/yaml/v3"
)

// maxWritten bounds the values of a list that is written out.
const maxWritten = 10_000

// writer makes searches and a condition of a tree.
type writer struct {
	searches mapping
	picked   int // searches called selection
	filtered int // searches called filter, which stand behind a not
	values   int
}

// writeDetection returns the searches of a tree and their condition as the content
// of a detection; not puts a not in front of all of it.
func writeDetection(n query.Node, not bool) (*mapping, error) {
	w := writer{}
	n, err := w.spelled(n)
	if err != nil {
		return nil, err
	}
	cond, err := w.expr(n, false, false)
	if err != nil {
		return nil, err
	}
	if not {
		if strings.Contains(cond, " and ") || strings.Contains(cond, " or ") {
			cond = "(" + cond + ")"
		}
		cond = "not " + cond
	}
	w.rename(&cond)
	w.searches.add("condition", stringNode(cond))
	return &w.searches, nil
}

// spelled is the tree with everything that stands for several fields or values
// written out, and what Sigma cannot say refused by name.
func (w *writer) spelled(n query.Node) (query.Node, error) {
	switch n := n.(type) {
	case query.And:
		parts, err := w.spelledAll(n)
		return query.And(parts), err
	case query.Or:
		parts, err := w.spelledAll(n)
		return query.Or(parts), err
	case query.Not:
		x, err := w.spelled(n.X)
		return query.Not{X: x}, err
	case *query.Pred:
		return w.names(n)
	}
	return nil, errors.New("an empty condition finds nothing, which is no Sigma rule; write one")
}

func (w *writer) spelledAll(parts []query.Node) ([]query.Node, error) {
	if len(parts) == 0 {
		return nil, errors.New("the condition is true (or false) of every event, which Sigma cannot say; ask for something")
	}
	out := make([]query.Node, len(parts))
	for i, x := range parts {
		var err error
		if out[i], err = w.spelled(x); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// names writes out a name that stands for several fields.
func (w *writer) names(p *query.Pred) (query.Node, error) {
	if !p.Short {
		return w.members(p)
	}
	var parts []query.Node
	for _, name := range p.Names() {
		one := *p
		one.Field, one.Short = name, false
		x, err := w.members(&one)
		if err != nil {
			return nil, err
		}
		parts = append(parts, x)
	}
	return joined(parts, p.Op == query.OpNull), nil
}

// members writes out a list of values.
func (w *writer) members(p *query.Pred) (query.Node, error) {
	if err := w.sayable(p); err != nil || p.Op != query.OpIn {
		return p, err
	}
	if p.Set == nil || p.Field == "" {
		return nil, fmt.Errorf("%s: Sigma cannot look for words of a list in the raw record; name a field", p)
	}
	texts, nets := p.Set.Members(maxWritten + 1)
	if len(texts)+len(nets) > maxWritten {
		return nil, fmt.Errorf("the list @%s has more than %d values, too many to write into a rule; shorten it", p.Set.Name, maxWritten)
	}
	parts := make([]query.Node, 0, len(texts)+len(nets))
	for _, v := range texts {
		parts = append(parts, &query.Pred{Field: p.Field, Op: query.OpGlob, Value: escaped(v, true), Cased: p.Cased})
	}
	for _, n := range nets {
		parts = append(parts, &query.Pred{Field: p.Field, Op: query.OpCIDR, Value: n.String(), Net: n})
	}
	if len(parts) == 0 {
		return nil, fmt.Errorf("the list @%s is empty, so the condition finds nothing; fill it", p.Set.Name)
	}
	return joined(parts, false), nil
}

// sayable refuses by name what Sigma has no words for.
func (w *writer) sayable(p *query.Pred) error {
	if w.values++; w.values > maxNodes {
		return fmt.Errorf("the condition has more than %d parts, too many for one rule; split it", maxNodes)
	}
	switch p.Field {
	case "level", "@timestamp", "source", "format":
		return fmt.Errorf("%s: %s is Bartizan's own and no field that a Sigma rule could ask for; use a field of the record", p, p.Field)
	case "":
		if p.Op != query.OpContains && p.Op != query.OpGlob && p.Op != query.OpRegex && p.Op != query.OpIn {
			return fmt.Errorf("%s: Sigma can only look for text in the whole record; name a field", p)
		}
	}
	if strings.Contains(p.Field, "|") {
		return fmt.Errorf("%s: a | in the name of a field begins a modifier in Sigma; the field cannot be asked for", p)
	}
	if !writable(p.Field) || !writable(p.Value) {
		return fmt.Errorf("%s: bytes that are not UTF-8 cannot be written in YAML; look for less", p)
	}
	return nil
}

// writable reports whether YAML can hold the text as text.
func writable(s string) bool { return utf8.ValidString(s) }

// expr writes one node: searches go to w, what is returned is the condition over
// them. inside says that it stands in something that binds tighter than its own
// connective, negated that a not is in front.
func (w *writer) expr(n query.Node, inside, negated bool) (string, error) {
	switch n := n.(type) {
	case query.Not:
		s, err := w.expr(n.X, true, !negated)
		return "not " + s, err
	case query.And:
		return w.chain(n, " and ", inside, negated)
	case query.Or:
		return w.chain(n, " or ", inside, negated)
	}
	return w.search([]query.Node{n}, negated)
}

// chain writes and or or: those parts that one search can hold together become one,
// the rest are searches of their own.
func (w *writer) chain(parts []query.Node, word string, inside, negated bool) (string, error) {
	flat := flattened(parts, word == " and ")
	var out []string
	for len(flat) > 0 {
		n := together(flat, word == " and ")
		var s string
		var err error
		if n > 0 {
			s, err = w.search(flat[:n], negated)
		} else {
			n = 1
			s, err = w.expr(flat[0], true, negated)
		}
		if err != nil {
			return "", err
		}
		out = append(out, s)
		flat = flat[n:]
	}
	if len(out) == 1 {
		return out[0], nil
	}
	s := strings.Join(out, word)
	if inside {
		s = "(" + s + ")"
	}
	return s, nil
}

// flattened puts the parts of nested connectives of the same kind on one level.
func flattened(parts []query.Node, all bool) (out []query.Node) {
	for _, x := range parts {
		if a, ok := x.(query.And); ok && all {
			out = append(out, flattened(a, all)...)
		} else if o, ok := x.(query.Or); ok && !all {
			out = append(out, flattened(o, all)...)
		} else {
			out = append(out, x)
		}
	}
	return out
}

// together is how many of the first parts fit into one search: under "and" as keys
// of a map or values behind all, under "or" as values of one key.
func together(parts []query.Node, all bool) int {
	if !all {
		key, ok := keyOf(parts[0])
		switch {
		case !ok:
			return 0
		case alone(parts[0]):
			return 1
		}
		n := 1
		for n < len(parts) {
			if next, ok := keyOf(parts[n]); !ok || next != key || alone(parts[n]) {
				break
			}
			n++
		}
		return n
	}
	seen := map[string]bool{}
	for n, x := range parts {
		key, ok := keyOf(x)
		switch {
		case ok && n == 0 && key[0] == '|':
			return 1 // keywords are a list, not keys of a map
		case !ok || seen[key] || key[0] == '|':
			return n
		}
		seen[key] = true
	}
	return len(parts)
}

// alone reports whether a predicate cannot be one of a list of values.
func alone(n query.Node) bool {
	p, ok := n.(*query.Pred)
	return ok && (p.Op == query.OpExists || p.Op == query.OpNull)
}

// keyOf is the key under which a part stands in a search: of a predicate, or of an
// or over predicates with the same key.
func keyOf(n query.Node) (key string, ok bool) {
	switch n := n.(type) {
	case *query.Pred:
		return itemKey(n), true
	case query.Or:
		for i, x := range n {
			p, single := x.(*query.Pred)
			if !single || i > 0 && itemKey(p) != key {
				return "", false
			}
			key = itemKey(p)
		}
		return key, len(n) == 1 || len(n) > 0 && !slices.ContainsFunc(n, alone)
	}
	return "", false
}

// casedOps are the comparisons that cased makes a difference to.
var casedOps = []query.Op{query.OpEqual, query.OpContains, query.OpPrefix, query.OpSuffix, query.OpGlob, query.OpFieldEqual}

// itemKey is the field with its modifiers.
func itemKey(p *query.Pred) string {
	mods := ""
	switch p.Op {
	case query.OpContains:
		mods = "|contains"
	case query.OpPrefix:
		mods = "|startswith"
	case query.OpSuffix:
		mods = "|endswith"
	case query.OpRegex:
		mods = "|re"
		if _, fold := foldingRegex(p); fold {
			mods = "|re|i"
		}
	case query.OpCIDR:
		mods = "|cidr"
	case query.OpLess, query.OpLessEq, query.OpGreater, query.OpGreaterEq:
		mods = "|" + [...]string{"lt", "lte", "gt", "gte"}[p.Op-query.OpLess]
	case query.OpExists:
		mods = "|exists"
	case query.OpFieldEqual:
		mods = "|fieldref" + map[query.Op]string{query.OpContains: "|contains", query.OpPrefix: "|startswith", query.OpSuffix: "|endswith"}[p.How]
	}
	if p.Field == "" && mods == "|contains" {
		mods = "" // implied
	}
	if p.Cased && slices.Contains(casedOps, p.Op) {
		mods += "|cased"
	}
	if p.Field == "" && mods == "" {
		return "|"
	}
	return p.Field + mods
}

// search adds one search for parts that fit together and returns its name.
func (w *writer) search(parts []query.Node, negated bool) (string, error) {
	content := mapping{}
	byKey := map[string][]*query.Pred{}
	var keys []string
	for _, x := range parts {
		key, _ := keyOf(x)
		if byKey[key] == nil {
			keys = append(keys, key)
		}
		switch x := x.(type) {
		case *query.Pred:
			byKey[key] = append(byKey[key], x)
		case query.Or:
			for _, y := range x {
				byKey[key] = append(byKey[key], y.(*query.Pred))
			}
		}
	}
	for _, key := range keys {
		value, err := itemNode(byKey[key])
		if err != nil {
			return "", err
		}
		content.add(key, value)
	}
	n := content.node()
	if keys[0] == "|" {
		if n = content.content[1]; n.Kind == yaml.ScalarNode {
			n = &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{n}}
		}
	}
	name := w.name(negated)
	w.searches.add(name, n)
	return name, nil
}

// name is a new search's name; rename takes the number of those that are alone.
func (w *writer) name(negated bool) string {
	kind, n := "selection", &w.picked
	if negated {
		kind, n = "filter", &w.filtered
	}
	*n++
	return kind + "_" + strconv.Itoa(*n)
}

func (w *writer) rename(cond *string) {
	for _, kind := range []struct {
		name string
		n    int
	}{{"selection", w.picked}, {"filter", w.filtered}} {
		if kind.n != 1 {
			continue
		}
		*cond = strings.ReplaceAll(*cond, kind.name+"_1", kind.name)
		for i := 0; i < len(w.searches.content); i += 2 {
			if c := w.searches.content[i]; c.Value == kind.name+"_1" {
				c.Value = kind.name
			}
		}
	}
}

// itemNode is the value, or the list of values, of one key.
func itemNode(preds []*query.Pred) (*yaml.Node, error) {
	list := make([]*yaml.Node, len(preds))
	for i, p := range preds {
		var err error
		if list[i], err = valueNode(p); err != nil {
			return nil, err
		}
	}
	if len(list) == 1 {
		return list[0], nil
	}
	return &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: list}, nil
}
