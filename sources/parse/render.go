package parse

import (
	"encoding/base64"
	"strconv"
	"time"
	"unicode/utf8"

	"bartizan/event"
)

// JSONOptions choose what AppendJSON writes beyond what it always does.
type JSONOptions struct {
	Raw  bool // the record's own text as "raw"; where it is not UTF-8, "raw_b64" too
	More bool // what is known beyond the record, flat, as "enriched"
}

// AppendJSON appends one event as `bartizan parse` prints it, without a line end:
// line, source, format, time (RFC 3339, UTC), level, fields (native names; JSON
// records nested as delivered), ecs (flat), entities, message, flags if there are
// any. Nothing in it can reach a terminal as a control.
func AppendJSON(dst []byte, e *event.Event, o JSONOptions) []byte {
	dst = append(dst, `{"line":`...)
	dst = strconv.AppendInt(dst, e.Line, 10)
	dst = appendText(dst, `,"source":`, string(e.Ref.Source))
	dst = appendText(dst, `,"format":`, e.FormatName)
	dst = append(dst, `,"time":`...)
	if e.Time.IsZero() {
		dst = append(dst, "null"...)
	} else {
		dst = append(dst, '"')
		dst = e.Time.UTC().AppendFormat(dst, time.RFC3339Nano)
		dst = append(dst, '"')
	}
	dst = appendText(dst, `,"level":`, e.Level.String())
	dst = append(dst, `,"fields":`...)
	dst = appendNative(dst, e)
	dst = append(dst, `,"ecs":`...)
	dst = appendECS(dst, e)
	dst = append(dst, `,"entities":`...)
	dst = appendEntities(dst, e)
	if o.More {
		dst = appendMore(dst, e)
	}
	dst = appendText(dst, `,"message":`, e.Message)
	dst = appendFlags(dst, e)
	if o.Raw {
		dst = append(dst, `,"raw":`...)
		dst = event.EscapeJSON(dst, e.Raw)
		if !utf8.Valid(e.Raw) {
			dst = append(dst, `,"raw_b64":"`...)
			dst = base64.StdEncoding.AppendEncode(dst, e.Raw)
			dst = append(dst, '"')
		}
	}
	return append(dst, '}')
}

// appendMore writes what is known of the event beyond its record.
func appendMore(dst []byte, e *event.Event) []byte {
	dst = append(dst, `,"enriched":{`...)
	if e.More != nil {
		for i, f := range e.More.About(e) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = event.EscapeJSON(dst, bytesOf(f.Name))
			dst = appendText(dst, ":", f.Value)
		}
	}
	return append(dst, '}')
}

func appendText(dst []byte, key, s string) []byte {
	dst = append(dst, key...)
	return event.EscapeJSON(dst, bytesOf(s))
}

// jsonNames are the formats whose records are one JSON object.
var jsonNames = func() map[string]bool {
	m := map[string]bool{}
	for _, b := range builtin {
		if b.reader == readJSONID {
			m[b.Name] = true
		}
	}
	return m
}()

// isJSONRecord reports whether the whole record was read as one JSON object, by
// itself or as the wrapping of another format.
func isJSONRecord(e *event.Event) bool {
	i := space(e.Raw, 0)
	if i >= len(e.Raw) || e.Raw[i] != '{' {
		return false
	}
	if jsonNames[e.FormatName] {
		return true
	}
	if (e.Native == 0 || e.FormatName == "text" || e.FormatName == "logfmt") && wrapped(e) == nil {
		return false
	}
	end := skipValue(e.Raw, i, maxSkip) // another format may have taken what only begins as an object
	return end > 0 && space(e.Raw, end) == len(e.Raw)
}

// wrapped returns the field that holds the text of another format in a JSON
// record, nil when there is none.
func wrapped(e *event.Event) *event.Field {
	for i := range e.Fields[:e.Native] {
		f := &e.Fields[i]
		if f.Sym == jMessage.sym && f.Name == jMessage.text || f.Sym == cLog.sym && f.Name == cLog.text {
			return f
		}
	}
	return nil
}

// appendNative writes the native fields as one object.
func appendNative(dst []byte, e *event.Event) []byte {
	if !isJSONRecord(e) {
		return append(appendFields(append(dst, '{'), e, e.Fields[:e.Native], true), '}')
	}
	i, end := space(e.Raw, 0), trimSpace(e.Raw)
	dst = appendCompact(dst, e.Raw[i:end])
	w := wrapped(e)
	if w == nil || len(dst) == 0 || dst[len(dst)-1] != '}' {
		return dst
	}
	// What was read out of the wrapped text joins the record's own members.
	dst = dst[:len(dst)-1]
	for k := range e.Fields[:e.Native] {
		f := &e.Fields[k]
		if f == w || f.Value.Kind == event.KindObject || f.Value.Pos >= 0 && (f.Value.Pos < w.Value.Pos || f.Value.End > w.Value.End) {
			continue
		}
		if dst[len(dst)-1] != '{' {
			dst = append(dst, ',')
		}
		dst = appendField(dst, f)
	}
	return append(dst, '}')
}

