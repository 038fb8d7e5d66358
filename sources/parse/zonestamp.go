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
	i := end
	if i < len(b) && b[i] == ' ' {
		i++
	}
	stop := i
	for stop < len(b) && stop-i < 6 && b[stop]-'A' < 26 {
		stop++
	}
	if hours, ok := zoneWords[str(b[i:stop])]; ok && (stop >= len(b) || !isLetter(b[stop])) {
		p.at(c.utc(hours * 3600))
		return stop
	}
	p.at(p.slab.zones.in(c, p.spec.zone))
	return end
}

// zonedText does so for a value.
func (p *pass) zonedText(s string) bool {
	return len(s) <= 40 && p.zonedStamp(bytesOf(s)) > 0
}
