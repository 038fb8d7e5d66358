package parse

import (
	"strings"

	"bartizan/event"
)

// The log sources of Azure, in Sigma's words; its resource logs have none there.
var (
	logAzureActivity = event.LogSource{Product: "azure", Service: "activitylogs"}
	logAzureResource = event.LogSource{Product: "azure", Service: "resourcelogs"}
	logEntraSignin   = event.LogSource{Product: "azure", Service: "signinlogs"}
	logEntraAudit    = event.LogSource{Product: "azure", Service: "auditlogs"}
	logEntraRisk     = event.LogSource{Product: "azure", Service: "riskdetection"}
	logEntraPIM      = event.LogSource{Product: "azure", Service: "pim"}
)

// Names of Azure Monitor's logs: as a diagnostic setting streams them ("Azure
// activity log event schema" and "Azure resource logs" in its reference), as the
// REST API and the command line return them, and as the AzureActivity table has
// them.
var (
	azOperation  = known("operationName")
	azOpValue    = known("operationName.value")
	azOpColumn   = known("OperationNameValue")
	azCategory   = known("category")
	azCatColumn  = known("CategoryValue")
	azCatValue   = known("category.value")
	azResource   = known("resourceId")
	azResourceUp = known("ResourceId")
	azResult     = known("resultType")
	azCaller     = known("caller")
	azStamp      = known("eventTimestamp")
	azProvider   = known("ResourceProviderValue")
	azTenant     = known("tenantId")
	azLevel      = known("level")
	azLevelUp    = known("Level")
	azMessage    = known("properties.message")
	azInner      = known("properties.log") // of AKS: a record of another log
	azTime       = known("time")
	azText       = known("resultDescription")
	azSameID     = known("correlationId")
)

const (
	claimUPN  = "identity.claims.http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"
	claimName = "identity.claims.http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"
	claimOID  = "identity.claims.http://schemas.microsoft.com/identity/claims/objectidentifier"
)

var azureShape = shape{
	times: knownAll("time", "eventTimestamp", "EventSubmissionTimestamp", "TimeGenerated", "timeStamp", "submissionTimestamp"),
	from:  knownAll("callerIpAddress", "httpRequest.clientIpAddress", "properties.clientIp", "properties.clientIP"),
	same: spelled(
		"operationName.value OperationNameValue operationName properties.operationName",
		"properties.message Properties.message operationName.localizedValue OperationName operationName",
		"CategoryValue category.value category Category",
		"ResourceProviderValue resourceProviderName.value ResourceProvider",
		"resourceId ResourceId _ResourceId",
		"callerIpAddress CallerIpAddress",
		"resultType status.value ActivityStatusValue ActivityStatus",
		"correlationId CorrelationId",
	),
	aliases: []pair{
		{ecsUser, azCaller},
		{ecsUser, known("Caller")},
		{ecsUser, known(claimUPN)},
		{ecsUser, known("identity.claims.name")},
		{ecsUser, known("identity.claims.appid")},
		{ecsUserID, known(claimOID)},
		{ecsUserID, known(claimName)},
		{ecsRoles, known("identity.authorization.evidence.role")},
		{ecsAction, azOpColumn},
		{ecsProvider, azProvider},
		{ecsResource, azResource},
		{ecsAccount, known("subscriptionId")},
		{ecsAccount, known("SubscriptionId")},
		{ecsRegion, known("location")},
		{ecsRegion, known("region")},
		{ecsEventID, known("eventDataId")},
		{ecsEventID, known("EventDataId")},
		{ecsMethod, known("httpRequest.method")},
		{ecsRequestID, azSameID},
		{ecsErrorText, azText},
		{ecsErrorCode, known("resultSignature")},
		{ecsUserAgent, known("properties.userAgentHeader")},
		{ecsURL, known("uri")},
	},
}

// azureCategories are those of the activity log.
var azureCategories = [...]string{"Administrative", "Security", "ServiceHealth", "Alert", "Recommendation", "Policy", "Autoscale", "ResourceHealth"}

