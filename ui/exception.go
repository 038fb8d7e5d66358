package ui

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"bartizan/event"
	"bartizan/triage"
	"bartizan/ui/style"
)

// exceptionDays is how long an exception lasts unless the person says otherwise.
const exceptionDays = 30

// reasonRow is the row of the reason.
const reasonRow = 2

// exceptionForm makes an exception to the rule of an alert: which values, why,
// until when. It shows what it would have hidden before anything is written.
type exceptionForm struct {
	pager
	alert   triage.AlertID
	x       Exception
	from    Excepter
	loaded  bool
	busy    *task
	trouble string // why there can be no exception
	preview Preview
	problem string // why this one cannot be
	saving  bool
	saved   bool
}

// exceptions is the binding that opens the form on the alert under the cursor.
func (c *Console) exceptions(targets func() []*triage.Alert) Binding {
	d := decider{c: c, targets: targets}
	return Binding{Name: "exception", Off: func() string {
		if _, ok := c.opt.Live.(Excepter); !ok {
			return "this engine cannot write exceptions"
		}
		if list := targets(); len(list) > 1 {
			return "an exception is made from one alert; unmark the others"
		}
		return d.off()
	}, Do: func() tea.Cmd { return c.visit(newException(c, targets()[0])) }}
}

func newException(c *Console, a *triage.Alert) *exceptionForm {
	f := &exceptionForm{pager: pager{c: c}}
	if a != nil {
		f.alert = a.ID
		f.x = Exception{Rule: a.RuleID, Owner: c.opt.Actor.Name, Expires: c.now().UTC().Truncate(24*time.Hour).AddDate(0, 0, exceptionDays+1)}
	}
	f.from, _ = c.opt.Live.(Excepter)
	f.build()
	f.list.To(reasonRow) // what the person has to say
	return f
}

// Title is the crumb.
func (f *exceptionForm) Title() string { return "exception" }

// Draw shows the form.
func (f *exceptionForm) Draw(w, h int) string { return strings.Join(f.draw(w, h), "\n") }

// Keys are those of the page, ticking, and saving with the key that opened it.
func (f *exceptionForm) Keys() []Binding {
	out := f.keys()
	out[0].Hint = "change"
	return append(out[:1:1], append([]Binding{
		{Name: "mark", Hint: "tick", Off: f.noTick, Do: f.tick},
		{Name: "exception", Hint: "save", Off: f.noSave, Do: f.save},
	}, out[1:]...)...)
}

// field is the choice under the cursor, -1 for none.
func (f *exceptionForm) field() int {
	at, ok := strings.CutPrefix(f.current().field, "\x00")
	if !ok {
		return -1
	}
	i, err := strconv.Atoi(at)
	if err != nil || i >= len(f.x.Where) {
		return -1
	}
	return i
}

func (f *exceptionForm) noTick() string {
	if f.field() < 0 {
		return "there is no field under the cursor to tick"
	}
	return ""
}

func (f *exceptionForm) tick() tea.Cmd {
	w := &f.x.Where[f.field()]
	w.Picked = !w.Picked
	return f.changed()
}

func (f *exceptionForm) noSave() string {
	switch {
	case f.trouble != "":
		return f.trouble
	case f.saved:
		return "it is saved"
	case f.saving:
		return "it is being saved"
	case f.problem != "":
		return f.problem
	case strings.TrimSpace(f.x.Reason) == "":
		return "an exception needs a reason; go to the reason and press Enter"
	case f.busy != nil || !f.loaded:
		return "what it would have hidden is still being looked up"
	}
	return ""
}

// Take asks once which fields there are.
func (f *exceptionForm) Take(tea.Msg) tea.Cmd {
	a := f.c.snap.byID[f.alert]
	if f.loaded || f.busy != nil || a == nil || f.from == nil {
		return nil
	}
	desk, live, from := f.c.opt.Desk, f.c.opt.Live, f.from
	t, cmd := f.c.spawn(func(context.Context) func() tea.Cmd {
		list, err := desk.Evidence(a.ID)
		var choices []Where
		if err == nil {
			if e := reparse(live, newestHit(list), a.ID); e != nil {
				choices, err = from.Choices(a.RuleID, e, alertGroup(a))
			} else {
				err = fmt.Errorf("the alert's record is no longer there, so no exception can be made from it")
			}
		}
		return func() tea.Cmd {
			f.busy, f.loaded, f.x.Where = nil, true, choices
			if err != nil {
				f.trouble = err.Error()
				f.build()
				return nil
			}
			return f.changed()
		}
	})
	f.busy = t
	return cmd
}

