package parse

import (
	"strings"

	"bartizan/event"
)

var (
	logNSGFlow  = event.LogSource{Product: "azure", Service: "nsgflow"}
	logVNetFlow = event.LogSource{Product: "azure", Service: "vnetflow"}
)

// Names of Azure's flow logs ("NSG flow logs" and "Virtual network flow logs" in
// Network Watcher's documentation).
var (
	nfTuples = known("properties.flows.flows.flowTuples")
	vfTuples = known("flowRecords.flows.flowGroups.flowTuples")
	afRes    = known("resourceId")
	vfTarget = known("targetResourceID")
)

// maxTuples bounds how many flows of one record get names; the rest of them
// stays searchable as text.
const maxTuples = 500

var azureFlowShape = shape{
	times:   knownAll("time"),
	each:    spelled("properties.flows.rule flowRecords.flows.flowGroups.rule rule.name"),
	aliases: []pair{{ecsResource, vfTarget}, {ecsResource, afRes}, {ecsEventID, known("systemId")}},
}

// flowNames are what the tuples of a record give, a value for each flow.
var flowNames = []pair{
	{ecsSrcIP, nfTuples},
	{ecsSrcPort, nfTuples},
	{ecsDstIP, nfTuples},
	{ecsDstPort, nfTuples},
	{ecsTransport, nfTuples},
	{ecsAction, nfTuples},
	{ecsSrcIP, vfTuples},
	{ecsSrcPort, vfTuples},
	{ecsDstIP, vfTuples},
	{ecsDstPort, vfTuples},
	{ecsTransport, vfTuples},
	{ecsAction, vfTuples},
}

func isNSGFlow(p *pass) bool  { return p.has(nfTuples) != nil }
func isVNetFlow(p *pass) bool { return p.has(vfTuples) != nil }

// readNSGFlow reads the flows that one network security group saw in a minute.
func readNSGFlow(p *pass) { p.azureFlows(nfTuples) }

// readVNetFlow reads the flows of one virtual network in a minute.
func readVNetFlow(p *pass) { p.azureFlows(vfTuples) }

// azureFlows gives the flows of a record their names: lists, because one record
// has many. A flow that was refused makes the record a notice.
func (p *pass) azureFlows(tuples name) {
	p.shape(&azureFlowShape)
	p.azureScope()
	refused, n := false, 0
	for i := int(p.slots[tuples.slot]); i > 0 && i <= p.native && n < maxTuples; i++ {
		f := &p.fields[i-1]
		if f.Name != tuples.text || f.Value.Kind == event.KindObject {
			continue
		}
		n++
		if p.flowTuple(f.Value, n == 1) {
			refused = true
		}
	}
	if refused {
		p.e.Level = event.LevelNotice
	}
	p.outcome(!refused)
	p.e.Message = p.compose(p.value(ecsRule), p.value(ecsSrcIP), "to", p.value(ecsDstIP), p.value(ecsDstPort), p.value(ecsTransport), p.value(ecsAction))
}

// flowTuple reads "time,source,destination,port,port,protocol,direction,what": an
// NSG's protocol is T or U and what is A or D; a virtual network's is a number and
// what is B, C, E or D.
func (p *pass) flowTuple(v event.Value, first bool) (refused bool) {
	var col [8]event.Value
	from := 0
	for i := range col {
		if from > len(v.Str) {
			return false
		}
		end := strings.IndexByte(v.Str[from:], ',')
		if end < 0 {
			end = len(v.Str) - from
		}
		col[i] = part(v, from, from+end)
		from += end + 1
	}
	if src, dst := col[1], col[2]; isAddr(src.Str) && isAddr(dst.Str) {
		p.put(ecsSrcIP, src)
		p.put(ecsDstIP, dst)
		p.portOf(ecsSrcPort, col[3])
		p.portOf(ecsDstPort, col[4])
	}
	what := col[7].Str
	if first {
		switch proto := col[5].Str; proto {
		case "T":
			p.aliasWord(ecsTransport, "tcp")
		case "U":
			p.aliasWord(ecsTransport, "udp")
		default:
			p.aliasWord(ecsTransport, transportName(proto))
		}
		if what == "D" {
			p.aliasWord(ecsAction, "deny")
		} else {
			p.aliasWord(ecsAction, "allow")
		}
	}
	return what == "D"
}

func (p *pass) portOf(to name, v event.Value) {
	if x, ok := number(bytesOf(v.Str)); ok {
		v.Kind, v.Num = event.KindNumber, x
		p.put(to, v)
	}
}
