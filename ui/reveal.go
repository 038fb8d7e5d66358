package ui

import (
	"context"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"bartizan/event"
	"bartizan/triage"
)

// maxHidden bounds the names that a row of the journal lists.
const maxHidden = 32

// secrets is the state of a page that can show in clear what is masked. Nothing
// is shown before the row that says so is on disk, and it is hidden again when
// the page is left.
type secrets struct {
	c      *Console
	page   func() Screen
	build  func()                                        // makes the lines of the page anew
	about  func() (what string, on *triage.AlertVersion) // the record, and the alert it is evidence of
	clear  bool
	busy   bool
	hidden []string // names of fields that are masked on the page; "" is the record itself
}

// binding is the key that reveals and hides.
func (s *secrets) binding() Binding {
	return Binding{Name: "reveal", Off: s.off, Do: s.toggle}
}

func (s *secrets) off() string {
	switch {
	case s.busy:
		return "it is shown as soon as the journal says so on disk"
	case len(s.hidden) == 0:
		return "nothing on this page is masked"
	}
	return ""
}

// during makes lines while the console knows whose they are.
func (s *secrets) during(build func()) {
	s.hidden = s.hidden[:0]
	before := s.c.shows
	s.c.shows = s
	build()
	s.c.shows = before
}

// found notes what is masked on the page and says whether it is shown in clear.
func (s *secrets) found(name string) bool {
	if s == nil {
		return false
	}
	if len(s.hidden) < maxHidden && !slices.Contains(s.hidden, name) {
		s.hidden = append(s.hidden, name)
	}
	return s.clear
}

// toggle hides what is shown, or writes the row and shows it.
func (s *secrets) toggle() tea.Cmd {
	c := s.c
	if s.clear {
		c.conceal()
		return nil
	}
	s.busy = true
	what, on := s.about()
	m := triage.Move{Do: triage.DoReveal, Note: s.note(what), By: c.opt.Actor, At: c.now()}
	if on != nil {
		m.On = []triage.AlertVersion{*on}
	}
	desk := c.opt.Desk
	_, cmd := c.spawn(func(context.Context) func() tea.Cmd {
		_, err := desk.Apply(m)
		return func() tea.Cmd {
			s.busy = false
			c.refresh()
			switch {
			case err != nil:
				c.complain("not shown: %s", clean(err.Error()))
			case c.places.now() != s.page():
				c.say("the page was left, so nothing is shown; the journal says that it was asked for")
			default:
				c.conceal()
				c.clear, s.clear = s, true
				s.build()
				c.say("shown in clear, and noted in the journal; M or leaving the page hides it")
			}
			return c.changed()
		}
	})
	return cmd
}

// note is what the journal says: which record, which fields.
func (s *secrets) note(what string) string {
	var names []string
	for _, n := range s.hidden {
		if n == "" {
			n = "the record"
		}
		names = append(names, n)
	}
	return head(strings.ToValidUTF8(fmt.Sprintf("%s: %s", what, strings.Join(names, ", ")), "\uFFFD"), triage.MaxNote)
}

// conceal hides what a page shows in clear.
func (c *Console) conceal() {
	if s := c.clear; s != nil {
		c.clear, s.clear = nil, false
		s.build()
	}
}

// concealLeft hides it when the page is not the place any more.
func (c *Console) concealLeft() {
	if c.clear != nil && c.places.now() != c.clear.page() {
		c.conceal()
	}
}

// maskField is a field's value as it is shown: its secrets are hidden unless the
// person had them revealed on this page. secret says that there are some.
func (c *Console) maskField(name, value string) (shown string, secret bool) {
	shown = c.opt.Mask.MaskField(name, value)
	if secret = shown != value; secret && c.shows.found(name) {
		shown = value
	}
	return shown, secret
}

// hasSecret says whether text holds something that is masked.
func (c *Console) hasSecret(text []byte) bool {
	return len(c.opt.Mask.Mask(nil, text)) != len(text) || c.opt.Mask.MaskString(string(text)) != string(text)
}

// withheld says that a record is not copied as it is: it has secrets that are not
// shown on this page either.
func (c *Console) withheld(raw []byte) bool { return c.clear == nil && c.hasSecret(raw) }

// recordName says for the journal which record is meant.
func recordName(ref event.Ref, line int64) string {
	name := string(ref.Source)
	if line > 0 {
		return fmt.Sprintf("%s, line %d", name, line)
	}
	return fmt.Sprintf("%s, byte %d", name, ref.Offset)
}

// evidenceName says which records an alert's page shows: the newest hit and what
// stands around it.
func (d *detail) evidenceName() (string, *triage.AlertVersion) {
	a := d.alert()
	if a == nil {
		return "an alert that is gone", nil
	}
	on := &triage.AlertVersion{ID: a.ID, Version: a.Version}
	if hit := newestHit(d.evidence); hit != nil {
		return recordName(hit.Ref, hit.Line) + ", with what came before and after", on
	}
	return "the newest record of the alert", on
}

// maskedAlert is an alert as it is copied, its secrets hidden.
func maskedAlert(c *Console, a *triage.Alert) *triage.Alert {
	out := *a
	out.Sample = c.opt.Mask.MaskString(a.Sample)
	out.Why = slices.Clone(a.Why)
	for i := range out.Why {
		out.Why[i].Predicate = c.opt.Mask.MaskString(out.Why[i].Predicate)
		out.Why[i].Value = c.opt.Mask.MaskField(out.Why[i].Field, out.Why[i].Value)
	}
	return &out
}
