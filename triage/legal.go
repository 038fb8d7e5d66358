package triage

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// What a refused move is; the error's text is the sentence for the person.
var (
	ErrStale   = errors.New("changed since you saw it")
	ErrIllegal = errors.New("not possible")
)

// refusal is a sentence of its own that still answers errors.Is.
type refusal struct {
	kind error
	text string
}

func (r *refusal) Error() string { return r.text }
func (r *refusal) Unwrap() error { return r.kind }

func illegal(format string, args ...any) error {
	return &refusal{ErrIllegal, fmt.Sprintf(format, args...)}
}

// legalFrom is the table of moves: from which states, to which state ("" is
// unchanged), and whether it is the machine's.
var legalFrom = map[Do]struct {
	from    []State
	to      State
	machine bool
}{
	DoTake:     {[]State{StateNew, StateTaken, StateSnoozed}, StateTaken, false},
	DoClose:    {[]State{StateNew, StateTaken, StateSnoozed}, StateClosed, false},
	DoSnooze:   {[]State{StateNew, StateTaken, StateSnoozed}, StateSnoozed, false},
	DoNote:     {[]State{StateNew, StateTaken, StateSnoozed, StateClosed}, "", false},
	DoReopen:   {[]State{StateSnoozed, StateClosed}, StateNew, false},
	DoUndo:     {[]State{StateNew, StateTaken, StateSnoozed, StateClosed}, "", false},
	DoDistrust: {nil, "", false},
	DoTrust:    {nil, "", false},
	DoReveal:   {[]State{StateNew, StateTaken, StateSnoozed, StateClosed}, "", false},
	DoRaise:    {nil, StateNew, true},
	DoReraise:  {[]State{StateTaken, StateSnoozed, StateClosed}, StateNew, true},
	DoWake:     {[]State{StateSnoozed}, StateNew, true},
}

// peoplesMoves are the moves that are not the machine's, as sentences name them.
const peoplesMoves = "take, close, snooze, note, reopen, reveal, distrust, trust and undo"

// Check says whether a person's move is legal now and returns its journal row,
// unhashed and not yet applied. A refusal is one sentence about the first alert
// in the way; it is ErrStale or ErrIllegal. A move of undo may leave On empty:
// it is then about all alerts of the move it undoes, as they stand.
func (b *Board) Check(m Move) (Entry, error) {
	if err := wellFormed(m); err != nil {
		return Entry{}, err
	}
	if m.Do == DoUndo {
		return b.checkUndo(m)
	}
	if aboutHost(m.Do) {
		return b.checkHost(m)
	}
	e := b.entry(m, m.On)
	for _, v := range m.On {
		n, err := b.seen(v)
		if err != nil {
			return Entry{}, err
		}
		if err := allowed(m, n.alert); err != nil {
			return Entry{}, err
		}
		e.From = append(e.From, n.alert.State)
	}
	e.To = legalFrom[m.Do].to
	return e, nil
}

// entry makes the row of a move, its texts bounded and valid UTF-8.
func (b *Board) entry(m Move, on []AlertVersion) Entry {
	by := m.By
	by.Name, by.Claimed = tidy(by.Name), tidy(by.Claimed)
	e := Entry{ID: b.last + 1, At: m.At.Round(0).UTC(), By: by, Do: m.Do, On: append([]AlertVersion{}, on...), From: []State{}, Undoes: m.Undoes, Host: m.Host, Note: m.Note}
	switch m.Do {
	case DoClose:
		e.Verdict = m.Verdict
	case DoSnooze:
		e.Until = m.Until.Round(0).UTC()
	}
	return e
}

// tidy bounds a name the outside chose and makes it valid UTF-8.
func tidy(s string) string { return strings.ToValidUTF8(cut(s, 256), "\uFFFD") }

