package detect

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
	"unicode/utf8"
	"unsafe"

	"bartizan/query"
)

// gram is how many bytes of a text are looked up at once.
const gram = 4

// fewTexts is how many texts are quicker found one after another.
const fewTexts = 3

// texts finds which of many literals stand in a value: every four bytes of the
// value are looked up in a table that holds, for each literal, those four of its
// bytes that the fewest other literals share; what is found there is compared.
// Literals under four bytes, and all where there are few, are looked for alone.
type texts struct {
	least  int // bytes of the shortest text
	alone  []text
	filter []uint64 // bit per hashed gram: a quick no
	shift  uint     // of the hash, for the table
	fshift uint     // for the filter
	keys   []uint32
	first  []int32 // per key: its first item, -1: the slot is empty
	items  []item
}

type item struct {
	text
	at   int32 // where in the text the gram is
	next int32 // the next item with this gram, -1 for none
}

// newTexts returns the table, nil for no literals.
func newTexts(list []text) *texts {
	if len(list) == 0 {
		return nil
	}
	t := &texts{least: len(list[0].text)}
	common := map[uint32]int{}
	long := 0
	for _, x := range list {
		t.least = min(t.least, len(x.text))
		if len(x.text) < gram || len(list) <= fewTexts {
			t.alone = append(t.alone, x)
			continue
		}
		long++
		for i := range grams(x.text) {
			common[gramAt(x.text, i)]++
		}
	}
	if long == 0 {
		return t
	}
	slots := bits.Len(uint(long*2 - 1))
	t.shift, t.fshift = uint(32-slots), uint(32-min(slots+4, 24))
	t.keys, t.first = make([]uint32, 1<<slots), make([]int32, 1<<slots)
	for i := range t.first {
		t.first[i] = -1
	}
	t.filter = make([]uint64, max(1, 1<<(32-t.fshift)/64))
	for _, x := range list {
		if len(x.text) >= gram {
			t.insert(x, rarest(x.text, common))
		}
	}
	return t
}

// grams is how many grams at the start of a literal are weighed: of a long one all
// would cost memory and tell nothing more.
func grams(s string) int { return min(len(s)-gram+1, 64) }

// rarest is where in s those four bytes start that the fewest literals hold.
func rarest(s string, common map[uint32]int) int {
	best := 0
	for i := range grams(s) {
		if common[gramAt(s, i)] <= common[gramAt(s, best)] {
			best = i
		}
	}
	return best
}

func gramAt(s string, i int) uint32 {
	return uint32(s[i]) | uint32(s[i+1])<<8 | uint32(s[i+2])<<16 | uint32(s[i+3])<<24
}

func hashGram(g uint32) uint32 { return g * 0x9E3779B1 }

func (t *texts) insert(x text, at int) {
	g := gramAt(x.text, at)
	h := hashGram(g)
	t.filter[h>>t.fshift/64] |= 1 << (h >> t.fshift % 64)
	slot := h >> t.shift
	for t.first[slot] >= 0 && t.keys[slot] != g {
		slot = (slot + 1) % uint32(len(t.keys))
	}
	t.items = append(t.items, item{x, int32(at), t.first[slot]})
	t.keys[slot], t.first[slot] = g, int32(len(t.items)-1)
}

// lookup returns the first item whose gram is g, -1 for none.
func (t *texts) lookup(g, h uint32) int32 {
	for slot := h >> t.shift; t.first[slot] >= 0; slot = (slot + 1) % uint32(len(t.keys)) {
		if t.keys[slot] == g {
			return t.first[slot]
		}
	}
	return -1
}

// fits reports whether the item's text stands in value where its gram is at i.
func (x *item) fits(value []byte, i int) bool {
	from := i - int(x.at)
	to := from + len(x.text.text)
	if from < 0 || to > len(value) || string(value[from:to]) != x.text.text {
		return false
	}
	return x.kind.allows(from, to, len(value))
}

// inside reports whether the kind looks for its text in a part of a value.
func (k anchorKind) inside() bool {
	return k == anchorInside || k == anchorStart || k == anchorEnd
}

// allows reports whether a text from byte from to byte to of a value of n bytes
// is where the kind wants it.
func (k anchorKind) allows(from, to, n int) bool {
	switch k {
	case anchorStart:
		return from == 0
	case anchorEnd:
		return to == n
	}
	return true
}

func hasAlone(x *text, value []byte) bool {
	n := len(x.text)
	switch {
	case len(value) < n:
		return false
	case x.kind == anchorStart:
		return string(value[:n]) == x.text
	case x.kind == anchorEnd:
		return string(value[len(value)-n:]) == x.text
	}
	return bytes.Contains(value, unsafe.Slice(unsafe.StringData(x.text), n))
}

// fold is query.AppendFold into buf from its start, quicker where all is ASCII:
// eight bytes at a time.
func fold(buf []byte, s string) []byte {
	const each = 0x0101010101010101
	buf = slices.Grow(buf[:0], len(s))[:len(s)]
	in := unsafe.Slice(unsafe.StringData(s), len(s)) // only read
	i := 0
	for ; i+8 <= len(in); i += 8 {
		w := binary.LittleEndian.Uint64(in[i:])
		if w&(utf8.RuneSelf*each) != 0 {
			return query.AppendFold(buf[:i], s[i:])
		}
		// The top bit of each byte: at least 'A', and not more than 'Z'.
		upper := (w + (0x80-'A')*each) &^ (w + (0x7F-'Z')*each) & (0x80 * each)
		binary.LittleEndian.PutUint64(buf[i:], w|upper>>2)
	}
	for ; i < len(in); i++ {
		if in[i] >= utf8.RuneSelf {
			return query.AppendFold(buf[:i], s[i:])
		}
		buf[i] = lower[in[i]]
	}
	return buf
}

// lower maps ASCII letters to lower case and leaves every other byte alone.
var lower = func() (t [256]byte) {
	for i := range t {
		t[i] = byte(i)
		if 'A' <= i && i <= 'Z' {
			t[i] += 'a' - 'A'
		}
	}
	return t
}()
