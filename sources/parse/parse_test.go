package parse

import (
	"testing"
	"time"

	"bartizan/event"
	"bartizan/sources"
)

// seen is when the made-up records of these tests arrived.
var seen = time.Date(2026, 11, 4, 12, 0, 0, 0, time.UTC)

func testRegistry() *Registry {
	return NewRegistry(Options{Now: func() time.Time { return seen }, Zone: time.UTC})
}

// parseOne parses one line as the only one of a source.
func parseOne(t testing.TB, info sources.Info, line string) *event.Event {
	t.Helper()
	var slab Slab
	var e event.Event
	s := testRegistry().Stream(info)
	s.Parse(&sources.Record{Raw: []byte(line), Line: 1, Seen: seen, Ref: event.Ref{Source: "test"}}, &slab, &e)
	return &e
}

func TestExamples(t *testing.T) {
	for _, f := range testRegistry().Formats() {
		e := parseOne(t, sources.Info{}, f.Example)
		t.Logf("%s\n  %s\n", f.Name, AppendJSON(nil, e, JSONOptions{}))
	}
}
