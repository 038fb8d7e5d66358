package triage

import (
	"fmt"
	"time"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/query"
)

// AlertID is the alert's fingerprint in hex, a dash and its episode: "9f3c…e1-2".
// Any unambiguous beginning finds it on the command line.
type AlertID string

// State is where an alert stands.
type State string

// The states.
const (
	StateNew     State = "new"
	StateTaken   State = "taken"
	StateSnoozed State = "snoozed"
	StateClosed  State = "closed"
)

// Verdict is why an alert was closed; the number is OCSF's verdict_id.
type Verdict uint8

// The verdicts a person can give (OCSF incident profile).
const (
	VerdictNone             Verdict = 0
	VerdictFalsePositive    Verdict = 1
	VerdictTruePositive     Verdict = 2
	VerdictSuspicious       Verdict = 4
	VerdictBenign           Verdict = 5
	VerdictTest             Verdict = 6
	VerdictInsufficientData Verdict = 7
	VerdictDuplicate        Verdict = 10
)

// Verdicts is the one table of verdicts: key in the close menu, name, words.
var Verdicts = []struct {
	Verdict Verdict
	Key     string
	Name    string // in JSON and on the command line
	Words   string // OCSF's caption
}{
	{VerdictTruePositive, "t", "true_positive", "True Positive"},
	{VerdictBenign, "b", "benign", "Benign"},
	{VerdictFalsePositive, "f", "false_positive", "False Positive"},
	{VerdictDuplicate, "d", "duplicate", "Duplicate"},
	{VerdictSuspicious, "s", "suspicious", "Suspicious"},
	{VerdictTest, "x", "test", "Test"},
	{VerdictInsufficientData, "i", "insufficient_data", "Insufficient Data"},
}

// String is the verdict's name; "" for none.
func (v Verdict) String() string {
	for _, d := range Verdicts {
		if d.Verdict == v {
			return d.Name
		}
	}
	return ""
}

// MarshalText spells the verdict by its name; none is the empty text.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads a verdict's name.
func (v *Verdict) UnmarshalText(b []byte) error {
	*v = VerdictNone
	if len(b) == 0 {
		return nil
	}
	for _, d := range Verdicts {
		if d.Name == string(b) {
			*v = d.Verdict
			return nil
		}
	}
	return fmt.Errorf("there is no verdict %q", b)
}

// Actor is who made a move. UID, LoginUID and Session come from the kernel;
// Claimed is what the person's environment says (the SSH address).
type Actor struct {
	Name     string `json:"name"`
	UID      int    `json:"uid"`
	LoginUID int    `json:"login_uid"`
	Session  int    `json:"session"`
	Claimed  string `json:"claimed,omitempty"`
	Machine  bool   `json:"machine,omitempty"` // the engine itself: snooze ended, re-raised
}

// Alert is hits with the same fingerprint, as one thing to decide about.
// Values of this type are immutable snapshots of the board.
type Alert struct {
	ID          AlertID          `json:"id"`
	Fingerprint string           `json:"fingerprint"`
	Episode     int              `json:"episode"`
	Previous    AlertID          `json:"previous,omitempty"` // the episode before
	RuleID      string           `json:"rule_id"`
	RuleKind    detect.Kind      `json:"rule_kind"`
	Title       string           `json:"title"`
	Severity    detect.Severity  `json:"severity"`
	Tags        []string         `json:"tags"`
	Runbook     string           `json:"runbook,omitempty"`
	Group       []event.Entity   `json:"group"`    // what the fingerprint is over
	Entities    []event.Entity   `json:"entities"` // all seen, at most MaxEntities
	Sources     []event.SourceID `json:"sources"`
	First       time.Time        `json:"first"` // event time
	Last        time.Time        `json:"last"`
	Raised      time.Time        `json:"raised"` // when the engine made it
	Count       uint64           `json:"count"`  // hits
	Why         []query.Match    `json:"why"`    // of the newest hit
	Sample      string           `json:"sample"` // raw record of the newest hit, at most 4 KiB
	State       State            `json:"state"`
	Verdict     Verdict          `json:"verdict"`
	Owner       string           `json:"owner,omitempty"`
	Until       time.Time        `json:"until,omitzero"`     // end of a snooze
	Version     uint64           `json:"version"`            // changes on moves and re-raises, not on hits
	Reraised    string           `json:"reraised,omitempty"` // why it came back
	Risk        int              `json:"risk"`               // 0..100, the queue's order
	Background  bool             `json:"background"`         // internet-wide noise, folded into one row
	Notes       int              `json:"notes"`
	Outcome     Outcome          `json:"outcome,omitempty"`     // what the hits' events say of success
	Criticality int              `json:"criticality,omitempty"` // 0..10, of the most critical entity
	ActedCount  uint64           `json:"acted_count,omitempty"` // Count when a person acted; 0: nobody did since it rose
	Compromised []Distrust       `json:"compromised,omitempty"` // hosts among its sources that people do not trust now
}

