package parse

import (
	"strings"

	"bartizan/event"
)

// Names of Entra's audit logs: the directoryAudit resource of Microsoft Graph, the
// same below "properties" as diagnostic settings stream it, and the columns of the
// AuditLogs table.
var (
	auSvcProp    = known("properties.loggedByService")
	auSvc        = known("LoggedByService")
	auSvcGr      = known("loggedByService")
	auOperation  = known("OperationName")
	auActivity   = known("properties.activityDisplayName")
	auActivityUp = known("ActivityDisplayName")
	auActivityGr = known("activityDisplayName")
	auActivityAt = known("activityDateTime")
	auCategory   = known("Category")
	auResult     = known("properties.result")
	auReason     = known("failure_status_reason")
	auTargetType = known("targetResources.type")
	auTargetName = known("targetResources.displayName")
)

var auditShape = shape{
	times: knownAll("properties.activityDateTime", "time", "activityDateTime", "ActivityDateTime", "TimeGenerated"),
	from: knownAll("properties.initiatedBy.user.ipAddress", "InitiatedBy.user.ipAddress", "initiatedBy.user.ipAddress",
		"callerIpAddress"),
	same: spelled(
		"properties.loggedByService LoggedByService loggedByService",
		"properties.category Category category",
		"properties.activityDisplayName ActivityDisplayName activityDisplayName operationName OperationName activityType ActivityType properties.message",
		"properties.result Result result",
		"properties.resultReason ResultReason resultReason ResultDescription resultDescription failure_status_reason",
		"properties.initiatedBy InitiatedBy initiatedBy",
		"properties.initiatedBy.user.userPrincipalName InitiatedBy.user.userPrincipalName initiatedBy.user.userPrincipalName Initiatedby Initiatied.By",
		"properties.initiatedBy.app.displayName InitiatedBy.app.displayName initiatedBy.app.displayName Initiatedby Initiatied.By",
		"properties.correlationId CorrelationId correlationId",
	),
	each: spelled(
		"properties.targetResources TargetResources targetResources",
		"properties.targetResources.type TargetResources.type targetResources.type",
		"properties.targetResources.userPrincipalName TargetResources.userPrincipalName targetResources.userPrincipalName Target",
		"properties.targetResources.displayName TargetResources.displayName targetResources.displayName Target",
		"properties.targetResources.modifiedProperties TargetResources.modifiedProperties targetResources.modifiedProperties",
		"properties.targetResources.modifiedProperties.displayName TargetResources.modifiedProperties.displayName targetResources.modifiedProperties.displayName TargetResources.ModifiedProperties.DisplayName",
		"properties.targetResources.modifiedProperties.newValue TargetResources.modifiedProperties.newValue targetResources.modifiedProperties.newValue TargetResources.ModifiedProperties.NewValue",
	),
	aliases: []pair{
		{ecsUser, known("properties.initiatedBy.user.userPrincipalName")},
		{ecsUser, known("properties.initiatedBy.app.displayName")},
		{ecsUserID, known("properties.initiatedBy.user.id")},
		{ecsUserID, known("InitiatedBy.user.id")},
		{ecsUserID, known("initiatedBy.user.id")},
		{ecsTarget, known("targetResources.userPrincipalName")},
		{ecsAction, auActivity},
		{ecsProvider, auSvcProp},
		{ecsEventID, known("properties.id")},
		{ecsEventID, known("id")},
		{ecsEventID, known("Id")},
		{ecsRequestID, azSameID},
		{ecsAccount, azTenant},
		{ecsAccount, known("AADTenantId")},
		{ecsErrorText, auReason},
	},
}

// auditDetails are the further details that rules look at, in each shape.
var auditDetails = [...]entryList{
	{known("properties.additionalDetails.key"), known("properties.additionalDetails.value"), auditDetailEntries},
	{known("AdditionalDetails.key"), known("AdditionalDetails.value"), auditDetailEntries},
	{known("additionalDetails.key"), known("additionalDetails.value"), auditDetailEntries},
}

var auditDetailEntries = []entry{{"additionalInfo", known("additionalDetails.additionalInfo"), ""}, {"User-Agent", ecsUserAgent, ""}}

// auditChanges are the changed properties that rules know by their own name; their
// values are JSON texts, so they stand in quotes.
var auditChanges = entryList{
	known("properties.targetResources.modifiedProperties.displayName"), known("properties.targetResources.modifiedProperties.newValue"),
	[]entry{{"ConsentContext.IsAdminConsent", known("ConsentContext.IsAdminConsent"), `"`}},
}

func isEntraAudit(p *pass) bool {
	return oneOf(p.value(azCategory), "AuditLogs") || p.has(auSvcProp) != nil && p.has(azOperation) != nil ||
		p.has(auSvc) != nil && (p.has(auOperation) != nil || p.has(auActivityUp) != nil) || p.has(auActivityGr) != nil && (p.has(auSvcGr) != nil || p.has(auActivityAt) != nil)
}

// readEntraAudit reads one change to the directory.
func readEntraAudit(p *pass) {
	p.endNative()
	p.auditActivity()
	p.shape(&auditShape)
	if f := p.has(auCategory); f != nil && p.value(azCategory) != f.Value.Str {
		p.also(azCategory, f.Value) // streamed, it is AuditLogs for all
	}
	for i := range auditDetails {
		p.entries(&auditDetails[i])
	}
	p.auditChanges()
	for _, n := range [...]name{auResult, auReason} {
		if f := p.has(n); f != nil {
			p.also(siStatus, f.Value)
		}
	}
	switch s := p.value(auResult); {
	case oneOf(s, "success"):
		p.outcome(true)
	case oneOf(s, "failure", "timeout"):
		p.outcome(false)
		p.e.Level = max(p.e.Level, event.LevelWarning)
	}
	p.e.Message = p.compose(p.value(ecsUser), p.value(auActivity), p.value(ecsTarget), p.value(auTargetName), p.value(auResult), p.value(auReason))
}

// auditActivity gives what was done without the blank that some names end in.
func (p *pass) auditActivity() {
	for _, n := range [...]name{auActivity, auActivityUp, auActivityGr, azOperation, auOperation} {
		f := p.has(n)
		if f == nil || !strings.HasSuffix(f.Value.Str, " ") {
			continue
		}
		for _, to := range [...]name{azMessage, auOperation, auActivityUp, azOperation} {
			p.trimmed(to, f.Value, " ")
		}
		return
	}
}

// auditChanges gives changed properties and types of targets the words of rules.
func (p *pass) auditChanges() {
	l := auditChanges
	for _, prefix := range auditChangeNames {
		if p.has(prefix[0]) != nil && int(p.slots[prefix[0].slot]) <= p.native {
			l.key, l.value = prefix[0], prefix[1]
			p.entries(&l)
		}
	}
	if oneOf(p.value(auTargetType), "ServicePrincipal") {
		p.addWord(auTargetType, "Service Principal")
	}
}

var auditChangeNames = [...][2]name{
	{auditChanges.key, auditChanges.value},
	{known("TargetResources.modifiedProperties.displayName"), known("TargetResources.modifiedProperties.newValue")},
	{known("targetResources.modifiedProperties.displayName"), known("targetResources.modifiedProperties.newValue")},
}
