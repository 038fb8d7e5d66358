package parse

import "bartizan/event"

// PostgreSQL's csvlog, whose columns are fixed ("Using CSV-Format Log Output"), and
// its jsonlog.

// pgColumns are the columns of PostgreSQL 14 and later; 13 ends after the
// twenty-fourth, 9.0 to 12 after the twenty-third.
var pgColumns = []name{
	pgTime, pgUser, pgDatabase, pgPID, known("connection_from"), pgSession, pgLine, known("ps"), known("session_start"),
	known("vxid"), known("txid"), pgSeverity, pgState, fMessage, known("detail"), known("hint"), known("internal_query"),
	known("internal_position"), known("context"), pgStmt, known("cursor_position"), known("location"), pgApp,
	known("backend_type"), known("leader_pid"), known("query_id"),
}

// The places of the columns that tell what a record is.
const (
	pgColSeverity = 11
	pgColMessage  = 13
	pgColLeast    = 23
)

var (
	pgFrom   = pgColumns[4]
	pgDBJSON = known("dbname")
)

func scorePostgresCSV(b []byte) (int, string) {
	c, end := pgCSVStamp(b)
	if end < 0 || !c {
		return 0, "does not begin with a stamp, a zone and a comma"
	}
	i, col := end+1, 1
	for ; col < pgColSeverity && i < len(b); col++ {
		if i = csvEnd(b, i); i < 0 {
			return 0, "a stamp and a comma, but the columns do not close"
		}
		i++
	}
	stop := find(b, min(i, len(b)), ',')
	if col == pgColSeverity && stop > i && pgLevel(str(b[i:stop])) != event.LevelUnknown {
		return 93, "a stamp, and one of PostgreSQL's severities in the twelfth column"
	}
	return 0, "the twelfth column is none of PostgreSQL's severities"
}

// pgCSVStamp returns where the first column ends.
func pgCSVStamp(b []byte) (bool, int) {
	if len(b) < 30 || b[0]-'0' > 9 || b[4] != '-' || b[10] != ' ' {
		return false, -1
	}
	end := find(b[:min(len(b), 48)], 0, ',')
	return end > 19, end
}

// csvEnd returns where the value at b[i:] ends: at the comma after it, or at the
// end; -1 where its quotation mark never closes.
func csvEnd(b []byte, i int) int {
	if i < len(b) && b[i] == '"' {
		for i++; ; i++ {
			if i = find(b, i, '"'); i < 0 {
				return -1
			}
			if i+1 >= len(b) || b[i+1] != '"' {
				return i + 1
			}
			i++
		}
	}
	if end := find(b, i, ','); end >= 0 {
		return end
	}
	return len(b)
}

// readPostgresCSV reads one record. A message of several lines that a source cut
// into records begins here: what is there of it is read.
func readPostgresCSV(p *pass) bool {
	b := p.text[:trimEnd(p.text)]
	if n, _ := scorePostgresCSV(b); n == 0 {
		return false
	}
	i, col := 0, 0
	for ; col < len(pgColumns) && i <= len(b); col++ {
		end, ok := p.csvValue(&pgColumns[col], b, i)
		if !ok {
			if col < pgColMessage {
				return false
			}
			p.add(pgColumns[col], i+1, len(b)) // it goes on in the next line
			col = pgColLeast
			break
		}
		i = end + 1
	}
	if col < pgColLeast || p.zonedStamp(b) < 0 {
		return false
	}
	if f := p.has(pgFrom); f != nil {
		p.pgPeer(f.Value)
	}
	p.e.FormatName = "postgresql-csv"
	p.pgMeaning()
	return true
}

// pgPeer splits "192.0.2.7:42304", "::1:16790" and "[local]".
func (p *pass) pgPeer(v event.Value) {
	last := len(v.Str)
	for k := last - 1; k > 0; k-- {
		if v.Str[k] == ':' {
			last = k
			break
		}
	}
	p.valuePart(pgHost, v, 0, last)
	p.valuePart(pgPort, v, min(last+1, len(v.Str)), len(v.Str))
	if f := p.has(pgPort); f != nil {
		if x, ok := number(bytesOf(f.Value.Str)); ok {
			f.Value.Kind, f.Value.Num = event.KindNumber, x
		}
	}
}

func isPostgresJSON(p *pass) bool {
	return p.has(pgSeverity) != nil && p.has(pgTime) != nil && (p.has(pgPID) != nil || p.has(pgDBJSON) != nil)
}

func readPostgresJSON(p *pass) {
	if f := p.has(pgTime); f != nil {
		if i := p.zonedText(f.Value.Str); !i {
			p.timeValue(f.Value)
		}
	}
	p.pgMeaning()
	if p.e.Message == "" {
		p.e.Message = str(p.text)
	}
}
