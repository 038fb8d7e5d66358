package agentpb

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"bartizan/event"
	"bartizan/sources"
)

const id = event.SourceID("agent:a/s")

var seen = time.Unix(1_700_000_000, 0)

// drawRecord draws what a source may deliver, mostly what a file does: lines one
// after the other.
func drawRecord(t *rapid.T, prev *sources.Record) sources.Record {
	r := sources.Record{
		Raw:   rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "raw"),
		Flags: event.Flags(rapid.SampledFrom([]uint16{0, 0, 0, uint16(event.FlagLate), uint16(event.FlagCut)}).Draw(t, "flags")),
		Seen:  seen,
	}
	r.Ref = event.Ref{Source: id, Epoch: prev.Ref.Epoch, File: prev.Ref.File, Offset: prev.Ref.Offset + int64(prev.Ref.Len) + 1, Len: int32(len(r.Raw))}
	r.Line = prev.Line + 1
	switch rapid.IntRange(0, 9).Draw(t, "kind") {
	case 0: // another file
		r.Ref.File = event.FileID{Dev: rapid.Uint64().Draw(t, "dev"), Ino: rapid.Uint64().Draw(t, "ino")}
		r.Ref.Epoch = rapid.Uint64().Draw(t, "epoch")
		r.Ref.Offset = rapid.Int64Range(0, math.MaxInt64/2).Draw(t, "offset")
		r.Line = rapid.Int64Range(0, math.MaxInt64/2).Draw(t, "line")
	case 1: // several lines, or CR before LF
		r.Ref.Offset += rapid.Int64Range(0, 100).Draw(t, "gap")
		r.Line += rapid.Int64Range(0, 9).Draw(t, "step")
	case 2: // no line number
		r.Line = 0
	case 3: // stands for more bytes than it has, or for fewer
		r.Ref.Len = rapid.Int32Range(0, math.MaxInt32).Draw(t, "len")
	case 4:
		r.Lost = rapid.Uint64Min(1).Draw(t, "lost")
	case 5:
		r.Cut = &sources.Cut{Bytes: rapid.Int64Range(0, math.MaxInt64).Draw(t, "cut"), Hash: [16]byte{1, 2, 3}}
	}
	return r
}

// TestRoundTrip: whatever a source delivers arrives as it was, over several
// batches of one read, through the encoding on the wire.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, x := NewPacker("s", 7), Expect("s")
		var prev sources.Record
		for range rapid.IntRange(1, 4).Draw(t, "batches") {
			var want []sources.Record
			for range rapid.IntRange(0, 20).Draw(t, "records") {
				r := drawRecord(t, &prev)
				p.Add(&r)
				want = append(want, r)
				prev = r
			}
			data, err := Codec().Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			in := NewIncoming()
			if err := Codec().Unmarshal(data, in); err != nil {
				t.Fatal(err)
			}
			data.Free() // the blob goes back to its pool
			got, err := x.Records(in, id, seen)
			if err != nil {
				t.Fatalf("%v for %+v", err, want)
			}
			if len(got) != len(want) || len(want) > 0 && !cmp.Equal(got, want, cmpopts.EquateEmpty()) {
				t.Fatalf("got, want: %s", cmp.Diff(got, want, cmpopts.EquateEmpty()))
			}
			p.Next()
			in.Release()
		}
	})
}

// TestPlainLinesAreCheap: lines of one file cost their length and nothing else.
func TestPlainLinesAreCheap(t *testing.T) {
	p := NewPacker("s", 1)
	var at int64
	for i := range 128 {
		raw := []byte(strings.Repeat("x", i))
		p.Add(&sources.Record{Raw: raw, Ref: event.Ref{Offset: at, Len: int32(i)}, Line: int64(i) + 1})
		at += int64(i) + 1
	}
	b := p.Batch
	if len(b.Gaps)+len(b.Lines)+len(b.Spans)+len(b.Flags) != 0 || len(b.Segments) != 1 {
		t.Errorf("columns were written: %d gaps, %d lines, %d spans, %d flags, %d segments",
			len(b.Gaps), len(b.Lines), len(b.Spans), len(b.Flags), len(b.Segments))
	}
}

// TestRoom: two full source batches, the last record as long as one may be, stay
// within the bounds the other side holds us to.
func TestRoom(t *testing.T) {
	p := NewPacker("s", 1)
	full := func() {
		for range sources.MaxRecords - 1 {
			p.Add(&sources.Record{Raw: make([]byte, sources.MaxBytes/sources.MaxRecords)})
		}
		p.Add(&sources.Record{Raw: make([]byte, sources.MaxRecord)})
	}
	for p.Room() {
		p.Add(&sources.Record{Raw: make([]byte, sources.MaxBytes/sources.MaxRecords)})
		if len(p.Batch.Lengths) == sources.MaxRecords-1 {
			break
		}
	}
	if !p.Room() {
		t.Fatal("there is no room for a second batch")
	}
	full()
	if p.Room() {
		t.Error("there is room for a third batch")
	}
	if _, err := Expect("s").Records(arrived(p.Batch), id, seen); err != nil {
		t.Errorf("the other side refuses it: %v", err)
	}
	if n := proto.Size(p.Batch); n > MaxMessage {
		t.Errorf("the message has %d bytes", n)
	}
}

