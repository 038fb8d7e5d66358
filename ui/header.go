package ui

import (
	"fmt"
	"strconv"
	"time"

	"bartizan/detect"
	"bartizan/event"
	"bartizan/triage"
	"bartizan/ui/style"
)

// snapshot is what the frame is drawn from. It is taken when a frame is due and
// not while drawing, so that keys and results never show half of a change.
type snapshot struct {
	first, next uint64
	status      Status
	sources     []event.SourceStatus
	alerts      []*triage.Alert
	byID        map[triage.AlertID]*triage.Alert
	gen         uint64
	marks       map[string]triage.Distrust // hosts held for compromised
	marked      string                     // their names: what drawn rows depend on
	deciding    string                     // a host whose decision is on its way to disk
	open        [5]int                     // undecided alerts by severity, without the background
}

// refresh takes a new snapshot.
func (c *Console) refresh() {
	s, old := &c.snap, c.snap
	s.first, s.next = c.opt.Live.Bounds()
	s.first = max(s.first, 1) // before the first event the bounds are 0 and 1
	s.next = max(s.next, s.first)
	s.status, s.sources = c.opt.Live.Status(), c.opt.Live.Sources()
	s.alerts, s.gen = c.opt.Desk.Alerts()
	s.readMarks(c.opt.Desk)
	if s.byID != nil && s.gen == old.gen {
		return
	}
	s.byID = make(map[triage.AlertID]*triage.Alert, len(s.alerts))
	s.open = [5]int{}
	for _, a := range s.alerts {
		s.byID[a.ID] = a
		if open(a) && !a.Background {
			s.open[min(int(a.Severity), 4)]++
		}
	}
	c.queue.update()
	if old.byID != nil {
		c.announce(old)
	}
}

// part is one piece of the header; those with the least weight go first when
// there is no room.
type part struct {
	style  style.Style
	text   string
	weight int
}

func (c *Console) header() []string {
	if c.h < 3 {
		return nil
	}
	parts := c.headerParts()
	sep := " " + c.sheet.Bar + " "
	for width(parts, sep) > c.w && len(parts) > 1 {
		parts = without(parts)
	}
	r := style.Row{Width: c.w, Base: c.sheet.Header}
	for i, p := range parts {
		if i > 0 {
			r.Put(c.sheet.Header, sep)
		}
		r.Put(p.style, p.text)
	}
	out := []string{r.String()}
	if problem := c.snap.status.Problem; problem != "" && c.h >= 6 {
		line := style.Row{Width: c.w}
		out = append(out, line.Put(c.sheet.Bad, "! "+style.Fit(clean(problem), c.w-2, c.sheet.More)).String())
	}
	return out
}

func (c *Console) headerParts() []part {
	s, st := c.sheet, c.snap.status
	name := clean(c.opt.Title)
	if name == "" {
		name = "bartizan"
	}
	name = style.Fit(name, max(c.w/3, 16), s.More) // a long list of paths must not hide the counts
	if c.places.at > 0 {
		name = style.Fit(c.places.crumbs(s.Crumb), max(c.w*2/3, 20), s.More)
	}
	parts := []part{{s.Title, " " + name, 100}}
	parts = append(parts, c.severityParts()...)
	parts = append(parts, c.detectedPart(), part{s.Header, "ring " + c.ringText(), 20}, part{s.Header, rate(st.Rate), 30})
	parts = append(parts, c.lossParts()...)
	if st.SourcesBad > 0 {
		parts = append(parts, part{s.Bad, fmt.Sprintf("%d of %d sources bad", st.SourcesBad, st.Sources), 75})
	} else {
		parts = append(parts, part{s.Header, plural(st.Sources, "source"), 10})
	}
	parts = append(parts, c.ruleParts()...)
	if c.opt.ReadOnly || st.ReadOnly {
		parts = append(parts, part{s.Warn, "read-only", 60})
	}
	if st.Consoles > 1 {
		parts = append(parts, part{s.Header, fmt.Sprintf("%d consoles", st.Consoles), 12})
	}
	return parts
}

// lossShown is how long a loss stands out.
const lossShown = time.Hour

