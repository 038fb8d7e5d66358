package parse

import (
	"strings"

	"bartizan/event"
)

// Names of Entra's risk detections and of the alerts of Privileged Identity
// Management (riskDetection and unifiedRoleManagementAlert in Microsoft Graph).
var (
	riskType   = known("riskEventType")
	riskTypeUp = known("RiskEventType")
	riskTypePr = known("properties.riskEventType")
	riskLevel  = known("riskLevel")
	riskState  = known("riskState")
	graphType  = known("@odata.type")
)

var riskShape = shape{
	times: knownAll("properties.activityDateTime", "activityDateTime", "ActivityDateTime", "properties.detectedDateTime", "detectedDateTime", "DetectedDateTime",
		"time", "TimeGenerated", "createdDateTime"),
	from: knownAll("ipAddress"),
	same: spelled(
		"properties.riskEventType riskEventType RiskEventType",
		"properties.riskLevel riskLevel RiskLevel",
		"properties.riskState riskState RiskState",
		"properties.ipAddress IpAddress ipAddress",
		"properties.userPrincipalName UserPrincipalName userPrincipalName assigneeUserPrincipalName",
		"properties.activity Activity activity",
	),
	aliases: []pair{
		{ecsUser, known("userPrincipalName")},
		{ecsUserID, known("properties.userId")},
		{ecsUserID, known("UserId")},
		{ecsUserID, known("userId")},
		{ecsUserID, known("assigneeId")},
		{ecsRule, riskType},
		{ecsAction, known("activity")},
		{ecsEventID, known("properties.id")},
		{ecsEventID, known("id")},
		{ecsAccount, azTenant},
		{ecsAccount, known("AADTenantId")},
	},
}

const graphPrefix = "#microsoft.graph."

// riskTypes are the spellings of a detection's kind.
var riskTypes = [...]name{riskType, riskTypeUp, riskTypePr}

func isEntraRisk(p *pass) bool {
	for _, n := range riskTypes {
		if p.has(n) != nil {
			return true
		}
	}
	return false
}

// isEntraPIM knows an alert by its type in Microsoft Graph.
func isEntraPIM(p *pass) bool {
	for _, n := range riskTypes {
		if isPIMAlert(p.value(n)) {
			return true
		}
	}
	s := p.value(graphType)
	return strings.HasPrefix(s, graphPrefix) && isPIMAlert(s)
}

func isPIMAlert(s string) bool {
	return strings.HasSuffix(s, "AlertIncident") || strings.HasSuffix(s, "AlertConfiguration")
}

// readEntraRisk reads one risk that Entra found about an account, or one alert of
// Privileged Identity Management, whose type rules know as riskEventType.
func readEntraRisk(p *pass) {
	p.endNative()
	if f := p.has(graphType); f != nil && strings.HasPrefix(f.Value.Str, graphPrefix) && p.has(riskType) == nil {
		p.aliasPart(riskType, f.Value, len(graphPrefix), len(f.Value.Str))
	}
	p.shape(&riskShape)
	p.e.Level = event.LevelWarning
	switch s := p.value(riskLevel); {
	case oneOf(s, "high"):
		p.e.Level = event.LevelError
	case oneOf(s, "low", "none", "hidden"):
		p.e.Level = event.LevelNotice
	}
	p.e.Message = p.compose(p.value(riskType), p.value(ecsUser), p.value(ecsSrcIP), p.value(riskLevel), p.value(riskState))
}
