package parse

import (
	"bytes"
	"strings"

	"bartizan/event"
)

// Logs in the W3C's extended format (W3C Working Draft WD-logfile-960323), as IIS,
// CloudFront and many proxies write them: "#Fields:" names the columns.

var (
	w3cDate     = known("date")
	w3cTime     = known("time")
	w3cUser     = known("cs-username")
	w3cAgentP   = known("cs(User-Agent)")
	w3cRefererP = known("cs(Referer)")
	w3cHostP    = known("cs(Host)")

	logIIS        = event.LogSource{Product: "iis", Category: "webserver"}
	logCloudFront = event.LogSource{Product: "aws", Service: "cloudfront", Category: "webserver"}
)

// w3cWhole is a request's target in one piece, as proxies and HTTP.sys write it.
var w3cWhole = known("cs-uri")

var w3cAliases = []pair{
	{w3cAgent, w3cAgentP},
	{w3cAgent2, w3cAgentP},
	{w3cAgent2, w3cAgent},
	{w3cReferer, w3cRefererP},
	{w3cHost, w3cHostP},
	{w3cURI, w3cStem},
	{w3cURI, w3cWhole},
	{ecsSrcIP, w3cClientIP},
	{ecsSrcPort, known("c-port")},
	{ecsDstIP, known("s-ip")},
	{ecsDstPort, known("s-port")},
	{ecsUser, w3cUser},
	{ecsMethod, w3cMethod},
	{ecsURL, w3cURI},
	{ecsURLPath, w3cStem},
	{ecsURLQuery, w3cQuery},
	{ecsURLDomain, w3cHost},
	{ecsURLDomain, known("x-host-header")},
	{ecsStatus, w3cStatus},
	{ecsRespBytes, known("sc-bytes")},
	{ecsReqBytes, known("cs-bytes")},
	{ecsUserAgent, w3cAgent},
	{ecsReferrer, w3cReferer},
	{ecsHost, known("s-computername")},
	{ecsRequestID, known("x-edge-request-id")},
}

func scoreW3C(b []byte) (int, string) {
	for _, d := range [...]string{"#Fields:", "#Software:", "#Version:", "#Date:", "#Start-Date:", "#End-Date:", "#Remark:"} {
		if prefix(b, d) {
			return 96, "a directive of the W3C's extended log format"
		}
	}
	if iisLayout(b[:trimEnd(b)]) != "" {
		return 88, "no #Fields line, but as many columns as a default of IIS, with address, port and status in their places"
	}
	return 0, "no #Fields line before it"
}

// readW3C reads one line by the columns that "#Fields:" named. Values are
// separated by tabs where the line has any, else by blanks; they may be quoted.
func readW3C(p *pass) bool {
	b := p.text
	if len(b) == 0 {
		return false
	}
	p.e.FormatName, p.e.LogSource = "w3c", logIIS
	if b[0] == '#' {
		return p.w3cDirective()
	}
	h := p.columns(readW3CID)
	if h == nil {
		h = p.iisDefault()
	}
	if h == nil || !p.w3cValues(h) {
		return false
	}
	p.e.LogSource = h.log
	p.e.Message = view(b, 0, trimEnd(b))
	p.endNative()
	p.w3cWhen()
	if h.log == logIIS {
		p.iisAgent()
	}
	p.w3cTarget()
	p.aliases(w3cAliases)
	p.e.Level = event.LevelInfo
	p.httpStatus(w3cStatus)
	return true
}

// w3cTarget gives path and query of a target that was written in one piece.
func (p *pass) w3cTarget() {
	f := p.has(w3cWhole)
	if f == nil || p.has(w3cStem) != nil || nothing(f.Value.Str) {
		return
	}
	v, from := f.Value, 0
	if at := strings.Index(v.Str, "://"); at > 0 && at < 8 {
		slash := strings.IndexByte(v.Str[at+3:], '/')
		if slash < 0 {
			return
		}
		from = at + 3 + slash
	}
	p.alias(w3cURI, w3cWhole)
	end := len(v.Str)
	if q := strings.IndexByte(v.Str[from:], '?'); q >= 0 {
		end = from + q
		p.aliasPart(w3cQuery, v, end+1, len(v.Str))
	}
	p.aliasPart(w3cStem, v, from, end)
}

func (p *pass) w3cDirective() bool {
	n, _ := scoreW3C(p.text)
	if n == 0 {
		return false
	}
	if prefix(p.text, "#Fields:") {
		p.setHeader(readW3CID, p.text[:trimEnd(p.text)])
		return true
	}
	p.headerLine()
	return true
}

// w3cHeader reads "#Fields: date time c-ip …". What the columns are tells who
// wrote the file.
func w3cHeader(text []byte) *header {
	rest, ok := bytes.CutPrefix(text, []byte("#Fields:"))
	words := strings.Fields(string(rest))
	if !ok || len(words) < 2 || len(words) > maxHeaded {
		return nil
	}
	h := &header{reader: readW3CID, log: logIIS}
	for _, w := range words {
		h.cols = append(h.cols, column(w))
		switch {
		case strings.HasPrefix(w, "x-edge-"):
			h.log = logCloudFront
		case strings.HasPrefix(w, "r-") || w == "cs-categories" || w == "s-supplier-name" || w == "s-hierarchy":
			h.log = event.LogSource{Product: "proxy", Category: "proxy"}
		}
	}
	return h
}

func (p *pass) w3cValues(h *header) bool {
	b := p.text[:trimEnd(p.text)]
	sep := byte(' ')
	if bytes.IndexByte(b, '\t') >= 0 {
		sep = '\t'
	}
	i := 0
	for k := range h.cols {
		if i > len(b) {
			return false
		}
		from, end, next := i, 0, 0
		if i < len(b) && b[i] == '"' {
			from++
			if end = quoted(b, from); end < 0 {
				return false
			}
			next = end + 1
		} else {
			if end = find(b, i, sep); end < 0 {
				end = len(b)
			}
			next = end
		}
		if next < len(b) && b[next] != sep || end == i && sep == ' ' {
			return false
		}
		if s := str(b[from:end]); s != "-" {
			p.addHeaded(&h.cols[k], from, end)
		}
		i = next + 1
	}
	return i == len(b)+1
}

// w3cWhen takes date and time, which the format has in UTC.
func (p *pass) w3cWhen() {
	d, t := p.has(w3cDate), p.has(w3cTime)
	if d == nil || t == nil || len(d.Value.Str) != 10 {
		return
	}
	b := bytesOf(d.Value.Str)
	c := civil{year: four(b, 0), mon: two(b, 5), day: two(b, 8)}
	if b[4] == '-' && b[7] == '-' && clockTime(bytesOf(t.Value.Str), 0, &c) > 0 && c.year > 0 && c.valid() {
		p.at(c.utc(0))
	}
}
