package falco

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/query"
)

// MaxOutput bounds what Render makes of one output, in bytes.
const MaxOutput = 64 << 10

const outputMark = "\n\nOutput: "

// describe keeps the output template in the description, where people read it.
func describe(desc, output string) string { return desc + outputMark + output }

// Output returns the output template of a rule loaded here, "" for another.
func Output(r *detect.Rule) string {
	_, output, _ := strings.Cut(r.Description, outputMark)
	return output
}

// maxSaid bounds the output that goes with a hit, in bytes.
const maxSaid = 4 << 10

// Said is what a hit of r on e says in the rule's own words: its output, filled
// with what e says, as a reason of the hit. ok is false for rules that are not
// evaluated here.
func Said(r *detect.Rule, e *event.Event) (m query.Match, ok bool) {
	if r.Kind != detect.KindFalco || !Evaluable(r) || e == nil {
		return m, false
	}
	return query.Match{Field: "output", Predicate: "Falco's output", Value: cut(Render(Output(r), e), maxSaid), Pos: -1, End: -1}, true
}

// token is a part of an output template: text, or a field.
type token struct {
	text string
	term *term
}

// tokens cuts a template. A % that no letter or digit follows is itself, %% is %.
func outputTokens(output, source string) ([]token, error) {
	var out []token
	output = strings.TrimPrefix(output, "*")
	for output != "" {
		i := strings.IndexByte(output, '%')
		if i < 0 || i+1 == len(output) {
			return append(out, token{text: output}), nil
		}
		out = append(out, token{text: output[:i]})
		rest := output[i+1:]
		if width := strings.TrimLeft(rest, "0123456789"); width != "" && letter(width[0]) {
			rest = width
		}
		if !letter(rest[0]) {
			out = append(out, token{text: "%"})
			output = strings.TrimPrefix(rest, "%")
			continue
		}
		t, n, err := outputTerm(rest, source)
		if err != nil {
			return nil, err
		}
		out = append(out, token{term: t})
		output = rest[n:]
	}
	return out, nil
}

// outputTerm reads a field at the start of s: the longest name that exists,
// because a full stop or a word may follow. With no source every name does.
func outputTerm(s, source string) (*term, int, error) {
	p := &condParser{src: s}
	t, err := p.term(false)
	if err != nil {
		return nil, 0, fmt.Errorf("the output names no field at %s; write %%%% for a percent sign", quote(cut("%"+s, 40)))
	}
	for source != "" && t.foreign == "" {
		if _, known := lookup(source, &t); known {
			break
		}
		shorter := t
		shorter.arg, shorter.hasArg = "", false
		i := strings.LastIndexByte(t.field, '.')
		if shorter.field = t.field[:max(i, 0)]; !strings.Contains(shorter.field, ".") || len(t.transforms) > 0 {
			return nil, 0, fmt.Errorf("the output names the field %s, which does not exist for rules of source %s", quote(cut(s, 40)), source)
		}
		t = shorter
		p.at = len(t.field)
	}
	return &t, p.at, nil
}

// checkOutput refuses a template with an unknown field.
func checkOutput(output, source string) error {
	if families[source] == nil && source != "syscall" {
		source = "" // the fields of a plugin that is not known
	}
	_, err := outputTokens(output, source)
	return err
}

// outputPaths returns the native names of the fields a template shows.
func outputPaths(output, source string) []string {
	parts, err := outputTokens(output, source)
	if err != nil {
		return nil
	}
	var out []string
	for _, p := range parts {
		if p.term == nil || p.term.foreign != "" {
			continue
		}
		f, _ := lookup(source, p.term)
		for _, a := range f.alts {
			if a.path != "" && !slices.Contains(out, a.path) {
				out = append(out, a.path)
			}
		}
	}
	return out
}

// Render fills an output template with what e says: %field, with an argument in
// brackets, and %tolower(field) and the other transformers. What is missing, or
// cannot be found in the record, is <NA>; several values stand in parentheses. An
// incoming alert's own output fields come first. The text is cut at MaxOutput and
// is as hostile as the record.
func Render(output string, e *event.Event) string {
	r := renderer{e: e, source: sourceOf(e)}
	parts, err := outputTokens(output, r.source)
	if err != nil {
		if parts, err = outputTokens(output, ""); err != nil {
			return cut(output, MaxOutput)
		}
	}
	var b strings.Builder
	for _, p := range parts {
		if p.term == nil {
			b.WriteString(p.text)
		} else {
			b.WriteString(r.value(p.term))
		}
		if b.Len() > MaxOutput {
			break
		}
	}
	return cut(b.String(), MaxOutput)
}

