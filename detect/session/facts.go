package session

import "bartizan/event"

// slot is a field that joins look at.
type slot uint8

const (
	none slot = iota
	sHost
	sEvent
	sPID
	sUser
	sTarget
	sUID
	sIP
	sPort
	sKey
	sTTY
	sModule
	sService
	sLogind
	sMethod

	aType
	aAUID
	aAUIDName
	aSes
	aAcct
	aAddr
	aTerminal
	aExe
	aRes
	jSes
	jUID

	cName
	cError
	cType
	cARN
	cPrincipal
	cAccount
	cKey
	cUserName
	cInvoked
	cIssuer
	cIssuerAccount
	cIssuerARN
	cEC2
	cProvider
	cSource
	cNewKey
	cNewPrincipal
	cNewARN
	cNewSource
	cAskedSource
	cSwitchFrom
	cRecipient

	kVerb
	kResource
	kSub
	kID
	kCode
	kURI
	kStage
	kReceived
	kStaged
	kEffective

	rNamespace
	rName
	rType
	rCluster
	rContainer

	gFirst
	gSubject
	gUser
	zIdentity
	slots
)

// slotNames are the fields as formats name them; two names may fill one slot, and
// then what the record itself brings wins.
var slotNames = []struct {
	name string
	at   slot
}{
	{"host.name", sHost},
	{"event", sEvent},
	{"process.pid", sPID},
	{"user.name", sUser},
	{"user.target.name", sTarget},
	{"uid", sUID},
	{"source.ip", sIP},
	{"source.port", sPort},
	{"source.user.key", sKey},
	{"tty", sTTY},
	{"pam_module", sModule},
	{"pam_service", sService},
	{"session", sLogind},
	{"method", sMethod},

	{"type", aType},
	{"auid", aAUID},
	{"AUID", aAUIDName},
	{"ses", aSes},
	{"acct", aAcct},
	{"addr", aAddr},
	{"terminal", aTerminal},
	{"exe", aExe},
	{"res", aRes},
	{"_AUDIT_SESSION", jSes},
	{"_AUDIT_LOGINUID", jUID},

	{"eventName", cName},
	{"errorCode", cError},
	{"userIdentity.type", cType},
	{"userIdentity.arn", cARN},
	{"userIdentity.principalId", cPrincipal},
	{"userIdentity.accountId", cAccount},
	{"userIdentity.accessKeyId", cKey},
	{"userIdentity.userName", cUserName},
	{"userIdentity.invokedBy", cInvoked},
	{"userIdentity.sessionContext.sessionIssuer.userName", cIssuer},
	{"userIdentity.sessionContext.sessionIssuer.accountId", cIssuerAccount},
	{"userIdentity.sessionContext.sessionIssuer.arn", cIssuerARN},
	{"userIdentity.sessionContext.ec2RoleDelivery", cEC2},
	{"userIdentity.sessionContext.webIdFederationData.federatedProvider", cProvider},
	{"userIdentity.sessionContext.sourceIdentity", cSource},
	{"responseElements.credentials.accessKeyId", cNewKey},
	{"responseElements.assumedRoleUser.assumedRoleId", cNewPrincipal},
	{"responseElements.assumedRoleUser.arn", cNewARN},
	{"responseElements.federatedUser.federatedUserId", cNewPrincipal},
	{"responseElements.federatedUser.arn", cNewARN},
	{"responseElements.sourceIdentity", cNewSource},
	{"requestParameters.sourceIdentity", cAskedSource},
	{"additionalEventData.SwitchFrom", cSwitchFrom},
	{"recipientAccountId", cRecipient},

	{"verb", kVerb},
	{"objectRef.resource", kResource},
	{"objectRef.subresource", kSub},
	{"auditID", kID},
	{"responseStatus.code", kCode},
	{"requestURI", kURI},
	{"stage", kStage},
	{"requestReceivedTimestamp", kReceived},
	{"stageTimestamp", kStaged},
	{"user.effective.name", kEffective},

	{"orchestrator.namespace", rNamespace},
	{"orchestrator.resource.name", rName},
	{"orchestrator.resource.type", rType},
	{"orchestrator.cluster.name", rCluster},
	{"container.name", rContainer},

	{"protoPayload.authenticationInfo.serviceAccountDelegationInfo.firstPartyPrincipal.principalEmail", gFirst},
	{"protoPayload.authenticationInfo.serviceAccountDelegationInfo.principalSubject", gSubject},
	{"protoPayload.authenticationInfo.principalEmail", gUser},
	{"identity.claims.xms_mirid", zIdentity},
}

// slotBySym is the slot of a field's symbol.
var slotBySym = func() []slot {
	var out []slot
	for _, n := range slotNames {
		s := int(event.Intern(n.name))
		for len(out) <= s {
			out = append(out, none)
		}
		out[s] = n.at
	}
	return out
}()

var slotByName = func() map[string]slot {
	m := map[string]slot{}
	for _, n := range slotNames {
		m[n.name] = n.at
	}
	return m
}()

// facts are the values of one event that joins look at; where a field is there
// several times, the first. They are views into the event.
type facts struct {
	v [slots]string
	t int64 // event time, nanoseconds since 1970
	e *event.Event
}

// read fills facts that are empty.
func (f *facts) read(e *event.Event) {
	f.e, f.t = e, e.Time.UnixNano()
	for i := range e.Fields {
		n := &e.Fields[i]
		s := none
		if int(n.Sym) < len(slotBySym) && n.Sym != 0 {
			s = slotBySym[n.Sym]
		} else if n.Sym == 0 {
			s = slotByName[n.Name]
		}
		if s != none && f.v[s] == "" && n.Value.Kind != event.KindObject && n.Value.Str != "-" {
			f.v[s] = n.Value.Str
		}
	}
}
