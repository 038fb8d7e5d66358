package parse

import (
	"strings"

	"bartizan/event"
)

// MongoDB's server log ("Log Messages" in its manual): JSON since 4.4, and before
// "stamp severity component [context] message".

var (
	mgTime      = known("t.$date")
	mgSeverity  = known("s")
	mgComponent = known("c")
	mgContext   = known("ctx")
	mgMessage   = known("msg")
	mgID        = known("id")
	mgRemote    = known("attr.remote")
	mgUser      = known("attr.principalName")
	mgUserOld   = known("attr.user")
	mgError     = known("attr.error")
)

var mongoAliases = []pair{
	{ecsUser, mgUser},
	{ecsUser, mgUserOld},
	{ecsUser, fUser},
	{ecsAction, mgMessage},
	{ecsErrorText, mgError},
	{ecsEventCode, mgID},
	{ecsUserAgent, known("attr.doc.driver.name")},
}

var (
	ecsEventCode = known("event.code")
	logMongo     = event.LogSource{Product: "mongodb", Category: "database"}
)

func isMongo(p *pass) bool {
	return p.has(mgTime) != nil && p.has(mgSeverity) != nil && p.has(mgComponent) != nil && p.has(mgContext) != nil
}

func readMongoJSON(p *pass) {
	p.endNative()
	p.timeValue(p.has(mgTime).Value)
	p.e.Level = mongoLevel(p.value(mgSeverity))
	p.e.Message = p.value(mgMessage)
	p.address(ecsSrcIP, ecsSrcPort, mgRemote)
	p.aliases(mongoAliases)
	switch p.e.Message {
	case "Authentication failed", "Checking authorization failed":
		p.outcome(false)
		p.e.Level = max(p.e.Level, event.LevelWarning)
	case "Authentication succeeded", "Successfully authenticated":
		p.outcome(true)
	}
}

// mongoLevel reads F, E, W, I and D with or without a number.
func mongoLevel(s string) event.Level {
	if s == "" {
		return event.LevelUnknown
	}
	switch s[0] {
	case 'F':
		return event.LevelCritical
	case 'E':
		return event.LevelError
	case 'W':
		return event.LevelWarning
	case 'I':
		return event.LevelInfo
	case 'D':
		return event.LevelDebug
	}
	return event.LevelUnknown
}

// mongoHead finds "S COMPONENT  [" behind the stamp.
func mongoHead(b []byte) (stampEnd, sev, comp, compEnd, open int) {
	if len(b) < 40 || b[4] != '-' || b[10] != 'T' {
		return -1, 0, 0, 0, 0
	}
	end := word(b, 0)
	sev = end + 1
	i := word(b, min(sev, len(b)))
	if i-sev < 1 || i-sev > 2 || mongoLevel(str(b[sev:i])) == event.LevelUnknown || i >= len(b) {
		return -1, 0, 0, 0, 0
	}
	comp = skipBlanks(b, i)
	compEnd = word(b, comp)
	for _, c := range b[comp:compEnd] {
		if c-'A' >= 26 && c != '_' && c != '-' {
			return -1, 0, 0, 0, 0
		}
	}
	if open = skipBlanks(b, compEnd); compEnd == comp || !prefixAt(b, open, "[") {
		return -1, 0, 0, 0, 0
	}
	return end, sev, comp, compEnd, open
}

func scoreMongo(b []byte) (int, string) {
	if end, _, _, _, _ := mongoHead(b); end > 0 {
		return 90, "a stamp, a severity's letter, a component in capitals and a context in brackets"
	}
	return 0, "no severity's letter and component in capitals after a stamp"
}

func readMongo(p *pass) bool {
	b := p.text[:trimEnd(p.text)]
	stampEnd, sev, comp, compEnd, open := mongoHead(b)
	if stampEnd < 0 {
		return false
	}
	c, east, zoned, n := isoStamp(b[:stampEnd])
	stop := find(b, open, ']')
	if n < 0 || stop < 0 {
		return false
	}
	if zoned {
		p.at(c.utc(east))
	} else {
		p.at(p.slab.zones.in(c, p.spec.zone))
	}
	p.add(mgSeverity, sev, word(b, sev))
	p.add(mgComponent, comp, compEnd)
	p.add(mgContext, open+1, stop)
	i := skipBlanks(b, stop+1)
	p.add(mgMessage, i, len(b))
	p.e.FormatName, p.e.LogSource = "mongodb-text", logMongo
	p.e.Level, p.e.Message = mongoLevel(p.value(mgSeverity)), view(b, i, len(b))
	p.mongoMessage()
	return true
}

// mongoMessage takes peers and principals out of the messages about connections.
func (p *pass) mongoMessage() {
	v := p.has(mgMessage).Value
	ok, failed := hasAny(v.Str, "Successfully authenticated as principal "), hasAny(v.Str, "authentication failed", "failed to authenticate", "Failed to authenticate", "Not authorized", "not authorized on")
	p.wordAfter(fUser, v, "principal ")
	from := 0
	for _, mark := range [...]string{"connection accepted from ", "received client metadata from ", "from client ", "on client ", "end connection "} {
		if at := strings.Index(v.Str, mark); at >= 0 {
			from = at + len(mark)
			break
		}
	}
	p.endNative()
	if from > 0 {
		end := from
		for end < len(v.Str) && v.Str[end] != ' ' {
			end++
		}
		if a, b, port := hostPort(v.Str[from:end]); isAddr(v.Str[from+a : from+b]) {
			p.aliasPart(ecsSrcIP, v, from+a, from+b)
			if port > 0 {
				p.aliasPart(ecsSrcPort, v, from+port, end)
			}
		}
	}
	p.aliases(mongoAliases[:3])
	if ok || failed {
		p.outcome(ok)
		if failed {
			p.e.Level = max(p.e.Level, event.LevelWarning)
		}
	}
}
