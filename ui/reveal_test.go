package ui

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/query"
	"bartizan/triage"
)

const (
	hush        = "hunter2secret"
	firstChoice = 6 // the form's row of the first field
)

// leak is a night with a password in a record, and an alert about it.
func leak() *world {
	w := story()
	w.add(auth, "Nov 21 02:14:00 bastion app[9]: login user=ana password="+hush+" failed", event.LevelNotice, "user.name=ana", "password="+hush)
	a := w.raise("5ec2e7", "A password in a log", detect.Critical, 99, "password", hush, event.Entity{Kind: event.EntityUser, Value: "ana"})
	w.rules[a.RuleID].Cond = query.Or{
		&query.Pred{Field: "password", Op: query.OpEqual, Value: "x"},
		&query.Pred{Field: "user.name", Op: query.OpFieldEqual, Value: "password", How: query.OpEqual},
	}
	return library(w)
}

// TestReveal: a secret is shown on a key, after the journal has it, and hidden
// again when the page is left.
func TestReveal(t *testing.T) {
	for name, way := range map[string]string{"alert": "enter", "record": "2 G enter"} {
		t.Run(name, func(t *testing.T) {
			d := newDriver(t, leak(), nil)
			d.attach(200, 50)
			d.press(way)
			d.sees("‹masked:")
			d.misses(hush)
			d.press("M")
			d.sees(hush, "noted in the journal")
			if n := len(d.w.journal); n != 1 {
				t.Fatalf("%d rows in the journal", n)
			}
			row := d.w.journal[0]
			if row.Do != triage.DoReveal || row.By.Name != "ana" || !strings.Contains(row.Note, "file:/var/log/auth.log") || !strings.Contains(row.Note, "password") || strings.Contains(row.Note, hush) {
				t.Errorf("the row is %+v", row)
			}
			if (len(row.On) > 0) != (name == "alert") {
				t.Errorf("it is about %v", row.On)
			}
			d.press("M")
			d.misses(hush)
			d.press("M")
			d.sees(hush)
			d.press("9")
			d.sees("reveal")
			d.misses(hush)
			d.press("[")
			d.misses(hush)
			d.sees("‹masked:")
		})
	}
}

// TestRevealWaitsForTheDisk: what is not in the journal is not shown.
func TestRevealWaitsForTheDisk(t *testing.T) {
	w := leak()
	w.refuse = errors.New("the disk is full")
	d := newDriver(t, w, nil)
	d.press("enter M")
	d.sees("not shown: the disk is full")
	d.misses(hush)
	d = newDriver(t, leak(), func(o *Options) { o.ReadOnly = true })
	d.press("enter M")
	d.sees("read-only")
	d.misses(hush)
	d = newDriver(t, library(story()), nil)
	d.press("enter M")
	d.sees("nothing on this page is masked")
	d.press("q tab M")
	d.sees("only a record's or an alert's page shows secrets")
}

// TestRevealEndsWithTheTerminal: who attaches again sees it masked.
func TestRevealEndsWithTheTerminal(t *testing.T) {
	d := newDriver(t, leak(), nil)
	d.press("enter M")
	d.sees(hush)
	d.run(d.c.Init())
	d.misses(hush)
}

// TestSecretsAreNotCopied: nothing masked leaves by a copy unless it was revealed.
func TestSecretsAreNotCopied(t *testing.T) {
	for name, way := range map[string]string{"alerts": "", "stream": "2 G", "alert": "enter", "record": "2 G enter"} {
		d := newDriver(t, leak(), nil)
		d.attach(200, 50)
		d.press(way)
		for range 60 {
			for _, k := range []string{"copy-line", "copy-raw", "copy-json", "copy-field", "copy-markdown"} {
				if text := d.copies(k); strings.Contains(text, hush) {
					t.Fatalf("%s: %s gives %q", name, k, text)
				}
			}
			if d.press("j"); name == "alerts" || name == "stream" {
				break
			}
		}
	}
}

// TestRevealedIsCopiedWhenAsked: after M the value and the record can be copied as
// they are, the line cannot.
func TestRevealedIsCopiedWhenAsked(t *testing.T) {
	d := newDriver(t, leak(), nil)
	d.attach(200, 50)
	d.press("2 G enter M")
	at := -1
	for i, l := range d.c.places.now().(*eventView).pager.lines {
		if l.field == "password" {
			at = i
		}
	}
	d.press("g g" + strings.Repeat(" j", at))
	for k, want := range map[string]bool{"copy-field": true, "copy-raw": true, "copy-line": false, "copy-markdown": false, "copy-json": false} {
		if text := d.copies(k); strings.Contains(text, hush) != want {
			t.Errorf("%s gives %q", k, text)
		}
	}
	d.press("!")
	d.sees("the value is a secret")
}

