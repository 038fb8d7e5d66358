package parse

import (
	"bytes"
	"strings"

	"bartizan/event"
)

// ArcSight's Common Event Format ("Implementing ArcSight Common Event Format",
// version 26): "CEF:0|vendor|product|version|id|name|severity|key=value …", in
// syslog or alone.

// cefHead are the parts before the extension, in order.
var cefHead = knownAll("cefVersion", "deviceVendor", "deviceProduct", "deviceVersion", "deviceEventClassId", "name", "severity")

var (
	cefVendor   = cefHead[1]
	cefID       = cefHead[4]
	cefName     = cefHead[5]
	cefSeverity = cefHead[6]
	cefAct      = known("act")
	cefOutcome  = known("outcome")
	cefProto    = known("proto")
	cefMsg      = known("msg")
	cefTimes    = knownAll("rt", "end", "start", "deviceReceiptTime")
)

var cefAliases = []pair{
	{ecsSrcIP, known("src")},
	{ecsSrcIP, known("sourceAddress")},
	{ecsSrcIP, known("c6a2")},
	{ecsSrcPort, known("spt")},
	{ecsDstIP, known("dst")},
	{ecsDstIP, known("destinationAddress")},
	{ecsDstPort, known("dpt")},
	{ecsSrcDomain, known("shost")},
	{ecsUser, known("suser")},
	{ecsUser, known("duser")},
	{ecsTarget, known("duser")},
	{ecsUserID, known("suid")},
	{ecsHost, known("dvchost")},
	{ecsHost, known("dvc")},
	{ecsProcess, known("sproc")},
	{ecsPID, known("spid")},
	{ecsURL, known("request")},
	{ecsMethod, known("requestMethod")},
	{ecsUserAgent, known("requestClientApplication")},
	{ecsFile, known("filePath")},
	{ecsFile, known("fname")},
	{ecsSHA256, known("fileHash")},
	{ecsProtocol, known("app")},
	{ecsNetBytes, known("out")},
	{ecsService, known("destinationServiceName")},
	{ecsEventID, known("externalId")},
	{ecsAction, cefAct},
	{ecsAction, cefName},
	{ecsRule, cefID},
	{known("src_ip"), known("src")},
	{known("dst_ip"), known("dst")},
	{known("dst_port"), known("dpt")},
}

// cefProducts are vendors' names in Sigma's words.
var cefProducts = map[string]string{
	"fortinet": "fortigate", "palo alto networks": "paloalto", "check point": "checkpoint", "cisco": "cisco", "juniper": "juniper",
	"zscaler": "zscaler", "imperva inc.": "imperva", "trend micro": "trendmicro", "crowdstrike": "crowdstrike", "f5": "f5",
	"ubiquiti": "unifi", "sophos": "sophos", "sonicwall": "sonicwall", "barracuda": "barracuda", "huawei": "huawei",
}

var logCEF = event.LogSource{Service: "cef"}

func scoreCEF(b []byte) (int, string) {
	if bars := bytes.Count(b[:min(len(b), 1024)], []byte{'|'}); bars >= 6 && isCEF(b) {
		return 97, "CEF: and seven parts between |"
	} else if bars >= 6 && isHeadlessCEF(b) {
		return 70, "0| and six parts between |: CEF without its first word"
	}
	return 0, "does not begin with CEF:"
}

func isCEF(b []byte) bool {
	i := skipBlanks(b, len("CEF:"))
	return prefix(b, "CEF:") && i < len(b) && b[i]-'0' <= 9
}

// isHeadlessCEF tells records whose first word a syslog server took for the
// program's name.
func isHeadlessCEF(b []byte) bool { return prefix(b, "0|") || prefix(b, "1|") }

func readCEF(p *pass) bool {
	b := p.text[:trimEnd(p.text)]
	if n, _ := scoreCEF(b); n == 0 {
		return false
	}
	i := 0
	if isCEF(b) {
		i = skipBlanks(b, len("CEF:"))
	}
	for k := range cefHead {
		end := cefBar(b, i)
		if end < 0 && k < len(cefHead)-1 {
			return false
		}
		if end < 0 {
			end = len(b)
		}
		p.cefValue(p.open(&cefHead[k]), i, end)
		i = min(end+1, len(b))
	}
	p.cefExtension(b, i)
	p.e.FormatName, p.e.LogSource = "cef", logCEF
	p.endNative()
	for _, n := range cefTimes {
		if f := p.has(n); f != nil && p.cefTime(f.Value.Str) {
			break
		}
	}
	p.cefLabels()
	p.vendorMeaning(cefAliases, cefVendor, cefSeverity, cefProto)
	p.e.Message = p.compose(p.value(cefName), p.value(cefMsg))
	return true
}

// cefBar returns the next | that no backslash escapes.
func cefBar(b []byte, i int) int {
	for ; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '|':
			return i
		}
	}
	return -1
}

// cefExtension reads "key=value key=value": a value reaches to the blank before
// the next key.
func (p *pass) cefExtension(b []byte, i int) {
	for n := 0; n < maxJSONFields; n++ {
		i = skipBlanks(b, i)
		k := cefKey(b, i)
		if k < 0 {
			return
		}
		end, next := len(b), len(b)
		for j := k + 1; j < len(b); j++ {
			if b[j] == '\\' {
				j++
			} else if b[j] == ' ' && cefKey(b, j+1) > 0 {
				end, next = j, j+1
				break
			}
		}
		if k+1 < end {
			node := p.reg.names.child(p.reg.names.root, b[i:k])
			p.cefValue(p.open(&name{node.name, node.sym, node.slot}), k+1, end)
		}
		i = next
	}
}

