package parse

import (
	"strings"

	"bartizan/event"
)

// What a web application firewall writes about one of its rules: ModSecurity in
// the error log of Apache and nginx, Coraza in Caddy's log, as `[name "value"]`
// after the message ("Logging and Alerting" in ModSecurity's reference manual).
var (
	wafClient = known("client")
	wafID     = known("rule_id")
	wafMsg    = known("rule_msg")
	wafData   = known("rule_data")
	wafLevel  = known("rule_severity")
	wafURI    = known("uri")
	wafHost   = known("hostname")
	wafUnique = known("unique_id")
	wafAction = known("waf_action")
)

var wafParts = [...]struct {
	text string
	n    name
}{
	{`[client "`, wafClient},
	{`[id "`, wafID},
	{`[msg "`, wafMsg},
	{`[data "`, wafData},
	{`[severity "`, wafLevel},
	{`[hostname "`, wafHost},
	{`[uri "`, wafURI},
	{`[unique_id "`, wafUnique},
}

var wafAliases = []pair{
	{ecsRule, wafMsg},
	{ecsURL, wafURI},
	{ecsURLPath, wafURI},
	{ecsURLDomain, wafHost},
	{ecsRequestID, wafUnique},
	{ecsAction, wafAction},
	{w3cURI, wafURI},
	{w3cStem, wafURI},
	{w3cHost, wafHost},
}

// isWAF reports whether a message is a firewall's.
func isWAF(s string) bool {
	return strings.Contains(s, "ModSecurity: ") || strings.Contains(s, "Coraza: ")
}

// waf reads the parts of a firewall's message: each name once, the first of it.
func (p *pass) waf(v event.Value) {
	for i := range wafParts {
		part := &wafParts[i]
		at := strings.Index(v.Str, part.text)
		if at < 0 {
			continue
		}
		from := at + len(part.text)
		if end := quoted(bytesOf(v.Str), from); end > from {
			p.aliasPart(part.n, v, from, end)
		}
	}
	action := "warned"
	if strings.Contains(v.Str, ": Access denied ") {
		action = "denied"
	}
	p.addWord(wafAction, action)
	p.e.LogSource = logWAF
}

// wafNames gives the firewall's fields their other names.
func (p *pass) wafNames() {
	p.aliases(wafAliases)
	p.outcome(p.value(wafAction) != "denied")
}
