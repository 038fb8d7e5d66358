package history

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"bartizan/event"
)

// refOf returns the reference of the only event that matches.
func (p *place) refOf(q string) event.Ref {
	p.t.Helper()
	a := p.ask(q, time.Time{}, time.Time{})
	if a.err != nil || len(a.events) != 1 {
		p.t.Fatalf("%s found %q, %v", q, a.messages, a.err)
	}
	return a.events[0].Ref
}

// around returns the raw records on both sides.
func (p *place) around(ref event.Ref, n int) (before, after []string) {
	p.t.Helper()
	b, a, err := p.hist.Around(context.Background(), ref, n)
	must(p.t, err)
	return raws(b), raws(a)
}

func raws(list []*event.Event) (out []string) {
	for _, e := range list {
		out = append(out, string(e.Raw))
	}
	return out
}

// numbers is lines of the same length, 40 bytes with their end.
func numbers(from, to int) (out []string) {
	for i := from; i < to; i++ {
		out = append(out, fmt.Sprintf("2026-11-04T11:00:00Z line %013d", i))
	}
	return out
}

func text(lines []string) string { return strings.Join(lines, "\n") + "\n" }

func TestAroundLines(t *testing.T) {
	const total = 20_000 // 800 kB: more than is kept of both sides
	p := newPlace(t, "app.log")
	all := numbers(0, total)
	p.write("app.log", text(all), noon)
	for _, at := range []int{0, 1, 4, total / 2, total - 5, total - 2, total - 1} {
		ref := p.refOf(fmt.Sprintf(`"%013d"`, at))
		before, after := p.around(ref, 3)
		same(t, before, all[max(at-3, 0):at])
		same(t, after, all[at+1:min(at+4, total)])
	}
	ref := p.refOf(fmt.Sprintf(`"%013d"`, total/2))
	before, after := p.around(ref, total) // bounded in bytes
	for _, side := range [][]string{before, after} {
		if n := len(text(side)); n > aroundBytes+len(side) || n < aroundBytes/2 {
			t.Errorf("%d bytes on one side", n)
		}
	}
	same(t, before, all[total/2-len(before):total/2])
	same(t, after, all[total/2+1:total/2+1+len(after)])
	if before, after = p.around(ref, 0); before != nil || after != nil {
		t.Errorf("nothing was asked for: %q, %q", before, after)
	}
}

// TestAroundKeepsReferences: what stands around a record can be looked up too.
func TestAroundKeepsReferences(t *testing.T) {
	p := newPlace(t, "app.log")
	all := numbers(0, 20_000)
	p.write("app.log", text(all), noon)
	ref := p.refOf(`"0000000010000"`)
	before, after, err := p.hist.Around(context.Background(), ref, 2)
	must(t, err)
	_, again := p.around(before[0].Ref, 4)
	same(t, again, all[9_999:10_003])
	again, _ = p.around(after[1].Ref, 4)
	same(t, again, all[9_998:10_002])
	if e := after[0]; e.Time.Hour() != 11 || e.Ref.Source != ref.Source || e.Ref.Epoch != ref.Epoch {
		t.Errorf("the next record is %+v", e)
	}
}

func TestAroundAfterRotation(t *testing.T) {
	p := newPlace(t, "app.log")
	all := numbers(0, 20)
	p.write("app.log", text(all), noon)
	ref := p.refOf(`"0000000000010"`)
	must(t, os.Rename(p.path("app.log"), p.path("app.log.1")))
	p.write("app.log", "something else\n", noon)
	for _, name := range []string{"app.log.1", "app-20261104.log", "app.log-20261104"} {
		if name != "app.log.1" {
			must(t, os.Rename(p.path("app.log.1"), p.path(name)))
		}
		before, after := p.around(ref, 2)
		same(t, slices.Concat(before, after), []string{all[8], all[9], all[11], all[12]})
		if name != "app.log.1" {
			must(t, os.Rename(p.path(name), p.path("app.log.1")))
		}
	}
	must(t, os.Remove(p.path("app.log.1")))
	if _, _, err := p.hist.Around(context.Background(), ref, 2); !errors.Is(err, ErrNoFile) {
		t.Errorf("the file is gone, but %v", err)
	}
}

