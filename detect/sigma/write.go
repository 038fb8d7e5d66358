package sigma

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/query"

	"go.yaml.in/yaml/v3"
)

// Document is a rule or a filter to be written as Sigma. Zero fields are left out.
type Document struct {
	Title          string // needed
	ID             string // a UUID; "": made from the title and the condition, the same for the same
	Status         string // of a rule; "": experimental
	Description    string
	Author         string
	Date           time.Time
	Level          detect.Severity // of a rule
	Tags           []string
	References     []string
	FalsePositives []string
	LogSource      event.LogSource // empty parts are not written; Sigma wants at least one
	Cond           query.Node      // what a rule finds; of a filter, what it excludes

	// Own are Bartizan's keys, written under bartizan.
	GroupBy   []string
	Runbook   string
	Hit, Miss []string

	// Filter names the rules, by id, that a filter is about; nil: this is a rule. An
	// empty list is a filter for every rule of its log source.
	Filter []string
	// Exclude writes the filter for tools that read its condition as what is
	// excluded (Options.FiltersExclude), else with a not in front, as pySigma does.
	Exclude bool
	Owner   string    // of a filter: who answers for it
	Reason  string    // of a filter: why it is there
	Expires time.Time // of a filter: the moment it ends; a midnight in UTC is written as the last day
}

// Write writes a rule or a filter as one YAML document of Sigma 2.1 that Load reads
// as the same condition, value for value. What Sigma has no words for is refused by
// its name and nothing is written: a comparison of times or levels, Bartizan's own
// names (source, format, level, @timestamp), words of a list in the raw record, a
// condition without any question, bytes that are not UTF-8. Names that stand for
// several fields (ip, user) are written out.
func Write(w io.Writer, d Document) error {
	src, err := d.encode()
	if err != nil {
		return err
	}
	opt := Options{FiltersExclude: d.Exclude, Now: func() time.Time { return time.Time{} }}
	if l := opt.Parse(d.Title, src); len(l.Refused) > 0 || len(l.Rules) != 1 {
		why := "it is none"
		if len(l.Refused) > 0 {
			why = l.Refused[0].Reason
		}
		return fmt.Errorf("the condition cannot be written as a Sigma rule, because it would be refused: %s", why)
	}
	_, err = w.Write(src)
	return err
}

func (d *Document) encode() ([]byte, error) {
	if strings.TrimSpace(d.Title) == "" {
		return nil, errors.New("a Sigma rule needs a title; give one")
	}
	det, err := writeDetection(d.Cond, d.Filter != nil && !d.Exclude)
	if err != nil {
		return nil, err
	}
	if d.ID == "" {
		d.ID = madeID(d.Title, det)
	}
	m := mapping{}
	m.text("title", d.Title)
	m.text("id", d.ID)
	if d.Filter == nil {
		status := d.Status
		if status == "" {
			status = "experimental"
		}
		m.text("status", status)
	}
	m.text("description", d.Description)
	m.list("references", d.References)
	m.text("author", d.Author)
	m.date("date", d.Date)
	m.list("tags", d.Tags)
	m.add("logsource", logsourceNode(d.LogSource))
	if d.Filter == nil {
		d.rule(&m, det)
	} else {
		d.filter(&m, det)
	}
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(4)
	if err := errors.Join(enc.Encode(m.node()), enc.Close()); err != nil {
		return nil, fmt.Errorf("the rule cannot be written as YAML: %w", err)
	}
	if m.bad != "" {
		return nil, fmt.Errorf("the text of %s is not UTF-8, which YAML cannot hold; leave it out", m.bad)
	}
	return b.Bytes(), nil
}

func (d *Document) rule(m *mapping, det *mapping) {
	m.add("detection", det.node())
	m.list("falsepositives", d.FalsePositives)
	m.text("level", d.Level.String())
	own := mapping{}
	own.list("group_by", d.GroupBy)
	own.text("runbook", d.Runbook)
	own.list("hit", d.Hit)
	own.list("miss", d.Miss)
	if len(own.content) > 0 {
		m.add("bartizan", own.node())
		m.bad += own.bad
	}
}

func (d *Document) filter(m *mapping, det *mapping) {
	f := mapping{}
	if len(d.Filter) == 0 {
		f.text("rules", "any")
	} else {
		f.list("rules", d.Filter)
	}
	f.content = append(f.content, det.content...)
	m.add("filter", f.node())
	m.text("owner", d.Owner)
	m.text("reason", d.Reason)
	if at := d.Expires.UTC(); !at.IsZero() {
		form := time.RFC3339
		if at.Equal(at.Truncate(24 * time.Hour)) {
			at, form = at.AddDate(0, 0, -1), time.DateOnly
		}
		m.add("expires", &yaml.Node{Kind: yaml.ScalarNode, Value: at.Format(form)})
	}
	m.bad += f.bad
}

// madeID is a UUID (version 8, RFC 9562 section 5.8) of the title and the detection.
func madeID(title string, det *mapping) string {
	body, _ := yaml.Marshal(det.node()) // only to tell conditions apart
	sum := sha256.Sum256(append([]byte(title+"\x00"), body...))
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[0:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

func logsourceNode(l event.LogSource) *yaml.Node {
	m := mapping{}
	m.text("product", l.Product)
	m.text("category", l.Category)
	m.text("service", l.Service)
	n := m.node()
	if len(m.content) == 0 {
		n.Style = yaml.FlowStyle
	}
	return n
}

// mapping collects the keys of a YAML map in order.
type mapping struct {
	content []*yaml.Node
	bad     string // the first key whose text YAML cannot hold
}

func (m *mapping) node() *yaml.Node {
	return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: m.content}
}

func (m *mapping) add(key string, value *yaml.Node) {
	m.content = append(m.content, stringNode(key), value)
}

// text adds a text unless it is empty.
func (m *mapping) text(key, value string) {
	if value != "" {
		m.check(key, value)
		m.add(key, stringNode(value))
	}
}

func (m *mapping) list(key string, values []string) {
	if len(values) == 0 {
		return
	}
	n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for _, v := range values {
		m.check(key, v)
		n.Content = append(n.Content, stringNode(v))
	}
	m.add(key, n)
}

func (m *mapping) date(key string, at time.Time) {
	if !at.IsZero() {
		m.add(key, &yaml.Node{Kind: yaml.ScalarNode, Value: at.UTC().Format(time.DateOnly)})
	}
}

func (m *mapping) check(key, value string) {
	if m.bad == "" && !writable(value) {
		m.bad = key
	}
}
