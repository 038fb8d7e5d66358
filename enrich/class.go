package enrich

import (
	"net/netip"
	"strings"
)

// The classes of address.
const (
	classPublic      = "public"
	classPrivate     = "private"
	classShared      = "shared"
	classLoopback    = "loopback"
	classLinkLocal   = "link-local"
	classMetadata    = "metadata"
	classMulticast   = "multicast"
	classBroadcast   = "broadcast"
	classDocument    = "documentation"
	classBenchmark   = "benchmark"
	classTunnel      = "tunnel"
	classReserved    = "reserved"
	classUnspecified = "unspecified"
	classService     = "service"
)

// class is one kind of address, for the table of the documentation.
type class struct {
	name  string
	local bool // says nothing about where in the world: unlisted ones are neither own nor not
	words string
	nets  []string
}

// classes is everything that is not public. The most specific network wins.
var classes = []class{
	{classPrivate, true, "private networks (RFC 1918, RFC 4193), and what GCP writes instead of them", []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"}},
	{classShared, true, "carrier-grade NAT (RFC 6598)", []string{"100.64.0.0/10"}},
	{classLoopback, true, "the host itself", []string{"127.0.0.0/8", "::1/128"}},
	{classLinkLocal, true, "one network segment (RFC 3927, RFC 4291)", []string{"169.254.0.0/16", "fe80::/10"}},
	{classMetadata, true, "where a cloud's machines, tasks and pods get their credentials", []string{
		"169.254.169.254/32", "169.254.169.253/32", "169.254.170.2/32", "169.254.170.23/32", "168.63.129.16/32", "100.100.100.200/32", "192.0.0.192/32",
		"fd00:ec2::254/128", "fd00:ec2::23/128", "fd20:ce::254/128",
	}},
	{classMulticast, true, "groups of receivers", []string{"224.0.0.0/4", "ff00::/8"}},
	{classBroadcast, true, "everybody on the segment", []string{"255.255.255.255/32"}},
	{classDocument, false, "examples (RFC 5737, RFC 3849, RFC 9637); nobody has them", []string{"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20"}},
	{classBenchmark, true, "measurements (RFC 2544, RFC 5180)", []string{"198.18.0.0/15", "2001:2::/48"}},
	{classTunnel, false, "IPv6 made of an IPv4 address (6to4, Teredo, NAT64)", []string{"2002::/16", "2001::/32", "64:ff9b::/96"}},
	{classReserved, true, "not to be seen on the internet (RFC 6890)", []string{"192.0.0.0/24", "240.0.0.0/4", "64:ff9b:1::/48", "100::/64", "::/3", "4000::/2", "8000::/1"}},
	{classUnspecified, true, "no address", []string{"0.0.0.0/8", "::/128"}},
}

// classNets finds the class of an address: its place in classes.
var classNets = func() *nets {
	var list []netEntry
	for i, c := range classes {
		for _, n := range c.nets {
			list = append(list, netEntry{netip.MustParsePrefix(n), int32(i)})
		}
	}
	return newNets(list)
}()

// classOf returns the class of an address and whether it is local: see class.
func classOf(a netip.Addr) (name string, local bool) {
	if i := classNets.find(a); i >= 0 {
		return classes[i].name, classes[i].local
	}
	return classPublic, false
}

// maxAddrText is the longest text of an address without a zone.
const maxAddrText = len("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255")

// parseAddr reads an address, with or without brackets, port and zone. It does not
// allocate, also where s is none.
func parseAddr(s string) (netip.Addr, bool) {
	if i := strings.IndexByte(s, '%'); i > 0 {
		s = strings.TrimSuffix(s[:i], "]")
	}
	s = bare(s)
	if len(s) < 2 || len(s) > maxAddrText {
		return netip.Addr{}, false
	}
	dots := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '.':
			dots++
		case c >= '0' && c <= '9' || c == ':' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F':
		default:
			return netip.Addr{}, false
		}
	}
	if dots != 3 && strings.Count(s, ":") < 2 {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(s)
	return a.Unmap(), err == nil
}

// bare takes brackets and a port off.
func bare(s string) string {
	if strings.HasPrefix(s, "[") {
		s, _, _ = strings.Cut(s[1:], "]")
		return s
	}
	if i := strings.IndexByte(s, ':'); i > 0 && i == strings.LastIndexByte(s, ':') && strings.IndexByte(s, '.') >= 0 {
		return s[:i] // 192.0.2.1:443
	}
	return s
}
