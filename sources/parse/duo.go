package parse

import "bartizan/event"

var logDuo = event.LogSource{Product: "cisco", Service: "duo"}

// Names of Duo's logs ("Authentication Logs" and "Administrator Logs" in its Admin
// API's documentation).
var (
	duoFactor = known("factor")
	duoResult = known("result")
	duoReason = known("reason")
	duoUser   = known("user.name")
	duoApp    = known("application.name")
	duoType   = known("event_type")
	duoISO    = known("isotimestamp")
	duoAdmin  = known("username")
	duoDo     = known("action")
	duoObject = known("object")
	duoAccess = known("access_device.ip")
)

var duoShape = shape{
	times: []name{known("timestamp"), duoISO},
	from:  []name{duoAccess},
	aliases: []pair{
		{ecsUser, duoAdmin},
		{ecsUserID, known("user.key")},
		{ecsTarget, duoObject},
		{ecsAction, duoDo},
		{ecsAction, duoType},
		{ecsEventID, known("txid")},
		{ecsService, duoApp},
		{ecsHost, known("access_device.hostname")},
		{ecsErrorText, duoReason},
	},
}

func isDuo(p *pass) bool {
	if p.has(duoType) != nil && p.has(duoResult) != nil {
		return p.has(duoAccess) != nil || p.has(duoFactor) != nil && p.has(duoApp) != nil
	}
	return p.has(duoISO) != nil && p.has(duoDo) != nil && p.has(duoAdmin) != nil
}

// readDuo reads one authentication, or what one administrator did.
func readDuo(p *pass) {
	p.shape(&duoShape)
	switch s := p.value(duoResult); {
	case oneOf(s, "denied", "failure", "fraud"):
		p.outcome(false)
		p.e.Level = event.LevelWarning
	default:
		p.outcome(true)
	}
	if oneOf(p.value(duoResult), "fraud") {
		p.e.Level = event.LevelError
	}
	p.e.Message = p.compose(p.value(duoUser), p.value(duoAdmin), p.value(duoDo), p.value(duoFactor), p.value(duoApp), p.value(duoObject), p.value(duoResult), p.value(duoReason))
}
