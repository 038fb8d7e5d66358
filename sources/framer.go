package sources

import (
	"bytes"
	"crypto/sha256"
	"hash"

	"bartizan/event"
)

// minRoom is the least free space a read is worth issuing for.
const minRoom = 16 << 10

// Frame is one record in a stream. Raw is a view into the framer's buffer: it
// stays until the next call of Space, unless the block is retained.
type Frame struct {
	Raw    []byte
	Offset int64 // bytes before it in the stream
	Line   int64 // 1-based line or array element, 0 unknown
	Flags  event.Flags
	Cut    *Cut
}

// FrameState says how to go on behind a frame: the framing, the offset of the
// next unread byte, its 1-based line (0 unknown) and how many array elements
// came before. The zero value is the beginning of a stream.
type FrameState struct {
	Mode   Mode
	Offset int64
	Line   int64
	Index  int64
}

// Framer splits a stream into records: lines, elements of a JSON array, or JSON
// objects that follow each other. It decides by the first bytes (see Mode), and
// goes over to lines for good where JSON framing breaks; no byte of a broken
// value is dropped. Lines that belong together, such as a stack trace or the audit
// records of one event, are one record (see lineKind). The same bytes give the same frames however they are cut
// into reads. It holds at most one record of MaxRecord bytes plus one read.
//
// Use: read into Space, Commit what was read, take frames with Next until it
// says false, repeat; at the end of the stream Finish, then Next again.
type Framer struct {
	blk        *block
	rd, sc, wr int // start of the open record, first byte not looked at, end of data
	at         FrameState
	last       FrameState // behind the newest frame
	lex        lexer
	inValue    bool // lex stands inside the element that begins at rd
	front      bool // nothing but zero bytes so far
	eof        bool
	max        int
	cut        cutting
	join       joined
	from, to   int64 // see Bound
}

// cutting counts and hashes what of the open record was thrown away.
type cutting struct {
	n     int64
	lines int64
	sum   hash.Hash
}

// NewFramer returns a framer that goes on at s.
func NewFramer(s FrameState) *Framer {
	if s.Mode == 0 {
		s.Mode = ModeHead
	}
	if s.Offset == 0 && s.Line == 0 {
		s.Line = 1
	}
	return &Framer{blk: newBlock(blockSize), at: s, last: s, max: MaxRecord, front: s.Offset == 0}
}

// State says how to go on behind the newest frame.
func (f *Framer) State() FrameState { return f.last }

// Offset returns the offset of the next byte to commit.
func (f *Framer) Offset() int64 { return f.at.Offset + int64(f.wr-f.rd) + f.cut.n }

// Close gives the buffer back. Frames that were not retained are invalid.
func (f *Framer) Close() {
	if f.blk != nil {
		f.blk.release()
		f.blk = nil
	}
}

// Space returns room to read into, at least 16 KiB.
func (f *Framer) Space() []byte {
	if f.rd == f.wr && !f.blk.shared() {
		f.rd, f.sc, f.wr = 0, 0, 0
	}
	if len(f.blk.buf)-f.wr < minRoom {
		f.renew()
	}
	return f.blk.buf[f.wr:]
}

// renew moves the open record to the front of a buffer with room behind it.
func (f *Framer) renew() {
	open := f.wr - f.rd
	b := f.blk
	if b.shared() || open > len(b.buf)/2 {
		b = newBlock(2*open + minRoom)
	}
	copy(b.buf, f.blk.buf[f.rd:f.wr])
	if b != f.blk {
		f.blk.release()
		f.blk = b
	}
	f.rd, f.sc, f.wr = 0, f.sc-f.rd, open
}

// Commit says that n bytes of Space were filled.
func (f *Framer) Commit(n int) { f.wr += n }

// Write copies p in. It never fails.
func (f *Framer) Write(p []byte) {
	for len(p) > 0 {
		n := copy(f.Space(), p)
		f.Commit(n)
		p = p[n:]
	}
}

// Finish says that the stream ended: what is left becomes the last frame.
func (f *Framer) Finish() { f.eof = true }

// Next returns the next frame, false when more bytes are needed (or none are left).
func (f *Framer) Next() (Frame, bool) {
	var fr Frame
	ok := f.next(&fr)
	return fr, ok
}

// next is Next for those that take very many frames: lines are not copied on the way.
func (f *Framer) next(fr *Frame) bool {
	for {
		var got, again bool
		switch f.at.Mode {
		case ModeHead:
			again = f.decide()
		case ModeLines:
			return f.nextLine(fr)
		case ModeObjects, ModeArray, ModeEnvelope:
			*fr, got, again = f.nextElement()
		default:
			again = f.between()
		}
		if got || !again {
			return got
		}
	}
}

