package parse

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bartizan/event"
	"bartizan/sources"
)

// oddities tries records on a source that already speaks a format, one way with the
// format found and one way with it fixed.
type oddities struct {
	reg    *Registry
	format string
	shown  map[string]bool // names a fixed format may show a record under
	found  *Stream
	fixed  *Stream
	used   Slab
	other  Slab
	words  string // the source code of this package, where the words of ours stand
}

func newOddities(t testing.TB, f builtinFormat, words string) *oddities {
	t.Helper()
	o := &oddities{reg: testRegistry(), format: f.Name, shown: map[string]bool{"raw": true, f.Name: true}, words: words}
	for _, b := range builtin {
		if b.reader == f.reader {
			o.shown[b.Name] = true
		}
	}
	o.shown[parseOne(t, sources.Info{}, f.Example).FormatName] = true
	o.found, o.fixed = o.reg.Stream(sources.Info{}), o.reg.Stream(sources.Info{Format: f.Name})
	return o
}

// ourWords returns the source code of this package.
func ourWords(t testing.TB) string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	var all strings.Builder
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

// try parses raw after records of the format and holds the promises; what a source that
// has seen nothing makes of the record must be the same fields.
func (o *oddities) try(t testing.TB, raw []byte) {
	t.Helper()
	o.used.Reset()
	for _, s := range []*Stream{o.found, o.fixed} {
		var e event.Event
		s.Parse(&sources.Record{Raw: raw, Seen: seen}, &o.used, &e)
		checkEvent(t, &e, raw)
		checkSame(t, o.reg, &o.other, &e)
		if s == o.fixed && !wrapsOthers(o.format) && !o.shown[e.FormatName] {
			t.Errorf("%s, fixed, shows %.200q as %s", o.format, raw, e.FormatName)
		}
		if (e.FormatName == "raw") != (e.Flags&event.FlagRawOnly != 0) {
			t.Errorf("%s with flags %b: %.200q", e.FormatName, e.Flags, raw)
		}
		o.foreign(t, &e)
	}
}

// foreign complains about text in fields that neither stands in the record, plainly or
// in hex, nor is put together from words of it and of ours.
func (o *oddities) foreign(t testing.TB, e *event.Event) {
	t.Helper()
	for i := range e.Fields {
		f := &e.Fields[i]
		if f.Value.Pos >= 0 || f.Value.Kind == event.KindNull || bytes.Contains(e.Raw, []byte(f.Value.Str)) || bytes.Contains(e.Raw, fmt.Appendf(nil, "%X", f.Value.Str)) {
			continue
		}
		for _, piece := range strings.FieldsFunc(f.Value.Str, func(r rune) bool { return !isLetter(byte(r)) && (r < '0' || r > '9') }) {
			if !bytes.Contains(e.Raw, []byte(piece)) && !strings.Contains(o.words, piece) {
				t.Errorf("%s gives %s the value %q, of which %q stands neither in the record nor in our words: %.300q", e.FormatName, f.Name, f.Value.Str, piece, e.Raw)
			}
		}
	}
}

func wrapsOthers(name string) bool {
	switch name {
	case "cri", "docker", "kubectl", "cloudwatch", "eventbridge", "azure-resource", "journald", "syslog":
		return true
	}
	return false
}

// TestEveryTruncation cuts the example of each format behind each of its bytes.
func TestEveryTruncation(t *testing.T) {
	words := ourWords(t)
	for _, b := range builtin {
		o := newOddities(t, b, words)
		o.try(t, []byte(b.Example))
		for n := range len(b.Example) {
			o.try(t, []byte(b.Example[:n]))
		}
	}
}

// TestFlippedBytes changes a few bytes of each example at random.
func TestFlippedBytes(t *testing.T) {
	words := ourWords(t)
	rnd := rand.New(rand.NewPCG(3, 14))
	for _, b := range builtin {
		o := newOddities(t, b, words)
		for range 200 {
			raw := []byte(b.Example)
			for range 1 + rnd.IntN(4) {
				raw[rnd.IntN(len(raw))] = byte(rnd.IntN(256))
			}
			o.try(t, raw)
		}
	}
}

// TestGluedRecords puts the example of each format behind that of another one without a
// line end, with one and with a NUL between them.
func TestGluedRecords(t *testing.T) {
	words := ourWords(t)
	for i, b := range builtin {
		o := newOddities(t, b, words)
		for k := range builtin {
			next := builtin[(i+k)%len(builtin)].Example
			o.try(t, []byte(b.Example+[]string{"", "\n", "\x00"}[k%3]+next))
		}
	}
}

// TestHugeValues makes a value in the middle of each example 1 MiB long, and fills others
// with the bytes that formats look for.
func TestHugeValues(t *testing.T) {
	words := ourWords(t)
	for _, b := range builtin {
		o := newOddities(t, b, words)
		at := len(b.Example) / 2
		for strings.IndexByte("\"\\ [(=:,", b.Example[at]) >= 0 {
			at++
		}
		o.try(t, []byte(b.Example[:at]+strings.Repeat("A", 1<<20)+b.Example[at:]))
		for _, c := range []string{`"`, `\`, " ", "[", "{", "=", ",", "k=v ", "\x00", "\xff", "\t", "<", "(", "%", ":"} {
			o.try(t, []byte(b.Example[:at]+strings.Repeat(c, (16<<10)/len(c))+b.Example[at:]))
		}
	}
}

// TestFormatChanges lets each format follow each other one in the same source: the first
// record of the next format is understood as if it were alone, and so is the one after.
func TestFormatChanges(t *testing.T) {
	alone := make([]string, len(builtin))
	for i, b := range builtin {
		alone[i] = parseOne(t, sources.Info{}, b.Example).FormatName
	}
	reg := testRegistry()
	var slab Slab
	for i, a := range builtin {
		for k, b := range builtin {
			s := reg.Stream(sources.Info{})
			for n, want := range []int{i, i, k, i, k} {
				var e event.Event
				slab.Reset()
				s.Parse(&sources.Record{Raw: []byte(builtin[want].Example), Seen: seen}, &slab, &e)
				if e.FormatName != alone[want] {
					t.Fatalf("%s, then %s: record %d is %s, want %s", a.Name, b.Name, n+1, e.FormatName, alone[want])
				}
			}
		}
	}
}
