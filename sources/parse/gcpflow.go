package parse

import "bartizan/event"

var logGCPFlow = event.LogSource{Product: "gcp", Service: "gcp.vpcflow"}

// Names of Google Cloud's VPC flow logs ("About VPC Flow Logs records").
var (
	gfSrc    = known("jsonPayload.connection.src_ip")
	gfDst    = known("jsonPayload.connection.dest_ip")
	gfProto  = known("jsonPayload.connection.protocol")
	gfSrcVM  = known("jsonPayload.src_instance.vm_name")
	gfDstP   = known("jsonPayload.connection.dest_port")
	gfReport = known("jsonPayload.reporter")
)

var gcpFlowShape = shape{
	times: knownAll("jsonPayload.end_time", "timestamp", "receiveTimestamp"),
	from:  []name{gfSrc},
	to:    []name{gfDst},
	aliases: []pair{
		{ecsSrcPort, known("jsonPayload.connection.src_port")},
		{ecsDstPort, gfDstP},
		{ecsNetBytes, known("jsonPayload.bytes_sent")},
		{ecsNetPackets, known("jsonPayload.packets_sent")},
		{ecsAccount, known("resource.labels.project_id")},
		{ecsRegion, known("resource.labels.location")},
		{ecsEventID, known("insertId")},
		{ecsHost, gfSrcVM},
	},
}

func isGCPFlow(p *pass) bool { return p.has(gfSrc) != nil && p.has(gfDst) != nil }

// readGCPFlow reads one sampled connection.
func readGCPFlow(p *pass) {
	p.shape(&gcpFlowShape)
	p.aliasWord(ecsTransport, transportName(p.value(gfProto)))
	p.e.Level = event.LevelInfo
	p.e.Message = p.compose(p.value(gfSrc), "to", p.value(gfDst), p.value(gfDstP), p.value(ecsTransport), p.value(gfReport))
}
