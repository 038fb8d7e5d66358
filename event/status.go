package event

import "time"

// SourceState is how a source is doing.
type SourceState uint8

// The states a source can be in.
const (
	SourceStarting SourceState = iota
	SourceLive
	SourceCatchingUp
	SourceSilent   // longer quiet than its kind may be
	SourceRetrying // failed; Reason says why, NextTry when
	SourceDenied   // may not be read
	SourceGone     // vanished; will be read again if it returns
	SourceDone     // read to its end; static
	SourceSkipped  // found but not read; Reason says why
)

var sourceStateNames = [...]string{"starting", "live", "catching up", "silent", "retrying", "denied", "gone", "done", "skipped"}

// String returns the state in words.
func (s SourceState) String() string { return sourceStateNames[s] }

// SourceStatus is what the sources screen shows of one source or peer.
type SourceStatus struct {
	ID       SourceID
	Kind     string // "file", "agent", "journald", …
	Name     string // for people
	State    SourceState
	Reason   string // one sentence, when State is not live
	Flags    Flags  // FlagVanished: its file is gone from its name while a writer still has it open
	Format   string
	Records  uint64
	Bytes    uint64
	Lost     uint64
	LastLoss time.Time     // when the newest of that was noticed
	LossWhy  string        // one sentence about it
	Late     uint64        // records that came late
	Quiet    time.Time     // since when it is silent; zero unless State is SourceSilent
	LastTime time.Time     // event time of the newest record
	LastSeen time.Time     // when it arrived
	Lag      time.Duration // arrival behind event time, of the newest record
	Behind   int64         // bytes not yet read, -1 unknown
	NextTry  time.Time
	Peer     *PeerStatus // for agents and what they deliver
}

// PeerStatus is the state of an agent's connection.
type PeerStatus struct {
	Address  string
	Version  string
	Protocol int
	Skew     time.Duration // the peer's clock minus ours
	CertEnds time.Time
	Identity string // URI SAN
}
