package sources

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bartizan/event"
)

// framed is a frame that may be kept.
type framed struct {
	Text   string
	Offset int64
	Line   int64
	Cut    int64
	Hash   [16]byte
	After  FrameState
}

// frameAll feeds data in pieces of the given sizes (the last one repeats).
func frameAll(data []byte, s FrameState, max int, sizes ...int) []framed {
	f := NewFramer(s)
	defer f.Close()
	f.max = max
	var got []framed
	take := func() {
		for {
			fr, ok := f.Next()
			if !ok {
				return
			}
			x := framed{Text: string(fr.Raw), Offset: fr.Offset, Line: fr.Line, After: f.State()}
			if fr.Cut != nil {
				x.Cut, x.Hash = fr.Cut.Bytes, fr.Cut.Hash
			}
			if (fr.Cut != nil) != (fr.Flags&event.FlagCut != 0) {
				panic("Cut and FlagCut disagree")
			}
			got = append(got, x)
		}
	}
	for i := 0; len(data) > 0; i++ {
		n := min(len(data), max0(sizes[min(i, len(sizes)-1)]))
		f.Write(data[:n])
		data = data[n:]
		take()
	}
	f.Finish()
	take()
	return got
}

func max0(n int) int { return max(n, 1) }

func texts(fs []framed) []string {
	var out []string
	for _, f := range fs {
		out = append(out, fmt.Sprintf("%d@%d:%s", f.Line, f.Offset, f.Text))
	}
	return out
}

var framerCases = []struct {
	name, in string
	want     []string
}{
	{"empty", "", nil},
	{"lines", "a\nbb\n\nc", []string{"1@0:a", "2@2:bb", "3@5:", "4@6:c"}},
	{"crlf", "a\r\nb\r\n", []string{"1@0:a", "2@3:b"}},
	{"lone carriage return at the end stays", "a\nb\r", []string{"1@0:a", "2@2:b\r"}},
	{"ndjson", `{"a":1}` + "\n" + `{"b":2}` + "\n", []string{`1@0:{"a":1}`, `2@8:{"b":2}`}},
	{"a line that looks like an object", "{worker-1} started\n{worker-2} started\n", []string{"1@0:{worker-1} started", "2@19:{worker-2} started"}},
	{"a line that begins with a bracket", "[error] x\n[info] y\n", []string{"1@0:[error] x", "2@10:[info] y"}},
	{"cloudtrail", `{"Records":[{"a":1},{"b":[1,{}]}]}`, []string{`1@12:{"a":1}`, `2@20:{"b":[1,{}]}`}},
	{"pretty envelope", "{\n \"Records\": [\n  {\"a\": 1},\n  {\n\"b\": 2}\n ]\n}\n", []string{`1@18:{"a": 1}`, "2@30:{\n\"b\": 2}"}},
	{"two envelopes, one per line", `{"records":[{"a":1}]}` + "\n" + `{"records":[{"a":2}]}` + "\n", []string{`1@12:{"a":1}`, `2@34:{"a":2}`}},
	{"cloudwatch subscription", `{"owner":"1","subscriptionFilters":["f"],"logEvents":[{"id":"x"}]}`, []string{`1@54:{"id":"x"}`}},
	{"kubernetes list", `{"kind":"EventList","metadata":{},"items":[{"a":1}],"x":2}`, []string{`1@43:{"a":1}`}},
	{"an application's line with items", `{"event":"sale","items":[{"a":1}]}` + "\n", []string{`1@0:{"event":"sale","items":[{"a":1}]}`}},
	{"a record with records in it", `{"time":1,"records":[{"a":1}]}` + "\n", []string{`1@0:{"time":1,"records":[{"a":1}]}`}},
	{"top-level array", "[ {\"a\":1} ,\n{\"a\":\"]}\\\"\"}, 7 ]", []string{`1@2:{"a":1}`, `2@12:{"a":"]}\""}`, "3@26:7"}},
	{"byte order mark", "\xef\xbb\xbf" + `[{"a":1}]`, []string{`1@4:{"a":1}`}},
	{"objects on several lines", "{\n\"a\":1\n}\n{\n\"a\":2\n}\n", []string{"1@0:{\n\"a\":1\n}", "4@10:{\n\"a\":2\n}"}},
	{"objects without anything between", `{"a":1}{"a":2}{"a":3}`, []string{`1@0:{"a":1}`, `1@7:{"a":2}`, `1@14:{"a":3}`}},
	{"array cut short", `[{"a":1},{"a":`, []string{`1@1:{"a":1}`, `1@9:{"a":`}},
	{"objects that break", "{\n\"a\":1\n}\noops\n{\n", []string{"1@0:{\n\"a\":1\n}", "4@10:oops", "5@15:{"}},
	{"array that breaks", "[{\"a\":1},{\"b\":!!\nnext\n", []string{`1@1:{"a":1}`, `1@9:{"b":!!`, "2@17:next"}},
	{"hole at the front", "\x00\x00\x00\x00one\ntwo\n", []string{"1@4:one", "2@8:two"}},
	{"zero bytes later stay", "one\n\x00\x00two\n", []string{"1@0:one", "2@4:\x00\x00two"}},
	{"blank lines before text", "\n\nx\n", []string{"1@0:", "2@1:", "3@2:x"}},
	{"empty records", `{"Records":[]}`, []string{`1@0:{"Records":[]}`}},
}

