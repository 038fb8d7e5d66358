package query

import (
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"bartizan/event"
)

// The readers in this file answer "not one of those" without allocating, which
// the standard library's do not: they build an error.

// parseNumber reads a decimal number with optional sign, fraction and exponent.
func parseNumber(s string) (float64, bool) {
	if len(s) == 0 || len(s) > 64 || !decimalSyntax(s) {
		return 0, false
	}
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil && !math.IsInf(n, 0)
}

func decimalSyntax(s string) bool {
	i := 0
	if s[0] == '-' || s[0] == '+' {
		i++
	}
	whole := digits(s, i)
	i += whole
	fraction := 0
	if i < len(s) && s[i] == '.' {
		fraction = digits(s, i+1)
		i += fraction + 1
	}
	if whole+fraction == 0 {
		return false
	}
	if i < len(s) && lower[s[i]] == 'e' {
		i++
		if i < len(s) && (s[i] == '-' || s[i] == '+') {
			i++
		}
		n := digits(s, i)
		if n == 0 || n > 3 {
			return false
		}
		i += n
	}
	return i == len(s)
}

// digits counts the decimal digits of s from i.
func digits(s string, i int) int {
	n := 0
	for i+n < len(s) && '0' <= s[i+n] && s[i+n] <= '9' {
		n++
	}
	return n
}

// plainInt reports whether s is a whole number in its only usual spelling, so
// that two different ones are different numbers.
func plainInt(s string) bool {
	return len(s) > 0 && len(s) < 16 && digits(s, 0) == len(s) && (s[0] != '0' || len(s) == 1)
}

// sameNumber reports whether text and the number v are numerically equal; that
// they differ as text is already known.
func sameNumber(text string, v *event.Value) bool {
	if v.Kind != event.KindNumber || plainInt(text) && plainInt(v.Str) {
		return false
	}
	n, ok := parseNumber(text)
	return ok && n == v.Num
}

// ParseAddr reads an IPv4 or IPv6 address, without a zone, IPv4-mapped ones as
// IPv4. It does not allocate.
func ParseAddr(s string) (netip.Addr, bool) {
	if len(s) < 2 || len(s) > 45 {
		return netip.Addr{}, false
	}
	if strings.IndexByte(s, ':') < 0 {
		b, ok := parseIPv4(s)
		return netip.AddrFrom4(b), ok
	}
	b, ok := parseIPv6(s)
	return netip.AddrFrom16(b).Unmap(), ok
}

func parseIPv4(s string) (b [4]byte, ok bool) {
	for part := range b {
		n := digits(s, 0)
		if n == 0 || n > 3 || n > 1 && s[0] == '0' {
			return b, false
		}
		v := 0
		for _, c := range []byte(s[:n]) {
			v = v*10 + int(c-'0')
		}
		if v > 255 {
			return b, false
		}
		b[part], s = byte(v), s[n:]
		if part < 3 {
			if s == "" || s[0] != '.' {
				return b, false
			}
			s = s[1:]
		}
	}
	return b, s == ""
}

func parseIPv6(s string) (b [16]byte, ok bool) {
	at, gap := 0, -1
	if strings.HasPrefix(s, "::") {
		gap, s = 0, s[2:]
	}
	for s != "" {
		if at == 16 {
			return b, false
		}
		if at <= 12 && strings.IndexByte(s, ':') < 0 && strings.IndexByte(s, '.') >= 0 {
			v4, ok4 := parseIPv4(s)
			copy(b[at:], v4[:])
			at, s, ok = at+4, "", ok4
			if !ok {
				return b, false
			}
			break
		}
		v, n := hexGroup(s)
		if n == 0 {
			return b, false
		}
		b[at], b[at+1] = byte(v>>8), byte(v)
		at, s = at+2, s[n:]
		if s == "" {
			break
		}
		if s[0] != ':' || len(s) == 1 {
			return b, false
		}
		if s = s[1:]; s[0] == ':' {
			if gap >= 0 {
				return b, false
			}
			gap, s = at, s[1:]
		}
	}
	return spreadGap(b, at, gap)
}

// spreadGap moves what came after "::" to the end.
func spreadGap(b [16]byte, at, gap int) ([16]byte, bool) {
	if gap < 0 || at == 16 {
		return b, gap < 0 && at == 16
	}
	var out [16]byte
	copy(out[:gap], b[:gap])
	copy(out[16-(at-gap):], b[gap:at])
	return out, true
}

func hexGroup(s string) (v, n int) {
	for n < len(s) && n < 5 {
		d := strings.IndexByte("0123456789abcdef", lower[s[n]])
		if d < 0 {
			break
		}
		v, n = v<<4|d, n+1
	}
	if n > 4 {
		return 0, 0
	}
	return v, n
}

