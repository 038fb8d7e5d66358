package detect

import (
	"encoding/binary"
	"net/netip"
)

// maxNear4 is how many networks of IPv4 are compared one by one.
const maxNear4 = 32

// net4 is a network of IPv4: an address lies in it when its masked bits are net.
type net4 struct {
	net, mask uint32
	at        int32
}

// appendNet4 adds a network, if it is one of IPv4.
func appendNet4(dst []net4, p netip.Prefix, at int32) []net4 {
	if !p.Addr().Is4() {
		return dst
	}
	mask := ^uint32(0)
	if p.Bits() < 32 {
		mask <<= 32 - p.Bits()
	}
	return append(dst, net4{number4(p.Addr()) & mask, mask, at})
}

func number4(a netip.Addr) uint32 {
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])
}

// findNet4 finds those of nets that a, an address of IPv4, lies in.
func (m *Matcher) findNet4(nets []net4, a netip.Addr) {
	n := number4(a)
	for i := range nets {
		if n&nets[i].mask == nets[i].net {
			m.find(nets[i].at)
		}
	}
}
