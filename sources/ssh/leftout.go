package ssh

import (
	"path"
	"slices"

	"bartizan/agent/agentpb"
	"bartizan/sources"
)

// leftOut counts files.
type leftOut struct {
	n     int
	first string
}

// needsAgent says whether tail is of no use for a file that the paths mean, and notes
// it: one that is compressed and was named, or, where everything is read once, one
// that a pattern means and is called like a rotated one. mu is held.
func (h *Host) needsAgent(file string) bool {
	if checkPath(file) != nil || isGlob(file) {
		return false
	}
	if slices.Contains(h.cfg.Target.Paths, file) {
		if !sources.CompressedName(file) {
			return false
		}
		if len(h.missing) < agentpb.MaxStreams {
			h.missing[file] = "it is compressed, and there is no bartizan on that host to read it"
		}
		return true
	}
	if !h.cfg.once || !sources.OlderName(path.Base(file)) || !h.matched(file) {
		return false
	}
	if h.older.n++; h.older.n == 1 {
		h.older.first = file
	}
	return true
}

// matched says whether a pattern of the paths means the file.
func (h *Host) matched(file string) bool {
	paths := h.cfg.Target.Paths
	if len(paths) == 0 {
		paths = sources.LocalPatterns()
	}
	return slices.ContainsFunc(paths, func(p string) bool {
		ok, err := path.Match(p, file)
		return err == nil && ok
	})
}
