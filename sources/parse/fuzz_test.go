package parse

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"bartizan/event"
	"bartizan/sources"
)

// FuzzFormats gives one line to every format by force and to a stream that finds
// the format itself: no panic, the promises of checkEvent, and the same again.
func FuzzFormats(f *testing.F) {
	for _, b := range builtin {
		f.Add([]byte(b.Example))
		f.Add([]byte(b.Example[:len(b.Example)/2]))
		f.Add([]byte(b.Example[len(b.Example)/3:]))
	}
	for _, s := range []string{
		"", "<", "<1>", "<191>1 ", "<13>1 2026-11-03T09:14:02Z a b c d [x", "Nov", "Nov  3 09:14:02 h sshd: Failed  for ", "Nov  3 09:14:02 h sshd[1]: message repeated 1 times: []",
		"Nov  3 09:14:02 h su: (to", "Nov  3 09:14:02 h sudo:  : ", "Nov  3 09:14:02 h CRON[1]: ()", `{"log":"\n","stream":"","time":""}`,
		`{"MESSAGE":[1,2,999],"__REALTIME_TIMESTAMP":"x"}`, `{"MESSAGE":"{\"MESSAGE\":\"{}\",\"_COMM\":1}","_COMM":"y"}`, "type=EXECVE msg=audit(1.1:1): a0=", "2 1", "[2026-11-03T09:14:02Z] \"", "REPORT RequestId: ", "tls 2.0 2026-11-03T09:14:02 net/", "2026-11-03T09:14:02Z lb 192.0.2.1:1 \"\"", "09:14:02.1: Error (", "00:00:00,0: A ", "00:00:00,0: A ",
		"CEF:0|A|B|C|1|n|5|a=\\=b c=", "LEEF:2.0|A|B|C|D|x|", "<Event><System><EventID>1</EventID></System><EventData><Data Name=\"A\">&#x;</Data></Event>", "47:signal-handler (", "# User@Host: a[", ",   [", "a, [", "a b, \"[", `[03/Nov/2026:09:14:02 +0000] ::1 a b "`, "I1103 09:14:02.118203 7 x.go:1] \"",
	} {
		f.Add([]byte(s))
	}
	r := testRegistry()
	var slab, other Slab
	auto := r.Stream(sources.Info{})
	var forced []*Stream
	for _, b := range builtin {
		forced = append(forced, r.Stream(sources.Info{Format: b.Name, Live: true}))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		slab.Reset()
		var e event.Event
		for _, s := range append(forced, auto) {
			s.Parse(&sources.Record{Raw: raw, Seen: seen}, &slab, &e)
			checkEvent(t, &e, raw)
			checkSame(t, r, &other, &e)
		}
		if out := AppendJSON(nil, &e, JSONOptions{Raw: true}); !json.Valid(out) || bytes.IndexByte(out, '\n') >= 0 {
			t.Fatalf("no JSON line: %s", out)
		}
	})
}

// leaf is one value of a document with its dotted name.
type leaf struct {
	name, text string
	kind       event.Kind
}

// leaves walks a document with encoding/json, as the flattener should.
func leaves(t *testing.T, d *json.Decoder, name string) (out []leaf) {
	t.Helper()
	tok, err := d.Token()
	if err != nil {
		t.Fatal(err)
	}
	switch v := tok.(type) {
	case json.Delim:
		for d.More() {
			child := name
			if v == '{' {
				key, err := d.Token()
				if err != nil {
					t.Fatal(err)
				}
				child = key.(string)
				if name != "\x00" {
					child = name + "." + child
				}
			}
			out = append(out, leaves(t, d, child)...)
		}
		if _, err := d.Token(); err != nil {
			t.Fatal(err)
		}
		return out
	case string:
		return []leaf{{name, v, event.KindString}}
	case json.Number:
		return []leaf{{name, v.String(), event.KindNumber}}
	case bool:
		if v {
			return []leaf{{name, "true", event.KindBool}}
		}
		return []leaf{{name, "false", event.KindBool}}
	}
	return []leaf{{name, "", event.KindNull}}
}

