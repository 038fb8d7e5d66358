// Package event holds the one record shape that every room shares: references
// to bytes, events with fields, levels, entities, source status, the visible
// escape and the mask for secrets.
//
// Nothing here blocks and nothing is lost here. An Event and every string in it
// is only valid until the batch it came in is released; Clone makes one that
// may be kept. The package imports nothing of ours.
package event

import (
	"crypto/sha256"
	"time"
)

// SourceID names one source for ever: "file:/var/log/auth.log",
// "agent:web-1/auth", "stdin". It is chosen by us, never by a peer.
type SourceID string

// FileID is a file's identity on its host: device and inode.
type FileID struct{ Dev, Ino uint64 }

// Ref says where a record's bytes are, for ever. Offset and Len are bytes in
// the file (or the stream) of generation Epoch. Hash is the first 128 bits of
// SHA-256 over the raw bytes; it is the zero value until Sealed was called.
type Ref struct {
	Source SourceID
	Epoch  uint64
	File   FileID
	Offset int64
	Len    int32
	Hash   [16]byte
}

// Sealed returns the reference with the hash of raw in it.
func (r Ref) Sealed(raw []byte) Ref {
	sum := sha256.Sum256(raw)
	copy(r.Hash[:], sum[:16])
	return r
}

// ParseID names a way to turn bytes into fields: format, header, zone, year and
// aliases. Parsing is a pure function of (Raw, ParseID). Zero is "raw text".
type ParseID uint32

// LogSource is what routes rules, in Sigma's words; empty parts are unknown.
type LogSource struct{ Product, Category, Service string }

// Flags are things a person should know about an event.
type Flags uint16

// The flags an event can carry.
const (
	FlagLate     Flags = 1 << iota // older than what its source had already delivered
	FlagCut                        // longer than the record cap; the rest was counted and hashed
	FlagClock                      // its own time cannot be right; Time is Seen
	FlagRawOnly                    // no format recognised it: only Raw can be searched
	FlagNoTime                     // it carries no time of its own; Time is Seen
	FlagShrank                     // a loss: a file was truncated or overwritten in place and no copy of the rest was found
	FlagVanished                   // a loss or a state: a file was deleted or replaced before it was read, or while its writer has it open
	FlagNotice                     // no record: Bartizan says something about the source here
)

// Event is one record with a time, a source, a format, a level and fields.
//
// Fields[:Native] are the fields as delivered, under their native names with
// dotted paths ("userIdentity.arn"); one entry per element where the record
// holds a list, so a name may repeat and a match is a match on any of them.
// Fields[Native:] are aliases: the same values under ECS names and the names
// rules expect. A native name always wins over an alias.
type Event struct {
	Seq        uint64 // order of arrival in this engine; local, never stored as identity
	Ref        Ref
	Line       int64 // 1-based line of the record's first line, or its index in a JSON array; 0 unknown
	Time, Seen time.Time
	Format     ParseID
	FormatName string
	LogSource  LogSource
	Level      Level
	Flags      Flags
	Raw        []byte
	Lost       uint64 // > 0: this row stands for that many missing records
	Message    string // the part a person reads first; a view into Raw or the slab
	Fields     []Field
	Native     int
	More       Enricher // answers fields that the record does not have; may be nil
}

// Get returns the first value called name: native first, then aliases, then what
// is known of the event beyond its fields (see Enricher).
func (e *Event) Get(name string) (Value, bool) {
	for i := range e.Fields {
		if e.Fields[i].Name == name {
			return e.Fields[i].Value, true
		}
	}
	v, _, ok := e.Enriched(name, 0)
	return v, ok
}

// Text returns the text of the first value called name, or "".
func (e *Event) Text(name string) string {
	v, _ := e.Get(name)
	return v.Str
}

// Reset clears the event for the next record and keeps the field slice's room.
func (e *Event) Reset() {
	f := e.Fields[:0]
	*e = Event{Fields: f}
}
