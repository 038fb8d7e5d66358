package sources

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"bartizan/event"
)

// outbox fills batches and sends them: at once while nothing is in flight,
// else when the batch is full or MaxWait old. It belongs to one goroutine; only
// Done is called from elsewhere.
type outbox struct {
	ctx    context.Context
	out    chan<- Batch
	id     event.SourceID
	clock  Clock
	pos    func() Position // where the source stands behind the newest record added
	during func()          // called while sending blocks and wake fires; may be nil
	wake   <-chan struct{}

	flight atomic.Int64
	idle   chan struct{} // poked when flight falls to zero
	cargo  *cargo
	bytes  int
	since  time.Time // when the oldest record of the open batch was added
	still  bool      // what is read does not grow: nothing is held for a time
	held   []held
	kept   Position // what pos said last, where a batch may say nothing
}

// held are lines that a framer holds because more may belong to them.
type held struct {
	f     *Framer
	ref   event.Ref
	at    int64 // where in the stream they begin
	since time.Time
	until time.Time
}

// cargo is what a batch carries, recycled after Done.
type cargo struct {
	records []Record
	blocks  []*block
}

var cargos = sync.Pool{New: func() any { return &cargo{records: make([]Record, 0, MaxRecords)} }}

func newOutbox(ctx context.Context, out chan<- Batch, id event.SourceID, clock Clock, pos func() Position) *outbox {
	return &outbox{ctx: ctx, out: out, id: id, clock: clock, pos: pos, idle: make(chan struct{}, 1)}
}

// add puts one record into the open batch and sends the batch when it is full.
// blk, when not nil, is the block that holds the record's bytes.
func (o *outbox) add(r Record, blk *block) error {
	*o.slot(blk, r.Seen) = r
	return o.filled(len(r.Raw))
}

// slot returns where the next record of the open batch goes. It holds what another
// record left there: all of it has to be set.
func (o *outbox) slot(blk *block, seen time.Time) *Record {
	if o.cargo == nil {
		o.cargo = cargos.Get().(*cargo)
		o.since = seen
	}
	c := o.cargo
	if blk != nil && (len(c.blocks) == 0 || c.blocks[len(c.blocks)-1] != blk) {
		blk.retain()
		c.blocks = append(c.blocks, blk)
	}
	n := len(c.records)
	if n < cap(c.records) {
		c.records = c.records[:n+1]
	} else {
		c.records = append(c.records, Record{}) // a full batch could not be sent
	}
	return &c.records[n]
}

// filled says that n bytes of a record were put into the newest slot.
func (o *outbox) filled(n int) error {
	o.bytes += n
	if len(o.cargo.records) >= MaxRecords || o.bytes >= MaxBytes {
		return o.send()
	}
	return nil
}

// offer sends the open batch if nothing is in flight or it is old enough. Lines
// that were held for long enough go into it.
func (o *outbox) offer() error {
	if err := o.release(); err != nil {
		return err
	}
	if o.cargo == nil || o.flight.Load() > 0 && o.clock.Now().Sub(o.since) < MaxWait {
		return nil
	}
	return o.send()
}

// due returns what to wait for while a batch is open: its age, and the moment
// when nothing is in flight any more. Both are nil when none is open; while lines
// are held the first is the end of that.
func (o *outbox) due() (<-chan time.Time, <-chan struct{}) {
	if o.cargo != nil {
		return o.clock.After(MaxWait), o.idle
	}
	if len(o.held) == 0 {
		return nil, nil
	}
	first := o.held[0].until
	for _, h := range o.held[1:] {
		if h.until.Before(first) {
			first = h.until
		}
	}
	return o.clock.After(max(first.Sub(o.clock.Now()), time.Millisecond)), nil
}

// hold notes whether f holds lines, and since when.
func (o *outbox) hold(f *Framer, ref event.Ref, now time.Time) {
	at, patience, waits := f.Held()
	i := slices.IndexFunc(o.held, func(h held) bool { return h.f == f })
	switch {
	case !waits || o.still:
		if i >= 0 {
			o.held = slices.Delete(o.held, i, i+1)
		}
	case i < 0:
		o.held = append(o.held, held{f, ref, at, now, now.Add(patience)})
	case o.held[i].at != at:
		o.held[i] = held{f, ref, at, now, now.Add(patience)}
	}
}

// release moves lines that were held for long enough into the open batch. One
// whose clock went backwards since is not held either.
func (o *outbox) release() error {
	for i := 0; i < len(o.held); {
		h, now := o.held[i], o.clock.Now()
		if now.Before(h.until) && !now.Before(h.since) {
			i++
			continue
		}
		o.held = slices.Delete(o.held, i, i+1)
		if at, _, ok := h.f.Held(); !ok || at != h.at {
			continue
		}
		h.f.Flush()
		if err := o.frames(h.f, h.ref, now); err != nil {
			return err
		}
	}
	return nil
}

// send sends the open batch and blocks until it was taken or the source is cancelled.
func (o *outbox) send() error {
	if o.cargo == nil {
		return nil
	}
	b := Batch{Source: o.id, Records: o.cargo.records, Pos: o.pos(), Done: o.done(o.cargo)}
	o.flight.Add(1)
	for {
		select {
		case o.out <- b:
			o.cargo, o.bytes = nil, 0
			return nil
		case <-o.ctx.Done():
			return o.ctx.Err()
		case <-o.wake:
			if o.during != nil {
				o.during()
			}
		}
	}
}

// done returns the function that gives the batch's memory back; only its first
// call counts.
func (o *outbox) done(c *cargo) func(error) {
	var called atomic.Bool
	return func(error) {
		if called.Swap(true) {
			return
		}
		for i, b := range c.blocks {
			b.release()
			c.blocks[i] = nil
		}
		clear(c.records)
		c.records, c.blocks = c.records[:0], c.blocks[:0]
		cargos.Put(c)
		if o.flight.Add(-1) == 0 {
			select {
			case o.idle <- struct{}{}:
			default:
			}
		}
	}
}

// frames moves all complete frames of f into batches. ref carries source, file
// and epoch.
func (o *outbox) frames(f *Framer, ref event.Ref, now time.Time) error {
	var fr Frame
	for f.next(&fr) {
		r := o.slot(f.blk, now)
		*r = Record{Raw: fr.Raw, Ref: ref, Line: fr.Line, Seen: now, Flags: fr.Flags, Cut: fr.Cut}
		r.Ref.Offset, r.Ref.Len = fr.Offset, int32(len(fr.Raw))
		if err := o.filled(len(fr.Raw)); err != nil {
			return err
		}
	}
	o.hold(f, ref, now)
	return nil
}

// lost adds a record that stands for what is missing, at least one, and says what happened.
func (o *outbox) lost(l loss, ref event.Ref) error {
	return o.add(Record{Raw: []byte(l.why), Ref: ref, Seen: o.clock.Now(), Lost: max(1, l.n), Flags: l.flags}, nil)
}
