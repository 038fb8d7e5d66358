package sources

import "slices"

// LocalPatterns are where logs lie on a host nothing is known about, most telling
// first.
func LocalPatterns() []string { return slices.Clone(localPatterns) }

// OlderName says whether a file is called like a rotated or compressed log, which
// a pattern does not take when it is followed.
func OlderName(name string) bool { return olderName(name) }
