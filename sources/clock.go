package sources

import "time"

// Clock is where a source takes the time from.
type Clock interface {
	Now() time.Time
	After(d time.Duration) <-chan time.Time
}

// SystemClock is the machine's clock.
type SystemClock struct{}

// Now returns the wall-clock time.
func (SystemClock) Now() time.Time { return time.Now() }

// After returns a channel that receives once d has passed.
func (SystemClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

func orSystem(c Clock) Clock {
	if c == nil {
		return SystemClock{}
	}
	return c
}
