package sources

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"bartizan/event"
)

// headLen is how many of a file's first bytes belong to its identity, and
// nearLen how many bytes before the read offset must still be what they were.
const (
	headLen = 1024
	nearLen = 64
)

// digest is the first 64 bits of SHA-256, enough to tell two logs apart.
type digest [8]byte

func digestOf(b []byte) digest {
	sum := sha256.Sum256(b)
	return digest(sum[:8])
}

// mark says where one generation of a file stands: who it is and what was
// delivered of it.
type mark struct {
	id      event.FileID
	epoch   uint64
	headLen int
	head    digest // of the first headLen bytes
	near    digest // of the last nearLen bytes before the offset
	state   FrameState
	drained bool  // was read to its end
	done    bool  // nothing more is read of it: only there so that it is not taken for another
	seen    int64 // modification time when last looked at, Unix nanoseconds
}

const markFields = 12

// filePosition is "file1" and, for each generation lately finished or still being
// read, oldest first, its mark: fields separated by colons, marks by spaces.
func filePosition(marks []mark) Position {
	b := append(make([]byte, 0, 128*len(marks)+8), "file1"...)
	for i := range marks {
		b = marks[i].appendTo(append(b, ' '))
	}
	return Position(b)
}

func (m *mark) appendTo(b []byte) []byte {
	num := func(v uint64) { b = append(strconv.AppendUint(b, v, 10), ':') }
	num(m.id.Dev)
	num(m.id.Ino)
	num(m.epoch)
	num(uint64(m.headLen))
	b = append(hex.AppendEncode(b, m.head[:]), ':')
	b = append(hex.AppendEncode(b, m.near[:]), ':')
	b = append(b, byte(m.state.Mode), ':')
	num(uint64(m.state.Offset))
	num(uint64(m.state.Line))
	num(uint64(m.state.Index))
	if m.done {
		b = append(b, "done:"...)
	} else {
		b = append(strconv.AppendBool(b, m.drained), ':')
	}
	return strconv.AppendInt(b, m.seen, 10)
}

// maxGens bounds how many generations are read at once, maxMarks how many a
// position may name.
const (
	maxGens  = 64
	maxMarks = maxGens + maxDone
)

// parseFilePosition reads what filePosition wrote; nil for "".
func parseFilePosition(p Position) ([]mark, error) {
	words := strings.Fields(string(p))
	if len(words) == 0 {
		return nil, nil
	}
	if words[0] != "file1" || len(words) > maxMarks+1 {
		return nil, fmt.Errorf("position %.40q is not one of a file: start without it to read from the beginning", p)
	}
	marks := []mark{}
	for _, w := range words[1:] {
		m, err := parseMark(w)
		if err != nil {
			return nil, fmt.Errorf("position %.200q cannot be read (%w): start without it to read from the beginning", w, err)
		}
		marks = append(marks, m)
	}
	return marks, nil
}

func parseMark(w string) (mark, error) {
	part := strings.Split(w, ":")
	if len(part) != markFields {
		return mark{}, fmt.Errorf("%d fields where %d belong", len(part), markFields)
	}
	var err error
	num := func(s string, bits int) uint64 {
		v, e := strconv.ParseUint(s, 10, bits)
		if err == nil {
			err = e
		}
		return v
	}
	sum := func(s string) (d digest) {
		n, e := hex.Decode(d[:], []byte(s[:min(len(s), 16)]))
		if err == nil && (e != nil || n != len(d) || len(s) != 16) {
			err = fmt.Errorf("%.20q is no digest", s)
		}
		return d
	}
	m := mark{
		id: event.FileID{Dev: num(part[0], 64), Ino: num(part[1], 64)}, epoch: num(part[2], 64),
		headLen: int(num(part[3], 31)), head: sum(part[4]), near: sum(part[5]),
		state:   FrameState{Offset: int64(num(part[7], 63)), Line: int64(num(part[8], 63)), Index: int64(num(part[9], 63))},
		drained: part[10] == "true", done: part[10] == "done", seen: int64(num(part[11], 63)),
	}
	if m.headLen > headLen && err == nil {
		err = fmt.Errorf("head of %d bytes is more than %d", m.headLen, headLen)
	}
	if len(part[6]) != 1 || !strings.Contains("hloae", part[6]) {
		return mark{}, fmt.Errorf("framing %.20q is unknown", part[6])
	}
	m.state.Mode = Mode(part[6][0])
	return m, err
}
