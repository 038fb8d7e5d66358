package parse

import (
	"bytes"
	"strings"

	"bartizan/event"
)

// PostgreSQL's server log ("Error Reporting and Logging" in its documentation): as
// text behind a log_line_prefix, as csvlog and as jsonlog. All three have
// jsonlog's names.

var (
	pgTime     = known("timestamp")
	pgUser     = fUser
	pgDatabase = known("dbname")
	pgPID      = fPID
	pgHost     = known("remote_host")
	pgPort     = known("remote_port")
	pgSession  = known("session_id")
	pgLine     = known("line_num")
	pgSeverity = known("error_severity")
	pgState    = known("state_code")
	pgApp      = known("application_name")
	pgStmt     = known("statement")
	pgDuration = known("duration_ms")
)

var postgresAliases = []pair{
	{ecsUser, pgUser},
	{ecsPID, pgPID},
	{ecsSrcPort, pgPort},
	{ecsSession, pgSession},
	{ecsErrorCode, pgState},
	{ecsAction, fEvent},
}

var logPostgres = event.LogSource{Product: "postgresql", Category: "database"}

// pgSeverities are the words before the message, with their level. The words after
// FATAL and PANIC begin lines that belong to the message before.
var pgSeverities = []struct {
	word  string
	level event.Level
}{
	{"LOG", event.LevelInfo},
	{"ERROR", event.LevelError},
	{"FATAL", event.LevelCritical},
	{"STATEMENT", event.LevelInfo},
	{"DETAIL", event.LevelInfo},
	{"HINT", event.LevelInfo},
	{"WARNING", event.LevelWarning},
	{"NOTICE", event.LevelNotice},
	{"INFO", event.LevelInfo},
	{"PANIC", event.LevelEmergency},
	{"CONTEXT", event.LevelInfo},
	{"LOCATION", event.LevelDebug},
	{"QUERY", event.LevelInfo},
	{"DEBUG", event.LevelDebug},
	{"DEBUG1", event.LevelDebug},
	{"DEBUG2", event.LevelDebug},
	{"DEBUG3", event.LevelDebug},
	{"DEBUG4", event.LevelDebug},
	{"DEBUG5", event.LevelDebug},
}

func pgLevel(word string) event.Level {
	for i := range pgSeverities {
		if pgSeverities[i].word == word {
			return pgSeverities[i].level
		}
	}
	return event.LevelUnknown
}

// pgMark finds "SEVERITY:  " behind the prefix and returns its place.
func pgMark(b []byte) (from, to int) {
	limit := min(len(b), 300)
	for at := 0; at < limit; {
		n := bytes.Index(b[at:limit], []byte(":  "))
		if n < 0 {
			return -1, -1
		}
		to = at + n
		for from = to; from > 0 && (b[from-1]-'A' < 26 || b[from-1]-'0' <= 9); from-- {
		}
		if (from == 0 || b[from-1] == ' ' || b[from-1] == ':') && pgLevel(str(b[from:to])) != event.LevelUnknown {
			return from, to
		}
		at = to + 1
	}
	return -1, -1
}

func scorePostgres(b []byte) (int, string) {
	if len(b) < 25 || b[0]-'0' > 9 || b[4] != '-' || b[10] != ' ' {
		return 0, "does not begin with yyyy-mm-dd and a time"
	}
	if from, _ := pgMark(b); from > 0 {
		return 82, "a stamp and one of PostgreSQL's severities with two blanks after it"
	}
	return 0, "none of PostgreSQL's severities with two blanks after it"
}

// readPostgres reads "stamp zone [pid] user@database SEVERITY:  message". What a
// prefix may hold besides is taken by its shape: [pid-line], [user], db=, host=.
func readPostgres(p *pass) bool {
	b := p.text[:trimEnd(p.text)]
	if n, _ := scorePostgres(b); n == 0 {
		return false
	}
	from, to := pgMark(b)
	if from < 0 {
		return false
	}
	i := p.zonedStamp(b)
	if i < 0 || i > from {
		return false
	}
	p.add(pgTime, 0, i)
	p.pgPrefix(b[:from], i)
	p.add(pgSeverity, from, to)
	i = min(to+3, len(b))
	if len(b) > i+6 && b[i+5] == ':' && b[i+6] == ' ' && isSQLState(b[i:i+5]) {
		p.add(pgState, i, i+5)
		i += 7
	}
	p.add(fMessage, i, len(b))
	p.e.FormatName = "postgresql"
	p.pgMeaning()
	return true
}

// isSQLState tells five digits or capitals (SQL standard, SQLSTATE).
func isSQLState(b []byte) bool {
	for _, c := range b {
		if c-'0' > 9 && c-'A' >= 26 {
			return false
		}
	}
	return true
}

// pgPrefix reads what stands between the stamp and the severity.
func (p *pass) pgPrefix(b []byte, i int) {
	for i < len(b) {
		i = skipBlanks(b, i)
		end := word(b, i)
		w := b[i:end]
		switch {
		case len(w) == 0:
			return
		case w[0] == '[' || w[0]-'0' <= 9:
			from := i
			if w[0] == '[' {
				from++
			}
			d := digits(b[:end], from)
			if d == from {
				break
			}
			p.addNum(pgPID, from, d)
			if d < end && b[d] == '-' {
				if l := digits(b[:end], d+1); l > d+1 {
					p.addNum(pgLine, d+1, l)
				}
			}
		default:
			p.pgWord(b, i, end)
		}
		i = end
	}
}