// lostLately says whether the source lost something not long ago.
func (c *Console) lostLately(s event.SourceStatus) bool {
	return !s.LastLoss.IsZero() && c.now().Sub(s.LastLoss) < lossShown
}

// lossParts say how much is known to be missing, and how many sources lost
// something within the last hour.
func (c *Console) lossParts() []part {
	var parts []part
	lately := 0
	for _, s := range c.snap.sources {
		if c.lostLately(s) {
			lately++
		}
	}
	if lately > 0 {
		parts = append(parts, part{c.sheet.Loss, "lost in " + plural(lately, "source"), 80})
	}
	if n := c.snap.status.Lost; n > 0 {
		parts = append(parts, part{c.sheet.Warn, "lost " + count(n), 35})
	}
	return parts
}

// reloadShown is how long the header says what reading the rules again changed.
const reloadShown = time.Minute

// ruleParts say what is not looked for, and what reading the rules again changed.
func (c *Console) ruleParts() []part {
	s, st := c.sheet, c.snap.status
	var parts []part
	if st.RulesOff > 0 {
		parts = append(parts, part{s.Bad, plural(st.RulesOff, "rule") + " off", 70})
	}
	if r := c.lastReload(); r.Words != "" && c.now().Sub(r.At) < reloadShown {
		style := s.Accent
		if r.Bad {
			style = s.Bad
		}
		parts = append(parts, part{style, "rules: " + clean(r.Words), 65})
	}
	if st.Refused > 0 {
		parts = append(parts, part{s.Warn, plural(st.Refused, "rule") + " refused", 15})
	}
	if st.Expired > 0 {
		parts = append(parts, part{s.Warn, plural(st.Expired, "exception") + " expired", 14})
	}
	return parts
}

// severityParts counts what is open, worst first, and what waits to be taken in.
func (c *Console) severityParts() []part {
	var parts []part
	for v := detect.Critical; ; v-- {
		if n := c.snap.open[min(int(v), 4)]; n > 0 {
			parts = append(parts, part{c.sheet.Severity(v), c.sheet.Badge(v) + strconv.Itoa(n), 50 + 5*int(v)})
		}
		if v == 0 {
			break
		}
	}
	if n := c.queue.arrived; n > 0 {
		parts = append(parts, part{c.sheet.Key, fmt.Sprintf("+%d new (gn)", n), 90})
	}
	return parts
}

func (c *Console) detectedPart() part {
	st := c.snap.status
	switch {
	case st.Progress < 1 && st.Progress > 0:
		return part{c.sheet.Warn, fmt.Sprintf("reading back %d%%", int(st.Progress*100)), 40}
	case st.DetectedSince.IsZero():
		return part{c.sheet.Warn, "nothing detected on yet", 40}
	}
	return part{c.sheet.Header, "detected since " + c.stamp(st.DetectedSince), 40}
}

func (c *Console) ringText() string {
	if c.snap.status.RingFrom.IsZero() {
		return "empty"
	}
	return "from " + c.stamp(c.snap.status.RingFrom)
}

func width(parts []part, sep string) int {
	w := style.Width(sep) * (len(parts) - 1)
	for _, p := range parts {
		w += style.Width(p.text)
	}
	return w
}

// without drops the part with the least weight.
func without(parts []part) []part {
	least := 0
	for i, p := range parts {
		if p.weight < parts[least].weight {
			least = i
		}
	}
	return append(parts[:least:least], parts[least+1:]...)
}

// rate is records per second in two digits, so that it does not flicker.
func rate(r float64) string {
	if r <= 0 {
		return "0/s"
	}
	if r < 10 {
		return strconv.FormatFloat(r, 'f', 1, 64) + "/s"
	}
	step := 1.0
	for r/step >= 100 {
		step *= 10
	}
	return count(uint64(r/step)*uint64(step)) + "/s"
}

// count writes a number with thousands apart.
func count(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return count(uint64(max(n, 0))) + " " + word + "s"
}

// stamp is a time of day in the shown zone, with the day when it is not today's.
func (c *Console) stamp(t time.Time) string {
	t, now := t.In(c.zone()), c.now().In(c.zone())
	if t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return t.Format("15:04:05")
	}
	return t.Format("Jan 2 15:04")
}
