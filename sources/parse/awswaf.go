package parse

import "bartizan/event"

var logAWSWAF = event.LogSource{Product: "aws", Category: "webserver", Service: "waf"}

// Names of AWS WAF's logs ("Log fields for protection pack (web ACL) traffic" in
// its guide).
var (
	awfACL    = known("webaclId")
	awfRule   = known("terminatingRuleId")
	awfAction = known("action")
	awfURI    = known("httpRequest.uri")
	awfArgs   = known("httpRequest.args")
	awfMethod = known("httpRequest.httpMethod")
	awfClient = known("httpRequest.clientIp")
	awfHost   = known("httpRequest.host")
)

var awsWAFShape = shape{
	times: knownAll("timestamp"),
	from:  []name{awfClient},
	aliases: []pair{
		{w3cClientIP, awfClient},
		{ecsRule, awfRule},
		{ecsAction, awfAction},
		{ecsMethod, awfMethod},
		{ecsURL, awfURI},
		{ecsURLPath, awfURI},
		{ecsURLQuery, awfArgs},
		{ecsURLDomain, awfHost},
		{ecsRequestID, known("httpRequest.requestId")},
		{ecsService, known("httpSourceId")},
		{ecsStatus, known("responseCodeSent")},
		{w3cStatus, known("responseCodeSent")},
		{w3cMethod, awfMethod},
		{w3cStem, awfURI},
		{w3cQuery, awfArgs},
		{w3cHost, awfHost},
	},
}

// awsWAFHeaders are the headers of the request that have names of their own.
var awsWAFHeaders = entryList{
	known("httpRequest.headers.name"), known("httpRequest.headers.value"),
	[]entry{
		{"User-Agent", ecsUserAgent, ""},
		{"User-Agent", w3cAgent, ""},
		{"User-Agent", w3cAgent2, ""},
		{"Referer", ecsReferrer, ""},
		{"Referer", w3cReferer, ""},
		{"Host", ecsURLDomain, ""},
		{"Host", w3cHost, ""},
	},
}

func isAWSWAF(p *pass) bool {
	return p.has(awfACL) != nil && p.has(awfAction) != nil && (p.has(awfRule) != nil || p.has(awfClient) != nil)
}

// readAWSWAF reads one request that AWS WAF judged.
func readAWSWAF(p *pass) {
	p.shape(&awsWAFShape)
	p.entries(&awsWAFHeaders)
	if f := p.has(awfURI); f != nil && f.Value.Kind == event.KindString {
		if args := p.value(awfArgs); args != "" {
			p.aliasWord(w3cURI, p.joined(f.Value.Str, "?", args))
		}
		p.alias(w3cURI, awfURI)
	}
	switch p.value(awfAction) {
	case "ALLOW", "COUNT":
		p.outcome(true)
	case "BLOCK", "CAPTCHA", "CHALLENGE":
		p.outcome(false)
		p.e.Level = event.LevelWarning
	}
	p.e.Message = p.compose(p.value(awfAction), p.value(awfMethod), p.value(awfHost), p.value(awfURI), p.value(ecsSrcIP), p.value(awfRule))
}
