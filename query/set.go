package query

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"
)

// The bounds of a set.
const (
	MaxSetValues = 1_000_000
	MaxSetValue  = 1 << 10 // bytes of one value after folding; longer texts are never members
)

// NewSet makes a set of values: they are trimmed and folded, empty ones and those
// that begin with # are left out, and a network (10.0.0.0/8) stands for all of its addresses.
func NewSet(name string, values []string) (*Set, error) {
	if len(values) > MaxSetValues {
		return nil, fmt.Errorf("the list @%s has %d values; at most %d are allowed, split it", name, len(values), MaxSetValues)
	}
	s := &Set{Name: name, Values: make(map[string]struct{}, len(values))}
	for i, v := range values {
		v = strings.TrimSpace(v)
		if v == "" || v[0] == '#' {
			continue
		}
		if net, err := netip.ParsePrefix(v); err == nil {
			s.addNet(net)
			continue
		}
		if v = Fold(v); len(v) > MaxSetValue {
			return nil, fmt.Errorf("value %d of the list @%s is longer than %d bytes; remove it", i+1, name, MaxSetValue)
		}
		s.Values[v] = struct{}{}
	}
	return s, nil
}

func (s *Set) addNet(net netip.Prefix) {
	if s.nets == nil {
		s.nets = map[netip.Prefix]struct{}{}
	}
	net = PlainNet(net)
	s.nets[net] = struct{}{}
	if !slices.Contains(s.bits, net.Bits()) {
		s.bits = append(s.bits, net.Bits())
	}
}

// PlainNet is the network without host bits, an IPv4-mapped one as IPv4: an address
// that ParseAddr read answers OpCIDR exactly when it is inside this.
func PlainNet(net netip.Prefix) netip.Prefix {
	if a := net.Addr(); a.Is4In6() && net.Bits() >= 96 {
		net = netip.PrefixFrom(a.Unmap(), net.Bits()-96)
	}
	return net.Masked()
}

// has reports whether text is a member, as text or as an address.
func (s *Set) has(text string, cased bool) bool {
	if len(s.nets) > 0 {
		if a, ok := ParseAddr(text); ok && s.hasAddr(a) {
			return true
		}
	}
	if cased {
		_, ok := s.Values[text]
		return ok
	}
	var buf [MaxSetValue + 4]byte
	folded, ok := foldInto(buf[:0], text)
	if !ok {
		return false
	}
	_, ok = s.Values[string(folded)]
	return ok
}

func (s *Set) hasAddr(a netip.Addr) bool {
	for _, bits := range s.bits {
		if net, err := a.Prefix(min(bits, a.BitLen())); err == nil {
			if _, ok := s.nets[net]; ok {
				return true
			}
		}
	}
	return false
}

// foldInto appends the folded text to buf, which has room for MaxSetValue bytes
// and one rune; not ok when it is longer. A rune of three bytes may fold to one,
// so only texts of three times that are refused unread.
func foldInto(buf []byte, text string) ([]byte, bool) {
	if len(text) > 3*MaxSetValue {
		return nil, false
	}
	for i := 0; i < len(text); {
		if c := text[i]; c < utf8.RuneSelf {
			buf = append(buf, lower[c])
			i++
		} else {
			_, size := firstFold(text[i:])
			buf = AppendFold(buf, text[i:i+size])
			i += size
		}
		if len(buf) > MaxSetValue {
			return nil, false
		}
	}
	return buf, true
}

// hasWord reports whether a word of the text is a member: a run of letters,
// digits and . - _ : @, tried as a whole and in its parts between colons.
func (s *Set) hasWord(text string, cased bool) (start, end int, ok bool) {
	for i := 0; i < len(text); {
		if !wordByte(text[i]) {
			i++
			continue
		}
		j := i
		for j < len(text) && wordByte(text[j]) {
			j++
		}
		if a, b, ok := s.hasPart(text, i, j, cased); ok {
			return a, b, true
		}
		i = j
	}
	return -1, -1, false
}

func (s *Set) hasPart(text string, i, j int, cased bool) (start, end int, ok bool) {
	if a, b := trimWord(text, i, j); s.has(text[a:b], cased) {
		return a, b, true
	}
	for i < j {
		k := i
		for k < j && text[k] != ':' {
			k++
		}
		if a, b := trimWord(text, i, k); k-i < j-i && a < b && s.has(text[a:b], cased) {
			return a, b, true
		}
		i = k + 1
	}
	return -1, -1, false
}

// trimWord takes sentence punctuation off both ends.
func trimWord(text string, i, j int) (start, end int) {
	for i < j && strings.IndexByte(".:-", text[i]) >= 0 {
		i++
	}
	for i < j && strings.IndexByte(".:-", text[j-1]) >= 0 {
		j--
	}
	return i, j
}

func wordByte(c byte) bool {
	return c >= 0x80 || '0' <= c && c <= '9' || 'a' <= lower[c] && lower[c] <= 'z' || strings.IndexByte(".-_:@", c) >= 0
}