// arrived is the batch as it comes out of the codec.
func arrived(b *Batch) *Incoming {
	in := &Incoming{}
	proto.Merge(&in.Batch, b)
	return in
}

func TestRefusedBatches(t *testing.T) {
	good := func() *Batch {
		return &Batch{Stream: "s", Epoch: 1, First: 1, Blob: []byte("abcd"), Lengths: []uint32{1, 3}, Segments: []*Segment{{Line: 1}}}
	}
	if got, err := Expect("s").Records(arrived(good()), id, seen); err != nil || string(got[1].Raw) != "bcd" || got[1].Line != 2 || got[1].Ref.Offset != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	for _, c := range []struct {
		name  string
		spoil func(*Batch)
		want  string
	}{
		{"epoch 0", func(b *Batch) { b.Epoch = 0 }, "epoch"},
		{"column too short", func(b *Batch) { b.Gaps = []int64{1} }, "column"},
		{"column too long", func(b *Batch) { b.Flags = []uint32{1, 2, 3} }, "column"},
		{"no segment", func(b *Batch) { b.Segments = nil }, "which file"},
		{"segments backwards", func(b *Batch) { b.Segments = append(b.Segments, &Segment{Index: 1}, &Segment{Index: 1}) }, "segment 2"},
		{"segment beyond the end", func(b *Batch) { b.Segments = append(b.Segments, &Segment{Index: 2}) }, "segment 1"},
		{"loss beyond the end", func(b *Batch) { b.Losses = []*Loss{{Index: 2}} }, "loss"},
		{"cut beyond the end", func(b *Batch) { b.Cuts = []*Cut{{Index: 2, Hash: make([]byte, 16)}} }, "cut"},
		{"cut with half a hash", func(b *Batch) { b.Cuts = []*Cut{{Hash: make([]byte, 8)}} }, "cut"},
		{"offset below zero", func(b *Batch) { b.Gaps = []int64{1, -50} }, "offset"},
		{"offset beyond int64", func(b *Batch) { b.Segments[0].Offset = math.MaxInt64 }, "offset"},
		{"gap beyond int64", func(b *Batch) { b.Gaps = []int64{1, math.MaxInt64} }, "offset"},
		{"line below zero", func(b *Batch) { b.Lines = []int64{1, -50} }, "line"},
		{"span below zero", func(b *Batch) { b.Spans = []int64{0, -50} }, "bytes"},
		{"span beyond a record", func(b *Batch) { b.Spans = []int64{0, math.MaxInt64} }, "bytes"},
		{"lengths beyond int64", func(b *Batch) { b.Lengths = []uint32{math.MaxUint32, 5} }, "a record has"},
	} {
		b := good()
		c.spoil(b)
		x := Expect("s")
		if got, err := x.Records(arrived(b), id, seen); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
		if x.Last() != 0 {
			t.Errorf("%s: the sequence moved", c.name)
		}
	}
}

// FuzzBatch: whatever bytes an agent sends, records that come out of them lie
// within them and within the bounds.
func FuzzBatch(f *testing.F) {
	p := NewPacker("s", 1)
	p.Add(&sources.Record{Raw: []byte("one"), Ref: event.Ref{Len: 3, File: event.FileID{Dev: 1, Ino: 2}}, Line: 1})
	p.Add(&sources.Record{Raw: []byte("two"), Ref: event.Ref{Offset: 9, Len: 30}, Lost: 4})
	p.Add(&sources.Record{Raw: []byte("cut"), Cut: &sources.Cut{Bytes: 5}, Flags: event.FlagCut})
	data, err := proto.Marshal(p.Batch)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		in := &Incoming{}
		ours := Codec().Unmarshal(mem.BufferSlice{mem.SliceBuffer(data)}, in)
		var b Batch
		if theirs := proto.Unmarshal(data, &b); (ours == nil) != (theirs == nil) {
			t.Fatalf("our decoder says %v, protobuf's %v", ours, theirs)
		}
		if ours != nil {
			return
		}
		if string(in.Batch.GetBlob()) != string(b.GetBlob()) || len(in.Batch.GetLengths()) != len(b.GetLengths()) {
			t.Fatalf("our decoder got %v, protobuf's %v", &in.Batch, &b)
		}
		records, err := Expect("s").Records(in, id, seen)
		if err != nil {
			if len(err.Error()) > 1000 {
				t.Errorf("the sentence has %d bytes", len(err.Error()))
			}
			return
		}
		total := 0
		for _, r := range records {
			total += len(r.Raw)
			if r.Ref.Source != id || r.Ref.Offset < 0 || r.Ref.Len < 0 || r.Line < 0 || r.Flags&^knownFlags != 0 || len(r.Raw) > sources.MaxRecord {
				t.Errorf("record %+v", r)
			}
		}
		if total != len(b.GetBlob()) || len(records) > MaxBatch {
			t.Errorf("%d records with %d bytes", len(records), total)
		}
	})
}

func BenchmarkUnpack(b *testing.B) {
	p := NewPacker("s", 1)
	var at int64
	for range 128 {
		p.Add(&sources.Record{Raw: make([]byte, 200), Ref: event.Ref{Offset: at, Len: 200}, Line: 1 + at/201})
		at += 201
	}
	in := arrived(p.Batch)
	for b.Loop() {
		if _, err := Expect("s").Records(in, id, seen); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*128/b.Elapsed().Seconds(), "lines/s")
}
