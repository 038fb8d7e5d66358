//go:build !linux

package sources

import "time"

// alarm is a timer as fine as Go's own.
type alarm struct{}

func newAlarm() *alarm { return &alarm{} }

func (*alarm) after(d time.Duration) <-chan time.Time { return time.After(d) }

func (*alarm) close() {}
