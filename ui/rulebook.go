package ui

import (
	"context"
	"time"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/triage"
)

// Judge is what a Live may offer besides: the rule of an alert, judged against a
// record part by part. Its methods may take a while and are called from tasks.
type Judge interface {
	// Tree judges every part of a rule's condition; nil when it is not loaded.
	Tree(rule string, e *event.Event) *detect.Tree
	// Counted finds the records in memory that the window of a rule held when last
	// completed it, oldest first; nil for a rule without a window.
	Counted(ctx context.Context, rule string, last *event.Event) ([]Counted, error)
	// RuleText is the rule as its file has it.
	RuleText(rule string) (string, error)
}

// Counted is one record of a window, with the rules it is a match of.
type Counted struct {
	Event *event.Event
	Rules []*detect.Rule
}

// RuleRow is one rule on the rules screen.
type RuleRow struct {
	Rule    *detect.Rule // of a refused one only File, Line and ID are known
	State   string       // on, expensive, off, shown, filter, expired, refused
	Why     string       // one sentence for a state other than on
	Hits    uint64       // since the engine began
	Windows int          // groups being counted
}

// Reload is what reading the rules again did.
type Reload struct {
	At    time.Time
	Why   string // who asked, or what changed
	Words string // one line: "3 added, 1 changed, 1 broken, old version kept"
	Lines []string
	Bad   bool // something was refused
}

// Rulebook is what a Live may offer besides: the rules in use, and ways to change
// which run. Reload blocks on files and is called from tasks.
type Rulebook interface {
	RuleRows() []RuleRow
	Windows(rule string) []detect.Window
	LastReload() Reload
	Reload(by triage.Actor) Reload
	SwitchOn(rule string) error
}

// Where is one field of an exception and the value it must have; * and ? in it
// stand for any text and any character. Comp and Values are the engine's.
type Where struct {
	Field  string
	Value  string
	Picked bool // part of the exception; of a choice: offered as such

	Comp   string
	Values []string
}

// Exception is a person's wish that a rule does not hit for some events.
type Exception struct {
	Rule    string
	Where   []Where
	Owner   string
	Reason  string
	Expires time.Time
}

// Preview is what an exception would have hidden of the alerts on the board.
type Preview struct {
	File    string // that would be written
	Text    string
	On      string // a sentence about where it holds, where that is not simply the rule
	Hits    int    // pinned records of alerts of the rule that were looked at
	Hidden  int    // of them, those it takes out
	Alerts  []HiddenAlert
	Skipped int // alerts not looked at
}

// HiddenAlert is an alert with pinned records that an exception takes out.
type HiddenAlert struct {
	ID           triage.AlertID
	Hits, Hidden int
}

// Excepter is what a Live may offer besides: exceptions to rules. All of it blocks
// on disks and is called from tasks.
type Excepter interface {
	// Choices are the fields an exception could name; the error says why none is possible.
	Choices(rule string, e *event.Event, group []event.Entity) ([]Where, error)
	// Preview asks an exception about what is pinned, and says what would be written.
	Preview(ctx context.Context, x Exception) (Preview, error)
	// Except writes it, notes it in the journal and puts it in force.
	Except(x Exception, on triage.AlertVersion, by triage.Actor) (file string, err error)
}
