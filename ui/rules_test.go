package ui

import (
	"errors"
	"strings"
	"testing"
	"time"

	"bartizan/event"
)

func TestReloadByKeyAndByName(t *testing.T) {
	d := newDriver(t, library(story()), nil)
	d.press("7 R")
	d.sees("1 added, 1 broken, old version kept", "broken: ␛[31mbad.yml:3", "asked for by ana")
	d.press("q :")
	d.typed("reload-rules")
	d.press("enter")
	if d.w.book.reloads != 2 {
		t.Fatalf("%d reloads", d.w.book.reloads)
	}
}

func TestReadOnlyChangesNoRules(t *testing.T) {
	d := newDriver(t, library(story()), func(o *Options) { o.ReadOnly = true })
	d.press("x")
	d.sees("read-only, so exception does nothing")
	d.press("7 R")
	d.sees("read-only, so reload-rules does nothing")
	d.press("j j j S")
	d.sees("read-only, so switch-on does nothing")
	if d.w.book.reloads+len(d.w.book.on)+len(d.w.book.made) > 0 {
		t.Fatalf("a read-only console changed rules: %+v", d.w.book)
	}
}

func TestSwitchedOffRuleRunsAgain(t *testing.T) {
	d := newDriver(t, library(story()), nil)
	d.press("7 S")
	d.sees("the rule under the cursor is not switched off")
	d.press("j j j S")
	d.sees("the rule runs again")
	if strings.Join(d.w.book.on, " ") != "r-slow" {
		t.Fatalf("switched on: %q", d.w.book.on)
	}
	d.misses("Any word of a long list")
}

// The list is made anew when the rules were read again, and the cursor stays on
// its rule.
func TestRulesScreenFollowsReload(t *testing.T) {
	d := newDriver(t, library(story()), nil)
	d.press("7 /")
	d.typed("Scanner")
	d.press("enter n")
	before := d.c.places.now().(*rulesPage).current().value
	d.w.mu.Lock()
	d.w.book.rows = d.w.book.rows[1:]
	d.w.book.last = Reload{At: clock.Add(time.Second), Why: "a rule file changed", Words: "1 removed"}
	d.w.mu.Unlock()
	d.change()
	d.sees("1 removed")
	d.misses("Any word of a long list")
	if now := d.c.places.now().(*rulesPage).current().value; now != before || now == "" {
		t.Fatalf("the cursor went from %q to %q", before, now)
	}
}

func TestExceptionFromAnAlert(t *testing.T) {
	d := newDriver(t, library(story()), nil)
	d.press("x")
	d.sees("[x] user.name = root", "hides    1 of 1 record pinned", "will be written to exception-1.yml")
	d.press("x")
	d.sees("needs a reason")
	d.press("enter")
	d.typed("the nightly job\x1b does this")
	d.press("enter j j j j space")
	d.sees("[ ] user.name = root")
	d.press("j enter")
	d.typed("*")
	d.press("enter k k k k enter")
	d.typed("0d")
	d.press("enter")
	d.sees("2026-11-22 00:00 UTC")
	d.press("x")
	d.sees("exception saved and in force: exception-1.yml")
	made := d.w.book.made
	if len(made) != 1 || made[0].Owner != "ana" || !strings.HasPrefix(made[0].Reason, "the nightly job") || made[0].Where[0].Picked ||
		made[0].Where[1].Value != "203.0.113.9*" || made[0].Rule != "rule-9f3ce1" {
		t.Fatalf("made %+v", made)
	}
	if n := len(d.w.journal); n != 1 || !strings.Contains(d.w.journal[0].Note, "nightly job") {
		t.Fatalf("journal %+v", d.w.journal)
	}
	if d.c.places.at != 0 {
		t.Fatal("the form is still open")
	}
}

func TestExceptionThatCannotBe(t *testing.T) {
	d := newDriver(t, library(story()), nil)
	d.press("x j j j j space j space")
	d.sees("tick at least one field")
	d.press("x")
	d.sees("! tick at least one field")
	d.press("space k k k k k enter")
	d.typed("why")
	d.press("enter")
	d.w.book.refuse = errors.New("the disk is full\x1b[2J")
	d.press("x")
	d.sees("not in force: the disk is full␛[2J")
	if len(d.w.book.made) > 0 || d.c.places.now().Title() != "exception" {
		t.Fatal("the form claims what was not saved")
	}
	d.press("q space j space x")
	d.sees("made from one alert")
}

func TestExpiry(t *testing.T) {
	now := time.Date(2026, 11, 21, 2, 16, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"30d": "2026-12-22", "1": "2026-11-23", " 0d ": "2026-11-22", "2026-12-31": "2027-01-01", "2026-11-21": "2026-11-22",
		"367d": "", "-1d": "", "2026-11-20": "", "2036-01-01": "", "soon": "", "": "", "\x1b[2J": "", "99999999999999999999d": "",
	} {
		at, err := parseExpiry(text, now)
		if got := at.Format(time.DateOnly); (err == nil) != (want != "") || err == nil && got != want {
			t.Errorf("%q is %s, %v", text, got, err)
		}
	}
}

func TestConditionTreeFolds(t *testing.T) {
	w := library(story())
	w.book.counted = map[string][]Counted{"rule-9f3ce1": {
		{Event: &event.Event{Time: start, Raw: []byte("Failed password for \x1b[2Jroot")}, Rules: w.ruleSet().Rules()[:1]},
	}}
	d := newDriver(t, w, nil)
	d.press("enter tab tab tab tab")
	d.sees(" false     ▼ any of", "user.name: backup  seen root", "the window: 1 record counted", "␛[2Jroot")
	d.press("j j j j enter")
	d.sees(" false     ▸ any of (2 questions)")
	d.misses("user.name: backup")
	d.press("enter")
	d.sees("user.name: backup  seen root")
}

// What a rule finds and what to do first is read to its end, also on a narrow
// terminal.
func TestProseOfARuleWraps(t *testing.T) {
	long := strings.Repeat("look at the host first ", 8) + "and then call the owner"
	d := newDriver(t, library(story()), nil)
	for i := range d.w.book.rows {
		if d.w.book.rows[i].Rule.ID == "r-count" {
			d.w.book.rows[i].Rule.Runbook = long
		}
	}
	d.press("7 /")
	d.typed("Many failed")
	d.press("enter n enter")
	if !strings.Contains(d.c.places.now().Title(), "rule: ") {
		t.Fatal(d.c.places.now().Title())
	}
	d.sees("then call the owner")
}
