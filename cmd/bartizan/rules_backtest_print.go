package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"bartizan/detect"
	"bartizan/event"
)

// The bounds of what is remembered of one rule.
const (
	maxBackDays   = 4_000
	maxBackValues = 10_000 // different values of one field; further ones are counted as others
	backTop       = 5
	backRows      = 31
)

// backRule is what was found of one rule.
type backRule struct {
	rule     *detect.Rule
	days     map[string]*backDay
	hiddenBy map[string]int // matches by filter
	values   map[string]map[string]int
	others   map[string]int
	samples  []backSample
}

// backDay counts hits of a day in UTC, with and without filters.
type backDay struct{ raised, kept int }

func (d *backDay) raise() { d.raised++ }
func (d *backDay) keep()  { d.kept++ }

func (r *backRule) day(t time.Time) *backDay {
	key := t.UTC().Format(time.DateOnly)
	d := r.days[key]
	if d == nil {
		if len(r.days) >= maxBackDays {
			key = "further days"
			if d = r.days[key]; d != nil {
				return d
			}
		}
		d = &backDay{}
		r.days[key] = d
	}
	return d
}

// seen remembers what a hit looked like.
func (r *backRule) seen(d *detect.Completed, samples int) {
	if r.values == nil {
		r.values, r.others = map[string]map[string]int{}, map[string]int{}
	}
	names := r.rule.GroupBy
	if len(names) == 0 && r.rule.Correlation != nil {
		names = r.rule.Correlation.GroupBy
	}
	for i, g := range groupOf(d) {
		name := g.Kind.String()
		if len(names) > 0 && i < len(names) {
			name = names[i]
		}
		r.count(name, g.Value)
	}
	if len(r.samples) < samples {
		e := d.Event
		s := backSample{Time: e.Time.UTC(), Source: e.Ref.Source, Line: e.Line, Raw: string(e.Raw)}
		if !utf8.Valid(e.Raw) {
			s.RawB64 = slices.Clone(e.Raw)
		}
		r.samples = append(r.samples, s)
	}
}

// groupOf is what the hit's alert would be grouped by.
func groupOf(d *detect.Completed) []event.Entity {
	if g := detect.Group(d.Rule, d.Event, nil); len(g) == len(d.Rule.GroupBy) || len(d.Group) == 0 {
		return g
	}
	return d.Group
}

func (r *backRule) count(name, value string) {
	of := r.values[name]
	if of == nil {
		of = map[string]int{}
		r.values[name] = of
	}
	if _, known := of[value]; !known && len(of) >= maxBackValues {
		r.others[name]++
		return
	}
	of[value]++
}

func (r *backRule) mostADay() (most int) {
	for _, d := range r.days {
		most = max(most, d.kept)
	}
	return most
}

// backtested is what rules backtest prints of one rule; the shape is a promise.
type backtested struct {
	Rule    scannedRule  `json:"rule"`
	Events  int64        `json:"events"` // read
	Hits    int          `json:"hits"`
	Hidden  int          `json:"hidden"` // further hits there would be without filters
	Days    []backCount  `json:"days"`   // on which something hit, or would have
	Values  []backField  `json:"values"` // of what hits are grouped by
	Filters []backFilter `json:"filters"`
	Samples []backSample `json:"samples"`
}

type backCount struct {
	Day    string `json:"day"` // UTC
	Hits   int    `json:"hits"`
	Hidden int    `json:"hidden"`
}

type backField struct {
	Field  string      `json:"field"`
	Top    []backValue `json:"top"`
	Others int         `json:"others"` // hits with further values
}

type backValue struct {
	Value string `json:"value"`
	Hits  int    `json:"hits"`
}

// backFilter is a filter and how many matches of the rule it hid.
type backFilter struct {
	ID      string     `json:"id"`
	Title   string     `json:"title"`
	Owner   string     `json:"owner,omitempty"`
	Expires *time.Time `json:"expires,omitempty"`
	Matches int        `json:"matches"`
}

type backSample struct {
	Time   time.Time      `json:"time"`
	Source event.SourceID `json:"source"`
	Line   int64          `json:"line"`
	Raw    string         `json:"raw"`
	RawB64 []byte         `json:"raw_b64,omitempty"`
}

