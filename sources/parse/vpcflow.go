package parse

import (
	"strings"

	"bartizan/event"
)

// vpcDefault are the fields of a version 2 flow log line in their order. AWS
// writes the names with "-"; ours have "_".
var vpcDefault = knownAll("version", "account_id", "interface_id", "srcaddr", "dstaddr", "srcport", "dstport",
	"protocol", "packets", "bytes", "start", "end", "action", "log_status")

// vpcMore are the fields of later versions, which custom formats may name.
var vpcMore = knownAll("vpc_id", "subnet_id", "instance_id", "tcp_flags", "type", "pkt_srcaddr", "pkt_dstaddr",
	"region", "az_id", "sublocation_type", "sublocation_id", "pkt_src_aws_service", "pkt_dst_aws_service",
	"flow_direction", "traffic_path", "ecs_cluster_arn", "ecs_cluster_name", "ecs_container_instance_arn",
	"ecs_container_instance_id", "ecs_container_id", "ecs_second_container_id", "ecs_service_name",
	"ecs_task_definition_arn", "ecs_task_arn", "ecs_task_id", "reject_reason", "resource_id", "encryption_status")

var (
	vSrc    = known("srcaddr")
	vDst    = known("dstaddr")
	vStart  = known("start")
	vEnd    = known("end")
	vAction = known("action")
	vProto  = known("protocol")

	vVersion = known("version")

	vAccount = known("account_id") // digits, but no number: zeros count
)

var vpcAliases = []pair{
	{ecsSrcIP, vSrc},
	{ecsDstIP, vDst},
	{ecsSrcPort, known("srcport")},
	{ecsDstPort, known("dstport")},
	{ecsNetBytes, known("bytes")},
	{ecsNetPackets, known("packets")},
	{ecsAccount, known("account_id")},
	{ecsRegion, known("region")},
	{ecsAction, vAction},
	{ecsContainer, known("ecs_container_id")},
}

const maxColumns = 64

func scoreVPC(b []byte) (int, string) {
	end := word(b, 0)
	if end > 2 {
		if vpcColumns(b) != nil {
			return 96, "a header line that names flow log fields"
		}
		return 0, "does not begin with a version"
	}
	if end == 0 || b[0]-'0' > 9 {
		return 0, "does not begin with a version"
	}
	acct := word(b, end+1)
	if acct-end-1 == 12 && digits(b, end+1) == acct && (prefixAt(b, acct, " eni-") || prefixAt(b, acct, " -")) {
		return 93, "version, account and network interface"
	}
	return 0, "a number first, but no account and interface after it"
}

// vpcColumns returns the columns that a header line names, nil when it is none:
// at least four names, most of them a flow log's.
func vpcColumns(b []byte) []name {
	b = b[:min(trimEnd(b), 2048)]
	if len(b) < 16 || b[0] < 'a' || b[0] > 'z' {
		return nil
	}
	for _, c := range b {
		if c != ' ' && c != '-' && c != '_' && (c < 'a' || c > 'z') {
			return nil
		}
	}
	words := strings.Fields(strings.ReplaceAll(string(b), "-", "_"))
	if len(words) < 4 || len(words) > maxColumns {
		return nil
	}
	var cols []name
	unknown := 0
	for _, w := range words {
		slot, ok := slotOf[w]
		if !ok || !isVPCName(w) {
			unknown++
		}
		cols = append(cols, name{w, event.Intern(w), slot})
	}
	if unknown*4 > len(words) {
		return nil
	}
	return cols
}

func isVPCName(w string) bool {
	for _, list := range [...][]name{vpcDefault, vpcMore} {
		for _, n := range list {
			if n.text == w {
				return true
			}
		}
	}
	return false
}

// readVPC reads one VPC flow log line, by the columns of the header line before
// it, else in the default order. The header line itself is an event without
// fields.
func readVPC(p *pass) bool {
	b := p.text
	if len(b) == 0 {
		return false
	}
	if b[0] >= 'a' && b[0] <= 'z' {
		return p.vpcHeader()
	}
	cols := vpcDefault
	if h := p.columns(readVPCID); h != nil {
		cols = h.cols
	} else if n, _ := scoreVPC(b); n == 0 {
		return false
	}
	if !p.vpcValues(cols) || !p.vpcPlausible() {
		return false
	}
	p.e.FormatName, p.e.LogSource = "vpcflow", logVPC
	p.e.Message = view(b, 0, trimEnd(b))
	p.endNative()
	for _, k := range [...]name{vEnd, vStart} {
		if f := p.has(k); f != nil {
			p.timeValue(f.Value)
		}
	}
	p.vpcAliases()
	return true
}

func (p *pass) vpcHeader() bool {
	cols := vpcColumns(p.text)
	if cols == nil {
		return false
	}
	p.e.FormatName, p.e.LogSource = "vpcflow", logVPC
	p.setHeader(readVPCID, p.text[:trimEnd(p.text)])
	return true
}

// vpcValues reads as many values as there are columns, exactly.
func (p *pass) vpcValues(cols []name) bool {
	b := p.text[:trimEnd(p.text)]
	i := 0
	for k, n := range cols {
		end := word(b, i)
		if end == i || (k < len(cols)-1) != (end < len(b)) {
			return false
		}
		pos, to := p.span(i, end)
		v := event.Value{Str: view(b, i, end), Pos: pos, End: to}
		if digits(b, i) == end && n.slot != vAccount.slot {
			v.Num, _ = number(b[i:end])
			v.Kind = event.KindNumber
		}
		p.put(n, v)
		i = end + 1
	}
	return true
}

// vpcPlausible tells a flow from any other line with as many words.
func (p *pass) vpcPlausible() bool {
	if f := p.has(vVersion); f != nil && f.Value.Kind != event.KindNumber {
		return false
	}
	for _, n := range [...]name{vSrc, vDst} {
		if s := p.value(n); s != "" && s != "-" && !isAddr(s) {
			return false
		}
	}
	switch p.value(vAction) {
	case "", "-", "ACCEPT", "REJECT":
		return true
	}
	return false
}

// vpcAliases adds transport and outcome; a flow without data has "-" everywhere.
func (p *pass) vpcAliases() {
	p.aliases(vpcAliases)
	p.aliasWord(ecsTransport, transportName(p.value(vProto)))
	p.e.Level = event.LevelInfo
	switch p.value(vAction) {
	case "ACCEPT":
		p.outcome(true)
	case "REJECT":
		p.outcome(false)
		p.e.Level = event.LevelNotice
	}
}

// transportName returns the keyword of an IANA protocol number.
func transportName(n string) string {
	switch n {
	case "1":
		return "icmp"
	case "6":
		return "tcp"
	case "17":
		return "udp"
	case "47":
		return "gre"
	case "50":
		return "esp"
	case "58":
		return "ipv6-icmp"
	case "132":
		return "sctp"
	}
	return ""
}
