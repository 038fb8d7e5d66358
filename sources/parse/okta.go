package parse

import "bartizan/event"

var logOkta = event.LogSource{Product: "okta", Service: "okta"}

// The names of an Okta System Log event (LogEvent, Okta's API reference) that we
// look at.
var (
	oktaTime     = known("published")
	oktaType     = known("eventType")
	oktaUUID     = known("uuid")
	oktaActor    = known("actor.alternateId")
	oktaActorID  = known("actor.id")
	oktaMessage  = known("displayMessage")
	oktaIP       = known("client.ipAddress")
	oktaSeverity = known("severity")
	oktaResult   = known("outcome.result")
	oktaReason   = known("outcome.reason")
	oktaTarget   = known("target")
)

var oktaAliases = []pair{
	{ecsUser, oktaActor},
	{ecsUserID, oktaActorID},
	{ecsAction, oktaType},
	{ecsEventID, oktaUUID},
	{ecsUserAgent, known("client.userAgent.rawUserAgent")},
	{ecsSession, known("authenticationContext.externalSessionId")},
	{ecsRequestID, known("debugContext.debugData.requestId")},
	{ecsURL, known("debugContext.debugData.requestUri")},
	{ecsErrorText, oktaReason},
}

// oktaTargets are the names that a target's members get by its type. Of several
// targets of one type the last counts for the first name, which is that of Falco's
// okta plugin, and the first for the second.
var oktaTargets = []struct {
	kind, member string
	to           []name
}{
	{"User", "id", []name{known("okta.target.user.id")}},
	{"User", "alternateId", []name{known("okta.target.user.alternateid"), ecsTarget}},
	{"User", "displayName", []name{known("okta.target.user.name")}},
	{"UserGroup", "id", []name{known("okta.target.group.id")}},
	{"UserGroup", "alternateId", []name{known("okta.target.group.alternateid")}},
	{"UserGroup", "displayName", []name{known("okta.target.group.name"), ecsGroup}},
	{"AppInstance", "alternateId", []name{known("okta.target.app.alternateid")}},
	{"AppInstance", "displayName", []name{known("okta.target.app.name"), ecsService}},
}

// oktaLower are the names of collectors that write the members of a record all in
// lower case, and Okta's own for each.
var oktaLower = []pair{
	{oktaType, known("eventtype")},
	{oktaMessage, known("displaymessage")},
	{known("legacyEventType"), known("legacyeventtype")},
	{known("authenticationContext.externalSessionId"), known("authenticationcontext.externalSessionId")},
	{known("debugContext.debugData.requestId"), known("debugcontext.debugData.requestId")},
	{known("debugContext.debugData.requestUri"), known("debugcontext.debugData.requestUri")},
	{known("debugContext.debugData.behaviors"), known("debugcontext.debugData.behaviors")},
	{known("debugContext.debugData.logOnlySecurityData"), known("debugcontext.debugData.logOnlySecurityData")},
	{known("securityContext.isProxy"), known("securitycontext.isProxy")},
}

func isOkta(p *pass) bool {
	if p.has(oktaTime) == nil && p.has(oktaUUID) == nil || p.has(oktaType) == nil && p.has(oktaLower[0].from) == nil || p.has(oktaActorID) == nil && p.has(oktaActor) == nil {
		return false
	}
	return p.has(oktaUUID) != nil || p.has(oktaMessage) != nil || p.has(oktaResult) != nil || p.has(oktaIP) != nil || p.has(oktaTarget) != nil
}

// readOkta reads one event of Okta's System Log, as its API and event hooks write
// it.
func readOkta(p *pass) {
	p.endNative()
	if p.has(oktaType) == nil {
		p.aliases(oktaLower)
	}
	if f := p.has(oktaTime); f != nil {
		p.timeValue(f.Value)
	}
	if f := p.has(oktaIP); f != nil && isAddr(f.Value.Str) {
		p.alias(ecsSrcIP, oktaIP)
	}
	p.aliases(oktaAliases)
	p.oktaTargets()
	if p.e.Level = levelWord(p.value(oktaSeverity)); p.e.Level == event.LevelUnknown {
		p.e.Level = event.LevelInfo
	}
	switch p.value(oktaResult) {
	case "SUCCESS", "ALLOW":
		p.outcome(true)
	case "FAILURE", "DENY":
		p.outcome(false)
		p.e.Level = max(p.e.Level, event.LevelWarning)
	}
	p.e.Message = p.compose(p.value(oktaMessage), p.value(oktaActor), p.value(oktaIP), p.value(oktaResult), p.value(oktaReason))
	if p.e.Message == "" {
		p.e.Message = p.value(oktaType)
	}
}

// oktaMembers are the members every target has.
var oktaMembers = [...]string{"target.id", "target.type", "target.alternateId", "target.displayName"}

// oktaTargets gives names to the members of each target by its type. The members
// of one target stand together, and one that comes again begins the next.
func (p *pass) oktaTargets() {
	if p.has(oktaTarget) == nil {
		return
	}
	begin, seen, kind := 0, 0, ""
	for i := 0; i < p.native; i++ {
		member := 0
		for j, m := range oktaMembers {
			if p.fields[i].Name == m {
				member = 1 << j
			}
		}
		if seen&member != 0 {
			p.oktaTarget(begin, i, kind)
			begin, seen, kind = i, 0, ""
		}
		seen |= member
		if p.fields[i].Name == "target.type" {
			kind = p.fields[i].Value.Str
		}
	}
	p.oktaTarget(begin, p.native, kind)
}

// oktaTarget gives names to the members of one target, which are fields[from:to].
func (p *pass) oktaTarget(from, to int, kind string) {
	for _, t := range oktaTargets {
		if t.kind != kind {
			continue
		}
		for i := from; i < to; i++ {
			v := p.fields[i].Value
			if p.fields[i].Name != "target."+t.member || v.Kind != event.KindString || nothing(v.Str) {
				continue
			}
			if f := p.has(t.to[0]); f != nil {
				f.Value = v
			}
			for _, n := range t.to {
				p.aliasPart(n, v, 0, len(v.Str))
			}
			break
		}
	}
}
