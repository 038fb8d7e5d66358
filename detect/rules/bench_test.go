package rules

import (
	"bytes"
	"os"
	"testing"
	"time"

	"bartizan/detect"
	"bartizan/detect/falco"
	"bartizan/enrich"
	"bartizan/event"
	"bartizan/sources"
	"bartizan/sources/parse"
)

// testNow is after every stamp in the rule files.
var testNow = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// bench runs lines through the real parser, the rules and their counters.
type bench struct {
	reg     *parse.Registry
	stream  *parse.Stream
	slab    parse.Slab
	matcher *detect.Matcher
	counter *detect.Correlator
	rules   []*detect.Rule
	event   event.Event
	offset  int64
}

func newBench(rules []*detect.Rule) *bench {
	clock := func() time.Time { return testNow }
	return &bench{
		reg:     parse.NewRegistry(parse.Options{Now: clock, Zone: time.UTC}),
		matcher: detect.NewSet(rules).NewMatcher(),
		counter: detect.NewCorrelator(clock, rules),
	}
}

// knowOwn lets events know which addresses are own ones, as rules test does.
func (b *bench) knowOwn() {
	b.reg = parse.NewRegistry(parse.Options{Now: func() time.Time { return testNow }, Zone: time.UTC, More: enrich.ForTests()})
}

// open starts a new source; its lines are parsed as one stream.
func (b *bench) open(id event.SourceID) {
	b.stream = b.reg.Stream(sources.Info{ID: id, Name: string(id), Zone: time.UTC})
}

// read parses the source's next line into b.event.
func (b *bench) read(line []byte, at int64) {
	b.slab.Reset()
	rec := sources.Record{Raw: line, Line: at, Seen: testNow, Ref: event.Ref{Source: "test", Offset: b.offset, Len: int32(len(line))}}
	b.offset += int64(len(line)) + 1
	b.stream.Parse(&rec, &b.slab, &b.event)
}

// matching returns the rules whose condition holds for a line of its own source.
func (b *bench) matching(line string) []*detect.Rule {
	b.open("test")
	b.read([]byte(line), 1)
	b.rules = b.matcher.Match(&b.event, b.rules[:0])
	return b.rules
}

// hits returns the rules that hit with the event that was read last: counted
// rules only when it completes a window, Falco's own alerts from warning on.
func (b *bench) hits() []*detect.Rule {
	var out []*detect.Rule
	b.rules = b.matcher.Match(&b.event, b.rules[:0])
	for _, r := range b.rules {
		for _, d := range b.counter.Take(r, &b.event) {
			out = append(out, d.Rule)
		}
	}
	if r, _, ok := falco.Intake(&b.event); ok && r.Severity >= detect.Medium {
		out = append(out, r)
	}
	return out
}

// lines calls do with every line of a file and its number.
func lines(t testing.TB, path string, do func(n int64, line []byte)) {
	t.Helper()
	all, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n := int64(0)
	for len(all) > 0 {
		line, rest, _ := bytes.Cut(all, []byte{'\n'})
		n++
		do(n, line)
		all = rest
	}
}

// pack loads the built-in rules; a refused one fails the test.
func pack(t testing.TB) []*detect.Rule {
	t.Helper()
	l := Load()
	for _, r := range l.Refused {
		t.Errorf("%v", r)
	}
	for _, w := range l.Warnings {
		t.Errorf("%v", w)
	}
	return l.Rules
}
