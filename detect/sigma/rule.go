package sigma

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/query"

	"go.yaml.in/yaml/v3"
)

// reader turns one document into a rule.
type reader struct {
	opt      Options
	rule     detect.Rule
	parts    []*detect.Rule // rules that only feed this one
	warnings []fault
	room     int // bytes left for variants of values
	regexes  *query.RegexRoom
}

func (r *reader) warn(n *yaml.Node, reason string) {
	r.warnings = append(r.warnings, fault{n.Line, reason})
}

// read fills the rule from the document's root.
func (r *reader) read(root *yaml.Node) error {
	r.rule.Kind, r.room = detect.KindSigma, maxVariants
	root = plain(root)
	if root.Kind != yaml.MappingNode {
		return fail(root, "a rule is a map with title, logsource and detection; this is not a map")
	}
	if err := r.identity(root); err != nil {
		return err
	}
	steps := []func(*yaml.Node) error{r.header, r.level, r.logsource, r.own, r.detection}
	switch {
	case get(root, "correlation") != nil:
		steps = []func(*yaml.Node) error{r.header, r.level, r.own, r.correlation}
	case get(root, "filter") != nil:
		steps = []func(*yaml.Node) error{r.header, r.logsource, r.filter}
	}
	for _, step := range steps {
		if err := step(root); err != nil {
			return err
		}
	}
	return nil
}

// get returns the value under key in a map, nil when it is not there.
func get(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return plain(n.Content[i+1])
		}
	}
	return nil
}

func (r *reader) identity(root *yaml.Node) error {
	title, err := text(root, "title")
	if err != nil {
		return err
	}
	id, err := text(root, "id")
	if err != nil {
		return err
	}
	if r.rule.Name, err = text(root, "name"); err != nil {
		return err
	}
	r.rule.Title, r.rule.ID = title, strings.TrimSpace(id)
	if title == "" {
		return fail(root, "the rule has no title; add one")
	}
	if r.rule.ID == "" {
		sum := sha256.Sum256([]byte(title))
		r.rule.ID = "sigma:" + hex.EncodeToString(sum[:8])
		r.warn(root, "the rule has no id, so one was made from its title and changes with it; add an id")
	}
	return nil
}

func (r *reader) header(root *yaml.Node) error {
	for _, f := range []struct {
		key string
		to  *string
	}{{"description", &r.rule.Description}, {"status", &r.rule.Status}, {"author", &r.rule.Author}} {
		v, err := text(root, f.key)
		if err != nil {
			return err
		}
		*f.to = v
	}
	for _, f := range []struct {
		key string
		to  *[]string
	}{{"tags", &r.rule.Tags}, {"references", &r.rule.References}, {"falsepositives", &r.rule.FalsePositives}, {"fields", &r.rule.Fields}} {
		v, err := texts(root, f.key)
		if err != nil {
			return err
		}
		*f.to = v
	}
	return r.status(root)
}

var statuses = []string{"", "stable", "test", "experimental", "deprecated", "unsupported"}

func (r *reader) status(root *yaml.Node) error {
	if !slices.Contains(statuses, r.rule.Status) {
		r.warn(get(root, "status"), "the status "+quote(r.rule.Status)+" is none of stable, test, experimental, deprecated, unsupported")
	}
	return nil
}

func (r *reader) level(root *yaml.Node) error {
	v, err := text(root, "level")
	if err != nil {
		return err
	}
	if v == "" {
		r.rule.Severity = detect.Medium
		r.warn(root, "the rule has no level, so it counts as medium; add one")
		return nil
	}
	severity, ok := detect.ParseSeverity(strings.ToLower(v))
	if !ok {
		return fail(get(root, "level"), "the level %s is none of informational, low, medium, high, critical", quote(v))
	}
	r.rule.Severity = severity
	return nil
}

func (r *reader) logsource(root *yaml.Node) error {
	n := get(root, "logsource")
	if n == nil || n.Kind != yaml.MappingNode {
		return fail(or(n, root), "the rule has no logsource; add one with product, category or service")
	}
	at := &r.rule.LogSource
	for _, f := range []struct {
		key string
		to  *string
	}{{"product", &at.Product}, {"category", &at.Category}, {"service", &at.Service}} {
		v, err := text(n, f.key)
		if err != nil {
			return err
		}
		*f.to = strings.ToLower(strings.TrimSpace(v))
	}
	if *at == (event.LogSource{}) && get(root, "filter") == nil {
		r.warn(n, "the logsource names no product, category or service, so the rule is tried on every event")
	}
	return nil
}

func or(a, b *yaml.Node) *yaml.Node {
	if a != nil {
		return a
	}
	return b
}

// text returns the scalar under key, "" when it is absent or null.
func text(n *yaml.Node, key string) (string, error) {
	v := get(n, key)
	if v == nil || isNull(v) {
		return "", nil
	}
	if v.Kind != yaml.ScalarNode {
		return "", fail(v, "%s must be one text, not a list or a map", key)
	}
	return v.Value, nil
}

// texts returns the list of scalars under key; one scalar is a list of one.
func texts(n *yaml.Node, key string) ([]string, error) {
	v := get(n, key)
	if v == nil || isNull(v) {
		return nil, nil
	}
	list := []*yaml.Node{v}
	if v.Kind == yaml.SequenceNode {
		list = v.Content
	}
	out := make([]string, 0, len(list))
	for _, c := range list {
		c = plain(c)
		if c.Kind != yaml.ScalarNode {
			return nil, fail(c, "%s must be a list of texts", key)
		}
		if !isNull(c) {
			out = append(out, c.Value)
		}
	}
	return out, nil
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }
