package parse

import (
	"bytes"

	"bartizan/event"
)

var logLambda = event.LogSource{Product: "aws", Service: "lambda"}

// What Lambda and its runtimes write to a function's log, as text and as JSON
// ("Sending Lambda function logs" and "Telemetry API Event schema" in its guide).
var (
	laEvent    = known("event")
	laRequest  = known("requestId")
	laVersion  = known("version")
	laDuration = known("durationMs")
	laBilled   = known("billedDurationMs")
	laSize     = known("memorySizeMB")
	laUsed     = known("maxMemoryUsedMB")
	laInit     = known("initDurationMs")
	laStatus   = known("status")
	laErrType  = known("errorType")
	laErrText  = known("errorMessage")
	laTrace    = known("XRAY TraceId")
	laType     = known("type")
	laRecord   = known("record")
	laRecReq   = known("record.requestId")
	laRecState = known("record.status")
	laColdRun  = known("cold_start")
	laFunction = known("function_arn")
	laMessage  = known("message")
)

var lambdaAliases = []pair{
	{ecsRequestID, laRequest},
	{ecsRequestID, laRecReq},
	{ecsRequestID, known("function_request_id")},
	{ecsRequestID, known("AWSRequestId")},
	{ecsAction, laEvent},
	{ecsAction, laType},
	{ecsService, known("function_name")},
	{ecsTrace, laTrace},
	{ecsTrace, known("xray_trace_id")},
	{ecsErrorCode, laErrType},
	{ecsErrorText, laErrText},
}

// lambdaHeads are the beginnings of the service's own lines.
var lambdaHeads = [...]struct{ text, event string }{
	{"START RequestId: ", "start"},
	{"END RequestId: ", "end"},
	{"REPORT RequestId: ", "report"},
	{"RequestId: ", "error"},
	{"INIT_START Runtime Version: ", "init"},
	{"INIT_REPORT Init Duration: ", "init_report"},
}

// lambdaParts are the parts of a report, which tabs divide.
var lambdaParts = [...]struct {
	text string
	n    name
}{
	{"Duration: ", laDuration},
	{"Billed Duration: ", laBilled},
	{"Memory Size: ", laSize},
	{"Max Memory Used: ", laUsed},
	{"Init Duration: ", laInit},
	{"Status: ", laStatus},
	{"Error Type: ", laErrType},
	{"XRAY TraceId: ", laTrace},
}

func scoreLambda(b []byte) (int, string) {
	for i := range lambdaHeads {
		h := &lambdaHeads[i]
		if prefix(b, h.text) && (h.event == "init" || h.event == "init_report" || isUUID(b, len(h.text))) {
			return 95, "a line of the Lambda service about one call"
		}
	}
	if _, id, _ := lambdaLine(b); id > 0 {
		return 94, "a stamp and a request's id, as Lambda's runtimes write them"
	}
	return 0, "neither a line of the Lambda service nor one of its runtimes"
}

// isUUID reports whether b[i:] begins with a UUID in its usual form.
func isUUID(b []byte, i int) bool {
	if i < 0 || i+36 > len(b) {
		return false
	}
	for k, c := range b[i : i+36] {
		if dash := k == 8 || k == 13 || k == 18 || k == 23; dash != (c == '-') || !dash && hexDigit(c) < 0 {
			return false
		}
	}
	return true
}

// lambdaLine finds stamp and request id of "stamp TAB id TAB LEVEL TAB text"
// (Node.js), "[LEVEL] TAB stamp TAB id TAB text" (Python) and "stamp id Task timed
// out …" (the service). id is 0 where there is none.
func lambdaLine(b []byte) (stamp, id, level int) {
	if len(b) > 0 && b[0] == '[' {
		end := bytes.IndexByte(b[:min(len(b), 16)], ']')
		if end < 2 || !prefixAt(b, end+1, "\t") {
			return 0, 0, 0
		}
		stamp, level = end+2, 1
	}
	_, _, zoned, n := isoStamp(b[stamp:])
	if n < 20 || !zoned || stamp+n >= len(b) {
		return 0, 0, 0
	}
	id = stamp + n + 1
	if sep := b[id-1]; !isUUID(b, id) || sep != '\t' && (sep != ' ' || !prefixAt(b, id+36, " Task timed out")) {
		return 0, 0, 0
	}
	return stamp, id, level
}

// readLambda reads one line of a function's log.
func readLambda(p *pass) bool {
	b := p.text[:trimEnd(p.text)]
	if !p.lambdaService(b) && !p.lambdaRuntime(b) {
		return false
	}
	p.e.FormatName, p.e.LogSource = "lambda-text", logLambda
	p.lambdaEnd()
	return true
}

