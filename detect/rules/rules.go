// Package rules is the built-in rule pack: Sigma rules of our own in one folder
// per topic, compiled into the binary. Each carries lines it must hit, lines it
// must miss, and what to do first; the package's tests run them through the real
// parser, and docs/detection-quality.md says how well the pack does as a whole.
//
// Nothing here blocks or is lost: Load reads from the binary, and a rule that
// cannot be loaded is in the outcome's Refused.
package rules

import (
	"embed"

	"bartizan/detect"
	"bartizan/detect/sigma"
)

//go:embed */*.yml
var files embed.FS

// Load reads the pack and links its correlations. File names in the outcome are
// "topic/name.yml".
func Load() detect.Loaded {
	l := sigma.Load(files, ".")
	sigma.Link(&l)
	return l
}
