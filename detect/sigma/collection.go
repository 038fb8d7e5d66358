package sigma

import (
	"slices"
	"strconv"

	"bartizan/detect"

	"go.yaml.in/yaml/v3"
)

// collection follows a file of several documents that share what one of them says,
// as Sigma had it before 2.0 and files still do: action: global puts its keys under
// every document that follows, action: reset ends that, and action: repeat is the
// document before once more, with its own keys on top. What a document says itself
// wins; maps are merged key by key.
type collection struct {
	global *yaml.Node
	source []byte // of the template, which is part of the rules made of it
	line   int    // of the template
	used   bool
	past   int        // line of a template that was replaced before any rule stood on it
	last   *yaml.Node // the rule before, merged
	ids    map[string]int
	left   bounds // of all merged documents of the file together
}

// take returns what a document stands for, nil when it is no rule but says something
// about others.
func (c *collection) take(d *document, root *yaml.Node) (*yaml.Node, error) {
	root = plain(root)
	if root.Kind != yaml.MappingNode {
		return root, nil
	}
	action := get(root, "action")
	if action == nil {
		return c.rule(root, c.global)
	}
	switch action.Value {
	case "global":
		c.end()
		c.global, c.source, c.line, c.used = without(root, "action"), d.src, action.Line, false
		return nil, nil
	case "reset":
		c.end()
		return nil, nil
	case "repeat":
		if c.last == nil {
			return root, fail(action, "action: repeat has no rule before it to repeat; write the rule out")
		}
		return c.rule(without(root, "action"), c.last)
	}
	return root, fail(action, "the action %s is none of global, reset and repeat; remove it", quote(action.Value))
}

// end forgets the template and what stood on it.
func (c *collection) end() {
	if c.global != nil && !c.used {
		c.past = c.line
	}
	c.global, c.source, c.last = nil, nil, nil
}

// unused warns of a template that no rule stood on.
func (c *collection) unused(out *detect.Loaded, file string) {
	if c.past > 0 {
		out.Warnings = append(out.Warnings, detect.Refusal{File: file, Line: c.past, Reason: "no rule follows action: global, so it has no effect; remove it"})
		c.past = 0
	}
}

// rule is a document on top of what it is based on.
func (c *collection) rule(root, base *yaml.Node) (*yaml.Node, error) {
	if base != nil {
		c.used = true
		root = merge(root, base)
		if err := c.left.check(root, 0); err != nil {
			return root, err
		}
		c.distinct(root)
	}
	c.last = root
	return root, nil
}

// distinct gives the second and later rules with one id from the template ids of
// their own, because alerts name rules by them.
func (c *collection) distinct(root *yaml.Node) {
	id := get(root, "id")
	if id == nil || id.Kind != yaml.ScalarNode {
		return
	}
	if c.ids == nil {
		c.ids = map[string]int{}
	}
	if c.ids[id.Value]++; c.ids[id.Value] > 1 {
		own := *id
		own.Value += "/" + strconv.Itoa(c.ids[id.Value])
		set(root, "id", &own)
	}
}

// merge is top with what only base says; neither is changed.
func merge(top, base *yaml.Node) *yaml.Node {
	top, base = plain(top), plain(base)
	if top.Kind != yaml.MappingNode || base.Kind != yaml.MappingNode {
		return top
	}
	out := *top
	out.Content = slices.Clone(top.Content)
	for i := 0; i+1 < len(base.Content); i += 2 {
		key := base.Content[i]
		if own := get(top, key.Value); own != nil {
			set(&out, key.Value, merge(own, base.Content[i+1]))
		} else {
			out.Content = append(out.Content, key, base.Content[i+1])
		}
	}
	return &out
}

// set replaces the value of a key that is there.
func set(n *yaml.Node, key string, value *yaml.Node) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			n.Content[i+1] = value
		}
	}
}

// without is the map without one of its keys.
func without(n *yaml.Node, key string) *yaml.Node {
	out := *n
	out.Content = nil
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value != key {
			out.Content = append(out.Content, n.Content[i], n.Content[i+1])
		}
	}
	return &out
}

// shift moves the lines of a document's nodes to those of its file.
func shift(n *yaml.Node, above int) {
	n.Line += above
	for _, c := range n.Content {
		shift(c, above)
	}
}
