package sigma

import (
	"slices"
	"strings"

	"bartizan/detect"
	"bartizan/query"

	"go.yaml.in/yaml/v3"
)

// The bounds of a condition.
const (
	maxCondition = 64 << 10            // bytes
	maxNesting   = 100                 // parentheses and nots
	maxNodes     = detect.MaxRuleNodes // predicates and connectives after all searches are put in
)

// search is one search identifier with what it means.
type search struct {
	name string
	node query.Node
	size int // nodes
}

// detection reads the searches and the condition over them.
func (r *reader) detection(root *yaml.Node) error {
	n := get(root, "detection")
	if n == nil || n.Kind != yaml.MappingNode {
		return fail(or(n, root), "the rule has no detection; add a map with at least one search and a condition")
	}
	all, err := r.searches(n, "condition", "timeframe")
	if err != nil {
		return err
	}
	if done, err := r.aggregation(n, all); done || err != nil {
		return err
	}
	if t := get(n, "timeframe"); t != nil {
		r.warn(t, "timeframe has no effect without an aggregation; remove it")
	}
	r.rule.Cond, err = conditions(n, all)
	return err
}

// searches reads the searches of a map, whose other keys are named.
func (r *reader) searches(n *yaml.Node, others ...string) ([]search, error) {
	var all []search
	for i := 0; i < len(n.Content); i += 2 {
		name := n.Content[i].Value
		if slices.Contains(others, name) {
			continue
		}
		node, err := r.search(plain(n.Content[i+1]))
		if err != nil {
			return nil, err
		}
		all = append(all, search{name, node, sizeOf(node)})
	}
	return all, nil
}

// conditions reads the condition under n, or the list of them.
func conditions(n *yaml.Node, all []search) (query.Node, error) {
	cond := get(n, "condition")
	if cond == nil {
		return nil, fail(n, "there is no condition; add one")
	}
	list := []*yaml.Node{cond}
	if cond.Kind == yaml.SequenceNode {
		list = cond.Content
	}
	parts := make([]query.Node, 0, len(list))
	left := maxNodes
	for _, c := range list {
		c = plain(c)
		part, err := parseCondition(c, c.Value, all, &left)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		return nil, fail(cond, "the list of conditions is empty; add one")
	}
	return joined(parts, false), nil
}

// search reads one search: a map is "and" over its keys; a list is "or" over
// maps and keywords; a scalar is a keyword.
func (r *reader) search(n *yaml.Node) (query.Node, error) {
	switch n.Kind {
	case yaml.MappingNode:
		return r.searchMap(n)
	case yaml.SequenceNode:
		if len(n.Content) == 0 {
			return nil, fail(n, "the search is an empty list; give it something to look for")
		}
		parts := make([]query.Node, len(n.Content))
		for i, c := range n.Content {
			c = plain(c)
			if c.Kind == yaml.SequenceNode {
				return nil, fail(c, "a list in a list is not a search; write one list")
			}
			part, err := r.search(c)
			if err != nil {
				return nil, err
			}
			parts[i] = part
		}
		return joined(parts, false), nil
	}
	return r.readItem(nil, n)
}

func (r *reader) searchMap(n *yaml.Node) (query.Node, error) {
	if len(n.Content) == 0 {
		return nil, fail(n, "the search is an empty map; give it something to look for")
	}
	parts := make([]query.Node, 0, len(n.Content)/2)
	for i := 0; i < len(n.Content); i += 2 {
		part, err := r.readItem(n.Content[i], n.Content[i+1])
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	return joined(parts, true), nil
}

func sizeOf(n query.Node) int {
	size := 0
	query.Walk(n, func(query.Node) { size++ })
	return size
}

// parser reads a condition: or binds weaker than and, and weaker than not, not
// weaker than "1 of", "any of" and "all of"; the words in any case.
type parser struct {
	at    *yaml.Node
	words []string
	all   []search
	left  *int
}

// parseCondition reads the text of a condition; n is where it stands.
func parseCondition(n *yaml.Node, text string, all []search, left *int) (query.Node, error) {
	if n.Kind != yaml.ScalarNode || isNull(n) {
		return nil, fail(n, "a condition must be one text")
	}
	if len(text) > maxCondition {
		return nil, fail(n, "the condition is longer than %d bytes; shorten it", maxCondition)
	}
	if strings.Contains(text, "|") {
		return nil, fail(n, "a | can only stand once, before an aggregation, in a condition that is no list; write a correlation")
	}
	p := parser{
		at: n, all: all, left: left,
		words: conditionWords(text),
	}
	node, err := p.or(0)
	if err == nil && len(p.words) > 0 {
		err = fail(n, "the condition goes on with %s where it should end or have and, or", quote(p.words[0]))
	}
	return node, err
}

func conditionWords(text string) []string {
	return strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(text))
}

