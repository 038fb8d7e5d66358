package parse

import (
	"testing"
	"time"

	"bartizan/event"
	"bartizan/sources"
)

// TestTimes reads one instant in all its spellings, as a value of JSON and at the
// beginning of a line of text, from a source in a zone of its own two hours east. What
// cannot be a date is no time: the record is marked and stands where it arrived.
func TestTimes(t *testing.T) {
	zone := time.FixedZone("own", 2*3600)
	const at, local = "2026-11-03T09:14:02Z", "2026-11-03T07:14:02Z"
	for _, c := range []struct{ text, want string }{
		{at, at},
		{"2026-11-03T10:14:02+01:00", at},
		{"2026-11-03 10:14:02 +0100", at},
		{"2026-11-03 10:14:02+01", at},
		{"2026-11-02T23:14:02-10:00", at},
		{"2026-11-03t09:14:02z", at},
		{"2026-11-03 09:14:02 UTC", at},
		{"2026-11-03 09:14:02.5 GMT", "2026-11-03T09:14:02.5Z"},
		{"2026-11-03 04:14:02 EST", at},
		{"2026-11-03T09:14:02", local},
		{"2026-11-03 09:14:02", local},
		{"2026/11/03 09:14:02", local},
		{"2026-11-03T09:14:02.118Z", "2026-11-03T09:14:02.118Z"},
		{"2026-11-03T09:14:02,118Z", "2026-11-03T09:14:02.118Z"},
		{"2026-11-03T09:14:02.123456789Z", "2026-11-03T09:14:02.123456789Z"},
		{"2026-11-03T09:14:02.1234567891Z", "2026-11-03T09:14:02.123456789Z"},
		{"2026-11-03T09:13:60Z", "2026-11-03T09:14:00Z"}, // a leap second
		{"03/Nov/2026:09:14:02 +0000", at},
		{"Tue, 03 Nov 2026 09:14:02 GMT", at},
		{"Tue, 3 Nov 2026 10:14:02 +0100", at},
		{"03 Nov 2026 09:14:02.25", "2026-11-03T07:14:02.25Z"},
		{"Tue Nov  3 09:14:02 2026", local},
		{"Tue Nov  3 09:14:02 UTC 2026", at},
		{"Tue Nov  3 09:14:02 UTC", at},
		{"Nov  3 09:14:02", local},
		{"1793697242", at},
		{"1793697242.118", "2026-11-03T09:14:02.118Z"},
		{"1793697242118", "2026-11-03T09:14:02.118Z"},
		{"1793697242118203", "2026-11-03T09:14:02.118203Z"},
		{"1793697242118203007", "2026-11-03T09:14:02.118203007Z"},
		{"2026-02-29T09:14:02Z", ""},
		{"2026-11-31 09:14:02", ""},
		{"2026-13-03T09:14:02Z", ""},
		{"2026-11-03T24:00:00Z", ""},
		{"Tue, 31 Nov 2026 09:14:02 GMT", ""},
		{"-1793697242", ""},
		{"99999999999999999999", ""},
		{"1793", ""},
	} {
		want, flag := c.want, event.Flags(0)
		if want == "" {
			want, flag = seen.Format(time.RFC3339Nano), event.FlagNoTime
		}
		for _, line := range []string{`{"time":"` + c.text + `","msg":"m"}`, c.text + ` m`} {
			e := parseOne(t, sources.Info{Zone: zone}, line)
			if got := e.Time.Format(time.RFC3339Nano); got != want || e.Flags&event.FlagNoTime != flag {
				t.Errorf("%s as %s is at %s, flags %b, want %s", line, e.FormatName, got, e.Flags, want)
			}
		}
	}
	for _, number := range []string{"1793697242", "1793697242000", "1793697242000000", "1793697242000000000", "1793697242.0", "1.793697242e9"} {
		if e := parseOne(t, sources.Info{Zone: zone}, `{"ts":`+number+`}`); e.Time.Format(time.RFC3339Nano) != at {
			t.Errorf("the number %s is at %v", number, e.Time)
		}
	}
}

// TestStatusMeans: whatever the format, an answer below 400 is a success and no cause for
// alarm, and one from 400 on a failure, from 500 on an error.
func TestStatusMeans(t *testing.T) {
	tried := 0
	for _, b := range builtin {
		at := parseOne(t, sources.Info{Format: b.Name}, b.Example)
		status, ok := at.Get("http.response.status_code")
		if !ok || status.Pos < 0 || status.Kind != event.KindNumber {
			continue
		}
		tried++
		for code, want := range map[string]struct {
			outcome string
			level   event.Level
		}{"200": {"success", event.LevelInfo}, "302": {"success", event.LevelInfo}, "403": {"failure", event.LevelWarning}, "503": {"failure", event.LevelError}} {
			raw := b.Example[:status.Pos] + code + b.Example[status.End:]
			e := parseOne(t, sources.Info{Format: b.Name}, raw)
			if e.Text("event.outcome") != want.outcome || e.Level != want.level {
				t.Errorf("%s with status %s: %s, %v; want %s, %v", b.Name, code, e.Text("event.outcome"), e.Level, want.outcome, want.level)
			}
		}
	}
	if tried < 8 {
		t.Errorf("only %d formats have a status", tried)
	}
}
