package parse

import "bartizan/event"

// Slab is where the fields and decoded strings of one batch live. Everything
// that was parsed into it stays valid until Reset; after that its room is used
// again, so in a steady state parsing allocates nothing. A slab belongs to one
// goroutine at a time. Field text that is a view into the record's bytes shares
// their life, not the slab's.
type Slab struct {
	fields fieldArena
	bytes  byteArena
	pass   pass
	next   []*node // the name that last followed each name, by node number
	zones  zoneCache
}

// Reset gives up everything parsed into the slab.
func (s *Slab) Reset() {
	s.fields.reset()
	s.bytes.reset()
}

const (
	fieldChunk = 4096
	byteChunk  = 64 << 10
	keepChunks = 32      // of fields kept between batches, 8 MiB; more is given back
	keepBytes  = 8 << 20 // decoded text kept between batches; more is given back
)

// fieldArena hands out runs of fields from chunks. A run may grow only while it
// is the last one.
type fieldArena struct {
	chunks [][]event.Field // all of the same life; chunks[at] is being filled
	used   []int           // how far each chunk was filled in this batch
	stale  []int           // how far it was filled in the batch before
	at     int
}

func (a *fieldArena) reset() {
	for i := range a.chunks {
		if a.stale[i] > a.used[i] { // do not pin the bytes of batches long gone
			clear(a.chunks[i][a.used[i]:a.stale[i]])
		}
		a.stale[i], a.used[i] = a.used[i], 0
	}
	if len(a.chunks) > keepChunks {
		a.chunks, a.used, a.stale = a.chunks[:keepChunks:keepChunks], a.used[:keepChunks], a.stale[:keepChunks]
	}
	a.at = 0
}

// open returns an empty run at the end of the current chunk.
func (a *fieldArena) open() []event.Field {
	if len(a.chunks) == 0 {
		a.addChunk(fieldChunk)
	}
	return a.chunks[a.at][a.used[a.at]:a.used[a.at]]
}

// grow moves a full run into a chunk with more room.
func (a *fieldArena) grow(run []event.Field) []event.Field {
	a.stale[a.at] = max(a.stale[a.at], a.used[a.at]+len(run))
	a.at++
	if a.at == len(a.chunks) {
		a.addChunk(fieldChunk)
	}
	if len(a.chunks[a.at]) < 2*len(run) { // only runs above half a chunk
		a.chunks[a.at] = make([]event.Field, 2*len(run))
		a.stale[a.at] = 0
	}
	return append(a.chunks[a.at][:0], run...)
}

// close keeps the run and lets the next one begin after it.
func (a *fieldArena) close(run []event.Field) []event.Field {
	a.used[a.at] += len(run)
	return run[:len(run):len(run)]
}

func (a *fieldArena) addChunk(n int) {
	a.chunks = append(a.chunks, make([]event.Field, n))
	a.used = append(a.used, 0)
	a.stale = append(a.stale, 0)
}

// byteArena hands out byte ranges for decoded text.
type byteArena struct {
	chunks [][]byte
	at     int
	used   int
}

func (a *byteArena) reset() {
	total := 0
	for i, c := range a.chunks {
		if total += len(c); total > keepBytes && i > 0 {
			a.chunks = a.chunks[:i]
			break
		}
	}
	a.at, a.used = 0, 0
}

// take returns n bytes of room; give back what was not needed with trim.
func (a *byteArena) take(n int) []byte {
	for a.at < len(a.chunks) && len(a.chunks[a.at])-a.used < n {
		a.at, a.used = a.at+1, 0
	}
	if a.at == len(a.chunks) {
		a.chunks = append(a.chunks, make([]byte, max(n, byteChunk)))
	}
	b := a.chunks[a.at][a.used : a.used+n : a.used+n]
	a.used += n
	return b
}

// trim gives back the last n bytes of the latest take.
func (a *byteArena) trim(n int) { a.used -= n }
