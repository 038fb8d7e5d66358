package sources

import (
	"sync"
	"sync/atomic"
)

// blockSize is how many bytes a read asks for at most. Several batches share
// one block; it is recycled when the framer and all of them let go of it.
const blockSize = 256 << 10

// block is a counted buffer. Who retains it must release it once.
type block struct {
	buf  []byte
	refs atomic.Int32
}

var blocks = sync.Pool{New: func() any { return &block{buf: make([]byte, blockSize)} }}

// newBlock returns a block with room for at least n bytes and one reference.
func newBlock(n int) *block {
	var b *block
	if n <= blockSize {
		b = blocks.Get().(*block)
	} else {
		b = &block{buf: make([]byte, n)}
	}
	b.refs.Store(1)
	return b
}

func (b *block) retain() { b.refs.Add(1) }

func (b *block) release() {
	if b.refs.Add(-1) == 0 && len(b.buf) == blockSize {
		blocks.Put(b)
	}
}

// shared says whether somebody besides the caller holds the block.
func (b *block) shared() bool { return b.refs.Load() > 1 }
