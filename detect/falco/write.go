package falco

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/query"

	"go.yaml.in/yaml/v3"
)

// The bounds of an exception that is written here.
const (
	maxCompared = 16       // fields
	maxWritten  = 4 << 10  // bytes of one text
	maxChoices  = 200      // fields offered
	maxFileText = 64 << 10 // bytes of what is written
)

// Compared is one field of an exception and what it is compared with.
type Compared struct {
	Field  string   // Falco's name, such as ka.user.name or proc.name
	Comp   string   // an operator of Falco's; "" is =
	Values []string // one, or several for in, intersects and pmatch
}

// Exception is what a person takes out of a rule: the events for which all of
// Where holds, until Expires.
type Exception struct {
	Rule    string // the rule's name as its file has it, "falco:" before it or not
	Name    string // of the exception, unique within the rule
	Where   []Compared
	Owner   string
	Reason  string
	Expires time.Time // the zero time: never
}

// WriteException returns x as one item of a Falco rule file, a list element
// that can stand alone or be appended to a file of such elements. Falco reads it as
// it is (owner, reason and expires are keys it passes over); the loader here lets it
// end at Expires. The file must be loaded behind the one that defines the rule. The
// error says what of x cannot be written.
func WriteException(x Exception) ([]byte, error) {
	if err := x.check(); err != nil {
		return nil, err
	}
	item := mapping(
		"name", scalar(x.Name),
		"fields", texted(x.Where, func(c Compared) string { return c.Field }),
		"comps", texted(x.Where, Compared.comp),
		"values", sequence(x.tuple()),
	)
	for _, f := range [][2]string{{"owner", x.Owner}, {"reason", x.Reason}} {
		if f[1] != "" {
			item.Content = append(item.Content, scalar(f[0]), scalar(f[1]))
		}
	}
	if !x.Expires.IsZero() {
		item.Content = append(item.Content, scalar("expires"), scalar(x.Expires.UTC().Format(time.RFC3339)))
	}
	list := sequence(item)
	list.Style = 0
	doc := &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{mapping(
		"rule", scalar(x.rule()),
		"exceptions", list,
		"override", mapping("exceptions", scalar("append")),
	)}}
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := errors.Join(enc.Encode(doc), enc.Close()); err != nil {
		return nil, fmt.Errorf("the exception %s cannot be written: %w", quote(x.Name), err)
	}
	if out.Len() > maxFileText {
		return nil, fmt.Errorf("the exception %s is longer than %d bytes; compare fewer fields", quote(x.Name), maxFileText)
	}
	return out.Bytes(), nil
}

func (x *Exception) rule() string { return strings.TrimPrefix(x.Rule, "falco:") }

func (c Compared) comp() string {
	if c.Comp == "" {
		return "="
	}
	return c.Comp
}

// plainText is what a name or a remark may hold: one line without control characters.
var plainText = regexp.MustCompile(`^[^\x00-\x1f\x7f\x{80}-\x{9f}\x{2028}\x{2029}]*$`)

// check says what of the exception cannot be written.
func (x *Exception) check() error {
	for _, f := range [][2]string{{"rule", x.rule()}, {"name", x.Name}, {"owner", x.Owner}, {"reason", x.Reason}} {
		switch {
		case f[1] == "" && (f[0] == "rule" || f[0] == "name"):
			return fmt.Errorf("the exception has no %s; give one", f[0])
		case len(f[1]) > maxWritten || !utf8.ValidString(f[1]) || !plainText.MatchString(f[1]):
			return fmt.Errorf("the %s of the exception must be one line of UTF-8 below %d bytes", f[0], maxWritten)
		}
	}
	if len(x.Where) == 0 || len(x.Where) > maxCompared {
		return fmt.Errorf("an exception compares 1 to %d fields and not %d", maxCompared, len(x.Where))
	}
	for _, c := range x.Where {
		if err := c.check(); err != nil {
			return err
		}
	}
	return nil
}

func (c Compared) check() error {
	if _, err := parseTerm(c.Field); err != nil {
		return fmt.Errorf("%s is no field of Falco's: %w", quote(cut(c.Field, 60)), err)
	}
	op, mod, ok := parseOperator(c.comp())
	if !ok {
		return fmt.Errorf("%s is no operator of Falco's", quote(cut(c.Comp, 40)))
	}
	many := contains(listOps, op) || mod != ""
	if len(c.Values) == 0 || !many && len(c.Values) > 1 {
		return fmt.Errorf("%s %s needs one value and has %d", c.Field, c.comp(), len(c.Values))
	}
	for _, v := range c.Values {
		if !utf8.ValidString(v) || len(v) > maxWritten {
			return fmt.Errorf("the value of %s is no UTF-8 or longer than %d bytes; compare another field", c.Field, maxWritten)
		}
		if _, isNumber := number(v); contains(numberOps, op) && !isNumber {
			return fmt.Errorf("%s %s needs a number and not %s", c.Field, op, quote(cut(v, 40)))
		}
	}
	return nil
}

// tuple is the one tuple of values. Each text stands in quotes of its own, so that
// it is never taken for the name of a list.
func (x *Exception) tuple() *yaml.Node {
	out := sequence()
	for _, c := range x.Where {
		op, mod, _ := parseOperator(c.comp()) // checked
		if contains(numberOps, op) {
			out.Content = append(out.Content, scalar(c.Values[0]))
			continue
		}
		each := sequence()
		for _, v := range c.Values {
			each.Content = append(each.Content, scalar(`"`+inQuotes.Replace(v)+`"`))
		}
		if contains(listOps, op) || mod != "" {
			out.Content = append(out.Content, each)
		} else {
			out.Content = append(out.Content, each.Content[0])
		}
	}
	return out
}

