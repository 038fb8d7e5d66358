//go:build !linux

package sources

import "bartizan/event"

// networkFS is only known on Linux; elsewhere the clock that looks every 250 ms
// has to do.
func networkFS(string) string { return "" }

// writerOf is only known on Linux; elsewhere a writer shows by what it writes.
func writerOf(event.FileID) string { return "" }