// FuzzFlatten compares with encoding/json: the same documents are valid, and
// their leaves are the same in the same order.
func FuzzFlatten(f *testing.F) {
	for _, b := range builtin {
		if b.reader == readJSONID {
			f.Add([]byte(b.Example))
		}
	}
	for _, s := range []string{
		`{}`, ` {"a" : [ ] , "b":{ } }`, `{"a":[1,[2,{"b":3}],{"b":[4]}],"a":5}`, `{"\u0061\n":"\ud83d\ude00\ud83d x\u0000"}`, `{"":{"":1}}`,
		`{"a":-0.0e+1,"b":01}`, `{"a":1}x`, `{"a":"` + "\x01" + `"}`, `{"a":tru}`, `{"a"}`, `{,}`, `{"a":1,}`, `{"a":"\x"}`, `{"a\\":1,"a\\\"b":2}`,
		`{"a":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}`,
	} {
		f.Add([]byte(s))
	}
	r := testRegistry()
	var slab Slab
	f.Fuzz(func(t *testing.T, raw []byte) {
		slab.Reset()
		var e event.Event
		p := &slab.pass
		p.begin(r, &slab, &e, raw)
		ok := p.flatten()
		at := space(raw, 0)
		valid := json.Valid(raw) && at < len(raw) && raw[at] == '{'
		if deep := bytes.Count(raw, []byte("[")) + bytes.Count(raw, []byte("{")); deep >= maxDepth {
			return // bounds of our own begin there
		}
		if ok != valid {
			t.Fatalf("valid %v, flattened %v: %q", valid, ok, raw)
		}
		if !ok || !utf8.Valid(raw) || len(p.fields) >= maxJSONFields {
			return
		}
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		var have []leaf
		for _, fl := range p.fields {
			if fl.Value.Kind != event.KindObject && fl.Name != "MESSAGE" {
				have = append(have, leaf{fl.Name, fl.Value.Str, fl.Value.Kind})
			}
		}
		k := 0
		for _, w := range leaves(t, d, "\x00") {
			if w.name == "MESSAGE" || strings.HasPrefix(w.name, "MESSAGE.") {
				return
			}
			if k >= len(have) || have[k] != w {
				t.Fatalf("leaf %d is %+v of %+v, want %+v", k, have[min(k, len(have)-1)], have, w)
			}
			k++
		}
		if k != len(have) {
			t.Fatalf("%d leaves too many: %+v", len(have)-k, have[k:])
		}
	})
}

// FuzzStamps reads times from anything without panic, and what RFC 3339 says it
// reads exactly.
func FuzzStamps(f *testing.F) {
	for _, s := range []string{"2026-11-03T09:14:02.123456789+01:00", "Nov  3 09:14:02", "03/Nov/2026:09:14:02 -0700", "1793697242000", "E1103 09:14:02.1", "Tue Nov 03 09:14:02 2026", "2026-11-03 09:14:02,5 -0130"} {
		f.Add(s)
	}
	var slab Slab
	r := testRegistry()
	f.Fuzz(func(t *testing.T, s string) {
		var e event.Event
		p := &slab.pass
		p.begin(r, &slab, &e, []byte(s))
		p.spec = r.spec(0)
		p.timeText(s)
		_, from, to, _ := textStamp([]byte(s))
		if from > to || to > len(s) {
			t.Fatalf("%q: stamp at [%d,%d)", s, from, to)
		}
		bsdStamp([]byte(s))
		clfStamp([]byte(s))
	})
}

// FuzzUser reads a record by an expression and a layout that a person wrote: no panic,
// the promises of checkEvent, and the same again.
func FuzzUser(f *testing.F) {
	f.Add(`^(\S+ \S+)\|(\w+)\|(.*)$`, "%d.%m.%Y %H:%M:%S", "02.11.2026 09:14:02|ERROR|drawer forced")
	f.Add(`(a)?(b*)`, "epoch_ns", "bbb")
	f.Add(`(.*)`, "Jan _2 15:04:05", "Nov  3 09:14:02")
	f.Add(`(\d+)`, "%", "2026-11-03T09:14:02Z stdout F 1793697242")
	f.Fuzz(func(t *testing.T, pattern, layout, raw string) {
		re, err := regexp.Compile(pattern)
		if err != nil || len(pattern) > 100 {
			return
		}
		fields := make([]string, re.NumSubexp())
		for i := range fields {
			fields[i] = []string{"at", "message", "source.ip", "a.b", ""}[i%5]
		}
		r := NewRegistry(Options{
			Now: func() time.Time { return seen }, Zone: time.UTC,
			User: []UserFormat{{Name: "mine", Regex: re, Fields: fields, Time: "at", Layouts: []string{layout}, Detect: true, Aliases: []Alias{{"user.name", []string{"A.B"}}}}},
		})
		s := r.Stream(sources.Info{})
		var slab, other Slab
		var e event.Event
		for range 2 {
			s.Parse(&sources.Record{Raw: []byte(raw), Seen: seen}, &slab, &e)
			checkEvent(t, &e, []byte(raw))
			checkSame(t, r, &other, &e)
		}
	})
}