// cefKey returns where the key at i ends ('='), -1 when there is none.
func cefKey(b []byte, i int) int {
	k := i
	for k < len(b) && k-i < 64 && (isLetter(b[k]) || b[k]-'0' <= 9 || b[k] == '_' || b[k] == '.' || b[k] == '-' || b[k] == '[' || b[k] == ']') {
		k++
	}
	if k == i || k >= len(b) || b[k] != '=' {
		return -1
	}
	return k
}

// cefValue writes text[from:to] without its escapes (\\, \|, \=, \n, \r).
func (p *pass) cefValue(f *event.Field, from, to int) {
	p.write(f, from, to)
	s := p.text[from:to]
	if find(s, 0, '\\') < 0 {
		if x, ok := number(s); ok {
			f.Value.Kind, f.Value.Num = event.KindNumber, x
		}
		return
	}
	buf := p.slab.bytes.take(len(s))
	n := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '\\' && i+1 < len(s) {
			switch i++; s[i] {
			case 'n':
				c = '\n'
			case 'r':
				c = '\r'
			case '\\', '|', '=':
				c = s[i]
			default:
				i--
			}
		}
		buf[n] = c
		n++
	}
	p.slab.bytes.trim(len(s) - n)
	f.Value.Str = str(buf[:n])
}

// cefTime reads milliseconds since 1970 or "MMM dd yyyy HH:mm:ss[.SSS]".
func (p *pass) cefTime(s string) bool {
	if c, end := bsdStamp(bytesOf(s)); end > 0 {
		if c.year == 0 {
			c.year = p.yearOf(c.mon, c.day)
		}
		if !c.valid() {
			return false
		}
		p.at(p.slab.zones.in(c, p.spec.zone))
		return true
	}
	t, ok := p.timeText(s)
	if ok {
		p.at(t)
	}
	return ok
}

// maxLabels bounds the labels of one record that are looked up; the standard has 35.
const maxLabels = 64

// cefLabels gives every value that has a label ("cs1Label=Policy cs1=guests") its
// label's name too.
func (p *pass) cefLabels() {
	for i, n := 0, 0; i < p.native && n < maxLabels; i++ {
		key, ok := strings.CutSuffix(p.fields[i].Name, "Label")
		label := p.fields[i].Value.Str
		if !ok || key == "" || !isColumnName(label) {
			continue
		}
		n++
		for k := 0; k < p.native; k++ {
			if p.fields[k].Name == key && p.fields[k].Value.Str != "" {
				p.labelled(label, p.fields[k].Value)
				break
			}
		}
	}
}

// labelled gives v a name that the record brings along, if it is still free.
func (p *pass) labelled(text string, v event.Value) {
	slot, ok := slotOf[text]
	if ok && p.slots[slot] != 0 {
		return
	}
	to := p.next()
	*to = event.Field{Name: text, Sym: event.LookupSym(text), Value: v}
	if ok && to != &p.spare {
		p.mark(slot)
	}
}

// vendorMeaning gives a record of CEF or LEEF its level, its outcome, its log
// source and its other names.
func (p *pass) vendorMeaning(table []pair, vendor, severity, proto name) {
	var low [32]byte
	who := p.value(vendor)
	if product, ok := cefProducts[str(lower(low[:], who))]; ok {
		p.e.LogSource.Product = product
	}
	p.e.Level = severityLevel(p.value(severity))
	p.aliases(table)
	p.transport(proto)
	for _, n := range [...]name{cefOutcome, cefAct, ecsAction} {
		switch str(lower(low[:], p.value(n))) {
		case "success", "allow", "allowed", "accept", "accepted", "permit", "permitted", "pass", "passed":
			p.outcome(true)
		case "failure", "failed", "deny", "denied", "block", "blocked", "drop", "dropped", "reject", "rejected", "reset", "prevented":
			p.outcome(false)
		}
	}
	if p.has(ecsSrcIP) != nil && p.has(ecsDstIP) != nil && p.has(ecsDstPort) != nil && p.has(ecsOutcome) != nil {
		p.e.LogSource.Category = "firewall"
	}
}

// lower writes s in lower case to buf; what does not fit is left out.
func lower(buf []byte, s string) []byte {
	n := copy(buf, s)
	for i := range buf[:n] {
		if buf[i]-'A' < 26 {
			buf[i] += 'a' - 'A'
		}
	}
	return buf[:n]
}

// severityLevel reads 0 to 10 or the words of the CEF standard.
func severityLevel(s string) event.Level {
	switch s {
	case "0", "1", "2", "3", "Low":
		return event.LevelInfo
	case "4", "5", "6", "Medium":
		return event.LevelWarning
	case "7", "8", "High":
		return event.LevelError
	case "9", "10", "Very-High":
		return event.LevelCritical
	}
	if l := levelWord(s); l != event.LevelUnknown {
		return l
	}
	return event.LevelInfo
}