func alertGroup(a *triage.Alert) []event.Entity {
	if len(a.Group) > 0 {
		return a.Group
	}
	return a.Entities
}

// changed looks up what the exception as it stands would have hidden.
func (f *exceptionForm) changed() tea.Cmd {
	f.c.drop(f.busy)
	x, from := f.x, f.from
	x.Where = append([]Where(nil), f.x.Where...)
	t, cmd := f.c.spawn(func(ctx context.Context) func() tea.Cmd {
		p, err := from.Preview(ctx, x)
		if covered, secret := f.covered(x); secret && err == nil {
			p.Text = coveredText(ctx, from, covered)
		}
		return func() tea.Cmd {
			f.busy, f.preview, f.problem = nil, p, ""
			if err != nil {
				f.problem = err.Error()
			}
			f.build()
			return nil
		}
	})
	f.busy = t
	f.build()
	return cmd
}

// save writes the exception; the screen says so when it is on disk.
func (f *exceptionForm) save() tea.Cmd {
	a := f.c.snap.byID[f.alert]
	if a == nil {
		f.c.complain("the alert is no longer on the board")
		return nil
	}
	f.saving = true
	x, from, by, on := f.x, f.from, f.c.opt.Actor, triage.AlertVersion{ID: a.ID, Version: a.Version}
	_, cmd := f.c.spawn(func(context.Context) func() tea.Cmd {
		file, err := from.Except(x, on, by)
		return func() tea.Cmd {
			f.saving = false
			f.c.refresh()
			if err != nil {
				f.c.complain("not in force: %s", clean(err.Error()))
				return f.c.changed()
			}
			f.saved = true
			f.build()
			if f.c.places.now() == Screen(f) {
				f.c.places.move(-1)
			}
			f.c.say("exception saved and in force: %s", clean(filepath.Base(file)))
			return f.c.changed()
		}
	})
	f.build()
	return cmd
}

// build makes the lines of the form anew.
func (f *exceptionForm) build() {
	c := f.c
	if f.trouble != "" {
		f.lines = []line{{segs: []segment{{c.sheet.Bad, " " + clean(f.trouble)}}}}
		return
	}
	title := f.x.Rule
	if r := c.opt.Live.RuleOf(f.x.Rule); r != nil {
		title = r.Title
	}
	l := []line{{segs: []segment{{c.sheet.Title, " exception to " + clean(title)}}}}
	l = append(l, f.paper()...)
	l = append(l, c.heading("hidden when all ticked values are there (Space ticks, Enter edits; * is any text)"))
	l = append(l, f.choices()...)
	l = append(l, f.previewLines()...)
	f.lines = l
}

func (f *exceptionForm) paper() []line {
	c, sh := f.c, f.c.sheet
	reason := c.pair("reason", 8, sh.Text, clean(f.x.Reason))
	if strings.TrimSpace(f.x.Reason) == "" {
		reason = c.pair("reason", 8, sh.Warn, "needed: Enter writes why these hits are harmless")
	}
	reason.open = f.askReason
	days := int(f.x.Expires.Sub(c.now()).Hours() / 24)
	expires := c.pair("expires", 8, sh.Text, fmt.Sprintf("%s, in %s (Enter changes it)", f.x.Expires.Format("2006-01-02 15:04 MST"), plural(days, "day")))
	expires.open = f.askExpiry
	st, words := f.sum()
	return []line{c.pair("owner", 8, sh.Text, clean(f.x.Owner)), reason, expires, c.pair("hides", 8, st, words)}
}

// sum says in one line what the exception would have hidden, or why it cannot be.
func (f *exceptionForm) sum() (style.Style, string) {
	sh, p := f.c.sheet, f.preview
	switch {
	case f.problem != "":
		return sh.Bad, clean(f.problem)
	case f.busy != nil || !f.loaded:
		return sh.Dim, "looking up what it would have hidden"
	}
	words := fmt.Sprintf("%d of %s pinned of this rule's alerts; x saves", p.Hidden, plural(p.Hits, "record"))
	if p.Skipped > 0 {
		words += fmt.Sprintf("; %s not looked at", plural(p.Skipped, "older alert"))
	}
	return sh.Accent, words
}

