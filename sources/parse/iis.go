package parse

// IIS writes its "#Fields" line only where a file begins. Lines read without it are
// told by the columns of IIS's defaults ("W3C Extended Log File Format" in its
// documentation), and those of HTTP.sys ("HTTP API error logging").

const (
	iisFirst = "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) "
	iisLast  = "sc-status sc-substatus sc-win32-status time-taken"
	iisAll   = "#Fields: date time s-sitename s-computername s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs-version " +
		"cs(User-Agent) cs(Cookie) cs(Referer) cs-host sc-status sc-substatus sc-win32-status sc-bytes cs-bytes time-taken"
	httpSys = "#Fields: date time c-ip c-port s-ip s-port cs-version cs-method cs-uri "
)

// iisLayouts are the columns by which lines without a header are read: the number
// of them and which column is an address, a port and a status.
var iisLayouts = [...]struct {
	columns, addr, port, status int
	header                      string
}{
	{14, 2, 6, 10, iisFirst + iisLast},
	{15, 2, 6, 11, iisFirst + "cs(Referer) " + iisLast},
	{16, 2, 6, 11, iisFirst + "cs(Referer) " + iisLast + " x-forwarded-for"},
	{22, 4, 8, 16, iisAll},
	{23, 4, 8, 16, iisAll + " x-forwarded-for"},
	{13, 2, 3, 9, httpSys + "sc-status s-siteid s-reason s-queuename"},
	{14, 2, 3, 10, httpSys + "streamid sc-status s-siteid s-reason s-queuename"},
}

// iisLayout returns the header of the default that b has the shape of, "" for none.
func iisLayout(b []byte) string {
	if len(b) < 40 || len(b) > 16<<10 || b[0]-'0' > 9 || b[4] != '-' || b[7] != '-' || b[10] != ' ' || b[13] != ':' || b[16] != ':' || b[19] != ' ' {
		return ""
	}
	var cols [24][2]int
	n := 0
	for i := 0; i <= len(b); n++ {
		end := word(b, i)
		if end == i || n == len(cols) {
			return ""
		}
		cols[n] = [2]int{i, end}
		i = end + 1
	}
	at := func(k int) []byte { return b[cols[k][0]:cols[k][1]] }
	for i := range iisLayouts {
		l := &iisLayouts[i]
		if l.columns == n && isAddr(str(at(l.addr))) && isFigure(at(l.port), 5) && isFigure(at(l.status), 3) {
			return l.header
		}
	}
	return ""
}

// isFigure reports whether b is a number of at most n digits, or "-".
func isFigure(b []byte, n int) bool {
	return len(b) > 0 && len(b) <= n && digits(b, 0) == len(b) || len(b) == 1 && b[0] == '-'
}

// iisDefault is the header of a line that came without one.
func (p *pass) iisDefault() *header {
	text := iisLayout(p.text[:trimEnd(p.text)])
	if text == "" || p.off != 0 {
		return nil
	}
	if p.stream == nil && p.spec.header != nil {
		return p.spec.header
	}
	p.spec.header = p.reg.header(readW3CID, bytesOf(text))
	return p.spec.header
}

// iisAgent gives the client's words with the blanks that IIS writes as "+"; the
// names of rules have them both ways, because rules write both.
func (p *pass) iisAgent() {
	f := p.has(w3cAgentP)
	if f == nil || find(bytesOf(f.Value.Str), 0, '+') < 0 {
		return
	}
	s := f.Value.Str
	buf := p.slab.bytes.take(len(s))
	copy(buf, s)
	for i := range buf {
		if buf[i] == '+' {
			buf[i] = ' '
		}
	}
	p.aliasWord(ecsUserAgent, str(buf))
	for _, to := range [...]name{w3cAgent, w3cAgent2} {
		p.alias(to, w3cAgentP)
		p.addWord(to, str(buf))
	}
}
