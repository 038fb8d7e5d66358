package parse

import (
	"strings"

	"bartizan/event"
)

// The error log of MySQL, MariaDB and Percona Server ("The Error Log", section
// "Log Output Format" of MySQL's manual): "stamp thread [Level] [MY-code]
// [Subsystem] message" in 8, without code and subsystem in 5.7 and MariaDB,
// "yymmdd hh:mm:ss" before that.

var (
	myThread    = known("thread_id")
	myCode      = known("err_code")
	mySubsystem = known("subsystem")
	myHost      = known("client_host")
	myPassword  = known("using_password")
)

var mysqlAliases = []pair{
	{ecsUser, fUser},
	{ecsErrorCode, myCode},
	{ecsAction, fEvent},
}

var logMySQL = event.LogSource{Product: "mysql", Category: "database"}

// mysqlStamp reads either stamp and returns its end.
func mysqlStamp(b []byte, c *civil) (east int, zoned bool, end int) {
	if len(b) < 15 {
		return 0, false, -1
	}
	if b[4] == '-' {
		*c, east, zoned, end = isoStamp(b)
		return east, zoned, end
	}
	if digits(b, 0) != 6 || b[6] != ' ' {
		return 0, false, -1
	}
	c.year, c.mon, c.day = 2000+two(b, 0), two(b, 2), two(b, 4)
	if b[7] != ' ' {
		end = clockTime(b, 7, c)
	} else if prefixAt(b, 9, ":") && len(b) >= 16 { // "  9:46:45"
		var low [8]byte
		copy(low[:], b[7:15])
		low[0] = '0'
		if end = clockTime(low[:], 0, c); end > 0 {
			end = 15
		}
	} else {
		return 0, false, -1
	}
	if end < 0 || !c.valid() {
		return 0, false, -1
	}
	return 0, false, end
}

// mysqlHead finds the parts before the message; mark is where the level's bracket
// stands, 0 where there is none.
func mysqlHead(b []byte) (thread, threadEnd, mark, sure int) {
	var c civil
	_, _, end := mysqlStamp(b, &c)
	if end < 0 || end >= len(b) || b[end] != ' ' && b[end] != '\t' {
		return 0, 0, 0, -1
	}
	old := b[4] != '-'
	i := end
	for i < len(b) && (b[i] == ' ' || b[i] == '\t') {
		i++
	}
	if d := digits(b, i); d > i && d < len(b) && b[d] == ' ' {
		thread, threadEnd, i = i, d, d+1
	}
	for _, w := range [...]string{"[Note] ", "[Warning] ", "[ERROR] ", "[System] ", "[Error] ", "[Critical] "} {
		if prefixAt(b, i, w) {
			return thread, threadEnd, i, 88
		}
	}
	switch {
	case prefixAt(b, i, "mysqld_safe ") || prefixAt(b, i, "InnoDB: ") && old:
		return thread, threadEnd, 0, 88
	case old && (threadEnd > 0 || isLetter(b[min(i, len(b)-1)])):
		return thread, threadEnd, 0, 60
	case threadEnd > 0 && (prefixAt(b, i, "InnoDB: ") || prefixAt(b, i, "Connect") || prefixAt(b, i, "Query\t")): // the general log
		return thread, threadEnd, 0, 70
	}
	return 0, 0, 0, -1
}

func scoreMySQL(b []byte) (int, string) {
	if len(b) < 18 || b[0]-'0' > 9 {
		return 0, "does not begin with a stamp"
	}
	if _, _, _, sure := mysqlHead(b); sure > 0 {
		return sure, "a stamp, and a level in brackets or a program of MySQL's"
	}
	return 0, "a stamp, but no level in brackets as MySQL writes it"
}

