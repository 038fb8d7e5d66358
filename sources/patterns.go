package sources

import (
	"path/filepath"
	"slices"
)

// LocalPatterns are where logs lie on a host nothing is known about, most telling
// first.
func LocalPatterns() []string { return slices.Clone(localPatterns) }

// OlderName says whether a file is called like a rotated or compressed log, which
// a pattern does not take when it is followed.
func OlderName(name string) bool { return olderName(name) }

// CompressedName says whether a file is called like a compressed one.
func CompressedName(name string) bool {
	return slices.Contains([]string{".gz", ".zst", ".xz", ".bz2", ".lz4", ".Z", ".zip"}, filepath.Ext(name))
}
