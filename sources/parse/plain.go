package parse

import "bartizan/event"

var (
	fTimestamp = known("timestamp")
	fLevel     = known("level")
)

// readRaw takes every record: its bytes are its message, and nothing is known.
func readRaw(p *pass) bool {
	p.e.FormatName = "raw"
	p.e.Flags |= event.FlagRawOnly
	p.e.Message = view(p.text, 0, trimEnd(p.text))
	p.e.Level = guessLevel(p.text, 0)
	return true
}

func scoreText(b []byte) (int, string) {
	if _, from, _, _ := textStamp(b); from >= 0 {
		return 30, "begins with a stamp, the rest is text"
	}
	return 0, "no stamp at the beginning"
}

// readText reads lines of programs with no format of their own: a stamp first,
// perhaps in brackets, then text in which a level may stand.
func readText(p *pass) bool {
	b := p.text
	c, from, to, z := textStamp(b)
	if from < 0 {
		return false
	}
	if z.epoch {
		t, _ := epochText(str(b[from:to]))
		p.at(t)
	} else {
		p.at(p.place(c, z))
	}
	p.add(fTimestamp, from, to)
	i := to
	for i < len(b) && (b[i] == ']' || b[i] == ' ' || b[i] == '\t' || b[i] == ':' || b[i] == '-' || b[i] == '|') {
		i++
	}
	end := max(trimEnd(b), i)
	p.e.FormatName = "text"
	p.e.Level = guessLevel(b, i)
	p.add(fMessage, i, end)
	p.e.Message = view(b, i, end)
	return true
}

// zoneMark says how a stamp is to be placed.
type zoneMark struct {
	east         int
	zoned, epoch bool
}

// textStamp finds a stamp at the beginning, after "[" or "<n>" at most. from is -1
// when there is none.
func textStamp(b []byte) (c civil, from, to int, z zoneMark) {
	i := 0
	if len(b) > 0 && (b[0] == '[' || b[0] == '(') {
		i = 1
	}
	if len(b)-i < 10 {
		return c, -1, -1, z
	}
	t := b[i:]
	if t[0]-'0' <= 9 {
		return digitStamp(b, i)
	}
	switch t[0] {
	case 'I', 'W', 'E', 'F': // klog: "E1103 09:01:02.000000"
		if mon, day := two(t, 1), two(t, 3); mon > 0 && day > 0 && t[5] == ' ' {
			c.mon, c.day = mon, day
			if end := clockTime(t, 6, &c); end > 0 && c.valid() {
				return c, i, i + end, z
			}
			c = civil{}
		}
	}
	if c, z, end := mailStamp(t); end > 0 {
		return c, i, i + end, z
	}
	if len(t) > 20 && t[3] == ' ' && month(t, 4) > 0 { // ctime: "Tue Nov 03 09:01:02 2026", and date's with a zone before the year
		c, end := bsdStamp(t[4:])
		if end > 0 {
			end += 4
			if east, to := zoneWord(t, end); to > 0 {
				z, end = zoneMark{east: east, zoned: true}, to
			}
			if y := four(t, end+1); t[min(end, len(t)-1)] == ' ' && y > 0 {
				c.year, end = y, end+5
			}
			return c, i, i + end, z
		}
	}
	if c, end := bsdStamp(t); end > 0 {
		return c, i, i + end, z
	}
	return civil{}, -1, -1, z
}

func digitStamp(b []byte, i int) (c civil, from, to int, z zoneMark) {
	t := b[i:]
	if c, east, zoned, end := isoStamp(t); end > 0 {
		if word, to := zoneWord(t, end); !zoned && to > 0 {
			east, zoned, end = word, true, to
		}
		return c, i, i + end, zoneMark{east: east, zoned: zoned}
	}
	if c, z, end := mailStamp(t); end > 0 {
		return c, i, i + end, z
	}
	if s, end := clfStamp(t); end > 0 {
		d := daysCivil(s.sec / 86400)
		d.hour, d.min, d.sec, d.nsec = int(s.sec/3600%24), int(s.sec/60%60), int(s.sec%60), s.nsec
		return d, i, i + end, zoneMark{zoned: true}
	}
	end := digits(t, 0)
	if end < len(t) && t[end] == '.' {
		end = digits(t, end+1)
	}
	if end < len(t) && t[end] != ' ' && t[end] != ']' && t[end] != '\t' && t[end] != ':' {
		return civil{}, -1, -1, z
	}
	if _, ok := epochText(str(t[:end])); ok {
		return civil{}, i, i + end, zoneMark{epoch: true}
	}
	return civil{}, -1, -1, z
}

// guessLevel looks for a level among the first words after i: in capitals, in
// brackets, or with a colon after it.
func guessLevel(b []byte, i int) event.Level {
	limit := min(len(b), i+100)
	for n := 0; i < limit && n < 6; n++ {
		end := i
		for end < limit && isLetter(b[end]) {
			end++
		}
		if end-i >= 4 && end-i <= 13 || end-i == 3 && b[i]-'A' < 26 {
			marked := b[i]-'A' < 26 && b[end-1]-'A' < 26 || i > 0 && b[i-1] == '[' || end < len(b) && (b[end] == ':' || b[end] == ']')
			if marked {
				if l := levelWord(str(b[i:end])); l != event.LevelUnknown {
					return l
				}
			}
		}
		for end < limit && !isLetter(b[end]) {
			end++
		}
		i = end
	}
	return event.LevelUnknown
}

func isLetter(c byte) bool { return c-'a' < 26 || c-'A' < 26 }