var inQuotes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// scalar is a text; the encoder puts it in quotes where it would be something else.
func scalar(s string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(s)
	if strings.ContainsAny(s, "\n\r\t") || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' }) {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

func sequence(of ...*yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle, Content: of}
}

// mapping makes a map of keys and the nodes that follow them.
func mapping(pairs ...any) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for i := 0; i < len(pairs); i += 2 {
		n.Content = append(n.Content, scalar(pairs[i].(string)), pairs[i+1].(*yaml.Node))
	}
	return n
}

func texted(where []Compared, text func(Compared) string) *yaml.Node {
	n := sequence()
	for _, c := range where {
		n.Content = append(n.Content, scalar(text(c)))
	}
	return n
}

// Excludes is the condition of the events that x takes out of r, for a look at what
// it would have hidden. For a rule over system calls it is asked of alerts from
// Falco, by their output fields. The error says what cannot be asked here.
func Excludes(r *detect.Rule, x Exception) (query.Node, error) {
	if err := x.check(); err != nil {
		return nil, err
	}
	own := exception{name: x.Name, values: []tuple{{x.tuple(), x.Expires}}, node: &yaml.Node{}}
	for _, c := range x.Where {
		own.fields, own.comps = append(own.fields, c.Field), append(own.comps, c.comp())
	}
	e, err := own.expr()
	if err != nil {
		return nil, err
	}
	c := newCollector()
	b := builder{collector: c, resolver: newResolver(c), sets: &sets{made: map[setKey]*query.Set{}, left: MaxSets}, compilers: map[string]*compiler{}}
	m := b.resolved(e, "", anyPlace, 0)
	if m.err != nil {
		return nil, m.err
	}
	source := SourceOf(r)
	if families[source] == nil {
		source = alertSource
	}
	return b.compiler(source).node(m.x, false)
}

// Choices are the fields an exception of r could name to take e out, each compared
// with what e says: first those of the rule's output, in its order, then the others
// by name. e is a record of the rule's source or an alert from Falco. What has no
// value in e, or cannot be compared, is left out, and so are times and counters,
// which no other event shares.
func Choices(r *detect.Rule, e *event.Event) []Compared {
	source := SourceOf(r)
	if e.FormatName == "falco" || families[source] == nil {
		return alertChoices(r, e)
	}
	names := outputFields(Output(r), source)
	var rest []string
	for name := range families[source].fields {
		rest = append(rest, name)
	}
	slices.Sort(rest)
	read := renderer{e: e, source: source}
	var out []Compared
	for _, name := range append(names, rest...) {
		t, err := parseTerm(name)
		if err != nil || slices.ContainsFunc(out, func(c Compared) bool { return c.Field == name }) || len(out) >= maxChoices {
			continue
		}
		f, known := lookup(source, &t)
		if !known || f.why != "" || unshared(name) {
			continue
		}
		if values := read.values(&t); len(values) > 0 {
			c := Compared{Field: name, Comp: "=", Values: values[:1]}
			if f.list {
				c.Comp, c.Values = "in", values
			}
			if c.check() == nil {
				out = append(out, c)
			}
		}
	}
	return out
}

// unshared reports fields whose value belongs to one event only.
func unshared(name string) bool {
	return strings.HasPrefix(name, "evt.") && name != "evt.type" && !strings.HasPrefix(name, "evt.arg") ||
		strings.HasPrefix(name, "json.") || strings.HasPrefix(name, "jevt.") || contains([]string{
		"ka.auditid", "ct.id", "ct.requestid", "ct.time", "okta.published", "okta.transaction.id", "proc.pid", "proc.ppid", "proc.vpid", "thread.tid",
	}, name)
}

// alertChoices are the output fields of an alert from Falco.
func alertChoices(r *detect.Rule, e *event.Event) []Compared {
	first := outputFields(Output(r), "")
	var out, rest []Compared
	for i := range e.Fields {
		name, isOutput := strings.CutPrefix(e.Fields[i].Name, outputFieldsPath)
		v := e.Fields[i].Value
		if !isOutput || v.Kind == event.KindNull || v.Str == "" || unshared(name) || len(rest) >= maxChoices {
			continue
		}
		if c := (Compared{Field: name, Comp: "=", Values: []string{strings.Clone(v.Str)}}); c.check() == nil {
			rest = append(rest, c)
		}
	}
	for _, name := range first {
		if i := slices.IndexFunc(rest, func(c Compared) bool { return c.Field == name }); i >= 0 {
			out = append(out, rest[i])
			rest = slices.Delete(rest, i, i+1)
		}
	}
	return append(out, rest...)
}

// outputFields are the fields of a template without transformers, in its order.
func outputFields(output, source string) []string {
	parts, err := outputTokens(output, source)
	if err != nil {
		return nil
	}
	var out []string
	for _, p := range parts {
		if p.term == nil || p.term.foreign != "" {
			continue
		}
		bare := term{field: p.term.field, arg: p.term.arg, hasArg: p.term.hasArg}
		if name := bare.String(); !contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}