func (r *backRule) outcome(b *backtest) backtested {
	o := backtested{
		Rule:   scannedRule{r.rule.ID, r.rule.Title, r.rule.Severity.String(), append([]string{}, r.rule.Tags...)},
		Events: b.events, Days: []backCount{}, Values: []backField{}, Filters: []backFilter{}, Samples: append([]backSample{}, r.samples...),
	}
	for _, day := range slices.Sorted(maps.Keys(r.days)) {
		d := r.days[day]
		c := backCount{day, d.kept, max(d.raised-d.kept, 0)}
		o.Hits, o.Hidden = o.Hits+c.Hits, o.Hidden+c.Hidden
		o.Days = append(o.Days, c)
	}
	for _, name := range slices.Sorted(maps.Keys(r.values)) {
		o.Values = append(o.Values, topValues(name, r.values[name], r.others[name]))
	}
	for _, id := range slices.Sorted(maps.Keys(r.hiddenBy)) {
		f := backFilter{ID: id, Matches: r.hiddenBy[id]}
		if rule := b.filters[id]; rule != nil {
			f.Title, f.Owner = rule.Title, rule.Filter.Owner
			if at := rule.Filter.Expires; !at.IsZero() {
				f.Expires = &at
			}
		}
		o.Filters = append(o.Filters, f)
	}
	return o
}

func topValues(name string, of map[string]int, others int) backField {
	f := backField{Field: name, Others: others}
	keys := slices.SortedFunc(maps.Keys(of), func(a, b string) int { return cmp.Or(of[b]-of[a], strings.Compare(a, b)) })
	for i, v := range keys {
		if i < backTop {
			f.Top = append(f.Top, backValue{v, of[v]})
		} else {
			f.Others += of[v]
		}
	}
	return f
}

// printBacktest writes what was found of one rule for people.
func (a *app) printBacktest(o backtested) error {
	t := newTable(a.out, 14, 0)
	t.say("%s (%s, %s)", o.Rule.Title, o.Rule.Level, shortID(o.Rule.ID))
	if o.Hits+o.Hidden == 0 {
		_ = t.line("  no hit")
		return t.flush()
	}
	words := "  " + many(o.Hits, "hit")
	if o.Hidden > 0 {
		words += fmt.Sprintf("; %d more hidden by filters", o.Hidden)
	}
	_ = t.line(words)
	for _, l := range histogram(o.Days) {
		_ = t.line(l)
	}
	for _, f := range o.Values {
		for i, v := range f.Top {
			name := f.Field
			if i > 0 {
				name = ""
			}
			_ = t.row("  "+name, fmt.Sprintf("%7d  %s", v.Hits, short(a.peopleField(f.Field, v.Value), 60)))
		}
		if f.Others > 0 {
			_ = t.row("", fmt.Sprintf("%7d  others", f.Others))
		}
	}
	for _, f := range o.Filters {
		_ = t.row("  hidden", fmt.Sprintf("%7d  by the filter %s", f.Matches, cmp.Or(f.Title, f.ID))+ownerWords(f))
	}
	for _, s := range o.Samples {
		_ = t.row("  sample", fmt.Sprintf("%s:%d", s.Source, s.Line))
		t.marked([]byte(short(a.people(s.Raw), 600)), nil, 15)
	}
	return t.flush()
}

func ownerWords(f backFilter) string {
	s := ""
	if f.Owner != "" {
		s += " of " + f.Owner
	}
	if f.Expires != nil {
		s += " until " + f.Expires.UTC().Format(time.DateOnly)
	}
	return s
}

// histogram draws hits over time, at most backRows rows: a day each, or several
// where the time is longer. What filters hide is drawn with dots.
func histogram(days []backCount) (lines []string) {
	first, err := time.Parse(time.DateOnly, days[0].Day)
	if err != nil {
		return nil
	}
	at := func(day string) int {
		t, err := time.Parse(time.DateOnly, day)
		if err != nil {
			return -1
		}
		return int(t.Sub(first) / (24 * time.Hour))
	}
	last := 0
	for _, d := range days {
		last = max(last, at(d.Day))
	}
	each := last/backRows + 1
	rows := make([]backCount, last/each+1)
	most := 1
	for _, d := range days {
		if i := at(d.Day); i >= 0 {
			row := &rows[i/each]
			row.Hits, row.Hidden = row.Hits+d.Hits, row.Hidden+d.Hidden
			most = max(most, row.Hits+row.Hidden)
		}
	}
	const width = 50
	for i, r := range rows {
		bar := strings.Repeat("#", (r.Hits*width+most-1)/most) + strings.Repeat(".", r.Hidden*width/most)
		lines = append(lines, strings.TrimRight(fmt.Sprintf("  %s %7d %s", first.AddDate(0, 0, i*each).Format(time.DateOnly), r.Hits, bar), " "))
	}
	return lines
}
