package parse

import (
	"slices"

	"bartizan/event"
)

// Names of Entra's sign-in logs: the signIn resource of Microsoft Graph, the same
// below "properties" as diagnostic settings stream it, and the columns of the
// SigninLogs tables ("SigninLogs" in Azure Monitor's reference).
var (
	siCode     = known("ResultType")
	siReason   = known("ResultDescription")
	siUser     = known("UserPrincipalName")
	siAuth     = known("AuthenticationRequirement")
	siAccess   = known("ConditionalAccessStatus")
	siAccessGr = known("conditionalAccessStatus")
	siErrorGr  = known("status.errorCode")
	siApp      = known("AppDisplayName")
	siStatus   = known("Status")
	siProtocol = known("AuthenticationProtocol")
	siPropUser = known("properties.userPrincipalName")
	siPropApp  = known("properties.appId")
	siPropCode = known("properties.status.errorCode")
	siActivity = known("ActivityDetails")
	siDenied   = knownAll("properties.status.additionalDetails", "Status.additionalDetails", "status.additionalDetails")
	siAgent    = known("userAgent")
)

var signinShape = shape{
	times: knownAll("time", "properties.createdDateTime", "createdDateTime", "CreatedDateTime", "TimeGenerated"),
	from:  knownAll("callerIpAddress"),
	same: spelled(
		"properties.userPrincipalName UserPrincipalName userPrincipalName Username",
		"properties.userId UserId userId",
		"properties.userAgent UserAgent userAgent",
		"properties.authenticationRequirement AuthenticationRequirement authenticationRequirement",
		"properties.authenticationProtocol AuthenticationProtocol authenticationProtocol",
		"properties.riskState RiskState riskState",
		"properties.riskLevelDuringSignIn RiskLevelDuringSignIn riskLevelDuringSignIn",
		"properties.deviceDetail.deviceId DeviceDetail.deviceId deviceDetail.deviceId",
		"properties.deviceDetail.isCompliant DeviceDetail.isCompliant deviceDetail.isCompliant",
		"properties.deviceDetail.trustType DeviceDetail.trustType deviceDetail.trustType DeviceDetail.trusttype",
		"properties.resourceDisplayName ResourceDisplayName resourceDisplayName",
		"properties.conditionalAccessStatus ConditionalAccessStatus conditionalAccessStatus",
		"properties.networkLocationDetails NetworkLocationDetails networkLocationDetails",
		"properties.clientAppUsed ClientAppUsed clientAppUsed ClientApp",
		"properties.status.errorCode Status.errorCode status.errorCode ResultType resultType",
		"properties.status.failureReason Status.failureReason status.failureReason ResultDescription resultDescription Resultdescription",
		"properties.ipAddress callerIpAddress IPAddress ipAddress CallerIpAddress",
		"properties.appId AppId appId",
		"properties.appDisplayName AppDisplayName appDisplayName",
		"properties.homeTenantId HomeTenantId homeTenantId",
		"properties.resourceTenantId ResourceTenantId resourceTenantId",
		"properties.location.countryOrRegion LocationDetails.countryOrRegion location.countryOrRegion Location location",
		"properties.correlationId CorrelationId correlationId",
	),
	aliases: []pair{
		{ecsUser, siUser},
		{ecsUser, known("properties.servicePrincipalName")},
		{ecsUser, known("ServicePrincipalName")},
		{ecsUser, known("servicePrincipalName")},
		{ecsUser, known("identity")},
		{ecsUserID, known("userId")},
		{ecsUserID, known("properties.servicePrincipalId")},
		{ecsUserID, known("ServicePrincipalId")},
		{ecsAction, azOperation},
		{ecsService, siApp},
		{ecsUserAgent, siAgent},
		{ecsErrorCode, siCode},
		{ecsErrorText, siReason},
		{ecsEventID, known("properties.id")},
		{ecsEventID, known("id")},
		{ecsRequestID, azSameID},
		{ecsAccount, azTenant},
		{ecsAccount, known("AADTenantId")},
		{ecsHost, known("properties.deviceDetail.displayName")},
	},
}

// signinCategories are those of diagnostic settings.
var signinCategories = [...]string{
	"SignInLogs", "NonInteractiveUserSignInLogs", "ServicePrincipalSignInLogs", "ManagedIdentitySignInLogs", "ADFSSignInLogs",
	"MicrosoftServicePrincipalSignInLogs",
}

// signinInterrupts are the error codes that only say what the user has to do next
// ("Microsoft Entra authentication and authorization error codes").
var signinInterrupts = [...]string{"50072", "50074", "50076", "50079", "50097", "50125", "50140", "50158", "50199"}

func isEntraSignin(p *pass) bool {
	if oneOf(p.value(azCategory), signinCategories[:]...) {
		return true
	}
	if p.has(siPropUser) != nil && p.has(siPropApp) != nil && p.has(siPropCode) != nil {
		return true
	}
	if p.has(siUser) != nil && p.has(siCode) != nil && (p.has(siAuth) != nil || p.has(siAccess) != nil || p.has(siApp) != nil) {
		return true
	}
	return p.has(siAccessGr) != nil && p.has(siErrorGr) != nil
}

// readEntraSignin reads one sign-in of a person, an application or a managed
// identity.
func readEntraSignin(p *pass) {
	p.shape(&signinShape)
	p.addWord(siActivity, "Sign-ins")
	code, word := p.value(siCode), ""
	switch {
	case code == "0" || code == "":
		word = "Success"
		p.outcome(true)
	case slices.Contains(signinInterrupts[:], code):
		word = "Interrupted"
	default:
		word = "Failure"
		p.outcome(false)
		p.e.Level = max(p.e.Level, event.LevelWarning)
	}
	p.addWord(siStatus, word)
	for _, n := range siDenied {
		if f := p.has(n); f != nil {
			p.also(siStatus, f.Value)
		}
	}
	switch proto := p.value(siProtocol); { // in the words of the portal
	case oneOf(proto, "deviceCode"):
		p.aliasWord(azMessage, "Device Code")
	case oneOf(proto, "ropc"):
		p.aliasWord(azMessage, "ROPC")
	}
	p.e.Message = p.compose(p.value(ecsUser), "signed in to", p.value(siApp), word, p.value(ecsSrcIP), p.value(ecsErrorText))
}
