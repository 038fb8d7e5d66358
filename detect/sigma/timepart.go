package sigma

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"bartizan/query"
)

// parts are the least and greatest value of each part of a time.
var parts = map[string][2]int{
	"minute": {0, 59}, "hour": {0, 23}, "day": {1, 31}, "week": {1, 53}, "month": {1, 12}, "year": {1970, 2106},
}

// The weeks of a year are written out as dates, so they are known for a while only.
const firstWeekYear, lastWeekYear = 2015, 2040

// timePart applies minute, hour, day, week, month or year; lt, lte, gt or gte may
// follow.
func (it *item) timePart(i int, name string) error {
	if i != 0 {
		return fail(it.key, "the modifier %s must be the first", name)
	}
	it.how, it.part, it.op = compareTime, name, query.OpEqual
	return nil
}

// timePred compares a part of a field's time as the record writes it: nothing is
// moved to another zone. It is a regular expression over the three ways logs
// write times: ISO 8601, "02/Jan/2006:15:04:05" and "Jan _2 15:04:05".
func (it *item) timePred(t *term, field string) (query.Node, error) {
	bounds := parts[it.part]
	v, err := strconv.Atoi(t.raw)
	if t.kind != termNumber || err != nil {
		return nil, fail(t.node, "%s compares with a whole number, and %s is none", it.part, quote(t.raw))
	}
	if v < bounds[0] || v > bounds[1] {
		return nil, fail(t.node, "%s is a number from %d to %d, not %d", it.part, bounds[0], bounds[1], v)
	}
	var values []int
	for n := bounds[0]; n <= bounds[1]; n++ {
		if compareInts(it.op, n, v) {
			values = append(values, n)
		}
	}
	if len(values) == 0 {
		return query.Or{}, nil
	}
	re, err := it.re.Compile(timePattern(it.part, values))
	if err != nil {
		return nil, fail(t.node, "%s with so many values is more than one expression can say; narrow it: %v", it.part, err)
	}
	return &query.Pred{Field: field, Op: query.OpRegex, Value: re.String(), Re: re}, nil
}

func compareInts(op query.Op, n, v int) bool {
	switch op {
	case query.OpLess:
		return n < v
	case query.OpLessEq:
		return n <= v
	case query.OpGreater:
		return n > v
	case query.OpGreaterEq:
		return n >= v
	}
	return n == v
}

// timePattern is the expression for one part having one of the values.
func timePattern(part string, values []int) string {
	if part == "week" {
		return `^(?:` + strings.Join(weekDates(values), "|") + `)`
	}
	two := alternatives(values, func(n int) string { return fmt.Sprintf("%02d", n) })
	month := alternatives(values, func(n int) string { return time.Month((n-1)%12 + 1).String()[:3] })
	switch part {
	case "minute":
		return `^(?:\d{4}-\d\d-\d\d[T ]\d\d:?|\d\d/\w{3}/\d{4}:\d\d:|\w{3} [ \d]?\d \d\d:)` + two
	case "hour":
		return `^(?:\d{4}-\d\d-\d\d[T ]|\d\d/\w{3}/\d{4}:|\w{3} [ \d]?\d )` + two
	case "day":
		plain := alternatives(values, func(n int) string { return fmt.Sprintf("[0 ]?%d", n) })
		return `^(?:\d{4}-\d\d-` + two + `|` + two + `/\w{3}/\d{4}|\w{3} ` + plain + ` \d\d:)`
	case "month":
		return `^(?:\d{4}-` + two + `-\d\d|\d\d/` + month + `/\d{4}|` + month + ` [ \d]?\d \d\d:)`
	}
	year := alternatives(values, strconv.Itoa)
	return `^(?:` + year + `-\d\d-\d\d|\d\d/\w{3}/` + year + `:)`
}

func alternatives(values []int, write func(int) string) string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = write(v)
	}
	return "(?:" + strings.Join(list, "|") + ")"
}

// weekDates are the dates of ISO weeks as the starts of ISO 8601 texts, the days of
// one month together.
func weekDates(values []int) []string {
	wanted := map[int]bool{}
	for _, v := range values {
		wanted[v] = true
	}
	var out []string
	var days []string
	flush := func(last time.Time) {
		switch len(days) {
		case 0:
		case last.Day():
			out = append(out, last.Format("2006-01-"))
		default:
			out = append(out, last.Format("2006-01-")+"(?:"+strings.Join(days, "|")+")")
		}
		days = nil
	}
	end := time.Date(lastWeekYear+1, 1, 1, 0, 0, 0, 0, time.UTC)
	for d := time.Date(firstWeekYear, 1, 1, 0, 0, 0, 0, time.UTC); d.Before(end); d = d.AddDate(0, 0, 1) {
		if d.Day() == 1 {
			flush(d.AddDate(0, 0, -1))
		}
		if _, week := d.ISOWeek(); wanted[week] {
			days = append(days, d.Format("02"))
		}
	}
	flush(end.AddDate(0, 0, -1))
	return out
}
