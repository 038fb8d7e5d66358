package detect

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"

	"bartizan/event"
	"bartizan/query"
)

// Severity is how bad a rule finds what it found, in Sigma's five steps.
type Severity uint8

// The severities, ordered.
const (
	Informational Severity = iota
	Low
	Medium
	High
	Critical
)

var severityNames = [...]string{"informational", "low", "medium", "high", "critical"}

// String returns Sigma's word for it.
func (s Severity) String() string { return severityNames[s] }

// ParseSeverity reads Sigma's word; ok is false for any other.
func ParseSeverity(s string) (Severity, bool) {
	for i, n := range severityNames {
		if n == s {
			return Severity(i), true
		}
	}
	return 0, false
}

// MarshalText spells the severity by its word.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a severity's word.
func (s *Severity) UnmarshalText(b []byte) error {
	v, ok := ParseSeverity(string(b))
	if !ok {
		return fmt.Errorf("there is no severity %q", b)
	}
	*s = v
	return nil
}

// Kind is which dialect a rule was written in.
type Kind string

// The kinds of rule.
const (
	KindSigma Kind = "sigma"
	KindQuick Kind = "quick"
	KindFalco Kind = "falco" // an incoming Falco alert; Cond is nil
	KindSelf  Kind = "self"  // raised by Bartizan itself: gap, truncation, clock

	KindFilter Kind = "filter" // a Sigma filter: it never hits, other rules hit less for it
)

// Rule is something that can hit. It is immutable once it is in a Set.
type Rule struct {
	ID             string // Sigma's id, or "quick:NAME", "falco:NAME", "self:NAME"
	Kind           Kind
	Title          string
	Description    string
	Severity       Severity
	Status         string
	Author         string
	Tags           []string // "attack.t1110.001", "attack.credential-access"
	References     []string
	FalsePositives []string
	Runbook        string // one line: what to do first
	LogSource      event.LogSource
	Cond           query.Node
	GroupBy        []string      // fields whose values make the alert's fingerprint; nil: actor and target entity
	Count          int           // > 1: hit only when Count events of one group fall within Within
	Within         time.Duration //
	Fields         []string      // fields worth showing first
	File           string
	Line           int
	Hash           [16]byte // of the rule's source text; unchanged rules keep their state over a reload
	Hit, Miss      []string // lines that must and must not hit (our key in the rule file)

	Name        string       // another name that correlations and filters may use
	Correlation *Correlation // not nil: hits when matches of rules (its own, where it names none) make a window
	Filter      *Filter      // of KindFilter
	Filters     []string     // ids of the filters that are part of Cond
	Silent      bool         // its matches only feed correlations; they are no hits of their own
}

// Filter is a Sigma filter: what it is added to, and the condition added, which
// is the opposite of what it excludes.
type Filter struct {
	Rules []string // ids or names; empty: every rule of its log source
	Keep  query.Node

	Owner   string    // who answers for it
	Reason  string    // why it was made
	Expires time.Time // when it ends; zero: never
	Expired bool      // it had ended when it was loaded, so it was not added to any rule
}

// Hit is one rule that met one event, or one window of events.
type Hit struct {
	ID    HitID
	Rule  *Rule
	Refs  []event.Ref // sealed; the last is the event that completed it
	Why   []query.Match
	Event *event.Event // the completing event; only valid while its batch is
	Group []event.Entity
	Count int // events in the window, 1 for a stateless rule
}

// HitID is the same for the same rule over the same bytes, so a hit that is
// found again (after a restart, from a copy) is one hit.
type HitID [16]byte

// String is the id in hex.
func (h HitID) String() string { return hex.EncodeToString(h[:]) }

// NewHitID hashes the rule's id and the sealed references, length-prefixed.
func NewHitID(rule string, refs []event.Ref) HitID {
	h := sha256.New()
	put := func(b []byte) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(b)))
		h.Write(n[:])
		h.Write(b)
	}
	put([]byte(rule))
	for _, r := range refs {
		put([]byte(r.Source))
		var at [16]byte
		binary.BigEndian.PutUint64(at[:], uint64(r.Offset))
		binary.BigEndian.PutUint64(at[8:], r.File.Ino)
		put(at[:])
		put(r.Hash[:])
	}
	var id HitID
	copy(id[:], h.Sum(nil))
	return id
}