func (f *exceptionForm) choices() []line {
	c, sh := f.c, f.c.sheet
	if !f.loaded {
		return []line{c.words("looking at the alert's record")}
	}
	var out []line
	for i, w := range f.x.Where {
		box, st := "[ ]", sh.Dim
		if w.Picked {
			box, st = "[x]", sh.Accent
		}
		out = append(out, line{
			segs:  []segment{{st, " " + box + " "}, {sh.Key, clean(w.Field)}, {sh.Dim, " = "}, {sh.Text, clean(c.opt.Mask.MaskField(w.Field, head(w.Value, 200)))}},
			field: "\x00" + strconv.Itoa(i), value: w.Value,
			open: func() tea.Cmd { return f.askValue(i) },
		})
	}
	if len(out) == 0 {
		out = append(out, c.words("the record has no field an exception could name"))
	}
	return out
}

func (f *exceptionForm) previewLines() []line {
	c, sh := f.c, f.c.sheet
	if f.problem != "" || f.busy != nil || !f.loaded {
		return nil
	}
	p := f.preview
	out := []line{c.heading("alerts it would have hidden")}
	if len(p.Alerts) == 0 {
		out = append(out, c.words("none of those on the board"))
	}
	if p.On != "" {
		out = append(out, line{segs: []segment{{sh.Warn, " " + clean(p.On)}}})
	}
	for _, h := range p.Alerts {
		if a := c.snap.byID[h.ID]; a != nil {
			part := "all of it"
			if h.Hidden < h.Hits {
				part = fmt.Sprintf("%d of %d", h.Hidden, h.Hits)
			}
			out = append(out, c.alertLine(a, part+" "+sh.Sep+" "+entityWords(a.Group)))
		}
	}
	out = append(out, c.heading("will be written to "+clean(p.File)))
	if _, secret := f.covered(f.x); secret {
		out = append(out, line{segs: []segment{{sh.Warn, " secrets are masked here, and the id follows from them; the file will have them in clear"}}})
	}
	return append(out, c.textLines(c.opt.Mask.MaskString(p.Text))...)
}

func (f *exceptionForm) askReason() tea.Cmd {
	return f.c.ask(&prompt{kind: "reason", label: "reason: ", enter: func(text string) tea.Cmd {
		f.x.Reason = strings.TrimSpace(text)
		return f.changed()
	}}, f.x.Reason)
}

func (f *exceptionForm) askValue(i int) tea.Cmd {
	w := f.x.Where[i]
	p := &prompt{kind: "value", label: clean(w.Field) + " = ", status: "* is any text, ? any character; a \\ before them means the character itself"}
	text := w.Value
	if f.c.opt.Mask.MaskField(w.Field, w.Value) != w.Value {
		p.kind, p.status, text = "secret value", "the value is a secret and is not shown: what is written here replaces it, Enter alone keeps it", ""
	}
	var begun string
	p.enter = func(text string) tea.Cmd {
		if text != begun {
			f.x.Where[i].Value = text
		}
		f.x.Where[i].Picked = true
		return f.changed()
	}
	cmd := f.c.ask(p, text)
	if begun = p.in.Value(); begun != text { // the line takes no control characters
		p.status = "the value has bytes that no key writes: Enter alone keeps them; a change replaces all of it, and * stands for them"
	}
	return cmd
}

func (f *exceptionForm) askExpiry() tea.Cmd {
	return f.c.ask(&prompt{kind: "expiry", label: "expires: ", status: "days from now such as 30d, or a date such as 2026-12-31", enter: func(text string) tea.Cmd {
		at, err := parseExpiry(text, f.c.now())
		if err != nil {
			f.c.complain("%s", err)
			return nil
		}
		f.x.Expires = at
		return f.changed()
	}}, "")
}

// maxExceptionDays bounds how far off an expiry may be.
const maxExceptionDays = 366

// parseExpiry reads days ("30d", "30") or a date, whose end is meant; days end at
// the end of the day they lead to.
func parseExpiry(text string, now time.Time) (time.Time, error) {
	text = strings.TrimSpace(text)
	today := now.UTC().Truncate(24 * time.Hour)
	at, err := time.Parse(time.DateOnly, text)
	if err == nil {
		at = at.AddDate(0, 0, 1)
	} else {
		n, bad := strconv.Atoi(strings.TrimSuffix(text, "d"))
		if bad != nil || n < 0 || n > maxExceptionDays {
			return at, fmt.Errorf("%s is no expiry; write days up to %d such as 30d, or a date such as 2026-12-31", clean(strconv.Quote(head(text, 40))), maxExceptionDays)
		}
		at = today.AddDate(0, 0, n+1)
	}
	if !at.After(now) || at.After(today.AddDate(0, 0, maxExceptionDays+1)) {
		return at, fmt.Errorf("an exception ends in the future, at most %d days from now", maxExceptionDays)
	}
	return at, nil
}
