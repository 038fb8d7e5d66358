package query

import (
	"cmp"
	"net/netip"
	"slices"
)

// Members returns the set's values, folded and sorted, and its networks, at most so
// many of each.
func (s *Set) Members(most int) (values []string, nets []netip.Prefix) {
	for v := range s.Values {
		if len(values) >= most {
			break
		}
		values = append(values, v)
	}
	for n := range s.nets {
		if len(nets) >= most {
			break
		}
		nets = append(nets, n)
	}
	slices.Sort(values)
	slices.SortFunc(nets, func(a, b netip.Prefix) int {
		return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
	})
	return values, nets
}
