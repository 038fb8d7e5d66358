package parse

import "bartizan/event"

// Names of a log event as CloudWatch Logs sends it to subscribers and exports it
// ("Using CloudWatch Logs subscription filters" in its guide).
var (
	cwID      = known("id")
	cwMessage = known("message")
	cwTime    = known("timestamp")
)

const cwDigits = 56 // of a log event's id

func isCloudWatch(p *pass) bool {
	id, message, when := p.value(cwID), p.has(cwMessage), p.has(cwTime)
	return len(p.fields) <= 4 && len(id) == cwDigits && digits(bytesOf(id), 0) == cwDigits &&
		message != nil && message.Value.Kind == event.KindString && when != nil && when.Value.Kind == event.KindNumber
}

// readCloudWatch reads the line inside a log event, at the line's own time where
// it has one.
func readCloudWatch(p *pass) {
	p.enclosed(p.has(cwMessage).Value, "cloudwatch")
	if f := p.has(cwTime); f != nil {
		p.timeValue(f.Value)
	}
}