func TestAroundInACompressedFile(t *testing.T) {
	p := newPlace(t, "app.log")
	all := numbers(0, 12_000)
	p.write("app.log.2.gz", text(all), noon)
	before, after := p.around(p.refOf(`"0000000008000"`), 2)
	same(t, slices.Concat(before, after), slices.Concat(all[7_998:8_000], all[8_001:8_003]))
}

// TestAroundInJSON: elements are whole, in arrays, in envelopes, and where an
// object takes several lines.
func TestAroundInJSON(t *testing.T) {
	var elements, folded []string
	for i := range 8_000 {
		elements = append(elements, fmt.Sprintf(`{"time":"2026-11-04T11:00:00Z","n":"e%05d","s":"],[{ \n"}`, i))
		folded = append(folded, fmt.Sprintf("{\n  \"time\": \"2026-11-04T11:00:00Z\",\n  \"n\": \"e%05d\",\n  \"in\": {\n    \"x\": 1\n  }\n}", i))
	}
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"array":          {"[\n" + strings.Join(elements, ",\n") + "\n]\n", elements},
		"array, one row": {"[" + strings.Join(elements, ",") + "]", elements},
		"envelope":       {`{"Records":[` + strings.Join(elements, ",") + "]}", elements},
		"objects":        {text(elements), elements},
		"folded objects": {text(folded), folded},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t, "trail.json")
			p.write("trail.json", c.text, noon)
			for _, at := range []int{0, 6_000, 7_999} {
				before, after := p.around(p.refOf(fmt.Sprintf("n: e%05d", at)), 2)
				same(t, before, c.want[max(at-2, 0):at])
				same(t, after, c.want[at+1:min(at+3, len(c.want))])
			}
		})
	}
}

// TestAroundWhatIsGone: bytes that are not the record's any more are not passed
// off as its neighbours.
func TestAroundWhatIsGone(t *testing.T) {
	p := newPlace(t, "app.log")
	all := numbers(0, 100)
	p.write("app.log", text(all), noon)
	ref := p.refOf(`"0000000000050"`)
	for name, now := range map[string]string{
		"truncated":   text(all[:10]),
		"empty":       "",
		"overwritten": strings.Repeat("other words\n", 1000),
	} {
		must(t, os.WriteFile(p.path("app.log"), []byte(now), 0o600)) // the same inode
		if b, a, err := p.hist.Around(context.Background(), ref, 2); err == nil || !strings.Contains(err.Error(), "truncated or overwritten") {
			t.Errorf("%s: %q, %q, %v", name, raws(b), raws(a), err)
		}
	}
	must(t, os.WriteFile(p.path("app.log"), []byte(text(numbers(1000, 1100))), 0o600)) // the same lengths
	if _, _, err := p.hist.Around(context.Background(), ref.Sealed([]byte(all[50])), 2); err == nil {
		t.Error("another record at the same place was taken for it")
	}
	if _, _, err := p.hist.Around(context.Background(), ref.Sealed([]byte(numbers(1050, 1051)[0])), 2); err != nil {
		t.Error(err)
	}
}

func TestAroundOfNoFile(t *testing.T) {
	p := newPlace(t, "app.log")
	p.write("app.log", "x\n", noon)
	ref := p.refOf("x")
	for name, r := range map[string]event.Ref{
		"a source unknown":   {Source: "agent:web-1/x", File: ref.File},
		"a stream":           {Source: "stdin"},
		"a file not here":    {Source: ref.Source, File: event.FileID{Dev: 1, Ino: 1}},
		"no identity at all": {Source: ref.Source},
	} {
		if _, _, err := p.hist.Around(context.Background(), r, 2); !errors.Is(err, ErrNoFile) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := p.hist.Around(ctx, ref, 2); !errors.Is(err, context.Canceled) {
		t.Errorf("called off: %v", err)
	}
}

// TestAroundVeryLongLines: a line longer than all that is read on either side
// hides its neighbours, and is cut, but breaks nothing.
func TestAroundVeryLongLines(t *testing.T) {
	p := newPlace(t, "app.log")
	long := strings.Repeat("x", 3<<20)
	p.write("app.log", "first\n"+long+"\nlast one\n", noon)
	_, after := p.around(p.refOf("first"), 2)
	same(t, after, nil)
	before, _ := p.around(p.refOf("last"), 2)
	same(t, before, nil)
	before, _ = p.around(p.refOf("xxx"), 2)
	same(t, before, []string{"first"})
}
