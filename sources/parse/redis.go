package parse

import "bartizan/event"

// Redis' and Valkey's server log: "pid:role dd Mmm yyyy hh:mm:ss.mmm # message",
// and the older forms without role, year or pid.

var (
	rdRole   = known("role")
	rdSignal = known("signal-handler")
)

var redisAliases = []pair{{ecsPID, fPID}}

var logRedis = event.LogSource{Product: "redis", Category: "database"}

// redisRoles are the letters after the pid.
var redisRoles = map[byte]string{'X': "sentinel", 'C': "child", 'S': "replica", 'M': "master"}

// redisHead reads what stands before the message.
type redisHead struct {
	pid, pidEnd int
	role        int // its place, 0 for none
	when        civil
	epoch       stamp
	mark        int // the place of the level's sign, 0 for none
	text        int // where the message begins
}

func readRedisHead(b []byte) (h redisHead, ok bool) {
	i := 0
	switch {
	case len(b) < 16:
		return h, false
	case b[0] == '[':
		h.pid, h.pidEnd = 1, digits(b, 1)
		if !prefixAt(b, h.pidEnd, "] ") || h.pidEnd == 1 {
			return h, false
		}
		i = h.pidEnd + 2
	default:
		end := digits(b, 0)
		if end == 0 || end > 8 || end+3 >= len(b) {
			return h, false
		}
		if b[end] == ':' {
			h.pidEnd, h.role = end, end+1
			if prefixAt(b, end, ":signal-handler (") {
				return redisSignal(b, h)
			}
			if redisRoles[b[h.role]] == "" || b[h.role+1] != ' ' {
				return h, false
			}
			i = h.role + 2
		}
	}
	at := redisStamp(b, i, &h.when)
	if at < 0 || at+2 >= len(b) || b[at] != ' ' || b[at+2] != ' ' {
		return h, false
	}
	h.mark, h.text = at+1, at+3
	return h, redisLevel(b[h.mark]) != event.LevelUnknown
}

// redisSignal reads "pid:signal-handler (seconds) message".
func redisSignal(b []byte, h redisHead) (redisHead, bool) {
	from := h.role + len("signal-handler (")
	end := digits(b, from)
	if !prefixAt(b, end, ") ") {
		return h, false
	}
	var ok bool
	h.epoch, ok = epochText(str(b[from:end]))
	h.text = end + 2
	return h, ok
}

// redisStamp reads "dd Mmm [yyyy ]hh:mm:ss[.mmm]" and returns its end.
func redisStamp(b []byte, i int, c *civil) int {
	d := digits(b, i)
	if d == i || d-i > 2 || d+5 >= len(b) || b[d] != ' ' {
		return -1
	}
	day, _ := number(b[i:d])
	c.day, c.mon = int(day), month(b, d+1)
	if c.mon == 0 || b[d+4] != ' ' {
		return -1
	}
	i = d + 5
	if y := four(b, i); y > 0 && i+4 < len(b) && b[i+4] == ' ' {
		c.year, i = y, i+5
	}
	if i = clockTime(b, i, c); i < 0 || !c.valid() {
		return -1
	}
	return i
}

func redisLevel(c byte) event.Level {
	switch c {
	case '.':
		return event.LevelTrace
	case '-':
		return event.LevelDebug
	case '*':
		return event.LevelNotice
	case '#':
		return event.LevelWarning
	}
	return event.LevelUnknown
}

// redisWords are the configuration's names of the levels.
var redisWords = map[byte]string{'.': "debug", '-': "verbose", '*': "notice", '#': "warning"}

func scoreRedis(b []byte) (int, string) {
	if _, ok := readRedisHead(b); ok {
		return 88, "a pid or none, dd Mmm hh:mm:ss and one of . - * #"
	}
	return 0, "no dd Mmm hh:mm:ss with one of . - * # after it"
}

func readRedis(p *pass) bool {
	b := p.text[:trimEnd(p.text)]
	h, ok := readRedisHead(b)
	if !ok {
		return false
	}
	if h.pidEnd > h.pid {
		p.addNum(fPID, h.pid, h.pidEnd)
	}
	if h.mark == 0 {
		p.at(h.epoch)
		p.addWord(rdRole, rdSignal.text)
		p.e.Level = event.LevelWarning
	} else {
		if h.when.year == 0 {
			h.when.year = p.yearOf(h.when.mon, h.when.day)
		}
		p.at(p.slab.zones.in(h.when, p.spec.zone))
		if h.role > 0 {
			p.addWord(rdRole, redisRoles[b[h.role]])
		}
		p.addWord(fLevel, redisWords[b[h.mark]])
		p.e.Level = redisLevel(b[h.mark])
	}
	p.add(fMessage, h.text, len(b))
	p.e.FormatName, p.e.LogSource = "redis", logRedis
	p.e.Message = view(b, h.text, len(b))
	p.endNative()
	p.aliases(redisAliases)
	return true
}
