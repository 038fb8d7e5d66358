package sources

import (
	"context"
	"time"

	"bartizan/event"
)

// Record is the exact bytes one source delivered as one unit. Raw belongs to the
// batch: it stays untouched until Batch.Done was called.
type Record struct {
	Raw   []byte
	Ref   event.Ref // Hash is left zero
	Line  int64     // 1-based line of its first line, or index in a JSON array; 0 unknown
	Seen  time.Time
	Flags event.Flags
	Lost  uint64 // > 0: no record, but this many missing; Raw says what happened, in words
	Cut   *Cut   // set with event.FlagCut
}

// Cut says what is missing at the end of a record that was longer than MaxRecord.
type Cut struct {
	Bytes int64    // how many bytes are not in Raw
	Hash  [16]byte // first 128 bits of SHA-256 over them
}

// Position says where a source stands, in its own words; "" is the beginning
// or, for live sources, now. It is text so that it can be stored and shown.
type Position string

// Batch is what a source sends: at once when nothing is in flight, and while
// downstream is busy filled up to MaxRecords, MaxBytes or MaxWait.
type Batch struct {
	Source  event.SourceID
	Records []Record
	Pos     Position    // where the source stands after this batch
	Done    func(error) // call once, from any goroutine; Records and their bytes are then reused
}

// How full a batch may get while downstream is busy.
const (
	MaxRecords = 512
	MaxBytes   = 256 << 10
	MaxWait    = 20 * time.Millisecond
	MaxRecord  = 1 << 20 // bytes kept of one record; the rest is counted and hashed
)

// Source is anything records come from.
//
// Run delivers from position from until the source ends or ctx is cancelled (nil),
// or until it fails (error: the supervisor restarts it from the last position).
// It never closes out and never retries inside. Sending on out blocks: that is the
// back-pressure. It may have any number of batches in flight.
type Source interface {
	Run(ctx context.Context, from Position, out chan<- Batch) error
}

// Info describes a source to the pipeline.
type Info struct {
	ID       event.SourceID
	Kind     string         // "file", "stdin", "fifo", "journald", "command", "agent"
	Name     string         // for people: the path, or agent/stream
	Path     string         // local file, when there is one
	Host     string         // the host the records are about; "" is this one
	Format   string         // forced format, "" is automatic
	Zone     *time.Location // of stamps without a zone; nil is local
	Lateness time.Duration  // how late records of this kind may be
	Silence  time.Duration  // how long it may be quiet; 0 is for ever
	Live     bool           // false: ends at its end (scan, compressed files)
}

// Opened is a source ready to run.
type Opened struct {
	Info   Info
	Source Source
}