func readMySQL(p *pass) bool {
	b := p.text[:trimEnd(p.text)]
	if n, _ := scoreMySQL(b); n == 0 {
		return false
	}
	thread, threadEnd, i, sure := mysqlHead(b)
	if sure < 0 {
		return false
	}
	var c civil
	east, zoned, end := mysqlStamp(b, &c)
	if zoned {
		p.at(c.utc(east))
	} else {
		p.at(p.slab.zones.in(c, p.spec.zone))
	}
	p.add(fTimestamp, 0, end)
	if threadEnd > 0 {
		p.addNum(myThread, thread, threadEnd)
	}
	p.e.Level = event.LevelInfo
	if i > 0 {
		i = p.mysqlBrackets(b, i)
	} else if i = skipSpace(b, max(end, threadEnd)); prefixAt(b, i, "mysqld_safe ") {
		i += len("mysqld_safe ")
	}
	p.add(fMessage, i, len(b))
	p.e.FormatName, p.e.LogSource, p.e.Message = "mysql", logMySQL, view(b, i, len(b))
	p.mysqlMessage()
	return true
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t') {
		i++
	}
	return i
}

// mysqlBrackets reads "[Level] [MY-code] [Subsystem] " and returns where the
// message begins.
func (p *pass) mysqlBrackets(b []byte, i int) int {
	for k := 0; k < 3 && prefixAt(b, i, "["); k++ {
		end := find(b[:min(len(b), i+40)], i, ']')
		if end < 0 || end == i+1 {
			break
		}
		switch {
		case k == 0:
			p.add(fLevel, i+1, end)
			p.e.Level = mysqlLevel(str(b[i+1 : end]))
		case prefixAt(b, i+1, "MY-"):
			p.add(myCode, i+1, end)
		case p.has(myCode) != nil:
			p.add(mySubsystem, i+1, end)
		default:
			return i
		}
		i = skipSpace(b, end+1)
	}
	return i
}

func mysqlLevel(s string) event.Level {
	if s == "Note" || s == "System" {
		return event.LevelInfo
	}
	return levelWord(s)
}

// mysqlMessage takes user and address out of the messages about a login.
func (p *pass) mysqlMessage() {
	v := p.has(fMessage).Value
	denied := strings.Index(v.Str, "Access denied for user '")
	if denied < 0 {
		p.mysqlPeer(v)
		p.endNative()
		p.aliases(mysqlAliases)
		p.mysqlSource()
		return
	}
	p.addWord(fEvent, "access_denied")
	p.mysqlAccount(v, denied+len("Access denied for user '"))
	if at := strings.Index(v.Str, "(using password: "); at >= 0 {
		at += len("(using password: ")
		if end := strings.IndexByte(v.Str[at:], ')'); end > 0 {
			p.valuePart(myPassword, v, at, at+end)
		}
	}
	p.endNative()
	p.aliases(mysqlAliases)
	p.mysqlSource()
	p.outcome(false)
	p.e.Level = max(p.e.Level, event.LevelWarning)
}

// mysqlAccount reads "user'@'host'" at v.Str[i:]. The host stands last, because
// the name is whatever the client sent.
func (p *pass) mysqlAccount(v event.Value, i int) {
	at := strings.LastIndex(v.Str, "'@'")
	if at < i {
		return
	}
	p.valuePart(fUser, v, i, at)
	from := at + len("'@'")
	if end := strings.IndexByte(v.Str[from:], '\''); end > 0 {
		p.valuePart(myHost, v, from, from+end)
	}
}

// mysqlPeer reads the address and the account of messages about a connection.
func (p *pass) mysqlPeer(v event.Value) {
	if rest, ok := strings.CutPrefix(v.Str, "IP address '"); ok {
		if end := strings.IndexByte(rest, '\''); end > 0 {
			p.valuePart(myHost, v, len(v.Str)-len(rest), len(v.Str)-len(rest)+end)
		}
		return
	}
	if at := strings.Index(v.Str, "user: '"); at >= 0 {
		from := at + len("user: '")
		if end := strings.IndexByte(v.Str[from:], '\''); end > 0 {
			p.valuePart(fUser, v, from, from+end)
		}
		if h := strings.Index(v.Str, "host: '"); h > from {
			h += len("host: '")
			if end := strings.IndexByte(v.Str[h:], '\''); end > 0 {
				p.valuePart(myHost, v, h, h+end)
			}
		}
	}
}

// mysqlSource tells an address from a host's name.
func (p *pass) mysqlSource() {
	if isAddr(p.value(myHost)) {
		p.alias(ecsSrcIP, myHost)
	} else {
		p.alias(ecsSrcDomain, myHost)
	}
}
