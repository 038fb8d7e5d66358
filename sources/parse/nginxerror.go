package parse

import "bytes"

// The names nginx writes before the values at the end of an error, with our own
// for the numbers in front.
var (
	neClient   = known("client")
	neServer   = known("server")
	neUpstream = known("upstream")
	neHost     = known("host")
	nePID      = known("pid")
	neTID      = known("tid")
	neConn     = known("connection_id")
	neReferrer = known("referrer")
)

var nginxErrorParts = []struct {
	text string
	n    name
}{
	{", client: ", neClient},
	{", server: ", neServer},
	{", request: ", fRequest},
	{", upstream: ", neUpstream},
	{", host: ", neHost},
	{", referrer: ", neReferrer},
}

var nginxErrorAliases = []pair{
	{ecsSrcIP, neClient},
	{ecsURLDomain, neHost},
	{ecsMethod, fReqMethod},
	{ecsURL, fReqURI},
	{ecsURLPath, fURI},
	{ecsURLQuery, fArgs},
	{ecsReferrer, neReferrer},
	{ecsPID, nePID},
	{w3cClientIP, neClient},
}

func scoreNginxError(b []byte) (int, string) {
	if len(b) < 24 || b[4] != '/' || b[10] != ' ' {
		return 0, "does not begin with yyyy/mm/dd"
	}
	if c, _, _, end := isoStamp(b); end > 0 && c.valid() && prefixAt(b, end, " [") {
		if stop := find(b, end, ']'); stop > 0 && stop-end < 12 {
			return 88, "yyyy/mm/dd hh:mm:ss and a level in brackets"
		}
	}
	return 0, "no level in brackets after the stamp"
}

// readNginxError reads "2026/11/03 09:01:02 [error] 7#7: *9 text, client: …".
func readNginxError(p *pass) bool {
	b := p.text[:trimEnd(p.text)]
	if n, _ := scoreNginxError(b); n == 0 {
		return false
	}
	c, _, _, end := isoStamp(b)
	stop := find(b, end, ']')
	pid := stop + 2
	hash := digits(b, min(pid, len(b)))
	if hash <= pid || !prefixAt(b, hash, "#") {
		return false
	}
	p.at(p.slab.zones.in(c, p.spec.zone))
	p.add(fLevel, end+2, stop)
	p.addNum(nePID, pid, hash)
	tid := digits(b, hash+1)
	p.addNum(neTID, hash+1, tid)
	i := skipBlanks(b, min(tid+1, len(b)))
	if i < len(b) && b[i] == '*' {
		n := digits(b, i+1)
		p.addNum(neConn, i+1, n)
		i = skipBlanks(b, n)
	}
	p.e.FormatName, p.e.LogSource = "nginx-error", logNginxEr
	p.e.Level = levelWord(p.value(fLevel))
	p.e.Message = view(b, i, len(b))
	p.nginxParts(i)
	p.endNative()
	p.aliases(nginxErrorAliases)
	return true
}

// nginxParts finds the known ", name: value" parts after the message.
func (p *pass) nginxParts(i int) {
	b := p.text[:trimEnd(p.text)]
	msg := len(b)
	for _, part := range nginxErrorParts {
		at := bytes.Index(b[i:], []byte(part.text))
		if at < 0 {
			continue
		}
		msg = min(msg, i+at)
		from := i + at + len(part.text)
		to := find(b, from, ',')
		if from < len(b) && b[from] == '"' {
			if end := quoted(b, from+1); end > 0 {
				from, to = from+1, end
			}
		}
		if to < 0 {
			to = len(b)
		}
		if part.n == fRequest {
			p.request(from, to)
			continue
		}
		p.add(part.n, from, to)
	}
	p.add(fMessage, i, msg)
}