// parseTime reads a date with optional time of day, fraction and zone: the
// subset of RFC 3339 and ISO 8601 that logs use. Without a zone it is UTC. unit
// is the precision it was given in: a day, a minute, a second or a microsecond.
func parseTime(s string) (t time.Time, unit time.Duration, ok bool) {
	if len(s) < 10 || len(s) > 40 || s[4] != '-' || s[7] != '-' {
		return t, 0, false
	}
	year, ok1 := twoDigits(s, 0, 99)
	year2, ok2 := twoDigits(s, 2, 99)
	month, ok3 := twoDigits(s, 5, 12)
	day, ok4 := twoDigits(s, 8, 31)
	if !ok1 || !ok2 || !ok3 || !ok4 || month == 0 || day == 0 {
		return t, 0, false
	}
	date := time.Date(year*100+year2, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if date.Day() != day {
		return t, 0, false
	}
	if len(s) == 10 {
		return date, 24 * time.Hour, true
	}
	if s[10] != 'T' && s[10] != 't' && s[10] != ' ' {
		return t, 0, false
	}
	ofDay, unit, rest, ok := clock(s[11:])
	if !ok {
		return t, 0, false
	}
	east, ok := zone(rest)
	return date.Add(ofDay - east), unit, ok
}

// clock reads hh:mm, hh:mm:ss or hh:mm:ss.fraction and returns what is behind.
func clock(s string) (d, unit time.Duration, rest string, ok bool) {
	if len(s) < 5 || s[2] != ':' {
		return 0, 0, "", false
	}
	h, ok1 := twoDigits(s, 0, 23)
	m, ok2 := twoDigits(s, 3, 59)
	d, unit, rest = time.Duration(h)*time.Hour+time.Duration(m)*time.Minute, time.Minute, s[5:]
	if !ok1 || !ok2 || len(rest) < 3 || rest[0] != ':' {
		return d, unit, rest, ok1 && ok2
	}
	sec, ok := twoDigits(rest, 1, 60)
	d, unit, rest = d+time.Duration(sec)*time.Second, time.Second, rest[3:]
	if !ok || rest == "" || rest[0] != '.' && rest[0] != ',' {
		return d, unit, rest, ok
	}
	n := digits(rest, 1)
	scale := time.Second
	for _, c := range []byte(rest[1 : 1+n]) {
		scale /= 10
		d += time.Duration(c-'0') * scale
	}
	return d, time.Microsecond, rest[1+n:], n > 0
}

// zone reads Z, +hh:mm, +hhmm or nothing, as the time east of UTC.
func zone(s string) (time.Duration, bool) {
	if s == "" || s == "Z" || s == "z" {
		return 0, true
	}
	if s[0] != '+' && s[0] != '-' || len(s) < 5 {
		return 0, false
	}
	minutes := s[3:]
	if minutes[0] == ':' {
		minutes = minutes[1:]
	}
	h, ok1 := twoDigits(s, 1, 23)
	m, ok2 := twoDigits(minutes, 0, 59)
	east := time.Duration(h)*time.Hour + time.Duration(m)*time.Minute
	if s[0] == '-' {
		east = -east
	}
	return east, ok1 && ok2 && len(minutes) == 2
}

func twoDigits(s string, i, most int) (int, bool) {
	if i+2 > len(s) || digits(s[:i+2], i) != 2 {
		return 0, false
	}
	n := int(s[i]-'0')*10 + int(s[i+1]-'0')
	return n, n <= most
}

// parseLevel is event.ParseLevel without its allocation for capital letters.
func parseLevel(s string) event.Level {
	var buf [16]byte
	if len(s) > len(buf) {
		return event.LevelUnknown
	}
	for i := 0; i < len(s); i++ {
		buf[i] = lower[s[i]]
	}
	return event.ParseLevel(string(buf[:len(s)]))
}

// scale says what an ordering predicate compares.
type scale uint8

const (
	scaleNone scale = iota
	scaleNumber
	scaleLevel
	scaleTime
)

// scaleOf reads the right side of an ordering predicate: its rank is the number
// itself, the level's rank, or the microseconds since 1970.
func scaleOf(text string) (scale, float64) {
	if n, ok := parseNumber(text); ok {
		return scaleNumber, n
	}
	if t, _, ok := parseTime(text); ok {
		return scaleTime, float64(t.UnixMicro())
	}
	if l := parseLevel(text); l != event.LevelUnknown {
		return scaleLevel, float64(l)
	}
	return scaleNone, 0
}

// scaleLike tells the scale of a text known to have one, by its shape.
func scaleLike(text string) scale {
	switch {
	case len(text) >= 10 && text[4] == '-' && text[7] == '-':
		return scaleTime
	case text != "" && lower[text[0]] >= 'a' && lower[text[0]] <= 'z':
		return scaleLevel
	}
	return scaleNumber
}
