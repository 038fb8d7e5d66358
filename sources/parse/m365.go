package parse

import (
	"strings"

	"bartizan/event"
)

// The log sources of Microsoft 365, in Sigma's words.
var (
	logM365         = event.LogSource{Product: "m365", Service: "audit"}
	logM365Exchange = event.LogSource{Product: "m365", Service: "exchange"}
	logM365Threat   = event.LogSource{Product: "m365", Service: "threat_management"}
	logM365Detect   = event.LogSource{Product: "m365", Service: "threat_detection"}
)

// Names of the unified audit log ("Office 365 Management Activity API schema").
var (
	msWhen     = known("CreationTime")
	msDo       = known("Operation")
	msWorkload = known("Workload")
	msRecord   = known("RecordType")
	msUser     = known("UserId")
	msOrg      = known("OrganizationId")
	msResult   = known("ResultStatus")
	msObject   = known("ObjectId")
	msAlert    = known("Name")
	msParams   = known("Parameters")
	msPayload  = known("Payload")
	msEvent    = known("eventName")
	msSource   = known("eventSource")
	msStatus   = known("status")
	msSeverity = known("Severity")
	msSubject  = known("TargetUserOrGroupName")
)

var m365Shape = shape{
	times: knownAll("CreationTime"),
	from:  knownAll("ClientIP", "ClientIPAddress", "ActorIpAddress", "SenderIp"),
	aliases: []pair{
		{ecsUser, msUser},
		{ecsUserID, known("UserKey")},
		{ecsTarget, msSubject},
		{ecsTarget, known("MailboxOwnerUPN")},
		{ecsAction, msDo},
		{ecsProvider, msWorkload},
		{ecsEventID, known("Id")},
		{ecsAccount, msOrg},
		{ecsUserAgent, known("UserAgent")},
		{ecsURL, known("SiteUrl")},
		{ecsFile, known("SourceFileName")},
		{ecsSession, known("SessionId")},
		{ecsSession, known("AppAccessContext.AADSessionId")},
		{ecsErrorText, known("LogonError")},
		{msSource, msWorkload},
	},
}

// m365Properties are members of the lists of names with values: what a sign-in
// was, and what Exchange was told.
var m365Properties = [...]entryList{
	{known("ExtendedProperties.Name"), known("ExtendedProperties.Value"), []entry{
		{"RequestType", known("RequestType"), ""}, {"UserAgent", ecsUserAgent, ""}, {"ResultStatusDetail", known("ResultStatusDetail"), ""},
	}},
	{known("DeviceProperties.Name"), known("DeviceProperties.Value"), []entry{{"SessionId", ecsSession, ""}}},
}

// m365Detections are the alert policies of Defender for Cloud Apps that Sigma's
// rules look for in its threat detection rather than its threat management.
var m365Detections = [...]string{"Activity from suspicious IP addresses"}

func isM365(p *pass) bool {
	return p.has(msDo) != nil && p.has(msWhen) != nil && (p.has(msWorkload) != nil || p.has(msRecord) != nil) && (p.has(msUser) != nil || p.has(msOrg) != nil)
}

// readM365 reads one record of Microsoft 365's unified audit log. An alert's
// policy is what rules call eventName; elsewhere that is the operation.
func readM365(p *pass) {
	p.shape(&m365Shape)
	p.m365Source()
	for i := range m365Properties {
		p.entries(&m365Properties[i])
	}
	if p.has(msPayload) == nil {
		p.aliasWord(msPayload, p.m365Payload())
	}
	switch s := p.value(msResult); {
	case oneOf(s, "Failed", "Failure", "PartiallySucceeded", "False"), strings.HasSuffix(p.value(msDo), "Failed"):
		p.outcome(false)
		p.e.Level = max(p.e.Level, event.LevelWarning)
		p.aliasWord(msStatus, "failure")
	default:
		p.outcome(true)
		p.aliasWord(msStatus, "success")
	}
	switch s := p.value(msSeverity); {
	case oneOf(s, "High"):
		p.e.Level = event.LevelError
	case oneOf(s, "Medium"):
		p.e.Level = event.LevelWarning
	}
	p.e.Message = p.compose(p.value(msUser), p.value(msWorkload), p.value(msEvent), p.value(msObject), p.value(msSubject), p.value(msResult))
}

// m365Source says which of Sigma's log sources the record is of.
func (p *pass) m365Source() {
	name, work := p.value(msAlert), p.value(msWorkload)
	switch {
	case !oneOf(work, "SecurityComplianceCenter"):
		if oneOf(work, "Exchange") {
			p.e.LogSource = logM365Exchange
		}
	case name != "" && oneOf(name, m365Detections[:]...):
		p.e.LogSource = logM365Detect
	default:
		p.e.LogSource = logM365Threat
	}
	if name != "" && strings.HasPrefix(p.value(msDo), "Alert") {
		p.alias(msEvent, msAlert)
	}
	p.alias(msEvent, msDo)
}

// m365Payload is what a command of the compliance center was called with.
func (p *pass) m365Payload() string {
	if f := p.has(msParams); f != nil && f.Value.Str != "" && oneOf(p.value(msWorkload), "SecurityComplianceCenter") {
		return p.compose(p.value(msDo), f.Value.Str)
	}
	return ""
}