func isAzureActivity(p *pass) bool {
	if p.has(azOpColumn) != nil {
		return p.has(azCatColumn) != nil || p.has(azProvider) != nil
	}
	if p.has(azOpValue) != nil {
		return p.has(azStamp) != nil || p.has(azCatValue) != nil
	}
	return p.has(azOperation) != nil && (p.has(azResource) != nil || p.has(azResourceUp) != nil) && oneOf(p.value(azCategory), azureCategories[:]...)
}

// readAzureActivity reads one entry of a subscription's activity log.
func readAzureActivity(p *pass) { p.azure() }

// isAzureResource knows the rest of what diagnostic settings stream.
func isAzureResource(p *pass) bool {
	return p.has(azOperation) != nil && p.has(azCategory) != nil && p.has(azTime) != nil && (p.has(azResource) != nil || p.has(azResourceUp) != nil)
}

// readAzureResource reads one entry of a resource's own log. AKS puts lines of the
// cluster's components into it, the API server's audit records among them.
func readAzureResource(p *pass) {
	if f := p.has(azInner); f != nil && f.Value.Kind == event.KindString && strings.HasPrefix(f.Value.Str, "{") {
		p.enclosed(f.Value, "azure-resource")
		return
	}
	p.azure()
}

// enclosed reads v as a record of its own, whose fields follow those around it.
func (p *pass) enclosed(v event.Value, outer string) {
	whole, off := p.text, p.off
	p.text, p.off = literal(v)
	p.unwrap()
	p.text, p.off = whole, off
	if p.e.FormatName == "docker" { // what is inside is nothing we know
		p.e.FormatName = outer
	}
}

func (p *pass) azure() {
	p.endNative()
	p.azureResult()
	p.shape(&azureShape)
	if f := p.has(azOpValue); f != nil { // the API's operationName is an object
		p.also(azOperation, f.Value)
		if c := p.has(azCatValue); c != nil {
			p.also(azCategory, c.Value)
		}
	}
	p.azureScope()
	p.e.Message = p.compose(p.value(ecsUser), p.value(azOpColumn), p.value(azResult), p.value(azResource), p.value(azText))
}

// azureResult takes level and outcome from what the record says of both.
func (p *pass) azureResult() {
	for _, n := range [...]name{azLevel, azLevelUp} {
		if p.e.Level == event.LevelUnknown {
			p.e.Level = levelWord(p.value(n))
		}
	}
	for _, n := range [...]name{azResult, azStatusColumn, azStatusValue} {
		switch s := p.value(n); {
		case oneOf(s, "Success", "Succeeded", "Succeed", "Start", "Started", "Accept", "Accepted", "OK"):
			p.outcome(true)
			return
		case oneOf(s, "Failure", "Failed", "Fail", "ClientError", "ServerError"):
			p.outcome(false)
			p.e.Level = max(p.e.Level, event.LevelWarning)
			return
		}
	}
}

var (
	azStatusColumn = known("ActivityStatusValue")
	azStatusValue  = known("status.value")
)

// azureScope takes subscription and resource provider from what names them in a
// longer text: "/subscriptions/<id>/…" and "MICROSOFT.COMPUTE/…".
func (p *pass) azureScope() {
	if f := p.has(azResource); f != nil && f.Value.Kind == event.KindString {
		const head = "/subscriptions/"
		if v := f.Value; len(v.Str) > len(head) && strings.EqualFold(v.Str[:len(head)], head) {
			end := strings.IndexByte(v.Str[len(head):], '/')
			if end < 0 {
				end = len(v.Str) - len(head)
			}
			p.aliasPart(ecsAccount, v, len(head), len(head)+end)
		}
	}
	if f := p.has(azOpColumn); f != nil {
		if end := strings.IndexByte(f.Value.Str, '/'); end > 0 {
			p.aliasPart(azProvider, f.Value, 0, end)
			p.aliasPart(ecsProvider, f.Value, 0, end)
		}
	}
}