// cut returns at most n bytes of s, ending between characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// wellFormed checks what can be checked without the board.
func wellFormed(m Move) error {
	rule, known := legalFrom[m.Do]
	switch {
	case !known:
		return illegal("%q is no move; the moves are %s", cut(string(m.Do), 40), peoplesMoves)
	case rule.machine || m.By.Machine:
		return illegal("%s by %s is not possible: people %s, the engine only raises and wakes", m.Do, m.By.kind(), peoplesMoves)
	case m.By.Name == "":
		return illegal("a move needs the name of who makes it")
	case m.At.IsZero() || m.At.Year() < 1970 || m.At.Year() > 9000:
		return illegal("a move needs the time it is made at")
	case len(m.Note) > MaxNote:
		return illegal("the note has %d bytes; at most %d fit", len(m.Note), MaxNote)
	case !utf8.ValidString(m.Note):
		return illegal("the note is not valid UTF-8 text")
	}
	if err := wellFormedDo(m); err != nil {
		return err
	}
	if err := wellFormedHost(m); err != nil || aboutHost(m.Do) {
		return err
	}
	return wellFormedOn(m)
}

func (a Actor) kind() string {
	if a.Machine {
		return "the engine"
	}
	return "a person"
}

// wellFormedDo checks what each kind of move needs.
func wellFormedDo(m Move) error {
	switch {
	case m.Do == DoClose && m.Verdict.String() == "":
		return illegal("closing needs a verdict: %s", verdictNames())
	case m.Do == DoSnooze && !m.Until.After(m.At):
		return illegal("a snooze must end in the future")
	case m.Do == DoSnooze && m.Until.Sub(m.At) > MaxSnooze:
		return illegal("a snooze lasts at most %d days", int(MaxSnooze/(24*time.Hour)))
	case m.Do == DoNote && strings.TrimSpace(m.Note) == "":
		return illegal("a note needs text")
	case m.Do == DoReveal && strings.TrimSpace(m.Note) == "":
		return illegal("a reveal must say what is shown")
	case (m.Do == DoUndo) != (m.Undoes != 0):
		return illegal("an undo, and only an undo, names the move it undoes")
	}
	return nil
}

func verdictNames() string {
	var names []string
	for _, v := range Verdicts {
		names = append(names, v.Name)
	}
	return strings.Join(names, ", ")
}

// wellFormedOn checks the list of alerts.
func wellFormedOn(m Move) error {
	switch {
	case len(m.On) == 0 && m.Do != DoUndo && m.Do != DoReveal:
		return illegal("a move needs at least one alert")
	case len(m.On) > MaxMoveAlerts:
		return illegal("one move may be about at most %d alerts, not %d", MaxMoveAlerts, len(m.On))
	}
	have := make(map[AlertID]struct{}, len(m.On))
	for _, v := range m.On {
		if _, twice := have[v.ID]; twice {
			return illegal("alert %s is named twice", v.ID.short())
		}
		have[v.ID] = struct{}{}
	}
	return nil
}

// seen finds the alert and checks that the person saw it as it is.
func (b *Board) seen(v AlertVersion) (*node, error) {
	n := b.nodes[v.ID]
	switch {
	case n == nil:
		return nil, illegal("there is no alert %s", cut(v.ID.short(), 80))
	case n.alert.Version != v.Version:
		return nil, &refusal{ErrStale, fmt.Sprintf("alert %s changed since you saw it: now %s", v.ID.short(), n.alert.Standing())}
	}
	return n, nil
}

// allowed applies the table to one alert.
func allowed(m Move, a *Alert) error {
	switch {
	case !slices.Contains(legalFrom[m.Do].from, a.State) && a.State == StateClosed:
		return illegal("alert %s is %s: reopen it first", a.ID.short(), a.Standing())
	case !slices.Contains(legalFrom[m.Do].from, a.State):
		return illegal("alert %s is %s: it cannot be %s", a.ID.short(), a.Standing(), participle[m.Do])
	case m.Do == DoTake && a.State == StateTaken && a.Owner == tidy(m.By.Name):
		return illegal("alert %s is already yours", a.ID.short())
	}
	return nil
}

var participle = map[Do]string{DoTake: "taken", DoClose: "closed", DoSnooze: "snoozed", DoNote: "noted", DoReopen: "reopened", DoUndo: "undone"}

// Standing says in words where the alert stands: "taken by anna".
func (a *Alert) Standing() string {
	words := string(a.State)
	switch a.State {
	case StateClosed:
		words += " as " + a.Verdict.String()
	case StateSnoozed:
		words += " until " + stamp(a.Until)
	case StateNew:
		if a.Reraised != "" {
			return words + " again (" + a.Reraised + ")"
		}
		return words
	}
	if a.Owner != "" {
		words += " by " + a.Owner
	}
	return words
}
