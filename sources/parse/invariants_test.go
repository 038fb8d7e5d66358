package parse

import (
	"bytes"
	"testing"

	"bartizan/event"
	"bartizan/sources"
)

// checkEvent holds what every event promises, whatever its record was.
func checkEvent(t testing.TB, e *event.Event, raw []byte) {
	t.Helper()
	if !bytes.Equal(e.Raw, raw) {
		t.Fatalf("the record's bytes changed:\n%q\n%q", e.Raw, raw)
	}
	if e.Native < 0 || e.Native > len(e.Fields) {
		t.Fatalf("%d native of %d fields", e.Native, len(e.Fields))
	}
	if e.FormatName == "" || e.Time.IsZero() {
		t.Fatalf("format %q, time %v of %q", e.FormatName, e.Time, raw)
	}
	for i := range e.Fields {
		f := &e.Fields[i]
		v := f.Value
		if v.Pos < 0 {
			if v.Pos != -1 || v.End != -1 {
				t.Fatalf("%s is at [%d,%d)", f.Name, v.Pos, v.End)
			}
			continue
		}
		if v.End < v.Pos || int(v.End) > len(raw) {
			t.Fatalf("%s is at [%d,%d) of %d bytes", f.Name, v.Pos, v.End, len(raw))
		}
		if int(v.End-v.Pos) == len(v.Str) && string(raw[v.Pos:v.End]) != v.Str {
			t.Fatalf("%s is %q, but the record has %q there", f.Name, v.Str, raw[v.Pos:v.End])
		}
		if f.Sym != 0 && f.Sym.Name() != f.Name {
			t.Fatalf("%s carries the symbol of %s", f.Name, f.Sym.Name())
		}
	}
	for _, a := range e.Fields[e.Native:] {
		if a.Name == "" || a.Value.Str == "" && !respelled(e, &a) {
			t.Fatalf("the alias %q has the value %q", a.Name, a.Value.Str)
		}
	}
}

// respelled reports whether an empty alias is another spelling of a native field
// that is empty, too.
func respelled(e *event.Event, a *event.Field) bool {
	for i := range e.Fields[:e.Native] {
		if f := &e.Fields[i]; f.Value.Kind == event.KindString && f.Value.Str == "" && f.Value.Pos == a.Value.Pos {
			return true
		}
	}
	return false
}

// checkSame holds that parsing again gives what the stream gave.
func checkSame(t testing.TB, r *Registry, slab *Slab, e *event.Event) {
	t.Helper()
	slab.Reset()
	again := event.Event{Ref: e.Ref, Seen: e.Seen, Line: e.Line, Lost: e.Lost, Flags: e.Flags}
	r.Reparse(e.Format, e.Raw, slab, &again)
	if !again.Time.Equal(e.Time) || again.FormatName != e.FormatName || again.Level != e.Level ||
		again.LogSource != e.LogSource || again.Flags != e.Flags || again.Message != e.Message || again.Native != e.Native {
		t.Fatalf("parsed again differently: %q\n%+v\n%+v", e.Raw, *e, again)
	}
	if len(again.Fields) != len(e.Fields) {
		t.Fatalf("parsed again: %d fields, before %d: %q", len(again.Fields), len(e.Fields), e.Raw)
	}
	for i := range e.Fields {
		a, b := e.Fields[i], again.Fields[i]
		if a.Name != b.Name || a.Sym != b.Sym || a.Value.Str != b.Value.Str || a.Value.Pos != b.Value.Pos || a.Value.Kind != b.Value.Kind {
			t.Fatalf("parsed again: %+v, before %+v", b, a)
		}
	}
}

// parseLines parses lines as one source's and checks every event.
func parseLines(t testing.TB, info sources.Info, lines [][]byte, look func(i int, e *event.Event)) {
	t.Helper()
	r := testRegistry()
	s := r.Stream(info)
	var slab, other Slab
	for i, l := range lines {
		var e event.Event
		s.Parse(&sources.Record{Raw: l, Line: int64(i + 1), Seen: seen, Ref: event.Ref{Source: "test"}}, &slab, &e)
		checkEvent(t, &e, l)
		checkSame(t, r, &other, &e)
		look(i, &e)
		if i%256 == 255 {
			slab.Reset()
		}
	}
}
