package enrich

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"slices"
)

// nets finds the most specific network an address is in. It is immutable: the
// networks are cut into pieces that do not overlap, sorted by where they begin.
type nets struct{ v4, v6 []piece }

// netEntry is a network and what is said of it, a number that is not negative.
type netEntry struct {
	net netip.Prefix
	at  int32
}

// piece begins at an address and ends before the next piece; at is -1 where no
// network is.
type piece struct {
	from place
	at   int32
}

// place is an address as a number: of IPv4 only lo.
type place struct{ hi, lo uint64 }

func (p place) less(o place) bool { return p.hi < o.hi || p.hi == o.hi && p.lo < o.lo }

func placeOf(a netip.Addr) place {
	if a.Is4() {
		b := a.As4()
		return place{0, uint64(binary.BigEndian.Uint32(b[:]))}
	}
	b := a.As16()
	return place{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

// newNets makes the table. Of entries for the same network the last one wins.
func newNets(list []netEntry) *nets {
	var v4, v6 []netEntry
	for _, e := range list {
		if e.net.Addr().Is4() {
			v4 = append(v4, e)
		} else {
			v6 = append(v6, e)
		}
	}
	return &nets{pieces(v4), pieces(v6)}
}

// open is a network that the sweep is inside of, and the piece after it.
type open struct {
	net   netip.Prefix
	after place
	last  bool // there is no address after it
	at    int32
}

// pieces cuts networks of one family: a sweep from the least address on, with the
// networks around it on a stack.
func pieces(list []netEntry) []piece {
	slices.SortStableFunc(list, func(a, b netEntry) int {
		return cmp.Or(a.net.Addr().Compare(b.net.Addr()), cmp.Compare(a.net.Bits(), b.net.Bits()))
	})
	var out []piece
	var around []open
	begin := func(from place, at int32) {
		if n := len(out); n > 0 && out[n-1].from == from {
			out[n-1].at = at
			return
		}
		out = append(out, piece{from, at})
	}
	leave := func() {
		top := around[len(around)-1]
		around = around[:len(around)-1]
		if top.last {
			return
		}
		at := int32(-1)
		if len(around) > 0 {
			at = around[len(around)-1].at
		}
		begin(top.after, at)
	}
	for _, e := range list {
		for len(around) > 0 && !around[len(around)-1].net.Contains(e.net.Addr()) {
			leave()
		}
		begin(placeOf(e.net.Addr()), e.at)
		after, last := behind(e.net)
		around = append(around, open{e.net, after, last, e.at})
	}
	for len(around) > 0 {
		leave()
	}
	return slices.Clip(out)
}

// behind returns the address after the last one of n; last when there is none.
func behind(n netip.Prefix) (after place, last bool) {
	p, free := placeOf(n.Addr()), n.Addr().BitLen()-n.Bits()
	switch {
	case n.Addr().Is4():
		p.lo += 1 << free
		return p, p.lo > 1<<32-1
	case free >= 64:
		p.hi += 1 << (free - 64)           // nothing for a shift of 64
		return p, p.hi == 0 || free == 128 // it came round
	}
	lo := p.lo
	if p.lo += 1 << free; p.lo < lo {
		p.hi++
		return p, p.hi == 0
	}
	return p, false
}

// find returns what is said of the most specific network that a is in, -1 when it
// is in none. It does not allocate.
func (n *nets) find(a netip.Addr) int32 {
	list := n.v6
	if a.Is4() {
		list = n.v4
	}
	p := placeOf(a)
	low, high := 0, len(list) // list[low-1].from <= p < list[high].from
	for low < high {
		mid := int(uint(low+high) / 2)
		if p.less(list[mid].from) {
			high = mid
		} else {
			low = mid + 1
		}
	}
	if low == 0 {
		return -1
	}
	return list[low-1].at
}