func trimSpace(b []byte) int {
	n := len(b)
	for n > 0 && (b[n-1] == ' ' || b[n-1] == '\n' || b[n-1] == '\r' || b[n-1] == '\t') {
		n--
	}
	return n
}

// appendCompact copies valid JSON without white space between its parts, and
// with everything escaped that a terminal could obey.
func appendCompact(dst, b []byte) []byte {
	inside := false
	for i := 0; i < len(b); {
		c := b[i]
		switch {
		case c >= utf8.RuneSelf || c == 0x7f:
			end := i + 1
			for end < len(b) && (b[end] >= utf8.RuneSelf || b[end] == 0x7f) {
				end++
			}
			dst = appendUnquoted(dst, b[i:end])
			i = end
			continue
		case !inside && c <= ' ':
			i++
			continue
		case c == '"':
			inside = !inside
		case c == '\\' && i+1 < len(b):
			dst = append(dst, c)
			i++
			c = b[i]
		}
		dst = append(dst, c)
		i++
	}
	return dst
}

// appendUnquoted appends s escaped, without the quotes around it.
func appendUnquoted(dst, s []byte) []byte {
	at := len(dst)
	dst = event.EscapeJSON(dst, s)
	copy(dst[at:], dst[at+1:len(dst)-1])
	return dst[:len(dst)-2]
}

// appendFields writes name and value pairs; a name that repeats becomes a list.
func appendFields(dst []byte, e *event.Event, fields []event.Field, native bool) []byte {
	first := true
	for i := range fields {
		f := &fields[i]
		if !wanted(f, native) || sameBefore(fields, i, native) {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		more := nextSame(fields, i, native)
		if more < 0 {
			dst = appendField(dst, f)
			continue
		}
		dst = event.EscapeJSON(dst, bytesOf(f.Name))
		dst = append(dst, ':', '[')
		dst = appendValue(dst, f.Value)
		for ; more >= 0; more = nextSame(fields, more, native) {
			dst = append(dst, ',')
			dst = appendValue(dst, fields[more].Value)
		}
		dst = append(dst, ']')
	}
	return dst
}

func wanted(f *event.Field, native bool) bool {
	return f.Value.Kind != event.KindObject && (native || IsECS(f.Name))
}

func sameBefore(fields []event.Field, i int, native bool) bool {
	for k := range fields[:i] {
		if fields[k].Name == fields[i].Name && wanted(&fields[k], native) {
			return true
		}
	}
	return false
}

func nextSame(fields []event.Field, i int, native bool) int {
	for k := i + 1; k < len(fields); k++ {
		if fields[k].Name == fields[i].Name && wanted(&fields[k], native) {
			return k
		}
	}
	return -1
}

func appendField(dst []byte, f *event.Field) []byte {
	dst = event.EscapeJSON(dst, bytesOf(f.Name))
	dst = append(dst, ':')
	return appendValue(dst, f.Value)
}

func appendValue(dst []byte, v event.Value) []byte {
	switch v.Kind {
	case event.KindNumber:
		if b := bytesOf(v.Str); len(b) > 0 && numberEnd(b, 0) == len(b) {
			return append(dst, v.Str...)
		}
	case event.KindBool:
		if v.Str == "true" || v.Str == "false" {
			return append(dst, v.Str...)
		}
	case event.KindNull:
		return append(dst, "null"...)
	}
	return event.EscapeJSON(dst, bytesOf(v.Str))
}

// appendECS writes the flat ECS names, given by us or by the record itself.
func appendECS(dst []byte, e *event.Event) []byte {
	return append(appendFields(append(dst, '{'), e, e.Fields, false), '}')
}

func appendEntities(dst []byte, e *event.Event) []byte {
	var room [16]event.Entity
	dst = append(dst, '[')
	for i, n := range e.Entities(room[:0]) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendText(dst, `{"kind":`, n.Kind.String())
		dst = append(dst, `,"role":"`...)
		dst = append(dst, n.Role.String()...)
		dst = appendText(dst, `","value":`, n.Value)
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

var flagNames = [...]struct {
	flag event.Flags
	name string
}{
	{event.FlagLate, "late"}, {event.FlagCut, "cut"}, {event.FlagClock, "clock"}, {event.FlagRawOnly, "raw-only"}, {event.FlagNoTime, "no-time"},
}

func appendFlags(dst []byte, e *event.Event) []byte {
	if e.Flags == 0 {
		return dst
	}
	dst = append(dst, `,"flags":[`...)
	for _, f := range flagNames {
		if e.Flags&f.flag == 0 {
			continue
		}
		if dst[len(dst)-1] != '[' {
			dst = append(dst, ',')
		}
		dst = append(dst, '"')
		dst = append(dst, f.name...)
		dst = append(dst, '"')
	}
	return append(dst, ']')
}
