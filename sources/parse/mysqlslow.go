package parse

import (
	"bytes"

	"bartizan/event"
)

// The slow query log ("The Slow Query Log" in MySQL's manual): lines that begin
// with "# Name: value", then the statement. Each line is read as it comes, or all
// of them where a source kept a record whole.

var (
	slowDuration = known("query_time")
	slowUser     = fUser
	slowEffect   = known("current_user")
	slowHost     = known("client_host")
	slowIP       = known("client_ip")
	slowQuery    = known("query")
	slowTime     = known("timestamp")
)

var mysqlSlowAliases = []pair{
	{ecsUser, slowUser},
	{ecsSrcIP, slowIP},
	{ecsSrcDomain, slowHost},
}

var slowHeads = [...]string{"# Time: ", "# User@Host: ", "# Query_time: ", "# Thread_id: ", "# Schema: ", "# Bytes_sent: ", "# QC_Hit: ", "# Filesort: ", "# InnoDB_", "# Rows_affected: ", "# Log_slow_rate_type: ", "# administrator command: ", "# Full_scan: "}

func scoreMySQLSlow(b []byte) (int, string) {
	if len(b) > 2 && b[0] == '#' && b[1] == ' ' {
		for _, h := range slowHeads {
			if prefix(b, h) {
				return 92, "a line MySQL's slow query log begins a record with"
			}
		}
	}
	if prefix(b, "SET timestamp=") && digits(b, len("SET timestamp=")) >= len("SET timestamp=")+9 {
		return 92, "SET timestamp= as MySQL's slow query log writes it"
	}
	return 0, "begins with none of the slow query log's names"
}

func readMySQLSlow(p *pass) bool {
	b := p.text[:trimEnd(p.text)]
	if n, _ := scoreMySQLSlow(b); n == 0 {
		return false
	}
	for i, n := 0, 0; i < len(b) && n < maxSlowLines; n++ {
		end := find(b, i, '\n')
		if end < 0 {
			end = len(b)
		}
		if !p.slowLine(b, i, end) {
			p.add(slowQuery, i, len(b))
			break
		}
		i = end + 1
	}
	p.e.FormatName, p.e.LogSource, p.e.Level = "mysql-slow", logMySQL, event.LevelInfo
	if p.e.Message = p.value(slowQuery); p.e.Message == "" {
		p.e.Message = view(b, 0, len(b))
	}
	p.endNative()
	p.aliases(mysqlSlowAliases)
	return true
}

// maxSlowLines bounds the lines of one record before its statement.
const maxSlowLines = 64

// slowLine reads one line; false: the statement begins here.
func (p *pass) slowLine(b []byte, i, end int) bool {
	switch {
	case prefixAt(b, i, "# Time: "):
		i += len("# Time: ")
		p.add(slowTime, i, end)
		p.slowStamp(b[i:end])
	case prefixAt(b, i, "# User@Host: "):
		p.slowAccount(b[:end], i+len("# User@Host: "))
	case prefixAt(b, i, "SET timestamp="):
		i += len("SET timestamp=")
		if t, ok := epochText(str(b[i:digits(b[:end], i)])); ok {
			p.t, p.hasT = t, true // the server's own, without a zone to guess
		}
	case prefixAt(b, i, "# "):
		p.slowPairs(b[:end], i+2)
	case prefixAt(b, i, "use ") || prefixAt(b, i, "#"):
	default:
		return i >= end
	}
	return true
}

func (p *pass) slowStamp(b []byte) {
	var c civil
	if east, zoned, end := mysqlStamp(b, &c); end > 0 {
		if zoned {
			p.at(c.utc(east))
		} else {
			p.at(p.slab.zones.in(c, p.spec.zone))
		}
	}
}

// slowAccount reads "root[root] @ host [192.0.2.7]  Id: 5".
func (p *pass) slowAccount(b []byte, i int) {
	open := find(b, i, '[')
	if open < 0 {
		return
	}
	end := find(b, open, ']')
	at := bytes.Index(b[max(end, 0):], []byte(" @ "))
	if end < 0 || at < 0 {
		return
	}
	p.addSome(slowUser, i, open)
	p.addSome(slowEffect, open+1, end)
	i = end + at + len(" @ ")
	if open = find(b, i, '['); open < 0 {
		return
	}
	host := open
	for host > i && b[host-1] == ' ' {
		host--
	}
	p.addSome(slowHost, i, host)
	if end = find(b, open, ']'); end < 0 {
		return
	}
	p.addSome(slowIP, open+1, end)
	p.slowPairs(b, end+1)
}

// addSome adds text[from:to] where it is not empty.
func (p *pass) addSome(n name, from, to int) {
	if to > from {
		p.add(n, from, to)
	}
}

// slowPairs reads "Name: value  Name: value".
func (p *pass) slowPairs(b []byte, i int) {
	for n := 0; n < 64; n++ {
		i = skipBlanks(b, i)
		k := i
		for k < len(b) && (isLetter(b[k]) || b[k] == '_' || b[k]-'0' <= 9) {
			k++
		}
		if k == i || !prefixAt(b, k, ": ") {
			return
		}
		from := skipBlanks(b, k+2)
		to := word(b, from)
		if to < len(b) || to > from {
			if to > from && b[to-1] == ':' { // the next name: this value is empty
				i = from
				continue
			}
			p.slowPair(b[i:k], from, to)
		}
		i = to
	}
}

func (p *pass) slowPair(key []byte, from, to int) {
	var low [32]byte
	if len(key) > len(low) {
		return
	}
	k := lower(low[:], str(key))
	if string(k) == "id" {
		k = append(k[:0], myThread.text...)
	}
	p.addKey(k, from, to)
	if f := p.has(slowDuration); f != nil && f.Value.Kind != event.KindNumber {
		if x, ok := number(bytesOf(f.Value.Str)); ok {
			f.Value.Kind, f.Value.Num = event.KindNumber, x
		}
	}
}