func TestFramer(t *testing.T) {
	for _, c := range framerCases {
		for _, size := range []int{1, 2, 3, 7, 1 << 20} {
			got := texts(frameAll([]byte(c.in), FrameState{}, MaxRecord, size))
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("%s in pieces of %d:\n%s", c.name, size, d)
			}
		}
	}
}

func TestFramerCutsLongRecords(t *testing.T) {
	long := strings.Repeat("x", 100)
	for name, c := range map[string]struct {
		in   string
		want []string
		cut  int64
		rest string
	}{
		"line":                        {long + "\nshort\n", []string{"1@0:" + long[:40], "2@101:short"}, 60, long[40:]},
		"line without end":            {"a\n" + long, []string{"1@0:a", "2@2:" + long[:40]}, 60, long[40:]},
		"line with crlf":              {long + "\r\nshort", []string{"1@0:" + long[:40], "2@102:short"}, 61, long[40:] + "\r"},
		"element":                     {`[{"k":"` + long + `"},{"b":1}]`, []string{`1@1:{"k":"` + long[:34], `2@110:{"b":1}`}, 68, long[34:] + `"}`},
		"element that breaks":         {`[{"k":"` + long + "\n tail", []string{`1@1:{"k":"` + long[:34], "1@107:", "2@108: tail"}, 66, long[34:]},
		"objects, counted with lines": {"{\"k\":1\n\n\n" + strings.Repeat(" ", 50) + "}\n{\"b\":\n1}", []string{"1@0:{\"k\":1\n\n\n" + strings.Repeat(" ", 31), "5@61:{\"b\":\n1}"}, 20, strings.Repeat(" ", 19) + "}"},
	} {
		for _, size := range []int{1, 3, 41, 1000} {
			got := frameAll([]byte(c.in), FrameState{}, 40, size)
			if d := cmp.Diff(c.want, texts(got)); d != "" {
				t.Fatalf("%s in pieces of %d:\n%s", name, size, d)
			}
			i := 0
			for got[i].Cut == 0 {
				i++
			}
			sum := sha256.Sum256([]byte(c.rest))
			if got[i].Cut != c.cut || !bytes.Equal(got[i].Hash[:], sum[:16]) {
				t.Errorf("%s in pieces of %d: cut %d, want %d with the hash of what is missing", name, size, got[i].Cut, c.cut)
			}
		}
	}
	exact := strings.Repeat("y", 40)
	if got := frameAll([]byte(exact+"\r\n"+exact+"\n"), FrameState{}, 40, 1); len(got) != 2 || got[0].Text != exact || got[0].Cut+got[1].Cut != 0 {
		t.Errorf("lines of exactly the cap were cut: %v", got)
	}
}

