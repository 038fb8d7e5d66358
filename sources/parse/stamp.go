package parse

import "time"

// stamp is an instant: seconds since 1970 and nanoseconds.
type stamp struct {
	sec  int64
	nsec int32
}

// civil is a date and time of day as written, before its zone is known.
type civil struct {
	year, mon, day, hour, min, sec int
	nsec                           int32
}

func (c civil) valid() bool {
	return c.mon >= 1 && c.mon <= 12 && c.day >= 1 && c.day <= c.monthDays() && c.hour < 24 && c.min < 60 && c.sec <= 60
}

// monthDays is how many days the month has; February 29 where no year is written.
func (c civil) monthDays() int {
	switch c.mon {
	case 2:
		if c.year%4 == 0 && (c.year%100 != 0 || c.year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// daysTo returns the days from 1970-01-01 to a date of the Gregorian calendar.
func daysTo(y, m, d int) int64 {
	if m <= 2 {
		y--
	}
	era := y / 400
	yoe := y - era*400
	doy := (153*((m+9)%12)+2)/5 + d - 1
	return int64(era*146097+yoe*365+yoe/4-yoe/100+doy) - 719468
}

// utc returns the instant of c read as UTC plus offset seconds east.
func (c civil) utc(east int) stamp {
	s := daysTo(c.year, c.mon, c.day)*86400 + int64(c.hour*3600+c.min*60+c.sec-east)
	return stamp{s, c.nsec}
}

// zoneCache remembers the offset of one minute of one zone, because logs stay in
// a minute for many lines and looking up a zone is slow.
type zoneCache struct {
	zone   *time.Location
	minute int64
	east   int
}

// in returns the instant of c in a zone.
func (z *zoneCache) in(c civil, zone *time.Location) stamp {
	if zone == time.UTC {
		return c.utc(0)
	}
	m := daysTo(c.year, c.mon, c.day)*1440 + int64(c.hour*60+c.min)
	if z.zone != zone || z.minute != m {
		_, east := time.Date(c.year, time.Month(c.mon), c.day, c.hour, c.min, 0, 0, zone).Zone()
		z.zone, z.minute, z.east = zone, m, east
	}
	return c.utc(z.east)
}

// two reads two decimal digits at b[i:]; -1 when they are none.
func two(b []byte, i int) int {
	if i+1 >= len(b) {
		return -1
	}
	x, y := b[i]-'0', b[i+1]-'0'
	if x > 9 || y > 9 {
		return -1
	}
	return int(x)*10 + int(y)
}

func four(b []byte, i int) int {
	x, y := two(b, i), two(b, i+2)
	if x < 0 || y < 0 {
		return -1
	}
	return x*100 + y
}

// clockTime reads "hh:mm:ss" and a fraction after "." or "," at b[i:] into c and
// returns where it ends, -1 when it is none.
func clockTime(b []byte, i int, c *civil) int {
	if i+8 > len(b) || b[i+2] != ':' || b[i+5] != ':' {
		return -1
	}
	c.hour, c.min, c.sec = two(b, i), two(b, i+3), two(b, i+6)
	if c.hour < 0 || c.min < 0 || c.sec < 0 || c.hour > 23 || c.min > 59 || c.sec > 60 {
		return -1
	}
	i += 8
	if i < len(b) && (b[i] == '.' || b[i] == ',') {
		n := fraction(b[i+1:], &c.nsec)
		if n > 0 {
			i += 1 + n
		}
	}
	return i
}

// fraction reads decimal digits as a fraction of a second and returns how many
// there were.
func fraction(b []byte, nsec *int32) int {
	n, scale := int32(0), int32(100_000_000)
	i := 0
	for ; i < len(b) && b[i]-'0' <= 9; i++ {
		n += int32(b[i]-'0') * scale
		scale /= 10
	}
	*nsec = n
	return i
}

var monthDigits = [...]uint32{
	key3("Jan"), key3("Feb"), key3("Mar"), key3("Apr"), key3("May"), key3("Jun"),
	key3("Jul"), key3("Aug"), key3("Sep"), key3("Oct"), key3("Nov"), key3("Dec"),
}

func key3(s string) uint32 { return uint32(s[0])<<16 | uint32(s[1])<<8 | uint32(s[2]) }

// month reads an English month's three letters at b[i:]; 0 is none.
func month(b []byte, i int) int {
	if i+3 > len(b) {
		return 0
	}
	k := uint32(b[i])<<16 | uint32(b[i+1])<<8 | uint32(b[i+2])
	for m, have := range monthDigits {
		if k == have {
			return m + 1
		}
	}
	return 0
}

// bsdStamp reads RFC 3164's "Mmm dd hh:mm:ss", also with one digit for the day, a
// year after the day ("Nov  3 2026 09:01:02") and a fraction. Year 0: not written.
func bsdStamp(b []byte) (c civil, end int) {
	if c.mon = month(b, 0); c.mon == 0 || len(b) < 14 || b[3] != ' ' {
		return c, -1
	}
	i := 4
	if b[i] == ' ' {
		i++
	}
	for ; i < len(b) && b[i]-'0' <= 9 && c.day < 32; i++ {
		c.day = c.day*10 + int(b[i]-'0')
	}
	if c.day < 1 || c.day > 31 || i >= len(b) || b[i] != ' ' {
		return c, -1
	}
	i++
	if y := four(b, i); y > 0 && i+4 < len(b) && b[i+4] == ' ' {
		c.year = y
		i += 5
	}
	return c, clockTime(b, i, &c)
}

// isoStamp reads RFC 3339 and its common relatives: "T" or blank between date and
// time, "." or "," before the fraction, "Z", "+hh:mm", "+hhmm", "+hh" or no zone
// (zoned is false then). Dates may be written with "/" too.
func isoStamp(b []byte) (c civil, east int, zoned bool, end int) {
	if len(b) < 19 || (b[4] != '-' && b[4] != '/') || b[7] != b[4] {
		return c, 0, false, -1
	}
	if b[10] != 'T' && b[10] != ' ' && b[10] != 't' {
		return c, 0, false, -1
	}
	c.year, c.mon, c.day = four(b, 0), two(b, 5), two(b, 8)
	i := clockTime(b, 11, &c)
	if i < 0 || c.year < 0 || !c.valid() {
		return c, 0, false, -1
	}
	east, zoned, i = zoneOffset(b, i)
	return c, east, zoned, i
}

// zoneOffset reads "Z", "+hh:mm", "+hhmm" or "+hh" at b[i:], with one blank before
// a signed offset allowed; without one it returns i as it was.
func zoneOffset(b []byte, i int) (east int, zoned bool, end int) {
	if i < len(b) && (b[i] == 'Z' || b[i] == 'z') {
		return 0, true, i + 1
	}
	j := i
	if j < len(b) && b[j] == ' ' {
		j++
	}
	if j >= len(b) || (b[j] != '+' && b[j] != '-') {
		return 0, false, i
	}
	h := two(b, j+1)
	if h < 0 || h > 14 {
		return 0, false, i
	}
	k, m := j+3, 0
	if k < len(b) && b[k] == ':' {
		k++
	}
	if m = two(b, k); m < 0 {
		m, k = 0, j+3
	} else {
		k += 2
	}
	east = h*3600 + m*60
	if b[j] == '-' {
		east = -east
	}
	return east, true, k
}

// clfStamp reads the Common Log Format's "dd/Mmm/yyyy:hh:mm:ss +zzzz".
func clfStamp(b []byte) (stamp, int) {
	if len(b) < 20 || b[2] != '/' || b[6] != '/' || b[11] != ':' {
		return stamp{}, -1
	}
	c := civil{year: four(b, 7), mon: month(b, 3), day: two(b, 0)}
	i := clockTime(b, 12, &c)
	if i < 0 || c.year < 0 || !c.valid() {
		return stamp{}, -1
	}
	east, _, end := zoneOffset(b, i)
	return c.utc(east), end
}

// epochStamp reads a number as seconds, milli-, micro- or nanoseconds since 1970,
// told apart by size; ok is false outside 1990 to 2200.
func epochStamp(x float64) (stamp, bool) {
	div := int64(1)
	switch {
	case x >= 7e17:
		div = 1_000_000_000
	case x >= 7e14:
		div = 1_000_000
	case x >= 7e11:
		div = 1_000
	}
	s := x / float64(div)
	if !(s >= year1990 && s < 7258118400) {
		return stamp{}, false
	}
	if div == 1 {
		sec := int64(x)
		return stamp{sec, int32((x-float64(sec))*1e6) * 1000}, true
	}
	n := int64(x)
	return stamp{n / div, int32(n % div * (1_000_000_000 / div))}, true
}

// epochText reads a number written out, exactly, as epochStamp does.
func epochText(s string) (stamp, bool) {
	whole, i := int64(0), 0
	for ; i < len(s) && s[i]-'0' <= 9; i++ {
		if i == 19 {
			return stamp{}, false
		}
		whole = whole*10 + int64(s[i]-'0')
	}
	if i < 9 {
		return stamp{}, false
	}
	if i <= 11 {
		t := stamp{sec: whole}
		if i < len(s) && s[i] == '.' {
			i += 1 + fraction([]byte(s[i+1:]), &t.nsec)
		}
		return t, i == len(s) && whole >= year1990 && whole < 7258118400
	}
	for _, div := range [...]int64{1_000, 1_000_000, 1_000_000_000} {
		if sec := whole / div; sec >= year1990 && sec < 7258118400 {
			return stamp{sec, int32(whole % div * (1_000_000_000 / div))}, i == len(s) || s[i] == '.'
		}
	}
	return stamp{}, false
}

// timeText reads any written time this package knows, in zone where it names none.
func (p *pass) timeText(s string) (stamp, bool) {
	b := []byte(nil)
	if len(s) > 0 && len(s) <= 40 {
		b = bytesOf(s)
	}
	if c, east, zoned, end := isoStamp(b); end > 0 {
		if !zoned {
			if east, to := zoneWord(b, end); to > 0 {
				return c.utc(east), true
			}
			return p.slab.zones.in(c, p.spec.zone), true
		}
		return c.utc(east), true
	}
	if t, end := clfStamp(b); end > 0 {
		return t, true
	}
	if t, ok := epochText(s); ok {
		return t, true
	}
	if c, from, to, z := textStamp(b); from == 0 && to == len(b) {
		return p.place(c, z), true
	}
	return stamp{}, false
}

// place returns the instant of a stamp, in the source's zone where it names none.
func (p *pass) place(c civil, z zoneMark) stamp {
	if c.year == 0 {
		c.year = p.yearOf(c.mon, c.day)
	}
	if z.zoned {
		return c.utc(z.east)
	}
	return p.slab.zones.in(c, p.spec.zone)
}
