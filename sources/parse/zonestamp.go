package parse

// zoneWords are the abbreviations of zones that mean one offset only, in hours
// east; others are read in the source's zone.
var zoneWords = map[string]int{
	"UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3,
	"EST": -5, "EDT": -4, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "AKST": -9, "AKDT": -8, "HST": -10,
	"JST": 9, "KST": 9, "SGT": 8, "HKT": 8, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13, "BRT": -3,
}

// zonedStamp reads "yyyy-mm-dd hh:mm:ss[.fff][ ZONE]" at the beginning of b as the
// record's time, and returns where it ends, -1 when it is none.
func (p *pass) zonedStamp(b []byte) int {
	c, east, zoned, end := isoStamp(b)
	if end < 0 {
		return -1
	}
	if zoned {
		p.at(c.utc(east))
		return end
	}
	if east, stop := zoneWord(b, end); stop > 0 {
		p.at(c.utc(east))
		return stop
	}
	p.at(p.slab.zones.in(c, p.spec.zone))
	return end
}

// zonedText does so for a value.
func (p *pass) zonedText(s string) bool {
	return len(s) <= 40 && p.zonedStamp(bytesOf(s)) > 0
}

// zoneWord reads a zone's abbreviation at b[i:], with one blank before it allowed, and
// returns its offset in seconds and where it ends, 0 when there is none.
func zoneWord(b []byte, i int) (east, end int) {
	if i < len(b) && b[i] == ' ' {
		i++
	}
	end = i
	for end < len(b) && end-i < 6 && b[end]-'A' < 26 {
		end++
	}
	hours, ok := zoneWords[str(b[i:end])]
	if !ok || end < len(b) && isLetter(b[end]) {
		return 0, 0
	}
	return hours * 3600, end
}

// mailStamp reads "[Tue, ]3 Nov 2026 09:14:02[.fff] ZONE" (RFC 1123, RFC 5322); end is
// -1 when it is none.
func mailStamp(b []byte) (c civil, z zoneMark, end int) {
	i := 0
	if len(b) > 5 && b[3] == ',' && b[4] == ' ' {
		i = 5
	}
	at := digits(b[:min(len(b), i+2)], i)
	for _, d := range b[min(i, at):at] {
		c.day = c.day*10 + int(d-'0')
	}
	if at == i || at+9 > len(b) || b[at] != ' ' || b[at+4] != ' ' {
		return c, z, -1
	}
	c.mon, c.year = month(b, at+1), four(b, at+5)
	end = -1
	if at+9 < len(b) && b[at+9] == ' ' && c.year > 0 {
		end = clockTime(b, at+10, &c)
	}
	if end < 0 || !c.valid() {
		return c, z, -1
	}
	if z.east, z.zoned, end = zoneOffset(b, end); !z.zoned {
		if east, to := zoneWord(b, end); to > 0 {
			z.east, z.zoned, end = east, true, to
		}
	}
	return c, z, end
}
