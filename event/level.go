package event

import "strings"

// Level is how loud the record itself is (not how bad a rule finds it).
type Level uint8

// The levels, ordered; the names are syslog's with trace below them.
const (
	LevelUnknown Level = iota
	LevelTrace
	LevelDebug
	LevelInfo
	LevelNotice
	LevelWarning
	LevelError
	LevelCritical
	LevelAlert
	LevelEmergency
)

var levelNames = [...]string{"", "trace", "debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"}

// String returns the level's one spelling, "" for unknown.
func (l Level) String() string { return levelNames[l] }

// ParseLevel reads a level in any of the spellings logs use ("WARN", "crit",
// "informational", "err", "fatal"); unknown words are LevelUnknown.
func ParseLevel(s string) Level {
	switch strings.ToLower(s) {
	case "trace", "trc", "finest":
		return LevelTrace
	case "debug", "dbg", "fine", "verbose", "d", "debug1", "debug2", "debug3":
		return LevelDebug
	case "info", "inf", "information", "informational", "i", "log":
		return LevelInfo
	case "notice", "note", "n":
		return LevelNotice
	case "warning", "warn", "wrn", "w":
		return LevelWarning
	case "error", "err", "e", "severe", "failure":
		return LevelError
	case "critical", "crit", "fatal", "c", "f", "panic":
		return LevelCritical
	case "alert", "a":
		return LevelAlert
	case "emergency", "emerg":
		return LevelEmergency
	}
	return LevelUnknown
}