// decide chooses the framing by the head of the stream.
func (f *Framer) decide() bool {
	if f.front && !f.skipFront() {
		return false
	}
	head := f.blk.buf[f.rd:f.wr]
	if len(head) == 0 {
		return false
	}
	mode, start := decideHead(head, f.eof)
	if mode == ModeHead {
		return false
	}
	f.at.Mode = mode
	f.skip(start)
	f.inValue = false
	return true
}

// skipFront passes over the zero bytes a writer leaves at the front of a file
// that was truncated under it, and over a byte order mark. False: more bytes
// are needed to tell.
func (f *Framer) skipFront() bool {
	b := f.blk.buf[f.rd:f.wr]
	n := 0
	for n < len(b) && b[n] == 0 {
		n++
	}
	f.skip(n)
	b = b[n:]
	if !f.eof && len(b) < len(byteOrderMark) && bytes.HasPrefix(byteOrderMark, b) {
		return false
	}
	if bytes.HasPrefix(b, byteOrderMark) {
		f.skip(len(byteOrderMark))
	}
	f.front = false
	return true
}

// skip passes over n bytes that belong to no record.
func (f *Framer) skip(n int) {
	if f.at.Line > 0 {
		f.at.Line += int64(bytes.Count(f.blk.buf[f.rd:f.rd+n], newline))
	}
	f.rd += n
	f.sc = f.rd
	f.at.Offset += int64(n)
}

var (
	newline       = []byte{'\n'}
	byteOrderMark = []byte("\xEF\xBB\xBF")
)

// nextLine looks for the end of the line that begins at rd.
func (f *Framer) nextLine(fr *Frame) (ok bool) {
	if f.join.next > 0 {
		*fr, ok = f.nextJoined()
		return ok
	}
	if i := bytes.IndexByte(f.blk.buf[f.sc:f.wr], '\n'); i >= 0 {
		end := f.sc + i
		if kind := f.opens(end); kind != lineSingle {
			f.openJoin(end, kind)
			*fr, ok = f.nextJoined()
			return ok
		}
		f.takeLine(fr, end, end+1)
		return true
	}
	f.sc = f.wr
	if f.eof && (f.wr > f.rd || f.cut.n > 0) {
		f.takeLine(fr, f.wr, f.wr)
		return true
	}
	if f.wr-f.rd > f.max+1 { // one more than max may still be a carriage return
		f.shed()
	}
	return false
}

// takeLine makes a frame of the line that ends before end and is followed at next.
func (f *Framer) takeLine(fr *Frame, end, next int) {
	n := end - f.rd
	if next > end && n > 0 && f.cut.n == 0 && n <= f.max+1 && f.blk.buf[end-1] == '\r' {
		end--
	}
	line := f.at.Line
	f.take(fr, end, next)
	fr.Line = line
}

// shed throws away what of the open record is beyond max, counted and hashed.
func (f *Framer) shed() {
	f.count(f.blk.buf[f.rd+f.max : f.sc])
	f.wr = f.rd + f.max + copy(f.blk.buf[f.rd+f.max:], f.blk.buf[f.sc:f.wr])
	f.sc = f.rd + f.max
}

func (f *Framer) count(rest []byte) {
	if f.cut.sum == nil {
		f.cut.sum = sha256.New()
	}
	f.cut.sum.Write(rest)
	f.cut.n += int64(len(rest))
	f.cut.lines += int64(bytes.Count(rest, newline))
}

// take makes a frame of [rd, end) and goes on at next; [end, next) separates.
func (f *Framer) take(fr *Frame, end, next int) {
	*fr = Frame{Raw: f.blk.buf[f.rd:end:end], Offset: f.at.Offset}
	if f.at.Line > 0 && f.at.Mode != ModeLines {
		f.at.Line += int64(bytes.Count(fr.Raw, newline))
	} else if f.at.Line > 0 && next > end {
		f.at.Line++
	}
	if len(fr.Raw) > f.max || f.cut.n > 0 {
		f.cutOff(fr, end)
	}
	f.at.Offset += int64(next - f.rd)
	f.rd, f.sc = next, next
	f.inValue = false
	f.last = f.at
}

// cutOff keeps max bytes of the record and says what is missing.
func (f *Framer) cutOff(fr *Frame, end int) {
	if f.at.Mode != ModeLines && f.at.Line > 0 {
		f.at.Line += f.cut.lines
	}
	f.at.Offset += f.cut.n
	f.count(f.blk.buf[f.rd+f.max : end])
	fr.Raw = fr.Raw[:f.max:f.max]
	fr.Flags |= event.FlagCut
	fr.Cut = &Cut{Bytes: f.cut.n}
	copy(fr.Cut.Hash[:], f.cut.sum.Sum(nil))
	f.cut = cutting{}
}
