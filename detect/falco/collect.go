package falco

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"bartizan/detect"

	"go.yaml.in/yaml/v3"
)

// The bounds of what the items of one Load say.
const (
	MaxItems   = 50_000   // rules, macros and lists
	MaxChanges = 1_000    // of one rule or macro by later items
	MaxText    = 64 << 10 // bytes of a rule's description, and of its output
)

// listDef, macroDef and ruleDef are what the files say after all appends and
// overrides. first counts items from the first definition on; last from the
// latest change: what is used must have come before the user was last touched.
type (
	listDef struct {
		name        string
		items       []value
		first, last int
		place
	}
	macroDef struct {
		name, condition      string
		first, last, changes int
		place
	}
	ruleDef struct {
		name, condition, desc, output, source string
		priority                              string
		tags                                  []string
		exceptions                            []exception
		enabled, skipUnknown                  bool
		first, last, changes                  int
		place                                       // of the definition
		changed                               place // of the latest change
	}
)

// collector gathers the items of several files.
type collector struct {
	lists      map[string]*listDef
	macros     map[string]*macroDef
	rules      map[string]*ruleDef
	listOrder  []*listDef
	macroOrder []*macroDef
	ruleOrder  []*ruleDef
	items      int
	now        time.Time // exceptions that expired before are left out
	out        detect.Loaded
	file       string
	above      int
	lines      int
}

func newCollector() *collector {
	return &collector{lists: map[string]*listDef{}, macros: map[string]*macroDef{}, rules: map[string]*ruleDef{}}
}

func (c *collector) refuse(r detect.Refusal) { c.out.Refused = append(c.out.Refused, r) }

// here is the place of a node in the file.
func (c *collector) here(line int) place {
	return place{c.file, c.above + min(max(line, 1), max(c.lines, 1))}
}

// reject refuses the item called id because of err.
func (c *collector) reject(n *yaml.Node, id string, err error) {
	line := 0
	if n != nil {
		line = n.Line
	}
	var p *problem
	if errors.As(err, &p) && p.line > 0 {
		line = p.line
	}
	w := c.here(line)
	c.refuse(detect.Refusal{File: w.file, Line: w.line, ID: id, Reason: err.Error()})
}

func (c *collector) warn(n *yaml.Node, id, format string, args ...any) {
	w := c.here(n.Line)
	c.out.Warnings = append(c.out.Warnings, detect.Refusal{File: w.file, Line: w.line, ID: id, Reason: fmt.Sprintf(format, args...)})
}

// add reads one file's content.
func (c *collector) add(file string, src []byte) {
	c.file, c.above, c.lines = file, 0, 1
	if len(src) > MaxFile {
		c.refuse(detect.Refusal{File: file, Reason: fmt.Sprintf("the file is longer than %d bytes; split it", MaxFile)})
		return
	}
	if tokens(src) > MaxValues {
		c.refuse(detect.Refusal{File: file, Reason: fmt.Sprintf("the file has more than %d values; split it", MaxValues)})
		return
	}
	left := bounds{values: MaxValues, aliases: MaxAliases}
	type read struct {
		document
		root *yaml.Node
	}
	var docs []read
	for _, d := range documents(src) {
		c.above, c.lines = d.above, bytes.Count(d.src, []byte("\n"))+1
		root, err := d.parse(&left)
		if err == nil && root != nil && plain(root).Kind != yaml.SequenceNode {
			err = at(root, "the rules must be a list of items; this is %s", kindName(plain(root)))
		}
		if err == nil && root != nil {
			err = c.checkVersion(plain(root))
			var v *versionProblem
			if errors.As(err, &v) {
				c.reject(nil, "", &problem{v.line, v.reason})
				return
			}
		}
		if err != nil {
			c.reject(nil, "", err)
			continue
		}
		if root != nil {
			docs = append(docs, read{d, plain(root)})
		}
	}
	for _, d := range docs {
		c.above, c.lines = d.above, bytes.Count(d.src, []byte("\n"))+1
		for i, n := range d.root.Content {
			c.item(plain(n))
			d.root.Content[i] = nil // a list of 200,000 values would be 40 MB of nodes
		}
	}
}

func kindName(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a map"
	case yaml.ScalarNode:
		return "one text"
	}
	return "a list"
}

// item reads one element of a file.
func (c *collector) item(n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		c.reject(n, "", at(n, "each item must be a map such as {rule: …}; this is %s", kindName(n)))
		return
	}
	if c.items++; c.items > MaxItems {
		if c.items == MaxItems+1 {
			c.reject(n, "", at(n, "there are more than %d items; load fewer files", MaxItems))
		}
		return
	}
	for _, kind := range []struct {
		key  string
		read func(n *yaml.Node, name string) error
	}{{"rule", c.rule}, {"macro", c.macro}, {"list", c.list}} {
		key := get(n, kind.key)
		if key == nil {
			continue
		}
		name, err := text(key, "the name of the "+kind.key)
		if err == nil && strings.TrimSpace(name) == "" {
			err = at(key, "the %s has no name; add one", kind.key)
		}
		if err == nil {
			err = kind.read(n, name)
		}
		if err != nil {
			c.reject(n, name, err)
		}
		return
	}
	if n := get(n, "required_plugin_versions"); n != nil {
		if err := checkPlugins(n); err != nil {
			c.reject(n, "", err)
		}
		return
	}
	if get(n, "required_engine_version") == nil {
		c.reject(n, "", at(n, "the item is none of rule, macro, list, required_engine_version, required_plugin_versions"))
	}
}