// lambdaService reads a line of the service itself.
func (p *pass) lambdaService(b []byte) bool {
	for i := range lambdaHeads {
		h := &lambdaHeads[i]
		if !prefix(b, h.text) {
			continue
		}
		p.addWord(laEvent, h.event)
		at := len(h.text)
		if h.event == "init_report" {
			at = len("INIT_REPORT ")
		} else if h.event != "init" {
			if !isUUID(b, at) {
				return false
			}
			p.add(laRequest, at, at+36)
			at += 36
		}
		if h.event == "start" && prefixAt(b, at, " Version: ") {
			at += len(" Version: ")
			p.add(laVersion, at, word(b, at))
		}
		if h.event == "error" && prefixAt(b, at, " Error: ") {
			p.add(laErrText, at+len(" Error: "), len(b))
		}
		p.lambdaReport(b, at)
		p.e.Message = view(b, 0, len(b))
		return true
	}
	return false
}

// lambdaReport reads "TAB Duration: 3.21 ms TAB Memory Size: 128 MB …".
func (p *pass) lambdaReport(b []byte, i int) {
	for i < len(b) {
		for i < len(b) && (b[i] == '\t' || b[i] == ' ') {
			i++
		}
		end := find(b, i, '\t')
		if end < 0 {
			end = len(b)
		}
		for k := range lambdaParts {
			part := &lambdaParts[k]
			if from := i + len(part.text); prefixAt(b, i, part.text) {
				p.addNum(part.n, from, min(end, word(b, from)))
			}
		}
		i = end
	}
}

// lambdaRuntime reads a line that a runtime put stamp and request id before.
func (p *pass) lambdaRuntime(b []byte) bool {
	stamp, id, level := lambdaLine(b)
	if id == 0 {
		return false
	}
	c, east, _, n := isoStamp(b[stamp:])
	p.at(c.utc(east))
	p.add(fTimestamp, stamp, stamp+n)
	p.add(laRequest, id, id+36)
	at := min(id+37, len(b))
	switch {
	case level > 0:
		p.add(fLevel, level, stamp-2)
	case b[id-1] == '\t':
		if end := find(b, at, '\t'); end > at {
			p.add(fLevel, at, end)
			at = end + 1
		}
	default:
		p.addWord(laEvent, "timeout")
		p.e.Level = event.LevelError
	}
	p.add(laMessage, at, len(b))
	p.e.Message = view(b, at, len(b))
	return true
}

// lambdaEnd gives the other names, level and outcome.
func (p *pass) lambdaEnd() {
	p.endNative()
	p.aliases(lambdaAliases)
	if p.e.Level == event.LevelUnknown {
		p.e.Level = levelWord(p.value(fLevel))
	}
	state := p.value(laStatus)
	if state == "" {
		state = p.value(laRecState)
	}
	switch {
	case oneOf(state, "error", "timeout", "failure") || p.value(laErrType) != "" || p.value(laErrText) != "" || p.value(laEvent) == "timeout":
		p.outcome(false)
		p.e.Level = max(p.e.Level, event.LevelError)
	case oneOf(state, "success") || p.value(laEvent) == "report":
		p.outcome(true)
	}
	if p.e.Level == event.LevelUnknown {
		p.e.Level = event.LevelInfo
	}
}

func isLambdaJSON(p *pass) bool {
	if f := p.has(laRecord); f != nil && f.Value.Kind == event.KindObject {
		return prefix(bytesOf(p.value(laType)), "platform.")
	}
	if p.has(laColdRun) != nil && p.has(laFunction) != nil {
		return true
	}
	return len(p.fields) <= 12 && p.has(fTimestamp) != nil && p.has(fLevel) != nil && isUUID(bytesOf(p.value(laRequest)), 0) &&
		(p.has(laMessage) != nil || p.has(laErrText) != nil)
}

// readLambdaJSON reads one record of a function whose log format is JSON, or of
// Powertools' logger.
func readLambdaJSON(p *pass) {
	for _, n := range [...]name{fTimestamp, cTime} {
		if f := p.has(n); f != nil && p.timeValue(f.Value) {
			break
		}
	}
	p.lambdaEnd()
	if p.e.Message = p.value(laMessage); p.e.Message == "" {
		p.e.Message = p.compose(p.value(laType), p.value(laRecReq), p.value(laRecState), p.value(laErrType), p.value(laErrText))
	}
}
