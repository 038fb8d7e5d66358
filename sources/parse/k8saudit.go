package parse

import (
	"strings"

	"bartizan/event"
)

// The names of a Kubernetes audit event (audit.k8s.io/v1) that we look at.
var (
	k8sAPI      = known("apiVersion")
	k8sKind     = known("kind")
	k8sID       = known("auditID")
	k8sVerb     = known("verb")
	k8sUser     = known("user.username")
	k8sReceived = known("requestReceivedTimestamp")
	k8sStage    = known("stageTimestamp")
	k8sCode     = known("responseStatus.code")
	k8sURI      = known("requestURI")
	k8sRes      = known("objectRef.resource")
	k8sSub      = known("objectRef.subresource")
	k8sNS       = known("objectRef.namespace")
	k8sName     = known("objectRef.name")
	k8sGroups   = known("user.groups")
	k8sIPs      = known("sourceIPs")
	k8sDecision = known("annotations.authorization.k8s.io/decision")
)

var k8sAliases = []pair{
	{ecsUserID, known("user.uid")},
	{ecsSrcIP, k8sIPs},
	{ecsAction, k8sVerb},
	{ecsEventID, k8sID},
	{ecsProvider, known("objectRef.apiGroup")},
	{ecsNamespace, k8sNS},
	{ecsResource, k8sName},
	{ecsResType, k8sRes},
	{ecsStatus, k8sCode},
	{ecsUserAgent, known("userAgent")},
	{ecsURL, k8sURI},
	{known("user.effective.name"), known("impersonatedUser.username")},
}

// k8sMarks are the members besides verb that audit events have, the telling ones
// first.
var k8sMarks = [...]name{k8sRes, k8sID, k8sURI, k8sStage, k8sDecision, k8sCode, k8sIPs, k8sUser, known("stage")}

// isK8s knows an audit event by its version, or where a webhook, a log service or
// a list has stripped that, by its shape: a verb and two more members, one of them
// about the API.
func isK8s(p *pass) bool {
	if strings.HasPrefix(p.value(k8sAPI), "audit.k8s.io/") {
		return p.has(k8sVerb) != nil || p.has(k8sID) != nil || p.has(k8sURI) != nil
	}
	if p.has(k8sVerb) == nil {
		return false
	}
	n, about := 0, false
	if p.value(k8sKind) == "Event" {
		n, about = 1, p.has(k8sCode) != nil
	}
	for i, m := range k8sMarks {
		if p.has(m) != nil {
			n++
			about = about || i < 5
		}
	}
	return n > 1 && about
}

// readK8s reads one event of the API server's audit log.
func readK8s(p *pass) {
	p.endNative()
	for _, k := range [...]name{k8sReceived, k8sStage} {
		if f := p.has(k); f != nil {
			p.timeValue(f.Value)
		}
	}
	const account = "system:serviceaccount:"
	if f := p.has(k8sUser); f != nil {
		p.alias(ecsUser, k8sUser)
		v := p.value(k8sUser)
		if strings.HasPrefix(v, account) {
			p.aliasPart(ecsServiceAcct, p.has(k8sUser).Value, len(account), len(v))
		}
	}
	p.aliasEach(ecsRoles, k8sGroups)
	p.aliases(k8sAliases)
	p.pathAliases(k8sURI)
	p.e.Level = event.LevelInfo
	ok := p.value(k8sDecision) != "forbid"
	if f := p.has(k8sCode); f != nil {
		ok = ok && f.Value.Num < 400
		if f.Value.Num >= 500 {
			p.e.Level = event.LevelError
		}
	}
	if !ok && p.e.Level == event.LevelInfo {
		p.e.Level = event.LevelWarning
	}
	p.outcome(ok)
	p.e.Message = p.compose(p.value(k8sUser), p.value(k8sVerb), p.value(k8sRes), p.value(k8sSub), p.value(k8sNS), p.value(k8sName), p.value(k8sCode))
}

// pathAliases splits a request URI into path and query.
func (p *pass) pathAliases(uri name) {
	f := p.has(uri)
	if f == nil {
		return
	}
	v := f.Value
	cut := strings.IndexByte(v.Str, '?')
	if cut < 0 {
		p.alias(ecsURLPath, uri)
		return
	}
	p.aliasPart(ecsURLPath, v, 0, cut)
	p.aliasPart(ecsURLQuery, v, cut+1, len(v.Str))
}
