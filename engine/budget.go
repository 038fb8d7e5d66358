package engine

import (
	"fmt"
	"time"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/store"
)

// maxOwn bounds our own findings that wait for the sequencer.
const maxOwn = 64

// offRule is our own finding that a rule was switched off: what it looks for is
// not looked for any more, and that must be seen.
var offRule = &detect.Rule{
	ID: "self:rule-off", Kind: detect.KindSelf, Title: "A rule was switched off because it takes too much time", Severity: detect.Medium,
	Description: "A rule took more time per event than its budget allows, which would slow down all others; it is not evaluated any more.",
	Runbook:     "Make the rule cheaper (a literal value instead of a wildcard or regular expression) or remove it; the rules screen (7) switches it on again.",
	GroupBy:     []string{"rule"},
}

// offWords say what a rule that was switched off took.
func offWords(o detect.OffRule) string {
	return fmt.Sprintf("switched off: it took %.3g ms for an event, the mean of %d measured", float64(o.Mean)/float64(time.Millisecond), o.Evaluations)
}

// tooSlow raises that a rule of a set was switched off; the goroutine that matches
// calls it. A batch goes on with the set it began with, so another may be in use now.
func (e *Engine) tooSlow(in *detect.Set, o detect.OffRule) {
	if now := e.rules.Load(); now != nil && now.set != in {
		now.set.KeepOff(in)
	}
	e.o.Log.Warn("a rule was switched off", "rule", o.Rule.ID, "title", o.Rule.Title, "mean", o.Mean)
	select {
	case e.own <- &notice{found: ownFinding(offRule, o.Rule.ID, fmt.Sprintf("rule %q (%s) was %s", o.Rule.Title, o.Rule.ID, offWords(o)), e.o.Now())}:
	default: // so many were switched off at once that one more tells nothing
	}
	e.watch.poke()
}

// elapsed is a clock for measuring: it only goes forward.
func (e *Engine) elapsed() time.Duration { return time.Since(e.born) }

// ownFinding is a hit of one of our own rules that no record stands behind; the
// sentence takes the record's place.
func ownFinding(r *detect.Rule, about, sentence string, now time.Time) store.Found {
	ev := &event.Event{
		Ref: event.Ref{Source: "bartizan", Offset: now.UnixNano()}, Time: now.UTC(), Seen: now.UTC(), Level: event.LevelWarning,
		FormatName: "bartizan", Raw: []byte(sentence), Message: sentence,
		Fields: []event.Field{{Name: "rule", Value: event.Value{Str: about, Pos: -1, End: -1}}}, Native: 1,
	}
	ref := ev.Ref.Sealed(ev.Raw)
	h := detect.NewHit(r, ev, nil, []event.Ref{ref}, 1)
	return store.Found{Hit: h}
}

// SwitchOn lets a rule that was switched off run again.
func (e *Engine) SwitchOn(id string) error {
	if !e.rules.Load().set.SwitchOn(id) {
		return fmt.Errorf("the rule %s is not switched off", id)
	}
	e.o.Log.Info("a rule was switched on again", "rule", id)
	e.watch.poke()
	return nil
}
