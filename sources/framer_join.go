package sources

import (
	"bytes"
	"time"
)

// Bounds of a record of several lines. A line that would pass one of them begins
// a record of its own.
const (
	maxJoinLines = 1000
	maxJoinBytes = 256 << 10
)

// How long a live source waits for a line that may belong to the open record:
// linePatience where the shape of the lines says that more is usual, and
// partPatience where the writer said that more is to come.
const (
	linePatience = 50 * time.Millisecond
	partPatience = time.Second
)

// joined is an open record of complete lines that more lines may belong to.
// Which do depends on nothing but the bytes of the record and of the next line,
// so that any reader that begins at a record finds the same ones.
type joined struct {
	end, next int // where its last line ends and the next begins, counted from rd; next 0: none is open
	lines     int64
	kind      lineKind
	trace     traceState
	flush     bool // nothing more is waited for
}

// answer says whether a line belongs to the open record.
type answer uint8

const (
	answerNo answer = iota
	answerYes
	answerOpen // more of the line must be seen
)

// Held says whether complete lines wait for another one, where in the stream
// they begin and how long to wait for it.
func (f *Framer) Held() (offset int64, patience time.Duration, ok bool) {
	if f.blk == nil || f.join.next == 0 {
		return 0, 0, false
	}
	patience = linePatience
	if f.join.kind == lineCRI || f.join.kind == lineDocker {
		patience = partPatience
	}
	return f.at.Offset, patience, true
}

// Flush makes Next return the lines that Held says are waiting.
func (f *Framer) Flush() { f.join.flush = f.join.next > 0 }

// Bound makes a record begin at offset from, and one end before the first line
// that begins at to or later, whatever their lines look like. It finds records
// again that a live source did not wait for the rest of.
func (f *Framer) Bound(from, to int64) { f.from, f.to = from, to }

// bounded says whether a record must end before the line at offset next.
func (f *Framer) bounded(next int64) bool {
	return next == f.from || f.to > 0 && next >= f.to && f.at.Offset < f.to
}

// joinLimit is how long a record of several lines may get.
func (f *Framer) joinLimit() int { return min(maxJoinBytes, f.max) }

// opens says how the line of [rd, end) can go on: lineSingle where it can not.
func (f *Framer) opens(end int) lineKind {
	line := f.blk.buf[f.rd:end]
	kind := kindOf(line)
	if kind == lineSingle {
		next := f.blk.buf[end+1 : f.wr]
		if len(next) > 0 && !mayContinue[next[0]] || syslogStamped(line) || f.foreign(next) {
			return lineSingle
		}
		kind = lineTrace
	}
	if f.cut.n > 0 || len(line) >= f.joinLimit() || kind == lineTrace && !announces(line) {
		return lineSingle
	}
	return kind
}

// foreign says whether next can be no second line of any trace. What of it has
// not arrived cannot change that.
func (f *Framer) foreign(next []byte) bool {
	i := bytes.IndexByte(next, '\n')
	switch {
	case i >= 0:
		next = next[:i]
	case len(next) < maxShape && !f.eof:
		return false
	case len(next) == 0:
		return true
	}
	return !secondLine(next)
}

// openJoin begins a record of several lines with the line of [rd, end).
func (f *Framer) openJoin(end int, kind lineKind) {
	f.join = joined{end: end - f.rd, next: end + 1 - f.rd, lines: 1, kind: kind}
	f.join.trace.begin(f.blk.buf[f.rd:end])
	f.sc = end + 1
}

// nextJoined takes lines into the open record until one does not belong to it.
func (f *Framer) nextJoined() (Frame, bool) {
	for {
		start := f.rd + f.join.next
		if f.join.flush || f.bounded(f.at.Offset+int64(f.join.next)) || f.eof && start == f.wr {
			return f.takeJoined(), true
		}
		end, whole := f.wr, f.eof
		if i := bytes.IndexByte(f.blk.buf[f.sc:f.wr], '\n'); i >= 0 {
			end, whole = f.sc+i, true
		} else {
			f.sc = f.wr
		}
		if start == f.wr {
			return Frame{}, false
		}
		switch f.follows(f.blk.buf[start:end], whole) {
		case answerNo:
			return f.takeJoined(), true
		case answerOpen:
			if f.wr-f.rd > f.joinLimit() {
				return f.takeJoined(), true
			}
			return Frame{}, false
		}
		if end-f.rd > f.joinLimit() || f.join.lines >= maxJoinLines {
			return f.takeJoined(), true
		}
		if f.extend(start, end) {
			return f.takeJoined(), true
		}
	}
}

// follows says whether next belongs to the open record; whole: it ends there.
func (f *Framer) follows(next []byte, whole bool) answer {
	record := f.blk.buf[f.rd : f.rd+f.join.end]
	if !couldFollow(f.join.kind, record, next[0:min(len(next), 1)]) {
		return answerNo
	}
	if !whole {
		return answerOpen
	}
	if goesOn(f.join.kind, &f.join.trace, record, next) {
		return answerYes
	}
	return answerNo
}

// extend takes the line of [start, end) into the open record; true: it was the
// last one.
func (f *Framer) extend(start, end int) bool {
	line := f.blk.buf[start:end]
	f.join.end, f.join.next = end-f.rd, min(end+1, f.wr)-f.rd
	f.join.lines++
	f.join.trace.add(line)
	f.sc = f.rd + f.join.next
	return closes(f.join.kind, line)
}

// takeJoined makes a frame of the open record.
func (f *Framer) takeJoined() Frame {
	j, line := f.join, f.at.Line
	f.join = joined{}
	if line > 0 {
		f.at.Line += j.lines - 1
	}
	var fr Frame
	f.takeLine(&fr, f.rd+j.end, f.rd+j.next)
	fr.Line = line
	return fr
}

func trimReturn(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\r' {
		return line[:n-1]
	}
	return line
}
