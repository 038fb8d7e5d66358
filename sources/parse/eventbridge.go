package parse

import (
	"strings"

	"bartizan/event"
)

// Names of the envelope that EventBridge puts around everything ("AWS service
// event metadata" in its guide).
var (
	ebType   = known("detail-type")
	ebDetail = known("detail")
	ebSource = known("source")
	ebTime   = known("time")
	ebShub   = known("detail.findings")
	ebID     = known("id")
)

var eventBridgeShape = shape{
	times: []name{ebTime},
	aliases: []pair{
		{ecsAction, known("detail.eventName")},
		{ecsAction, ebType},
		{ecsProvider, ebSource},
		{ecsEventID, ebID},
		{ecsAccount, known("account")},
		{ecsRegion, known("region")},
		{ecsResource, known("resources")},
	},
}

var logEventBridge = event.LogSource{Product: "aws", Service: "eventbridge"}

// ebMarks are members of the details that are records of a log of their own.
var ebMarks = knownAll("detail.eventVersion", "detail.service.serviceName", "detail.findings")

func isEventBridge(p *pass) bool {
	return p.has(ebType) != nil && p.has(ebDetail) != nil && p.has(ebSource) != nil && p.has(ebDetail).Value.Kind == event.KindObject
}

// readEventBridge reads an event of EventBridge. Where its detail is a record of a
// log that is known by itself (CloudTrail, GuardDuty, Security Hub, …) it is read
// as that, and its fields stand beside those of the envelope.
func readEventBridge(p *pass) {
	v := p.has(ebDetail).Value
	if f := p.has(ebShub); f != nil && f.Value.Kind == event.KindObject {
		if list := strings.TrimSpace(f.Value.Str); strings.HasPrefix(list, "[{") {
			end := skipValue(bytesOf(list), 1, maxSkip)
			if at := strings.Index(f.Value.Str, "{"); end > 0 {
				v = part(f.Value, at, at+end-1)
			}
		}
	}
	for _, m := range ebMarks {
		if p.has(m) != nil && strings.HasPrefix(v.Str, "{") {
			p.enclosed(v, "eventbridge")
			return
		}
	}
	p.shape(&eventBridgeShape)
	p.e.Message = p.compose(p.value(ebSource), p.value(ebType))
}

// part is v.Str[from:to] with its place in the record.
func part(v event.Value, from, to int) event.Value {
	out := event.Value{Str: v.Str[from:to], Pos: -1, End: -1}
	if v.Pos >= 0 && int(v.End-v.Pos) == len(v.Str) {
		out.Pos, out.End = v.Pos+int32(from), v.Pos+int32(to)
	}
	return out
}