// TestFramerKeepsMemoryBounded feeds a line of 64 MiB.
func TestFramerKeepsMemoryBounded(t *testing.T) {
	f := NewFramer(FrameState{})
	defer f.Close()
	piece := bytes.Repeat([]byte("z"), 1<<20)
	for range 64 {
		f.Write(piece)
		if _, ok := f.Next(); ok {
			t.Fatal("a frame came before the end of the line")
		}
		if len(f.blk.buf) > 4*MaxRecord {
			t.Fatalf("the buffer grew to %d bytes", len(f.blk.buf))
		}
	}
	f.Write([]byte("\nnext\n"))
	fr, ok := f.Next()
	if !ok || len(fr.Raw) != MaxRecord || fr.Cut.Bytes != 63<<20 {
		t.Fatalf("got %d bytes, cut %v", len(fr.Raw), fr.Cut)
	}
	if fr, ok = f.Next(); !ok || string(fr.Raw) != "next" || fr.Offset != 64<<20+1 || fr.Line != 2 {
		t.Fatalf("after the long line came %q at %d, line %d", fr.Raw, fr.Offset, fr.Line)
	}
}

// TestFramerHeadLimit shows that a stream that cannot be told apart is decided.
func TestFramerHeadLimit(t *testing.T) {
	blank := strings.Repeat(" ", maxHead+10)
	if got := texts(frameAll([]byte(blank+"\nx"), FrameState{}, MaxRecord, 1000)); len(got) != 2 {
		t.Errorf("%d records of blanks and a line, want 2", len(got))
	}
	big := "{\n\"k\":\"" + strings.Repeat("v", maxHead) + "\"}"
	if got := frameAll([]byte(big+"\n"+big), FrameState{}, MaxRecord, 999); len(got) != 2 || got[0].Text != big {
		t.Errorf("%d records of two big objects", len(got))
	}
}

func FuzzFramer(f *testing.F) {
	for _, c := range framerCases {
		f.Add([]byte(c.in), uint64(len(c.in)), uint16(40))
	}
	for _, c := range joinCases {
		f.Add([]byte(strings.Join(c.in, "\n")), uint64(len(c.in)), uint16(900))
	}
	f.Add([]byte(`{"Records":[{"k":"`+strings.Repeat("x", 200)+`"}],"n":[1,2]}{"Records":[{}]}`), uint64(3), uint16(10))
	f.Add([]byte("[{\"0\"D}:"), uint64(25), uint16(2))
	f.Fuzz(func(t *testing.T, data []byte, seed uint64, limit uint16) {
		max := int(limit) + 1
		whole := frameAll(data, FrameState{}, max, len(data)+1)
		accounted(t, data, whole)
		rng := rand.New(rand.NewPCG(seed, 1))
		sizes := make([]int, 64)
		for i := range sizes {
			sizes[i] = 1 + rng.IntN(40)
		}
		if d := cmp.Diff(whole, frameAll(data, FrameState{}, max, sizes...)); d != "" {
			t.Fatalf("other frames when cut into pieces:\n%s", d)
		}
		if len(whole) > 1 {
			i := rng.IntN(len(whole) - 1)
			s := whole[i].After
			if d := cmp.Diff(whole[i+1:], frameAll(data[s.Offset:], s, max, 17)); d != "" {
				t.Fatalf("other frames when resumed at %+v:\n%s", s, d)
			}
		}
	})
}

// accounted checks that every frame is where it says, that frames do not
// overlap, and that between lines there is nothing but line ends.
func accounted(t *testing.T, data []byte, frames []framed) {
	t.Helper()
	end := int64(0)
	for i, f := range frames {
		if f.Offset < end || string(data[f.Offset:f.Offset+int64(len(f.Text))]) != f.Text {
			t.Fatalf("frame %d is not at its offset %d", i, f.Offset)
		}
		gap := string(data[end:f.Offset])
		if i > 0 && frames[i-1].After.Mode == ModeLines && f.After.Mode == ModeLines && gap != "\n" && gap != "\r\n" && (gap != "" || frames[i-1].Cut == 0) { // a cut element may break off anywhere
			t.Fatalf("between lines %d and %d there is %q", i-1, i, gap)
		}
		end = f.Offset + int64(len(f.Text)) + f.Cut
	}
	if n := len(frames); n > 0 && frames[n-1].After.Mode == ModeLines {
		if rest := string(data[end:]); rest != "" && rest != "\n" && rest != "\r\n" {
			t.Fatalf("%q behind the last line is in no frame", rest)
		}
	}
}