// sourceOf guesses which source of Falco's an event would come from, "" for none.
func sourceOf(e *event.Event) string {
	for _, name := range recordSources {
		log := families[name].log
		if log.Product == e.LogSource.Product && (log.Service == "" || log.Service == e.LogSource.Service) {
			return name
		}
	}
	return ""
}

// renderer finds the values of one event; the record is read as JSON once, when
// a pointer needs it.
type renderer struct {
	e      *event.Event
	source string // Falco's name for where e comes from
	read   bool
	json   any
}

func (r *renderer) value(t *term) string {
	var values []string
	if t.foreign == "" {
		values = r.values(t)
	}
	if len(values) == 0 {
		return "<NA>"
	}
	text := values[0]
	f, _ := lookup(r.source, &term{field: t.field, arg: t.arg, hasArg: t.hasArg})
	if len(values) > 1 || f.list {
		text = "(" + strings.Join(values, ",") + ")"
	}
	for i := len(t.transforms) - 1; i >= 0; i-- {
		text = transform(t.transforms[i], text)
	}
	return text
}

func (r *renderer) values(t *term) []string {
	bare := term{field: t.field, arg: t.arg, hasArg: t.hasArg}
	if v, ok := r.e.Get(bare.String()); ok && v.Kind != event.KindNull {
		return []string{v.Str}
	}
	switch t.field {
	case "json.value", "jevt.value":
		return r.pointer(t.arg)
	case "json.obj", "jevt.obj":
		return []string{string(r.e.Raw)}
	case "evt.time", "jevt.time":
		return []string{r.e.Time.Format("15:04:05.000000000")}
	case "evt.time.iso8601", "jevt.time.iso8601":
		return []string{r.e.Time.Format("2006-01-02T15:04:05.000000000-0700")}
	case "evt.rawtime", "jevt.rawtime", "json.rawtime":
		return []string{fmt.Sprint(r.e.Time.UnixNano())}
	}
	f, _ := lookup(r.source, &bare)
	for _, a := range f.alts {
		if a.when != nil && !query.Holds(a.when, r.e) || a.konst == present {
			continue
		}
		if a.path == "" {
			return []string{a.konst}
		}
		if out := pathValues(r.e, a.path, f); len(out) > 0 {
			return out
		}
	}
	return nil
}

// pathValues returns the values at a native path as Falco shows them.
func pathValues(e *event.Event, path string, f field) []string {
	var out []string
	for i := range e.Fields {
		v := &e.Fields[i].Value
		if e.Fields[i].Name != path || v.Kind == event.KindNull || v.Kind == event.KindObject && f.list {
			continue
		}
		s := v.Str
		if i := strings.IndexAny(s, ":@"); f.repo && i >= 0 {
			s = s[:i]
		}
		if out = append(out, s); !f.list || len(out) >= 100 {
			break
		}
	}
	return out
}

// pointer looks a JSON pointer (RFC 6901) up in the record itself.
func (r *renderer) pointer(p string) []string {
	if !r.read {
		r.read = true
		if json.Unmarshal(r.e.Raw, &r.json) != nil {
			r.json = nil
		}
	}
	at := r.json
	if p == "" || p[0] != '/' {
		return nil
	}
	for _, part := range strings.Split(p[1:], "/") {
		switch v := at.(type) {
		case map[string]any:
			at = v[unescapePointer(part)]
		case []any:
			n := -1
			if _, err := fmt.Sscanf(part, "%d", &n); err != nil || n < 0 || n >= len(v) {
				return nil
			}
			at = v[n]
		default:
			return nil
		}
	}
	switch v := at.(type) {
	case nil:
		return nil
	case string:
		return []string{v}
	}
	b, err := json.Marshal(at)
	if err != nil {
		return nil
	}
	return []string{string(b)}
}

// transform applies a transformer to a text for show.
func transform(name, s string) string {
	switch name {
	case "tolower":
		return strings.ToLower(s)
	case "toupper":
		return strings.ToUpper(s)
	case "basename":
		return s[strings.LastIndexByte(s, '/')+1:]
	case "len":
		return fmt.Sprint(utf8.RuneCountInString(s))
	case "b64":
		if b, err := base64.StdEncoding.DecodeString(s); err == nil {
			return string(b)
		}
		return "<NA>"
	}
	return s
}