// unknownKeys warns about keys that mean nothing.
func (c *collector) unknownKeys(n *yaml.Node, id string, known ...string) {
	for i := 0; i < len(n.Content); i += 2 {
		if !contains(known, n.Content[i].Value) {
			c.warn(n.Content[i], id, "the key %s means nothing here and is ignored", quote(n.Content[i].Value))
		}
	}
}

// change is how an item stands to an earlier one of the same name.
type change struct {
	override map[string]string // key to append or replace; nil: none given
	append   bool              // the old append: true
}

func (ch change) defines() bool { return ch.override == nil && !ch.append }

// change reads append and override of an item; replaceable and appendable are the
// keys that may be named.
func readChange(n *yaml.Node, replaceable, appendable []string) (ch change, err error) {
	if a := get(n, "append"); a != nil {
		if ch.append, err = flag(a, "append"); err != nil {
			return ch, err
		}
	}
	o := get(n, "override")
	if o == nil {
		return ch, nil
	}
	if ch.append {
		return ch, at(o, "append and override are both given; keep override")
	}
	if o.Kind != yaml.MappingNode {
		return ch, at(o, "override must be a map of keys to append or replace")
	}
	ch.override = map[string]string{}
	for i := 0; i+1 < len(o.Content); i += 2 {
		key, how := o.Content[i].Value, plain(o.Content[i+1]).Value
		switch {
		case how == "append" && contains(appendable, key), how == "replace" && contains(replaceable, key):
		default:
			return ch, at(o.Content[i], "%s cannot be overridden by %s", quote(key), quote(how))
		}
		if get(n, key) == nil {
			return ch, at(o.Content[i], "override names %s, which is not given", quote(key))
		}
		ch.override[key] = how
	}
	for i := 0; i < len(n.Content); i += 2 {
		key := n.Content[i].Value
		if contains(replaceable, key) && ch.override[key] == "" {
			return ch, at(n.Content[i], "the key %s is given but not named under override", quote(key))
		}
	}
	return ch, nil
}

func (c *collector) list(n *yaml.Node, name string) error {
	ch, err := readChange(n, []string{"items"}, []string{"items"})
	if err != nil {
		return err
	}
	c.unknownKeys(n, name, "list", "items", "append", "override")
	items, err := listItems(n)
	if err != nil {
		return err
	}
	old := c.lists[name]
	if !ch.defines() && old == nil {
		return at(n, "the list is to be changed, but there is none called %s before this", quote(name))
	}
	if old == nil {
		old = &listDef{name: name, first: c.items}
		c.lists[name] = old
		c.listOrder = append(c.listOrder, old)
	}
	if ch.append || ch.override["items"] == "append" {
		items = append(old.items, items...)
	}
	if len(items) > MaxListValues {
		return at(n, "the list has more than %d values; use fewer", MaxListValues)
	}
	old.items, old.last, old.place = items, c.items, c.here(n.Line)
	return nil
}

// listItems reads the values of a list; those that carry their own quotes lose
// them and are no names of lists.
func listItems(n *yaml.Node) ([]value, error) {
	items := get(n, "items")
	if items == nil {
		return nil, at(n, "the list has no items; add items: [] for an empty one")
	}
	all, err := texts(items, "items")
	out := make([]value, len(all))
	for i, s := range all {
		out[i] = itemValue(s)
	}
	return out, err
}

// itemValue takes the quotes off a value that has its own.
func itemValue(s string) value {
	t := strings.TrimSpace(s)
	if len(t) > 1 && (t[0] == '"' || t[0] == '\'') {
		p := &condParser{src: t}
		if v, err := p.quoted(); err == nil && p.at == len(t) {
			return value{text: v}
		}
	}
	return value{text: s, bare: !strings.ContainsAny(s, " \t\n")}
}

func (c *collector) macro(n *yaml.Node, name string) error {
	ch, err := readChange(n, []string{"condition"}, []string{"condition"})
	if err != nil {
		return err
	}
	c.unknownKeys(n, name, "macro", "condition", "append", "override", "desc")
	cond := get(n, "condition")
	if cond == nil {
		return at(n, "the macro has no condition; add one")
	}
	condition, err := text(cond, "the condition")
	if err != nil {
		return err
	}
	old := c.macros[name]
	if !ch.defines() && old == nil {
		return at(n, "the macro is to be changed, but there is none called %s before this", quote(name))
	}
	if old == nil {
		old = &macroDef{name: name, first: c.items}
		c.macros[name] = old
		c.macroOrder = append(c.macroOrder, old)
	}
	if ch.append || ch.override["condition"] == "append" {
		if old.changes++; old.changes > MaxChanges {
			return at(n, "the macro is changed more than %d times; write one condition", MaxChanges)
		}
		condition = old.condition + " " + condition
	}
	if len(condition) > MaxCondition {
		return at(n, "the condition is longer than %d bytes; shorten it", MaxCondition)
	}
	old.condition, old.last, old.place = condition, c.items, c.here(n.Line)
	return nil
}
