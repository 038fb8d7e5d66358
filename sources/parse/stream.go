package parse

import (
	"time"

	"bartizan/event"
	"bartizan/sources"
)

// Stream is the parsing state of one source: which formats fitted lately, the
// header line, the year. It belongs to one goroutine at a time.
type Stream struct {
	reg    *Registry
	base   spec
	forced bool
	live   bool
	web    uint8
	recent [8]uint8 // readers that fitted, latest first; 0 is none
	inner  [2]uint8 // the same for wrapped text
	users  []uint8  // a person's formats to try first
	header *header
	years  yearGuess
	lastID [4]struct {
		spec spec
		id   event.ParseID
		ok   bool
	}
	turn int
}

// Parse fills e from rec. It never fails: what no format recognises can still be
// searched as raw text. Fields and strings are valid until slab is reset and
// rec.Raw is given back.
func (s *Stream) Parse(rec *sources.Record, slab *Slab, e *event.Event) {
	take(rec, e)
	p := &slab.pass
	p.begin(s.reg, slab, e, rec.Raw)
	p.stream, p.spec = s, s.base
	if p.ref = rec.Seen; p.ref.IsZero() {
		p.ref = s.reg.opt.Now()
	}
	switch {
	case rec.Lost > 0:
		readRaw(p)
	case s.forced:
		s.read(p, s.base.reader)
	default:
		s.detect(p)
	}
	p.finish()
	e.Format = s.id(p.spec)
}

// read tries one format and falls back to raw text.
func (s *Stream) read(p *pass, reader uint8) {
	p.spec.reader = reader
	if !readers[reader].read(p) {
		p.rewind(0)
		p.spec = spec{zone: s.base.zone, host: s.base.host}
		readRaw(p)
	}
}

// detect tries the formats that fitted lately, then all in the order of their
// scores.
func (s *Stream) detect(p *pass) {
	if len(s.users) > 0 && p.tryUsers(s.users) {
		return
	}
	for i, r := range s.recent {
		if r == 0 {
			break
		}
		if p.try(r) {
			toFront(s.recent[:], i)
			return
		}
	}
	r := p.best(false)
	if !readers[r].wide {
		remember(s.recent[:], r)
	}
}

// try reads with one reader and leaves no trace when it does not fit.
func (p *pass) try(r uint8) bool {
	mark := len(p.fields)
	before := p.spec
	p.spec.reader = r
	if r == readWeb && p.stream != nil {
		p.spec.variant = p.stream.web
	}
	if readers[r].read(p) {
		return true
	}
	p.spec = before
	p.rewind(mark)
	return false
}

// best tries all readers in the order of their scores; the last one takes
// everything.
func (p *pass) best(inner bool) uint8 {
	var scores [maxReaders]uint8
	for i := 1; i < len(readers); i++ {
		if !inner || !readers[i].wraps {
			n, _ := readers[i].score(p.text)
			scores[i] = uint8(n)
		}
	}
	for {
		top := 0
		for i := 1; i < len(readers); i++ {
			if scores[i] > scores[top] {
				top = i
			}
		}
		if scores[top] == 0 || top == 0 {
			break
		}
		scores[top] = 0
		if p.try(uint8(top)) {
			return uint8(top)
		}
	}
	p.spec.reader = readRawID
	readRaw(p)
	return readRawID
}

// toFront moves the i-th reader to the first place.
func toFront(list []uint8, i int) {
	if i == 0 {
		return
	}
	r := list[i]
	copy(list[1:i+1], list[:i])
	list[0] = r
}

// remember puts a reader in the first place; the oldest one goes.
func remember(list []uint8, r uint8) {
	copy(list[1:], list)
	list[0] = r
}

// id returns the ParseID of sp; the last few are remembered.
func (s *Stream) id(sp spec) event.ParseID {
	for i := range s.lastID {
		if s.lastID[i].ok && s.lastID[i].spec == sp {
			return s.lastID[i].id
		}
	}
	id := s.reg.id(sp)
	l := &s.lastID[s.turn%len(s.lastID)]
	l.spec, l.id, l.ok = sp, id, true
	s.turn++
	return id
}

// Format returns the name of the reader that fitted last, "" before the first.
func (s *Stream) Format() string {
	if s.forced {
		return readers[s.base.reader].name
	}
	if s.recent[0] == 0 {
		if len(s.users) > 0 {
			return s.reg.opt.User[s.users[0]-1].Name
		}
		return ""
	}
	return readers[s.recent[0]].name
}

// Reparse fills e from raw as the Stream that gave out id did. Seq, Ref, Line,
// Seen, Lost and the flags a source sets stay as the caller left them; Seen is
// the time of records that carry none.
func (r *Registry) Reparse(id event.ParseID, raw []byte, slab *Slab, e *event.Event) {
	keep := *e
	e.Reset()
	e.Seq, e.Ref, e.Line, e.Seen, e.Lost = keep.Seq, keep.Ref, keep.Line, keep.Seen, keep.Lost
	e.Flags = keep.Flags & (event.FlagLate | event.FlagCut)
	e.Raw = raw
	p := &slab.pass
	p.begin(r, slab, e, raw)
	p.stream, p.spec = nil, r.spec(id)
	if p.ref = e.Seen; p.ref.IsZero() {
		p.ref = r.opt.Now()
	}
	if e.Lost > 0 || !readers[p.spec.reader].read(p) {
		p.rewind(0)
		host := p.spec.host
		p.spec = r.spec(0)
		p.spec.host = host
		readRaw(p)
	}
	p.finish()
	e.Format = id
}

// yearGuess finds the year of stamps that carry none.
type yearGuess struct {
	key  int   // month, day and the day of the reference the answer is for
	year int   // the answer
	last int64 // days since 1970 of the latest stamp, for the order of the file
}

// year returns the year of a stamp: the latest that is not more than a day after
// ref. In the doubtful day after ref the order of the file decides.
func (g *yearGuess) find(mon, day int, ref time.Time) int {
	refDay := int(ref.Unix() / 86400)
	key := refDay<<9 | mon<<5 | day
	if key == g.key {
		return g.year
	}
	y := ref.UTC().Year() + 1
	for daysTo(y, mon, day) > int64(refDay)+1 {
		y--
	}
	if d := daysTo(y, mon, day); d > int64(refDay) && g.last != 0 {
		if before := daysTo(y-1, mon, day); g.last-before < d-g.last {
			y--
		}
	}
	g.key, g.year, g.last = key, y, daysTo(y, mon, day)
	return y
}

// yearOf returns the year of a stamp without one.
func (p *pass) yearOf(mon, day int) int {
	if p.stream != nil {
		p.spec.year = int16(p.stream.years.find(mon, day, p.ref))
	} else if p.spec.year == 0 {
		var g yearGuess
		return g.find(mon, day, p.ref)
	}
	return int(p.spec.year)
}
