package session

import (
	"net/netip"
	"strings"
)

// maxNames bounds how many short names of hosts are known; those beyond it are joined
// with no full name.
const maxNames = 2048

// fullName is the full name that begins with a short one.
type fullName struct {
	name string
	many bool // there are several: the short name is nobody's
}

// meet learns a host's full name: syslog says web-2 where audit says
// web-2.shop.example.
func (x *Index) meet(host string) {
	short := shortOf(host)
	if short == "" || len(host) > maxText {
		return
	}
	n, known := x.names[short]
	switch {
	case !known && len(x.names) < maxNames:
		host = own(host)
		x.names[host[:len(short)]] = fullName{name: host}
	case known && !n.many && n.name != host:
		n.many = true
		x.names[n.name[:len(short)]] = n
	}
}

// also is the other name of a host, "" where it has none or where it cannot be told
// whose it is.
func (x *Index) also(host string) string {
	if len(x.names) == 0 {
		return ""
	}
	short := shortOf(host)
	if short == "" {
		short = host
	}
	switch n := x.names[short]; {
	case n.many || n.name == "":
		return ""
	case n.name == host:
		return short
	case short == host:
		return n.name
	}
	return ""
}

// shortOf is the first label of a full name, "" where host is none.
func shortOf(host string) string {
	short, rest, _ := strings.Cut(host, ".")
	if short == "" || rest == "" || short == "localhost" {
		return ""
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return ""
	}
	return short
}

// listed is what m holds of a host under either of its names.
func listed[V any](x *Index, m map[at][]V, host, what string) []V {
	list := m[at{host, what}]
	if other := x.also(host); other != "" {
		if more := m[at{other, what}]; len(more) > 0 {
			return append(list[:len(list):len(list)], more...)
		}
	}
	return list
}