func (p *pass) pgWord(b []byte, i, end int) {
	for end > i && (b[end-1] == ',' || b[end-1] == ':') {
		end--
	}
	for _, k := range [...]struct {
		key string
		to  name
	}{{"user=", pgUser}, {"db=", pgDatabase}, {"app=", pgApp}, {"client=", pgHost}, {"host=", pgHost}} {
		if at := bytes.Index(b[i:end], []byte(k.key)); at >= 0 {
			from := i + at + len(k.key)
			to := from
			for to < end && b[to] != ',' {
				to++
			}
			if to > from && p.has(k.to) == nil {
				p.add(k.to, from, to)
			}
		}
	}
	if at := find(b[:end], i, '@'); at > i && p.has(pgUser) == nil && at+1 < end {
		p.add(pgUser, i, at)
		p.add(pgDatabase, at+1, end)
	}
}

// pgEvents are messages about a connection, with where the names in them stand.
var pgEvents = []struct {
	begins, event string
	ok, failed    bool
}{
	{"connection received: ", "connection_received", false, false},
	{"connection authenticated: ", "connection_authenticated", true, false},
	{"connection authorized: ", "connection_authorized", true, false},
	{"replication connection authorized: ", "connection_authorized", true, false},
	{"disconnection: ", "disconnection", false, false},
	{"password authentication failed for user ", "auth_failure", false, true},
	{"no pg_hba.conf entry for ", "auth_failure", false, true},
	{"pg_hba.conf rejects ", "auth_failure", false, true},
	{"permission denied", "permission_denied", false, true},
	{"statement: ", "statement", false, false},
	{"execute ", "statement", false, false},
	{"duration: ", "duration", false, false},
}

// pgMeaning completes a record whose parts are known under jsonlog's names.
func (p *pass) pgMeaning() {
	p.e.LogSource = logPostgres
	f := p.has(fMessage)
	if f == nil {
		p.endNative()
		return
	}
	v := f.Value
	p.e.Message = v.Str
	p.e.Level = pgLevel(p.value(pgSeverity))
	what := -1
	for i := range pgEvents {
		if strings.HasPrefix(v.Str, pgEvents[i].begins) {
			what = i
			break
		}
	}
	if what < 0 && strings.HasSuffix(v.Str, " does not exist") && (strings.HasPrefix(v.Str, "role ") || strings.HasPrefix(v.Str, "Role ")) {
		p.quotedName(v, "ole \"")
	}
	if what >= 0 {
		p.addWord(fEvent, pgEvents[what].event)
		p.pgParts(v)
	}
	p.endNative()
	if u := p.value(pgUser); u != "[unknown]" {
		p.aliases(postgresAliases)
	}
	p.aliases(postgresAliases[1:])
	if h := p.value(pgHost); isAddr(h) {
		p.alias(ecsSrcIP, pgHost)
	} else if h != "[local]" {
		p.alias(ecsSrcDomain, pgHost)
	}
	if what >= 0 && (pgEvents[what].ok || pgEvents[what].failed) {
		p.outcome(pgEvents[what].ok)
	}
}

// pgParts takes out of a message what it says in words.
func (p *pass) pgParts(v event.Value) {
	for _, k := range [...]struct {
		key string
		to  name
	}{{"user=", pgUser}, {"database=", pgDatabase}, {"host=", pgHost}, {"port=", pgPort}, {"application_name=", pgApp}} {
		p.wordAfter(k.to, v, k.key)
	}
	p.quotedName(v, "user \"")
	if rest, ok := strings.CutPrefix(v.Str, "duration: "); ok {
		if end := strings.Index(rest, " ms"); end > 0 {
			p.valuePart(pgDuration, v, len("duration: "), len("duration: ")+end)
		}
	}
	if at := strings.Index(v.Str, "statement: "); at >= 0 {
		p.valuePart(pgStmt, v, at+len("statement: "), len(v.Str))
	} else if strings.Contains(v.Str[:min(len(v.Str), 60)], "execute ") {
		if at := strings.Index(v.Str, ": "); at > 0 {
			if next := strings.Index(v.Str[at+2:], ": "); next > 0 && strings.HasPrefix(v.Str, "duration") {
				at += 2 + next
			}
			p.valuePart(pgStmt, v, at+2, len(v.Str))
		}
	}
}

// quotedName takes a user's name in quotation marks after mark.
func (p *pass) quotedName(v event.Value, mark string) {
	at := strings.Index(v.Str, mark)
	if at < 0 || p.has(pgUser) != nil && p.value(pgUser) != "[unknown]" {
		return
	}
	at += len(mark)
	if end := strings.IndexByte(v.Str[at:], '"'); end > 0 {
		p.valuePart(pgUser, v, at, at+end)
	}
}

// wordAfter takes the word after key, if its name is still free.
func (p *pass) wordAfter(to name, v event.Value, key string) {
	at := strings.Index(v.Str, key)
	if at < 0 || at > 0 && v.Str[at-1] != ' ' {
		return
	}
	at += len(key)
	end := at
	for end < len(v.Str) && v.Str[end] != ' ' {
		end++
	}
	p.valuePart(to, v, at, end)
}

// valuePart adds v.Str[from:end] under a native name that is still free.
func (p *pass) valuePart(to name, v event.Value, from, end int) {
	p.aliasPart(to, v, from, end)
}
