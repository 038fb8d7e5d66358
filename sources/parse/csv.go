package parse

import (
	"bytes"
	"strings"
)

// CSV with a line of column names first (RFC 4180), as consoles and databases
// export it.

// csvTimes are the column names by which a header line is known: exports of logs
// have a time.
var csvTimes = map[string]bool{
	"time": true, "timestamp": true, "@timestamp": true, "_time": true, "date": true, "datetime": true, "ts": true,
	"created": true, "created_at": true, "createdat": true, "eventtime": true, "event_time": true, "timegenerated": true,
	"time_generated": true, "timestamp_utc": true, "date/time": true, "creation_time": true, "creationtime": true,
	"log_time": true, "occurred_at": true, "start_time": true,
}

func scoreCSV(b []byte) (int, string) {
	if cols, _ := csvColumns(b); cols != nil {
		return 60, "a line of column names, one of them a time"
	}
	return 0, "no line of column names before it"
}

// csvColumns returns the names of a header line, nil when it is none: at least
// three, each like a name, one of them a time's.
func csvColumns(b []byte) (cols []name, when int) {
	b = b[:trimEnd(b)]
	if len(b) < 8 || len(b) > 16<<10 || bytes.Count(b, []byte{','}) < 2 {
		return nil, 0
	}
	when = -1
	for _, w := range strings.Split(strings.TrimPrefix(string(b), "\ufeff"), ",") {
		w = strings.TrimSpace(w)
		if n := len(w); n >= 2 && w[0] == '"' && w[n-1] == '"' {
			w = w[1 : n-1]
		}
		if !isColumnName(w) || len(cols) >= maxHeaded {
			return nil, 0
		}
		if when < 0 && csvTimes[strings.ToLower(strings.ReplaceAll(w, " ", "_"))] {
			when = len(cols)
		}
		cols = append(cols, column(w))
	}
	if when < 0 {
		return nil, 0
	}
	return cols, when
}

// isColumnName tells a name from a value: letters first, then few other signs.
func isColumnName(s string) bool {
	if len(s) == 0 || len(s) > 64 || !isLetter(s[0]) && s[0] != '_' && s[0] != '@' {
		return false
	}
	for i := 1; i < len(s); i++ {
		if c := s[i]; !isLetter(c) && c-'0' > 9 && !strings.ContainsRune("_-. @/()[]:#", rune(c)) {
			return false
		}
	}
	return true
}

func csvHeader(text []byte) *header {
	cols, when := csvColumns(text)
	if cols == nil {
		return nil
	}
	return &header{reader: readCSVID, cols: cols, when: when}
}

// readCSV reads one line by the header line's columns; the number of values must
// be the same. Empty values are left out.
func readCSV(p *pass) bool {
	p.e.FormatName = "csv"
	h := p.columns(readCSVID)
	if h != nil && h.text == str(p.text[:trimEnd(p.text)]) {
		p.headerLine()
		return true
	}
	if h == nil || !p.csvValues(h) {
		if n, _ := scoreCSV(p.text); n == 0 {
			return false
		}
		p.rewind(0)
		p.e.FormatName = "csv"
		p.setHeader(readCSVID, p.text[:trimEnd(p.text)])
		return true
	}
	readGeneric(p)
	p.e.Message = view(p.text, 0, trimEnd(p.text))
	return true
}

func (p *pass) csvValues(h *header) bool {
	b := p.text[:trimEnd(p.text)]
	i := 0
	for k := range h.cols {
		if i > len(b) {
			return false
		}
		had := len(p.fields)
		end, ok := p.csvValue(&h.cols[k], b, i)
		if !ok || end < len(b) && b[end] != ',' {
			return false
		}
		if k == h.when && len(p.fields) > had && !p.timeValue(p.fields[len(p.fields)-1].Value) {
			return false // another format's line with as many commas
		}
		i = end + 1
	}
	return i == len(b)+1
}

// csvValue adds the value that begins at b[i:] and returns where it ends. Doubled
// quotation marks inside a quoted value are one.
func (p *pass) csvValue(n *name, b []byte, i int) (end int, ok bool) {
	if i >= len(b) || b[i] != '"' {
		if end = find(b, i, ','); end < 0 {
			end = len(b)
		}
		if end > i {
			p.addHeaded(n, i, end)
		}
		return end, true
	}
	doubled := 0
	for end = i + 1; ; end++ {
		if end = find(b, end, '"'); end < 0 {
			return 0, false
		}
		if end+1 >= len(b) || b[end+1] != '"' {
			break
		}
		doubled++
		end++
	}
	if doubled == 0 {
		if end > i+1 {
			p.addHeaded(n, i+1, end)
		}
		return end + 1, true
	}
	buf := p.slab.bytes.take(end - i)[:0]
	for j := i + 1; j < end; j++ {
		buf = append(buf, b[j])
		if b[j] == '"' {
			j++
		}
	}
	p.addWord(*n, str(buf))
	return end + 1, true
}