// Outcome is what an alert's events say about success, from event.outcome.
type Outcome string

// The outcomes. OutcomeBroken is a success that came after failures.
const (
	OutcomeUnknown Outcome = ""
	OutcomeFailure Outcome = "failure"
	OutcomeSuccess Outcome = "success"
	OutcomeBroken  Outcome = "success after failure"
)

// Hit and HitID are detect's, so that rooms that may not import detect can store them.
type (
	Hit   = detect.Hit
	HitID = detect.HitID
)

// AlertVersion names exactly what a person saw.
type AlertVersion struct {
	ID      AlertID `json:"id"`
	Version uint64  `json:"version"`
}

// MoveID is a move's place in the journal, from 1.
type MoveID uint64

// Do is what a move does.
type Do string

// The moves. The last three are the machine's.
const (
	DoTake     Do = "take"
	DoClose    Do = "close"
	DoSnooze   Do = "snooze"
	DoNote     Do = "note"
	DoReopen   Do = "reopen"
	DoUndo     Do = "undo"
	DoDistrust Do = "distrust" // a host is compromised: what it says carries that mark
	DoTrust    Do = "trust"    // it is not any more
	DoReveal   Do = "reveal"   // masked secrets were shown to a person; the note says of which record
	DoRaise    Do = "raise"
	DoReraise  Do = "reraise"
	DoWake     Do = "wake"
)

// Move is one decision about exactly the alerts (and versions) that were shown.
type Move struct {
	Do      Do
	On      []AlertVersion
	Verdict Verdict   // with DoClose
	Until   time.Time // with DoSnooze
	Undoes  MoveID    // with DoUndo
	Host    string    // with DoDistrust and DoTrust, which are about no alert
	Note    string
	By      Actor
	At      time.Time
}

// Entry is one row of the journal. Hash is over Prev and the row's bytes.
type Entry struct {
	ID      MoveID         `json:"seq"`
	At      time.Time      `json:"at"`
	By      Actor          `json:"by"`
	Do      Do             `json:"do"`
	On      []AlertVersion `json:"on"`
	From    []State        `json:"from"`
	To      State          `json:"to"`
	Verdict Verdict        `json:"verdict"`
	Until   time.Time      `json:"until,omitzero"`
	Undoes  MoveID         `json:"undoes,omitempty"`
	Note    string         `json:"note,omitempty"`
	Prev    string         `json:"prev"`
	Host    string         `json:"host,omitempty"` // that a person trusts, or does not
	Hash    string         `json:"hash"`
}

// Evidence is one pinned raw record: the alert's own, or context around it.
type Evidence struct {
	Ref    event.Ref
	Line   int64
	Time   time.Time
	Raw    []byte
	Format string
	Hit    bool // false: a record just before or after
	Why    []query.Match
}

// The bounds of an alert.
const (
	MaxEntities  = 64
	MaxEvidence  = 20 // first and last records pinned, each
	ContextLines = 3  // records pinned before and after each hit, where they are still there
	MaxNote      = 4 << 10
	EpisodeQuiet = 24 * time.Hour
	ReraiseTimes = 10

	MaxSample     = 4 << 10             // bytes of the newest record kept in the alert itself
	MaxValue      = 512                 // bytes kept of one entity's value or one reason
	MaxWhy        = 32                  // reasons kept of the newest hit
	MaxSources    = 32                  // sources named per alert
	MaxPassing    = 8                   // sessions and request ids kept among an alert's entities
	MaxMoveAlerts = 100_000             // alerts one move may be about
	MaxSnooze     = 30 * 24 * time.Hour // longest snooze
	MaxFuture     = 5 * time.Minute     // how far ahead of the clock a record's time is believed
	MaxReraise    = 8                   // alerts one entity brings back when another rule hits it, newest decided first
	MaxAlerts     = 250_000             // beyond it, new groups of a rule fold into one alert of that rule
)