// take removes the next word if it is w, in any case.
func (p *parser) take(w string) bool {
	if len(p.words) > 0 && strings.EqualFold(p.words[0], w) {
		p.words = p.words[1:]
		return true
	}
	return false
}

func (p *parser) or(depth int) (query.Node, error)  { return p.chain(depth, "or", p.and) }
func (p *parser) and(depth int) (query.Node, error) { return p.chain(depth, "and", p.not) }

func (p *parser) chain(depth int, word string, next func(int) (query.Node, error)) (query.Node, error) {
	var parts []query.Node
	for {
		n, err := next(depth)
		if err != nil {
			return nil, err
		}
		parts = append(parts, n)
		if !p.take(word) {
			return joined(parts, word == "and"), nil
		}
	}
}

func (p *parser) not(depth int) (query.Node, error) {
	if depth > maxNesting {
		return nil, fail(p.at, "the condition is nested deeper than %d levels; write it flatter", maxNesting)
	}
	if p.take("not") {
		n, err := p.not(depth + 1)
		return query.Not{X: n}, err
	}
	if p.take("(") {
		n, err := p.or(depth + 1)
		if err == nil && !p.take(")") {
			err = fail(p.at, "the condition has a ( without its )")
		}
		return n, err
	}
	return p.operand()
}

func (p *parser) operand() (query.Node, error) {
	if len(p.words) == 0 {
		return nil, fail(p.at, "the condition ends where the name of a search should be")
	}
	word := p.words[0]
	if len(p.words) > 1 && strings.EqualFold(p.words[1], "of") {
		return p.quantified(word)
	}
	p.words = p.words[1:]
	for i := range p.all {
		if p.all[i].name == word {
			return p.use(&p.all[i])
		}
	}
	return nil, fail(p.at, "the condition names %s, and no search has that name", quote(word))
}

func (p *parser) quantified(count string) (query.Node, error) {
	every := strings.EqualFold(count, "all")
	if !every && count != "1" && !strings.EqualFold(count, "any") {
		return nil, fail(p.at, "the condition says %s of; Sigma has only 1 of, any of and all of", quote(count))
	}
	if len(p.words) < 3 {
		return nil, fail(p.at, "the condition ends where the searches of %s of should be", count)
	}
	which := p.words[2]
	p.words = p.words[3:]
	var parts []query.Node
	for i := range p.all {
		s := &p.all[i]
		if strings.EqualFold(which, "them") && strings.HasPrefix(s.name, "_") ||
			!strings.EqualFold(which, "them") && !globName(which, s.name) {
			continue
		}
		n, err := p.use(s)
		if err != nil {
			return nil, err
		}
		parts = append(parts, n)
	}
	if len(parts) == 0 {
		return nil, fail(p.at, "no search is called %s", quote(which))
	}
	return joined(parts, every), nil
}

// use counts what a search adds to the condition.
func (p *parser) use(s *search) (query.Node, error) {
	if *p.left -= s.size + 1; *p.left < 0 {
		return nil, fail(p.at, "the condition has more than %d parts; split the rule", maxNodes)
	}
	return s.node, nil
}

// globName matches a search's name against a pattern with *.
func globName(glob, name string) bool {
	head, rest, found := strings.Cut(glob, "*")
	if !found {
		return glob == name
	}
	name, ok := strings.CutPrefix(name, head)
	if !ok {
		return false
	}
	parts := strings.Split(rest, "*")
	for _, part := range parts[:len(parts)-1] {
		i := strings.Index(name, part)
		if i < 0 {
			return false
		}
		name = name[i+len(part):]
	}
	return strings.HasSuffix(name, parts[len(parts)-1])
}
