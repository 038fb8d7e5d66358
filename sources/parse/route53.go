package parse

import (
	"strings"

	"bartizan/event"
)

var logRoute53 = event.LogSource{Product: "aws", Category: "dns", Service: "route53"}

// Names of Route 53 Resolver's query logs ("Values that appear in VPC Resolver
// query logs" in its guide).
var (
	rrName      = known("query_name")
	rrType      = known("query_type")
	rrWhen      = known("query_timestamp")
	rrCode      = known("rcode")
	rrVPC       = known("vpc_id")
	rrFrom      = known("srcaddr")
	rrAction    = known("firewall_rule_action")
	rrTransport = known("transport")
	rrData      = known("answers.Rdata")

	ecsQuestion = known("dns.question.name")

	rrQuery = known("query") // as Sigma's dns rules have it
)

var route53Shape = shape{
	times: []name{rrWhen},
	from:  []name{rrFrom},
	each:  spelled("answers.Rdata answer dns.answers.data"),
	aliases: []pair{
		{ecsSrcPort, known("srcport")},
		{ecsAccount, known("account_id")},
		{ecsRegion, known("region")},
		{ecsHost, known("srcids.instance")},
		{known("dns.question.type"), rrType},
		{known("dns.response_code"), rrCode},
		{ecsAction, rrAction},
		{known("record_type"), rrType},
	},
}

func isRoute53(p *pass) bool {
	return p.has(rrName) != nil && p.has(rrType) != nil && (p.has(rrVPC) != nil || p.has(rrWhen) != nil) && (p.has(rrCode) != nil || p.has(rrFrom) != nil)
}

// readRoute53 reads one query that Route 53 Resolver answered. The name has its
// final dot, which the other names leave out.
func readRoute53(p *pass) {
	p.shape(&route53Shape)
	if f := p.has(rrName); f != nil && f.Value.Kind == event.KindString {
		v, end := f.Value, len(f.Value.Str)
		if end > 1 && strings.HasSuffix(v.Str, ".") {
			end--
		}
		p.aliasPart(ecsQuestion, v, 0, end)
		p.aliasPart(rrQuery, v, 0, end)
	}
	p.aliasWord(ecsTransport, lowTransport(p.value(rrTransport)))
	switch p.value(rrCode) {
	case "NOERROR":
		p.outcome(true)
	case "":
	case "NXDOMAIN":
		p.outcome(false)
	default:
		p.outcome(false)
		p.e.Level = event.LevelNotice
	}
	if oneOf(p.value(rrAction), "BLOCK", "ALERT") {
		p.e.Level = event.LevelWarning
	}
	p.e.Message = p.compose(p.value(ecsSrcIP), p.value(rrType), p.value(ecsQuestion), p.value(rrCode), p.value(rrData), p.value(rrAction))
}

// lowTransport is a transport's name as ECS has it.
func lowTransport(s string) string {
	switch {
	case oneOf(s, "UDP"):
		return "udp"
	case oneOf(s, "TCP"):
		return "tcp"
	}
	return ""
}
