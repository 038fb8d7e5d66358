package ui

import (
	"context"
	"time"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/query"
	"bartizan/triage"
)

// Live is what the screens need of the running pipeline. Every method is safe
// from any goroutine and none blocks on a source.
type Live interface {
	// Changed returns a channel of capacity one that is poked when anything
	// changed (events, board, sources), and a function that ends it.
	Changed() (<-chan struct{}, func())
	// Bounds returns the first event still held and the one after the last.
	// Both are 0 and 1 before the first event: Seq starts at 1.
	Bounds() (first, next uint64)
	// Read parses the event seq into e, which must not be kept by others: its
	// bytes and fields are e's own. ErrOverwritten when the ring has moved on.
	Read(seq uint64, e *event.Event) error
	// Hits returns what rules found on that event, nil when nothing.
	Hits(seq uint64) []HitMark
	// Scan calls found with every event in [from, to) that m matches, oldest
	// first (newest first when from > to), until found returns false or ctx ends.
	Scan(ctx context.Context, from, to uint64, m *query.Matcher, found func(seq uint64) bool) error
	// Sources lists all sources and peers as they are now, in a stable order.
	Sources() []event.SourceStatus
	// Status is what the header shows.
	Status() Status
	// RuleOf returns the rule with that id, nil when it is not loaded.
	RuleOf(id string) *detect.Rule
	// PushFilter asks agents to send only what matches q ("" for everything).
	PushFilter(q string) error
}

// HitMark is one rule's hit on one event in the ring.
type HitMark struct {
	Rule  *detect.Rule
	Alert triage.AlertID
	Why   []query.Match
}

// Status is the engine in one line.
type Status struct {
	Version       string
	DetectedSince time.Time // rules have seen everything since then; zero: nothing yet
	Progress      float64   // of the run over the last hours, 0..1; 1 is finished
	RingFrom      time.Time // oldest event held
	Rate          float64   // records per second over the last seconds
	Lost          uint64    // records known to be lost, all sources
	Rules         int
	Refused       int // rules that could not be loaded
	RulesOff      int // switched off because they take too much time
	Expired       int // exceptions that have ended
	Sources       int
	SourcesBad    int // not live
	Consoles      int // attached terminals
	ReadOnly      bool
	Problem       string // one sentence: journal full, disk, …; "" is fine
}

// Past searches what is no longer in memory.
type Past interface {
	// Search streams events that match q with event times in [from, to), of this
	// host's files (newest file first) and of those of all agents, as they are
	// found, until ctx ends or found returns false. Both functions are called by one
	// goroutine at a time.
	Search(ctx context.Context, q string, from, to time.Time, found func(*event.Event) bool, progress func(Searched)) error
	// Around returns up to n records before and after ref, whose time is at, from
	// where it lies: a file here or at an agent.
	Around(ctx context.Context, ref event.Ref, at time.Time, n int) (before, after []*event.Event, err error)
}

// Searched says how a search stands.
type Searched struct {
	Done   float64  // of the files on this host, 0..1
	Agents []Answer // of every agent that is asked, always in the same order
}

// Answer says how one agent does in a search.
type Answer struct {
	Agent       string // its name, or its address while nobody answered there
	Over        bool   // nothing more comes of it
	Problem     string // over: why it did not search, or not to the end
	Unreachable bool   // with Problem: it was never asked
	Done, Total int64  // bytes on disk
	Oldest      time.Time
	Matches     int
	Stopped     string   // by which limit it was stopped early
	Unread      []string // files it could not read, in its words
}

// Desk is the board as the screens need it.
type Desk interface {
	// Alerts returns all alerts in queue order (risk, then age), as one
	// immutable snapshot; gen changes when anything in it does.
	Alerts() (list []*triage.Alert, gen uint64)
	// Alert returns the alert as it stands now.
	Alert(id triage.AlertID) (*triage.Alert, bool)
	// Evidence returns the pinned records, oldest first.
	Evidence(id triage.AlertID) ([]triage.Evidence, error)
	// Journal returns the moves on one alert, oldest first ("" for all, newest limit).
	Journal(id triage.AlertID, limit int) ([]triage.Entry, error)
	// Apply makes the move: it checks that it is legal and that the versions are
	// current, writes it to disk, then changes the board. It blocks on the disk,
	// so screens call it from a command. The error is one sentence.
	Apply(m triage.Move) (triage.MoveID, error)
}

// Reparser is what a Live may offer besides: a pinned record parsed again, so
// that an alert's fields can be shown after the ring has moved on.
type Reparser interface {
	Reparse(e triage.Evidence) (*event.Event, error)
}
