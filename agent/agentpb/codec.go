package agentpb

import (
	"fmt"
	"sync"

	"google.golang.org/grpc/encoding"
	grpcproto "google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"bartizan/sources"
)

// blobField is the number of Batch.blob in agent.proto.
const blobField = 4

// keepBuffer is the largest buffer that is kept for reuse.
const keepBuffer = 512 << 10

// Codec is gRPC's protobuf codec, with a way around it for batches: sent as a
// *Packer and received as an *Incoming, their bytes are not copied by the codec.
// What is on the wire is the same.
func Codec() encoding.CodecV2 { return codec{encoding.GetCodecV2(grpcproto.Name)} }

type codec struct{ encoding.CodecV2 }

// Marshal takes the blob of a *Packer out of it and into the result.
func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	p, ok := v.(*Packer)
	if !ok {
		return c.CodecV2.Marshal(v)
	}
	blob := p.Batch.Blob
	p.Batch.Blob = nil
	head, err := proto.Marshal(p.Batch)
	if err != nil {
		return nil, fmt.Errorf("a batch cannot be encoded: %w", err)
	}
	if len(blob) == 0 {
		return mem.BufferSlice{mem.SliceBuffer(head)}, nil
	}
	head = protowire.AppendTag(head, blobField, protowire.BytesType)
	head = protowire.AppendVarint(head, uint64(len(blob)))
	return mem.BufferSlice{mem.SliceBuffer(head), mem.NewBuffer(&blob, blobs{})}, nil
}

// Unmarshal copies the message once, into the buffer of an *Incoming.
func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	in, ok := v.(*Incoming)
	if !ok {
		return c.CodecV2.Unmarshal(data, v)
	}
	n := data.Len()
	if cap(in.buf) < n {
		in.buf = make([]byte, n)
	}
	in.buf = in.buf[:n]
	data.CopyTo(in.buf)
	return in.decode()
}

// Incoming is a batch received, with the memory that its records lie in.
type Incoming struct {
	Batch   Batch
	buf     []byte // the message
	rest    []byte // the message without its blob
	records []sources.Record
}

var incoming = sync.Pool{New: func() any { return new(Incoming) }}

// NewIncoming returns an empty one, with memory that was released before.
func NewIncoming() *Incoming { return incoming.Get().(*Incoming) }

// Release gives the memory back: records of the batch are invalid from now on.
func (in *Incoming) Release() {
	if cap(in.buf) > keepBuffer {
		in.buf = nil
		clear(in.records[:cap(in.records)]) // or they hold on to it
	}
	proto.Reset(&in.Batch)
	incoming.Put(in)
}

// decode reads the message; the blob stays where it is. A field that comes twice
// counts as protobuf says: the last one.
func (in *Incoming) decode() error {
	in.rest = in.rest[:0]
	var blob []byte
	for b := in.buf; len(b) > 0; {
		num, kind, tag := protowire.ConsumeTag(b)
		if tag < 0 {
			return fmt.Errorf("a batch cannot be decoded: %w", protowire.ParseError(tag))
		}
		n := protowire.ConsumeFieldValue(num, kind, b[tag:])
		if n < 0 {
			return fmt.Errorf("a batch cannot be decoded: %w", protowire.ParseError(n))
		}
		if num == blobField && kind == protowire.BytesType {
			blob, _ = protowire.ConsumeBytes(b[tag:])
		} else {
			in.rest = append(in.rest, b[:tag+n]...)
		}
		b = b[tag+n:]
	}
	if err := proto.Unmarshal(in.rest, &in.Batch); err != nil {
		return fmt.Errorf("a batch cannot be decoded: %w", err)
	}
	in.Batch.Blob = blob
	return nil
}

// room returns n records, from memory that was released where it fits: they hold
// what was in it.
func (in *Incoming) room(n int) []sources.Record {
	if cap(in.records) < n {
		in.records = make([]sources.Record, n, max(n, sources.MaxRecords))
	}
	in.records = in.records[:n]
	return in.records
}

// blobs is the pool that blobs come from and go back to when they were sent.
type blobs struct{}

var blobPool = sync.Pool{New: func() any { b := make([]byte, 0, sources.MaxBytes/2); return &b }}

// Get returns a buffer of length n.
func (blobs) Get(n int) *[]byte {
	b := blobPool.Get().(*[]byte)
	if cap(*b) < n {
		*b = make([]byte, n)
	}
	*b = (*b)[:n]
	return b
}

// Put keeps the buffer for reuse unless it is very large.
func (blobs) Put(b *[]byte) {
	if cap(*b) <= keepBuffer {
		blobPool.Put(b)
	}
}
