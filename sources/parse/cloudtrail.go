package parse

import (
	"strings"

	"bartizan/event"
)

// The names of CloudTrail's record contents that we look at.
var (
	ctSource    = known("eventSource")
	ctName      = known("eventName")
	ctTime      = known("eventTime")
	ctVersion   = known("eventVersion")
	ctRegion    = known("awsRegion")
	ctIP        = known("sourceIPAddress")
	ctError     = known("errorCode")
	ctType      = known("userIdentity.type")
	ctUser      = known("userIdentity.userName")
	ctARN       = known("userIdentity.arn")
	ctPrincipal = known("userIdentity.principalId")
	ctInvoker   = known("userIdentity.invokedBy")
	ctIssuer    = known("userIdentity.sessionContext.sessionIssuer.userName")
	ctLogin     = known("responseElements.ConsoleLogin")
	ctStatus    = known("status") // as one rule of Sigma's has the outcome
)

var trailAliases = []pair{
	{ecsUserID, ctPrincipal},
	{ecsUserID, known("userIdentity.onBehalfOf.userId")}, // of IAM Identity Center
	{ecsAccessKey, known("userIdentity.accessKeyId")},
	{ecsTarget, known("requestParameters.userName")},
	{ecsAction, ctName},
	{ecsProvider, ctSource},
	{ecsEventID, known("eventID")},
	{ecsAccount, known("recipientAccountId")},
	{ecsAccount, known("userIdentity.accountId")},
	{ecsRegion, ctRegion},
	{ecsBucket, known("requestParameters.bucketName")},
	{ecsUserAgent, known("userAgent")},
	{ecsRequestID, known("requestID")},
	{ecsErrorCode, ctError},
	{ecsErrorText, known("errorMessage")},
}

// trailMarks tell a CloudTrail record from other JSON with eventName and
// eventSource. Any one is enough, since exports leave members out.
var trailMarks = [...]name{ctVersion, ctRegion, known("eventCategory"), known("managementEvent"), ctType}

// trailLower are the columns of tables made from CloudTrail (Athena's, as the
// CloudTrail User Guide creates it), which has all names in lower case.
var trailLower = []pair{
	{ctName, known("eventname")},
	{ctSource, known("eventsource")},
	{ctTime, known("eventtime")},
	{ctVersion, known("eventversion")},
	{ctRegion, known("awsregion")},
	{ctIP, known("sourceipaddress")},
	{ctError, known("errorcode")},
	{known("errorMessage"), known("errormessage")},
	{known("userAgent"), known("useragent")},
	{known("eventType"), known("eventtype")},
	{known("recipientAccountId"), known("recipientaccountid")},
	{ctType, known("useridentity.type")},
	{ctUser, known("useridentity.username")},
	{ctARN, known("useridentity.arn")},
	{ctPrincipal, known("useridentity.principalid")},
	{ctInvoker, known("useridentity.invokedby")},
}

func isTrail(p *pass) bool {
	if p.has(ctName) == nil || p.has(ctSource) == nil {
		return p.has(trailLower[0].from) != nil && strings.HasSuffix(p.value(trailLower[1].from), ".amazonaws.com")
	}
	for _, m := range trailMarks {
		if p.has(m) != nil {
			return true
		}
	}
	return strings.HasSuffix(p.value(ctSource), ".amazonaws.com")
}

// readTrail reads a CloudTrail record: management, data and insight events.
func readTrail(p *pass) {
	p.endNative()
	if p.has(ctName) == nil {
		p.aliases(trailLower)
	}
	if f := p.has(ctTime); f != nil {
		p.timeValue(f.Value)
	}
	p.trailUser()
	if f := p.has(ctIP); f != nil {
		if isAddr(f.Value.Str) {
			p.alias(ecsSrcIP, ctIP)
		} else {
			p.alias(ecsSrcDomain, ctIP)
		}
	}
	p.aliases(trailAliases)
	p.e.Level = event.LevelInfo
	ok := p.value(ctError) == "" && p.value(ctLogin) != "Failure"
	if !ok {
		p.e.Level = event.LevelWarning
	}
	p.outcome(ok)
	p.alias(ctStatus, ecsOutcome)
	src := strings.TrimSuffix(p.value(ctSource), ".amazonaws.com")
	p.e.Message = p.compose(src, p.value(ctName), p.value(ecsUser), p.value(ctIP), p.value(ctError))
}

// trailUser says who did it: the user's name, else the role behind the session,
// else the last part of the ARN, else the service.
func (p *pass) trailUser() {
	p.alias(ecsUser, ctUser)
	switch p.value(ctType) {
	case "AssumedRole":
		p.alias(ecsRoles, ctIssuer)
		p.alias(ecsSession, ctPrincipal)
	case "FederatedUser": // the issuer is who asked for the session
		p.alias(ecsSession, ctPrincipal)
	}
	p.alias(ecsUser, ctIssuer)
	if f := p.has(ctARN); f != nil {
		p.arnUser(f.Value)
	}
	p.alias(ecsUser, ctInvoker)
}

// arnUser takes the user's name from an ARN: the role of an assumed role's
// session, else the last part.
func (p *pass) arnUser(v event.Value) {
	const assumed = ":assumed-role/"
	if p.slots[ecsUser.slot] != 0 || !strings.HasPrefix(v.Str, "arn:") {
		return
	}
	if at := strings.Index(v.Str, assumed); at > 0 {
		role := at + len(assumed)
		if slash := strings.IndexByte(v.Str[role:], '/'); slash > 0 {
			p.aliasPart(ecsUser, v, role, role+slash)
			p.aliasPart(ecsRoles, v, role, role+slash)
			p.aliasPart(ecsSession, v, role+slash+1, len(v.Str))
			return
		}
	}
	p.aliasPart(ecsUser, v, strings.LastIndexAny(v.Str, "/:")+1, len(v.Str))
}
