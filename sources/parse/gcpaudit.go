package parse

import (
	"strings"

	"bartizan/event"
)

// The log sources of Google Cloud's audit logs, in Sigma's words: Google
// Workspace writes its audit logs in the same shape.
var (
	logGCP            = event.LogSource{Product: "gcp", Service: "gcp.audit"}
	logWorkspaceAdmin = event.LogSource{Product: "gcp", Service: "google_workspace.admin"}
	logWorkspaceLogin = event.LogSource{Product: "gcp", Service: "google_workspace.login"}
)

// The names of a LogEntry with an AuditLog in it (Cloud Logging, "LogEntry" and
// "AuditLog" references) that we look at.
var (
	gcpMethod    = known("protoPayload.methodName")
	gcpService   = known("protoPayload.serviceName")
	gcpCaller    = known("protoPayload.requestMetadata.callerIp")
	gcpUser      = known("protoPayload.authenticationInfo.principalEmail")
	gcpSubject   = known("protoPayload.authenticationInfo.principalSubject")
	gcpCode      = known("protoPayload.status.code")
	gcpTime      = known("timestamp")
	gcpReceived  = known("receiveTimestamp")
	gcpSeverity  = known("severity")
	gcpName      = known("logName")
	gcpInsert    = known("insertId")
	gcpResource  = known("protoPayload.resourceName")
	gcpWorkspace = known("protoPayload.metadata.event.eventName")

	gcpZone     = known("resource.labels.zone")
	gcpLocation = known("gcp.location") // as Falco's plugin has it: a zone without its letter

	sigmaService = known("eventService")
)

var gcpAliases = []pair{
	{ecsUser, gcpUser},
	{ecsUser, gcpSubject},
	{ecsUserID, known("protoPayload.authenticationInfo.serviceAccountKeyName")},
	{ecsAction, gcpMethod},
	{known("gcp.audit.method_name"), gcpMethod},
	{known("data.protoPayload.methodName"), gcpMethod}, // as a subscriber of Pub/Sub wraps it
	{known("data.protoPayload.serviceName"), gcpService},
	{known("data.protoPayload.resource.type"), known("resource.type")},
	{known("protoPayload.Servicename"), gcpService},
	{ecsProvider, gcpService},
	{ecsEventID, gcpInsert},
	{ecsUserAgent, known("protoPayload.requestMetadata.callerSuppliedUserAgent")},
	{ecsAccount, known("resource.labels.project_id")},
	{ecsRegion, known("resource.labels.location")},
	{ecsRegion, known("resource.labels.region")},
	{ecsRegion, gcpZone},
	{gcpLocation, known("resource.labels.location")},
	{gcpLocation, known("resource.labels.region")},
	{ecsBucket, known("resource.labels.bucket_name")},
	{ecsResource, gcpResource},
	{ecsResType, known("resource.type")},
	{ecsErrorText, known("protoPayload.status.message")},
	{ecsErrorCode, gcpCode},
}

// gcpGrants are what was asked for and whether it was granted, each a list.
var gcpGrants = spelled(
	"protoPayload.authorizationInfo.permission data.protoPayload.authorizationInfo.permission",
	"protoPayload.authorizationInfo.granted data.protoPayload.authorizationInfo.granted",
)

var gcpLogName = known("data.protoPayload.logName") // what follows "/logs/"

// gcpMarks tell an entry from other JSON with a payload of methods; any is enough.
var gcpMarks = [...]name{gcpName, gcpInsert, gcpUser, gcpReceived, gcpGrants[0][0]}

func isGCP(p *pass) bool {
	m := p.has(gcpMethod)
	if m == nil || m.Value.Kind != event.KindString || p.has(gcpService) == nil {
		return false
	}
	for _, n := range gcpMarks {
		if p.has(n) != nil {
			return true
		}
	}
	return false
}

// readGCP reads one entry of Google Cloud's audit logs, as an export to Pub/Sub,
// a bucket or gcloud logging read writes it.
func readGCP(p *pass) {
	p.endNative()
	for _, k := range [...]name{gcpTime, gcpReceived} {
		if f := p.has(k); f != nil && p.timeValue(f.Value) {
			break
		}
	}
	if f := p.has(gcpCaller); f != nil && isAddr(f.Value.Str) {
		p.alias(ecsSrcIP, gcpCaller)
	}
	if user := p.value(gcpUser); strings.HasSuffix(user, ".gserviceaccount.com") {
		p.alias(ecsServiceAcct, gcpUser)
	}
	p.aliases(gcpAliases)
	for _, g := range gcpGrants {
		p.respellEach(g)
	}
	if f := p.has(gcpName); f != nil && f.Value.Kind == event.KindString {
		p.aliasPart(gcpLogName, f.Value, strings.LastIndexByte(f.Value.Str, '/')+1, len(f.Value.Str))
	}
	if f := p.has(gcpZone); f != nil && f.Value.Kind == event.KindString {
		p.aliasPart(gcpLocation, f.Value, 0, len(f.Value.Str)-2)
	}
	switch p.value(gcpService) {
	case "admin.googleapis.com":
		p.e.LogSource = logWorkspaceAdmin
	case "login.googleapis.com":
		p.e.LogSource = logWorkspaceLogin
	}
	if p.e.LogSource != logGCP {
		p.aliasEach(ctName, gcpWorkspace)
		p.alias(sigmaService, gcpService)
		p.workspaceParameters()
	}
	ok := true
	if f := p.has(gcpCode); f != nil { // google.rpc.Code; 0 is OK
		ok = f.Value.Kind != event.KindNumber || f.Value.Num == 0
	}
	if p.e.Level = levelWord(p.value(gcpSeverity)); p.e.Level == event.LevelUnknown {
		p.e.Level = event.LevelInfo
	}
	if !ok && p.e.Level < event.LevelWarning {
		p.e.Level = event.LevelWarning
	}
	p.outcome(ok)
	p.e.Message = p.compose(strings.TrimSuffix(p.value(gcpService), ".googleapis.com"), p.value(gcpMethod), p.value(ecsUser), p.value(gcpResource), p.value(ecsErrorText))
}
