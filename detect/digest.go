package detect

import (
	"bytes"
	"crypto/sha256"
	"slices"
)

// Digest names what a set of rules can hit on, as they were read and before they
// are linked, in any order: two programs with the same digest find the same
// things, up to filters, which only ever take hits away and are left out.
func Digest(rules []*Rule) []byte {
	sums := make([][]byte, 0, len(rules))
	for _, r := range rules {
		if r.Filter != nil {
			continue
		}
		h := sha256.New()
		_, _ = h.Write([]byte(r.ID + "\x00")) // a hash takes everything
		_, _ = h.Write(r.Hash[:])
		sums = append(sums, h.Sum(nil))
	}
	slices.SortFunc(sums, bytes.Compare)
	all := sha256.Sum256(bytes.Join(sums, nil))
	return all[:]
}

// Unfiltered returns the rules that are no filters.
func Unfiltered(rules []*Rule) []*Rule {
	return slices.DeleteFunc(slices.Clone(rules), func(r *Rule) bool { return r.Filter != nil })
}
