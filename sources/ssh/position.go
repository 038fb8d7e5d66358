package ssh

import (
	"fmt"
	"strconv"
	"strings"

	"bartizan/sources"
)

// headLen is how many of a file's first bytes belong to its identity.
const headLen = 256

// place says where one file stands: which generation, and how far.
type place struct {
	inode    uint64 // 0: none yet
	epoch    uint64
	finished bool // the generation was read to its end and is no longer written
	headLen  int
	head     uint32 // cksum of the first headLen bytes
	state    sources.FrameState
}

// position is "ssh1" with inode, epoch, done or open, head, then the framing.
func (p place) position() sources.Position {
	open := "open"
	if p.finished {
		open = "done"
	}
	s := p.state
	return sources.Position(fmt.Sprintf("ssh1 %d:%d:%s:%d:%d:%c:%d:%d:%d",
		p.inode, p.epoch, open, p.headLen, p.head, byte(s.Mode), s.Offset, s.Line, s.Index))
}

// parsePosition reads what position wrote; the zero place for "".
func parsePosition(from sources.Position) (place, error) {
	if from == "" {
		return place{}, nil
	}
	rest, ok := strings.CutPrefix(string(from), "ssh1 ")
	part := strings.Split(rest, ":")
	bad := fmt.Errorf("position %.60q is not one of a file read over ssh: start without it", string(from))
	if !ok || len(part) != 9 || len(part[5]) != 1 || !strings.Contains("hloae", part[5]) || part[2] != "open" && part[2] != "done" {
		return place{}, bad
	}
	var err error
	num := func(i, bits int) uint64 {
		v, e := strconv.ParseUint(part[i], 10, bits)
		if err == nil {
			err = e
		}
		return v
	}
	p := place{
		inode: num(0, 64), epoch: num(1, 64), finished: part[2] == "done", headLen: int(num(3, 16)), head: uint32(num(4, 32)),
		state: sources.FrameState{Mode: sources.Mode(part[5][0]), Offset: int64(num(6, 62)), Line: int64(num(7, 62)), Index: int64(num(8, 62))},
	}
	if err != nil || p.headLen > headLen || p.inode == 0 {
		return place{}, bad
	}
	return p, nil
}

// header is what the script says about the file it opened.
type header struct {
	inode       uint64
	size, start int64
	headLen     int
	head        uint32
	match       string // first, same, cut, new or next
}

func parseHeader(words []string) (header, error) {
	if len(words) != 7 || words[0] != "file" || !strings.Contains(" first same cut new next ", " "+words[6]+" ") {
		return header{}, fmt.Errorf("the answer %.80q cannot be understood", strings.Join(words, " "))
	}
	var err error
	num := func(i, bits int) uint64 {
		v, e := strconv.ParseUint(words[i], 10, bits)
		if err == nil {
			err = e
		}
		return v
	}
	h := header{
		inode: num(1, 64), size: int64(num(2, 62)), start: int64(num(3, 62)), headLen: int(num(4, 16)), head: uint32(num(5, 32)), match: words[6],
	}
	if err != nil || h.headLen > headLen || h.inode == 0 || h.start > h.size {
		return header{}, fmt.Errorf("the answer %.80q cannot be understood", strings.Join(words, " "))
	}
	return h, nil
}

// cksum is the checksum of POSIX cksum(1): CRC-32 with polynomial 0x04C11DB7,
// most significant bit first, over the bytes and then their number.
func cksum(b []byte) uint32 {
	var crc uint32
	step := func(c byte) {
		crc ^= uint32(c) << 24
		for range 8 {
			if crc&0x80000000 != 0 {
				crc = crc<<1 ^ 0x04C11DB7
			} else {
				crc <<= 1
			}
		}
	}
	for _, c := range b {
		step(c)
	}
	for n := len(b); n > 0; n >>= 8 {
		step(byte(n))
	}
	return ^crc
}
