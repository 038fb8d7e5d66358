package config

import (
	"fmt"
	"strings"
	"time"
)

// ParseTime reads a point in time the way a person types it: "-15m" before now,
// "03:12" or "03:12:05" (the last time it was that late, UTC), "2026-01-02",
// "2026-01-02T03:04" or RFC 3339. "" is the zero time.
func ParseTime(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if ago, ok := strings.CutPrefix(s, "-"); ok {
		d, err := ParseDuration(ago)
		return now.Add(-d), err
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	for _, layout := range []string{"15:04:05", "15:04"} {
		t, err := time.Parse(layout, s)
		if err != nil {
			continue
		}
		y, m, d := now.UTC().Date()
		at := time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
		if at.After(now) {
			at = at.AddDate(0, 0, -1)
		}
		return at, nil
	}
	return time.Time{}, fmt.Errorf("%q is no time; write -15m, 03:12 or 2026-01-02T03:04:05Z", s)
}