// copies is what a command would put into the clipboard, "" where it refuses.
func (d *driver) copies(name string) string {
	for _, b := range d.c.bindings() {
		if b.Name == name && d.c.why(b) == "" {
			return fmt.Sprint(b.Do()())
		}
	}
	return ""
}

// TestExceptionHidesSecrets: neither the form, nor the file shown, nor the line to
// type in has them; what is written has.
func TestExceptionHidesSecrets(t *testing.T) {
	d := newDriver(t, leak(), nil)
	d.attach(120, 40)
	d.press("x")
	f := d.c.places.now().(*exceptionForm)
	at := -1
	for i, w := range f.x.Where {
		f.x.Where[i].Picked = w.Field == "password"
		if w.Field == "password" {
			at = i
		}
	}
	if at < 0 {
		t.Fatalf("no password among %+v", f.x.Where)
	}
	d.run(f.changed())
	d.settle()
	d.sees("[x] password = ‹masked:", "password: ‹masked:", "the file will have them in clear", "1 of 1 record pinned")
	d.misses(hush)
	f.list.To(int64(firstChoice + at))
	d.press("enter")
	d.sees("the value is a secret and is not shown")
	d.misses(hush)
	d.press("enter")
	if f.x.Where[at].Value != hush {
		t.Errorf("Enter alone made it %q", f.x.Where[at].Value)
	}
	f.list.To(int64(firstChoice + at))
	d.press("enter")
	d.typed("hunter*")
	d.press("enter")
	if f.x.Where[at].Value != "hunter*" {
		t.Errorf("it is %q", f.x.Where[at].Value)
	}
}

// TestExceptionKeepsBytes: a value with bytes that no key writes is not changed by
// looking at it.
func TestExceptionKeepsBytes(t *testing.T) {
	d := newDriver(t, leak(), nil)
	d.press("x")
	f := d.c.places.now().(*exceptionForm)
	const odd = "a\x00b\x1b[2Jc\td\ne"
	f.x.Where[0].Value = odd
	f.list.To(firstChoice)
	d.press("enter")
	d.sees("bytes that no key writes")
	d.press("enter")
	if f.x.Where[0].Value != odd {
		t.Errorf("it became %q", f.x.Where[0].Value)
	}
}

// TestLongRuleText: what of a rule is not shown is said.
func TestLongRuleText(t *testing.T) {
	d := newDriver(t, story(), nil)
	for text, want := range map[string]string{
		strings.Repeat("x", maxTextBytes+10):  "and 10 more bytes",
		strings.Repeat("x\n", maxTextLines+1): "and more",
		strings.Repeat("x", maxTextBytes):     "",
		"one line":                            "",
	} {
		l := d.c.textLines(text)
		last := strings.TrimSpace(l[len(l)-1].text())
		if strings.HasPrefix(last, "and") != (want != "") || want != "" && last != want {
			t.Errorf("%d bytes end with %q, wanted %q", len(text), head(last, 40), want)
		}
	}
}

// TestSecretsAreNotFollowed: Enter on a secret, revealed or not, makes no page and no
// filter that would show it.
func TestSecretsAreNotFollowed(t *testing.T) {
	for _, way := range []string{"enter", "2 G enter", "2 G enter M"} {
		d := newDriver(t, leak(), nil)
		d.attach(200, 50)
		d.press(way)
		before := d.c.places.now()
		refused := 0
		for _, l := range linesOf(before) {
			if l.value != hush || l.open == nil {
				continue
			}
			d.run(l.open())
			if d.c.places.now() != before {
				t.Fatalf("%s: Enter on %s opens %q", way, l.field, d.c.places.now().Title())
			}
			d.sees("the value is a secret")
			refused++
		}
		if refused == 0 {
			t.Errorf("%s: there is no secret to follow", way)
		}
		d.run(d.c.exclude("password", hush))
		d.run(d.c.filterTo("password: " + hush))
		d.press("2")
		d.sees("filter password: ‹masked:")
		d.misses(hush)
		d.run(d.c.pivot(event.Entity{Kind: event.EntityUser, Value: "https://ana:" + hush + "@example.org/"}))
		d.misses(hush)
	}
}

// linesOf are the lines of a page about one thing.
func linesOf(s Screen) []line {
	switch s := s.(type) {
	case *detail:
		return s.pager.lines
	case *eventView:
		return s.pager.lines
	}
	return nil
}
