package sources

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"
)

// The caps on decompression: what a file may expand to, and what a decoder may
// need. The ratio counts from freeOutput on, so that small repetitive files pass.
const (
	maxRatio   = 100
	freeOutput = 10 << 20
	maxOutput  = 64 << 30
	maxWindow  = 128 << 20
)

// magics are the first bytes of the formats that are read.
var magics = []struct{ name, magic string }{
	{"gzip", "\x1f\x8b"},
	{"zstd", "\x28\xb5\x2f\xfd"},
	{"xz", "\xfd7zXZ\x00"},
	{"bzip2", "BZh"},
	{"lz4", "\x04\x22\x4d\x18"},
}

// magicLen is how many bytes tell the format of a file.
const magicLen = 6

// Compression names the compression of a file by its first bytes: "gzip",
// "zstd", "xz", "bzip2", "lz4", or "" for none of these.
func Compression(head []byte) string {
	for _, m := range magics {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			return m.name
		}
	}
	return ""
}

// counted counts what is read through it.
type counted struct {
	r io.Reader
	n int64
}

// Read implements io.Reader.
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// capped is a decompressor that refuses to expand beyond the caps.
type capped struct {
	dec   io.Reader
	in    *counted
	out   int64
	close func()
}

// Decompress returns the decompressed bytes of r, whose first bytes say how it
// is compressed; plain bytes are passed through. The reader fails where output
// passes 64 GiB, or 100 times the input after the first 10 MiB. Close it.
func Decompress(r io.Reader) (io.ReadCloser, error) {
	in := &counted{r: r}
	br := bufio.NewReaderSize(in, 64<<10)
	head, err := br.Peek(magicLen)
	if err != nil && err != io.EOF {
		return nil, err
	}
	kind := Compression(head)
	if kind == "" {
		return io.NopCloser(br), nil
	}
	c := &capped{in: in, close: func() {}}
	if err := c.open(kind, br); err != nil {
		return nil, fmt.Errorf("%s data is damaged at its beginning: %w", kind, err)
	}
	return c, nil
}

func (c *capped) open(kind string, br *bufio.Reader) error {
	var err error
	switch kind {
	case "gzip":
		c.dec, err = gzip.NewReader(br)
	case "zstd":
		var z *zstd.Decoder
		z, err = zstd.NewReader(br, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxWindow), zstd.WithDecoderMaxWindow(maxWindow))
		if err == nil {
			c.dec, c.close = z, z.Close
		}
	case "xz":
		if err = checkXZ(br); err == nil {
			c.dec, err = xz.NewReader(br)
		}
	case "bzip2":
		c.dec = bzip2.NewReader(br)
	case "lz4":
		c.dec = lz4.NewReader(br)
	}
	return err
}

// Read implements io.Reader.
func (c *capped) Read(p []byte) (int, error) {
	n, err := c.dec.Read(p)
	c.out += int64(n)
	switch {
	case c.out > maxOutput:
		return 0, fmt.Errorf("it expands to more than %d GiB: decompress it yourself and read that", maxOutput>>30)
	case c.out > freeOutput && c.out/maxRatio > c.in.n:
		return 0, fmt.Errorf("it expands to more than %d times its size: decompress it yourself if you trust it", maxRatio)
	}
	return n, err
}

// Close implements io.Closer. It never fails.
func (c *capped) Close() error {
	c.close()
	return nil
}

// checkXZ refuses a first block that asks for more memory than maxWindow
// (xz file format 1.2.0, sections 3.1 and 5.3.1): the decoder would take it.
func checkXZ(br *bufio.Reader) error {
	const streamHeader, lzma2 = 12, 0x21
	head, err := br.Peek(streamHeader + 1)
	if err != nil {
		return err
	}
	size := (int(head[streamHeader]) + 1) * 4
	if head[streamHeader] == 0 {
		return nil // an index: no block at all
	}
	head, err = br.Peek(streamHeader + size)
	if err != nil {
		return err
	}
	b := head[streamHeader+1:]
	flags := b[0]
	b = b[1:]
	for _, bit := range []byte{0x40, 0x80} { // compressed and uncompressed size
		if flags&bit != 0 {
			b = skipVarint(b)
		}
	}
	if len(b) < 3 || b[0] != lzma2 || b[1] != 1 {
		return errors.New("its first filter is not LZMA2, which is all that is read")
	}
	// the size is 2 or 3 times a power of two: 30 is 2<<26, 31 is 3<<26
	if dict := uint64(2|b[2]&1) << (b[2]/2 + 11); dict > maxWindow {
		return fmt.Errorf("it needs %d MiB of memory to read, more than %d", dict>>20, maxWindow>>20)
	}
	return nil
}

func skipVarint(b []byte) []byte {
	for len(b) > 0 && b[0]&0x80 != 0 {
		b = b[1:]
	}
	return b[min(1, len(b)):]
}
