package query

import (
	"unsafe"

	"bartizan/event"
)

// ShortName is a name a person may write for one or several fields. A field that
// is really called Name is asked too.
type ShortName struct {
	Name   string
	Fields []string // what it stands for; empty when the record itself answers
	Words  string   // what it is, for the documentation
}

var shortNames = []ShortName{
	{"ip", []string{"source.ip", "destination.ip", "client.ip", "server.ip"}, "any address in the record"},
	{"user", []string{"user.name", "user.target.name", "user.effective.name", "source.user.name", "destination.user.name"}, "any user in the record"},
	{"host", []string{"host.name", "host.hostname"}, "the host the record is about"},
	{"src", []string{"source.ip", "source.address", "client.ip"}, "where it came from"},
	{"dst", []string{"destination.ip", "destination.address", "server.ip"}, "where it went"},
	{"rule", []string{"rule.name", "rule.id"}, "the rule that the record itself names"},
	{"level", nil, "how loud the record is: trace, debug, info, notice, warning, error, critical, alert, emergency"},
	{"@timestamp", nil, "the record's time"},
	{"source", nil, "the source it came from, such as file:/var/log/auth.log"},
	{"format", nil, "the format it was read as"},
	{"message", nil, "the part a person reads first; a value is looked for inside"},
	{"raw", nil, "the record as delivered; a value is looked for inside"},
}

// ShortNames returns the names that are neither native nor ECS, for completion
// and documentation. The list is shared: do not change it.
func ShortNames() []ShortName { return shortNames }

// shortFields returns what name stands for, nil when it is a plain field.
func shortFields(name string) []string {
	for i := range shortNames {
		if shortNames[i].Name == name {
			return shortNames[i].Fields
		}
	}
	return nil
}

// IsPseudo reports whether events can answer name without having such a field:
// level, @timestamp, source, format, message and raw, and what an event.Enricher
// knows. An index over Event.Fields does not see these.
func IsPseudo(name string) bool {
	switch name {
	case "level", "@timestamp", "source", "format", "message", "raw":
		return true
	}
	return event.EnrichedAt(name) >= 0
}

// Lookup appends all values of name to dst: those of native fields, else those of
// aliases, else what the event itself answers (see IsPseudo). The values are only
// valid as long as the event is.
func Lookup(e *event.Event, name string, dst []event.Value) []event.Value {
	c := newCursor(e, name, 0)
	for v := c.next(); v != nil; v = c.next() {
		dst = append(dst, *v)
		if c.done && name == "@timestamp" {
			dst[len(dst)-1].Str = ownText(e, name)
		}
	}
	return dst
}

// cursor walks the values of one name; it is the only way from names to values.
type cursor struct {
	e     *event.Event
	name  string
	sym   event.Sym
	i     int
	end   int // of native fields, then of all
	found bool
	done  bool
	own   event.Value
	from  int // where the next enriched value is, 0 when there is none
}

func newCursor(e *event.Event, name string, sym event.Sym) cursor {
	return cursor{e: e, name: name, sym: sym, end: min(max(e.Native, 0), len(e.Fields))}
}

// next returns the next value, nil after the last.
func (c *cursor) next() *event.Value {
	for {
		if v := c.search(); v != nil {
			c.found = true
			return v
		}
		if c.found || c.done && c.from == 0 {
			return nil
		}
		if c.end < len(c.e.Fields) {
			c.end = len(c.e.Fields)
			continue
		}
		c.done = true
		if !c.pseudo() {
			return nil
		}
		return &c.own
	}
}

// search returns the next value before end. This is the innermost loop of
// matching: symbols are compared where both sides have one.
func (c *cursor) search() *event.Value {
	fields := c.e.Fields[c.i:c.end]
	sym, name := c.sym, c.name
	for i := range fields {
		f := &fields[i]
		if f.Sym == sym && sym != 0 || (sym == 0 || f.Sym == 0) && f.Name == name {
			c.i += i + 1
			return &f.Value
		}
	}
	c.i = c.end
	return nil
}

// pseudo fills own with what the event itself answers. @timestamp has no text here:
// comparing and printing it is done on Event.Time.
func (c *cursor) pseudo() bool {
	e, v := c.e, &c.own
	*v = event.Value{Pos: -1, End: -1}
	switch c.name {
	case "level":
		v.Str = e.Level.String()
		return v.Str != ""
	case "source":
		v.Str = string(e.Ref.Source)
		return v.Str != ""
	case "format":
		v.Str = e.FormatName
		return v.Str != ""
	case "message":
		v.Str = e.Message
		v.Pos, v.End = placeIn(e.Raw, e.Message)
		return v.Str != ""
	case "raw":
		v.Str = rawText(e)
		v.Pos, v.End = 0, int32(len(e.Raw))
		return v.Str != ""
	case "@timestamp":
		return !e.Time.IsZero()
	default:
		var ok bool
		*v, c.from, ok = e.Enriched(c.name, c.from)
		return ok
	}
}

// rawText is the record as a string that shares its bytes: nobody changes Raw
// while the event is valid, and matching keeps nothing of it.
func rawText(e *event.Event) string {
	return unsafe.String(unsafe.SliceData(e.Raw), len(e.Raw))
}

// placeIn returns where part lies in raw, when it is a view into it.
func placeIn(raw []byte, part string) (pos, end int32) {
	if part == "" || len(part) > len(raw) {
		return -1, -1
	}
	from := uintptr(unsafe.Pointer(unsafe.SliceData(raw)))
	at := uintptr(unsafe.Pointer(unsafe.StringData(part)))
	if at < from || at+uintptr(len(part)) > from+uintptr(len(raw)) {
		return -1, -1
	}
	return int32(at - from), int32(at-from) + int32(len(part))
}
